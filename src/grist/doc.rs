//! One document.

use serde_json::{Map, Value};
use super::types::{AttachmentId, DocInfo, Table};
use super::{Action, GristError};

/// A row of an answer to SQL.
pub type SqlRow = Map<String, Value>;

/// Whether a bundle may be sent again after an answer that was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Doing it twice is doing it once: upserts by key, updates, removals.
    Safe,
    /// Once only: after a lost answer the error is [`GristError::Unclear`].
    Never,
}

/// What a bundle did.
#[derive(Clone, Debug)]
pub struct Applied { pub ret_values: Vec<Value>, pub is_modification: bool }

/// The largest body that Grist takes, less a reserve.
pub const BODY_BYTES: usize = 1_000_000;

/// A document of an instance. Requests of all its clones together keep to two in flight.
#[derive(Clone, Debug)]
pub struct Doc;
impl Doc {
    /// Its name and what the key may do with it.
    pub async fn info(&self) -> Result<DocInfo, GristError> { todo!() }
    /// Its tables with their columns, hidden ones included; without summary tables.
    pub async fn tables(&self) -> Result<Vec<Table>, GristError> { todo!() }
    /// One bundle of actions: all or nothing, values taken as they are (`noparse=1`).
    pub async fn apply(&self, _actions: &[Action], _repeat: Repeat) -> Result<Applied, GristError> { todo!() }
    /// One SELECT. `GristError::NoSql` where access rules forbid it to this key.
    pub async fn sql(&self, _sql: &str, _args: &[Value]) -> Result<Vec<SqlRow>, GristError> { todo!() }
    /// The rows whose columns have one of the values; row id under `id`, cells by column id.
    pub async fn records(&self, _table: &str, _filter: &[(&str, Vec<Value>)]) -> Result<Vec<SqlRow>, GristError> { todo!() }
    /// Uploads one file.
    pub async fn upload(&self, _name: &str, _content_type: Option<&str>, _bytes: bytes::Bytes) -> Result<AttachmentId, GristError> { todo!() }
}
