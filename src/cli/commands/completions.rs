//! `dn completions`: what a shell needs to complete commands.

use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::printer::answer;

/// Prints the completions of a shell.
pub fn run(shell: clap_complete::Shell) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "dn", &mut script);
    answer(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
