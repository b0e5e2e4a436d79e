//! People work in the document between two runs.

use super::office::{DOSSIERS, Office};
use crate::cli::desk::DEMARCHE;

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_somebody_deleted_is_told_of_and_made_again_only_when_asked() {
    let office = Office::with(4).await;
    office.run("sync", &[]).await.expect(0);
    let person = office.grist.person(&office.document);
    // The first question of the form comes after what every dossier has.
    let gone = person.columns(DOSSIERS).into_iter().skip_while(|id| id != "instructeurs").nth(1).expect("a champ");
    person.remove_column(DOSSIERS, &gone);
    office.desk.sandbox.world().submit(DEMARCHE).expect("a new dossier");
    let told = office.run("sync", &[]).await.expect(0).stdout;
    assert!(told.contains("target: "), "{told}");
    assert!(!person.columns(DOSSIERS).contains(&gone));
    office.run("sync", &["--restore-columns"]).await.expect(0);
    office.expect_each_dossier_once();
    office.run("verify", &[]).await.expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_add_and_rename_is_theirs() {
    let office = Office::with(4).await;
    office.run("sync", &[]).await.expect(0);
    let person = office.grist.person(&office.document);
    let note = person.add_column(DOSSIERS, "Ma note", "Text");
    let first = office.dossiers()[0].id;
    person.edit(DOSSIERS, first, &note, "à rappeler".into());
    person.rename_table(DOSSIERS, "Demandes");
    office.desk.sandbox.world().submit(DEMARCHE).expect("a new dossier");
    office.run("sync", &[]).await.expect(0);
    let rows = office.grist.rows(&office.document, "Demandes");
    assert_eq!((rows.len(), rows[0].text(&note)), (5, "à rappeler"));
    office.run("verify", &[]).await.expect(0);
}
