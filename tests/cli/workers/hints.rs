//! Checks webhooks with several processes: each handles the calls that it receives.

use super::{Cluster, FIRST};
use crate::cli::endpoint::endpoint_of;
use crate::cli::webhooks::call;

const SECRET: &str = "0123456789abcdef-of-an-example.org";

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_looked_after_by_the_worker_that_got_it_and_two_workers_take_turns() {
    let cluster = Cluster::new(1, 12, "5s").await;
    let text = std::fs::read_to_string(cluster.harness.path("dn.toml")).expect("it is there");
    let text = text.replace("[run]", "[run]\nlisten = '127.0.0.1:0'\nhint-window = '1s'");
    cluster.harness.write("dn.toml", &text.replace("[instances.dn]", "[instances.dn]\nwebhook-path-file = 'path'"));
    cluster.harness.write("path", SECRET);
    let sink = cluster.database.sink().await;
    sink.close().await.expect("a schema with nothing in it");
    let (mut one, mut two) = (cluster.worker(), cluster.worker());
    let endpoints = [endpoint_of(&mut one).await, endpoint_of(&mut two).await];
    cluster.until_all_are_done().await;
    let submit = || {
        let dossier = cluster.harness.sandbox.world().submit(FIRST).expect("the démarche exists");
        format!("procedure_id={FIRST}&dossier_id={dossier}")
    };
    // One gets the call, and the other does nothing.
    let body = submit();
    assert_eq!(call(&endpoints[0], SECRET, &body).await, 204);
    cluster.until("(SELECT count(*) FROM dn_runs WHERE outcome = 'done') = 2").await;
    // Both get it: each looks, one after the other, with a window between them.
    let body = submit();
    for endpoint in &endpoints {
        assert_eq!(call(endpoint, SECRET, &body).await, 204);
    }
    cluster.until("(SELECT count(*) FROM dn_runs WHERE outcome = 'done') = 4").await;
    for (worker, expected) in [(one, 2), (two, 1)] {
        let stopped = worker.stop().await;
        assert_eq!(stopped.code, Some(0), "{:?}", stopped.lines);
        let looked = stopped.lines.iter().filter(|line| line.contains("webhooks named dossiers")).count();
        assert_eq!(looked, expected, "{:?}", stopped.lines);
    }
    let restless = "SELECT id FROM (SELECT id, started_at - lag(ended_at) OVER (ORDER BY seq) AS rest FROM dn_runs) AS runs \
                    WHERE rest < interval '1 second'";
    assert_eq!(cluster.database.column(restless).await, Vec::<String>::new());
    let hinted = "SELECT DISTINCT number::text FROM dn_changes WHERE run LIKE 'hint-%'";
    assert_eq!(cluster.database.column(hinted).await.len(), 2);
    cluster.is_exact().await;
}
