//! Errors of a target, by the action that they call for.

/// The error of a call to a target.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// Another run works on this target.
    #[error("another run works on {target}{}", holder.as_ref().map(|h| format!(" ({h})")).unwrap_or_default())]
    Locked {
        /// The target.
        target: String,
        /// The owner of its lock or lease, if known.
        holder: Option<String>,
    },
    /// The target cannot be opened or written: a path, a key, a right, a full disk.
    #[error("{target} cannot be {action}: {reason}")]
    Unusable {
        /// The target.
        target: String,
        /// The action that failed: `opened`, `written`...
        action: &'static str,
        /// The message of the system.
        reason: String,
        /// The next step, if the target knows a better one than [`SinkError::hint`].
        hint: Option<&'static str>,
    },
    /// The target exists and is not ours, or is damaged.
    #[error("{target} was not made by this tool: {reason}")]
    Foreign {
        /// The target.
        target: String,
        /// The reason.
        reason: String,
    },
    /// The target was made by another version whose tables this one does not know.
    #[error("{target} was written by a newer version of this tool ({found}; this one knows up to {known})")]
    NewerVersion {
        /// The target.
        target: String,
        /// The version of its tables.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// A table of ours was changed by somebody else.
    #[error("a table of {target} was altered: {reason}")]
    Altered {
        /// The target.
        target: String,
        /// The missing or different part.
        reason: String,
    },
    /// A checkpoint that would move backward.
    #[error("the checkpoint of {scope} would move backward")]
    Backward {
        /// Its scope.
        scope: String,
    },
    /// The target does not answer for now. Earlier commits are kept.
    #[error("{target} is not available for {action}: {reason}")]
    Unavailable {
        /// The target.
        target: String,
        /// The action that failed.
        action: &'static str,
        /// The message of the target.
        reason: String,
        /// The next step, if the target knows a better one than [`SinkError::hint`].
        hint: Option<&'static str>,
    },
    /// The target cannot hold a row or a value. Others may be written.
    #[error("{target} cannot hold a value of {action}: {reason}")]
    CannotHold {
        /// The target.
        target: String,
        /// The action that failed.
        action: &'static str,
        /// The message of the target, without values.
        reason: String,
        /// `true` if the row as a whole is too large: with fewer filled columns it may fit.
        too_wide: bool,
    },
    /// The encoding of the database lacks a character of what every run writes: the form, the trail, the run history.
    #[error("{target} refused {action}: the database is not in UTF8, and its encoding lacks a character ({code})")]
    Encoding {
        /// The target.
        target: String,
        /// The action that failed.
        action: &'static str,
        /// The code of the database for it.
        code: String,
    },
    /// The target refused for another reason.
    #[error("{target} refused {action}: {reason}")]
    Refused {
        /// The target.
        target: String,
        /// The action that failed.
        action: &'static str,
        /// The message of the target.
        reason: String,
        /// The next step, if the target knows a better one than [`SinkError::hint`].
        hint: Option<&'static str>,
    },
}

impl SinkError {
    /// Returns the next step for the operator.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Locked { .. } => Some(
                "wait for the other run to end; if its process died, its lock on a file is released already, and its lease in \
                     a database or a document expires",
            ),
            Self::Unusable { hint: Some(hint), .. }
            | Self::Unavailable { hint: Some(hint), .. }
            | Self::Refused { hint: Some(hint), .. } => Some(hint),
            Self::Unusable { hint: None, .. } => {
                Some("check the path or address, the rights of this account or key, and the free space")
            }
            Self::Foreign { .. } => {
                Some("name another file, schema or document, or move the present one away; nothing was changed in it")
            }
            Self::NewerVersion { .. } => Some("update this program, or name another target"),
            Self::Altered { .. } => {
                Some("undo the change or restore a copy, or sync into a new target; `dn verify` lists what is missing")
            }
            Self::Backward { .. } => Some("two runs may have worked on one target: run `dn verify`"),
            Self::Unavailable { hint: None, .. } => {
                Some("run the same command again later; it continues after the last commit")
            }
            // ASCII only: it may be shown where that encoding is.
            Self::Encoding { .. } => Some(
                "the database must be UTF8: make one with `CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0`, or `createdb \
                 -E UTF8 -T template0 name`, and name it in the address",
            ),
            Self::CannotHold { .. } => Some("`dn status` names the dossiers in quarantine; later runs retry them"),
            Self::Refused { hint: None, .. } => None,
        }
    }
}
