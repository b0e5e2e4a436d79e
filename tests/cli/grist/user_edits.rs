//! Edits the document between two runs.

use demarche_numerique::sandbox::grist::{AccessRules, Role};

use super::harness::{DOSSIERS, GristHarness};
use crate::cli::harness::{DEMARCHE, end};

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_somebody_deleted_is_told_of_and_made_again_only_when_asked() {
    let harness = GristHarness::with(4).await;
    harness.run("sync", &[]).await.expect(0);
    let person = harness.grist.person(&harness.document);
    // The first question of the form comes after what every dossier has.
    let gone = person.columns(DOSSIERS).into_iter().skip_while(|id| id != "instructeurs").nth(1).expect("a champ");
    person.remove_column(DOSSIERS, &gone);
    harness.base.sandbox.world().submit(DEMARCHE).expect("a new dossier");
    let told = harness.run("sync", &[]).await.expect(0).stdout;
    assert!(told.contains("target: "), "{told}");
    assert!(!person.columns(DOSSIERS).contains(&gone));
    harness.run("sync", &["--restore-columns"]).await.expect(0);
    harness.expect_each_dossier_once();
    harness.run("verify", &[]).await.expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_add_and_rename_is_theirs() {
    let harness = GristHarness::with(4).await;
    harness.run("sync", &[]).await.expect(0);
    let person = harness.grist.person(&harness.document);
    let note = person.add_column(DOSSIERS, "Ma note", "Text");
    let first = harness.dossiers()[0].id;
    person.edit(DOSSIERS, first, &note, "à rappeler".into());
    person.rename_table(DOSSIERS, "Demandes");
    harness.base.sandbox.world().submit(DEMARCHE).expect("a new dossier");
    harness.run("sync", &[]).await.expect(0);
    let rows = harness.grist.rows(&harness.document, "Demandes");
    assert_eq!((rows.len(), rows[0].text(&note)), (5, "à rappeler"));
    harness.run("verify", &[]).await.expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_found_by_the_address_that_somebody_gave_it() {
    let harness = GristHarness::with(3).await;
    harness.grist.set_address(&harness.document, "suivi-des-demandes");
    let number = DEMARCHE.to_string();
    for page in ["o/exemple/suivi-des-demandes/Suivi/p/2", "suivi-des-demandes/Suivi/p/2", "suivi-des-demandes"] {
        let to = format!("grist:{}/{page}", harness.url());
        harness.dn(&["sync", "--demarche", &number, "--to", &to]).await.expect(0);
        harness.dn(&["verify", "--demarche", &number, "--to", &to]).await.expect(0);
        harness.expect_each_dossier_once();
        let doctor = harness.dn(&["doctor", "--demarche", &number, "--to", &to]).await.expect(0).stdout;
        assert!(!doctor.contains("copy"), "{doctor}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_a_copy_and_what_access_rules_hide() {
    let mut harness = GristHarness::with(2).await;
    harness.run("sync", &[]).await.expect(0);
    harness.grist.add_key("cle-d-editeur", Some(Role::Editor));
    let hidden = [(DOSSIERS.to_owned(), "state".to_owned())].into();
    harness.grist.set_rules(&harness.document, AccessRules { hidden, ..AccessRules::default() });
    let as_editor =
        async |command: &str| end(harness.on_document(command, &[]).env("GRIST_API_KEY", "cle-d-editeur")).await;
    let doctor = as_editor("doctor").await.expect(4).stdout;
    assert!(doctor.contains("FAIL  access rules") && doctor.contains("of Demarche_1003_dossiers"), "{doctor}");
    harness.base.sandbox.world().submit(DEMARCHE).expect("a new dossier");
    let told = as_editor("sync").await.expect(4);
    let told = format!("{}{}", told.stdout, told.stderr);
    assert!(told.contains("an access rule hides it from the key") && !told.contains("was deleted"), "{told}");
    harness.grist.set_rules(&harness.document, AccessRules::default());
    let original = std::mem::take(&mut harness.document);
    harness.document = harness.grist.copy(&original);
    let doctor = harness.run("doctor", &[]).await.expect(0).stdout;
    assert!(doctor.contains(&format!("it is a copy of {original}")), "{doctor}");
}
