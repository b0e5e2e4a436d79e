//! Checks values that Grist would change (Grist traps 1 to 5).

use demarche_numerique::plan::{Change, SchemaPlan};
use demarche_numerique::sink::Sink;
use demarche_numerique::table::{Cell, CellKind};
use grist_client::{Action, OnMany};
use serde_json::{Map, Value, json};

use super::fixture::{DOSSIERS, ENFANTS, Fixture, ready};
use crate::contracts::world::*;

traps!(
    trap_1_texts_arrive_as_they_were_sent_whatever_they_look_like,
    trap_2_no_answer_stays_no_answer,
    trap_3_numbers_keep_all_their_digits,
    trap_4_days_are_the_same_in_every_zone_and_instants_are_exact,
    trap_5_rows_that_say_different_things_erase_nothing_of_each_other,
);

/// Columns of [`layout`].
const NOM: usize = 0;
const EFFECTIF: usize = 1;
const MONTANT: usize = 2;
const ACCORD: usize = 4;
const JOUR: usize = 5;
const INSTANT: usize = 6;
const CHOIX: usize = 7;
const OPTIONS: usize = 8;
const FICHE: usize = 9;

/// Commits a dossier for each set of cells.
async fn commit(fixture: &Fixture, rows: &[&[(usize, Cell)]]) {
    let sink = fixture.open().await;
    let prepared = prepare(&sink, &scope()).await;
    let change = |(of, cells): (u32, &&[(usize, Cell)])| {
        let mut row = row(of, "x");
        for (column, cell) in *cells {
            row.cells[*column] = cell.clone();
        }
        Change::Present(row)
    };
    sink.commit(&prepared, &batch(1, (1..).zip(rows).map(change).collect())).await.expect("a commit");
    sink.close().await.expect("a clean end");
}

fn texts(texts: &[&str]) -> Vec<Value> {
    texts.iter().map(|text| json!(text)).collect()
}

/// A table of a person, with one column of each of these types.
async fn try_table(fixture: &Fixture, columns: &[(&str, &str)]) {
    let column = |(id, kind): &(&str, &str)| json!({ "id": id, "type": kind, "isFormula": false });
    let columns: Vec<Value> = columns.iter().map(column).collect();
    fixture.act(json!([["AddTable", "Essais", columns]])).await;
}

async fn trap_1_texts_arrive_as_they_were_sent_whatever_they_look_like(fixture: &Fixture) {
    try_table(fixture, &[("n", "Numeric"), ("j", "Date"), ("l", "ChoiceList")]).await;
    let sent = json!({ "records": [{ "fields": { "n": "1 234,56", "j": "12", "l": "a,b" } }] });
    fixture.must("POST", "tables/Essais/records", Some(sent.clone())).await;
    fixture.must("POST", "tables/Essais/records?noparse=1", Some(sent)).await;
    let rows = fixture.rows("Essais").await;
    assert_eq!(
        (&rows[0]["n"], &rows[0]["l"], rows[0]["j"].is_number()),
        (&json!(123_456), &json!(["L", "a", "b"]), true)
    );
    assert_eq!([&rows[1]["n"], &rows[1]["j"], &rows[1]["l"]], ["1 234,56", "12", "a,b"]);

    let all = ["1 234,56", "12", "a,b", "00012345678901", "=1+1", "2024-03-31", "true", "12%", "[1]", "null", " x "];
    let cells: Vec<[(usize, Cell); 4]> = all
        .iter()
        .map(|text| {
            let cell = || Cell::Text((*text).to_owned());
            [(NOM, cell()), (CHOIX, cell()), (OPTIONS, Cell::List(vec![(*text).to_owned()])), (FICHE, cell())]
        })
        .collect();
    commit(fixture, &cells.iter().map(<[_; 4]>::as_slice).collect::<Vec<_>>()).await;
    for column in ["nom", "choix", "fiche"] {
        assert_eq!(fixture.column(DOSSIERS, column).await, texts(&all), "{column}");
    }
    assert_eq!(fixture.column(DOSSIERS, "options").await, all.map(|text| json!(["L", text])));
}

async fn trap_2_no_answer_stays_no_answer(fixture: &Fixture) {
    try_table(fixture, &[("oui", "Bool"), ("qui", "Ref:Table1")]).await;
    fixture.act(json!([["AddRecord", "Essais", null, { "oui": null, "qui": null }]])).await;
    let row = &fixture.rows("Essais").await[0];
    assert_eq!((&row["oui"], &row["qui"]), (&json!(false), &json!(0)));

    let nothing: Vec<(usize, Cell)> = (NOM..=FICHE).map(|column| (column, Cell::Null)).collect();
    let no = [(ACCORD, Cell::Boolean(false)), (EFFECTIF, Cell::Integer(0))];
    commit(fixture, &[&nothing, &no]).await;
    let rows = fixture.rows(DOSSIERS).await;
    for column in ["nom", "effectif", "montant", "latitude", "accord", "jour", "instant", "choix", "options", "fiche"] {
        assert_eq!(rows[0][column], Value::Null, "{column}");
    }
    assert_eq!((&rows[1]["accord"], &rows[1]["effectif"]), (&json!("Non"), &json!(0)));

    // A question that is new has no answer in the dossiers of before.
    let sink = fixture.open().await;
    let mut layout = layout("demarche_12");
    for (id, kind) in (40..).zip([CellKind::Integer, CellKind::Decimal, CellKind::Boolean, CellKind::Date]) {
        layout.tables[0].columns.push(column(id, &format!("q{id}"), "Question", kind));
    }
    sink.prepare(&scope(), &form(), SchemaPlan { layout, changes: Vec::new() }).await.expect("new questions");
    for column in ["q40", "q41", "q42", "q43"] {
        assert_eq!(fixture.column(DOSSIERS, column).await, [Value::Null, Value::Null], "{column}");
    }
}

