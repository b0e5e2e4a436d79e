//! What can go wrong with a target, by what to do about it.

/// Why a target did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// Another run works on this target.
    #[error("another run works on {target}{}", holder.as_ref().map(|h| format!(" ({h})")).unwrap_or_default())]
    Locked {
        /// The target.
        target: String,
        /// Who, when it is known.
        holder: Option<String>,
    },
    /// The target cannot be opened or written: a path, a key, a right, a full disk.
    #[error("{target} cannot be {action}: {reason}")]
    Unusable {
        /// The target.
        target: String,
        /// What was tried: `opened`, `written`...
        action: &'static str,
        /// The system's words.
        reason: String,
        /// What to do about it, where the target knows better than this enum.
        hint: Option<&'static str>,
    },
    /// The target exists and is not ours, or is damaged.
    #[error("{target} was not made by this tool: {reason}")]
    Foreign {
        /// The target.
        target: String,
        /// What is wrong with it.
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
        /// What is missing or different.
        reason: String,
    },
    /// A checkpoint that would move backward.
    #[error("the checkpoint of {scope} would move backward")]
    Backward {
        /// Whose.
        scope: String,
    },
    /// The target does not answer for now. What was committed before stays.
    #[error("{target} is not available for {action}: {reason}")]
    Unavailable {
        /// The target.
        target: String,
        /// What was asked.
        action: &'static str,
        /// Its words.
        reason: String,
        /// What to do about it, where the target knows better than this enum.
        hint: Option<&'static str>,
    },
    /// The target cannot hold a row or a value that it was given: others may be written.
    #[error("{target} cannot hold what it was given in {action}: {reason}")]
    CannotHold {
        /// The target.
        target: String,
        /// What was asked.
        action: &'static str,
        /// Its words, without values.
        reason: String,
        /// Whether it is the row as a whole that has too much in it: with fewer columns filled it may be held.
        too_wide: bool,
    },
    /// Anything else that the target refused.
    #[error("{target} refused {action}: {reason}")]
    Refused {
        /// The target.
        target: String,
        /// What was asked.
        action: &'static str,
        /// Its words.
        reason: String,
        /// What to do about it, where the target knows better than this enum.
        hint: Option<&'static str>,
    },
}

impl SinkError {
    /// What the operator may do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Locked { .. } => Some(
                "wait for the other run to end; if its process died, its lock on a file is gone already, its lease in a \
                     database or a document ends by itself after its time",
            ),
            Self::Unusable { hint: Some(hint), .. }
            | Self::Unavailable { hint: Some(hint), .. }
            | Self::Refused { hint: Some(hint), .. } => Some(hint),
            Self::Unusable { hint: None, .. } => {
                Some("check the path or address, the rights of this account or key, and the free space")
            }
            Self::Foreign { .. } => {
                Some("name another file, schema or document, or move what is there away; nothing was changed in it")
            }
            Self::NewerVersion { .. } => Some("update this program, or name another target"),
            Self::Altered { .. } => {
                Some("undo the change or restore a copy, or sync into a new target; `dn verify` tells what is missing")
            }
            Self::Backward { .. } => Some("two runs may have worked on one target: run `dn verify`"),
            Self::Unavailable { hint: None, .. } => {
                Some("run the same command again later; it goes on from what was committed")
            }
            Self::CannotHold { .. } => {
                Some("`dn status` names the dossiers that were set aside; they are tried again by themselves")
            }
            Self::Refused { hint: None, .. } => None,
        }
    }
}
