//! Runs `dn init grist` with flags, and with answers from a pipe.

use demarche_numerique::sandbox::grist::Grist;

use super::harness::{DOSSIERS, GristHarness, answered};
use crate::cli::harness::DEMARCHE;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_document_is_french_and_holds_nothing_but_the_demarche() {
    let mut harness = GristHarness::with(5).await;
    let number = DEMARCHE.to_string();
    let ended = harness.init(&["--new", "Subventions", "--demarche", &number, "--yes", "--write", "dn.toml"], "").await;
    let ended = ended.expect(0);
    assert_eq!(ended.stdout, "", "the configuration went to its file");
    harness.document = harness.grist.documents().pop().expect("two documents");
    let settings = harness.grist.rows(&harness.document, "_grist_DocInfo");
    assert_eq!(settings[0].text("timezone"), "Europe/Paris");
    assert!(settings[0].text("documentSettings").contains(r#""locale":"fr-FR""#), "{settings:?}");
    let tables = harness.grist.person(&harness.document).tables();
    assert!(!tables.contains(&"Table1".to_owned()), "{tables:?}");
    harness.expect_each_dossier_once();
    assert!(ended.stderr.contains(&format!("/doc/{}", harness.document)), "{}", ended.stderr);
    // What was written is all that a run needs.
    let again = harness.dn(&["--config", "dn.toml", "sync", "--json"]).await.expect(0).stdout;
    let report: serde_json::Value = serde_json::from_str(&again).expect("JSON");
    assert_eq!((&report["inserted"], &report["rows_written"]), (&0.into(), &0.into()));
    let file = std::fs::read_to_string(harness.base.path("dn.toml")).expect("the configuration");
    assert!(!file.contains(Grist::OWNER) && !file.contains(&harness.base.sandbox.token()), "{file}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_somebody_has_used_stays_in_a_new_document() {
    let harness = GristHarness::with(2).await;
    let (grist, number) = (harness.grist.clone(), DEMARCHE.to_string());
    harness.grist.on_request(move |request| {
        if request.route == "POST workspaces/docs" {
            let document = grist.documents().pop().expect("the new one");
            grist.person(&document).add_row("Table1", &[("A", "à garder".into())]);
        }
    });
    harness.init(&["--new", "Notes", "--demarche", &number, "--yes"], "").await.expect(0);
    let document = harness.grist.documents().pop().expect("two documents");
    assert_eq!(harness.grist.rows(&document, "Table1")[0].text("A"), "à garder");
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_answered_one_by_one() {
    let harness = GristHarness::with(4).await;
    let url = harness.url();
    let mut command = harness.command(&["init", "grist"]);
    command.env_remove("GRIST_URL").env_remove("GRIST_API_KEY").env_remove("DN_TOKEN");
    let answers = format!("{url}\n{}\n1\n{}\n{DEMARCHE}\ny\n", Grist::OWNER, harness.base.sandbox.token());
    let ended = answered(&mut command, &answers).await.expect(0);
    harness.expect_each_dossier_once();
    for asked in
        ["Address of Grist", "API key of Grist", "Which document", "Token of", "Number of the démarche", "[y/N]"]
    {
        assert!(ended.stderr.contains(asked), "`{asked}` was not asked:\n{}", ended.stderr);
    }
    assert!(ended.stderr.contains("+ table demarche_1003_dossiers"), "no preview:\n{}", ended.stderr);
    for secret in [Grist::OWNER, harness.base.sandbox.token().as_str()] {
        assert!(!ended.stdout.contains(secret) && !ended.stderr.contains(secret), "a secret is shown");
    }
    // What is printed is a configuration.
    std::fs::write(harness.base.path("dn.toml"), &ended.stdout).expect("written");
    harness.dn(&["--config", "dn.toml", "config", "check"]).await.expect(0);
    assert!(ended.stdout.contains(&harness.document), "{}", ended.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_before_somebody_agrees() {
    let harness = GristHarness::with(2).await;
    let number = DEMARCHE.to_string();
    let before = harness.grist.state_number(&harness.document);
    let document = ["--document", harness.document.as_str(), "--demarche", number.as_str()];
    for flags in [&document[..], &["--new", "Rien", "--demarche", &number]] {
        let ended = harness.init(flags, "n\n").await.expect(0);
        assert!(ended.stderr.contains("nothing was written"), "{}", ended.stderr);
        harness.init(flags, "").await.expect(2).says_at_last("agree beforehand with `--yes`");
    }
    assert_eq!(harness.grist.state_number(&harness.document), before);
    assert_eq!(harness.grist.documents().len(), 1, "no document was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_demarche_joins_the_document_and_the_configuration() {
    let harness = GristHarness::with(3).await;
    let number = DEMARCHE.to_string();
    harness
        .init(&["--document", &harness.document, "--demarche", &number, "--yes", "--write", "dn.toml"], "")
        .await
        .expect(0);
    let more =
        ["--config", "dn.toml", "init", "grist", "--document", &harness.document, "--demarche", &number, "--yes"];
    let ended = harness.dn(&more).await.expect(0);
    assert!(ended.stderr.contains("its tables are there already"), "{}", ended.stderr);
    assert!(ended.stdout.contains("[targets.grist-2]") && !ended.stdout.contains("[instances."), "{}", ended.stdout);
    assert_eq!(harness.grist.rows(&harness.document, DOSSIERS).len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_answers_and_wrong_flags_end_with_what_to_do() {
    let harness = GristHarness::with(1).await;
    let number = DEMARCHE.to_string();
    std::fs::write(harness.base.path("there.toml"), "").expect("written");
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
        harness.init(flags, answers).await.expect(code).says_at_last(words);
    }
    harness.grist.add_key("une-autre-cle", None);
    let mut wrong = harness.command(&["init", "grist"]);
    answered(wrong.env("GRIST_API_KEY", "pas-une-cle"), "").await.expect(4).says_at_last("does not accept the key");
    assert_eq!(harness.grist.documents().len(), 1, "no document was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_a_service_account_makes_would_be_seen_by_nobody() {
    let harness = GristHarness::with(1).await;
    let number = DEMARCHE.to_string();
    let args = ["--new", "Subventions", "--demarche", &number, "--yes"];
    let plain = harness.init(&args, "").await.expect(0);
    assert!(!plain.stderr.contains("service account"), "{}", plain.stderr);
    harness.grist.make_service(Grist::OWNER);
    let warned = harness.init(&args, "").await.expect(0).stderr;
    assert!(warned.contains("the key is that of a service account"), "{warned}");
    // One that is there was made by a person.
    let args = ["--document", &harness.document, "--demarche", &number, "--yes"];
    let there = harness.init(&args, "").await.expect(0);
    assert!(!there.stderr.contains("service account"), "{}", there.stderr);
}
