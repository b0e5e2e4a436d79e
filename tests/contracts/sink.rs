//! Checks the contract of `Sink`, generic over the target.

use demarche_numerique::dossier::{Gone, GoneReason};
use demarche_numerique::ids::{DemarcheNumber, DossierNumber, Scope};
use demarche_numerique::plan::{Change, KnownDossier, SchemaChange, SchemaPlan};
use demarche_numerique::report::{Report, RunOutcome, RunRecord};
use demarche_numerique::sink::{MemorySink, QuarantineChange, QuarantineEntry, SinkError};
use demarche_numerique::table::{Cell, CellKind, ChildRow};

use super::comparing::{
    every_difference_of_rows_is_told_with_its_place, rows_as_they_were_written_show_no_difference,
    the_address_of_an_instance_is_kept_and_not_overwritten,
};
use super::look::{Look, literal};
use super::retention::{
    an_anonymised_dossier_stays_as_it_was_left_until_it_moves, of_a_purged_dossier_only_its_number_is_left,
    old_lines_of_the_history_go_and_the_last_one_stays, what_had_gone_and_was_purged_is_news_when_it_is_back,
    what_was_purged_stays_away_until_it_moves,
};
use super::world::*;

macro_rules! contract {
    ($($test:ident),* $(,)?) => {
        /// Checks all of it on targets that `open` makes, a new one for each part.
        pub async fn check<S: Look>(open: impl AsyncFn(&'static str) -> S) {
            $(super::sink::$test(&open(stringify!($test)).await).await;)*
        }

        mod memory {
            $(#[tokio::test]
            async fn $test() {
                super::$test(&super::MemorySink::new("memory")).await;
            })*
        }

        #[cfg(feature = "sqlite")]
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                let folder = tempfile::tempdir().expect("a folder");
                let path = folder.path().join("dossiers.db");
                let sink = demarche_numerique::sink::SqliteSink::open(path).await.expect("a database");
                super::$test(&sink).await;
                sink.check().await.expect("a sound file");
            })*
        }

        #[cfg(all(feature = "grist", feature = "sqlite"))]
        mod grist {
            $(#[tokio::test]
            async fn $test() {
                let place = super::super::grist::Place::new().await;
                super::$test(&place.open().await).await;
                place.assert_sound();
            })*
        }

        #[cfg(feature = "postgres")]
        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                let database = crate::support::postgres::Database::new().await;
                let sink = database.sink().await;
                super::$test(&sink).await;
                sink.check().await.expect("a sound schema");
            })*
        }
    };
}

contract!(
    a_new_target_knows_nothing,
    what_was_committed_is_there,
    committing_twice_changes_nothing,
    a_batch_planned_on_a_stale_view_tells_each_event_once,
    a_commit_that_fails_leaves_no_trace,
    the_watermark_never_moves_backward,
    texts_of_every_sort_survive,
    values_at_the_edge_survive,
    children_follow_their_dossier,
    a_tombstone_keeps_the_content_and_a_dossier_that_returns_loses_it,
    a_rewrite_keeps_the_tombstone_and_tells_nothing_when_the_fingerprint_stays,
    widening_a_column_keeps_its_values,
    a_new_column_is_empty_and_a_former_one_becomes_so,
    preparing_twice_changes_nothing,
    a_plan_for_other_tables_is_refused,
    two_instances_with_the_same_numbers_do_not_meet,
    two_demarches_of_one_instance_do_not_meet,
    pages_of_the_census_and_of_documents_go_on_where_the_last_one_stopped,
    quarantine_is_kept_until_it_is_released,
    the_last_runs_come_first,
    a_page_of_many_sizes_is_written_whole,
    of_a_purged_dossier_only_its_number_is_left,
    what_was_purged_stays_away_until_it_moves,
    what_had_gone_and_was_purged_is_news_when_it_is_back,
    an_anonymised_dossier_stays_as_it_was_left_until_it_moves,
    old_lines_of_the_history_go_and_the_last_one_stays,
    rows_as_they_were_written_show_no_difference,
    every_difference_of_rows_is_told_with_its_place,
    the_address_of_an_instance_is_kept_and_not_overwritten,
);

