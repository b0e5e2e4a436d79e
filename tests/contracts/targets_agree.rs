//! Compares every target with the one in memory after random commits.

use demarche_numerique::dossier::{Gone, GoneReason};
use demarche_numerique::fingerprint::Digest;
use demarche_numerique::plan::Change;
use demarche_numerique::sink::{MemorySink, Sink as _, SqliteSink};
use demarche_numerique::table::{Cell, ChildRow, Row};
use proptest::collection::vec;
use proptest::prelude::*;

use super::look::Look;
use super::world::{BLOCK, at, batch, number, prepare, row, scope};

fn cell(kind: usize) -> BoxedStrategy<Cell> {
    let text = || prop_oneof![".{0,40}", "[a-z'\"\\x00🎉é]{0,12}"];
    let filled = match kind {
        1 => any::<i64>().prop_map(Cell::Integer).boxed(),
        2 => (-9_999_999_i64..9_999_999, 0_u32..4)
            .prop_map(|(m, s)| Cell::Decimal(rust_decimal::Decimal::new(m, s)))
            .boxed(),
        3 => (-18_000_i32..18_000).prop_map(|n| Cell::Real(f64::from(n) / 100.0)).boxed(),
        4 => any::<bool>().prop_map(Cell::Boolean).boxed(),
        5 => (1_i16..28).prop_map(|day| Cell::Date(jiff::civil::date(2026, 2, day as i8))).boxed(),
        6 => (-1_000_000_i64..1_000_000).prop_map(|second| Cell::Datetime(at(second))).boxed(),
        8 => vec(text(), 0..4).prop_map(Cell::List).boxed(),
        9 => "[a-z'\"🎉é]{0,12}".prop_map(|text| Cell::Json(serde_json::json!([text]).to_string())).boxed(),
        _ => text().prop_map(Cell::Text).boxed(),
    };
    prop_oneof![1 => Just(Cell::Null), 4 => filled].boxed()
}

fn any_row(of: u32) -> impl Strategy<Value = Box<Row>> {
    let cells: Vec<_> = (0..10).map(cell).collect();
    let child = (cell(0), cell(1)).prop_map(|(prenom, age)| vec![prenom, age]);
    (cells, vec(child, 0..4), ".{0,30}", 0_u8..3).prop_map(move |(cells, children, text, light)| {
        let document = serde_json::json!({ "texte": text }).to_string();
        let children = (0..).zip(children);
        let child = |(position, cells)| ChildRow { table: BLOCK, key: format!("l{position}"), position, cells };
        Box::new(Row {
            fingerprint: Digest::of(document.as_bytes()),
            light: Digest::of(&[light]),
            updated_at: at(i64::from(light)),
            document,
            cells,
            children: children.map(child).collect(),
            ..*row(of, "x")
        })
    })
}

/// Changes as a planner with any view of the target, right or stale, could make them.
fn any_change(of: u32) -> impl Strategy<Value = Change> {
    let gone = prop_oneof![
        Just(GoneReason::Missing),
        "[a-z]{0,5}".prop_map(GoneReason::Pending),
        "[a-z]{0,5}".prop_map(GoneReason::Deleted),
    ];
    (any_row(of), gone, any::<bool>(), 0..6).prop_map(move |(row, reason, dated, kind)| {
        let gone = Gone { reason, at: dated.then(|| at(3)) };
        match kind {
            0..3 => Change::Present(row),
            3 => Change::Rewrite(row),
            _ => Change::Gone(number(of), gone),
        }
    })
}

fn any_batches() -> impl Strategy<Value = Vec<Vec<Change>>> {
    let changes = proptest::sample::subsequence((1..8).collect::<Vec<u32>>(), 0..7);
    vec(changes.prop_flat_map(|numbers| numbers.into_iter().map(any_change).collect::<Vec<_>>()), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn random_batches_leave_the_same_in_memory_and_in_a_file(batches in any_batches()) {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let file = SqliteSink::open(folder.path().join("dossiers.db")).await.expect("a database");
            agree(&file, batches, "\\u0000").await?;
            file.check().await.expect("a sound file");
            Ok::<(), TestCaseError>(())
        })?;
    }
}

#[cfg(feature = "postgres")]
proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn random_batches_leave_the_same_in_memory_and_in_postgresql(batches in any_batches()) {
        runtime().block_on(async {
            let database = crate::support::postgres::Database::new().await;
            let sink = database.sink().await;
            agree(&sink, batches, "\u{fffd}").await?;
            sink.check().await.expect("a sound schema");
            Ok::<(), TestCaseError>(())
        })?;
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Commits the same to a target and to memory, and compares all that lies in them. `nul` is how the target writes U+0000 in
/// a list.
async fn agree(target: &impl Look, batches: Vec<Vec<Change>>, nul: &str) -> Result<(), TestCaseError> {
    let memory = MemorySink::default();
    let scope = scope();
    let in_target = prepare(target, &scope).await;
    let in_memory = prepare(&memory, &scope).await;
    for (second, changes) in (1..).zip(batches) {
        let batch = batch(second, changes);
        let receipts = (
            target.commit(&in_target, &batch).await.expect("a commit"),
            memory.commit(&in_memory, &batch).await.expect("a commit"),
        );
        prop_assert_eq!(receipts.0, receipts.1);
    }
    let mut expected = memory.look(&scope).await;
    let cells =
        expected.tables.values_mut().flat_map(|rows| rows.values_mut()).flat_map(|columns| columns.values_mut());
    cells.for_each(|cell| *cell = cell.replace("\\u0000", nul));
    prop_assert_eq!(target.look(&scope).await, expected);
    let pages = (target.documents(&scope, None, 99).await, memory.documents(&scope, None, 99).await);
    prop_assert_eq!(pages.0.expect("documents"), pages.1.expect("documents"));
    Ok(())
}
