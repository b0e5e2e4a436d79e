//! Checks names that Grist changes (Grist traps 12 and 39).

use demarche_numerique::plan::Change;
use demarche_numerique::sink::Sink;
use demarche_numerique::table::{Cell, CellKind, ChildRow};
use serde_json::{Value, json};

use super::fixture::{DOSSIERS, ENFANTS, Fixture, ready};
use crate::contracts::world::*;

traps!(
    trap_12_titles_that_grist_cannot_tell_apart_have_columns_of_their_own,
    trap_39_keys_that_look_alike_are_told_apart_and_each_is_found_again,
);

async fn trap_12_titles_that_grist_cannot_tell_apart_have_columns_of_their_own(fixture: &Fixture) {
    // What Grist makes of titles, one after the other in one table.
    let golden = [
        ("Numéro de dossier", "Numero_de_dossier"),
        ("1er nom", "c1er_nom"),
        ("class", "cclass"),
        ("id", "id2"),
        ("L’adresse (complète)", "L_adresse_complete_"),
        ("œuvre", "uvre"),
        ("straße", "stra_e"),
        ("N° SIRET", "N_SIRET"),
        ("½", "c1_2"),
        ("m²", "m2"),
        ("日本", "A"),
        ("_x", "x"),
        ("Nom", "Nom"),
        ("nom", "nom2"),
        ("NOM", "NOM3"),
        ("Champ 1", "Champ_1"),
        ("Champ 1", "Champ_1_2"),
    ];
    let columns: Vec<Value> =
        golden.iter().map(|(title, _)| json!({ "id": title, "type": "Text", "isFormula": false })).collect();
    fixture.act(json!([["AddTable", "Titres", columns]])).await;
    assert_eq!(fixture.columns("Titres").await, golden.map(|(_, id)| id));

    // The same titles in a form, under the names that layouts give them, and some that Grist keeps for itself.
    let mut form = layout("demarche_12");
    let names = ["id", "class", "manualsort", "nom_2", "number_2", "oeuvre"];
    let titles = ["id", "class", "Œuvre", "Nom de l'\"établissement\"", "日本", "Œuvre"];
    for (id, (name, title)) in (40..).zip(names.iter().zip(titles)) {
        form.tables[0].columns.push(column(id, name, title, CellKind::Text));
    }
    let sink = fixture.open().await;
    let prepared = sink.prepare(&scope(), &crate::contracts::world::form(), creation(form)).await.expect("tables");
    let mut row = row(1, "un");
    row.cells.extend(names.map(|name| Cell::Text(format!("réponse {name}"))));
    sink.commit(&prepared, &batch(1, vec![Change::Present(row)])).await.expect("a commit");
    let tables = fixture.tables().await;
    let dossiers = tables.iter().find(|table| table.id == DOSSIERS).expect("the table");
    let found = fixture.rows(DOSSIERS).await.remove(0);
    for (name, title) in names.iter().zip(titles) {
        let answer = json!(format!("réponse {name}"));
        let holds = |column: &&grist_client::Column| found.get(&column.id) == Some(&answer);
        let columns: Vec<_> = dossiers.columns.iter().filter(holds).collect();
        assert_eq!(columns.len(), 1, "{name}");
        assert_eq!((columns[0].label.as_str(), columns[0].untied), (title, true), "{name}");
    }
    assert_eq!(found["nom"], "un");
}

async fn trap_39_keys_that_look_alike_are_told_apart_and_each_is_found_again(fixture: &Fixture) {
    let keys = ["\u{e9}", "e\u{301}", "É", " x", "x ", "x", "\u{feff}x", "1", "1.0", "01", "œ", "oe"];
    let dossier = |text: &str| {
        let mut row = row(1, text);
        let child = |(position, key): (u32, &&str)| ChildRow {
            table: BLOCK,
            key: (*key).to_owned(),
            position,
            cells: vec![Cell::Text(format!("{text} {position}")), Cell::Null],
        };
        row.children = (0..).zip(&keys).map(child).collect();
        row
    };
    let sink = fixture.open().await;
    let prepared = prepare(&sink, &scope()).await;
    sink.commit(&prepared, &batch(1, vec![Change::Present(dossier("a"))])).await.expect("a commit");
    sink.close().await.expect("a clean end");
    // The data engine forgets what it made of the keys when the document is closed.
    fixture.must("POST", "force-reload", None).await;
    let sink = fixture.open().await;
    let prepared = ready(&sink).await;
    let change = Change::Present(dossier("b"));
    sink.commit(&prepared, &batch(2, vec![change])).await.expect("a commit");
    let expected: Vec<Value> = (0..keys.len()).map(|position| json!(format!("b {position}"))).collect();
    assert_eq!(fixture.column(ENFANTS, "prenom").await, expected);
    fixture.assert_sound().await;
}
