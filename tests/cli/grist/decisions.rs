//! Sends decisions of an agent from the document to the platform.

use demarche_numerique::sandbox::world::Demandeur;
use serde_json::json;

use super::harness::{DOSSIERS, GristHarness};
use crate::cli::harness::DEMARCHE;

#[tokio::test(flavor = "multi_thread")]
async fn an_agents_day() {
    let harness = GristHarness::with(0).await;
    let base = &harness.base;
    let number = {
        let mut world = base.sandbox.world();
        let number = world.submit(DEMARCHE).expect("the démarche exists");
        let (nom, prenom) = ("Exemple".to_owned(), "Ariane".to_owned());
        world.set_demandeur(number, Demandeur::PersonnePhysique { civilite: None, nom, prenom });
        number
    };
    let config = format!(
        "[instances.dn]\n[targets.suivi]\ntype = 'grist'\ndocument = '{}'\ndecisions = true\n\
         [[demarches]]\nnumber = {DEMARCHE}\ninstructeur = 'instructeur-1@example.org'\n",
        harness.document
    );
    std::fs::write(base.path("dn.toml"), config).expect("a writable folder");
    let dn = async |args: &[&str]| harness.dn(&[&["--config", "dn.toml"], args].concat()).await;
    dn(&["sync"]).await.expect(0);

    let columns = harness.grist.rows(&harness.document, "_grist_Tables_column");
    let column = |title: &str| {
        let found = columns.iter().find(|column| column.text("label") == title);
        found.unwrap_or_else(|| panic!("no column is called {title}")).text("colId").to_owned()
    };
    let person = harness.grist.person(&harness.document);
    let row = harness.dossiers()[0].id;
    person.edit(DOSSIERS, row, &column("Décision"), json!("Refuser"));
    person.edit(DOSSIERS, row, &column("Envoyer"), json!(true));
    let declined = dn(&["push", "--apply"]).await.expect(0);
    assert!(declined.stderr.contains(&format!("of dossier {number} was not taken")), "{declined:?}");
    let told = harness.dossiers()[0].text(&column("Suite donnée")).to_owned();
    assert!(told.to_lowercase().contains("motivation"), "{told}");

    person.edit(DOSSIERS, row, &column("Motivation à envoyer"), json!("Hors délai"));
    person.edit(DOSSIERS, row, &column("Message à l’usager"), json!("Votre demande est refusée."));
    person.edit(DOSSIERS, row, &column("Envoyer"), json!(true));
    let plan = dn(&["push", "--json"]).await.expect(0).stdout;
    let plan: serde_json::Value = serde_json::from_str(&plan).expect("JSON");
    assert_eq!(plan["items"][0]["steps"], json!(["dossierPasserEnInstruction", "dossierRefuser"]), "{plan}");
    assert_eq!(base.sandbox.audit(), [], "a plan sends nothing");
    assert_eq!(harness.dossiers()[0].cell(&column("Envoyer")), &json!(true), "and takes nothing");

    let applied = dn(&["push", "--apply"]).await.expect(0).stdout;
    assert!(applied.contains("2 done"), "{applied}");
    let done: Vec<String> = base.sandbox.audit().into_iter().map(|entry| entry.mutation).collect();
    assert_eq!(done, ["dossierPasserEnInstruction", "dossierRefuser", "dossierEnvoyerMessage"]);
    let row = &harness.dossiers()[0];
    assert_eq!((row.text("state"), row.text(&column("Décision"))), ("refuse", ""));
    assert!(row.text(&column("Suite donnée")).contains("Refusé"), "{}", row.text(&column("Suite donnée")));
    assert!(dn(&["push", "--apply"]).await.expect(0).stdout.contains("Nothing waits"));
    let trail = dn(&["trail", "--json"]).await.expect(0).stdout;
    assert!(trail.lines().count() >= 9, "{trail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_push_says_nothing_of_a_document_in_which_nobody_decides() {
    let harness = GristHarness::with(2).await;
    let config = |decisions: bool| {
        let text = format!(
            "[instances.dn]\n[targets.suivi]\ntype = 'grist'\ndocument = '{}'\ndecisions = {decisions}\n\
             [[demarches]]\nnumber = {DEMARCHE}\n",
            harness.document
        );
        std::fs::write(harness.base.path("dn.toml"), text).expect("a writable folder");
    };
    let dn = async |args: &[&str]| harness.dn(&[&["--config", "dn.toml"], args].concat()).await;
    config(false);
    dn(&["sync"]).await.expect(0);
    // The next sync makes the columns to decide in.
    config(true);
    for apply in [&[][..], &["--apply"]] {
        let told = dn(&[&["push"], apply].concat()).await.expect(0);
        assert!(told.stderr.contains("target: ") && told.stderr.contains("no columns to decide in"), "{told:?}");
        let quiet = dn(&[&["push", "--quiet"], apply].concat()).await.expect(0);
        assert_eq!(quiet.stderr, "", "{apply:?}");
    }
    // What needs a person is said all the same.
    dn(&["sync"]).await.expect(0);
    harness.grist.person(&harness.document).remove_column(DOSSIERS, "envoyer");
    for apply in [&[][..], &["--apply"]] {
        let quiet = dn(&[&["push", "--quiet"], apply].concat()).await.expect(0);
        assert!(quiet.stderr.contains("“Envoyer”") && quiet.stderr.contains("nothing is taken"), "{quiet:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_the_document_sends_once_it_is_adopted() {
    let mut harness = GristHarness::with(2).await;
    let config = |document: &str| {
        format!(
            "[instances.dn]\n[targets.suivi]\ntype = 'grist'\ndocument = '{document}'\ndecisions = true\n\
             [[demarches]]\nnumber = {DEMARCHE}\ninstructeur = 'instructeur-1@example.org'\n"
        )
    };
    let path = harness.base.path("dn.toml");
    std::fs::write(&path, config(&harness.document)).expect("a writable folder");
    harness.dn(&["--config", "dn.toml", "sync"]).await.expect(0);
    let original = std::mem::take(&mut harness.document);
    harness.document = harness.grist.copy(&original);
    std::fs::write(&path, config(&harness.document)).expect("a writable folder");
    let dn = async |args: &[&str]| harness.dn(&[&["--config", "dn.toml"], args].concat()).await;
    let person = harness.grist.person(&harness.document);
    let row = harness.dossiers()[0].id;
    person.edit(DOSSIERS, row, "message_a_l_usager", json!("Bonjour"));
    person.edit(DOSSIERS, row, "envoyer", json!(true));
    let plan = dn(&["push"]).await.expect(0).stderr;
    assert!(plan.contains(&format!("this document is a copy of {original}")), "{plan}");
    dn(&["push", "--apply"]).await.expect(4).says_at_last("--adopt");
    assert_eq!(harness.base.sandbox.audit(), []);
    dn(&["push", "--adopt"]).await.expect(2);
    let adopted = dn(&["push", "--apply", "--adopt"]).await.expect(0).stderr;
    assert!(adopted.contains("from now on this document sends"), "{adopted}");
    let done: Vec<String> = harness.base.sandbox.audit().into_iter().map(|entry| entry.mutation).collect();
    assert_eq!(done, ["dossierEnvoyerMessage"]);
    assert!(dn(&["push", "--apply"]).await.expect(0).stdout.contains("Nothing waits"));
}
