//! Checks columns that had another type for a while (Grist trap 18): Grist stores converted values marshalled, and SQL sees bytes.

use demarche_numerique::sink::{GristSink, Sink, SinkError};
use grist_client::SqlRow;
use serde_json::{Value, json};

use super::fixture::{DOSSIERS, Fixture, again, ready};
use crate::contracts::world::*;

traps!(
    trap_18_a_key_that_had_another_type_for_a_while_is_found_and_stored_again,
    trap_18_nothing_is_lost_where_another_type_kept_nothing_of_a_key,
    trap_18_what_the_sync_keeps_is_read_whatever_types_its_columns_had,
    trap_17_a_key_of_another_type_is_told_by_everything_that_looks_for_it,
    trap_3_a_number_beyond_32_bits_is_found_again,
);

async fn retype(fixture: &Fixture, table: &str, column: &str, kind: &str) {
    fixture.act(json!([["ModifyColumn", table, column, { "type": kind }]])).await;
}

/// Reads how the cells of a column are stored.
async fn stored(fixture: &Fixture, table: &str, column: &str) -> Vec<Value> {
    let sql = format!("SELECT typeof({column}) AS kind FROM {table} ORDER BY id");
    let rows: Vec<SqlRow> = fixture.doc().sql(&sql, &[]).await.expect("rows");
    rows.into_iter().map(|mut row| row["kind"].take()).collect()
}

async fn reading(fixture: &Fixture) -> GristSink {
    GristSink::of(fixture.doc()).open_read_only().await.expect("a document")
}

async fn trap_18_a_key_that_had_another_type_for_a_while_is_found_and_stored_again(fixture: &Fixture) {
    fixture.fill().await;
    for (turn, kind) in ["Text", "Choice", "ChoiceList", "Numeric", "Any"].into_iter().enumerate() {
        let by = 2 + i64::try_from(turn).expect("a few");
        retype(fixture, DOSSIERS, "number", kind).await;
        retype(fixture, DOSSIERS, "number", "Int").await;
        let blobs = stored(fixture, DOSSIERS, "number").await.contains(&json!("blob"));
        assert_eq!(blobs, kind != "Any" && kind != "Numeric", "{kind}");
        // Who may only read reads what is there.
        let sink = reading(fixture).await;
        let known = sink.known(&scope(), &[number(1), number(2)]).await.expect("an answer");
        assert_eq!(known.len(), 2, "{kind}");
        let sink = reading(fixture).await;
        let census = sink.census(&scope(), None, 9).await.expect("an answer");
        assert_eq!(census.iter().map(|entry| entry.number.get()).collect::<Vec<_>>(), [1, 2], "{kind}");
        // The next run stores it again and goes on: a change is one, and nothing is told as new.
        let sink = fixture.open().await;
        let prepared = ready(&sink).await;
        assert_eq!(sink.known(&scope(), &[number(1), number(2)]).await.expect("an answer").len(), 2, "{kind}");
        let now = if turn % 2 == 0 { "DEUX" } else { "deux" };
        let receipt = sink.commit(&prepared, &batch(by, vec![update(2, now)])).await.expect("a commit");
        assert_eq!(receipt.events, 1);
        let told = sink.notices().iter().any(|notice| notice.contains("Demarche_12_dossiers.number had another type"));
        assert_eq!(told, blobs, "{kind}");
        sink.close().await.expect("a clean end");
        assert_eq!(stored(fixture, DOSSIERS, "number").await, ["integer", "integer"], "{kind}");
        assert_eq!(fixture.column(DOSSIERS, "number").await, [1, 2], "{kind}");
        fixture.assert_sound().await;
    }
    retype(fixture, DOSSIERS, "number", "Text").await;
    retype(fixture, DOSSIERS, "number", "Int").await;
    let sink = fixture.open().await;
    let prepared = ready(&sink).await;
    sink.commit(&prepared, &batch(9, vec![delete(1)])).await.expect("a deletion");
    let gone = fixture.column(DOSSIERS, "dn_gone_reason").await;
    assert!(gone[0] != json!("") && gone[0] != Value::Null, "{gone:?}");
}

async fn trap_18_nothing_is_lost_where_another_type_kept_nothing_of_a_key(fixture: &Fixture) {
    fixture.fill().await;
    let kinds = ["Bool", "Date", "DateTime:Europe/Paris", "Attachments", "Ref:Demarche_12_dossiers", "RefList:Dn_etat"];
    for (turn, kind) in (2..).zip(kinds) {
        retype(fixture, DOSSIERS, "number", kind).await;
        let error = again(&fixture.open().await, layout("demarche_12")).await.expect_err("a key of another type");
        assert!(
            matches!(&error, SinkError::Altered { .. }) && error.to_string().contains("column number is"),
            "{error}"
        );
        retype(fixture, DOSSIERS, "number", "Int").await;
        let sink = fixture.open().await;
        let prepared = ready(&sink).await;
        let known = sink.known(&scope(), &[number(1), number(2)]).await.expect("an answer");
        let missing = [(1, "un"), (2, "deux")].into_iter().filter(|(of, _)| !known.contains_key(&number(*of)));
        let back: Vec<_> = missing.map(|(of, text)| insert(of, text)).collect();
        sink.commit(&prepared, &batch(turn, back)).await.expect("a commit");
        let found = sink.census(&scope(), None, 9).await.expect("an answer");
        assert_eq!(found.iter().map(|entry| entry.number.get()).collect::<Vec<_>>(), [1, 2], "{kind}");
        assert_eq!(sink.totals(&scope()).await.expect("an answer").alive, 2, "{kind}");
        sink.close().await.expect("a clean end");
        // What is no number of ours any more is the person's to remove.
        let rows = fixture.rows(DOSSIERS).await;
        for of in [1, 2] {
            assert!(rows.iter().any(|row| row["number"] == json!(of)), "{kind}: {rows:?}");
        }
    }
}

