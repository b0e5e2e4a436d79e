//! Refusals, in Grist's messages (docs/grist-api.md#refusals).

use serde_json::{Value as Json, json};

/// A refusal.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Failure {
    /// An error of the engine: `/apply` answers it with 500, the other routes with 400 or 404.
    Engine(String),
    /// An error of the web process, with its own status.
    Refused { status: u16, message: String, details: Option<Json> },
}

impl Failure {
    pub(super) fn refused(status: u16, message: impl Into<String>) -> Self {
        Self::Refused { status, message: message.into(), details: None }
    }

    /// A body whose shape is wrong; `path` names the place.
    pub(super) fn payload(path: &str) -> Self {
        let details = Some(json!({ "userError": format!("Error: {path}") }));
        Self::Refused { status: 400, message: "Invalid payload".to_owned(), details }
    }

    pub(super) fn rules(kind: &str) -> Self {
        let details = Some(json!({ "memos": [] }));
        Self::Refused { status: 403, message: format!("Blocked by {kind} access rules"), details }
    }

    pub(super) fn key(name: &str) -> Self {
        Self::Engine(format!("KeyError '{name}'"))
    }

    pub(super) fn value(message: impl AsRef<str>) -> Self {
        Self::Engine(format!("ValueError {}", message.as_ref()))
    }

    pub(super) fn assertion(message: impl AsRef<str>) -> Self {
        Self::Engine(format!("AssertionError {}", message.as_ref()))
    }

    /// Converts an error of the engine for a route on a table: `columns` are those that the request named.
    pub(super) fn on_table<'a>(self, table: &str, columns: impl IntoIterator<Item = &'a str>) -> Self {
        let Self::Engine(message) = &self else { return self };
        if let Some((_, row)) = message.split_once("non-existent record #") {
            return Self::refused(400, format!("Invalid row id {row}"));
        }
        let named = ["KeyError '", "ValueError No such table: ", "ValueError No such column: "]
            .iter()
            .find_map(|prefix| message.strip_prefix(prefix))
            .map(|name| name.trim_end_matches('\''));
        if let Some(name) = named {
            if name == table {
                return Self::refused(404, format!("Table not found \"{table}\""));
            }
            let short = name.strip_prefix(table).and_then(|rest| rest.strip_prefix('.'));
            for column in columns {
                if column == name {
                    return Self::refused(400, format!("Invalid column \"{name}\""));
                }
                if Some(column) == short {
                    return Self::refused(404, format!("Table or column not found \"{name}\""));
                }
            }
        }
        Self::refused(400, format!("Error manipulating data: [Sandbox] {message}"))
    }

    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Engine(_) => 500,
            Self::Refused { status, .. } => *status,
        }
    }

    pub(super) fn body(&self) -> Json {
        match self {
            Self::Engine(message) => json!({ "error": format!("[Sandbox] {message}") }),
            Self::Refused { message, details: None, .. } => json!({ "error": message }),
            Self::Refused { message, details: Some(details), .. } => json!({ "error": message, "details": details }),
        }
    }
}
