//! `dn init grist`: by flags, and by answers that come through a pipe.

use demarche_numerique::sandbox::grist::Grist;

use super::office::{DOSSIERS, Office, answered};
use crate::cli::desk::DEMARCHE;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_document_is_french_and_holds_nothing_but_the_demarche() {
    let mut office = Office::with(5).await;
    let number = DEMARCHE.to_string();
    let ended = office.init(&["--new", "Subventions", "--demarche", &number, "--yes", "--write", "dn.toml"], "").await;
    let ended = ended.expect(0);
    assert_eq!(ended.stdout, "", "the configuration went to its file");
    office.document = office.grist.documents().pop().expect("two documents");
    let settings = office.grist.rows(&office.document, "_grist_DocInfo");
    assert_eq!(settings[0].text("timezone"), "Europe/Paris");
    assert!(settings[0].text("documentSettings").contains(r#""locale":"fr-FR""#), "{settings:?}");
    let tables = office.grist.person(&office.document).tables();
    assert!(!tables.contains(&"Table1".to_owned()), "{tables:?}");
    office.expect_each_dossier_once();
    assert!(ended.stderr.contains(&format!("/doc/{}", office.document)), "{}", ended.stderr);
    // What was written is all that a run needs.
    let again = office.dn(&["--config", "dn.toml", "sync", "--json"]).await.expect(0).stdout;
    let report: serde_json::Value = serde_json::from_str(&again).expect("JSON");
    assert_eq!((&report["inserted"], &report["rows_written"]), (&0.into(), &0.into()));
    let file = std::fs::read_to_string(office.desk.path("dn.toml")).expect("the configuration");
    assert!(!file.contains(Grist::OWNER) && !file.contains(&office.desk.sandbox.token()), "{file}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_somebody_has_used_stays_in_a_new_document() {
    let office = Office::with(2).await;
    let (grist, number) = (office.grist.clone(), DEMARCHE.to_string());
    office.grist.on_request(move |request| {
        if request.route == "POST workspaces/docs" {
            let document = grist.documents().pop().expect("the new one");
            grist.person(&document).add_row("Table1", &[("A", "à garder".into())]);
        }
    });
    office.init(&["--new", "Notes", "--demarche", &number, "--yes"], "").await.expect(0);
    let document = office.grist.documents().pop().expect("two documents");
    assert_eq!(office.grist.rows(&document, "Table1")[0].text("A"), "à garder");
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_answered_one_by_one() {
    let office = Office::with(4).await;
    let url = office.url();
    let mut command = office.command(&["init", "grist"]);
    command.env_remove("GRIST_URL").env_remove("GRIST_API_KEY").env_remove("DN_TOKEN");
    let answers = format!("{url}\n{}\n1\n{}\n{DEMARCHE}\ny\n", Grist::OWNER, office.desk.sandbox.token());
    let ended = answered(&mut command, &answers).await.expect(0);
    office.expect_each_dossier_once();
    for asked in
        ["Address of Grist", "API key of Grist", "Which document", "Token of", "Number of the démarche", "[y/N]"]
    {
        assert!(ended.stderr.contains(asked), "`{asked}` was not asked:\n{}", ended.stderr);
    }
    assert!(ended.stderr.contains("+ table demarche_1003_dossiers"), "no preview:\n{}", ended.stderr);
    for secret in [Grist::OWNER, office.desk.sandbox.token().as_str()] {
        assert!(!ended.stdout.contains(secret) && !ended.stderr.contains(secret), "a secret is shown");
    }
    // What is printed is a configuration.
    std::fs::write(office.desk.path("dn.toml"), &ended.stdout).expect("written");
    office.dn(&["--config", "dn.toml", "config", "check"]).await.expect(0);
    assert!(ended.stdout.contains(&office.document), "{}", ended.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_before_somebody_agrees() {
    let office = Office::with(2).await;
    let number = DEMARCHE.to_string();
    let before = office.grist.state_number(&office.document);
    let document = ["--document", office.document.as_str(), "--demarche", number.as_str()];
    for flags in [&document[..], &["--new", "Rien", "--demarche", &number]] {
        let ended = office.init(flags, "n\n").await.expect(0);
        assert!(ended.stderr.contains("nothing was written"), "{}", ended.stderr);
        office.init(flags, "").await.expect(2).says_at_last("agree beforehand with `--yes`");
    }
    assert_eq!(office.grist.state_number(&office.document), before);
    assert_eq!(office.grist.documents().len(), 1, "no document was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_demarche_joins_the_document_and_the_configuration() {
    let office = Office::with(3).await;
    let number = DEMARCHE.to_string();
    office
        .init(&["--document", &office.document, "--demarche", &number, "--yes", "--write", "dn.toml"], "")
        .await
        .expect(0);
    let more = ["--config", "dn.toml", "init", "grist", "--document", &office.document, "--demarche", &number, "--yes"];
    let ended = office.dn(&more).await.expect(0);
    assert!(ended.stderr.contains("its tables are there already"), "{}", ended.stderr);
    assert!(ended.stdout.contains("[targets.grist-2]") && !ended.stdout.contains("[instances."), "{}", ended.stdout);
    assert_eq!(office.grist.rows(&office.document, DOSSIERS).len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_answers_and_wrong_flags_end_with_what_to_do() {
    let office = Office::with(1).await;
    let number = DEMARCHE.to_string();
    std::fs::write(office.desk.path("there.toml"), "").expect("written");
    for (flags, answers, code, words) in [
        (&[][..], "", 2, "nobody answers: Which document"),
        (&["--new", "x"], "", 2, "nobody answers: Number of the démarche"),
        (&[], "9\n", 2, "there is no document 9 in the list"),
        (&["--document", "a b"], "", 3, "--document: it is neither the id of a document nor its address"),
        (&["--document", "https://grist.example.org/doc/kZ8mQv2Xw9Lr"], "", 3, "GRIST_URL says"),
        (&["--url", "http://example.org"], "", 3, "--url: plain http to example.org"),
        (&["--new", "x", "--workspace", "77"], "", 3, "--workspace: workspace 77 is not one"),
        (&["--new", "x", "--demarche", "77"], "", 4, "démarche 77"),
        (&["--new", "x", "--demarche", &number, "--policy", "strickt"], "", 3, "did you mean `strict`?"),
        (&["--write", "there.toml"], "", 2, "there.toml exists already"),
    ] {
        office.init(flags, answers).await.expect(code).says_at_last(words);
    }
    office.grist.add_key("une-autre-cle", None);
    let mut wrong = office.command(&["init", "grist"]);
    answered(wrong.env("GRIST_API_KEY", "pas-une-cle"), "").await.expect(4).says_at_last("does not accept the key");
    assert_eq!(office.grist.documents().len(), 1, "no document was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_a_service_account_makes_would_be_seen_by_nobody() {
    let office = Office::with(1).await;
    let number = DEMARCHE.to_string();
    let args = ["--new", "Subventions", "--demarche", &number, "--yes"];
    let plain = office.init(&args, "").await.expect(0);
    assert!(!plain.stderr.contains("service account"), "{}", plain.stderr);
    office.grist.make_service(Grist::OWNER);
    let warned = office.init(&args, "").await.expect(0).stderr;
    assert!(warned.contains("the key is that of a service account"), "{warned}");
    // One that is there was made by a person.
    let args = ["--document", &office.document, "--demarche", &number, "--yes"];
    let there = office.init(&args, "").await.expect(0);
    assert!(!there.stderr.contains("service account"), "{}", there.stderr);
}
