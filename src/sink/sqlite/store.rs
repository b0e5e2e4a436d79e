//! Runs statements on a connection to SQLite.
//!
//! Rows are inserted by the hundred with the same statements at each commit, so that SQLite compiles them once.

use std::borrow::Cow;
use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Arguments as _, Row as _};

use super::encoding::{Stored, push};
use crate::ids::{DossierNumber, Scope};
use crate::sink::compare::{Differences, compare_rows};
use crate::sink::sql::{Dialect as _, Fault, Fields, Insert, Store, Value, Wanted, quoted, text_of};
use crate::table::Layout;

/// Rows of one statement: few sizes, so that few statements are compiled; the largest is a full page.
const SIZES: [usize; 4] = [100, 25, 5, 1];

/// The most parameters that a statement of SQLite takes.
const PARAMETERS: usize = 32_766;

fn arguments(values: &[Value<'_>]) -> Result<SqliteArguments, Fault> {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(values.len(), 0);
    values.iter().try_for_each(|value| push(&mut arguments, value))?;
    Ok(arguments)
}

impl Store for SqliteConnection {
    type Row = SqliteRow;

    async fn run(&mut self, statement: Cow<'static, str>, parameters: &[Value<'_>]) -> Result<(), Fault> {
        sqlx::query_with(text_of(statement), arguments(parameters)?).execute(self).await?;
        Ok(())
    }

    async fn rows(&mut self, query: Cow<'static, str>, parameters: &[Value<'_>]) -> Result<Vec<SqliteRow>, Fault> {
        Ok(sqlx::query_with(text_of(query), arguments(parameters)?).fetch_all(self).await?)
    }

    async fn insert(&mut self, rows: &[Insert<'_>]) -> Result<(), Fault> {
        for into in rows {
            let width = into.columns.len();
            let mut texts: HashMap<usize, String> = HashMap::new();
            let mut rest = into.values.as_slice();
            while !rest.is_empty() {
                let rows = rest.len() / width;
                let fits = |size: &usize| *size <= rows && size * width <= PARAMETERS;
                let size = SIZES.into_iter().find(fits).unwrap_or(1);
                let (chunk, next) = rest.split_at(size * width);
                rest = next;
                let text = texts.entry(size).or_insert_with(|| statement(into, size)).clone();
                sqlx::query_with(text_of(text.into()), arguments(chunk)?).execute(&mut *self).await?;
            }
        }
        Ok(())
    }

    /// Reads the rows as stored, and compares them with the stored form of the expected ones.
    async fn compare(&mut self, found: &mut Differences, wanted: &Wanted<'_>) -> Result<(), Fault> {
        let Wanted { rows: into, keys, numbers } = wanted;
        let names: Vec<&str> = into.columns.iter().map(|(name, _)| *name).collect();
        let select = format!(
            "SELECT {} FROM {} WHERE {}",
            names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", "),
            quoted(into.table),
            Self::among(names[0], 1)
        );
        let mut held = Vec::new();
        for row in self.rows(select.into(), &[Value::Numbers(numbers)]).await? {
            let cells = (0..names.len()).map(|at| Stored::read(&row, at)).collect::<Result<Vec<_>, _>>()?;
            held.push(keyed(cells, *keys));
        }
        let expected = into.values.chunks(names.len()).map(|row| keyed(row.iter().map(Stored::of).collect(), *keys));
        compare_rows(found, into.table, &names[*keys..], expected, held);
        Ok(())
    }

    async fn script(&mut self, statements: String) -> Result<(), Fault> {
        sqlx::raw_sql(text_of(statements.into())).execute(self).await?;
        Ok(())
    }

    async fn drop_view(&mut self, view: &str) -> Result<bool, Fault> {
        self.script(format!("DROP VIEW {}", quoted(view))).await?;
        Ok(true)
    }

    async fn number_changes(&mut self, _scope: &Scope, _count: usize) -> Result<Option<i64>, Fault> {
        Ok(None)
    }

    async fn add_extras(&mut self, _scope: &Scope, _layout: &Layout) -> Result<(), Fault> {
        Ok(())
    }
}

/// Splits a row into its key (number of the dossier, key of the child row) and its other cells.
fn keyed(mut cells: Vec<Stored>, keys: usize) -> ((DossierNumber, String), Vec<Stored>) {
    let rest = cells.split_off(keys);
    let mut key = cells.into_iter();
    let number = match key.next() {
        Some(Stored::Integer(number)) => u32::try_from(number).unwrap_or_default(),
        _ => 0,
    };
    let text = match key.next() {
        Some(Stored::Text(text)) => text.to_string(),
        _ => String::new(),
    };
    ((DossierNumber::new(number), text), rest)
}

fn statement(into: &Insert<'_>, size: usize) -> String {
    let names: Vec<String> = into.columns.iter().map(|(name, _)| quoted(name)).collect();
    let tuple = format!("({})", vec!["?"; names.len()].join(","));
    let tuples = vec![tuple.as_str(); size].join(",");
    format!("INSERT INTO {} ({}) VALUES {tuples} {}", quoted(into.table), names.join(", "), into.tail)
}

impl Fields for SqliteRow {
    fn maybe_text(&self, column: &str) -> Result<Option<&str>, Fault> {
        Ok(self.try_get(column)?)
    }

    fn maybe_integer(&self, column: &str) -> Result<Option<i64>, Fault> {
        Ok(self.try_get(column)?)
    }

    fn maybe_instant(&self, column: &str) -> Result<Option<Timestamp>, Fault> {
        let unreadable = |_| Fault::Altered(format!("a value of column {column} cannot be read"));
        self.maybe_text(column)?.map(|text| text.parse().map_err(unreadable)).transpose()
    }
}
