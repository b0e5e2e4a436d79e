//! What the file remembers of the tables that were made: `dn_instances`, `dn_tables`, `dn_columns`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::fault::Fault;
use crate::demarche::Demarche;
use crate::ids::DescriptorId;
use crate::plan::{Remembered, RememberedColumn, RememberedTable};
use crate::sink::{Scope, names};
use crate::table::{ColumnKey, ColumnSpec, Layout, Origin, TableKey};

/// The prefix of an instance, and whether it was given already.
pub(super) async fn prefix(connection: &mut SqliteConnection, instance: &str) -> Result<(String, bool), Fault> {
    let given: Vec<(String, String)> =
        sqlx::query_as("SELECT name, prefix FROM dn_instances").fetch_all(connection).await?;
    if let Some((_, prefix)) = given.iter().find(|(name, _)| name == instance) {
        return Ok((prefix.clone(), true));
    }
    let others: Vec<String> = given.into_iter().map(|(_, prefix)| prefix).collect();
    Ok((names::instance_prefix(instance, &others), false))
}

/// The prefix of an instance, given now if it was not.
pub(super) async fn register(connection: &mut SqliteConnection, instance: &str) -> Result<String, Fault> {
    let (prefix, given) = prefix(connection, instance).await?;
    if !given {
        let insert = sqlx::query("INSERT INTO dn_instances (name, prefix) VALUES (?, ?)");
        insert.bind(instance).bind(&prefix).execute(connection).await?;
    }
    Ok(prefix)
}

/// The tables of a démarche, in the order of their creation.
pub(super) async fn remembered(
    connection: &mut SqliteConnection,
    scope: &Scope,
    instance_prefix: &str,
) -> Result<Remembered, Fault> {
    let tables = tables(connection, scope).await?;
    let taken: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_schema WHERE name NOT IN \
         (SELECT name FROM dn_tables WHERE instance = ?1 AND demarche = ?2 \
          UNION ALL SELECT view FROM dn_tables WHERE instance = ?1 AND demarche = ?2)",
    )
    .bind(&scope.instance)
    .bind(scope.demarche.get())
    .fetch_all(connection)
    .await?;
    let prefix = names::demarche_prefix(instance_prefix, scope.demarche);
    Ok(Remembered { tables, taken: taken.into_iter().collect(), prefix })
}

pub(super) async fn tables(connection: &mut SqliteConnection, scope: &Scope) -> Result<Vec<RememberedTable>, Fault> {
    let rows = sqlx::query(
        "SELECT name, holds, descriptor, title FROM dn_tables WHERE instance = ? AND demarche = ? ORDER BY id",
    )
    .bind(&scope.instance)
    .bind(scope.demarche.get())
    .fetch_all(&mut *connection)
    .await?;
    let mut tables = Vec::with_capacity(rows.len());
    for row in rows {
        let key = table_key(&row)?;
        tables.push(RememberedTable {
            key,
            name: row.try_get("name")?,
            title: row.try_get("title")?,
            columns: Vec::new(),
        });
    }
    let rows = sqlx::query(
        "SELECT \"table\", \"column\", descriptor, part, title, kind FROM dn_columns \
         WHERE instance = ? AND demarche = ? ORDER BY id",
    )
    .bind(&scope.instance)
    .bind(scope.demarche.get())
    .fetch_all(connection)
    .await?;
    for row in rows {
        let name: &str = row.try_get("table")?;
        let table = tables.iter_mut().find(|table| table.name == name);
        let table = table.ok_or_else(|| Fault::Altered(format!("dn_tables does not tell of {name}")))?;
        let part: String = row.try_get("part")?;
        let key = match row.try_get::<Option<String>, _>("descriptor")? {
            Some(descriptor) => ColumnKey::Champ(DescriptorId::new(descriptor), from_word(&part, "part")?),
            None => ColumnKey::Fixed(part),
        };
        table.columns.push(RememberedColumn {
            key,
            name: row.try_get("column")?,
            title: row.try_get("title")?,
            kind: from_word(row.try_get("kind")?, "kind")?,
        });
    }
    Ok(tables)
}

/// The form that the tables were last prepared for.
pub(super) async fn form(connection: &mut SqliteConnection, scope: &Scope) -> Result<Option<Demarche>, Fault> {
    let text: Option<String> = sqlx::query_scalar("SELECT form FROM dn_forms WHERE instance = ? AND demarche = ?")
        .bind(&scope.instance)
        .bind(scope.demarche.get())
        .fetch_optional(connection)
        .await?;
    let read = |text: String| {
        serde_json::from_str(&text).map_err(|_| Fault::Altered(format!("the form of {scope} cannot be read")))
    };
    text.map(read).transpose()
}

/// Keeps the form, unless it is the one that is kept already.
pub(super) async fn save_form(connection: &mut SqliteConnection, scope: &Scope, form: &Demarche) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO dn_forms (instance, demarche, title, form) VALUES (?, ?, ?, ?) \
         ON CONFLICT (instance, demarche) DO UPDATE SET title = excluded.title, form = excluded.form \
         WHERE form <> excluded.form",
    )
    .bind(&scope.instance)
    .bind(scope.demarche.get())
    .bind(&form.title)
    .bind(serde_json::to_string(form).expect("a form is plain data with text keys"))
    .execute(connection)
    .await?;
    Ok(())
}

