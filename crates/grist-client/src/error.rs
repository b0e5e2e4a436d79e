//! Errors of Grist, by the action that they call for.

use bearer_http::{PermanentFailure, Unfit};

/// The error of a request to Grist, recognised by message as well as by status: permanent errors come as 500 and a dead data
/// engine as 400 (Grist trap 25). No variant holds a cell value or a key; messages are Grist's own, without what they quote.
///
/// It is exhaustive: each caller decides about each failure, and a new one does not compile until it did.
#[derive(Debug, thiserror::Error)]
pub enum GristError {
    /// The client or the request cannot be made from these settings.
    #[error("{setting}: {reason}")]
    Settings {
        /// The setting at fault.
        setting: &'static str,
        /// The reason.
        reason: String,
    },
    /// The key is wrong, or its account has expired (401).
    #[error("Grist does not accept the key: {message}")]
    WrongKey {
        /// Grist's words.
        message: String,
    },
    /// The key's account has no such right on the document (403). Right after sharing it lasts up to 5 s (Grist trap 28).
    #[error("Grist refuses access: {message}")]
    Forbidden {
        /// Grist's words.
        message: String,
    },
    /// An access rule of the document stands against it (Grist trap 31).
    #[error("an access rule of the document forbids it: {message}")]
    Blocked {
        /// Grist's words.
        message: String,
    },
    /// No such document, or it lies in the trash (404).
    #[error("Grist does not know the document: {message}")]
    NoDocument {
        /// Grist's words.
        message: String,
    },
    /// A table is not there: renamed or deleted.
    #[error("the document has no table `{table}`")]
    NoTable {
        /// Its id.
        table: String,
    },
    /// A column is not there: renamed or deleted. Nothing of the bundle was written (Grist trap 30).
    #[error("there is no column `{column}`")]
    NoColumn {
        /// Its id.
        column: String,
    },
    /// A row is not there. Nothing of the bundle was written.
    #[error("there is no row {row}")]
    NoRow {
        /// Its id.
        row: i64,
    },
    /// A column that was to be written is computed by a formula. Nothing of the bundle was written (Grist trap 30).
    #[error("the column `{column}` holds a formula")]
    FormulaColumn {
        /// Its id.
        column: String,
    },
    /// Two rows of one upsert have the same key (Grist trap 19). Found before sending wherever possible.
    #[error("two rows of one upsert have the same key")]
    KeysRepeat,
    /// Read-only SQL is not open to this key: any access rule in the document closes it to all but owners (Grist trap 31), and
    /// Grist before September 2023 has none.
    #[error("SQL is not available to this key: {message}")]
    NoSql {
        /// Grist's words.
        message: String,
    },
    /// SQL took longer than Grist allows, which is one second (Grist trap 38). Ask for less at a time.
    #[error("SQL took longer than Grist allows")]
    SlowSql,
    /// SQL was refused: not a SELECT, or wrong.
    #[error("Grist refused the SQL: {message}")]
    Sql {
        /// SQLite's words.
        message: String,
    },
    /// A body, an address or a file beyond what Grist, or something before it, takes (Grist traps 23 and 35).
    #[error("the request is too large ({bytes} bytes)")]
    TooLarge {
        /// The size of what was, or would have been, sent.
        bytes: usize,
    },
    /// The document is beyond the limits of its product, and takes deletions only.
    #[error("the document is in delete-only mode")]
    DeleteOnly,
    /// The document takes no more files.
    #[error("the document takes no more attachments: {message}")]
    AttachmentsFull {
        /// Grist's words.
        message: String,
    },
    /// Too many requests at the same time on this document, ours and everybody else's (Grist trap 24).
    #[error("the document has too many requests: {message}")]
    Busy {
        /// Grist's words.
        message: String,
    },
    /// The document's requests of the day are used up.
    #[error("the daily limit of requests to the document is reached")]
    Quota {
        /// Grist's words.
        message: String,
    },
    /// The data engine of the document stopped: out of memory, most often. It stays so until the document is reloaded,
    /// which is asked for by itself where the key may.
    #[error("the data engine of the document stopped (HTTP {status})")]
    EngineDown {
        /// The HTTP status, which tells nothing more (Grist trap 25).
        status: u16,
    },
    /// Grist, or something before it, is away for now.
    #[error("Grist is not available{}: {message}", status.map(|s| format!(" (HTTP {s})")).unwrap_or_default())]
    Unavailable {
        /// The HTTP status; `None` when there was no answer.
        status: Option<u16>,
        /// The event.
        message: String,
    },
    /// The connection could not be opened, and will not be until somebody changes something.
    #[error("the connection to {host} could not be opened: {failure}")]
    Unreachable {
        /// The host.
        host: String,
        /// The obstacle.
        failure: PermanentFailure,
    },
    /// The answer took longer than allowed: a formula that never ends (Grist trap 27), a webhook that blocks (Grist trap 26). What was
    /// to be written may have been.
    #[error("the document did not answer within {seconds} s")]
    TooSlow {
        /// The time waited.
        seconds: u64,
    },
    /// The answer to something that must not be sent twice was lost: it may have been done (Grist trap 14).
    #[error("the answer was lost, and what was asked may have been done: {message}")]
    Unclear {
        /// The reason of the loss.
        message: String,
    },
    /// The document's store failed.
    #[error("the store of the document failed: {message}")]
    Storage {
        /// SQLite's words.
        message: String,
    },
    /// The address answers with a redirection, which is never followed.
    #[error("Grist redirects to {location}")]
    Redirected {
        /// Where it points, without what may be secret in an address.
        location: String,
    },
    /// A bundle that cannot be sent as it is.
    #[error("the bundle is malformed: {reason}")]
    Malformed {
        /// The reason.
        reason: String,
    },
    /// Anything else that Grist refused.
    #[error("Grist refused it (HTTP {status}): {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Grist's words.
        message: String,
    },
    /// The answer is not what Grist promises: cut, not JSON, of another shape.
    #[error("the answer cannot be read: {reason}")]
    Undecodable {
        /// The reason.
        reason: String,
    },
}

