//! Renders reports for people.

use std::collections::BTreeSet;

use comfy_table::CellAlignment;

use super::context::Context;
use super::exit::Exit;
use super::printer::{counted, grouped, instant, legible, size, table};
use crate::cycle::{ErrorKind, outcome};
use crate::ids::{DescriptorId, DossierNumber};
use crate::report::{
    Brake, Counts, FilesReport, ListingReport, Report, RetentionReport, RowDifference, RowsReport, RunOutcome,
};
use crate::sync::{Run, Verification};

/// The number of changes to the tables that are named; more are only counted.
const NAMED: usize = 5;
/// The number of differences of rows that `verify` names for people.
const MANY: usize = 20;

/// The code that a run ends with.
pub fn exit(run: &Run) -> Exit {
    run.error.as_ref().map_or_else(|| exit_of(&run.report), |error| ErrorKind::from(error).into())
}

/// The code of a run that nothing ended early.
pub fn exit_of(report: &Report) -> Exit {
    match (&report.brake, report.outcome) {
        (Some(_), _) => Exit::Brake,
        (None, RunOutcome::Quarantine) => Exit::Quarantine,
        (None, RunOutcome::Interrupted) => Exit::Interrupted,
        (None, RunOutcome::Failed) => Exit::Unexpected,
        (None, RunOutcome::Done) if !report.strangers.is_empty() || !report.damaged.is_empty() => Exit::Quarantine,
        (None, RunOutcome::Done) => Exit::Done,
    }
}

/// Which dossiers have been kept for their term.
pub fn retention(context: &Context, report: &RetentionReport) -> String {
    if report.rules.is_empty() {
        return "dossiers are kept for ever: no term is configured (docs/retention.md)\n".to_owned();
    }
    let mut rows = table(&["Dossiers", "To do", "After", "Due", "Oldest", "Numbers"], context.width);
    for rule in &report.rules {
        let more = rule.due.saturating_sub(rule.dossiers.len() as u64);
        let mut numbers: Vec<String> = rule.dossiers.iter().map(ToString::to_string).collect();
        numbers.extend((more > 0).then(|| format!("and {} more", grouped(more))));
        rows.add_row([
            rule.rule.as_str().to_owned(),
            rule.action.as_str().to_owned(),
            rule.after.clone(),
            grouped(rule.due),
            rule.oldest.map_or_else(String::new, |at| instant(at, &context.zone)),
            numbers.join(", "),
        ]);
    }
    let mut text = format!("{rows}\n");
    if report.waiting > 0 {
        text.push_str(&format!(
            "{} more would be due and wait: a decision about them is to be sent, or they are in quarantine\n",
            counted(report.waiting, "dossier")
        ));
    }
    text
}

/// Renders the report of a run: a short table, then a sentence for each finding.
pub fn report(context: &Context, report: &Report) -> String {
    let Counts { inserted, updated, unchanged, deleted, restored, rewritten, anonymised, purged } = report.counts;
    let title = format!("{}/{} → {}", report.instance, report.demarche, report.target);
    let mut rows = table(&["Dossiers", ""], context.width);
    for (what, count) in [
        ("new", inserted),
        ("changed", updated),
        ("unchanged", unchanged),
        ("gone", deleted),
        ("back", restored),
        ("written again", rewritten),
        ("anonymised", anonymised),
        ("purged", purged),
        ("in quarantine", report.quarantined.len() as u64),
    ] {
        if count > 0 || ["new", "changed", "unchanged"].contains(&what) {
            rows.add_row([what.to_owned(), grouped(count)]);
        }
    }
    if let Some(column) = rows.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut text = format!("{title}\n{rows}\n");
    let watermark = report.watermark.map_or_else(|| "none".to_owned(), |at| instant(at, &context.zone));
    let seconds = report.duration_ms / 1000;
    let tenths = report.duration_ms % 1000 / 100;
    text.push_str(&format!(
        "{}; {}, {}, {seconds}.{tenths} s; last change seen: {watermark}\n",
        outcome(report.outcome),
        counted(report.requests, "request"),
        counted(report.pages, "page"),
    ));
    if let Some(ListingReport { listed, missing, stale, ghost }) = report.listing {
        text.push_str(&format!(
            "complete listing: {} dossiers; mended: {missing} missing, {stale} stale, {ghost} ghost\n",
            grouped(listed)
        ));
    }
    if let Some(found) = &report.rows {
        text.push_str(&told_rows(found));
    }
    match report.schema.as_slice() {
        changes if changes.len() > NAMED && context.global.verbose == 0 => {
            text.push_str(&format!("tables: {} (-v names them)\n", counted(changes.len() as u64, "change")));
        }
        changes => changes.iter().for_each(|change| text.push_str(&format!("tables: {}\n", legible(change)))),
    }
    if !report.unread.is_empty() {
        let dossiers = counted(report.unread.len() as u64, "dossier");
        text.push_str(&format!("{dossiers} with values that could not be read: see the column valeurs_non_lues\n"));
    }
    for drift in &report.drift {
        text.push_str(&format!("unknown to this version, kept as text: {}\n", legible(drift)));
    }
    for notice in &report.notices {
        text.push_str(&format!("target: {}\n", legible(notice)));
    }
    if !report.strangers.is_empty() {
        text.push_str(&told_strangers(report.strangers.iter()));
    }
    if !report.damaged.is_empty() {
        text.push_str(&told_damaged(&report.damaged));
    }
    if let Some(files) = &report.files {
        text.push_str(&told_files(files));
    }
    for (number, reason) in &report.quarantined {
        text.push_str(&format!("in quarantine: dossier {number} ({reason})\n"));
    }
    if report.suppressions_incomplete {
        text.push_str("the lists of deletions could not be read to their end; the next run tries again\n");
    }
    if let Some(due) = &report.retention {
        text.push_str(&retention(context, due));
    }
    if let (Some(Brake { deletions, alive }), Some(_)) = (report.brake, &report.retention) {
        text.push_str(&format!(
            "safety brake: {deletions} of {alive} dossiers are due at once, more than allowed; nothing was done\n\
             hint: check the terms and the clock, then run `dn retention --apply --allow-deletes`\n"
        ));
    } else if let Some(Brake { deletions, alive }) = report.brake {
        text.push_str(&format!(
            "safety brake: {deletions} of {alive} dossiers seem gone, more than allowed; none was marked\n\
             hint: check that the token still covers the démarche, then run `dn sync --allow-deletes`\n"
        ));
    }
    text
}

