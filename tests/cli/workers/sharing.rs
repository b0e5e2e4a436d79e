//! Shares many démarches among two, three and eight processes.

use sqlx::Connection as _;

use super::Cluster;

/// So many processes over so many démarches. Each has its first démarche before anyone may ask the platform: all of them
/// stand at the count of requests, which this test holds.
async fn share(workers: usize, demarches: u32) {
    let cluster = Cluster::new(demarches, 12, "30s").await;
    let sink = cluster.database.sink().await;
    sink.close().await.expect("a schema with nothing in it");
    let mut gate = cluster.database.by_hand().await;
    let mut held = gate.begin().await.expect("a transaction");
    sqlx::raw_sql("LOCK TABLE dn_budgets IN ACCESS EXCLUSIVE MODE").execute(&mut *held).await.expect("a lock");
    let processes: Vec<_> = (0..workers).map(|_| cluster.worker()).collect();
    cluster.until(&format!("(SELECT count(*) FROM dn_leases WHERE until > clock_timestamp()) = {workers}")).await;
    held.rollback().await.expect("the way is free");
    cluster.until_all_are_done().await;
    for process in processes {
        let stopped = process.stop().await;
        assert_eq!(stopped.code, Some(0), "{:?}", stopped.lines);
        let done = stopped.lines.iter().filter(|line| line.contains("ends: done")).count();
        assert!(done >= 1, "one of {workers} did nothing: {:?}", stopped.lines);
    }
    // What one has done another does not do again.
    let runs = cluster.database.column("SELECT count(*)::text FROM dn_runs").await;
    assert_eq!(runs, [demarches.to_string()]);
    let held = cluster.database.column("SELECT demarche::text FROM dn_leases WHERE holder IS NOT NULL").await;
    assert_eq!(held, Vec::<String>::new());
    cluster.is_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_share_many_demarches() {
    share(2, 8).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_workers_share_many_demarches() {
    share(3, 9).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_workers_share_many_demarches() {
    share(8, 16).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_has_several_runs_under_way() {
    let cluster = Cluster::new(6, 12, "30s").await;
    let url = cluster.database.url();
    let sink = cluster.database.sink().await;
    sink.close().await.expect("a schema with nothing in it");
    let mut gate = cluster.database.by_hand().await;
    let mut held = gate.begin().await.expect("a transaction");
    sqlx::raw_sql("LOCK TABLE dn_budgets IN ACCESS EXCLUSIVE MODE").execute(&mut *held).await.expect("a lock");
    let args = ["--config", "dn.toml", "run", "--workers", "4"];
    let process = super::Worker::start(&cluster.harness, &args, &[("BASE", url.as_str())]);
    cluster.until("(SELECT count(*) FROM dn_leases WHERE until > clock_timestamp()) = 4").await;
    held.rollback().await.expect("the way is free");
    cluster.until_all_are_done().await;
    assert_eq!(process.stop().await.code, Some(0));
    cluster.is_exact().await;
}