fn table_key(row: &SqliteRow) -> Result<TableKey, Fault> {
    let holds: &str = row.try_get("holds")?;
    match row.try_get::<Option<String>, _>("descriptor")? {
        Some(descriptor) => Ok(TableKey::Block(DescriptorId::new(descriptor))),
        None => from_word(holds, "holds"),
    }
}

/// Remembers a layout whose tables exist. Lines that are right already are not written.
pub(super) async fn save(
    connection: &mut SqliteConnection,
    scope: &Scope,
    instance_prefix: &str,
    layout: &Layout,
) -> Result<(), Fault> {
    for table in &layout.tables {
        let (holds, descriptor) = match &table.key {
            TableKey::Block(descriptor) => ("block".to_owned(), Some(descriptor.as_str())),
            key => (word(key), None),
        };
        sqlx::query(
            "INSERT INTO dn_tables (instance, demarche, name, view, holds, descriptor, title) \
             VALUES (?, ?, ?, ?, ?, ?, ?) \
             ON CONFLICT (name) DO UPDATE SET title = excluded.title WHERE title <> excluded.title",
        )
        .bind(&scope.instance)
        .bind(scope.demarche.get())
        .bind(&table.name)
        .bind(names::view_name(&table.name, instance_prefix, scope.demarche))
        .bind(holds)
        .bind(descriptor)
        .bind(&table.title)
        .execute(&mut *connection)
        .await?;
        for column in &table.columns {
            save_column(connection, scope, &table.name, &column.name, &column.spec).await?;
        }
    }
    Ok(())
}

async fn save_column(
    connection: &mut SqliteConnection,
    scope: &Scope,
    table: &str,
    column: &str,
    spec: &ColumnSpec,
) -> Result<(), Fault> {
    let (descriptor, part) = match &spec.key {
        ColumnKey::Fixed(name) => (None, name.clone()),
        ColumnKey::Champ(descriptor, part) => (Some(descriptor.as_str()), word(part)),
    };
    let (origin, type_de_champ, since) = match &spec.origin {
        Origin::Fixed => ("fixed", None, None),
        Origin::Champ(type_de_champ, since) => ("champ", Some(type_de_champ.as_str()), since.as_ref()),
        Origin::Annotation(type_de_champ, since) => ("annotation", Some(type_de_champ.as_str()), since.as_ref()),
        Origin::Former => ("former", None, None),
    };
    let options =
        (!spec.options.is_empty()).then(|| serde_json::to_string(&spec.options).expect("a list of texts is JSON"));
    // A former column keeps what was known of its question.
    sqlx::query(
        "INSERT INTO dn_columns (instance, demarche, \"table\", \"column\", descriptor, part, title, kind, origin, \
         type_de_champ, since_revision, policy, description, options) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (\"table\", \"column\") DO UPDATE SET title = excluded.title, kind = excluded.kind, \
         origin = excluded.origin, \
         type_de_champ = iif(excluded.origin = 'former', type_de_champ, excluded.type_de_champ), \
         since_revision = iif(excluded.origin = 'former', since_revision, excluded.since_revision), \
         policy = iif(excluded.origin = 'former', policy, excluded.policy), \
         description = iif(excluded.origin = 'former', description, excluded.description), \
         options = iif(excluded.origin = 'former', options, excluded.options) \
         WHERE (title, kind, origin) <> (excluded.title, excluded.kind, excluded.origin) \
         OR excluded.origin <> 'former' AND (type_de_champ, since_revision, policy, description, options) IS NOT \
         (excluded.type_de_champ, excluded.since_revision, excluded.policy, excluded.description, excluded.options)",
    )
    .bind(&scope.instance)
    .bind(scope.demarche.get())
    .bind(table)
    .bind(column)
    .bind(descriptor)
    .bind(part)
    .bind(&spec.title)
    .bind(word(&spec.kind))
    .bind(origin)
    .bind(type_de_champ)
    .bind(since.map(|revision| revision.as_str()))
    .bind(spec.policy.as_str())
    .bind(&spec.description)
    .bind(options)
    .execute(connection)
    .await?;
    Ok(())
}

/// What the file has of the columns of these tables: their declared types, by table and column.
pub(super) async fn declared(
    connection: &mut SqliteConnection,
    scope: &Scope,
) -> Result<BTreeMap<String, BTreeMap<String, String>>, Fault> {
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT t.name, c.name, c.type FROM dn_tables AS t JOIN pragma_table_info(t.name) AS c \
         WHERE t.instance = ? AND t.demarche = ?",
    )
    .bind(&scope.instance)
    .bind(scope.demarche.get())
    .fetch_all(connection)
    .await?;
    let mut declared: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (table, column, kind) in rows {
        declared.entry(table).or_default().insert(column, kind);
    }
    Ok(declared)
}

/// The word by which an enumeration without data is stored.
pub(super) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => unreachable!("only enumerations without data are stored as words"),
    }
}

pub(super) fn from_word<T: DeserializeOwned>(word: &str, what: &str) -> Result<T, Fault> {
    let value = serde_json::Value::String(word.to_owned());
    serde_json::from_value(value).map_err(|_| Fault::Altered(format!("`{word}` is not a known {what}")))
}
