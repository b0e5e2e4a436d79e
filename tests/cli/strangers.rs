//! Questions that dossiers answer and that no revision of the form has: told by the target itself, whoever asks later.

use demarche_numerique::sandbox::world::form::Question;
use demarche_numerique::sandbox::{Kind, Value};
use serde_json::Value as Json;

use super::harness::{DEMARCHE, Harness};

const NEW: u64 = 77_001;

#[tokio::test(flavor = "multi_thread")]
async fn the_status_names_questions_that_no_revision_of_the_form_has() {
    let harness = Harness::with(6).await;
    let open =
        harness.sandbox.snapshot(DEMARCHE).dossiers.values().find(|d| !d.state.is_terminated()).map(|d| d.number);
    let open = open.expect("a dossier that is not decided");
    {
        let mut world = harness.sandbox.world();
        world.hold_form(DEMARCHE);
        world.publish_revision(DEMARCHE, |form| form.champs.push(Question::new(NEW, Kind::Text, "Question nouvelle")));
        world.rebase_all(DEMARCHE);
        world.edit(open, NEW, Value::Text("réponse".to_owned())).expect("it is asked");
    }
    let report: Json =
        serde_json::from_str(&harness.on_target("sync", &["--json"]).await.expect(5).stdout).expect("JSON");
    let id = report["strangers"][0].as_str().expect("a question").to_owned();
    let status = harness.on_target("status", &[]).await.expect(0).stdout;
    assert!(status.contains("questions without a column") && status.contains(&id), "{status}");
    let json: Json =
        serde_json::from_str(&harness.on_target("status", &["--json"]).await.expect(0).stdout).expect("JSON");
    assert_eq!(json["strangers"], report["strangers"]);

    harness.sandbox.world().release_form(DEMARCHE);
    harness.on_target("sync", &[]).await.expect(0);
    let status = harness.on_target("status", &[]).await.expect(0).stdout;
    assert!(!status.contains("questions without a column"), "{status}");
    let json: Json =
        serde_json::from_str(&harness.on_target("status", &["--json"]).await.expect(0).stdout).expect("JSON");
    assert_eq!(json["strangers"], Json::Array(Vec::new()));
}
