//! Values that Grist would change, if it were let.

use demarche_numerique::plan::Change;
use demarche_numerique::sink::{GristSink, Sink};
use demarche_numerique::table::{Cell, CellKind, ChildRow, ColumnKey, Row};
use serde_json::{Value, json};

use super::Place;
use crate::contracts::world::*;

const DOSSIERS: &str = "Demarche_12_dossiers";

/// A cell of the first column, as Grist keeps it in a column of this kind.
async fn kept(kind: CellKind, cells: &[Cell]) -> Vec<Value> {
    let place = Place::new().await;
    let sink = place.open().await;
    let mut layout = layout("demarche_12");
    layout.tables[0].columns[0] = column(1, "nom", "Nom", kind);
    let prepared = sink.prepare(&scope(), &form(), creation(layout)).await.expect("tables");
    let rows = (1..).zip(cells).map(|(of, cell)| {
        let mut row = row(of, "x");
        row.cells[0] = cell.clone();
        Change::Present(row)
    });
    sink.commit(&prepared, &batch(1, rows.collect())).await.expect("a commit");
    place.rows(DOSSIERS).iter().map(|row| row.cell("nom").clone()).collect()
}

fn texts(texts: &[&str]) -> Vec<Cell> {
    texts.iter().map(|text| Cell::Text((*text).to_owned())).collect()
}

#[tokio::test]
async fn texts_that_look_like_something_else_stay_texts() {
    let all = ["00012345678901", "=1+1", "12", "1 234,56", "2024-03-31", "true", "null", "a,b", "[1]", "12%", ""];
    assert_eq!(kept(CellKind::Text, &texts(&all)).await, all.map(|text| json!(text)));
    let mut choice = texts(&all);
    choice.push(Cell::Null);
    let mut expected: Vec<Value> = all.iter().map(|text| json!(text)).collect();
    expected.push(Value::Null);
    assert_eq!(kept(CellKind::Choice, &choice).await, expected);
}

#[tokio::test]
async fn no_answer_is_neither_no_nor_zero() {
    let truths = [Cell::Boolean(true), Cell::Boolean(false), Cell::Null];
    assert_eq!(kept(CellKind::Boolean, &truths).await, [json!("Oui"), json!("Non"), Value::Null]);
    for kind in [CellKind::Integer, CellKind::Decimal] {
        let cell =
            if kind == CellKind::Integer { Cell::Integer(0) } else { Cell::Decimal("0.0".parse().expect("zero")) };
        assert_eq!(kept(kind, &[cell, Cell::Null]).await, [json!(0), Value::Null], "{kind:?}");
    }
    for kind in [CellKind::Date, CellKind::Datetime, CellKind::Choices, CellKind::Json] {
        assert_eq!(kept(kind, &[Cell::Null]).await, [Value::Null], "{kind:?}");
    }
}

#[tokio::test]
async fn a_question_that_is_new_has_no_answer_in_the_dossiers_of_before() {
    let place = Place::new().await;
    let sink = place.open().await;
    let prepared = prepare(&sink, &scope()).await;
    sink.commit(&prepared, &batch(1, vec![insert(1, "un")])).await.expect("a commit");
    let mut layout = prepared.layout().clone();
    let kinds = [CellKind::Integer, CellKind::Decimal, CellKind::Boolean, CellKind::Text, CellKind::Date];
    for (id, kind) in (40..).zip(kinds) {
        layout.tables[0].columns.push(column(id, &format!("q{id}"), "Question", kind));
    }
    let plan = demarche_numerique::plan::SchemaPlan { layout, changes: Vec::new() };
    sink.prepare(&scope(), &form(), plan).await.expect("new questions");
    let row = place.rows(DOSSIERS).remove(0);
    for id in 40..45 {
        assert_eq!(row.cell(&format!("q{id}")), &Value::Null, "q{id}");
    }
    assert_eq!(place.person().column(DOSSIERS, "q40").text("type"), "Numeric");
}

#[tokio::test]
async fn days_are_the_same_in_every_zone_and_instants_are_exact() {
    let day = |month, day| Cell::Date(jiff::civil::date(2024, month, day));
    let days = kept(CellKind::Date, &[day(3, 31), day(10, 27), day(1, 1)]).await;
    assert_eq!(days, [json!(1_711_843_200), json!(1_729_987_200), json!(1_704_067_200)]);
    let instant = |text: &str| Cell::Datetime(text.parse().expect("an instant"));
    // An hour apart on the clock of Paris, twice the same time of day.
    let night = ["2024-10-27T00:30:00Z", "2024-10-27T01:30:00Z", "2024-03-31T01:00:00Z"].map(instant);
    let seconds = [1_729_989_000, 1_729_992_600, 1_711_846_800].map(|second: i64| json!(second));
    assert_eq!(kept(CellKind::Datetime, &night).await, seconds);
}

