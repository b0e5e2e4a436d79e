//! Statements on a connection to PostgreSQL.
//!
//! Rows go in by one statement for each table: the values of each column are one array, so the text is the same for any
//! number of rows. Not by COPY: a session that waits for more of it is not idle for the server, so a worker that was paused
//! there would keep the row of its lease beyond its time.

use std::borrow::Cow;

use futures_util::future::join;
use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::{PgArguments, PgConnection, PgRow, Postgres};
use sqlx::query::Query;

use super::encoding::{Instant, element, push, push_column, unnested};
use super::{dress, fault};
use crate::sink::Scope;
use crate::sink::sql::{Fault, Fields, Insert, Store, Type, Value, quoted, text_of};
use crate::table::Layout;

/// How many rows go in by one statement: more would only need more memory, on both sides.
const ROWS: usize = 500;

fn arguments(values: &[Value<'_>]) -> Result<PgArguments, Fault> {
    let mut arguments = PgArguments::default();
    values.iter().try_for_each(|value| push(&mut arguments, value))?;
    Ok(arguments)
}

/// A statement without a name on the server. A name would stay in the session, where a pooler gives it to others.
fn unnamed(text: Cow<'static, str>, arguments: PgArguments) -> Query<'static, Postgres, PgArguments> {
    sqlx::query_with(text_of(text), arguments).persistent(false)
}

/// Inside a transaction, always: a [`Session`](super::server::Session) gives connections away in no other state.
impl Store for PgConnection {
    type Row = PgRow;

    async fn run(&mut self, statement: Cow<'static, str>, parameters: &[Value<'_>]) -> Result<(), Fault> {
        unnamed(statement, arguments(parameters)?).execute(self).await?;
        Ok(())
    }

    async fn rows(&mut self, query: Cow<'static, str>, parameters: &[Value<'_>]) -> Result<Vec<PgRow>, Fault> {
        Ok(unnamed(query, arguments(parameters)?).fetch_all(self).await?)
    }

    /// While the server works on a statement, the next one is made.
    async fn insert(&mut self, rows: &[Insert<'_>]) -> Result<(), Fault> {
        let mut made = statements(rows);
        let mut next = made.next();
        while let Some(statement) = next {
            let (text, arguments) = statement?;
            let executed = unnamed(text.into(), arguments).execute(&mut *self);
            let (executed, made) = join(executed, async { made.next() }).await;
            executed?;
            next = made;
        }
        Ok(())
    }

    async fn script(&mut self, statements: String) -> Result<(), Fault> {
        sqlx::raw_sql(text_of(statements.into())).execute(self).await?;
        Ok(())
    }

    async fn drop_view(&mut self, view: &str) -> Result<bool, Fault> {
        self.script("SAVEPOINT dn_view".to_owned()).await?;
        match self.script(format!("DROP VIEW {}", quoted(view))).await {
            Ok(()) => Ok(true),
            Err(Fault::Sql(error)) if fault::is_needed(&error) => {
                self.script("ROLLBACK TO SAVEPOINT dn_view".to_owned()).await?;
                Ok(false)
            }
            Err(fault) => Err(fault),
        }
    }

    /// Adds to the counter, whose row stays locked until the transaction ends, and tells those who listen once it has.
    async fn number_changes(&mut self, scope: &Scope, count: usize) -> Result<Option<i64>, Fault> {
        let count = i64::try_from(count).map_err(|_| Fault::Refused("too many changes".to_owned()))?;
        let query = "WITH numbered AS (UPDATE dn_feed SET last = last + $1 RETURNING last) \
                     SELECT last, pg_notify('dn_changes', json_build_object('schema', current_schema(), \
                     'instance', $2::text, 'demarche', $3::bigint, 'seq', last)::text) FROM numbered";
        let rows = self.rows(query.into(), &[count.into(), (&scope.instance).into(), scope.demarche.into()]).await?;
        let row = rows.first().ok_or_else(|| Fault::Altered("the row of dn_feed is missing".to_owned()))?;
        Ok(Some(row.integer("last")? - count + 1))
    }

    async fn dress(&mut self, scope: &Scope, layout: &Layout) -> Result<(), Fault> {
        dress::dress(self, scope, layout).await
    }
}

/// The statements that put rows in, each made when it is asked for.
fn statements<'r>(rows: &'r [Insert<'_>]) -> impl Iterator<Item = Result<(String, PgArguments), Fault>> + Send + 'r {
    let chunks =
        rows.iter().flat_map(|into| into.values.chunks(ROWS * into.columns.len()).map(move |values| (into, values)));
    chunks.map(|(into, values)| Ok((statement(into), arrays(into, values)?)))
}

/// The values of rows, as one array for each column.
fn arrays(into: &Insert<'_>, values: &[Value<'_>]) -> Result<PgArguments, Fault> {
    let mut arguments = PgArguments::default();
    for (at, column) in into.columns.iter().enumerate() {
        push_column(&mut arguments, *column, values.iter().skip(at).step_by(into.columns.len()))?;
    }
    Ok(arguments)
}

/// The arrays are unnested side by side in the list of what is selected: in `FROM` the server would first write each of
/// them into a table of its own.
fn statement(into: &Insert<'_>) -> String {
    let names: Vec<String> = into.columns.iter().map(|(name, _)| quoted(name)).collect();
    // With the types, so that a column that was widened has another statement.
    let array = |(at, (_, kind)): (usize, &(_, Type))| unnested(&format!("UNNEST(${at}::{}[])", element(*kind)), *kind);
    let arrays: Vec<String> = (1..).zip(&into.columns).map(array).collect();
    format!("INSERT INTO {} ({}) SELECT {} {}", quoted(into.table), names.join(", "), arrays.join(", "), into.tail)
}

impl Fields for PgRow {
    fn maybe_text(&self, column: &str) -> Result<Option<&str>, Fault> {
        Ok(self.try_get(column)?)
    }

    fn maybe_integer(&self, column: &str) -> Result<Option<i64>, Fault> {
        Ok(self.try_get(column)?)
    }

    fn maybe_instant(&self, column: &str) -> Result<Option<Timestamp>, Fault> {
        Ok(self.try_get::<Option<Instant>, _>(column)?.map(|Instant(instant)| instant))
    }
}
