//! Errors inside a target, before the target and the action are added.

use crate::sink::SinkError;

#[derive(Debug)]
pub(in crate::sink) enum Fault {
    Sql(sqlx::Error),
    Altered(String),
    Backward(String),
    Damaged(String),
    NewerVersion {
        found: i64,
        known: i64,
    },
    Refused(String),
    /// The target, or its address, cannot be used; a retry does not help.
    Unusable {
        reason: String,
        hint: &'static str,
    },
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl Fault {
    /// A stored value was altered.
    pub(in crate::sink) fn unreadable(column: &str) -> Self {
        Self::Altered(format!("a value of column {column} cannot be read"))
    }

    /// Adds target and action; `words` knows the codes of the database.
    pub(in crate::sink) fn at(
        self,
        target: &str,
        action: &'static str,
        words: fn(&sqlx::Error, String, &'static str) -> SinkError,
    ) -> SinkError {
        let target = target.to_owned();
        match self {
            Self::Altered(reason) => SinkError::Altered { target, reason },
            Self::Backward(scope) => SinkError::Backward { scope },
            Self::Damaged(reason) => SinkError::Foreign { target, reason },
            Self::NewerVersion { found, known } => SinkError::NewerVersion { target, found, known },
            Self::Refused(reason) => SinkError::Refused { target, action, reason, hint: None },
            Self::Unusable { reason, hint } => SinkError::Unusable { target, action: "used", reason, hint: Some(hint) },
            Self::Sql(error) => words(&error, target, action),
        }
    }
}
