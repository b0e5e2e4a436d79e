//! Checks the creation of tables and columns (Grist traps 8 to 11 and 15, 16).

use demarche_numerique::Platform;
use demarche_numerique::plan::Change;
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, WorldSpec};
use demarche_numerique::sink::{MemorySink, Sink};
use demarche_numerique::table::{Cell, CellKind};
use grist_client::Column;
use serde_json::{Value, json};

use super::fixture::{DOSSIERS, ENFANTS, Fixture, again};
use super::proxy::Fault;
use crate::contracts::world::*;
use crate::sync_runs::lab::Lab;

traps!(
    trap_8_no_column_of_ours_guesses_its_type,
    trap_9_a_reference_is_made_after_its_table_and_shows_the_number_of_the_dossier,
    trap_10_columns_and_formulas_of_people_survive_changes_of_the_form,
    trap_11_colours_and_order_of_choices_are_left_to_people,
    trap_15_runs_that_repeat_make_no_column_again,
    trap_16_a_beginning_that_is_repeated_makes_no_table_again,
    a_column_that_a_person_makes_with_the_reference_of_a_deleted_one_is_theirs,
);

async fn described(fixture: &Fixture, table: &str) -> Vec<Column> {
    let found = fixture.tables().await.into_iter().find(|found| found.id == table);
    found.unwrap_or_else(|| panic!("no table {table}")).columns
}

async fn trap_8_no_column_of_ours_guesses_its_type(fixture: &Fixture) {
    fixture.act(json!([["AddRecord", "Table1", null, { "A": "2024-03-05" }]])).await;
    assert_eq!(fixture.column("Table1", "A").await, [1_709_596_800], "an empty column takes a type by itself");

    fixture.fill().await;
    let sink = fixture.open().await;
    let mut layout = layout("demarche_12");
    layout.tables[0].columns.push(column(40, "surnom", "Surnom", CellKind::Text));
    let prepared = again(&sink, layout).await.expect("a new question");
    let mut days = row(4, "2024-03-05");
    days.cells.push(Cell::Text("2024-03-06".to_owned()));
    sink.commit(&prepared, &batch(2, vec![Change::Present(days)])).await.expect("a commit");
    let row = fixture.rows(DOSSIERS).await.pop().expect("a row");
    assert_eq!((&row["nom"], &row["surnom"]), (&json!("2024-03-05"), &json!("2024-03-06")));
    for table in fixture.tables().await.iter().filter(|table| table.id != "Table1") {
        for column in table.columns.iter().filter(|column| !column.id.starts_with("gristHelper_")) {
            let computed = column.is_formula && !column.formula.is_empty();
            let given = !column.is_formula && column.kind != "Any";
            assert!(computed || given, "{}.{}: {}", table.id, column.id, column.kind);
        }
    }
}

async fn trap_9_a_reference_is_made_after_its_table_and_shows_the_number_of_the_dossier(fixture: &Fixture) {
    let reference = json!([{ "id": "qui", "type": "Ref:Gens", "isFormula": false }]);
    fixture.act(json!([["AddTable", "Lettres", reference]])).await;
    fixture.act(json!([["AddTable", "Gens", [{ "id": "nom", "type": "Text", "isFormula": false }]]])).await;
    let letter = json!([["AddRecord", "Lettres", null, { "qui": 0 }]]);
    let (status, _) = fixture.send("POST", "apply?noparse=1", Some(letter)).await;
    assert_ne!(status, 200, "a reference to a table that is not there yet is broken until the document is reloaded");
    fixture.must("POST", "force-reload", None).await;
    fixture.act(json!([["RemoveTable", "Lettres"]])).await;

    // The tables are made and written to without a reload.
    fixture.fill().await;
    assert!(fixture.proxy.asked().iter().all(|asked| !asked.path.ends_with("force-reload")));
    let columns = fixture.rows("_grist_Tables_column").await;
    let (dossiers, enfants) = (described(fixture, DOSSIERS).await, described(fixture, ENFANTS).await);
    let number = dossiers.iter().find(|column| column.id == "number").expect("the number");
    let parent = enfants.iter().find(|column| column.id == "dossier").expect("the reference");
    let parent = columns.iter().find(|row| row["id"] == parent.col_ref).expect("its row");
    assert_eq!(parent["type"], format!("Ref:{DOSSIERS}"));
    assert_eq!(parent["visibleCol"], json!(number.col_ref));
    let display = columns.iter().find(|row| row["id"] == parent["displayCol"]).expect("a formula that shows it");
    assert_eq!(display["formula"], "$dossier.number");
    assert_eq!(fixture.column(ENFANTS, "dossier").await, [1, 2, 2]);
}

