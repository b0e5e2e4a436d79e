//! One document.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value, json};
use url::Url;

use super::action::Action;
use super::address::DocId;
use super::bundle;
use super::error::GristError;
use super::limiter::DocumentLimiter;
use super::records::{address, pieces};
use super::request::{Body, Request, json as body};
use super::transport::Transport;
use super::types::{Access, ActionRef, Column, DocInfo, Hidden, Table};
use super::wire::{Records, WireApplied, WireColumn, WireDoc, WireRecord, WireSqlRow, WireTable, decode};

/// A row of an answer: cells by column.
pub type SqlRow = Map<String, Value>;

/// Says if a request may be repeated after a lost answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Doing it twice is doing it once: upserts by key, updates, removals.
    Safe,
    /// Once only: after a lost answer the error is [`GristError::Unclear`], or [`GristError::TooSlow`] for one that did not
    /// come in time.
    Never,
}

/// The result of a bundle.
#[derive(Clone, Debug)]
pub struct Applied {
    /// One value an action: the id of an added row, what became of a table's ids, null...
    pub ret_values: Vec<Value>,
    /// `true` if anything changed. Removing an absent row counts as a change.
    pub is_modification: bool,
    /// Its place in the history of the document; `None` for an empty bundle, which takes none.
    pub action: Option<ActionRef>,
}

/// The largest bundle to aim at, in bytes: what Grist takes, less a reserve. Beyond 1 MiB nothing is sent.
pub const BODY_BYTES: usize = 1_000_000;

/// A document of an instance, for one client. Requests of all its clones, and of all the `Doc`s that one client makes for
/// one id, keep to two in flight together, and to one SQL at a time.
#[derive(Clone, Debug)]
pub struct Doc {
    pub(super) transport: Arc<Transport>,
    pub(super) limiter: Arc<DocumentLimiter>,
    id: DocId,
}

impl Doc {
    pub(super) fn over(transport: Arc<Transport>, id: DocId) -> Self {
        let limiter = transport.limiters.of(&id);
        Self { transport, limiter, id }
    }

    /// Its id, as it was given.
    #[must_use]
    pub fn id(&self) -> &DocId {
        &self.id
    }

    /// Its name, its place and what the key may do with it.
    ///
    /// # Errors
    /// [`GristError::Forbidden`] and [`GristError::NoDocument`], both questioned once after 6 s (Grist trap 28).
    pub async fn info(&self) -> Result<DocInfo, GristError> {
        let WireDoc { id, name, access, workspace } = self.ask(&Request::get("a document", self.url([]))).await?;
        Ok(DocInfo {
            id: DocId::try_from(id)?,
            name,
            access: Access::of(access.as_deref()),
            workspace: workspace.name,
            org: workspace.org.name,
        })
    }

    /// Its tables with their columns, hidden ones included; without summary tables, and without what access rules hide.
    /// Two requests, which every version of Grist answers.
    ///
    /// # Errors
    /// As [`info`](Self::info).
    pub async fn tables(&self) -> Result<Vec<Table>, GristError> {
        Ok(self.structure().await?.0)
    }

    /// The same, and what access rules hide: to a key that does not see them, they look as if they were deleted.
    ///
    /// # Errors
    /// As [`info`](Self::info).
    pub async fn structure(&self) -> Result<(Vec<Table>, Hidden), GristError> {
        let tables = Request::get("tables", self.url(["tables", "_grist_Tables", "records"]));
        let tables: Records<WireRecord<WireTable>> = self.ask(&tables).await?;
        let columns = Request::get("columns", self.url(["tables", "_grist_Tables_column", "records"]));
        let mut columns: Records<WireRecord<WireColumn>> = self.ask(&columns).await?;
        let place = |column: &WireRecord<WireColumn>| column.fields.parent_pos.unwrap_or(f64::INFINITY);
        columns.records.sort_by(|one, other| place(one).total_cmp(&place(other)));
        let blank = columns.records.iter().filter(|column| column.fields.col_id.is_empty());
        let mut hidden = Hidden { tables: Vec::new(), columns: blank.map(|column| column.id).collect() };
        let blank = tables.records.iter().filter(|table| table.fields.table_id.is_empty());
        hidden.tables.extend(blank.map(|table| table.id));
        let mut of: BTreeMap<i64, Vec<Column>> = BTreeMap::new();
        for WireRecord { id, fields } in columns.records.into_iter().filter(|column| !column.fields.col_id.is_empty()) {
            of.entry(fields.parent_id).or_default().push(fields.column(id));
        }
        let own = tables
            .records
            .into_iter()
            .filter(|table| table.fields.summary_source_table == 0 && !table.fields.table_id.is_empty());
        let tables = own
            .map(|WireRecord { id, fields }| Table {
                id: fields.table_id,
                table_ref: id,
                columns: of.remove(&id).unwrap_or_default(),
            })
            .collect();
        Ok((tables, hidden))
    }