async fn a_new_target_knows_nothing(sink: &impl Look) {
    let scope = scope();
    let remembered = sink.schema(&scope).await.expect("a schema");
    assert_eq!((remembered.tables.len(), remembered.prefix.as_str()), (0, "demarche_12"));
    assert_eq!(sink.checkpoint(&scope).await.expect("an answer"), None);
    assert!(sink.known(&scope, &[number(1)]).await.expect("an answer").is_empty());
    assert!(sink.census(&scope, None, 10).await.expect("an answer").is_empty());
    assert!(sink.documents(&scope, None, 10).await.expect("an answer").is_empty());
    assert!(sink.quarantine(&scope).await.expect("an answer").is_empty());
    assert!(sink.runs(&scope, 10).await.expect("an answer").is_empty());
}

async fn what_was_committed_is_there(sink: &impl Look) {
    let scope = scope();
    let prepared = prepare(sink, &scope).await;
    let first = batch(1, vec![insert(1, "un"), insert(2, "deux")]);
    let receipt = sink.commit(&prepared, &first).await.expect("a commit");
    // Two dossiers, and one and two rows of the block.
    assert_eq!((receipt.rows_written, receipt.events), (5, 2));

    assert_eq!(sink.checkpoint(&scope).await.expect("an answer"), Some(first.checkpoint));
    let known = sink.known(&scope, &[number(2), number(3)]).await.expect("an answer");
    let expected = row(2, "deux");
    let expected = KnownDossier { fingerprint: expected.fingerprint, light: expected.light, gone: None };
    assert_eq!(known, [(number(2), expected)].into());
    let documents = sink.documents(&scope, None, 10).await.expect("an answer");
    assert_eq!(documents[0].document, row(1, "un").document);
    assert_eq!(documents[1].fingerprint, row(2, "deux").fingerprint);
    let shown = sink.look(&scope).await;
    let columns = &shown.tables["demarche_12_dossiers"][&(2, String::new())];
    for (name, value) in [
        ("nom", "'deux'"),
        ("effectif", "-2"),
        ("montant", "12.345"),
        ("latitude", "48.8531"),
        ("accord", "1"),
        ("jour", "'2026-01-15'"),
        ("instant", "'2026-01-15T12:26:40Z'"),
        ("choix", "'l''un'"),
        ("options", r#"'["l''un","l’autre 🎉"]'"#),
        ("fiche", r#"'{"a":null}'"#),
        ("dn_gone_reason", "NULL"),
    ] {
        assert_eq!(columns[name], value, "{name}");
    }
    let enfant = &shown.tables["demarche_12_enfants"][&(2, "ligne-1".to_owned())];
    assert_eq!(
        (enfant["prenom"].as_str(), enfant["age"].as_str(), enfant["position"].as_str()),
        ("'deux 1'", "NULL", "1")
    );
}

async fn committing_twice_changes_nothing(sink: &impl Look) {
    let scope = scope();
    let prepared = prepare(sink, &scope).await;
    let batches = [
        batch(1, vec![insert(1, "un"), insert(2, "deux"), insert(5, "cinq")]),
        batch(2, vec![update(1, "UN"), delete(2)]),
        batch(3, vec![Change::Present(row(2, "deux"))]),
        batch(4, vec![Change::Rewrite(row(1, "autre"))]),
    ];
    for batch in &batches {
        let receipt = sink.commit(&prepared, batch).await.expect("a commit");
        assert_eq!(receipt.events, batch.plan.changes.len() as u64);
        let once = sink.look(&scope).await;
        let again = sink.commit(&prepared, batch).await.expect("the same commit");
        assert_eq!(again.events, 0, "{}", batch.run);
        assert_eq!(sink.look(&scope).await, once, "{}", batch.run);
    }
}

async fn a_batch_planned_on_a_stale_view_tells_each_event_once(sink: &impl Look) {
    let scope = scope();
    let prepared = prepare(sink, &scope).await;
    sink.commit(&prepared, &batch(1, vec![insert(1, "un"), insert(2, "deux")])).await.expect("a commit");
    // Planned when the target knew neither: the one is the same, the other moved meanwhile.
    let late = batch(2, vec![insert(1, "un"), insert(2, "DEUX"), insert(3, "trois")]);
    let receipt = sink.commit(&prepared, &late).await.expect("a commit");
    assert_eq!(receipt.events, 2);
    if let Some(feed) = sink.look(&scope).await.feed {
        let kinds: Vec<String> =
            feed.iter().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(kinds, ["1 insert", "2 insert", "2 update", "3 insert"]);
    }
}

async fn a_commit_that_fails_leaves_no_trace(sink: &impl Look) {
    let scope = scope();
    let prepared = prepare(sink, &scope).await;
    sink.commit(&prepared, &batch(1, vec![insert(1, "un")])).await.expect("a commit");
    let before = sink.look(&scope).await;

    let mut too_short = row(3, "trois");
    too_short.cells.pop();
    let mut same_keys = row(5, "cinq");
    same_keys.children.iter_mut().for_each(|child| child.key = "ligne".to_owned());
    let mut nowhere = row(2, "deux");
    nowhere.children[0].table = 7;
    for broken in [too_short, same_keys, nowhere] {
        let mut batch = batch(2, vec![update(1, "UN"), delete(1), Change::Present(broken)]);
        batch.quarantine.push(QuarantineChange::Put(quarantined(9, 1)));
        let error = sink.commit(&prepared, &batch).await.expect_err("a refusal");
        assert!(matches!(error, SinkError::Refused { .. } | SinkError::CannotHold { .. }), "{error}");
        for secret in ["trois", "cinq", "deux"] {
            assert!(!error.to_string().contains(secret), "{error}");
        }
        assert_eq!(sink.look(&scope).await, before);
        assert_eq!(sink.checkpoint(&scope).await.expect("an answer").and_then(|c| c.watermark), Some(at(1)));
        assert!(sink.quarantine(&scope).await.expect("an answer").is_empty());
    }
}

async fn the_watermark_never_moves_backward(sink: &impl Look) {
    let scope = scope();
    let prepared = prepare(sink, &scope).await;
    sink.commit(&prepared, &batch(5, vec![])).await.expect("a commit");
    for watermark in [Some(at(4)), None] {
        let mut late = batch(6, vec![insert(1, "un")]);
        late.checkpoint.watermark = watermark;
        let error = sink.commit(&prepared, &late).await.expect_err("a refusal");
        assert!(matches!(&error, SinkError::Backward { scope } if scope == "dn/12"), "{error}");
        assert!(sink.known(&scope, &[number(1)]).await.expect("an answer").is_empty());
    }
    let mut same = batch(5, vec![]);
    same.checkpoint.listed_at = Some(at(9));
    sink.commit(&prepared, &same).await.expect("the same watermark");
    assert_eq!(sink.checkpoint(&scope).await.expect("an answer"), Some(same.checkpoint));
}

async fn texts_of_every_sort_survive<S: Look>(sink: &S) {
    let scope = scope();
    let prepared = prepare(sink, &scope).await;
    let long = "dix mégaoctets… ".repeat(600_000);
    let texts = [
        "",
        " ",
        "é à ü œ Ÿ",
        "🎉👩‍👩‍👧",
        "e\u{301}",
        "l'un \"l'autre\" `ou` [rien]",
        "'); DROP TABLE dn_dossiers; --",
        "une\nligne\r\net\tune autre",
        "?1 :nom @x $y",
        "a\0b",
        "\u{feff}\u{202e}",
        &long,
    ];
    for (of, text) in (1..).zip(texts) {
        let mut row = row(of, text);
        row.children = vec![ChildRow {
            table: BLOCK,
            key: format!("clé {text}").chars().take(40).collect(),
            position: 0,
            cells: vec![Cell::Text(text.to_owned()), Cell::Null],
        }];
        let batch = batch(1, vec![Change::Present(row.clone())]);
        sink.commit(&prepared, &batch).await.expect("a commit");
        let stored = sink.documents(&scope, Some(number(of - 1)), 1).await.expect("an answer");
        assert!(stored[0].document == row.document, "the document of {text:.20?}");
        let shown = sink.look(&scope).await;
        // A text goes up to the end for every program: what would cut it is replaced by what says so.
        let expected = literal::<S>(text);
        let columns = &shown.tables["demarche_12_dossiers"][&(i64::from(of), String::new())];
        assert!(columns["nom"] == expected, "{text:.20?}");
        let prenoms = shown.tables["demarche_12_enfants"].iter().filter(|((number, _), _)| *number == i64::from(of));
        assert!(prenoms.map(|(_, columns)| &columns["prenom"]).eq([&expected]), "{text:.20?}");
    }
}

async fn values_at_the_edge_survive(sink: &impl Look) {
    let scope = scope();
    let prepared = prepare(sink, &scope).await;
    for (of, integer, decimal, shown_decimal) in [
        (1, i64::MAX, "79228162514264337593543950335", "'79228162514264337593543950335'"),
        (2, i64::MIN, "-0.0000000000000000000000000001", "0.0000000000000000000000000001"),
        (3, 0, "9007199254740993", "9007199254740993"),
        (4, -1, "1234567890.12345678", "'1234567890.12345678'"),
        (5, 1, "100.10", "100.1"),
        (6, 1, "0.00", "0"),
    ] {
        let mut row = row(of, "bord");
        row.cells[1] = Cell::Integer(integer);
        row.cells[2] = Cell::Decimal(decimal.parse().expect("a decimal"));
        sink.commit(&prepared, &batch(1, vec![Change::Present(row)])).await.expect("a commit");
        let shown = sink.look(&scope).await;
        let columns = &shown.tables["demarche_12_dossiers"][&(i64::from(of), String::new())];
        assert_eq!(columns["effectif"], integer.to_string());
        let montant = &columns["montant"];
        // Memory keeps the decimal; a file keeps a number where that is exact, which SQLite may write with an exponent.
        // The JSON of a test is read to the last digit but one.
        let near = |a: f64, b: f64| (a - b).abs() <= a.abs() * 1e-15;
        let same_number = montant.parse().is_ok_and(|a| decimal.parse().is_ok_and(|b| near(a, b)));
        assert!(montant == shown_decimal || montant == shown_decimal.trim_matches('\'') || same_number, "{montant}");
    }
}

async fn children_follow_their_dossier(sink: &impl Look) {
    let scope = scope();
    let prepared = prepare(sink, &scope).await;
    sink.commit(&prepared, &batch(1, vec![insert(2, "deux"), insert(5, "cinq")])).await.expect("a commit");
    let mut fewer = row(2, "DEUX");
    fewer.children.remove(0);
    fewer.children[0].position = 0;
    sink.commit(&prepared, &batch(2, vec![Change::Present(fewer)])).await.expect("a commit");
    let shown = sink.look(&scope).await;
    let rows: Vec<(i64, &str, &str)> = shown.tables["demarche_12_enfants"]
        .iter()
        .map(|((number, key), columns)| (*number, key.as_str(), columns["prenom"].as_str()))
        .collect();
    assert_eq!(rows, [(2, "ligne-1", "'DEUX 1'"), (5, "ligne-0", "'cinq 0'"), (5, "ligne-1", "'cinq 1'")]);
}

async fn a_tombstone_keeps_the_content_and_a_dossier_that_returns_loses_it(sink: &impl Look) {
    let scope = scope();
    let prepared = prepare(sink, &scope).await;
    sink.commit(&prepared, &batch(1, vec![insert(2, "deux")])).await.expect("a commit");
    let receipt = sink.commit(&prepared, &batch(2, vec![delete(2), delete(4)])).await;
    assert_eq!(receipt.expect("a commit").events, 1);
    let shown = sink.look(&scope).await;
    let columns = &shown.tables["demarche_12_dossiers"][&(2, String::new())];
    assert_eq!((columns["nom"].as_str(), columns["dn_gone_reason"].as_str()), ("'deux'", "'user_request'"));
    assert_eq!(shown.tables["demarche_12_enfants"].len(), 2);
    assert_eq!(sink.known(&scope, &[number(2)]).await.expect("an answer")[&number(2)].gone, Some(gone()));
    assert_eq!(sink.census(&scope, None, 9).await.expect("an answer")[0].gone, Some(gone()));
    assert_eq!(sink.documents(&scope, None, 9).await.expect("an answer")[0].gone, Some(gone()));

    let purged = Gone { reason: GoneReason::Deleted("user_request".to_owned()), at: None };
    let retomb = Change::Gone(number(2), purged.clone());
    let receipt = sink.commit(&prepared, &batch(3, vec![retomb])).await.expect("a commit");
    assert_eq!(receipt.events, 0);
    assert_eq!(sink.known(&scope, &[number(2)]).await.expect("an answer")[&number(2)].gone, Some(purged));

    let restore = Change::Present(row(2, "revenu"));
    let receipt = sink.commit(&prepared, &batch(4, vec![restore])).await.expect("a commit");
    assert_eq!(receipt.events, 1);
    let shown = sink.look(&scope).await;
    let columns = &shown.tables["demarche_12_dossiers"][&(2, String::new())];
    assert_eq!((columns["nom"].as_str(), columns["dn_gone_reason"].as_str()), ("'revenu'", "NULL"));
    assert_eq!(sink.known(&scope, &[number(2)]).await.expect("an answer")[&number(2)].gone, None);
}

async fn a_rewrite_keeps_the_tombstone_and_tells_nothing_when_the_fingerprint_stays(sink: &impl Look) {
    let scope = scope();
    let prepared = prepare(sink, &scope).await;
    sink.commit(&prepared, &batch(1, vec![insert(2, "deux")])).await.expect("a commit");
    sink.commit(&prepared, &batch(2, vec![delete(2)])).await.expect("a commit");
    let mut other_cells = row(2, "deux");
    other_cells.cells[0] = Cell::Text("autrement".to_owned());
    let rewrite = batch(3, vec![Change::Rewrite(other_cells)]);
    let receipt = sink.commit(&prepared, &rewrite).await.expect("a commit");
    assert_eq!((receipt.events, receipt.rows_written), (0, 3));
    let shown = sink.look(&scope).await;
    let columns = &shown.tables["demarche_12_dossiers"][&(2, String::new())];
    assert_eq!((columns["nom"].as_str(), columns["dn_gone_reason"].as_str()), ("'autrement'", "'user_request'"));
    assert_eq!(columns["dn_seen_at"], format!("'{}'", at(2)));
    assert!(shown.feed.is_none_or(|feed| feed.len() == 2));
}

async fn widening_a_column_keeps_its_values<S: Look>(sink: &S) {
    let scope = scope();
    let prepared = prepare(sink, &scope).await;
    sink.commit(&prepared, &batch(1, vec![insert(1, "un"), insert(2, "deux")])).await.expect("a commit");
    let mut layout = prepared.layout().clone();
    let mut changes = Vec::new();
    for (table, column, kind) in [
        (0, 1, CellKind::Decimal),
        (0, 2, CellKind::Text),
        (0, 4, CellKind::Text),
        (0, 5, CellKind::Text),
        (BLOCK, 1, CellKind::Text),
    ] {
        let name = layout.tables[table].name.clone();
        let column = &mut layout.tables[table].columns[column];
        let was = std::mem::replace(&mut column.spec.kind, kind);
        changes.push(SchemaChange::WidenColumn { table: name, column: column.clone(), was });
    }
    let plan = SchemaPlan { layout, changes };
    let prepared = sink.prepare(&scope, &form(), plan).await.expect("wider columns");
    let shown = sink.look(&scope).await;
    let columns = &shown.tables["demarche_12_dossiers"][&(2, String::new())];
    for (name, value) in [("effectif", "-2"), ("montant", "'12.345'"), ("accord", "'1'"), ("jour", "'2026-01-15'")] {
        assert!(columns[name] == value || !S::CONVERTS, "{name} is {}", columns[name]);
    }
    assert_eq!(shown.tables["demarche_12_enfants"].len(), 3, "children stay");
    let kind = sink.schema(&scope).await.expect("a schema").tables[0].columns[1].kind;
    assert_eq!(kind, CellKind::Decimal);

    let mut wider = row(1, "UN");
    wider.cells[1] = Cell::Decimal("1.5".parse().expect("a decimal"));
    wider.cells[2] = Cell::Text("environ douze".to_owned());
    wider.cells[4] = Cell::Text("oui".to_owned());
    wider.cells[5] = Cell::Text("un jour".to_owned());
    sink.commit(&prepared, &batch(2, vec![Change::Present(wider)])).await.expect("a commit");
    let shown = sink.look(&scope).await;
    let columns = &shown.tables["demarche_12_dossiers"][&(1, String::new())];
    assert_eq!((columns["effectif"].as_str(), columns["montant"].as_str()), ("1.5", "'environ douze'"));
}

async fn a_new_column_is_empty_and_a_former_one_becomes_so(sink: &impl Look) {
    let scope = scope();
    let prepared = prepare(sink, &scope).await;
    sink.commit(&prepared, &batch(1, vec![insert(1, "un"), insert(2, "deux")])).await.expect("a commit");
    let mut layout = prepared.layout().clone();
    let former = layout.tables[0].columns.remove(0);
    // In the form's order the new question comes first; what is asked no more goes to the end.
    let new = column(30, "surnom", "Surnom", CellKind::Text);
    layout.tables[0].columns.insert(0, new.clone());
    let mut former = former;
    former.spec.origin = demarche_numerique::table::Origin::Former;
    layout.tables[0].columns.push(former);
    let changes = vec![SchemaChange::AddColumn { table: layout.tables[0].name.clone(), column: new, backfill: false }];
    let prepared = sink.prepare(&scope, &form(), SchemaPlan { layout, changes }).await.expect("a new column");

    let mut row = row(1, "UN");
    row.cells[0] = Cell::Text("Lulu".to_owned());
    row.cells.push(Cell::Null);
    sink.commit(&prepared, &batch(2, vec![Change::Present(row)])).await.expect("a commit");
    let shown = sink.look(&scope).await;
    let dossiers = &shown.tables["demarche_12_dossiers"];
    let pair = |of: i64| {
        let columns = &dossiers[&(of, String::new())];
        (columns["surnom"].as_str(), columns["nom"].as_str(), columns["effectif"].as_str())
    };
    assert_eq!(pair(1), ("'Lulu'", "NULL", "-1"));
    assert_eq!(pair(2), ("NULL", "'deux'", "-2"));
}

async fn preparing_twice_changes_nothing(sink: &impl Look) {
    let scope = scope();
    let prepared = prepare(sink, &scope).await;
    sink.commit(&prepared, &batch(1, vec![insert(1, "un")])).await.expect("a commit");
    let before = (sink.schema(&scope).await.expect("a schema"), sink.look(&scope).await);
    // The same plan again, as after an answer that was lost; and a plan without changes.
    sink.prepare(&scope, &form(), creation(prepared.layout().clone())).await.expect("the same tables");
    let plan = SchemaPlan { layout: prepared.layout().clone(), changes: Vec::new() };
    sink.prepare(&scope, &form(), plan).await.expect("the same tables");
    assert_eq!((sink.schema(&scope).await.expect("a schema"), sink.look(&scope).await), before);

    let mut renamed = prepared.layout().clone();
    renamed.tables[0].columns[0].spec.title = "Raison sociale".to_owned();
    renamed.tables[1].title = "Personnes à charge".to_owned();
    sink.prepare(&scope, &form(), SchemaPlan { layout: renamed, changes: Vec::new() }).await.expect("other titles");
    let remembered = sink.schema(&scope).await.expect("a schema");
    assert_eq!(remembered.tables[0].columns[0].title, "Raison sociale");
    assert_eq!(remembered.tables[1].title, "Personnes à charge");
    assert_eq!(remembered.tables[1].name, "demarche_12_enfants");
}

async fn a_plan_for_other_tables_is_refused(sink: &impl Look) {
    let scope = scope();
    let prepared = prepare(sink, &scope).await;
    let before = sink.schema(&scope).await.expect("a schema");
    type Breaker = fn(&mut demarche_numerique::table::Layout);
    let breakers: [(&str, Breaker); 5] = [
        ("another table name", |layout| layout.tables[0].name = "autre".to_owned()),
        ("another column name", |layout| layout.tables[0].columns[0].name = "autre".to_owned()),
        ("a narrower column", |layout| layout.tables[0].columns[0].spec.kind = CellKind::Integer),
        ("a name of ours", |layout| layout.tables[0].columns.push(column(40, "Number", "Numéro", CellKind::Text))),
        ("no name", |layout| layout.tables[1].columns.push(column(40, "", "Rien", CellKind::Text))),
    ];
    for (name, breaker) in breakers {
        let mut layout = prepared.layout().clone();
        breaker(&mut layout);
        let error = sink.prepare(&scope, &form(), SchemaPlan { layout, changes: Vec::new() }).await.expect_err(name);
        assert!(matches!(error, SinkError::Refused { .. }), "{name}: {error}");
        assert_eq!(sink.schema(&scope).await.expect("a schema"), before, "{name}");
    }
}

async fn two_instances_with_the_same_numbers_do_not_meet(sink: &impl Look) {
    let here = scope();
    let there = Scope { instance: "Démat-Social".to_owned(), demarche: here.demarche };
    let prepared = [prepare(sink, &here).await, prepare(sink, &there).await];
    let prefixes = [&here, &there].map(|scope| sink.schema(scope));
    let [first, second] = prefixes;
    let (first, second) = (first.await.expect("a schema"), second.await.expect("a schema"));
    assert_eq!((first.prefix.as_str(), second.prefix.as_str()), ("demarche_12", "d_mat_soci_demarche_12"));
    assert!(second.taken.contains("demarche_12_dossiers") && !second.taken.contains("d_mat_soci_demarche_12_dossiers"));

    sink.commit(&prepared[0], &batch(9, vec![insert(1, "ici")])).await.expect("a commit");
    sink.commit(&prepared[1], &batch(1, vec![insert(1, "là-bas"), insert(2, "aussi")])).await.expect("a commit");
    let counts = [&here, &there].map(|scope| sink.census(scope, None, 10));
    let [first, second] = counts;
    assert_eq!((first.await.expect("an answer").len(), second.await.expect("an answer").len()), (1, 2));
    let shown = sink.look(&there).await;
    assert_eq!(shown.tables["d_mat_soci_demarche_12_dossiers"][&(1, String::new())]["nom"], "'là-bas'");
    assert_eq!(sink.checkpoint(&there).await.expect("an answer").and_then(|c| c.watermark), Some(at(1)));
}

async fn two_demarches_of_one_instance_do_not_meet(sink: &impl Look) {
    let here = scope();
    let there = Scope { demarche: DemarcheNumber::new(13), ..scope() };
    let prepared = prepare(sink, &here).await;
    let other = prepare(sink, &there).await;
    sink.commit(&prepared, &batch(1, vec![insert(1, "ici")])).await.expect("a commit");
    sink.commit(&other, &batch(1, vec![insert(2, "là-bas")])).await.expect("a commit");
    assert!(sink.known(&there, &[number(1)]).await.expect("an answer").is_empty());
    assert!(sink.look(&there).await.feed.is_none_or(|feed| feed.len() == 1));
    assert_eq!(sink.schema(&there).await.expect("a schema").prefix, "demarche_13");
}

async fn pages_of_the_census_and_of_documents_go_on_where_the_last_one_stopped(sink: &impl Look) {
    let scope = scope();
    let prepared = prepare(sink, &scope).await;
    let all = [1, 2, 3, 500, u32::MAX];
    sink.commit(&prepared, &batch(1, all.iter().map(|of| insert(*of, "x")).collect())).await.expect("a commit");
    let mut census: Vec<DossierNumber> = Vec::new();
    loop {
        let page = sink.census(&scope, census.last().copied(), 2).await.expect("a page");
        let documents = sink.documents(&scope, census.last().copied(), 2).await.expect("a page");
        assert!(page.iter().map(|entry| entry.number).eq(documents.iter().map(|document| document.number)));
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 2);
        census.extend(page.iter().map(|entry| entry.number));
    }
    assert_eq!(census, all.map(number));
}

fn quarantined(of: u32, second: i64) -> QuarantineEntry {
    QuarantineEntry {
        number: number(of),
        reason: "invalid_null".to_owned(),
        message: "a null where the schema has none".to_owned(),
        since: at(second),
        attempts: 1,
        next_try: at(second + 60),
    }
}

async fn quarantine_is_kept_until_it_is_released(sink: &impl Look) {
    let scope = scope();
    let prepared = prepare(sink, &scope).await;
    let mut put = batch(1, vec![]);
    put.quarantine = [(3, 9), (2, 1), (1, 5)].map(|(of, at)| QuarantineChange::Put(quarantined(of, at))).into();
    sink.commit(&prepared, &put).await.expect("a commit");
    let numbers = |entries: Vec<QuarantineEntry>| entries.iter().map(|entry| entry.number.get()).collect::<Vec<_>>();
    assert_eq!(numbers(sink.quarantine(&scope).await.expect("an answer")), [2, 1, 3]);

    let again = QuarantineEntry { attempts: 2, ..quarantined(2, 1) };
    let mut change = batch(2, vec![]);
    change.quarantine = vec![
        QuarantineChange::Put(again.clone()),
        QuarantineChange::Release(number(1)),
        QuarantineChange::Release(number(77)),
    ];
    sink.commit(&prepared, &change).await.expect("a commit");
    assert_eq!(sink.quarantine(&scope).await.expect("an answer"), [again, quarantined(3, 9)]);
}

async fn the_last_runs_come_first(sink: &impl Look) {
    let scope = scope();
    prepare(sink, &scope).await;
    let run = |id: u32, outcome| RunRecord {
        id: format!("run-{id}"),
        started_at: at(i64::from(id)),
        ended_at: "2026-01-15T13:52:35.123456Z".parse().expect("an instant"),
        outcome,
        report: Report { requests: id.into(), error: Some("l'\"été\"".to_owned()), ..Report::default() },
    };
    for (id, outcome) in [(1, RunOutcome::Done), (2, RunOutcome::Failed), (3, RunOutcome::Interrupted)] {
        sink.record_run(&scope, &run(id, outcome)).await.expect("a line");
    }
    sink.record_run(&scope, &run(2, RunOutcome::Quarantine)).await.expect("the same line");
    let runs = sink.runs(&scope, 2).await.expect("an answer");
    assert_eq!(runs, [run(3, RunOutcome::Interrupted), run(2, RunOutcome::Quarantine)]);
}

async fn a_page_of_many_sizes_is_written_whole(sink: &impl Look) {
    let scope = scope();
    let prepared = prepare(sink, &scope).await;
    let mut first = 1;
    for size in [1, 4, 5, 24, 25, 99, 100, 131, 250] {
        let numbers = first..first + size;
        let changes = numbers.clone().map(|of| insert(of, "x")).collect();
        let receipt = sink.commit(&prepared, &batch(i64::from(first), changes)).await.expect("a commit");
        let children: u32 = numbers.map(|of| of % 3).sum();
        assert_eq!((receipt.events, receipt.rows_written), (u64::from(size), u64::from(size + children)), "{size}");
        first += size;
    }
    let shown = sink.look(&scope).await;
    assert_eq!(shown.tables["demarche_12_dossiers"].len(), first as usize - 1);
    assert!(shown.feed.is_none_or(|feed| feed.len() == first as usize - 1));
}
