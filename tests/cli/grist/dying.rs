//! A run that is killed, at any request.

use std::sync::{Arc, Mutex};

use demarche_numerique::sandbox::grist::Hold;
use tokio::sync::Notify;

use super::office::Office;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_is_gone_on_with_and_doubles_nothing() {
    // After the preparation, between two pages, and at the last line of the run.
    for rank in [1, 2, 3, 5] {
        let office = Office::with(40).await;
        let reached = Arc::new(Notify::new());
        let held: Arc<Mutex<Option<Hold>>> = Arc::default();
        let (grist, tell, keep) = (office.grist.clone(), Arc::clone(&reached), Arc::clone(&held));
        let mut writes = 0;
        office.grist.on_request(move |request| {
            writes += u32::from(request.write);
            if writes == rank && request.write {
                // Whatever comes next waits, so that the run is surely killed in its middle.
                *keep.lock().expect("nobody panics") = Some(grist.hold());
                tell.notify_one();
            }
        });
        let mut child = office.on_document("sync", &["--page-size", "10"]).spawn().expect("the binary starts");
        tokio::select! {
            () = reached.notified() => child.kill().await.expect("killed"),
            _ = child.wait() => panic!("it ended before its write {rank}"),
        }
        office.grist.clear_hooks();
        drop(held.lock().expect("nobody panics").take());
        office.run("sync", &["--page-size", "10"]).await.expect(0);
        office.expect_each_dossier_once();
        office.run("verify", &[]).await.expect(0);
    }
}
