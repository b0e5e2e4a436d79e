//! The errors that end a work cycle, each with the next step.

use std::error::Error;
use std::fmt::Write as _;

use grist_client::GristError;

use super::kind::ErrorKind;
use super::legible;
use super::webhook_paths::WEBHOOK_PATH;
use crate::api::ApiError;
use crate::config::{ConfigError, SecretError, SecretSource, defaults};
use crate::privacy::{FilterError, ShortKey};
use crate::serve::JobKey;
use crate::serve::hints::UnfitPath;
use crate::sink::SinkError;
use crate::sync::SyncError;
use crate::writeback::PushError;

/// Ends a work cycle, or keeps one from being set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CycleError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A secret is not where the settings say.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The secret part of the address that webhooks call cannot be used.
    #[error("the webhook path of {instance} in {place} cannot be used")]
    WebhookPath {
        /// The instance whose webhooks call it.
        instance: String,
        /// The variable or the file that holds it.
        place: SecretSource,
        /// Why.
        #[source]
        source: UnfitPath,
    },
    /// The key of pseudonyms cannot be used.
    #[error(transparent)]
    Key(#[from] ShortKey),
    /// The privacy policy cannot be put to work.
    #[error(transparent)]
    Privacy(#[from] FilterError),
    /// The platform.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// Grist, where it is asked beside the engine.
    #[error(transparent)]
    Grist(#[from] GristError),
    /// The target.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// A run.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// A push.
    #[error(transparent)]
    Push(#[from] PushError),
    /// The target has no outbox to send from.
    #[error("this target keeps no outbox")]
    NoOutbox,
    /// The runner has no such job.
    #[error("no job is called {0}")]
    NoJob(JobKey),
}

impl CycleError {
    /// Classifies the error by what has to be done about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Config(_)
            | Self::Secret(_)
            | Self::WebhookPath { .. }
            | Self::Key(_)
            | Self::Privacy(_)
            | Self::NoOutbox
            | Self::NoJob(_) => ErrorKind::Configuration,
            Self::Api(error) => error.into(),
            Self::Grist(error) => error.into(),
            Self::Sink(error) => error.into(),
            Self::Sync(error) => error.into(),
            Self::Push(error) => error.into(),
        }
    }

    /// Names the next step for whoever operates the program.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Config(error) if error.file.is_some() => "`dn config example` prints a file with every key",
            Self::Config(_) => return None,
            Self::Secret(SecretError::Unreadable { .. }) => "check the path and the rights of this account",
            Self::Secret(SecretError::Absent { what: "token", .. }) => {
                "put the token in DN_TOKEN, or its file in DN_TOKEN_FILE, or name another place in the configuration"
            }
            Self::Secret(SecretError::Absent { place: SecretSource::Variable(name), .. })
                if name == defaults::GRIST_KEY_ENV =>
            {
                "put the API key of an account that may edit the document in GRIST_API_KEY (in Grist: profile \
                 settings, API), or name another place in the configuration"
            }
            Self::Secret(SecretError::Absent { what: WEBHOOK_PATH, .. }) | Self::WebhookPath { .. } => {
                "make one with `openssl rand -hex 32`, another for each instance, and put it where `webhook-path-env` or \
                 `webhook-path-file` says"
            }
            Self::Secret(SecretError::Absent { .. }) => {
                "name the variable or the file that holds it in the configuration"
            }
            Self::Key(_) => "make one with `openssl rand -base64 32`, and keep it: another key, other pseudonyms",
            Self::Privacy(_) => "name its variable with `key-env`, or its file with `key-file`",
            Self::Api(error) => error.hint()?,
            Self::Grist(error) => error.hint()?,
            Self::Sink(error) => error.hint()?,
            Self::Sync(error) => error.hint()?,
            Self::Push(error) => error.hint()?,
            Self::NoOutbox => {
                "name a SQLite file, a PostgreSQL schema, a Grist document or a file of intents with `--from`"
            }
            Self::NoJob(_) => "`CycleRunner::planned` lists the jobs of the configuration",
        };
        Some(hint.to_owned())
    }

    /// Renders the error in one line of a log: the error, its causes and the next step.
    #[must_use]
    pub fn in_one_line(&self) -> String {
        in_one_line(&self.render())
    }

    /// Renders the error in lines: `error:`, then each cause, then `hint:`. A configuration renders each of its problems on a
    /// line of its own.
    #[must_use]
    pub fn render(&self) -> String {
        match self {
            // Each problem carries its own hint, and the hint of the whole names the example.
            Self::Config(error) => render(self, error.to_string().lines(), self.hint().as_deref()),
            _ => render(self, std::iter::once(self.to_string().as_str()), self.hint().as_deref()),
        }
    }
}

/// Renders an error whose own message are these lines: each with `error:`, then its causes, then the hint.
pub(crate) fn render<'l>(error: &dyn Error, lines: impl Iterator<Item = &'l str>, hint: Option<&str>) -> String {
    let mut text = String::new();
    for line in lines {
        let _ = writeln!(text, "error: {}", legible(line));
    }
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        // Some libraries repeat their cause inside their own message.
        if !said.contains(&words) {
            let _ = writeln!(text, "  caused by: {}", legible(&words));
        }
        said = words;
        cause = error.source();
    }
    if let Some(hint) = hint {
        let _ = writeln!(text, "hint: {hint}");
    }
    text
}

/// Joins the lines of a rendered error.
pub(crate) fn in_one_line(rendered: &str) -> String {
    rendered.lines().map(str::trim).collect::<Vec<_>>().join("; ")
}
