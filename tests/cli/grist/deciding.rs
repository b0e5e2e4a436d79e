//! An agent decides in the document, and `dn push` brings it to the platform.

use demarche_numerique::sandbox::world::Demandeur;
use serde_json::json;

use super::office::{DOSSIERS, Office};
use crate::cli::desk::DEMARCHE;

#[tokio::test(flavor = "multi_thread")]
async fn an_agents_day() {
    let office = Office::with(0).await;
    let desk = &office.desk;
    let number = {
        let mut world = desk.sandbox.world();
        let number = world.submit(DEMARCHE).expect("the démarche exists");
        let (nom, prenom) = ("Exemple".to_owned(), "Ariane".to_owned());
        world.set_demandeur(number, Demandeur::PersonnePhysique { civilite: None, nom, prenom });
        number
    };
    let config = format!(
        "[instances.dn]\n[targets.suivi]\ntype = 'grist'\ndocument = '{}'\ndecisions = true\n\
         [[demarches]]\nnumber = {DEMARCHE}\ninstructeur = 'instructeur-1@example.org'\n",
        office.document
    );
    std::fs::write(desk.path("dn.toml"), config).expect("a writable folder");
    let dn = async |args: &[&str]| office.dn(&[&["--config", "dn.toml"], args].concat()).await;
    dn(&["sync"]).await.expect(0);

    let columns = office.grist.rows(&office.document, "_grist_Tables_column");
    let column = |title: &str| {
        let found = columns.iter().find(|column| column.text("label") == title);
        found.unwrap_or_else(|| panic!("no column is called {title}")).text("colId").to_owned()
    };
    let person = office.grist.person(&office.document);
    let row = office.dossiers()[0].id;
    person.edit(DOSSIERS, row, &column("Décision"), json!("Refuser"));
    person.edit(DOSSIERS, row, &column("Envoyer"), json!(true));
    let declined = dn(&["push", "--apply"]).await.expect(0);
    assert!(declined.stderr.contains(&format!("of dossier {number} was not taken")), "{declined:?}");
    let told = office.dossiers()[0].text(&column("Suite donnée")).to_owned();
    assert!(told.to_lowercase().contains("motivation"), "{told}");

    person.edit(DOSSIERS, row, &column("Motivation à envoyer"), json!("Hors délai"));
    person.edit(DOSSIERS, row, &column("Message à l’usager"), json!("Votre demande est refusée."));
    person.edit(DOSSIERS, row, &column("Envoyer"), json!(true));
    let plan = dn(&["push", "--json"]).await.expect(0).stdout;
    let plan: serde_json::Value = serde_json::from_str(&plan).expect("JSON");
    assert_eq!(plan["items"][0]["steps"], json!(["dossierPasserEnInstruction", "dossierRefuser"]), "{plan}");
    assert_eq!(desk.sandbox.audit(), [], "a plan sends nothing");
    assert_eq!(office.dossiers()[0].cell(&column("Envoyer")), &json!(true), "and takes nothing");

    let applied = dn(&["push", "--apply"]).await.expect(0).stdout;
    assert!(applied.contains("2 done"), "{applied}");
    let done: Vec<String> = desk.sandbox.audit().into_iter().map(|entry| entry.mutation).collect();
    assert_eq!(done, ["dossierPasserEnInstruction", "dossierRefuser", "dossierEnvoyerMessage"]);
    let row = &office.dossiers()[0];
    assert_eq!((row.text("state"), row.text(&column("Décision"))), ("refuse", ""));
    assert!(row.text(&column("Suite donnée")).contains("Refusé"), "{}", row.text(&column("Suite donnée")));
    assert!(dn(&["push", "--apply"]).await.expect(0).stdout.contains("Nothing waits"));
    let trail = dn(&["trail", "--json"]).await.expect(0).stdout;
    assert!(trail.lines().count() >= 9, "{trail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_the_document_sends_once_it_is_adopted() {
    let mut office = Office::with(2).await;
    let config = |document: &str| {
        format!(
            "[instances.dn]\n[targets.suivi]\ntype = 'grist'\ndocument = '{document}'\ndecisions = true\n\
             [[demarches]]\nnumber = {DEMARCHE}\ninstructeur = 'instructeur-1@example.org'\n"
        )
    };
    let path = office.desk.path("dn.toml");
    std::fs::write(&path, config(&office.document)).expect("a writable folder");
    office.dn(&["--config", "dn.toml", "sync"]).await.expect(0);
    let original = std::mem::take(&mut office.document);
    office.document = office.grist.copy(&original);
    std::fs::write(&path, config(&office.document)).expect("a writable folder");
    let dn = async |args: &[&str]| office.dn(&[&["--config", "dn.toml"], args].concat()).await;
    let person = office.grist.person(&office.document);
    let row = office.dossiers()[0].id;
    person.edit(DOSSIERS, row, "message_a_l_usager", json!("Bonjour"));
    person.edit(DOSSIERS, row, "envoyer", json!(true));
    let plan = dn(&["push"]).await.expect(0).stderr;
    assert!(plan.contains(&format!("this document is a copy of {original}")), "{plan}");
    dn(&["push", "--apply"]).await.expect(4).says_at_last("--adopt");
    assert_eq!(office.desk.sandbox.audit(), []);
    dn(&["push", "--adopt"]).await.expect(2);
    let adopted = dn(&["push", "--apply", "--adopt"]).await.expect(0).stderr;
    assert!(adopted.contains("from now on this document sends"), "{adopted}");
    let done: Vec<String> = office.desk.sandbox.audit().into_iter().map(|entry| entry.mutation).collect();
    assert_eq!(done, ["dossierEnvoyerMessage"]);
    assert!(dn(&["push", "--apply"]).await.expect(0).stdout.contains("Nothing waits"));
}
