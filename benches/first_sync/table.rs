//! What is printed.

use super::run::Measure;
use super::stages::Stages;
use super::{Beside, CHAMPS};

/// What is aimed at: CPU for a dossier, in milliseconds, memory, in MiB, and requests when nothing changed.
const MOST_CPU: f64 = 0.2;
const MOST_MEMORY: f64 = 150.0;
const MOST_REQUESTS: u64 = 3;
/// How much longer a first load into PostgreSQL may take.
const MOST_TIMES: f64 = 1.5;

/// Everything, as one text.
pub fn render(quarter: &Measure, whole: &Measure, stages: &Stages) -> String {
    let per_dossier = |milliseconds: f64| milliseconds / number(stages.dossiers);
    let total = (whole.user_ms + whole.system_ms) / number(whole.dossiers);
    let sum = per_dossier(stages.fetch + stages.commit);
    let stage = |name: &str, cost: f64| {
        let (cost, share) = (per_dossier(cost), 100.0 * per_dossier(cost) / sum);
        format!("  {name:<34} {cost:>8.4} ms  {share:>5.1} %\n")
    };
    let floors = per_dossier(stages.fetch);
    let memory = |measure: &Measure| format!("{:.0} MiB at {} dossiers", measure.peak_mib, measure.dossiers);
    [
        format!("first sync of {} dossiers of {CHAMPS} champs, ", whole.dossiers),
        format!("{:.1} kB of JSON each\n\n", number(stages.bytes) / number(stages.dossiers) / 1000.0),
        "CPU for a dossier, stage by stage (least of three rounds)\n".to_owned(),
        stage("fetch a page", stages.fetch),
        stage("decode, convert", stages.decode),
        stage("filter, map", stages.map - stages.decode),
        stage("plan", stages.plan - stages.map),
        stage("commit to SQLite", stages.commit - stages.plan),
        stage("all stages", stages.fetch + stages.commit),
        "\nthe whole run, by the engine\n".to_owned(),
        line("CPU for a dossier", &format!("{total:.4} ms"), Some(total <= MOST_CPU)),
        line("  of it in the kernel", &format!("{:.4} ms", whole.system_ms / number(whole.dossiers)), None),
        line("dossiers a second a core", &format!("{:.0}", 1000.0 / total), None),
        line("beside fetching only", &format!("{:.1} times", total / floors), None),
        line(
            "beside fetching and decoding only",
            &format!("{:.1} times", total / (floors + per_dossier(stages.decode))),
            None,
        ),
        line("seconds on the clock", &format!("{:.1}", whole.wall_ms / 1000.0), None),
        line(
            "requests for 100 dossiers",
            &format!("{:.3}", 100.0 * number(whole.requests) / number(whole.dossiers)),
            None,
        ),
        line("most memory", &memory(quarter), Some(quarter.peak_mib < MOST_MEMORY)),
        line("", &memory(whole), Some(whole.peak_mib < MOST_MEMORY)),
        line("size of the file", &format!("{:.1} kB a dossier", kilobytes(whole)), None),
        "\na second run, nothing changed\n".to_owned(),
        line("requests", &whole.again_requests.to_string(), Some(whole.again_requests <= MOST_REQUESTS)),
        line("rows written", &whole.again_rows.to_string(), Some(whole.again_rows == 0)),
        line("dossiers looked at again", &whole.again_dossiers.to_string(), None),
    ]
    .concat()
}

/// The same load into PostgreSQL and into SQLite: the best of their rounds.
pub fn beside(whole: &Measure, Beside { postgres, sqlite }: &Beside) -> String {
    let best = |rounds: &[f64]| rounds.iter().copied().fold(f64::INFINITY, f64::min);
    let rate = |rounds: &[f64]| format!("{:.0} dossiers a second", number(whole.dossiers) * 1000.0 / best(rounds));
    let times = best(postgres) / best(sqlite);
    [
        "\na first load on the clock, best of three rounds in turn\n".to_owned(),
        line("SQLite", &rate(sqlite), None),
        line("PostgreSQL", &rate(postgres), None),
        line("PostgreSQL beside SQLite", &format!("{times:.2} times as long"), Some(times <= MOST_TIMES)),
    ]
    .concat()
}

fn line(name: &str, value: &str, met: Option<bool>) -> String {
    let verdict = match met {
        Some(true) => "  as aimed at",
        Some(false) => "  MISSED",
        None => "",
    };
    format!("  {name:<34} {value}{verdict}\n")
}

fn kilobytes(measure: &Measure) -> f64 {
    number(measure.file_bytes) / number(measure.dossiers) / 1000.0
}

/// Counts here stay far below 2^52.
fn number(count: u64) -> f64 {
    count as f64
}
