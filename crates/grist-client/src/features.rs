//! Detects the features of an instance. No request returns its version, so each feature is tested by its effect.

use serde_json::{Value, json};

use super::doc::{Doc, Repeat};
use super::error::GristError;
use super::request::{Request, json as body};
use super::wire::WireExpanded;

/// The features of a document's instance for this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// `true` if read-only SQL is open to this key.
    pub sql: bool,
    /// `true` if tables come with their columns in one answer: 1.7.12 and later. `None` in a document without a table.
    pub expand: Option<bool>,
    /// `true` if records can be queried with a body instead of an address: 1.7.14 and later.
    pub records_list: bool,
}

impl Features {
    /// The version that it is at least, as far as can be told.
    #[must_use]
    pub fn at_least(self) -> Option<&'static str> {
        match self {
            Self { records_list: true, .. } => Some("1.7.14"),
            Self { expand: Some(true), .. } => Some("1.7.12"),
            _ => None,
        }
    }
}

impl Doc {
    /// Finds out what the instance can do for this key with this document. Three requests that change nothing.
    ///
    /// # Errors
    /// As [`info`](Self::info).
    pub async fn features(&self) -> Result<Features, GristError> {
        let mut tables = self.url(["tables"]);
        tables.set_query(Some("expand=column"));
        let WireExpanded { tables } = self.ask(&Request::get("tables", tables)).await?;
        let expand = tables.first().map(|table| table.contains_key("columns"));
        let nothing = body(&json!({ "filter": { "id": [-1] } }))?;
        let list = self.url(["tables", "_grist_Tables", "records", "list"]);
        let list = Request::post("records by a body", list, nothing, Repeat::Safe).reading();
        let records_list = match self.ask::<Value>(&list).await {
            Ok(_) => true,
            Err(GristError::Refused { status: 404, .. }) => false,
            Err(error) => return Err(error),
        };
        let sql = match self.sql("select 1", &[]).await {
            Ok(_) => true,
            Err(GristError::NoSql { .. }) => false,
            Err(error) => return Err(error),
        };
        Ok(Features { sql, expand, records_list })
    }
}
