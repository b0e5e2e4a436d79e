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

pub use push::outbox_of_target;
pub use retention::retain_one;
pub use sync::run_and_fetch;

use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use config::ConfigCommand;
use init::InitCommand;

/// What can be asked.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the main job on the embedded platform: sync, change, sync again, verify
    Demo(demo::DemoArgs),
    /// Serve the embedded platform on this machine, to work without a token
    Sandbox(sandbox::SandboxArgs),
    /// Set a target up, by questions or by flags
    Init {
        /// Which type of target.
        #[command(subcommand)]
        command: InitCommand,
    },
    /// Bring the target up to what the platform shows
    Sync(sync::SyncArgs),
    /// Sync every démarche of the configuration on its rhythm, until told to stop
    Run(run::RunArgs),
    /// Print what a sync would change, and change nothing
    Plan(plan::PlanArgs),
    /// Compare the target with the platform: missing, stale and ghost dossiers
    Verify(verify::VerifyArgs),
    /// Show how fresh the target is, its quarantine and its last runs
    Status(status::StatusArgs),
    /// Show the form as a table: ids, labels, types, revisions
    Schema(schema::SchemaArgs),
    /// Show one dossier, or do something to it
    Dossier(Box<dossier::DossierArgs>),
    /// Send what the back office decided: print the plan, or apply it
    Push(push::PushArgs),
    /// Show what was sent to the platform, when, in whose name, and what it answered
    Trail(trail::TrailArgs),
    /// Write stored dossiers again in the present columns, without the network
    Remap(remap::RemapArgs),
    /// Tell which dossiers have been kept for their term, and anonymise or purge them with --apply
    Retention(retention::RetentionArgs),
    /// Print what is kept where, and for how long, for whoever answers for it; no dossier is read
    Register(register::RegisterArgs),
    /// Check token, platform and target, and tell where each setting comes from
    ///
    /// It calls the platform, which binds a new token to the address of its first call: where another machine is to use the
    /// token, let that one call first, or name its address among the networks of the token.
    Doctor(doctor::DoctorArgs),
    /// Show an example of a configuration, or check one
    Config {
        /// Which of the two.
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
    /// How much more a command logs than others: one that nobody sits before tells its runs.
    #[must_use]
    pub fn extra_logs(&self) -> u8 {
        u8::from(self.is_unattended())
    }

    /// Whether it works with nobody watching, for as long as the machine lives.
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
