//! Processes that die or fall silent in the middle of a run.

use std::time::Duration;

use demarche_numerique::sandbox::{Fault, FaultPlan};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{FIRST, Office};
use crate::cli::desk::end;
use crate::support::postgres::{Database, OwnServer};

impl Office {
    /// Lets the answer to one page of dossiers take this long, and tells when it was asked for.
    fn slow_page(&self, after: u32, long: Duration) -> UnboundedReceiver<()> {
        self.desk.sandbox.plan(FaultPlan::new(Fault::Slow(long)).operation("ListDossiers").after(after).times(1));
        let (sender, asked) = unbounded_channel();
        self.desk.sandbox.on_request(move |request, _| {
            if request.fault.is_some() {
                let _ = sender.send(());
            }
        });
        asked
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_in_the_middle_of_a_run_is_replaced() {
    let office = Office::new(3, 45, "2s").await;
    // An answer that never comes.
    let mut asked = office.slow_page(2, Duration::from_secs(600));
    let victim = office.worker();
    asked.recv().await.expect("a page is asked for");
    let replacement = office.worker();
    office.until("(SELECT count(DISTINCT demarche) FROM dn_runs WHERE outcome = 'done') = 2").await;
    victim.kill().await;
    office.until_all_are_done().await;
    assert_eq!(replacement.stop().await.code, Some(0));
    // One démarche was taken twice, and what the first had committed was not done again.
    let tokens = office.database.column("SELECT token::text FROM dn_leases ORDER BY token").await;
    assert_eq!(tokens, ["1", "1", "2"]);
    office.is_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_paused_past_its_lease_cannot_commit() {
    let office = Office::new(1, 45, "2s").await;
    let mut asked = office.slow_page(2, Duration::from_secs(4));
    let mut silent = office.worker();
    asked.recv().await.expect("a page is asked for");
    // Stopped while it only waits for a page, which it will find when it wakes up. In the middle of a transaction it would be
    // cut by the server, and find that.
    office.until("(SELECT count(*) FROM dn_dossiers) = 20").await;
    silent.signal("STOP");
    let mut other = office.worker();
    other.says(&format!("run of démarche {FIRST} ends: done")).await;
    let before = office.database.column("SELECT last::text FROM dn_feed").await;
    silent.signal("CONT");
    let line = silent.says("another run works on").await;
    assert!(line.contains(&format!("dn/{FIRST}")), "{line}");
    assert_eq!(office.database.column("SELECT last::text FROM dn_feed").await, before);
    for worker in [silent, other] {
        assert_eq!(worker.stop().await.code, Some(0));
    }
    let tokens = office.database.column("SELECT token::text FROM dn_leases").await;
    assert_eq!(tokens, ["2"]);
    let outcomes = office.database.column("SELECT outcome FROM dn_runs ORDER BY seq").await;
    assert_eq!(outcomes, ["done", "interrupted"]);
    office.is_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_in_the_middle_of_a_run_costs_nothing_that_was_committed() {
    let mut server = OwnServer::start(true);
    let office = Office::with(Database::on(&server.url).await, 1, 45, "2s").await;
    let mut asked = office.slow_page(2, Duration::from_secs(1));
    let url = office.database.url();
    let sync = async || {
        let mut command = office.desk.command(&["--config", "dn.toml", "sync"]);
        end(command.env("BASE", &url)).await
    };
    let restart = async {
        asked.recv().await.expect("a page is asked for");
        server.restart();
    };
    let (ended, ()) = tokio::join!(sync(), restart);
    // The run goes on with a new connection, or it ends as one that is to be tried again later, and the next one goes on.
    if ended.code != Some(0) {
        ended.expect(6).says_at_last("is not available for");
        office.until("(SELECT count(*) FROM dn_leases WHERE until > clock_timestamp()) = 0").await;
        sync().await.expect(0);
    }
    office.is_exact().await;
}
