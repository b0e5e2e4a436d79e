//! Checks limits of Grist (Grist traps 23, 24, 29, 34, 35 and 38).

use demarche_numerique::plan::{Change, SchemaPlan};
use demarche_numerique::sink::{Sink, SinkError};
use demarche_numerique::table::{Cell, CellKind};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::fixture::{DOSSIERS, ENFANTS, Fixture, ready};
use super::proxy::Fault;
use crate::contracts::world::*;

traps!(
    trap_23_a_value_that_no_request_carries_says_so_and_nothing_larger_is_sent,
    trap_24_a_document_that_is_too_busy_is_waited_for,
    trap_29_a_table_wider_than_grist_takes_is_refused_before_anything_is_sent,
    trap_34_the_number_of_a_dossier_is_never_the_id_of_a_row,
    trap_35_a_thousand_keys_go_in_addresses_that_are_taken,
    trap_38_many_dossiers_are_read_by_pages_that_follow_each_other,
);

/// The largest body that Grist takes.
const BODY: usize = 1 << 20;

async fn trap_23_a_value_that_no_request_carries_says_so_and_nothing_larger_is_sent(fixture: &Fixture) {
    let sink = fixture.open().await;
    let prepared = prepare(&sink, &scope()).await;
    let mut giant = row(1, "x");
    giant.cells[0] = Cell::Text("é".repeat(600_000));
    giant.cells[7] = Cell::Text("x".repeat(600_000));
    giant.cells[9] = Cell::Json(format!(r#"{{"coordinates":"{}"}}"#, "y".repeat(600_000)));
    let rows = (2..40).map(|of| row(of, &"z".repeat(60_000))).chain([giant]);
    sink.commit(&prepared, &batch(1, rows.map(Change::Present).collect())).await.expect("a commit");
    let rows = fixture.rows(DOSSIERS).await;
    assert_eq!(rows.len(), 39);
    let giant = rows.iter().find(|row| row["number"] == 1).expect("the dossier");
    let text = |column: &str| giant[column].as_str().expect("a text").to_owned();
    assert!(text("nom").starts_with("⟨valeur de 1200000 octets"), "{}", text("nom").len());
    assert_eq!((text("choix").len(), text("fiche").len()), (600_000, 600_018), "what fits a request is whole");
    let notices = sink.notices();
    assert!(notices.len() == 1 && notices[0].contains("dossier 1"), "{notices:?}");
    let asked = fixture.proxy.asked();
    assert!(asked.iter().all(|asked| asked.body.len() <= BODY && asked.status != 413));
    assert!(asked.iter().filter(|asked| asked.writes()).map(|asked| asked.body.len()).sum::<usize>() > 4_000_000);
}

async fn trap_24_a_document_that_is_too_busy_is_waited_for(fixture: &Fixture) {
    fixture.fill().await;
    let sink = fixture.open().await;
    let prepared = ready(&sink).await;
    // Others ask at the same time; whom Grist refuses is told in words that the client knows.
    let others = join_all((0..40).map(|_| fixture.send("GET", "tables/_grist_Tables_column/records", None)));
    let changes = (4..40).map(|of| insert(of, "un")).collect();
    let batch = batch(2, changes);
    let (others, committed) = futures_util::join!(others, sink.commit(&prepared, &batch));
    committed.expect("a commit");
    for (status, answer) in others {
        let busy = answer["error"].as_str().is_some_and(|error| error.starts_with("Too many backlogged requests"));
        assert!(status == 200 || (status == 429 && busy), "{status}: {answer}");
    }
    assert!(fixture.proxy.most_at_once() <= 2, "{} requests at once", fixture.proxy.most_at_once());

    let busy = r#"{"error":"Too many backlogged requests for document x - try again later?"}"#;
    fixture.proxy.fail(Fault::Answer(429, busy), 3, |_| true);
    let doc = sink.doc();
    assert_eq!(doc.table_rows(DOSSIERS).await.expect("rows, in the end").len(), 38);
}

async fn trap_29_a_table_wider_than_grist_takes_is_refused_before_anything_is_sent(fixture: &Fixture) {
    fixture.fill().await;
    let sink = fixture.open().await;
    let wide = |width: u64| {
        let mut layout = layout("demarche_12");
        layout.tables[0].columns.extend((0..width).map(|id| column(100 + id, &format!("q{id}"), "Q", CellKind::Text)));
        SchemaPlan { layout, changes: Vec::new() }
    };
    fixture.proxy.forget();
    let error = sink.prepare(&scope(), &form(), wide(1_900)).await.expect_err("too wide");
    assert!(matches!(&error, SinkError::Refused { .. }), "{error}");
    let told = error.to_string();
    assert!(told.contains(DOSSIERS) && told.contains("1915 columns"), "{told}");
    assert!(fixture.proxy.writes().is_empty(), "no phantom of a table is left behind");
    // In a document that has nothing yet, too.
    let other = demarche_numerique::ids::Scope { instance: "ds".to_owned(), ..scope() };
    let mut layout = layout(&sink.schema(&other).await.expect("a schema").prefix);
    layout.tables[1].columns.extend((0..1_900).map(|id| column(100 + id, &format!("q{id}"), "Q", CellKind::Text)));
    sink.prepare(&other, &form(), creation(layout)).await.expect_err("too wide");
    assert!(fixture.proxy.writes().is_empty());
    let prepared = ready(&sink).await;
    sink.commit(&prepared, &batch(2, vec![insert(4, "quatre")])).await.expect("the document is as good as before");
}

async fn trap_34_the_number_of_a_dossier_is_never_the_id_of_a_row(fixture: &Fixture) {
    let sink = fixture.open().await;
    let prepared = prepare(&sink, &scope()).await;
    let numbers = [u32::MAX, 1_000_001, 25_000_000];
    sink.commit(&prepared, &batch(1, numbers.map(|of| insert(of, "un")).to_vec())).await.expect("a commit");
    for table in [DOSSIERS, "Dn_dossiers"] {
        assert_eq!(fixture.column(table, "id").await, [1, 2, 3], "{table}");
    }
    assert_eq!(fixture.column(DOSSIERS, "number").await, numbers);
    let parents = fixture.column(ENFANTS, "dossier").await;
    assert!(!parents.is_empty() && parents.iter().all(|parent| parent.as_i64() < Some(4)), "{parents:?}");
    let (status, answer) = fixture.send("POST", "apply", Some(json!([["AddRecord", DOSSIERS, 1_000_001, {}]]))).await;
    assert!(status != 200 && answer["error"].as_str().is_some_and(|error| error.contains("too high")), "{answer}");
}

async fn trap_35_a_thousand_keys_go_in_addresses_that_are_taken(fixture: &Fixture) {
    let keys: Vec<Value> = (0..1_000).map(|n| json!(format!("exemple/1234/{n}"))).collect();
    fixture.act(json!([["AddTable", "Essais", [{ "id": "cle", "type": "Text", "isFormula": false }]]])).await;
    fixture.act(json!([["BulkAddRecord", "Essais", vec![Value::Null; 1_000], { "cle": keys.clone() }]])).await;
    let all = fixture.doc().records("Essais", &[("cle", keys)]).await.expect("rows");
    assert_eq!(all.len(), 1_000);
    let asked = fixture.proxy.asked();
    assert!(asked.len() > 1 && asked.iter().all(|asked| asked.path.len() < 8_000 && asked.status == 200));
}

async fn trap_38_many_dossiers_are_read_by_pages_that_follow_each_other(fixture: &Fixture) {
    const ROWS: u32 = 20_000;
    fixture.fill().await;
    let seen = fixture.rows("Dn_dossiers").await.remove(0);
    for first in (3..=ROWS).step_by(2_500) {
        let numbers: Vec<u32> = (first..=ROWS.min(first + 2_499)).collect();
        let many = |column: &str| vec![seen[column].clone(); numbers.len()];
        let keys: Vec<String> = numbers.iter().map(|number| format!("dn/12/{number}")).collect();
        let nobody = vec![Value::Null; numbers.len()];
        fixture
            .act(json!([
                ["BulkAddRecord", "Dn_dossiers", &nobody, {
                    "cle": keys, "numero": &numbers, "instance": many("instance"), "demarche": many("demarche"),
                    "empreinte": many("empreinte"), "lumiere": many("lumiere"),
                    "modifie": many("modifie"), "changement": many("changement"), "premiere_vue": many("premiere_vue"),
                }],
                ["BulkAddRecord", DOSSIERS, &nobody, { "number": &numbers }],
            ]))
            .await;
    }
    let sink = fixture.open().await;
    let mut after = None;
    let mut count = 0;
    fixture.proxy.forget();
    loop {
        let page = sink.census(&scope(), after, 5_000).await.expect("a page within the second that Grist allows");
        let Some(last) = page.last() else { break };
        assert!(after.is_none_or(|after| page[0].number > after));
        (after, count) = (Some(last.number), count + page.len());
    }
    assert_eq!((count, after.map(|number| number.get())), (ROWS as usize, Some(ROWS)));
    let keys: Vec<_> = (1..=ROWS).step_by(20).map(number).collect();
    assert_eq!(sink.known(&scope(), &keys).await.expect("an answer").len(), keys.len());
    assert_eq!(fixture.proxy.most_at_once(), 1, "one question of SQL at a time");
    if fixture.is_real() {
        let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n";
        assert_eq!(sink.doc().sql(endless, &[]).await.expect_err("more than a second").kind(), "slow_sql");
    }
}
