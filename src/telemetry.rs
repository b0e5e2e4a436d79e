//! Logs: where they go, in which form, and how their fields are named.
//!
//! Never in a log: tokens, e-mail addresses, names, the values of champs, the bodies of answers. Numbers, counts, states
//! and ids are fine.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// The number of a démarche.
pub const DEMARCHE_NUMBER: &str = "demarche.number";
/// The number of a dossier.
pub const DOSSIER_NUMBER: &str = "dossier.number";
/// The short name of an instance.
pub const INSTANCE: &str = "instance";
/// The id of a run.
pub const RUN_ID: &str = "run.id";
/// The target, without credentials.
pub const TARGET: &str = "sink";
/// How many dossiers a page held.
pub const PAGE_SIZE: &str = "page.size";
/// How long something took, in milliseconds.
pub const DURATION_MS: &str = "duration_ms";
/// A stable word for why.
pub const REASON: &str = "reason";
/// How something ended.
pub const OUTCOME: &str = "outcome";

/// The form of logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people: one line an event.
    #[default]
    Human,
    /// For programs: one JSON object a line.
    Json,
}

/// The filter of events: warnings by default, errors when quiet; `-v` adds the few lines of a run, `-vv` one line a page,
/// `-vvv` what libraries say.
#[must_use]
pub fn filter(quiet: bool, verbose: u8) -> &'static str {
    match (quiet, verbose) {
        (true, _) => "error",
        (false, 0) => "error,demarche_numerique=warn",
        (false, 1) => "warn,demarche_numerique=info",
        (false, 2) => "warn,demarche_numerique=debug",
        (false, _) => "info,demarche_numerique=trace",
    }
}

/// Sends events to stderr from now on. Does nothing when the program embedding this has already chosen where they go.
pub fn start(format: LogFormat, directives: &str, colors: bool) {
    let filter = EnvFilter::builder().parse_lossy(directives);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(BoxMakeWriter::new(std::io::stderr))
        .with_ansi(colors)
        .with_target(false);
    let _ = match format {
        LogFormat::Human => builder.compact().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_is_understood() {
        for (quiet, verbose) in [(true, 0), (false, 0), (false, 1), (false, 2), (false, 3), (true, 9)] {
            assert!(EnvFilter::builder().parse(filter(quiet, verbose)).is_ok(), "{quiet} {verbose}");
        }
    }
}
