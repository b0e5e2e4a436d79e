//! Runs statements on a connection.

use std::borrow::Cow;

use jiff::Timestamp;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::dialect::Dialect;
use super::fault::Fault;
use super::survey::Wanted;
use super::value::{Type, Value};
use crate::ids::Scope;
use crate::sink::compare::Differences;
use crate::table::Layout;

/// A connection to a database. Statements run inside a transaction belong to it.
pub(in crate::sink) trait Store:
    Dialect + sqlx::Connection<Database: sqlx::Database<Connection = Self>> + Send
{
    /// A row of an answer.
    type Row: Fields;

    /// Runs a statement. Its text is prepared once, so it must not hold values.
    fn run(
        &mut self,
        statement: Cow<'static, str>,
        parameters: &[Value<'_>],
    ) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Runs a query.
    fn rows(
        &mut self,
        query: Cow<'static, str>,
        parameters: &[Value<'_>],
    ) -> impl Future<Output = Result<Vec<Self::Row>, Fault>> + Send;

    /// Inserts rows into tables, in order, with as few statements as the database allows.
    fn insert(&mut self, rows: &[Insert<'_>]) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Compares the rows of some dossiers in a table with the expected ones.
    fn compare(
        &mut self,
        found: &mut Differences,
        wanted: &Wanted<'_>,
    ) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Runs statements without parameters, which are not prepared.
    fn script(&mut self, statements: String) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Drops a view unless an object of a user depends on it; returns `true` if it was dropped.
    fn drop_view(&mut self, view: &str) -> impl Future<Output = Result<bool, Fault>> + Send;

    /// Allocates `count` numbers of the change feed and returns the first; `None` if the table numbers its rows. A higher
    /// number is committed later.
    fn number_changes(
        &mut self,
        scope: &Scope,
        count: usize,
    ) -> impl Future<Output = Result<Option<i64>, Fault>> + Send;

    /// Adds comments and indexes, if the database has them. Writes only differences.
    fn add_extras(&mut self, scope: &Scope, layout: &Layout) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// Rows for a table.
#[derive(Clone, Debug)]
pub(in crate::sink) struct Insert<'a> {
    /// The table.
    pub table: &'a str,
    /// Its columns, in the order of values.
    pub columns: Vec<(&'a str, Type)>,
    /// The values of a row follow one another, one for each column, and so do rows.
    pub values: Vec<Value<'a>>,
    /// The clause after the rows: `ON CONFLICT...`, or nothing if every row is new.
    pub tail: Cow<'static, str>,
}

/// The columns of a row, by name.
pub(in crate::sink) trait Fields: Send + Sync {
    fn maybe_text(&self, column: &str) -> Result<Option<&str>, Fault>;
    fn maybe_integer(&self, column: &str) -> Result<Option<i64>, Fault>;
    fn maybe_instant(&self, column: &str) -> Result<Option<Timestamp>, Fault>;

    fn text(&self, column: &str) -> Result<&str, Fault> {
        self.maybe_text(column)?.ok_or_else(|| Fault::unreadable(column))
    }

    fn integer(&self, column: &str) -> Result<i64, Fault> {
        self.maybe_integer(column)?.ok_or_else(|| Fault::unreadable(column))
    }

    fn instant(&self, column: &str) -> Result<Timestamp, Fault> {
        self.maybe_instant(column)?.ok_or_else(|| Fault::unreadable(column))
    }

    fn whole(&self, column: &str) -> Result<u32, Fault> {
        u32::try_from(self.integer(column)?).map_err(|_| Fault::unreadable(column))
    }
}

/// Marks the text of a statement as safe for the driver: its names are quoted, and it contains no values.
pub(in crate::sink) fn text_of(statement: Cow<'static, str>) -> SqlStr {
    match statement {
        Cow::Borrowed(text) => text.into_sql_str(),
        Cow::Owned(text) => AssertSqlSafe(text).into_sql_str(),
    }
}