impl GristError {
    /// A stable word for logs and metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Settings { .. } => "settings",
            Self::WrongKey { .. } => "wrong_key",
            Self::Forbidden { .. } => "forbidden",
            Self::Blocked { .. } => "blocked",
            Self::NoDocument { .. } => "no_document",
            Self::NoTable { .. } => "no_table",
            Self::NoColumn { .. } => "no_column",
            Self::NoRow { .. } => "no_row",
            Self::FormulaColumn { .. } => "formula_column",
            Self::KeysRepeat => "keys_repeat",
            Self::NoSql { .. } => "no_sql",
            Self::SlowSql => "slow_sql",
            Self::Sql { .. } => "sql",
            Self::TooLarge { .. } => "too_large",
            Self::DeleteOnly => "delete_only",
            Self::AttachmentsFull { .. } => "attachments_full",
            Self::Busy { .. } => "busy",
            Self::Quota { .. } => "quota",
            Self::EngineDown { .. } => "engine_down",
            Self::Unavailable { .. } => "unavailable",
            Self::Unreachable { .. } => "unreachable",
            Self::TooSlow { .. } => "too_slow",
            Self::Unclear { .. } => "unclear",
            Self::Storage { .. } => "storage",
            Self::Redirected { .. } => "redirected",
            Self::Malformed { .. } => "malformed",
            Self::Refused { .. } => "refused",
            Self::Undecodable { .. } => "undecodable",
        }
    }

    /// Returns the next step for the operator.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::WrongKey { .. } => Some(
                "copy the API key again from the profile settings of its account; a service account may have expired",
            ),
            Self::Forbidden { .. } => {
                Some("share the document with the account of the key, as owner or at least as editor")
            }
            Self::Blocked { .. } => {
                Some("make the account of the key an owner, or give it full access in the document's access rules")
            }
            Self::NoDocument { .. } => Some("check the document's address, that of its site included, and the trash"),
            Self::NoTable { .. } => Some("check in the document's raw data whether the table was renamed or deleted"),
            Self::NoColumn { .. } => Some("check in the document whether the column was renamed or deleted"),
            Self::NoRow { .. } => Some("somebody deleted the row meanwhile: try again"),
            Self::FormulaColumn { .. } => {
                Some("make it a data column again, or delete it; nothing was written beside it")
            }
            Self::NoSql { .. } => Some(
                "make the account of the key an owner, or remove the document's access rules; more requests do without",
            ),
            Self::SlowSql => Some("the document is large or its server busy: try again later"),
            Self::TooLarge { .. } => {
                Some("Grist takes 1 MiB at a time; something before it may take less: ask its administrator")
            }
            Self::DeleteOnly => Some("the document is beyond its plan: delete rows, or raise the plan of its site"),
            Self::AttachmentsFull { .. } => {
                Some("delete files of the document, or raise the plan of its site; files may be left out")
            }
            Self::Busy { .. } => Some("other programs use this document: let them take turns, or try again later"),
            Self::Quota { .. } => Some("try again tomorrow (UTC), sync less often, or raise the plan of the site"),
            Self::EngineDown { .. } => Some(
                "let an editor reload the document; if it stops again, it is too large for the memory of its server",
            ),
            Self::Unavailable { .. } => Some("check the address and the network, or try again later; nothing was lost"),
            Self::Unreachable { failure, .. } => Some(failure.hint()),
            Self::TooSlow { .. } => {
                Some("look in the document for a formula over whole tables, or a webhook whose receiver fails")
            }
            Self::Unclear { .. } => Some("look in the document whether it was done before doing it again"),
            Self::Storage { .. } => {
                Some("let an owner reload the document (its settings, API console), then try again")
            }
            Self::Redirected { .. } => Some("set the address to the one it redirects to, if you trust it; https only"),
            Self::Refused { .. } | Self::Undecodable { .. } => {
                Some("check that the address is that of a Grist (1.7 is the tested version)")
            }
            Self::Settings { .. } | Self::KeysRepeat | Self::Sql { .. } | Self::Malformed { .. } => None,
        }
    }
}

impl From<Unfit> for GristError {
    fn from(Unfit { setting, reason }: Unfit) -> Self {
        Self::Settings { setting, reason }
    }
}
