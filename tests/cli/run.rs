//! Checks `dn run` over one file: schedule, signals, configuration.

use demarche_numerique::Platform;
use demarche_numerique::sandbox::{DemarcheSpec, Fault, FaultPlan, FormSpec, WorldSpec};

use sqlx::{Connection as _, SqliteConnection};

use super::harness::{DEMARCHE, Harness};
use super::workers::Worker;

const OTHER: u32 = DEMARCHE + 1;

async fn harness(dossiers: u32) -> Harness {
    let demarches =
        [DEMARCHE, OTHER].map(|number| DemarcheSpec::new(number, FormSpec::Simple { champs: 3 }, dossiers)).to_vec();
    Harness::in_world(&WorldSpec { demarches, ..WorldSpec::new(Platform::DemarcheNumerique) }).await
}

fn config(schedule: &str, demarches: &[u32]) -> String {
    let mut text = format!(
        "[instances.dn]\npage-size = 10\n[targets.local]\ntype = 'sqlite'\npath = 'd.db'\n\
         [run]\nschedule = '{schedule}'\njitter = '0s'\n"
    );
    for number in demarches {
        text.push_str(&format!("[[demarches]]\nnumber = {number}\n"));
    }
    text
}

/// A tick that does not come while the tests run.
const NEW_YEAR: &str = "0 0 1 1 *";

