//! One file a command.

mod act;
mod completions;
mod config;
mod demo;
mod doctor;
mod dossier;
mod init;
mod plan;
mod push;
mod register;
mod remap;
mod retention;
mod run;
mod sandbox;
mod schema;
mod status;
mod sync;
mod trail;
mod verify;

pub use push::outbox_of_target;
pub use retention::retain_one;
pub use sync::run_and_fetch;

use super::args::{Command, ConfigCommand, InitCommand};
use super::context::Context;
use super::error::CliError;
use super::exit::Exit;

/// Does what the command line asks for.
pub async fn run(context: &Context, command: Command) -> Result<Exit, CliError> {
    match command {
        Command::Demo(args) => demo::run(context, &args).await,
        Command::Sandbox(args) => sandbox::run(context, &args).await,
        Command::Init { command: InitCommand::Grist(args) } => init::run(context, &args).await,
        Command::Sync(args) => sync::run(context, &args).await,
        Command::Run(args) => run::run(context, &args).await,
        Command::Plan(args) => plan::run(context, &args).await,
        Command::Verify(args) => verify::run(context, &args).await,
        Command::Status(args) => status::run(context, &args).await,
        Command::Schema(args) => schema::run(context, &args).await,
        Command::Dossier(args) if args.action.is_some() => act::run(context, &args).await,
        Command::Dossier(args) => dossier::run(context, &args).await,
        Command::Push(args) => push::run(context, &args).await,
        Command::Trail(args) => trail::run(context, &args).await,
        Command::Register(args) => register::run(context, &args).await,
        Command::Remap(args) => remap::run(context, &args).await,
        Command::Retention(args) => retention::run(context, &args).await,
        Command::Doctor(args) => doctor::run(context, &args).await,
        Command::Config { command: ConfigCommand::Example } => config::example(),
        Command::Config { command: ConfigCommand::Check } => config::check(context),
        Command::Completions { shell } => completions::run(shell),
    }
}