async fn trap_18_what_the_sync_keeps_is_read_whatever_types_its_columns_had(fixture: &Fixture) {
    fixture.fill().await;
    let before = reading(fixture).await;
    let checkpoint = before.checkpoint(&scope()).await.expect("an answer");
    let known = before.known(&scope(), &[number(1), number(2)]).await.expect("an answer");
    let tables = [
        ("Dn_etat", &["cle", "valeur", "empreinte"][..]),
        ("Dn_baux", &["jeton", "tour", "hote", "processus", "depuis", "vu", "libre"]),
        (
            "Dn_dossiers",
            &[
                "cle",
                "instance",
                "demarche",
                "numero",
                "etat",
                "empreinte",
                "lumiere",
                "modifie",
                "disparu",
                "motif",
                "disparu_le",
                "premiere_vue",
                "changement",
                "suites",
                "document",
            ],
        ),
        ("Dn_suites", &["cle", "valeur"]),
    ];
    for (table, columns) in tables {
        let kinds: Vec<String> = fixture
            .tables()
            .await
            .into_iter()
            .filter(|found| found.id == table)
            .flat_map(|found| found.columns)
            .map(|column| format!("{} {}", column.id, column.kind))
            .collect();
        for column in columns {
            let own = kinds.iter().find_map(|line| line.strip_prefix(&format!("{column} "))).expect("its type");
            for kind in ["Text", "Numeric", "Any", "Choice"] {
                if own == kind || (own == "Bool" && kind == "Numeric") {
                    continue;
                }
                retype(fixture, table, column, kind).await;
                // While it has the other type it is read, or told; nothing is taken for a new document.
                if let Err(error) = fixture.try_open().await {
                    let told = matches!(&error, SinkError::Altered { reason, .. } if reason.contains(table));
                    assert!(told, "{table}.{column} as {kind}: {error}");
                }
                retype(fixture, table, column, own).await;
                let what = format!("{table}.{column} after {kind}");
                let sink = fixture.try_open().await.unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(sink.checkpoint(&scope()).await.expect("an answer"), checkpoint, "{what}");
                assert_eq!(sink.totals(&scope()).await.expect("an answer").alive, 2, "{what}");
                let found = sink.known(&scope(), &[number(1), number(2)]).await.expect("an answer");
                assert_eq!(found, known, "{what}");
                assert_eq!(sink.census(&scope(), None, 9).await.expect("an answer").len(), 2, "{what}");
                assert_eq!(sink.documents(&scope(), None, 9).await.expect("an answer").len(), 2, "{what}");
                ready(&sink).await;
                sink.close().await.expect("a clean end");
            }
        }
    }
    for (column, kinds) in [("numero", ["integer", "integer"]), ("demarche", ["text", "text"])] {
        assert_eq!(stored(fixture, "Dn_dossiers", column).await, kinds, "{column}");
    }
    fixture.assert_sound().await;
}

async fn trap_17_a_key_of_another_type_is_told_by_everything_that_looks_for_it(fixture: &Fixture) {
    fixture.fill().await;
    retype(fixture, DOSSIERS, "number", "Text").await;
    let sink = reading(fixture).await;
    let known = sink.known(&scope(), &[number(1)]).await.expect_err("it is looked up by its value");
    let census = sink.census(&scope(), None, 9).await.expect_err("it is looked up by its value");
    for error in [known, census] {
        assert!(error.to_string().contains("column number is Text, not Int"), "{error}");
    }
}

async fn trap_3_a_number_beyond_32_bits_is_found_again(fixture: &Fixture) {
    fixture.fill().await;
    for turn in 2..4 {
        let sink = fixture.open().await;
        let prepared = ready(&sink).await;
        let known = sink.known(&scope(), &[number(4_000_000_000)]).await.expect("an answer");
        assert_eq!(known.len(), usize::from(turn > 2));
        sink.commit(&prepared, &batch(turn, vec![insert(4_000_000_000, "loin")])).await.expect("a commit");
        sink.close().await.expect("a clean end");
    }
    assert_eq!(fixture.column(DOSSIERS, "number").await, [json!(1), json!(2), json!(4_000_000_000_u32)]);
    fixture.assert_sound().await;
}
