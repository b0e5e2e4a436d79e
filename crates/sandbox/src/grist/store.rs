//! The SQL side of a document: a SQLite database in memory that follows the engine, as Grist's file does.

use serde_json::{Map, Value as Json, json};
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Arguments as _, AssertSqlSafe, Column as _, Connection as _, Row as _, TypeInfo as _, ValueRef as _};

use super::bundle::{Changes, Touched};
use super::cell::{Cell, Stored, store};
use super::document::Past;
use super::failure::Failure;
use super::state::State;
use super::table::{Column, Table};

/// The changes of one table for the database.
pub(super) struct Update {
    table: String,
    /// The columns with which to create it again; `None` leaves them.
    create: Option<String>,
    columns: usize,
    /// Rows to write; those without cells are gone.
    rows: Vec<(i64, Option<Vec<Stored>>)>,
    /// `true` if the table is there at all.
    exists: bool,
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn row(table: &Table, id: i64, cells: &[Cell]) -> Vec<Stored> {
    let kind = |column: &Column| column.stored_as.get(&id).unwrap_or(&column.kind).clone();
    table.columns.iter().zip(cells).map(|(column, cell)| store(&kind(column), cell)).collect()
}

/// Applies changes to the database.
pub(super) fn updates(state: &State, changes: Changes) -> Vec<Update> {
    let mut updates = Vec::new();
    for (table, touched) in changes {
        let Some(content) = state.tables.get(&table) else {
            updates.push(Update { table, create: None, columns: 0, rows: Vec::new(), exists: false });
            continue;
        };
        let whole = matches!(touched, Touched::Whole);
        let rows = match touched {
            Touched::Whole => content.rows.iter().map(|(id, cells)| (*id, Some(row(content, *id, cells)))).collect(),
            Touched::Rows(rows) => {
                rows.into_iter().map(|id| (id, content.rows.get(&id).map(|cells| row(content, id, cells)))).collect()
            }
        };
        let columns = content.columns.iter().map(|column| format!("{} {}", quoted(&column.id), column.kind.sql()));
        let columns: Vec<String> = std::iter::once("id INTEGER PRIMARY KEY".to_owned()).chain(columns).collect();
        let create = whole.then(|| format!("CREATE TABLE {} ({})", quoted(&table), columns.join(", ")));
        updates.push(Update { table, create, columns: columns.len(), rows, exists: true });
    }
    updates
}

/// One connection to one database in memory.
#[derive(Default)]
pub(super) struct Store(Option<SqliteConnection>);

impl Store {
    /// Brings the database up to date, then executes one SELECT (docs/grist-api.md#requests).
    pub(super) async fn query(
        &mut self,
        updates: Vec<Update>,
        past: Option<Vec<Past>>,
        sql: &str,
        args: &[Json],
    ) -> Result<Vec<Json>, Failure> {
        let connection = match &mut self.0 {
            Some(connection) => connection,
            none => none.insert(SqliteConnection::connect("sqlite::memory:").await.map_err(|e| broken(&e))?),
        };
        let mut transaction = connection.begin().await.map_err(|e| broken(&e))?;
        for update in updates {
            follow(&mut transaction, update).await.map_err(|e| broken(&e))?;
        }
        if let Some(past) = past {
            remember(&mut transaction, &past).await.map_err(|e| broken(&e))?;
        }
        transaction.commit().await.map_err(|e| broken(&e))?;
        if !sql.to_lowercase().contains("select") {
            return Err(Failure::refused(400, "only select statements are supported"));
        }
        let statement = format!("select * from ({})", sql.strip_suffix(';').unwrap_or(sql));
        let mut bound = SqliteArguments::default();
        for argument in args {
            bind(&mut bound, argument).map_err(|_| Failure::refused(400, "SQLITE_RANGE: cannot bind"))?;
        }
        sqlx::query("PRAGMA query_only = ON").execute(&mut *connection).await.map_err(|e| broken(&e))?;
        let rows = sqlx::query_with(AssertSqlSafe(statement), bound).fetch_all(&mut *connection).await;
        sqlx::query("PRAGMA query_only = OFF").execute(&mut *connection).await.map_err(|e| broken(&e))?;
        Ok(rows.map_err(|error| refused(&error))?.iter().map(record).collect())
    }
}

async fn follow(connection: &mut SqliteConnection, update: Update) -> sqlx::Result<()> {
    let table = quoted(&update.table);
    if update.create.is_some() || !update.exists {
        let drop = format!("DROP TABLE IF EXISTS {table}");
        sqlx::query(AssertSqlSafe(drop)).persistent(false).execute(&mut *connection).await?;
    }
    if let Some(create) = update.create {
        sqlx::query(AssertSqlSafe(create)).persistent(false).execute(&mut *connection).await?;
    }
    let marks = vec!["?"; update.columns].join(", ");
    let insert = format!("INSERT OR REPLACE INTO {table} VALUES ({marks})");
    let delete = format!("DELETE FROM {table} WHERE id = ?");
    for (id, cells) in update.rows {
        let mut bound = SqliteArguments::default();
        bound.add(id).map_err(sqlx::Error::Encode)?;
        let statement = if cells.is_some() { &insert } else { &delete };
        for cell in cells.into_iter().flatten() {
            let added = match cell {
                Stored::Null => bound.add(None::<i64>),
                Stored::Int(value) => bound.add(value),
                Stored::Real(value) => bound.add(value),
                Stored::Text(value) => bound.add(value),
                Stored::Blob(value) => bound.add(value),
            };
            added.map_err(sqlx::Error::Encode)?;
        }
        sqlx::query_with(AssertSqlSafe(statement.clone()), bound).execute(&mut *connection).await?;
    }
    Ok(())
}

/// The tables in which Grist keeps its history, and which SQL sees like any other (docs/grist-api.md#history).
const HISTORY: [&str; 4] = [
    "CREATE TABLE IF NOT EXISTS _gristsys_ActionHistory \
     (id INTEGER PRIMARY KEY, actionHash TEXT UNIQUE, actionNum INTEGER, body BLOB, parentRef INTEGER)",
    "CREATE TABLE IF NOT EXISTS _gristsys_ActionHistoryBranch (id INTEGER PRIMARY KEY, name TEXT UNIQUE, actionRef INTEGER)",
    "DELETE FROM _gristsys_ActionHistory",
    "DELETE FROM _gristsys_ActionHistoryBranch",
];

async fn remember(connection: &mut SqliteConnection, past: &[Past]) -> sqlx::Result<()> {
    for statement in HISTORY {
        sqlx::query(statement).execute(&mut *connection).await?;
    }
    for Past { number, hash, body } in past {
        let number = i64::try_from(*number).unwrap_or(i64::MAX);
        sqlx::query("INSERT INTO _gristsys_ActionHistory VALUES (?, ?, ?, ?, NULL)")
            .bind(number)
            .bind(hash)
            .bind(number)
            .bind(body)
            .execute(&mut *connection)
            .await?;
    }
    for name in ["shared", "local_sent", "local_unsent"] {
        sqlx::query("INSERT INTO _gristsys_ActionHistoryBranch (name, actionRef) SELECT ?, max(id) FROM _gristsys_ActionHistory")
            .bind(name)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

fn bind(arguments: &mut SqliteArguments, value: &Json) -> Result<(), sqlx::error::BoxDynError> {
    match value {
        Json::Null => arguments.add(None::<i64>),
        Json::Bool(value) => arguments.add(i64::from(*value)),
        Json::String(text) => arguments.add(text.clone()),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => arguments.add(whole),
            None => arguments.add(number.as_f64()),
        },
        Json::Array(_) | Json::Object(_) => arguments.add(value.to_string()),
    }
}

fn record(row: &SqliteRow) -> Json {
    let mut fields = Map::new();
    for (at, column) in row.columns().iter().enumerate() {
        fields.insert(column.name().to_owned(), value(row, at));
    }
    json!({ "fields": fields })
}

fn value(row: &SqliteRow, at: usize) -> Json {
    let Ok(raw) = row.try_get_raw(at) else { return Json::Null };
    if raw.is_null() {
        return Json::Null;
    }
    match raw.type_info().name() {
        "INTEGER" | "BOOLEAN" => row.try_get_unchecked::<i64, _>(at).map_or(Json::Null, Json::from),
        "REAL" => row.try_get_unchecked::<f64, _>(at).map_or(Json::Null, |value| Cell::Float(value).to_json()),
        "BLOB" => {
            let bytes = row.try_get_unchecked::<Vec<u8>, _>(at).unwrap_or_default();
            json!({ "type": "Buffer", "data": bytes })
        }
        _ => row.try_get_unchecked::<String, _>(at).map_or(Json::Null, Json::String),
    }
}

fn refused(error: &sqlx::Error) -> Failure {
    let message = match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        other => other.to_string(),
    };
    Failure::refused(400, format!("SQLITE_ERROR: {message}"))
}

fn broken(error: &sqlx::Error) -> Failure {
    Failure::refused(500, format!("SQLITE_ERROR: {error}"))
}