async fn trap_10_columns_and_formulas_of_people_survive_changes_of_the_form(fixture: &Fixture) {
    fixture.fill().await;
    fixture
        .act(json!([
            ["AddVisibleColumn", DOSSIERS, "Avis", { "type": "Text", "isFormula": false }],
            ["AddVisibleColumn", DOSSIERS, "Double", { "isFormula": true, "formula": "$effectif * 2" }],
            ["BulkUpdateRecord", DOSSIERS, [1, 2], { "Avis": ["favorable", "réservé"] }],
        ]))
        .await;
    let mut form = layout("demarche_12");
    for turn in 0..3_u32 {
        let columns = &mut form.tables[0].columns;
        columns.push(column(u64::from(40 + turn), &format!("q{turn}"), "Question", CellKind::Text));
        columns[0].spec.title = format!("Nom, version {turn}");
        columns[2].spec.kind = CellKind::Text;
        let sink = fixture.open().await;
        let prepared = again(&sink, form.clone()).await.expect("another form");
        let mut row = row(7 + turn, "nouveau");
        row.cells[2] = Cell::Text("12".to_owned());
        row.cells.extend((0..=turn).map(|turn| Cell::Text(turn.to_string())));
        let change = batch(i64::from(2 + turn), vec![Change::Present(row)]);
        sink.commit(&prepared, &change).await.expect("a commit");
        sink.close().await.expect("a clean end");
    }
    let columns = described(fixture, DOSSIERS).await;
    let double = columns.iter().find(|column| column.id == "Double").expect("their formula");
    assert_eq!((double.is_formula, double.formula.as_str()), (true, "$effectif * 2"));
    assert_eq!(fixture.column(DOSSIERS, "Avis").await[..2], ["favorable", "réservé"]);
    assert!(columns.iter().any(|column| column.id == "q2") && fixture.rows(DOSSIERS).await.len() == 5);
    // Everything is written as user actions; no route that replaces or deletes columns is ever taken.
    assert!(
        fixture.proxy.writes().iter().all(|asked| asked.method == "POST" && asked.path.ends_with("/apply?noparse=1"))
    );
    assert!(fixture.proxy.writes().iter().all(|asked| !asked.body.contains("\"RemoveColumn\",\"Demarche")));
}

async fn trap_11_colours_and_order_of_choices_are_left_to_people(fixture: &Fixture) {
    let mut form = layout("demarche_12");
    let state = &mut form.tables[0].columns[7].spec;
    (state.kind, state.options) = (CellKind::Choice, vec!["en_instruction".into(), "accepte".into()]);
    let sink = fixture.open().await;
    sink.prepare(&scope(), &crate::contracts::world::form(), creation(form.clone())).await.expect("tables");
    let widget = async || -> (i64, Value) {
        let columns = described(fixture, DOSSIERS).await;
        let column = columns.into_iter().find(|column| column.id == "choix").expect("the column");
        (column.col_ref, serde_json::from_str(&column.widget_options).expect("JSON"))
    };
    let (col_ref, made) = widget().await;
    assert_eq!(made["choiceOptions"]["accepte"]["fillColor"], "#B8FEC9");
    let theirs = json!({
        "choices": ["à revoir", "accepte"], "alignment": "center",
        "choiceOptions": { "accepte": { "fillColor": "#000000" } },
    });
    let fields = json!({ "widgetOptions": theirs.to_string() });
    fixture.act(json!([["UpdateRecord", "_grist_Tables_column", col_ref, fields]])).await;
    form.tables[0].columns[7].spec.options.push("refuse".into());
    sink.close().await.expect("a clean end");
    let sink = fixture.open().await;
    again(&sink, form).await.expect("one more choice");
    let (_, widget) = widget().await;
    assert_eq!(widget["choices"], json!(["à revoir", "accepte", "refuse"]), "what a person took away stays away");
    assert_eq!(
        (&widget["choiceOptions"]["accepte"]["fillColor"], &widget["alignment"]),
        (&json!("#000000"), &json!("center"))
    );
}

