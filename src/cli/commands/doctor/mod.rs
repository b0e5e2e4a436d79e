//! `dn doctor`: is everything in place? Only reads, and never shows a secret.
//!
//! `diagnosis` asks and tells; `network` looks at the way to the platform, `schema` judges its schema; `target` looks at where
//! dossiers go, `exposure` at who else may read them.

mod diagnosis;
mod exposure;
mod network;
mod schema;
mod target;

use clap::Args;

pub use diagnosis::run;

use crate::cli::flags::JobArgs;

/// `dn doctor`.
#[derive(Clone, Debug, Args)]
pub struct DoctorArgs {
    /// The démarches and targets to check.
    #[command(flatten)]
    pub job: JobArgs,
    /// Print one JSON object [default: one line for each check]
    #[arg(long)]
    pub json: bool,
}
