//! Errors inside the target, before it is known which target and which action they concern.

use grist_client::GristError;

use crate::sink::SinkError;

#[derive(Debug)]
pub(super) enum GristFault {
    Grist(GristError),
    /// Another run holds the lease, or took it over.
    Locked(Option<String>),
    /// A bundle that was given up arrived after all: what was decided since is to be decided again.
    Late,
    Altered(String),
    /// The same, where people can be told what they did: the reason, and a sentence in French.
    Edited {
        reason: String,
        french: String,
    },
    /// The document is a copy of the one with this id.
    Copy(String),
    Backward(String),
    NewerVersion {
        found: i64,
        known: i64,
    },
    Refused(String),
    /// Grist does not take something that a commit brings.
    CannotHold(String),
    ReadOnly,
}

impl From<GristError> for GristFault {
    fn from(error: GristError) -> Self {
        Self::Grist(error)
    }
}

impl GristFault {
    /// The error as the caller of the sink sees it. Grist's words are cut and cleaned by its client; none of ours holds a
    /// value.
    pub(super) fn at(self, target: &str, action: &'static str) -> SinkError {
        let target = target.to_owned();
        match self {
            Self::Locked(holder) => SinkError::Locked { target, holder },
            Self::Late => {
                let reason = "a request that was given up arrived late".to_owned();
                let hint = Some("sync again: what it did is seen then");
                SinkError::Unavailable { target, action, reason, hint }
            }
            Self::Altered(reason) | Self::Edited { reason, french: _ } => SinkError::Altered { target, reason },
            Self::Copy(of) => {
                let reason = format!("it is a copy of the document {of}, from which the same may have been sent");
                let hint = Some(
                    "send from the original; or, if nothing is sent from there any more, once `dn push --adopt --apply`",
                );
                SinkError::Unusable { target, action: "sent from", reason, hint }
            }
            Self::Backward(scope) => SinkError::Backward { scope },
            Self::NewerVersion { found, known } => SinkError::NewerVersion { target, found, known },
            Self::Refused(reason) => SinkError::Refused { target, action, reason, hint: None },
            Self::CannotHold(reason) => SinkError::CannotHold { target, action, reason, too_wide: false },
            Self::ReadOnly => {
                let reason = "it was opened for reading only".to_owned();
                SinkError::Unusable { target, action: "written", reason, hint: None }
            }
            Self::Grist(error) => told(error, target, action),
        }
    }

    /// Returns true if the document changed since it was read: somebody renamed a table or a column, or made a
    /// formula of it, or something arrived that was given up. Read again, and decided again, it may go well.
    pub(super) fn is_of_the_past(&self) -> bool {
        match self {
            Self::Late => true,
            Self::Grist(error) => Self::is_renamed(error),
            _ => false,
        }
    }

    /// Returns true if Grist refuses a row or a value of what it was given: others may be accepted.
    pub(super) fn is_of_what_was_given(&self) -> bool {
        use GristError::{KeysRepeat, Malformed, Refused, TooLarge};
        matches!(self, Self::Grist(TooLarge { .. } | Malformed { .. } | Refused { .. } | KeysRepeat))
    }

    /// Returns true if Grist says that a row which an action names does not exist.
    pub(super) fn is_missing_row(error: &GristError) -> bool {
        match error {
            GristError::NoRow { .. } => true,
            GristError::Refused { message, .. } => {
                ["non-existent record", "existing record", "Invalid row id"].iter().any(|words| message.contains(words))
            }
            _ => false,
        }
    }

    /// Returns true if Grist says that a table or a column is not what it was: it has another name, or takes no values any
    /// more.
    pub(super) fn is_renamed(error: &GristError) -> bool {
        matches!(error, GristError::NoTable { .. } | GristError::NoColumn { .. } | GristError::FormulaColumn { .. })
    }
}

fn told(error: GristError, target: String, action: &'static str) -> SinkError {
    use GristError as G;
    let (reason, hint) = (error.to_string(), error.hint());
    match error {
        G::NoTable { .. } | G::NoColumn { .. } | G::NoRow { .. } | G::FormulaColumn { .. } => {
            SinkError::Altered { target, reason }
        }
        G::Settings { .. }
        | G::WrongKey { .. }
        | G::Forbidden { .. }
        | G::Blocked { .. }
        | G::NoDocument { .. }
        | G::DeleteOnly
        | G::Unreachable { .. }
        | G::Redirected { .. } => SinkError::Unusable { target, action: "used", reason, hint },
        G::Busy { .. }
        | G::Quota { .. }
        | G::Unavailable { .. }
        | G::TooSlow { .. }
        | G::EngineDown { .. }
        | G::SlowSql
        | G::Storage { .. }
        | G::Unclear { .. }
        | G::Undecodable { .. } => SinkError::Unavailable { target, action, reason, hint },
        G::NoSql { .. }
        | G::Sql { .. }
        | G::KeysRepeat
        | G::TooLarge { .. }
        | G::AttachmentsFull { .. }
        | G::Malformed { .. }
        | G::Refused { .. } => SinkError::Refused { target, action, reason, hint },
    }
}
