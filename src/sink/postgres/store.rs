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

use super::encoding::{PgTimestamp, element, push, push_column, unnested};
use super::{extras, fault};
use crate::ids::{DossierNumber, Scope};
use crate::report::RowFault;
use crate::sink::compare::Differences;
use crate::sink::sql::{Dialect as _, Fault, Fields, Insert, Store, Type, Value, Wanted, quoted, text_of};
use crate::table::Layout;

/// Rows of one statement: more would only need more memory, on both sides.
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

    /// The server compares, so that a cell is the same when it is the same for the server: numbers by their value, JSON
    /// whatever its form.
    async fn compare(&mut self, found: &mut Differences, wanted: &Wanted<'_>) -> Result<(), Fault> {
        let into = &wanted.rows;
        let mut arguments = arrays(into, &into.values)?;
        push(&mut arguments, &Value::Numbers(wanted.numbers))?;
        let rows = unnamed(comparison(wanted).into(), arguments).fetch_all(&mut *self).await?;
        let cells = &into.columns[wanted.keys..];
        for row in &rows {
            let number = DossierNumber::new(row.whole("number")?);
            match row.text("fault")? {
                "missing" => found.add(Some(number), into.table, RowFault::Missing, 1),
                "extra" => found.add(Some(number), into.table, RowFault::Extra, 1),
                _ => {
                    // `{t,f,t}`: one letter for each column.
                    let letters = row.text("cells")?.trim_matches(['{', '}']).split(',');
                    let differing = cells.iter().zip(letters).filter(|(_, letter)| *letter == "t");
                    found.add_changed(number, into.table, differing.map(|((name, _), _)| *name));
                }
            }
        }
        let key: Vec<String> = into.columns[..wanted.keys].iter().map(|(name, _)| quoted(name)).collect();
        let doubled = format!(
            "SELECT {} AS number, count(*) - 1 AS rows FROM {} WHERE {} GROUP BY {} HAVING count(*) > 1",
            key[0],
            quoted(into.table),
            Self::among(into.columns[0].0, 1),
            key.join(", ")
        );
        for row in self.rows(doubled.into(), &[Value::Numbers(wanted.numbers)]).await? {
            let number = DossierNumber::new(row.whole("number")?);
            found.add(Some(number), into.table, RowFault::Doubled, row.integer("rows")?.unsigned_abs());
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

    async fn add_extras(&mut self, scope: &Scope, layout: &Layout) -> Result<(), Fault> {
        extras::add(self, scope, layout).await
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

/// The rows that differ from those in the arrays, which come as [`statement`] takes them; then the numbers of the dossiers.
fn comparison(wanted: &Wanted<'_>) -> String {
    let Wanted { rows: into, keys, .. } = wanted;
    let names: Vec<String> = into.columns.iter().map(|(name, _)| quoted(name)).collect();
    let arrays: Vec<String> = (1..)
        .zip(&into.columns)
        .zip(&names)
        .map(|((at, (_, kind)), name)| {
            format!("{} AS {name}", unnested(&format!("UNNEST(${at}::{}[])", element(*kind)), *kind))
        })
        .collect();
    let differs: Vec<String> =
        names[*keys..].iter().map(|name| format!("h.{name} IS DISTINCT FROM w.{name}")).collect();
    let (number, some) = (&names[0], if differs.is_empty() { "false".to_owned() } else { differs.join(" OR ") });
    let same: Vec<String> = names[..*keys].iter().map(|name| format!("h.{name} = w.{name}")).collect();
    format!(
        "SELECT coalesce(h.{number}, w.{number}) AS number, CASE WHEN h.{number} IS NULL THEN 'missing' \
         WHEN w.{number} IS NULL THEN 'extra' ELSE 'changed' END AS fault, \
         CAST(ARRAY[{}]::boolean[] AS text) AS cells \
         FROM (SELECT {} FROM {} WHERE {}) AS h FULL JOIN (SELECT {}) AS w ON {} \
         WHERE h.{number} IS NULL OR w.{number} IS NULL OR {some}",
        differs.join(", "),
        names.join(", "),
        quoted(into.table),
        PgConnection::among(into.columns[0].0, names.len() + 1),
        arrays.join(", "),
        same.join(" AND "),
    )
}

impl Fields for PgRow {
    fn maybe_text(&self, column: &str) -> Result<Option<&str>, Fault> {
        Ok(self.try_get(column)?)
    }

    fn maybe_integer(&self, column: &str) -> Result<Option<i64>, Fault> {
        Ok(self.try_get(column)?)
    }

    fn maybe_instant(&self, column: &str) -> Result<Option<Timestamp>, Fault> {
        Ok(self.try_get::<Option<PgTimestamp>, _>(column)?.map(|PgTimestamp(instant)| instant))
    }
}
