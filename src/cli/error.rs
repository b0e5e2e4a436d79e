//! What ends a command early, and how it is told: `error:`, the causes, `hint:`.

use std::error::Error;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::printer::legible;
use super::webhooks::WEBHOOK_PATH;
use crate::api::ApiError;
use crate::config::{ConfigError, SecretSource, defaults};
use crate::privacy::{FilterError, ShortKey};
use crate::serve::hints::UnfitPath;
use crate::sink::SinkError;
use crate::sync::SyncError;
use crate::writeback::PushError;
use grist_client::GristError;

/// What ends a command early.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The command line asks for something impossible.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to write instead.
        hint: &'static str,
    },
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file that the configuration or a flag names cannot be read.
    #[error("{what} {} cannot be read", path.display())]
    Unreadable {
        /// What it is.
        what: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file that was to be made cannot be.
    #[error("{} cannot be written", path.display())]
    Unwritable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A secret is not where it should be.
    #[error("there is no {what} in {place}")]
    NoSecret {
        /// Which secret.
        what: &'static str,
        /// Where it was looked for.
        place: SecretSource,
    },
    /// The secret part of the address that webhooks call cannot be used.
    #[error("the webhook path of {instance} in {place} cannot be used")]
    WebhookPath {
        /// Of which instance.
        instance: String,
        /// Where it is.
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
    /// The answer could not be written.
    #[error("the output cannot be written")]
    Output(#[source] std::io::Error),
    /// The address of the door for signals cannot be listened on.
    #[error("nothing can listen on {address}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The system refuses something that the program itself needs: a thread, a port.
    #[error("{what} failed")]
    System {
        /// What was tried.
        what: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl CliError {
    /// What the operator may do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. } => Some((*hint).to_owned()),
            Self::Config(error) if error.file.is_some() => {
                Some("`dn config example` prints a file with every key".to_owned())
            }
            Self::Config(_) => None,
            Self::Unreadable { .. } | Self::Unwritable { .. } => {
                Some("check the path and the rights of this account".to_owned())
            }
            Self::NoSecret { what: "token", .. } => Some(
                "put the token in DN_TOKEN, or its file in DN_TOKEN_FILE, or name another place in the configuration"
                    .to_owned(),
            ),
            Self::NoSecret { place: SecretSource::Variable(name), .. } if name == defaults::GRIST_KEY_ENV => Some(
                "put the API key of an account that may edit the document in GRIST_API_KEY (in Grist: profile \
                 settings, API), or name another place in the configuration"
                    .to_owned(),
            ),
            Self::NoSecret { what: WEBHOOK_PATH, .. } | Self::WebhookPath { .. } => Some(
                "make one with `openssl rand -hex 32`, another for each instance, and put it where `webhook-path-env` or \
                 `webhook-path-file` says"
                    .to_owned(),
            ),
            Self::NoSecret { .. } => {
                Some("name the variable or the file that holds it in the configuration".to_owned())
            }
            Self::Key(_) => {
                Some("make one with `openssl rand -base64 32`, and keep it: another key, other pseudonyms".to_owned())
            }
            Self::Privacy(_) => Some("name its variable with `key-env`, or its file with `key-file`".to_owned()),
            Self::Api(error) => error.hint().map(str::to_owned),
            Self::Grist(error) => error.hint().map(str::to_owned),
            Self::Sink(error) => error.hint().map(str::to_owned),
            Self::Sync(error) => error.hint().map(str::to_owned),
            Self::Push(error) => error.hint().map(str::to_owned),
            Self::Listen { .. } => Some(
                "another program has this port, or the address is not one of this machine: change `listen` under [run]"
                    .to_owned(),
            ),
            Self::Output(_) => Some(
                "make room where the output goes; what the command did is done, and `dn status` and `dn trail` tell it"
                    .to_owned(),
            ),
            Self::System { .. } => None,
        }
    }

    /// The error for a log: everything in one line.
    #[must_use]
    pub fn in_one_line(&self) -> String {
        self.render().lines().map(str::trim).collect::<Vec<_>>().join("; ")
    }

    /// The error as it is shown: one line, then its causes, then a hint, each on a line of its own.
    ///
    /// A configuration shows all its problems instead, one a line.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        match self {
            Self::Config(error) => {
                // Each problem carries its own hint.
                for line in error.to_string().lines() {
                    let _ = writeln!(text, "error: {}", legible(line));
                }
            }
            _ => {
                let _ = writeln!(text, "error: {}", legible(&self.to_string()));
            }
        }
        let mut told = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let words = error.to_string();
            // Some libraries repeat their cause inside their own message.
            if !told.contains(&words) {
                let _ = writeln!(text, "  caused by: {}", legible(&words));
            }
            told = words;
            cause = error.source();
        }
        if let Some(hint) = self.hint() {
            let _ = writeln!(text, "hint: {hint}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_then_its_causes_then_a_hint() {
        let source = std::io::Error::other("permission denied");
        let error = CliError::Unreadable { what: "the token file", path: "/run/token".into(), source };
        insta::assert_snapshot!(error.render(), @r"
        error: the token file /run/token cannot be read
          caused by: permission denied
        hint: check the path and the rights of this account
        ");
    }

    #[test]
    fn an_error_cannot_move_the_cursor_of_a_terminal() {
        let error = CliError::Usage { message: "a\u{1b}[2Jb\nc".to_owned(), hint: "none" };
        assert_eq!(error.render().lines().next(), Some("error: a\u{fffd}[2Jb c"));
    }
}