async fn trap_15_runs_that_repeat_make_no_column_again(fixture: &Fixture) {
    let spec = WorldSpec::new(Platform::DemarcheNumerique).only(&[DEMARCHE_COMPLETE]).dossiers(12);
    let lab = Lab::with_sink(spec, DEMARCHE_COMPLETE, MemorySink::default()).await;
    let shape = async || -> Vec<(String, Vec<String>)> {
        let tables = fixture.tables().await.into_iter();
        tables.map(|table| (table.id, table.columns.into_iter().map(|column| column.id).collect())).collect()
    };
    let mut made = None;
    for _ in 0..3 {
        let run = lab.run_into(&fixture.open().await).await;
        assert!(run.error.is_none(), "{:?}", run.error);
        lab.wait_minutes(5);
        let shape = shape().await;
        assert!(shape.iter().map(|(_, columns)| columns.len()).sum::<usize>() > 60, "{shape:?}");
        assert_eq!(made.get_or_insert_with(|| shape.clone()), &shape);
    }
}

async fn trap_16_a_beginning_that_is_repeated_makes_no_table_again(fixture: &Fixture) {
    // The tables are made, nobody hears of it, and the run dies.
    let sink = fixture.open().await;
    let plan = creation(layout(&sink.schema(&scope()).await.expect("a schema").prefix));
    fixture.proxy.die_at_a_write(Fault::LoseAnswer);
    sink.prepare(&scope(), &form(), plan).await.expect_err("the network is gone");
    fixture.proxy.mend();
    drop(sink);
    let made: Vec<String> = fixture.tables().await.into_iter().map(|table| table.id).collect();
    assert!(made.contains(&DOSSIERS.to_owned()), "{made:?}");

    for text in ["un", "UN"] {
        let sink = fixture.open().await;
        let prepared = prepare(&sink, &scope()).await;
        sink.commit(&prepared, &batch(1, vec![insert(1, text)])).await.expect("a commit");
        sink.close().await.expect("a clean end");
    }
    let tables: Vec<String> = fixture.tables().await.into_iter().map(|table| table.id).collect();
    assert_eq!(tables, made);
    assert_eq!(fixture.column(DOSSIERS, "nom").await, ["UN"]);
}

async fn a_column_that_a_person_makes_with_the_reference_of_a_deleted_one_is_theirs(fixture: &Fixture) {
    fixture.fill().await;
    let mut form = layout("demarche_12");
    form.tables[0].columns.push(column(40, "surnom", "Surnom", CellKind::Text));
    let sink = fixture.open().await;
    again(&sink, form.clone()).await.expect("a new question");
    sink.close().await.expect("a clean end");
    let ours = described(fixture, DOSSIERS).await.into_iter().find(|column| column.id == "surnom").expect("ours");
    // Without the column that keeps references from being given again, as in a document of an older version.
    fixture.act(json!([["RemoveColumn", "Dn_etat", "borne"], ["RemoveColumn", DOSSIERS, "surnom"]])).await;
    let info = json!({ "type": "Text", "isFormula": false });
    let theirs = fixture.act(json!([["AddVisibleColumn", DOSSIERS, "Remarques", info]])).await;
    assert_eq!(theirs[0]["colRef"], ours.col_ref, "Grist gives the reference again");
    fixture.act(json!([["UpdateRecord", DOSSIERS, 1, { "Remarques": "à moi" }]])).await;

    let sink = fixture.open().await;
    let prepared = again(&sink, form).await.expect("it is left out");
    let notices = sink.notices();
    assert!(notices.len() == 1 && notices[0].contains("“Surnom”") && notices[0].contains("was deleted"), "{notices:?}");
    let change = |of: u32, text: &str| {
        let mut row = row(of, text);
        row.cells.push(Cell::Text("un surnom".to_owned()));
        row
    };
    let changes = vec![Change::Present(change(1, "UN")), Change::Present(change(4, "quatre"))];
    sink.commit(&prepared, &batch(2, changes)).await.expect("a commit");
    assert_eq!(fixture.column(DOSSIERS, "Remarques").await, ["à moi", "", ""]);
}
