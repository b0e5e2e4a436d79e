//! Shows the words of the platform in French, and no value framed in red.

use serde_json::{Value, json};

use super::harness::{DOSSIERS, GristHarness};
use crate::cli::harness::DEMARCHE;

const STATES: [(&str, &str); 5] = [
    ("en_construction", "En construction"),
    ("en_instruction", "En instruction"),
    ("accepte", "Accepté"),
    ("refuse", "Refusé"),
    ("sans_suite", "Classé sans suite"),
];

#[tokio::test(flavor = "multi_thread")]
async fn words_of_the_platform_are_shown_in_french_and_mended_by_a_repair() {
    let harness = GristHarness::with(12).await;
    harness.run("sync", &[]).await.expect(0);
    for row in harness.dossiers() {
        let pair = (row.text("state"), row.text("state_libelle"));
        assert!(STATES.contains(&pair), "{pair:?}");
        assert!(["Personne physique", "Personne morale"].contains(&row.text("demandeur_type_libelle")), "{row:?}");
    }
    let history = harness.grist.rows(&harness.document, &format!("Demarche_{DEMARCHE}_traitements"));
    assert!(history.iter().any(|row| (row.text("event"), row.text("event_libelle")) == ("depose", "Déposé")));
    for message in harness.grist.rows(&harness.document, &format!("Demarche_{DEMARCHE}_messages")) {
        assert!(!message.text("body").contains("</"), "{message:?}");
    }
    // The first run without news leaves a line in the run history.
    harness.run("sync", &[]).await.expect(0);
    let before = harness.state();
    harness.run("sync", &[]).await.expect(0);
    assert_eq!(harness.state(), before, "nothing is written again");

    let person = harness.grist.person(&harness.document);
    let row = harness.dossiers()[0].clone();
    person.edit(DOSSIERS, row.id, "state_libelle", json!("Perdu"));
    let told = harness.run("verify", &[]).await.stdout;
    assert!(told.contains("state_libelle"), "{told}");
    harness.run("verify", &["--repair"]).await;
    assert_eq!(harness.dossiers()[0].text("state_libelle"), row.text("state_libelle"));
    harness.run("verify", &[]).await.expect(0);
}

/// Lists the cells of our tables that Grist frames in red: table, column, value.
fn framed(harness: &GristHarness) -> Vec<(String, String, Value)> {
    let tables = harness.grist.rows(&harness.document, "_grist_Tables");
    let columns = harness.grist.rows(&harness.document, "_grist_Tables_column");
    let mut framed = Vec::new();
    for table in &tables {
        let id = table.text("tableId");
        let rows = harness.grist.rows(&harness.document, id);
        for column in columns.iter().filter(|column| column.cell("parentId") == &json!(table.id)) {
            let (name, kind) = (column.text("colId"), column.text("type"));
            let widget: Value = serde_json::from_str(column.text("widgetOptions")).unwrap_or_default();
            let listed = |value: &Value| widget["choices"].as_array().is_some_and(|choices| choices.contains(value));
            let typed = kind == "Numeric" || kind == "Int" || kind.starts_with("Date");
            for row in &rows {
                let cell = row.cell(name);
                let wrong = match cell {
                    Value::String(text) if !text.is_empty() => typed || kind == "Choice" && !listed(cell),
                    Value::Array(items) if kind == "ChoiceList" => items.iter().skip(1).any(|item| !listed(item)),
                    _ => false,
                };
                if wrong {
                    framed.push((id.to_owned(), name.to_owned(), cell.clone()));
                }
            }
        }
    }
    framed
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_that_nobody_expected_is_framed_in_no_column() {
    let harness = GristHarness::with(60).await;
    harness.run("sync", &[]).await.expect(0);
    assert_eq!(framed(&harness), []);
    harness.expect_each_dossier_once();
    harness.run("verify", &[]).await.expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_column_of_a_demarche_says_what_it_is() {
    let harness = GristHarness::with(2).await;
    harness.run("sync", &[]).await.expect(0);
    let tables = harness.grist.rows(&harness.document, "_grist_Tables");
    let ours = |id: i64| {
        let of_demarche = |id: &str| id.starts_with(&format!("Demarche_{DEMARCHE}_")) && !id.contains("_summary_");
        tables.iter().any(|table| table.id == id && of_demarche(table.text("tableId")))
    };
    let columns = harness.grist.rows(&harness.document, "_grist_Tables_column");
    let mut seen = 0;
    for column in columns.iter().filter(|column| column.cell("parentId").as_i64().is_some_and(ours)) {
        if column.text("colId") == "manualSort" || column.text("colId").starts_with("gristHelper") {
            continue;
        }
        assert!(!column.text("description").is_empty(), "{column:?}");
        seen += 1;
    }
    assert!(seen > 100, "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_column_of_the_agent_is_filled_by_whoever_ticks() {
    let harness = GristHarness::with(2).await;
    let config = format!(
        "[instances.dn]\n[targets.suivi]\ntype = 'grist'\ndocument = '{}'\ndecisions = true\n\
         [[demarches]]\nnumber = {DEMARCHE}\n",
        harness.document
    );
    std::fs::write(harness.base.path("dn.toml"), config).expect("a writable folder");
    harness.dn(&["--config", "dn.toml", "sync"]).await.expect(0);
    let columns = harness.grist.rows(&harness.document, "_grist_Tables_column");
    let column = |id: &str| columns.iter().find(|column| column.text("colId") == id).expect("a column of decisions");
    let agent = column("agent");
    assert_eq!(agent.text("formula"), "user.Email if $envoyer and not value else value");
    assert_eq!(agent.cell("recalcDeps"), &json!(["L", column("envoyer").id]));
    harness.base.sandbox.world().submit(DEMARCHE).expect("a new dossier");
    let told = harness.dn(&["--config", "dn.toml", "sync"]).await.expect(0).stdout;
    assert!(!told.contains("trigger formula"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_told_once_in_their_language_of_a_column_that_they_deleted() {
    let harness = GristHarness::with(3).await;
    harness.run("sync", &[]).await.expect(0);
    let person = harness.grist.person(&harness.document);
    let gone = person.columns(DOSSIERS).into_iter().skip_while(|id| id != "instructeurs").nth(1).expect("a champ");
    let title = person.column(DOSSIERS, &gone).text("label").to_owned();
    person.remove_column(DOSSIERS, &gone);
    harness.run("sync", &[]).await.expect(0);
    let messages = || -> Vec<String> {
        let lines = harness.grist.rows(&harness.document, "Dn_executions");
        lines.iter().map(|line| line.text("message").to_owned()).filter(|message| !message.is_empty()).collect()
    };
    let told = messages();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(&format!("« {title} »")) && told[0].contains("--restore-columns"), "{told:?}");
    harness.base.sandbox.world().submit(DEMARCHE).expect("a new dossier");
    let again = harness.run("sync", &[]).await.expect(0).stdout;
    assert!(again.contains("still left out"), "{again}");
    assert_eq!(messages(), told, "people are told once, the operator with every run");
}
