//! Sends the log of a process to stderr.

use std::time::Duration;

use tracing_subscriber::EnvFilter;

use super::writer::LogWriter;

/// The time that the end of the program waits for the last lines of the log.
const LAST_LINES: Duration = Duration::from_secs(1);

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

/// Says if whoever logs waits until its line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writing {
    /// It does: lines and other messages of stderr stay in order. For commands that somebody watches.
    Waits,
    /// It does not: lines go through a queue, and are dropped and counted while nobody reads. For what runs unattended.
    Queued,
}

/// Sends events to stderr from now on. Does nothing when the program embedding this has already chosen where they go.
///
/// A log that cannot be written (full disk, broken pipe) loses lines and changes nothing else.
pub fn start(format: LogFormat, directives: &str, colors: bool, writing: Writing) -> Log {
    let filter = EnvFilter::builder().parse_lossy(directives);
    let writer = match writing {
        Writing::Waits => LogWriter::Direct,
        Writing::Queued => LogWriter::queued(),
    };
    let log = Log(writer.clone());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(move || writer.clone())
        .with_ansi(colors)
        // It would tell of its own failures on stderr, and panic where that cannot be written.
        .log_internal_errors(false)
        .with_target(false);
    let _ = match format {
        LogFormat::Human => builder.compact().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    log
}

/// The log of this process.
#[derive(Debug)]
pub struct Log(LogWriter);

impl Log {
    /// Waits until what was logged is written, for a second at most.
    pub fn flush(&self) {
        self.0.drain(LAST_LINES);
    }
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