    /// One bundle of actions: all or nothing, values taken as they are (`noparse=1`, Grist trap 1). An empty one is not sent.
    ///
    /// # Errors
    /// Before sending: [`GristError::KeysRepeat`], [`GristError::Malformed`], [`GristError::TooLarge`]. Of the document:
    /// [`GristError::NoTable`], [`GristError::NoColumn`], [`GristError::NoRow`], [`GristError::FormulaColumn`],
    /// [`GristError::Blocked`] and others, nothing being written. Of the way there: [`GristError::Unclear`] for a lost
    /// answer where `repeat` is [`Repeat::Never`].
    pub async fn apply(&self, actions: &[Action], repeat: Repeat) -> Result<Applied, GristError> {
        if actions.is_empty() {
            return Ok(Applied { ret_values: Vec::new(), is_modification: false, action: None });
        }
        let mut url = self.url(["apply"]);
        url.set_query(Some("noparse=1"));
        let tables: HashSet<&str> = actions.iter().filter_map(Action::table).collect();
        let request = Request::post("a bundle", url, Body::Json(bundle::body(actions)?), repeat)
            .about(tables.into_iter().map(str::to_owned));
        let WireApplied { action_num, action_hash, ret_values, is_modification } = self.ask(&request).await?;
        let action = action_num.zip(action_hash).map(|(number, hash)| ActionRef { number, hash });
        Ok(Applied { ret_values, is_modification, action })
    }

    /// Checks that whoever asks may write into the document. Nothing is written, and nothing is added to its history.
    ///
    /// # Errors
    /// [`GristError::Forbidden`] for a viewer; [`GristError::WrongKey`] for an access token that is expired or broken.
    pub async fn can_edit(&self) -> Result<(), GristError> {
        let mut url = self.url(["apply"]);
        url.set_query(Some("noparse=1"));
        let request = Request::post("a right to write", url, Body::Json("[]".into()), Repeat::Safe).reading();
        // Not in the limiter of the document, which would ask once more after a first refusal (Grist trap 28).
        self.transport.ask(None, &request, decode::<WireApplied>).await.map(drop)
    }

    /// One SELECT, which may see `_grist_*` tables too. A text in a column of another type comes as the text (Grist trap 18), and a
    /// cell that a change of type left marshalled as its value; SQL's own functions and comparisons see a blob there.
    ///
    /// # Errors
    /// [`GristError::NoSql`] where access rules close it to this key, or Grist is too old; [`GristError::SlowSql`] beyond
    /// one second; [`GristError::NoTable`] and [`GristError::NoColumn`]; [`GristError::Sql`] for what is no SELECT.
    pub async fn sql(&self, sql: &str, args: &[Value]) -> Result<Vec<SqlRow>, GristError> {
        let question = body(&json!({ "sql": sql, "args": args }))?;
        let mut request = Request::post("SQL", self.url(["sql"]), question, Repeat::Safe).reading();
        request.asked.sql = true;
        let Records { records } = self.ask::<Records<WireSqlRow>>(&request).await?;
        Ok(records.into_iter().map(WireSqlRow::row).collect())
    }

    /// The rows whose columns have one of the values; row id under `id`, cells by column id. A column without values
    /// matches nothing. Asked for in as many requests as bearable addresses take (Grist trap 35), and merged.
    ///
    /// # Errors
    /// [`GristError::NoTable`], [`GristError::NoColumn`]; [`GristError::TooLarge`] for one value that no address takes.
    pub async fn records(&self, table: &str, filter: &[(&str, Vec<Value>)]) -> Result<Vec<SqlRow>, GristError> {
        let base = self.url(["tables", table, "records"]);
        let mut rows = Vec::new();
        let mut seen = HashSet::new();
        for piece in pieces(&base, filter)? {
            let request = Request::get("records", address(&base, &piece)).about([table.to_owned()]);
            let Records { records } = self.ask::<Records<WireRecord<SqlRow>>>(&request).await?;
            // Rows may move from one piece to another meanwhile.
            for WireRecord { id, fields } in records.into_iter().filter(|record| seen.insert(record.id)) {
                let mut row = SqlRow::with_capacity(fields.len() + 1);
                row.insert("id".to_owned(), json!(id));
                row.extend(fields);
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// All rows of a table, as [`records`](Self::records). Grist reads and sends the whole table.
    ///
    /// # Errors
    /// As [`records`](Self::records).
    pub async fn table_rows(&self, table: &str) -> Result<Vec<SqlRow>, GristError> {
        self.records(table, &[]).await
    }

    /// Closes the document and opens it again, with a new data engine: after [`GristError::Storage`].
    ///
    /// # Errors
    /// [`GristError::Forbidden`] for anyone but an owner, or an editor where Grist lets editors.
    pub async fn force_reload(&self) -> Result<(), GristError> {
        let request = Request::post("a reload", self.url(["force-reload"]), Body::Empty, Repeat::Safe);
        self.ask::<Value>(&request).await.map(drop)
    }

    /// Forgets the history but for its last states, with the old cell values in it (Grist trap 33). Snapshots are another thing.
    ///
    /// # Errors
    /// [`GristError::Forbidden`] for anyone but an owner.
    pub async fn states_remove(&self, keep: u32) -> Result<(), GristError> {
        let states = body(&json!({ "keep": keep }))?;
        let request = Request::post("forgetting history", self.url(["states", "remove"]), states, Repeat::Safe);
        self.ask::<Value>(&request).await.map(drop)
    }

    /// An address under the document.
    pub(super) fn url<'a>(&'a self, parts: impl IntoIterator<Item = &'a str>) -> Url {
        self.transport.url(["docs", self.id.as_str()].into_iter().chain(parts))
    }

    /// Asks in the document's limiter.
    pub(super) async fn ask<T: serde::de::DeserializeOwned>(&self, request: &Request) -> Result<T, GristError> {
        self.transport.ask(Some(&self.limiter), request, decode).await
    }
}

impl WireColumn {
    fn column(self, id: i64) -> Column {
        Column {
            id: self.col_id,
            col_ref: id,
            kind: self.kind,
            label: self.label,
            is_formula: self.is_formula,
            formula: self.formula,
            widget_options: self.widget_options,
            description: self.description,
            untied: self.untie_col_id_from_label,
        }
    }
}