#[tokio::test(flavor = "multi_thread")]
async fn every_demarche_runs_at_the_start_and_then_at_its_ticks_until_a_signal() {
    let harness = harness(15).await;
    harness.write("dn.toml", &config("1s", &[DEMARCHE, OTHER]));
    let mut worker = Worker::start(&harness, &["--config", "dn.toml", "run"], &[]);
    for number in [DEMARCHE, OTHER] {
        for _ in 0..3 {
            worker.says(&format!("run of démarche {number} ends: done")).await;
        }
    }
    assert_eq!(worker.stop().await.code, Some(0));
    let verified = harness.dn(&["--config", "dn.toml", "verify", "--json"]).await.expect(0);
    assert_eq!(verified.stdout.lines().count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_becomes_wrong_changes_nothing_and_a_right_one_is_taken() {
    let harness = harness(5).await;
    harness.write("dn.toml", &config(NEW_YEAR, &[DEMARCHE]));
    let mut worker = Worker::start(&harness, &["--config", "dn.toml", "run"], &[]);
    worker.says(&format!("run of démarche {DEMARCHE} ends: done")).await;
    let right = config(NEW_YEAR, &[DEMARCHE, OTHER]);
    for (wrong, words) in [
        (right.replace("schedule", "shedule"), "did you mean `schedule`?"),
        (right.replace("[instances.dn]", "[instances.dn]\ntoken-env = 'NOWHERE'"), "there is no token in $NOWHERE"),
        (right.replace(NEW_YEAR, "0 0 30 2 *"), "there is no such day"),
    ] {
        harness.write("dn.toml", &wrong);
        worker.signal("HUP");
        let line = worker.says("the new configuration cannot be used, the one before stays in force").await;
        assert!(line.contains(words), "{line}");
    }
    harness.write("dn.toml", &right);
    worker.signal("HUP");
    worker.says("the configuration was read again: 2 jobs").await;
    worker.says(&format!("run of démarche {OTHER} ends: done")).await;
    let ended = worker.stop().await;
    assert_eq!(ended.code, Some(0));
    // What had run already did not run again.
    let runs = ended.lines.iter().filter(|line| line.contains(&format!("run of démarche {DEMARCHE} ends"))).count();
    assert_eq!(runs, 1, "{:?}", ended.lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_is_wrong_at_the_start_ends_it() {
    let harness = harness(1).await;
    harness.write("dn.toml", &config("every day", &[DEMARCHE]));
    harness.dn(&["--config", "dn.toml", "run"]).await.expect(3).says("run.schedule");
    harness.dn(&["run"]).await.expect(3).says("no démarche is named");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_in_the_middle_of_a_run_keeps_what_was_committed_and_the_next_start_goes_on() {
    let harness = harness(40).await;
    harness.write("dn.toml", &config(NEW_YEAR, &[DEMARCHE]));
    let waits = std::time::Duration::from_secs(600);
    harness.sandbox.plan(FaultPlan::new(Fault::Slow(waits)).operation("ListDossiers").after(2).times(1));
    let (sender, mut asked) = tokio::sync::mpsc::unbounded_channel();
    harness.sandbox.on_request(move |request, _| {
        let _ = sender.send(request.fault.is_some());
    });
    let worker = Worker::start(&harness, &["--config", "dn.toml", "run"], &[]);
    while !asked.recv().await.expect("the hook lives as long as the sandbox") {}
    // The third page never comes; the second may be on its way into the file.
    assert_eq!(worker.stop().await.code, Some(0));
    let listed = harness.dn(&["--config", "dn.toml", "status", "--json"]).await.expect(0).stdout;
    let status: serde_json::Value = serde_json::from_str(&listed).expect("one object");
    assert_eq!((&status["alive"], &status["runs"][0]["outcome"]), (&20.into(), &"interrupted".into()));
    let mut worker = Worker::start(&harness, &["--config", "dn.toml", "run"], &[]);
    worker.says(&format!("run of démarche {DEMARCHE} ends: done")).await;
    assert_eq!(worker.stop().await.code, Some(0));
    harness.dn(&["--config", "dn.toml", "verify"]).await.expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_another_run_holds_is_no_failure() {
    let harness = harness(40).await;
    harness.write("dn.toml", &config(NEW_YEAR, &[DEMARCHE]));
    let waits = std::time::Duration::from_secs(600);
    harness.sandbox.plan(FaultPlan::new(Fault::Slow(waits)).operation("ListDossiers").after(1).times(1));
    let (sender, mut asked) = tokio::sync::mpsc::unbounded_channel();
    harness.sandbox.on_request(move |request, _| {
        let _ = sender.send(request.fault.is_some());
    });
    let first = Worker::start(&harness, &["--config", "dn.toml", "run"], &[]);
    while !asked.recv().await.expect("the hook lives as long as the sandbox") {}
    let mut second = Worker::start(&harness, &["--config", "dn.toml", "-v", "run"], &[]);
    second.says("another run works on").await;
    first.kill().await;
    let ended = second.stop().await;
    assert_eq!(ended.code, Some(0));
    assert!(ended.lines.iter().all(|line| !line.contains("ERROR") && !line.contains("WARN")), "{:?}", ended.lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_the_outbox_is_sent_after_a_run_where_the_file_says_so() {
    let harness = harness(0).await;
    let number = harness.sandbox.world().submit(DEMARCHE).expect("the démarche exists");
    let told = "[sync]\npush-on-schedule = true\ninstructeur = 'instructeur-1@example.org'\n";
    harness.write("dn.toml", &format!("{}{told}", config("1s", &[DEMARCHE])));
    harness.dn(&["--config", "dn.toml", "sync"]).await.expect(0);
    let address = format!("sqlite:{}", harness.path("d.db").display());
    let mut application = SqliteConnection::connect(&address).await.expect("the target");
    let insert = "INSERT INTO dn_status_updates (instance, demarche, number, action) VALUES ('dn', $1, $2, $3)";
    let query = sqlx::query(insert).bind(DEMARCHE).bind(number).bind("passer_en_instruction");
    query.execute(&mut application).await.expect("it makes sense");
    application.close().await.expect("it closes");
    let mut worker = Worker::start(&harness, &["--config", "dn.toml", "run"], &[]);
    worker.says(&format!("push to démarche {DEMARCHE} ends: 1 done")).await;
    worker.says(&format!("run of démarche {DEMARCHE} ends: done")).await;
    assert_eq!(worker.stop().await.code, Some(0));
    let done: Vec<String> = harness.sandbox.audit().into_iter().map(|entry| entry.mutation).collect();
    assert_eq!(done, ["dossierPasserEnInstruction"]);
}