fn told_rows(found: &RowsReport) -> String {
    let RowsReport { dossiers, mended, unknown, removed, differences } = found;
    let mut text = String::new();
    if *dossiers > 0 {
        let what = "in the target was not what its document says";
        text.push_str(&format!("rows: {} {what}; {} written again\n", counted(*dossiers, "dossier"), grouped(*mended)));
    }
    if *unknown > 0 {
        let end = match removed {
            0 => "`dn verify --repair` removes them".to_owned(),
            removed => format!("{} removed", grouped(*removed)),
        };
        text.push_str(&format!("rows: {} of no dossier of the target; {end}\n", counted(*unknown, "row")));
    }
    for difference in differences.iter().take(NAMED) {
        text.push_str(&format!("  {}\n", told_row(difference)));
    }
    text
}

/// One difference of rows: `dossier 12: 1 row of demarche_5_avis missing`.
fn told_row(difference: &RowDifference) -> String {
    let RowDifference { number, table, fault, rows, columns } = difference;
    let dossier = number.map_or_else(|| "no dossier".to_owned(), |number| format!("dossier {number}"));
    let columns = if columns.is_empty() { String::new() } else { format!(" ({})", columns.join(", ")) };
    legible(&format!("{dossier}: {} of {table} {}{columns}", counted(*rows, "row"), fault.as_str()))
}

fn told_strangers<'a>(ids: impl Iterator<Item = &'a DescriptorId>) -> String {
    let ids: Vec<&str> = ids.map(DescriptorId::as_str).collect();
    let first = ids.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let more = if ids.len() > NAMED { ", …" } else { "" };
    format!(
        "no revision of the form asks {}, so its answers are in the documents and in no column: {}{more}\n",
        counted(ids.len() as u64, "question"),
        legible(&first)
    )
}

fn told_damaged(numbers: &[DossierNumber]) -> String {
    format!(
        "damaged: the stored document of {} ({}), which the platform does not show any more: restore a backup\n",
        counted(numbers.len() as u64, "dossier"),
        first(numbers)
    )
}

/// The first of some numbers.
fn first(numbers: &[DossierNumber]) -> String {
    let shown: Vec<String> = numbers.iter().take(NAMED).map(ToString::to_string).collect();
    let more = if numbers.len() > NAMED { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

fn told_files(files: &FilesReport) -> String {
    let FilesReport { kept, bytes, linked, left } = files;
    let mut text = format!("files: {} fetched ({})", grouped(*kept), size(*bytes));
    if *linked > 0 {
        text.push_str(&format!(", {} more shown where they are known", grouped(*linked)));
    }
    let all: u64 = left.values().sum();
    if all > 0 {
        let reasons: Vec<String> = left.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        text.push_str(&format!("; {} left for later: {}", grouped(all), reasons.join(", ")));
    }
    text.push('\n');
    text
}

/// Renders a verification: a short table and the first numbers of each kind.
pub fn verification(context: &Context, verification: &Verification) -> String {
    let Verification {
        instance,
        demarche,
        target,
        listed,
        held,
        missing,
        stale,
        ghost,
        quarantined,
        compared: _,
        rows: differences,
        damaged,
        strangers,
        version: _,
    } = verification;
    let wrong: BTreeSet<DossierNumber> = differences.iter().filter_map(|found| found.number).collect();
    let wrong: Vec<DossierNumber> = wrong.into_iter().collect();
    let mut rows = table(&["Compared", "Dossiers", "Which"], context.width);
    rows.add_row(["listed by the platform".to_owned(), grouped(*listed), String::new()]);
    rows.add_row(["in the target".to_owned(), grouped(*held), String::new()]);
    for (what, numbers) in [
        ("missing", missing),
        ("stale", stale),
        ("ghost", ghost),
        ("rows that differ", &wrong),
        ("damaged", damaged),
        ("in quarantine", quarantined),
    ] {
        rows.add_row([what.to_owned(), grouped(numbers.len() as u64), first(numbers)]);
    }
    if let Some(column) = rows.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut told = String::new();
    for difference in differences.iter().take(MANY) {
        told.push_str(&format!("{}\n", told_row(difference)));
    }
    if differences.len() > MANY {
        told.push_str(&format!("and {} more (--json names them all)\n", grouped((differences.len() - MANY) as u64)));
    }
    if !strangers.is_empty() {
        told.push_str(&told_strangers(strangers.keys()));
    }
    let verdict = if verification.is_exact() {
        "the target is what the platform shows"
    } else {
        "the target differs from what the platform shows; `dn sync` catches up with recent changes, \
         `dn verify --repair` mends the rest"
    };
    format!("{instance}/{demarche} → {target}\n{rows}\n{told}{verdict}\n")
}
