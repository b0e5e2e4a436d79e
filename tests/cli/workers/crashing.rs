//! Kills or pauses processes in the middle of a run.

use std::time::Duration;

use demarche_numerique::sandbox::{Fault, FaultPlan};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{Cluster, FIRST};
use crate::cli::harness::end;
use crate::support::postgres::{Database, OwnServer};

impl Cluster {
    /// Lets the answer to one page of dossiers take this long, and tells when it was asked for.
    fn slow_page(&self, after: u32, long: Duration) -> UnboundedReceiver<()> {
        self.harness.sandbox.plan(FaultPlan::new(Fault::Slow(long)).operation("ListDossiers").after(after).times(1));
        let (sender, asked) = unbounded_channel();
        self.harness.sandbox.on_request(move |request, _| {
            if request.fault.is_some() {
                let _ = sender.send(());
            }
        });
        asked
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_in_the_middle_of_a_run_is_replaced() {
    let cluster = Cluster::new(3, 45, "2s").await;
    // An answer that never comes.
    let mut asked = cluster.slow_page(2, Duration::from_secs(600));
    let victim = cluster.worker();
    asked.recv().await.expect("a page is asked for");
    let replacement = cluster.worker();
    cluster.until("(SELECT count(DISTINCT demarche) FROM dn_runs WHERE outcome = 'done') = 2").await;
    victim.kill().await;
    cluster.until_all_are_done().await;
    assert_eq!(replacement.stop().await.code, Some(0));
    // One démarche was taken twice, and what the first had committed was not done again.
    let tokens = cluster.database.column("SELECT token::text FROM dn_leases ORDER BY token").await;
    assert_eq!(tokens, ["1", "1", "2"]);
    cluster.is_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_paused_past_its_lease_cannot_commit() {
    let cluster = Cluster::new(1, 45, "2s").await;
    let mut asked = cluster.slow_page(2, Duration::from_secs(4));
    let mut silent = cluster.worker();
    asked.recv().await.expect("a page is asked for");
    // Stopped while it only waits for a page, which it will find when it wakes up. In the middle of a transaction it would be
    // cut by the server, and find that.
    cluster.until("(SELECT count(*) FROM dn_dossiers) = 20").await;
    silent.signal("STOP");
    let mut other = cluster.worker();
    other.says(&format!("run of démarche {FIRST} ends: done")).await;
    let before = cluster.database.column("SELECT last::text FROM dn_feed").await;
    silent.signal("CONT");
    let line = silent.says("another run works on").await;
    assert!(line.contains(&format!("dn/{FIRST}")), "{line}");
    assert_eq!(cluster.database.column("SELECT last::text FROM dn_feed").await, before);
    for worker in [silent, other] {
        assert_eq!(worker.stop().await.code, Some(0));
    }
    let tokens = cluster.database.column("SELECT token::text FROM dn_leases").await;
    assert_eq!(tokens, ["2"]);
    let outcomes = cluster.database.column("SELECT outcome FROM dn_runs ORDER BY seq").await;
    assert_eq!(outcomes, ["done", "interrupted"]);
    cluster.is_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_in_the_middle_of_a_run_costs_nothing_that_was_committed() {
    let mut server = OwnServer::start(true);
    let cluster = Cluster::with(Database::on(&server.url).await, 1, 45, "2s").await;
    let mut asked = cluster.slow_page(2, Duration::from_secs(1));
    let url = cluster.database.url();
    let sync = async || {
        let mut command = cluster.harness.command(&["--config", "dn.toml", "sync"]);
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
        cluster.until("(SELECT count(*) FROM dn_leases WHERE until > clock_timestamp()) = 0").await;
        sync().await.expect(0);
    }
    cluster.is_exact().await;
}