async fn trap_3_numbers_keep_all_their_digits(fixture: &Fixture) {
    try_table(fixture, &[("n", "Int")]).await;
    fixture.act(json!([["BulkAddRecord", "Essais", [null, null], { "n": [3.7, 2_147_483_648_i64] }]])).await;
    assert_eq!(fixture.column("Essais", "n").await, [json!(3), json!("2147483648.0")]);

    let decimal = |text: &str| Cell::Decimal(text.parse().expect("a decimal"));
    let rows = [
        [
            (NOM, Cell::Text("00012345678901".into())),
            (EFFECTIF, Cell::Integer(2_147_483_647)),
            (MONTANT, decimal("3.7")),
        ],
        [(NOM, Cell::Null), (EFFECTIF, Cell::Integer(2_147_483_648)), (MONTANT, decimal("9007199254740993"))],
        [(NOM, Cell::Null), (EFFECTIF, Cell::Integer(i64::MIN)), (MONTANT, decimal("1234567890.12345678"))],
    ];
    commit(fixture, &rows.each_ref().map(<[_; 3]>::as_slice)).await;
    assert_eq!(fixture.column(DOSSIERS, "nom").await[0], "00012345678901");
    let integers = [json!(2_147_483_647), json!(2_147_483_648_i64), json!("-9223372036854775808")];
    assert_eq!(fixture.column(DOSSIERS, "effectif").await, integers);
    let exact =
        ["9\u{202f}007\u{202f}199\u{202f}254\u{202f}740\u{202f}993", "1\u{202f}234\u{202f}567\u{202f}890,12345678"];
    assert_eq!(fixture.column(DOSSIERS, "montant").await, [json!(3.7), json!(exact[0]), json!(exact[1])]);
}

async fn trap_4_days_are_the_same_in_every_zone_and_instants_are_exact(fixture: &Fixture) {
    let day = |month, day| Cell::Date(jiff::civil::date(2024, month, day));
    let instant = |text: &str| Cell::Datetime(text.parse().expect("an instant"));
    let rows = [
        [(JOUR, day(3, 31)), (INSTANT, instant("2024-03-31T01:00:00Z"))],
        // An hour apart, and the same time on the clock of Paris.
        [(JOUR, day(10, 27)), (INSTANT, instant("2024-10-27T00:30:00Z"))],
        [(JOUR, day(1, 1)), (INSTANT, instant("2024-10-27T01:30:00Z"))],
    ];
    commit(fixture, &rows.each_ref().map(<[_; 2]>::as_slice)).await;
    let days = [1_711_843_200, 1_729_987_200, 1_704_067_200].map(|second: i64| json!(second));
    assert_eq!(fixture.column(DOSSIERS, "jour").await, days);
    let instants = [1_711_846_800, 1_729_989_000, 1_729_992_600].map(|second: i64| json!(second));
    assert_eq!(fixture.column(DOSSIERS, "instant").await, instants);
    let tables = fixture.tables().await;
    let dossiers = tables.iter().find(|table| table.id == DOSSIERS).expect("the table");
    let kind = |id: &str| dossiers.columns.iter().find(|column| column.id == id).map(|column| column.kind.as_str());
    assert_eq!((kind("jour"), kind("instant")), (Some("Date"), Some("DateTime:Europe/Paris")));
}

async fn trap_5_rows_that_say_different_things_erase_nothing_of_each_other(fixture: &Fixture) {
    let row = |value: Value| value.as_object().cloned().unwrap_or_else(Map::new);
    try_table(fixture, &[("cle", "Text"), ("a", "Text"), ("b", "Text")]).await;
    fixture.act(json!([["BulkAddRecord", "Essais", [null, null], { "cle": ["1", "2"], "a": ["a1", "a2"], "b": ["b1", "b2"] }]])).await;
    let rows = [row(json!({ "cle": "1", "a": "A1" })), row(json!({ "cle": "2", "b": "B2" }))];
    fixture.apply(&Action::upserts("Essais", &["cle"], rows, OnMany::First).expect("keys differ")).await;
    assert_eq!(fixture.column("Essais", "a").await, ["A1", "a2"]);
    assert_eq!(fixture.column("Essais", "b").await, ["b1", "B2"]);

    // A tombstone, a whole row and a new one in one batch, beside what a person wrote.
    fixture.fill().await;
    fixture.act(json!([["AddVisibleColumn", DOSSIERS, "Note", { "type": "Text", "isFormula": false }]])).await;
    fixture.act(json!([["BulkUpdateRecord", DOSSIERS, [1, 2], { "Note": ["à revoir", "vu"] }]])).await;
    let sink = fixture.open().await;
    let prepared = ready(&sink).await;
    let changes = vec![delete(1), update(2, "DEUX"), insert(4, "quatre")];
    sink.commit(&prepared, &batch(2, changes)).await.expect("a commit");
    assert_eq!(fixture.column(DOSSIERS, "nom").await, ["un", "DEUX", "quatre"]);
    assert_eq!(fixture.column(DOSSIERS, "Note").await, ["à revoir", "vu", ""]);
    assert_eq!(fixture.column(DOSSIERS, "dn_gone_reason").await[0], "user_request");
    assert_eq!(fixture.column(ENFANTS, "prenom").await.len(), 4);
}
