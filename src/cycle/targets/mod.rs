//! Opens and checks targets. One implementation of [`TargetKind`] for each kind, in a file of its own; [`kind_of`] registers them.
//!
//! What belongs here is everything that the program does with a target of a kind, but for reading its keys
//! ([`config`](crate::config)) and for keeping dossiers ([`sink`](crate::sink)).

mod finding;
pub mod grist;
mod postgres;
mod sqlite;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::error::CycleError;
use crate::api::{ApiError, SharedLimit};
use crate::config::{GristTarget, Secrets, SettingOrigin, Target};
use crate::sink::AnySink;

pub use finding::{CheckOutcome, Finding, Findings};

/// Does everything with a target of one kind that depends on the kind.
pub trait TargetKind: Send + Sync {
    /// Opens the target for writing, and makes it if it is not there. It is locked until it is closed.
    fn open<'a>(&'a self, secrets: &'a Secrets) -> BoxFuture<'a, Result<AnySink, CycleError>>;

    /// Opens the target for writing if it is there; otherwise gives `None` and makes nothing.
    fn open_if_there<'a>(&'a self, secrets: &'a Secrets) -> BoxFuture<'a, Result<Option<AnySink>, CycleError>>;

    /// Opens the target for reading, even while a run writes to it.
    fn open_to_read<'a>(&'a self, secrets: &'a Secrets) -> BoxFuture<'a, Result<AnySink, CycleError>>;

    /// Opens the target for reading if it is there.
    fn open_to_read_if_there<'a>(&'a self, secrets: &'a Secrets) -> BoxFuture<'a, Result<Option<AnySink>, CycleError>>;

    /// Checks if a run works on the target at this moment.
    fn is_locked<'a>(&'a self, secrets: &'a Secrets) -> BoxFuture<'a, Result<bool, CycleError>>;

    /// Checks that the target can keep dossiers. Nothing is written.
    fn check<'a>(&'a self, secrets: &'a Secrets) -> BoxFuture<'a, Findings>;

    /// Names the target so that two jobs with the same one agree, whether or not it is there.
    fn identity(&self) -> String;

    /// Tells a person how to look at a démarche in the target.
    fn how_to_look(&self, demarche: u32) -> String;

    /// Gives the duration of a lease, where several workers share the target; `None` where one at a time works on all of it.
    fn lease(&self) -> Option<Duration> {
        None
    }

    /// Shares the rate limit of a token with other processes through the target; `None` where the target cannot.
    ///
    /// # Errors
    /// The address of the target cannot be read.
    fn shared_limit(
        &self,
        _key: &str,
        _limit: u32,
        _secrets: &Secrets,
    ) -> Result<Option<Arc<dyn SharedLimit>>, CycleError> {
        Ok(None)
    }

    /// Gives the document that people open to look at the dossiers and to ask for runs, where the target is one.
    fn document(&self) -> Option<&GristTarget> {
        None
    }

    /// True if the target is to keep files.
    fn keeps_files(&self) -> bool {
        false
    }

    /// Lists the settings of the target, each with its origin.
    fn settings(&self) -> Vec<(&'static str, String, &SettingOrigin)> {
        Vec::new()
    }

    /// Lists the files of this machine that hold its dossiers.
    fn local_files(&self) -> Vec<PathBuf> {
        Vec::new()
    }
}

/// Registers the kinds of targets.
#[must_use]
pub fn kind_of(target: &Target) -> &dyn TargetKind {
    match target {
        Target::Sqlite(sqlite) => sqlite,
        Target::Postgres(postgres) => postgres,
        Target::Grist(grist) => grist.as_ref(),
    }
}

/// Opens a target for writing, and makes it if it is not there.
///
/// # Errors
/// The target cannot be opened, or another run holds it.
pub async fn open(target: &Target, secrets: &Secrets) -> Result<AnySink, CycleError> {
    kind_of(target).open(secrets).await
}

/// Opens a target for writing; one that is not there is made once `first` was answered.
///
/// # Errors
/// As [`open`]; and the error of `first`.
pub async fn open_or_make<T>(
    target: &Target,
    secrets: &Secrets,
    first: impl Future<Output = Result<T, ApiError>>,
) -> Result<AnySink, CycleError> {
    match kind_of(target).open_if_there(secrets).await? {
        Some(sink) => Ok(sink),
        None => {
            first.await?;
            open(target, secrets).await
        }
    }
}

/// Opens a target for writing that must be there already.
///
/// # Errors
/// As [`open`]; and where there is no target.
pub async fn open_existing(target: &Target, secrets: &Secrets) -> Result<AnySink, CycleError> {
    match kind_of(target).open_if_there(secrets).await? {
        Some(sink) => Ok(sink),
        // Fails with the error that says so, and makes none.
        None => open_to_read(target, secrets).await,
    }
}

/// Opens a target for reading, even while a run writes to it.
///
/// # Errors
/// There is no target, or it cannot be opened.
pub async fn open_to_read(target: &Target, secrets: &Secrets) -> Result<AnySink, CycleError> {
    kind_of(target).open_to_read(secrets).await
}

/// Opens a target for reading, if it is there.
///
/// # Errors
/// It cannot be opened.
pub async fn open_to_read_if_there(target: &Target, secrets: &Secrets) -> Result<Option<AnySink>, CycleError> {
    kind_of(target).open_to_read_if_there(secrets).await
}
