//! The errors that end a command early, each with the next step.

use std::net::SocketAddr;
use std::path::PathBuf;

use grist_client::GristError;

use crate::api::ApiError;
use crate::config::{ConfigError, SecretError};
use crate::cycle::{CycleError, in_one_line, render};
use crate::privacy::{FilterError, ShortKey};
use crate::sink::SinkError;
use crate::sync::SyncError;
use crate::writeback::PushError;

/// Ends a command early.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The command line asks for something impossible.
    #[error("{message}")]
    Usage {
        /// The fault.
        message: String,
        /// The correction.
        hint: &'static str,
    },
    /// A file that the configuration or a flag names cannot be read.
    #[error("{what} {} cannot be read", path.display())]
    Unreadable {
        /// The kind of file.
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
    /// A work cycle, or anything that it needs: settings, secrets, the platform, the target.
    #[error(transparent)]
    Cycle(#[from] CycleError),
    /// The answer could not be written.
    #[error("the output cannot be written")]
    Output(#[source] std::io::Error),
    /// The address of the endpoint cannot be listened on.
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
        /// The operation that failed.
        what: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Converts what the commands do beside a cycle: they call the same parts of the library.
macro_rules! from_cycle {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for CliError {
            fn from(error: $error) -> Self {
                Self::Cycle(error.into())
            }
        })*
    };
}
from_cycle!(ConfigError, SecretError, ShortKey, FilterError, ApiError, GristError, SinkError, SyncError, PushError);

impl CliError {
    /// Names the next step for the operator.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. } => Some((*hint).to_owned()),
            Self::Unreadable { .. } | Self::Unwritable { .. } => {
                Some("check the path and the rights of this account".to_owned())
            }
            Self::Cycle(error) => error.hint(),
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

    /// Renders the error in one line of a log.
    #[must_use]
    pub fn in_one_line(&self) -> String {
        in_one_line(&self.render())
    }

    /// Renders the error as it is shown: one line, then its causes, then a hint, each on a line of its own.
    #[must_use]
    pub fn render(&self) -> String {
        match self {
            Self::Cycle(error) => error.render(),
            _ => render(self, std::iter::once(self.to_string().as_str()), self.hint().as_deref()),
        }
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
