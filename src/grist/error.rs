//! What can go wrong with Grist, by what to do about it.

/// Why Grist did not do what was asked. Classified by message as well as by status (reference §3).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GristError {
    #[error("setting {setting}: {reason}")] Settings { setting: &'static str, reason: String },
    #[error("Grist does not know this key")] WrongKey { message: String },
    #[error("no access")] Forbidden { message: String },
    #[error("no such document")] NoDocument { message: String },
    #[error("no such table")] NoTable { table: String },
    #[error("no such column")] NoColumn { column: String },
    #[error("no such row")] NoRow { row: i64 },
    #[error("a formula column")] FormulaColumn { column: String },
    #[error("keys repeat")] KeysRepeat,
    #[error("SQL is not available to this key")] NoSql { message: String },
    #[error("SQL was refused")] Sql { message: String },
    #[error("too large")] TooLarge { bytes: usize },
    #[error("delete-only")] DeleteOnly,
    #[error("too many requests")] Busy { message: String },
    #[error("daily quota")] Quota { message: String },
    #[error("not available for now")] Unavailable { status: Option<u16>, message: String },
    #[error("the answer was lost; the bundle may have been applied")] Unclear { message: String },
    #[error("refused")] Refused { status: u16, message: String },
    #[error("undecodable")] Undecodable { reason: String },
}
