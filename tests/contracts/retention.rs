//! Checks the part of the contract of `Sink` about retention.

use demarche_numerique::dossier::{Gone, GoneReason};
use demarche_numerique::plan::Change;
use demarche_numerique::report::{Report, RunOutcome, RunRecord};
use demarche_numerique::table::Row;

use super::look::{Look, Shown};
use super::world::*;

fn purge(of: u32) -> Change {
    Change::Purge(number(of))
}

/// Makes the anonymised row of a dossier whose content was `was`.
fn anonymise(of: u32, was: &str) -> Change {
    let was = row(of, was);
    let left = Row { light: was.light.sealed(), ..*row(of, "reste") };
    Change::Anonymise(Box::new(left))
}

/// The tables that have rows of a dossier.
fn tables_with(shown: &Shown, of: u32) -> Vec<&str> {
    let has =
        |rows: &std::collections::BTreeMap<(i64, String), _>| rows.keys().any(|(number, _)| *number == i64::from(of));
    shown.tables.iter().filter(|(_, rows)| has(rows)).map(|(table, _)| table.as_str()).collect()
}

fn feed_of(shown: &Shown, of: u32) -> Option<Vec<&str>> {
    let feed = shown.feed.as_ref()?;
    let lines = feed.iter().filter_map(|line| line.strip_prefix(&format!("{of} ")));
    Some(lines.map(|line| line.split(' ').next().unwrap_or_default()).collect())
}

pub async fn of_a_purged_dossier_only_its_number_is_left(sink: &impl Look) {
    let scope = scope();
    let prepared = prepare(sink, &scope).await;
    let first = batch(1, vec![insert(1, "un secret"), insert(2, "deux"), insert(5, "cinq")]);
    sink.commit(&prepared, &first).await.expect("a commit");
    let receipt = sink.commit(&prepared, &batch(2, vec![purge(2), purge(5), purge(7)])).await.expect("a commit");
    assert_eq!((receipt.rows_written, receipt.events), (2, 2), "one of the three was never there");

    let gone = Some(Gone { reason: GoneReason::Retention, at: Some(at(2)) });
    let census = sink.census(&scope, None, 10).await.expect("an answer");
    let listed: Vec<_> = census.iter().map(|entry| (entry.number, entry.light, entry.gone.clone())).collect();
    let expected = [(1, "un secret", None), (2, "deux", gone.clone()), (5, "cinq", gone.clone())];
    assert_eq!(listed, expected.map(|(of, text, gone)| (number(of), row(of, text).light, gone)));
    assert_eq!(sink.known(&scope, &[number(2)]).await.expect("an answer")[&number(2)].gone, gone);
    for (after, limit) in [(None, 10), (None, 1), (Some(number(0)), 1)] {
        let documents = sink.documents(&scope, after, limit).await.expect("an answer");
        assert_eq!(documents.iter().map(|stored| stored.number).collect::<Vec<_>>(), [number(1)]);
    }
    assert!(sink.documents(&scope, Some(number(1)), 10).await.expect("an answer").is_empty());
    let totals = sink.totals(&scope).await.expect("an answer");
    assert_eq!((totals.alive, totals.gone), (1, 2));

    let shown = sink.look(&scope).await;
    assert_eq!(tables_with(&shown, 1).len(), 2);
    assert_eq!((tables_with(&shown, 2), tables_with(&shown, 5)), (vec![], vec![]));
    let told = format!("{shown:?}");
    assert!(told.contains("un secret") && !told.contains("deux") && !told.contains("cinq"), "{told}");
    if let Some(feed) = feed_of(&shown, 2) {
        assert_eq!(feed, ["insert", "purge"]);
        let last = shown.feed.iter().flatten().rfind(|line| line.starts_with("2 ")).expect("its line");
        assert!(last.starts_with("2 purge None None run-2"), "{last}");
    }
}

pub async fn what_was_purged_stays_away_until_it_moves(sink: &impl Look) {
    let scope = scope();
    let prepared = prepare(sink, &scope).await;
    sink.commit(&prepared, &batch(1, vec![insert(2, "deux"), insert(3, "trois")])).await.expect("a commit");
    sink.commit(&prepared, &batch(2, vec![purge(2)])).await.expect("a commit");
    let before = sink.look(&scope).await;
    // As planned by whoever did not see it, or saw it before; and the purge once more, as its answer was lost.
    for change in [insert(2, "deux"), Change::Rewrite(row(2, "deux")), delete(2), anonymise(2, "deux"), purge(2)] {
        let name = format!("{change:?}");
        let receipt = sink.commit(&prepared, &batch(3, vec![change])).await.expect("a commit");
        assert_eq!((receipt.rows_written, receipt.events), (0, 0), "{name}");
    }
    let after = sink.look(&scope).await;
    assert_eq!((&after.tables, &after.dossiers, &after.feed), (&before.tables, &before.dossiers, &before.feed));

    let receipt = sink.commit(&prepared, &batch(4, vec![update(2, "bougé")])).await.expect("a commit");
    assert_eq!((receipt.rows_written, receipt.events), (3, 1));
    let shown = sink.look(&scope).await;
    assert_eq!(shown.tables["demarche_12_dossiers"][&(2, String::new())]["nom"], "'bougé'");
    assert_eq!(tables_with(&shown, 2).len(), 2);
    assert!(feed_of(&shown, 2).is_none_or(|feed| feed == ["insert", "purge", "restore"]));
    assert_eq!(sink.totals(&scope).await.expect("an answer").alive, 2);
}

