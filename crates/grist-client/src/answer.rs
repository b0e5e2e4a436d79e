//! Interprets answers that report an error. No other module reads Grist's error messages (docs/grist-api.md#refusals). Pure.

use serde::Deserialize;

use super::error::GristError;
use super::messages::{name_after, words};

/// The effect of a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Grist decided: asking again gives the same answer.
    Final,
    /// Nothing was done, and asking again may go better.
    NotDone,
    /// It may have been done, and a retry may succeed.
    Unknown,
}

/// A failed request.
#[derive(Debug)]
pub(super) struct Failure {
    pub error: GristError,
    pub fate: Fate,
}

impl Failure {
    pub(super) fn of(error: GristError, fate: Fate) -> Self {
        Self { error, fate }
    }
}

/// Facts about the request that its answer needs.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// The tables that it names.
    pub tables: Vec<String>,
    /// `true` if it is SQL.
    pub sql: bool,
    /// The size of what was sent: the body, or the address.
    pub bytes: usize,
}

/// The body of Grist's errors.
#[derive(Deserialize)]
struct Body {
    error: String,
    details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    #[serde(rename = "userError")]
    user_error: Option<String>,
}

/// Reads the answer to a request that Grist, or something before it, did not do.
pub(super) fn failure(asked: &Asked, status: u16, body: &[u8]) -> Failure {
    let Ok(Body { error: text, details }) = serde_json::from_slice::<Body>(body) else {
        return wordless(asked, status);
    };
    let said = || words(&text);
    let permanent = |error| Failure::of(error, Fate::Final);
    // Whatever the status, these words mean one thing.
    if text.contains("PipeToSandbox is closed") || text.contains("PipeFromSandbox is closed") {
        // It takes a call whole or not at all, and nothing is stored before it has answered.
        return Failure::of(GristError::EngineDown { status }, Fate::NotDone);
    }
    if text.contains("SQLITE_BUSY") {
        return Failure::of(GristError::Unavailable { status: Some(status), message: said() }, Fate::NotDone);
    }
    if text.starts_with("Blocked by") {
        return permanent(GristError::Blocked { message: said() });
    }
    if text.contains("delete-only mode") {
        return permanent(GristError::DeleteOnly);
    }
    if text.contains("attachments limit") {
        return permanent(GristError::AttachmentsFull { message: said() });
    }
    if let Some(error) = missing(asked, &text) {
        return permanent(error);
    }
    permanent(match status {
        401 => GristError::WrongKey { message: said() },
        403 if asked.sql && text == "insufficient document access" => GristError::NoSql { message: said() },
        403 => GristError::Forbidden { message: said() },
        404 if text.eq_ignore_ascii_case("document not found") || text == "Document is deleted" => {
            GristError::NoDocument { message: said() }
        }
        404 if asked.sql && text.starts_with("not found:") => {
            GristError::NoSql { message: "this Grist has none".to_owned() }
        }
        413 | 414 | 431 => GristError::TooLarge { bytes: asked.bytes },
        429 if text.starts_with("Exceeded daily limit") => GristError::Quota { message: said() },
        429 => return Failure::of(GristError::Busy { message: said() }, Fate::NotDone),
        503 => {
            return Failure::of(GristError::Unavailable { status: Some(status), message: said() }, Fate::NotDone);
        }
        502 | 504 => {
            return Failure::of(GristError::Unavailable { status: Some(status), message: said() }, Fate::Unknown);
        }
        400 if asked.sql && text.contains("database interrupt") => {
            return Failure::of(GristError::SlowSql, Fate::NotDone);
        }
        400 if asked.sql => GristError::Sql { message: said() },
        _ if text.starts_with("SQLITE_") => GristError::Storage { message: said() },
        _ => {
            let detail = details.and_then(|details| details.user_error).map(|detail| words(&detail));
            let message = detail.map_or_else(said, |detail| format!("{}: {detail}", said()));
            GristError::Refused { status, message }
        }
    })
}

/// An answer without words of Grist: that of a proxy, or of something that is no Grist.
fn wordless(asked: &Asked, status: u16) -> Failure {
    let message = || "without words of Grist".to_owned();
    match status {
        401 => Failure::of(GristError::WrongKey { message: message() }, Fate::Final),
        403 => Failure::of(GristError::Forbidden { message: message() }, Fate::Final),
        413 | 414 | 431 => Failure::of(GristError::TooLarge { bytes: asked.bytes }, Fate::Final),
        // Refused before it was handled.
        425 | 429 => Failure::of(GristError::Busy { message: message() }, Fate::NotDone),
        408 | 500..=599 => {
            Failure::of(GristError::Unavailable { status: Some(status), message: message() }, Fate::Unknown)
        }
        _ => Failure::of(GristError::Refused { status, message: message() }, Fate::Final),
    }
}

/// Finds a missing or read-only object by the messages of the REST handlers, the data engine and SQLite.
fn missing(asked: &Asked, text: &str) -> Option<GristError> {
    let after = |before: &str| name_after(text, before);
    let row = |before: &str| after(before)?.parse().ok();
    let table = |table| GristError::NoTable { table };
    let column = |name: String| {
        let column = name.rsplit('.').next().unwrap_or_default().to_owned();
        GristError::NoColumn { column }
    };
    // `no such table` of SQL alone: elsewhere it is the store that failed.
    let sqlite = |before: &str| after(before).filter(|_| asked.sql);
    if let Some(row) = row("non-existent record #").or_else(|| row("Invalid row id ")) {
        return Some(GristError::NoRow { row });
    }
    if text.contains("require values must be unique") {
        return Some(GristError::KeysRepeat);
    }
    if let Some(column) = after("Can't save value to formula column ") {
        return Some(GristError::FormulaColumn { column });
    }
    if let Some(name) =
        after("Table not found \"").or_else(|| after("No such table: ")).or_else(|| sqlite("no such table: "))
    {
        return Some(table(name));
    }
    let columns = ["Invalid column \"", "No such column: ", " has no column ", "Table or column not found \""];
    if let Some(name) = columns.iter().find_map(|before| after(before)).or_else(|| sqlite("no such column: ")) {
        // Of a table that is not there, every column is missing.
        return Some(column(name));
    }
    // The data engine says the same of a table and of a column.
    let name = after("KeyError '")?;
    Some(if asked.tables.contains(&name) { table(name) } else { column(name) })
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