#[tokio::test]
async fn numbers_keep_all_their_digits() {
    let integers = [i64::from(i32::MAX), 2_147_483_648, i64::MAX].map(Cell::Integer);
    let kept_integers = kept(CellKind::Integer, &integers).await;
    assert_eq!(kept_integers, [json!(2_147_483_647), json!(2_147_483_648_i64), json!("9223372036854775807")]);
    let decimals = ["12.50", "1234567890.12345678", "9007199254740993"];
    let decimals = decimals.map(|text| Cell::Decimal(text.parse().expect("a decimal")));
    let expected = [
        json!(12.5),
        json!("1\u{202f}234\u{202f}567\u{202f}890,12345678"),
        json!("9\u{202f}007\u{202f}199\u{202f}254\u{202f}740\u{202f}993"),
    ];
    assert_eq!(kept(CellKind::Decimal, &decimals).await, expected);
}

#[tokio::test]
async fn fixed_columns_without_a_missing_value_are_toggles() {
    let place = Place::new().await;
    let sink = place.open().await;
    let mut layout = layout("demarche_12");
    layout.tables[0].columns[4].spec.key = ColumnKey::Fixed("archived".to_owned());
    sink.prepare(&scope(), &form(), creation(layout)).await.expect("tables");
    assert_eq!(place.person().column(DOSSIERS, "accord").text("type"), "Bool");
}

/// A dossier of so many bytes that do not pack well, with so many children.
fn giant(of: u32, bytes: usize, children: u32) -> Box<Row> {
    let mut state = u64::from(of);
    let mut noise = |bytes: usize| -> String {
        let letter = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'!' + u8::try_from((state >> 33) % 90).expect("below 90"))
        };
        std::iter::repeat_with(letter).take(bytes).collect()
    };
    let mut row = row(of, "x");
    row.document = json!({ "texte": noise(bytes) }).to_string();
    row.fingerprint = demarche_numerique::fingerprint::Digest::of(row.document.as_bytes());
    let child = |position: u32| ChildRow {
        table: BLOCK,
        key: format!("ligne-{position}"),
        position,
        cells: vec![Cell::Text(noise(3_000)), Cell::Null],
    };
    row.children = (0..children).map(child).collect();
    row
}

#[tokio::test]
async fn a_text_that_no_request_can_carry_says_so_in_its_cell_and_is_whole_in_its_document() {
    let place = Place::new().await;
    let sink = place.open().await;
    let prepared = prepare(&sink, &scope()).await;
    let mut long = giant(1, 2_000_000, 0);
    long.cells[0] = Cell::Text("é".repeat(600_000));
    long.cells[7] = Cell::Text("x".repeat(600_000));
    long.cells[9] = Cell::Json("y".repeat(600_000));
    sink.commit(&prepared, &batch(1, vec![Change::Present(long.clone())])).await.expect("a commit");
    let stored = sink.documents(&scope(), None, 1).await.expect("an answer");
    assert!(stored[0].document == long.document);
    let row = place.rows(DOSSIERS).remove(0);
    assert!(row.text("nom").starts_with("⟨valeur de 1200000 octets"), "{}", row.text("nom").len());
    // Each fits a request, the row does not: nothing is cut.
    assert_eq!((row.text("choix").len(), row.text("fiche").len()), (600_000, 600_000));
    let notices = sink.notices();
    assert!(notices.len() == 1 && notices[0].contains("dossier 1") && notices[0].contains("nom"), "{notices:?}");
    assert!(place.rows("Dn_suites").len() > 1);

    let mut short = super::super::world::row(1, "court");
    short.light = long.light;
    sink.commit(&prepared, &batch(2, vec![Change::Present(short.clone())])).await.expect("a commit");
    assert_eq!(sink.documents(&scope(), None, 1).await.expect("an answer")[0].document, short.document);
    assert!(
        place.rows("Dn_suites").iter().all(|row| row.cell("valeur").is_null()),
        "nothing of the longer one is left"
    );
}

#[tokio::test]
async fn a_page_larger_than_a_request_is_split_and_a_death_in_between_doubles_nothing() {
    use demarche_numerique::sandbox::grist::{Fault, FaultPlan};
    let changes = || (1..=4).map(|of| Change::Present(giant(of, 100_000, 400))).collect();
    for written in 1..16 {
        let place = Place::new().await;
        let sink = place.open().await;
        let prepared = prepare(&sink, &scope()).await;
        place.grist.reset_log();
        place.grist.plan(FaultPlan::new(Fault::CloseBefore).writes().after(written));
        let first = sink.commit(&prepared, &batch(1, changes())).await;
        place.grist.clear_faults();
        let Err(_) = first else {
            assert!(written > 4, "{written} requests carry four dossiers of 1.3 MB");
            return;
        };
        drop(sink);
        let sink: GristSink = place.open().await;
        assert_eq!(sink.checkpoint(&scope()).await.expect("an answer"), None, "it comes last");
        let prepared = prepare(&sink, &scope()).await;
        sink.commit(&prepared, &batch(1, changes())).await.expect("the same commit");
        place.assert_sound();
        assert_eq!((place.rows(DOSSIERS).len(), place.rows("Demarche_12_enfants").len()), (4, 1600));
        assert_eq!(sink.totals(&scope()).await.expect("an answer").alive, 4);
        for request in place.grist.requests() {
            assert!(request.received <= 1_040_000, "{} bytes", request.received);
        }
    }
    panic!("it never ended");
}
