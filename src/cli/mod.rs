//! The program `dn`: the only module that prints, exits, and reads the terminal and the environment.
//!
//! | File | Holds |
//! | --- | --- |
//! | `flags` | flags that several commands share; those of one command stand beside its `run` |
//! | `context` | what every command needs: settings, clients, secrets |
//! | `jobs` | the démarches that a command works on, one after the other |
//! | `commands` | one file a command |
//! | `progress`, `summary`, `printer` | what is told while a run works, what it did, how answers are written |
//! | `ask` | questions to a person |
//! | `words` | values in words |
//! | `error`, `exit` | what ends a command early, and with which code |
//! | `signals`, `terminal` | what the system says and allows |

mod alarm;
mod ask;
mod commands;
mod context;
mod error;
mod exit;
mod flags;
mod jobs;
mod printer;
mod progress;
mod signals;
mod summary;
mod terminal;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser};

pub use error::CliError;
pub use exit::Exit;

use crate::telemetry::LogFormat;
use crate::telemetry::{self, Writing};
use commands::Command;
use context::Context;
use terminal::ColorChoice;

/// Copies démarches of Démarche Numérique and Démat Social into a database, and proves that nothing is missing.
#[derive(Debug, Parser)]
#[command(name = "dn", version, max_term_width = 100, after_long_help = exit::help())]
pub struct Cli {
    /// The flags that hold for every command.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The flags that hold for every command.
#[derive(Clone, Debug, Args)]
pub struct GlobalArgs {
    /// Read this configuration file [default: the one that DN_CONFIG names, else none]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub config: Option<PathBuf>,
    /// Print only errors, what needs a person, and what a command was asked to show [default: progress and reports too]
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Global options")]
    pub quiet: bool,
    /// Log more on stderr: -v a few lines a run, -vv one line a page [default: warnings]
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub verbose: u8,
    /// Colour messages; NO_COLOR is respected
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t, help_heading = "Global options")]
    pub color: ColorChoice,
    /// Write logs for people or for programs
    #[arg(long, global = true, value_name = "FORM", value_enum, default_value_t, help_heading = "Global options")]
    pub log_format: LogFormat,
}

/// Runs the program with the arguments, the environment and the terminal of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let context = Context::of_this_process(cli.global);
    let log = telemetry::start(
        context.global.log_format,
        telemetry::filter(context.global.quiet, context.global.verbose + cli.command.extra_logs()),
        terminal::colors(context.global.color, context.around.stderr_is_terminal, context.around),
        match cli.command.is_unattended() {
            true => Writing::Queued,
            false => Writing::Waits,
        },
    );
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(source) => return failed(&CliError::System { what: "the start of the runtime", source }).into(),
    };
    let result = runtime.block_on(commands::run(&context, cli.command));
    // Whatever still waits for the network has nothing more to say.
    runtime.shutdown_background();
    let exit = result.unwrap_or_else(|error| failed(&error));
    log.flush();
    exit.into()
}

/// Prints the answer of a command for people. A failure to write it leaves the exit code of the command.
fn shown(text: &str) {
    if let Err(error) = printer::answer(text) {
        failed(&error);
    }
}

/// Prints the report of a command for people. `--quiet` suppresses it, unless it needs a person. A failure to write it leaves
/// the exit code of the work.
fn told(context: &Context, needs_a_person: bool, text: &str) {
    if needs_a_person || !context.global.quiet {
        shown(text);
    }
}

/// Returns the exit code of work that is done, after its report for a program was written, or could not be.
fn written(exit: Exit, report: Result<(), CliError>) -> Exit {
    report.map_or_else(|error| exit.worse(failed(&error)), |()| exit)
}

/// Tells an error and gives its code.
fn failed(error: &CliError) -> Exit {
    printer::tell(&error.render());
    error.into()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
