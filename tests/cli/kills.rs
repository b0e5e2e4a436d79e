//! The real binary killed without a word, again and again: nothing is lost, nothing is done twice.

use std::time::Duration;

use demarche_numerique::sandbox::{Fault, FaultPlan};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::desk::{DEMARCHE, Desk};

#[tokio::test(flavor = "multi_thread")]
async fn twenty_kills_during_one_sync_lose_nothing() {
    let desk = Desk::with(70).await;
    desk.sandbox.plan(FaultPlan::new(Fault::Slow(Duration::from_millis(10))));
    let number = DEMARCHE.to_string();
    let args = ["sync", "--demarche", &number, "--to", "sqlite:d.db", "--page-size", "1", "-vv"];
    for kill in 0..20 {
        let mut child = desk.command(&args).spawn().expect("the binary starts");
        let mut log = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        // After the first, second or third page, and once before anything was committed: while one page is committed
        // the next one is already on its way, so the kill falls anywhere in that.
        let mut pages = kill % 4;
        while pages > 0
            && let Some(line) = log.next_line().await.expect("a line")
        {
            pages -= u32::from(line.contains("page of 1 dossiers"));
        }
        child.kill().await.expect("it was alive");
    }
    desk.sandbox.clear_faults();
    let report: serde_json::Value =
        serde_json::from_str(&desk.on_target("sync", &["--json"]).await.expect(0).stdout).expect("JSON");
    let last = report["inserted"].as_u64().expect("a number");
    assert!((1..70).contains(&last), "the kills fell during one and the same sync: {last} were left");
    let verified = desk.on_target("verify", &["--json"]).await.expect(0).stdout;
    let verified: serde_json::Value = serde_json::from_str(&verified).expect("JSON");
    assert_eq!((&verified["listed"], &verified["held"]), (&70.into(), &70.into()));
    let report: serde_json::Value =
        serde_json::from_str(&desk.on_target("sync", &["--json"]).await.expect(0).stdout).expect("JSON");
    assert_eq!((&report["inserted"], &report["updated"], &report["rows_written"]), (&0.into(), &0.into(), &0.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_serves_until_it_is_told_to_stop() {
    let desk = Desk::with(1).await;
    let mut child = desk.command(&["sandbox", "--dossiers", "3", "--seed", "2"]).spawn().expect("the binary starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let (mut url, mut token) = (String::new(), String::new());
    while let Some(line) = lines.next_line().await.expect("a line") {
        match line.split_once(' ') {
            Some(("address", rest)) => url = rest.trim().to_owned(),
            Some(("token", rest)) => token = rest.trim().to_owned(),
            _ if line.contains("dn sync --demarche 1001") => break,
            _ => {}
        }
    }
    let args = ["sync", "--demarche", "1001", "--to", "sqlite:s.db", "--json"];
    let mut command = desk.command(&args);
    super::desk::end(command.env("DN_URL", &url).env("DN_TOKEN", &token)).await.expect(0);
    let pid = child.id().expect("it runs").to_string();
    let asked = std::process::Command::new("kill").args(["-INT", &pid]).status().expect("kill starts");
    assert!(asked.success());
    assert_eq!(child.wait().await.expect("it ends").code(), Some(0));
}
