//! The codes of PostgreSQL, by what to do about them.

use crate::sink::SinkError;

/// The error as the caller of the sink sees it. PostgreSQL's words may quote values (class 22): those are not shown.
pub(super) fn told(error: &sqlx::Error, target: String, action: &'static str) -> SinkError {
    // The words of an opening do not fit what is said of a pause.
    let during = if action.starts_with("to be") { "an opening" } else { action };
    let lost = |reason: String| SinkError::Unavailable { target: target.clone(), action: during, reason, hint: None };
    let strange =
        |reason: String| SinkError::Unusable { target: target.clone(), action: "reached", reason, hint: None };
    let (code, words) = match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            let detail = obstacle(error.as_ref()).filter(|_| matches!(&*code, "2BP01" | "0A000"));
            let words = [Some(error.message()), detail].into_iter().flatten().collect::<Vec<_>>().join(": ");
            (code, words)
        }
        sqlx::Error::Io(error) => return lost(format!("the connection was lost ({error})")),
        sqlx::Error::Tls(error) => return strange(format!("no secure connection ({error})")),
        sqlx::Error::Protocol(error) => {
            return strange(format!("the server does not speak as PostgreSQL does ({error})"));
        }
        sqlx::Error::BeginFailed | sqlx::Error::WorkerCrashed => return lost("the connection was lost".to_owned()),
        sqlx::Error::Configuration(_) => {
            let reason = "a setting of its address is not one of PostgreSQL's".to_owned();
            return SinkError::Unusable { target, action: "opened", reason, hint: None };
        }
        sqlx::Error::Migrate(error) => return migration(error, target, action),
        sqlx::Error::ColumnDecode { index, .. } => {
            return SinkError::Altered { target, reason: format!("a value of column {index} cannot be read") };
        }
        other => return SinkError::Refused { target, action, reason: other.to_string(), hint: None },
    };
    let unusable = |action| SinkError::Unusable {
        target: target.clone(),
        action,
        reason: format!("{words} ({code})"),
        hint: None,
    };
    match (&*code, code.get(..2).unwrap_or_default()) {
        ("42501" | "3F000", _) => unusable("written"),
        ("42P01" | "42703" | "42883", _) => SinkError::Altered { target, reason: words },
        // Not `Locked`, which is said of another run.
        ("55P03" | "40P01" | "40001", _) => lost(format!("another program uses the same tables ({words})")),
        ("57014", _) => unusable("written"),
        ("25006", _) => unusable("written"),
        ("25P03", _) => lost("this program was away for too long in the middle of a transaction".to_owned()),
        (_, "28" | "3D") => unusable("opened"),
        (_, "53" | "58") => unusable("written"),
        (_, "08" | "57") => lost(format!("{words} ({code})")),
        (_, "XX") => SinkError::Foreign { target, reason: format!("it is damaged ({code})") },
        (_, "22") => SinkError::Refused {
            target,
            action,
            reason: format!("a value is not one of its type ({code})"),
            hint: None,
        },
        _ => SinkError::Refused { target, action, reason: words, hint: None },
    }
}

fn migration(error: &sqlx::migrate::MigrateError, target: String, action: &'static str) -> SinkError {
    use sqlx::migrate::MigrateError::{Execute, ExecuteMigration, VersionMismatch, VersionMissing};
    match error {
        Execute(error) | ExecuteMigration(error, _) => told(error, target, action),
        VersionMismatch(version) | VersionMissing(version) => {
            SinkError::Altered { target, reason: format!("its migration {version} is not the one of this program") }
        }
        other => SinkError::Refused { target, action, reason: other.to_string(), hint: None },
    }
}

/// Whether something else stands on what was to be dropped.
pub(super) fn is_needed(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "2BP01")
}

/// What is in the way of a change of a table: the names of views.
fn obstacle(error: &dyn sqlx::error::DatabaseError) -> Option<&str> {
    error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>()?.detail()
}

/// Whether the account lacks a right. A schema that it may not use is no schema to it (3F000).
pub(super) fn is_right_missing(error: &sqlx::Error) -> bool {
    use sqlx::migrate::MigrateError::{Execute, ExecuteMigration};
    if let sqlx::Error::Migrate(error) = error
        && let Execute(error) | ExecuteMigration(error, _) = &**error
    {
        return is_right_missing(error);
    }
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| matches!(&*code, "42501" | "3F000"))
}
