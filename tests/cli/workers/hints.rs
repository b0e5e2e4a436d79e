//! Webhooks where several processes share the work: each answers its own calls.

use super::{FIRST, Office};
use crate::cli::door::door_of;
use crate::cli::webhooks::call;

const SECRET: &str = "0123456789abcdef-of-an-example.org";

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_looked_after_by_the_worker_that_got_it_and_two_workers_take_turns() {
    let office = Office::new(1, 12, "5s").await;
    let text = std::fs::read_to_string(office.desk.path("dn.toml")).expect("it is there");
    let text = text.replace("[run]", "[run]\nlisten = '127.0.0.1:0'\nhint-window = '1s'");
    office.desk.write("dn.toml", &text.replace("[instances.dn]", "[instances.dn]\nwebhook-path-file = 'path'"));
    office.desk.write("path", SECRET);
    let sink = office.database.sink().await;
    sink.close().await.expect("a schema with nothing in it");
    let (mut one, mut two) = (office.worker(), office.worker());
    let doors = [door_of(&mut one).await, door_of(&mut two).await];
    office.until_all_are_done().await;
    let submit = || {
        let dossier = office.desk.sandbox.world().submit(FIRST).expect("the démarche exists");
        format!("procedure_id={FIRST}&dossier_id={dossier}")
    };
    // One gets the call, and the other does nothing.
    let body = submit();
    assert_eq!(call(&doors[0], SECRET, &body).await, 204);
    office.until("(SELECT count(*) FROM dn_runs WHERE outcome = 'done') = 2").await;
    // Both get it: each looks, one after the other, with a window between them.
    let body = submit();
    for door in &doors {
        assert_eq!(call(door, SECRET, &body).await, 204);
    }
    office.until("(SELECT count(*) FROM dn_runs WHERE outcome = 'done') = 4").await;
    for (worker, expected) in [(one, 2), (two, 1)] {
        let stopped = worker.stop().await;
        assert_eq!(stopped.code, Some(0), "{:?}", stopped.lines);
        let looked = stopped.lines.iter().filter(|line| line.contains("webhooks named dossiers")).count();
        assert_eq!(looked, expected, "{:?}", stopped.lines);
    }
    let restless = "SELECT id FROM (SELECT id, started_at - lag(ended_at) OVER (ORDER BY seq) AS rest FROM dn_runs) AS runs \
                    WHERE rest < interval '1 second'";
    assert_eq!(office.database.column(restless).await, Vec::<String>::new());
    let hinted = "SELECT DISTINCT number::text FROM dn_changes WHERE run LIKE 'hint-%'";
    assert_eq!(office.database.column(hinted).await.len(), 2);
    office.is_exact().await;
}