pub async fn what_had_gone_and_was_purged_is_news_when_it_is_back(sink: &impl Look) {
    let scope = scope();
    let prepared = prepare(sink, &scope).await;
    sink.commit(&prepared, &batch(1, vec![insert(1, "un")])).await.expect("a commit");
    sink.commit(&prepared, &batch(2, vec![delete(1)])).await.expect("a commit");
    sink.commit(&prepared, &batch(3, vec![purge(1)])).await.expect("a commit");
    let totals = sink.totals(&scope).await.expect("an answer");
    assert_eq!((totals.alive, totals.gone), (0, 1));
    let receipt = sink.commit(&prepared, &batch(4, vec![insert(1, "un")])).await.expect("a commit");
    assert_eq!(receipt.events, 1, "the platform shows what it did not show any more");
    assert_eq!(sink.known(&scope, &[number(1)]).await.expect("an answer")[&number(1)].gone, None);
}

pub async fn an_anonymised_dossier_stays_as_it_was_left_until_it_moves(sink: &impl Look) {
    let scope = scope();
    let prepared = prepare(sink, &scope).await;
    let first = batch(1, vec![insert(1, "un"), insert(2, "deux"), insert(5, "cinq")]);
    sink.commit(&prepared, &first).await.expect("a commit");
    sink.commit(&prepared, &batch(2, vec![delete(5)])).await.expect("a commit");
    let emptied = batch(3, vec![anonymise(2, "deux"), anonymise(5, "cinq"), anonymise(7, "sept")]);
    let receipt = sink.commit(&prepared, &emptied).await.expect("a commit");
    assert_eq!(receipt.events, 2, "one of the three was never there");
    let again = sink.commit(&prepared, &emptied).await.expect("a commit");
    assert_eq!(again.events, 0, "its answer was lost");
    let shown = sink.look(&scope).await;
    let told = format!("{shown:?}");
    assert!(told.contains("reste") && !told.contains("deux") && !told.contains("cinq"), "{told}");
    assert!(feed_of(&shown, 2).is_none_or(|feed| feed == ["insert", "anonymise"]));
    let documents = sink.documents(&scope, Some(number(2)), 1).await.expect("an answer");
    assert_eq!((&documents[0].gone, documents[0].last_changed), (&Some(gone()), at(2)), "its term goes on");

    let receipt = sink.commit(&prepared, &batch(4, vec![insert(2, "deux")])).await.expect("a commit");
    assert_eq!((receipt.rows_written, receipt.events), (0, 0), "the platform shows what it showed then");
    let receipt = sink.commit(&prepared, &batch(5, vec![update(2, "bougé"), purge(5)])).await.expect("a commit");
    assert_eq!(receipt.events, 2);
    let shown = sink.look(&scope).await;
    assert_eq!(shown.tables["demarche_12_dossiers"][&(2, String::new())]["nom"], "'bougé'");
    assert_eq!(tables_with(&shown, 5), [""; 0]);
}

pub async fn old_lines_of_the_history_go_and_the_last_one_stays(sink: &impl Look) {
    let scope = scope();
    let prepared = prepare(sink, &scope).await;
    sink.commit(&prepared, &batch(1, vec![insert(1, "un")])).await.expect("a commit");
    // A target may keep no line of a quiet run.
    let mut report = Report::default();
    report.counts.inserted = 1;
    let run = |second: i64| RunRecord {
        id: format!("run-{second}"),
        started_at: at(second - 1),
        ended_at: at(second),
        outcome: RunOutcome::Done,
        report: report.clone(),
    };
    for second in [100, 200, 300] {
        sink.record_run(&scope, &run(second)).await.expect("a line");
    }
    let forgotten = sink.forget_runs(&scope, at(250)).await.expect("a shorter history");
    let ids = || async {
        let runs = sink.runs(&scope, 10).await.expect("an answer");
        runs.into_iter().map(|run| run.id).collect::<Vec<_>>()
    };
    // A target with a bounded history may leave it as it is.
    if forgotten > 0 {
        assert_eq!((forgotten, ids().await), (2, vec!["run-300".to_owned()]));
        assert_eq!(sink.forget_runs(&scope, at(900)).await.expect("an answer"), 0, "the last line stays");
    }
    assert_eq!(ids().await[0], "run-300");
}
