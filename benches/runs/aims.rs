//! Compares the results with the aims.

use super::results::{Cost, Results};
use super::run_kind::RunKind;
use super::size::Size;
use super::target::Target;

/// With fewer dossiers a first run is mostly the opening of the target and the making of tables.
const LARGE: u32 = 10_000;
/// CPU of a first run into SQLite, in milliseconds a dossier.
const CPU: f64 = 0.2;
/// Memory of a run into SQLite, in MiB, whatever the size of the démarche.
const MEMORY: f64 = 150.0;
/// Requests to the platform for 100 dossiers, but for the first ones.
const REQUESTS: f64 = 1.0;
/// Requests to the platform when nothing changed.
const REQUESTS_UNCHANGED: f64 = 3.0;
/// Largest duration of a first run into PostgreSQL, as a multiple of SQLite's.
const POSTGRES: f64 = 1.5;
/// Largest traffic with a document: writes for 1,000 dossiers, requests without changes, requests for one changed dossier.
const WRITES: f64 = 15.0;
const DOCUMENT_UNCHANGED: f64 = 3.0;
const DOCUMENT_CHANGED: f64 = 4.0;

/// Each aim with the figures that were measured for it.
pub fn render(sizes: &[Size], results: &Results) -> String {
    let mut text = String::from("\n");
    for size in sizes {
        let of = |kind, target| results.get(size.demarche, kind, target);
        let lines = if size.wait == 0 { prompt(size, of) } else { patient(size, of) };
        text += &format!("{}\n{}", size.title(), lines.concat());
    }
    text
}

/// Answers that are there at once: the work is what takes time.
fn prompt<'a>(size: &Size, of: impl Fn(RunKind, Target) -> Option<&'a Cost>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut aim = |name: &str, unit: &str, figure: Option<f64>, most: f64| {
        if let Some(figure) = figure {
            let verdict = if figure <= most { "as aimed at" } else { "MISSED" };
            let (name, figure) = (format!("{name}, at most {most}"), format!("{figure:.2}{unit}"));
            lines.push(format!("  {name:<62} {figure:>10}  {verdict}\n"));
        }
    };
    let first = of(RunKind::First, Target::Sqlite);
    let dossiers = |cost: &Cost| count(cost.measure.dossiers);
    let large = first.filter(|_| size.dossiers >= LARGE);
    aim("CPU of a first run into SQLite, a dossier", " ms", large.map(|r| r.measure.cpu_ms / dossiers(r)), CPU);
    let pages = |r: &Cost| (count(r.platform.requests) - HEAD) * 100.0 / dossiers(r);
    aim("pages for 100 dossiers", "", first.map(pages), REQUESTS);
    aim("memory of it", " MiB", first.map(|r| r.measure.peak_mib), MEMORY);
    let unchanged = of(RunKind::Unchanged, Target::Sqlite);
    aim("requests when nothing changed", "", unchanged.map(|r| count(r.platform.requests)), REQUESTS_UNCHANGED);
    aim("rows written then", "", unchanged.map(|r| count(r.measure.rows)), 0.0);
    let seconds = |r: &Cost| r.measure.seconds;
    let postgres = of(RunKind::First, Target::Postgres).zip(large).map(|(p, s)| seconds(p) / seconds(s));
    aim("first run into PostgreSQL, beside SQLite", " times", postgres, POSTGRES);
    let document = |kind| of(kind, Target::Grist);
    let requests = |kind| Some(count(document(kind)?.document?.requests));
    let first = document(RunKind::First);
    let writes = first.and_then(|r| Some(count(r.document?.writes) * 1000.0 / dossiers(r)));
    aim("writes into a document for 1,000 dossiers", "", writes, WRITES);
    aim("requests to it when nothing changed", "", requests(RunKind::Unchanged), DOCUMENT_UNCHANGED);
    aim("requests to it when one dossier changed", "", requests(RunKind::Changed), DOCUMENT_CHANGED);
    lines
}

/// Answers that take their time: how much of the time was spent waiting for them.
fn patient<'a>(size: &Size, of: impl Fn(RunKind, Target) -> Option<&'a Cost>) -> Vec<String> {
    let line = |target: &Target| {
        let cost = of(RunKind::First, *target)?;
        let waiting = count(cost.platform.requests * size.wait) / 1000.0;
        let share = 100.0 * waiting / cost.measure.seconds;
        Some(format!("  {target:<14} waits for {waiting:.1} s of {:.1}: {share:.0} %\n", cost.measure.seconds))
    };
    size.targets.iter().filter_map(line).collect()
}

/// The head, the form and the lists of deletions, which are asked for once.
const HEAD: f64 = 3.0;

/// Counts here stay far below 2^52.
fn count(number: u64) -> f64 {
    number as f64
}
