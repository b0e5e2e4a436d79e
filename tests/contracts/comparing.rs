//! Checks how a target compares its rows with its documents.

use demarche_numerique::Platform;
use demarche_numerique::plan::Change;
use demarche_numerique::report::{RowDifference, RowFault};
use demarche_numerique::sink::{ExpectedDossier, InstanceAddress};
use demarche_numerique::table::Cell;

use super::look::Look;
use super::world::*;

/// A dossier as a batch of that second wrote it.
fn expected(of: u32, text: &str, second: i64) -> ExpectedDossier {
    ExpectedDossier { row: *row(of, text), gone: None, last_changed: at(second) }
}

fn difference(of: u32, table: &str, fault: RowFault, rows: u64, columns: &[&str]) -> RowDifference {
    let columns = columns.iter().map(|column| (*column).to_owned()).collect();
    RowDifference { number: Some(number(of)), table: format!("demarche_12_{table}"), fault, rows, columns }
}

pub async fn rows_as_they_were_written_show_no_difference(sink: &impl Look) {
    let scope = scope();
    let prepared = prepare(sink, &scope).await;
    // Values that targets keep in another form than they come in.
    let mut odd = row(4, "quatre");
    odd.cells = vec![
        Cell::Text("nul \0 au milieu".to_owned()),
        Cell::Integer(i64::MAX),
        Cell::Decimal("1234567890.12345678".parse().expect("a decimal")),
        Cell::Real(-0.0),
        Cell::Boolean(false),
        Cell::Date(jiff::civil::date(1, 1, 1)),
        Cell::Datetime("2026-01-15T13:52:35.123456789Z".parse().expect("an instant")),
        Cell::Null,
        Cell::List(vec![String::new(), "a, \"b\"".to_owned()]),
        Cell::Json(r#"{ "b" : 1.50, "a\u0000": [ ] }"#.to_owned()),
    ];
    let gone = ExpectedDossier { gone: Some(gone()), ..expected(2, "deux", 2) };
    let batch_of_all = vec![insert(1, "un"), insert(2, "deux"), Change::Present(odd.clone()), insert(5, "")];
    sink.commit(&prepared, &batch(1, batch_of_all)).await.expect("a commit");
    sink.commit(&prepared, &batch(2, vec![delete(2)])).await.expect("a commit");
    let odd = ExpectedDossier { row: *odd, gone: None, last_changed: at(1) };
    let all = [expected(1, "un", 1), gone, odd, expected(5, "", 1)];
    let found = sink.compare_rows(&scope, prepared.layout(), &all).await.expect("a comparison");
    assert_eq!(found, []);
    assert_eq!(sink.survey_rows(&scope, 100).await.expect("a survey"), []);
    assert_eq!(sink.remove_unknown_rows(&prepared).await.expect("nothing to remove"), 0);
}

pub async fn every_difference_of_rows_is_told_with_its_place<S: Look>(sink: &S) {
    if !S::COMPARES {
        return;
    }
    let scope = scope();
    let prepared = prepare(sink, &scope).await;
    sink.commit(&prepared, &batch(1, vec![insert(1, "un"), insert(2, "deux"), insert(5, "cinq")]))
        .await
        .expect("a commit");
    let mut other = expected(1, "un", 1);
    other.row.cells[1] = Cell::Null;
    other.row.cells[8] = Cell::List(vec!["l'un".to_owned()]);
    let mut moved = expected(2, "deux", 1);
    moved.row.children.swap(0, 1);
    moved.row.children[0].key = "ligne-9".to_owned();
    let found = sink
        .compare_rows(&scope, prepared.layout(), &[other, moved, expected(5, "cinq", 1), expected(8, "huit", 1)])
        .await
        .expect("a comparison");
    assert_eq!(
        found,
        [
            difference(1, "dossiers", RowFault::Changed, 1, &["effectif", "options"]),
            difference(2, "enfants", RowFault::Missing, 1, &[]),
            difference(2, "enfants", RowFault::Extra, 1, &[]),
            difference(8, "dossiers", RowFault::Missing, 1, &[]),
            difference(8, "enfants", RowFault::Missing, 2, &[]),
        ]
    );
}

pub async fn the_address_of_an_instance_is_kept_and_not_overwritten<S: Look>(sink: &S) {
    let address = |url: &str| InstanceAddress {
        platform: Platform::DematSocial.as_str().to_owned(),
        url: format!("https://{url}/api/v2/graphql"),
    };
    let (first, second) = (address("un.example.org"), address("deux.example.org"));
    sink.keep_address("ds", &first, None).await.expect("an address");
    let kept = sink.instances().await.expect("instances");
    if !S::COMPARES && kept.is_empty() {
        return;
    }
    assert_eq!(kept, [("ds".to_owned(), Some(first.clone()))]);
    // Whoever comes later without knowing of it changes nothing.
    sink.keep_address("ds", &second, None).await.expect("an answer");
    assert_eq!(sink.instances().await.expect("instances"), [("ds".to_owned(), Some(first.clone()))]);
    sink.keep_address("ds", &second, Some(&first)).await.expect("another address");
    assert_eq!(sink.instances().await.expect("instances"), [("ds".to_owned(), Some(second))]);
    assert_eq!(sink.schema(&scope()).await.expect("a schema").prefix, "dn_demarche_12", "the first has no prefix");
}
