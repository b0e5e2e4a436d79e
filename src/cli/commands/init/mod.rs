//! `dn init grist`: from nothing to a first sync, by questions or by flags.
//!
//! - `guide`: the steps, in order; nothing is written anywhere before the confirmation;
//! - `place`: which Grist, which key, which document;
//! - `make`: a new document;
//! - `keep`: the configuration for the runs to come.

mod guide;
mod keep;
mod make;
mod place;

use std::path::PathBuf;

use clap::{Args, Subcommand};

pub use guide::run;

use crate::ids::DemarcheNumber;
use crate::platform::Platform;

/// The kinds of targets that can be set up.
#[derive(Clone, Debug, Subcommand)]
pub enum InitCommand {
    /// Bring a démarche into a Grist document: preview, first sync, and the configuration to keep
    Grist(InitGristArgs),
}

/// `dn init grist`. What flags and environment do not say is asked.
#[derive(Clone, Debug, Args)]
pub struct InitGristArgs {
    /// Talk to the Grist of this address [default: GRIST_URL, else asked]
    #[arg(long)]
    pub url: Option<String>,
    /// Write to this document, by its id or its address [default: asked]
    #[arg(long, value_name = "DOCUMENT")]
    pub document: Option<String>,
    /// Make a new document of this name [default: asked]
    #[arg(long, value_name = "NAME", conflicts_with = "document")]
    pub new: Option<String>,
    /// Make it in the workspace of this number [default: the only one, else asked]
    #[arg(long, value_name = "NUMBER", requires = "new")]
    pub workspace: Option<i64>,
    /// Bring this démarche [default: asked]
    #[arg(short, long, value_name = "NUMBER")]
    pub demarche: Option<DemarcheNumber>,
    /// Choose an instance of the configuration [default: the only one]
    #[arg(long, value_name = "NAME", help_heading = "Platform")]
    pub instance: Option<String>,
    /// Say which platform answers: demarche-numerique or demat-social [default: DN_PLATFORM, else demarche-numerique]
    #[arg(long, value_name = "NAME", help_heading = "Platform")]
    pub platform: Option<Platform>,
    /// Filter with this privacy policy: a preset (default, strict, integral) or one of the configuration [default: default]
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,
    /// Make the pages of a démarche that is in the document anew, in the newest style [default: pages stay as they are]
    #[arg(long, requires = "document", conflicts_with_all = ["new", "write"])]
    pub restyle: bool,
    /// Write the configuration to this file, which must not exist [default: print it]
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,
    /// Go ahead without asking for a confirmation [default: show the tables, then ask]
    #[arg(short, long)]
    pub yes: bool,
}
