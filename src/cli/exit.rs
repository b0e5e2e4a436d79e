//! Exit codes: each with its meaning, and the code of each error.

use super::error::CliError;
use crate::cycle::{CycleError, ErrorKind};

/// Ends the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything that was asked is done.
    Done = 0,
    /// Something that should not happen.
    Unexpected = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The configuration is wrong.
    Configuration = 3,
    /// The platform or the target refuses.
    Refused = 4,
    /// Done, but not all of it: some dossiers are in quarantine, some answers have no column, or a stored document is
    /// damaged and cannot be read again.
    Quarantine = 5,
    /// The platform or the target is not available now.
    Unavailable = 6,
    /// Another run works on the target.
    Locked = 7,
    /// Stopped by a signal, after a complete commit.
    Interrupted = 8,
    /// `verify` found differences.
    Differences = 9,
    /// `plan --exit-code` found changes.
    Changes = 10,
    /// The safety brake held deletions back.
    Brake = 11,
    /// `push` left something for a person to look at.
    Parked = 12,
}

impl Exit {
    /// Every code with what it means, in the order of the codes.
    pub const ALL: [(Self, &'static str); 13] = [
        (Self::Done, "done"),
        (Self::Unexpected, "something unexpected happened"),
        (Self::Usage, "the command line is wrong"),
        (Self::Configuration, "the configuration is wrong"),
        (Self::Refused, "the platform or the target refuses: token, right, foreign or damaged file"),
        (
            Self::Quarantine,
            "done, but not all of it: dossiers are set aside, answers have no column, or documents are damaged",
        ),
        (
            Self::Unavailable,
            "the platform or the target is not available now, or push left something waiting: try again later",
        ),
        (Self::Locked, "another run works on the target"),
        (Self::Interrupted, "stopped by a signal after a complete commit: run again to go on"),
        (Self::Differences, "verify found differences"),
        (Self::Changes, "plan --exit-code found changes"),
        (Self::Brake, "done, but more dossiers are gone than allowed: look, then sync --allow-deletes"),
        (
            Self::Parked,
            "push or dossier did what it could: look at what is refused, in conflict, ambiguous, or for nobody",
        ),
    ];

    /// The code.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Of two ends the one to report, when one command works on several démarches: the one that most needs a person.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        let rank = |exit| match exit {
            Self::Done => 0,
            Self::Changes => 1,
            Self::Quarantine => 2,
            Self::Differences => 3,
            Self::Unavailable => 4,
            Self::Locked => 5,
            Self::Parked => 6,
            Self::Brake => 7,
            Self::Refused => 8,
            Self::Configuration => 9,
            Self::Usage => 10,
            Self::Unexpected => 11,
            Self::Interrupted => 12,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The table of codes, as the help shows it.
#[must_use]
pub fn help() -> String {
    let mut text = "Exit codes:\n".to_owned();
    for (exit, meaning) in Exit::ALL {
        text.push_str(&format!("  {:>2}  {meaning}\n", exit.code()));
    }
    text.push_str(
        "A second signal stops at once with 130 (interrupt) or 143 (termination); nothing committed is lost.",
    );
    text
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Configuration => Self::Configuration,
            ErrorKind::Refused => Self::Refused,
            ErrorKind::Unavailable => Self::Unavailable,
            ErrorKind::Locked => Self::Locked,
            ErrorKind::Interrupted => Self::Interrupted,
            ErrorKind::Unexpected => Self::Unexpected,
        }
    }
}

impl From<&CliError> for Exit {
    fn from(error: &CliError) -> Self {
        match error {
            CliError::Usage { .. } | CliError::Cycle(CycleError::NoOutbox) => Self::Usage,
            CliError::Unreadable { .. } | CliError::Unwritable { .. } | CliError::Listen { .. } => Self::Configuration,
            CliError::Cycle(error) => error.kind().into(),
            CliError::Output(_) | CliError::System { .. } => Self::Unexpected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_lists_every_code_once_and_in_order() {
        for (index, (exit, _)) in Exit::ALL.iter().enumerate() {
            assert_eq!(usize::from(exit.code()), index);
        }
    }

    #[test]
    fn what_most_needs_a_person_is_reported() {
        assert_eq!(Exit::Done.worse(Exit::Quarantine), Exit::Quarantine);
        assert_eq!(Exit::Quarantine.worse(Exit::Done), Exit::Quarantine);
        assert_eq!(Exit::Unavailable.worse(Exit::Refused), Exit::Refused);
        assert_eq!(Exit::Interrupted.worse(Exit::Refused), Exit::Interrupted);
    }
}
