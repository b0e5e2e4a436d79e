//! Kills a run at each request.

use std::sync::{Arc, Mutex};

use demarche_numerique::sandbox::grist::Hold;
use tokio::sync::Notify;

use super::harness::GristHarness;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_is_gone_on_with_and_doubles_nothing() {
    // After the preparation, between two pages, and at the last line of the run.
    for rank in [1, 2, 3, 5] {
        let harness = GristHarness::with(40).await;
        let reached = Arc::new(Notify::new());
        let held: Arc<Mutex<Option<Hold>>> = Arc::default();
        let (grist, tell, keep) = (harness.grist.clone(), Arc::clone(&reached), Arc::clone(&held));
        let mut writes = 0;
        harness.grist.on_request(move |request| {
            writes += u32::from(request.write);
            if writes == rank && request.write {
                // Whatever comes next waits, so that the run is surely killed in its middle.
                *keep.lock().expect("nobody panics") = Some(grist.hold());
                tell.notify_one();
            }
        });
        let mut child = harness.on_document("sync", &["--page-size", "10"]).spawn().expect("the binary starts");
        tokio::select! {
            () = reached.notified() => child.kill().await.expect("killed"),
            _ = child.wait() => panic!("it ended before its write {rank}"),
        }
        harness.grist.clear_hooks();
        drop(held.lock().expect("nobody panics").take());
        harness.run("sync", &["--page-size", "10"]).await.expect(0);
        harness.expect_each_dossier_once();
        harness.run("verify", &[]).await.expect(0);
    }
}
