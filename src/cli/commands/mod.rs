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

use clap::Subcommand;

use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use config::ConfigCommand;
use init::InitCommand;

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the main job on the embedded platform: sync, change, sync again, verify
    Demo(demo::DemoArgs),
    /// Serve the embedded platform on this machine, to work without a token
    Sandbox(sandbox::SandboxArgs),
    /// Set a target up, by questions or by flags
    Init {
        /// The type of target.
        #[command(subcommand)]
        command: InitCommand,
    },
    /// Sync the target with the platform
    Sync(sync::SyncArgs),
    /// Run scheduled work cycles for every démarche of the configuration, until stopped
    Run(run::RunArgs),
    /// Print the changes that a sync would make, and make none
    Plan(plan::PlanArgs),
    /// Compare the target with the platform: missing, stale and ghost dossiers
    Verify(verify::VerifyArgs),
    /// Show the freshness of the target, its quarantine and its last runs
    Status(status::StatusArgs),
    /// Show the form as a table: ids, labels, types, revisions
    Schema(schema::SchemaArgs),
    /// Show one dossier, or act on it
    Dossier(Box<dossier::DossierArgs>),
    /// Send decisions of the back office: print the plan, or send with --apply
    Push(push::PushArgs),
    /// Show the log of mutations sent to the platform: when, in whose name, with which answer
    Trail(trail::TrailArgs),
    /// Write stored dossiers again in the present columns, without the network
    Remap(remap::RemapArgs),
    /// List dossiers whose retention term is over; anonymise or purge them with --apply
    Retention(retention::RetentionArgs),
    /// Print the record of processing: which data is kept, where, for how long
    Register(register::RegisterArgs),
    /// Check token, platform and target, and show the origin of each setting
    ///
    /// It calls the platform, which binds a new token to the address of its first call: where another machine is to use the
    /// token, let that one call first, or name its address among the networks of the token.
    Doctor(doctor::DoctorArgs),
    /// Show an example of a configuration, or check one
    Config {
        /// The command of `dn config`.
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Print the completions of a shell
    Completions {
        /// Complete for this shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

impl Command {
    /// Gives the extra verbosity of a command: unattended ones log each run.
    #[must_use]
    pub fn extra_logs(&self) -> u8 {
        u8::from(self.is_unattended())
    }

    /// True if it runs unattended, until it is told to stop.
    #[must_use]
    pub fn is_unattended(&self) -> bool {
        matches!(self, Self::Run(_))
    }
}
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
