//! The codes of SQLite, by what to do about them.

use crate::sink::SinkError;
use crate::sink::sql::Fault;

// Primary result codes of SQLite (https://sqlite.org/rescode.html).
const PERM: i32 = 3;
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READONLY: i32 = 8;
const IOERR: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;
const TOOBIG: i32 = 18;
const CONSTRAINT: i32 = 19;
const MISMATCH: i32 = 20;
const AUTH: i32 = 23;
const NOTADB: i32 = 26;
const CONSTRAINT_TRIGGER: i32 = 1811;

/// The error as the caller of the sink sees it. SQLite's words name tables and columns, never values, so they can be
/// shown.
pub(super) fn classify(error: &sqlx::Error, target: String, action: &'static str) -> SinkError {
    match primary_code(error) {
        Some(BUSY | LOCKED) => {
            SinkError::Locked { target, holder: Some("a program that is writing to the file".to_owned()) }
        }
        Some(PERM | READONLY | IOERR | FULL | AUTH) => {
            SinkError::Unusable { target, action: "written", reason: words(error), hint: None }
        }
        Some(CANTOPEN) => SinkError::Unusable { target, action: "opened", reason: words(error), hint: None },
        Some(CORRUPT | NOTADB) => SinkError::Foreign { target, reason: format!("it is damaged ({})", words(error)) },
        Some(TOOBIG | MISMATCH) => SinkError::CannotHold { target, action, reason: words(error), too_wide: false },
        // The words of a trigger are somebody else's, and may quote a value.
        Some(CONSTRAINT) if extended_code(error) == Some(CONSTRAINT_TRIGGER) => {
            let reason = format!("a rule that somebody added refuses it ({CONSTRAINT_TRIGGER})");
            SinkError::CannotHold { target, action, reason, too_wide: false }
        }
        Some(CONSTRAINT) => SinkError::CannotHold { target, action, reason: words(error), too_wide: false },
        _ => SinkError::Refused { target, action, reason: words(error), hint: None },
    }
}

/// Recognises a file, or its log, that SQLite cannot open.
pub(super) fn is_cannot_open(fault: &Fault) -> bool {
    matches!(fault, Fault::Sql(error) if primary_code(error) == Some(CANTOPEN))
}

fn primary_code(error: &sqlx::Error) -> Option<i32> {
    Some(extended_code(error)? & 0xff)
}

fn extended_code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}

fn words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use crate::ids::{DemarcheNumber, Scope};
    use crate::report::{Report, RunOutcome, RunRecord};
    use crate::sink::{Sink, SinkError, SqliteSink};

    #[tokio::test]
    async fn a_full_disk_is_told_without_the_values_and_leaves_what_was_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let sink = SqliteSink::open(folder.path().join("dossiers.db")).await.expect("a database");
        let scope = Scope { instance: "dn".to_owned(), demarche: DemarcheNumber::new(1) };
        let run = |text: String| RunRecord {
            id: "run".to_owned(),
            started_at: Timestamp::UNIX_EPOCH,
            ended_at: Timestamp::UNIX_EPOCH,
            outcome: RunOutcome::Done,
            report: Report { error: Some(text), ..Report::default() },
        };
        // A limit of pages stands for the disk.
        let limit = sqlx::raw_sql("PRAGMA max_page_count = 60");
        limit.execute(&mut *sink.connection.lock().await).await.expect("a limit");
        sink.record_run(&scope, &run("petit".to_owned())).await.expect("a line that has room");
        let error = sink.record_run(&scope, &run("secret ".repeat(200_000))).await.expect_err("a full disk");
        assert!(matches!(&error, SinkError::Unusable { action: "written", .. }), "{error}");
        assert!(error.to_string().contains("full") && !error.to_string().contains("secret"), "{error}");
        assert_eq!(sink.runs(&scope, 9).await.expect("an answer"), [run("petit".to_owned())]);
    }
}
