//! Prints the table.

use super::process::Traffic;
use super::results::{Cost, Results};
use super::size::Size;
use super::support::CHAMPS;
use super::target::Target;

/// Every figure, beside its floors.
pub fn render(sizes: &[Size], results: &Results) -> String {
    let mut text = format!(
        "\nruns over dossiers of {CHAMPS} champs: the best of their rounds, the most memory; + asked of the document\n\n"
    );
    text += &row(["", "seconds", "x floor", "x SQLite", "CPU ms", "x floor", "MiB", "x floor", "rows"]);
    text += &traffic(["requests", "kB sent", "kB received"].map(str::to_owned));
    for size in sizes {
        for kind in size.kinds {
            text += &format!("{}, {}\n", size.title(), kind.title());
            let of = |target| results.get(size.demarche, *kind, target);
            let floors = (of(Target::Nothing), of(Target::Sqlite));
            for target in size.targets {
                if let Some(cost) = of(*target) {
                    text += &line(*target, cost, floors);
                }
            }
        }
    }
    text
}

/// Prints a run, its ratio to the floor, and its ratio to the same run into SQLite.
fn line(target: Target, cost: &Cost, (floor, sqlite): (Option<&Cost>, Option<&Cost>)) -> String {
    let Cost { measure, platform, document } = cost;
    let beside = |other: Option<&Cost>, of: fn(&Cost) -> f64| {
        other.map_or_else(String::new, |other| format!("{:.2}", of(cost) / of(other)))
    };
    let times = |other| beside(other, |cost| cost.measure.seconds);
    let figures = [
        format!("  {target}"),
        format!("{:.3}", measure.seconds),
        times(floor),
        if target > Target::Sqlite { times(sqlite) } else { String::new() },
        format!("{:.0}", measure.cpu_ms),
        beside(floor, |cost| cost.measure.cpu_ms),
        format!("{:.0}", measure.peak_mib),
        beside(floor, |cost| cost.measure.peak_mib),
        if target == Target::Nothing { String::new() } else { thousands(measure.rows) },
    ];
    let both = |of: fn(&Traffic) -> u64| match document {
        Some(document) => format!("{} + {}", thousands(of(platform)), thousands(of(document))),
        None => thousands(of(platform)),
    };
    row(figures.each_ref().map(String::as_str))
        + &traffic([
            both(|traffic| traffic.requests),
            both(|traffic| traffic.sent.div_ceil(1000)),
            both(|traffic| traffic.received.div_ceil(1000)),
        ])
}

fn row([name, seconds, floor, sqlite, cpu, cpu_floor, memory, memory_floor, rows]: [&str; 9]) -> String {
    format!(
        "{name:<14} {seconds:>8} {floor:>8} {sqlite:>8} {cpu:>8} {cpu_floor:>8} {memory:>5} {memory_floor:>8} {rows:>9}"
    )
}

fn traffic([requests, sent, received]: [String; 3]) -> String {
    format!(" {requests:>12} {sent:>14} {received:>16}\n")
}

/// A number as people read it: 12,345.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (rank, digit) in digits.chars().enumerate() {
        if rank > 0 && (digits.len() - rank).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
