//! The tables of a démarche: made, widened, never dropped.

use std::collections::BTreeMap;

use sqlx::AssertSqlSafe;
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;

use super::encoding::declared;
use super::fault::Fault;
use super::{commit, remember, views};
use crate::demarche::Demarche;
use crate::plan::{RememberedTable, SchemaPlan};
use crate::sink::{Scope, names};
use crate::table::{LayoutColumn, LayoutTable};

/// A name as SQL text. Names are clean already; this holds whatever they are.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Brings the tables to a layout, in one transaction. What is right already is not written.
pub(super) async fn prepare(
    connection: &mut SqliteConnection,
    scope: &Scope,
    form: &Demarche,
    plan: &SchemaPlan,
) -> Result<(), Fault> {
    let layout = &plan.layout;
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    let prefix = remember::register(&mut tx, &scope.instance).await?;
    let known = remember::tables(&mut tx, scope).await?;
    compare(&known, &remember::declared(&mut tx, scope).await?)?;
    let known_as = |table: &LayoutTable| known.iter().find(|known| known.key == table.key);
    for table in &layout.tables {
        names::check(table, known_as(table)).map_err(Fault::Refused)?;
    }
    let first = layout.tables.first().ok_or_else(|| Fault::Refused("the layout has no table".to_owned()))?;
    let mut widened = false;
    for table in &layout.tables {
        let Some(known) = known_as(table) else {
            execute(&mut tx, create(table, &first.name)).await?;
            continue;
        };
        for column in &table.columns {
            match known.columns.iter().find(|known| known.key == column.spec.key) {
                None => execute(&mut tx, add(&table.name, column)).await?,
                Some(known) if declared(known.kind) == declared(column.spec.kind) => {}
                Some(_) => {
                    // SQLite refuses to drop a column while a view reads the table.
                    if !widened {
                        views::drop(&mut tx, scope).await?;
                        widened = true;
                    }
                    for statement in widen(&table.name, column) {
                        execute(&mut tx, statement).await?;
                    }
                }
            }
        }
    }
    remember::save(&mut tx, scope, &prefix, layout).await?;
    views::create(&mut tx, scope, &prefix, layout).await?;
    remember::save_form(&mut tx, scope, form).await?;
    if plan.needs_remap() {
        commit::owe_remap(&mut tx, scope).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn execute(connection: &mut SqliteConnection, statement: String) -> Result<(), Fault> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await?;
    Ok(())
}

fn create(table: &LayoutTable, dossiers: &str) -> String {
    let mut lines = Vec::with_capacity(table.columns.len() + 5);
    if table.key.is_child() {
        lines.push(format!(
            "\"dossier_number\" INTEGER NOT NULL REFERENCES {} (\"number\") ON DELETE CASCADE",
            quoted(dossiers)
        ));
        lines.push("\"key\" TEXT NOT NULL".to_owned());
        lines.push("\"position\" INTEGER NOT NULL".to_owned());
    } else {
        // Unique, and not the primary key: rows go in at the end of the table, in the order in which they come, instead of
        // each into another page of it.
        lines.push("\"number\" INTEGER NOT NULL UNIQUE".to_owned());
    }
    lines.extend(table.columns.iter().map(definition));
    if table.key.is_child() {
        lines.push("PRIMARY KEY (\"dossier_number\", \"key\")".to_owned());
    } else {
        lines.push("\"dn_gone_reason\" TEXT".to_owned());
        lines.push("\"dn_gone_at\" TEXT".to_owned());
        lines.push("\"dn_seen_at\" TEXT NOT NULL".to_owned());
    }
    format!("CREATE TABLE {} (\n  {}\n) STRICT", quoted(&table.name), lines.join(",\n  "))
}

fn definition(column: &LayoutColumn) -> String {
    format!("{} {}", quoted(&column.name), declared(column.spec.kind))
}

fn add(table: &str, column: &LayoutColumn) -> String {
    format!("ALTER TABLE {} ADD COLUMN {}", quoted(table), definition(column))
}

/// SQLite cannot change the type of a column, so the values move to another one that takes the name. Its place among the
/// columns changes; nothing here depends on it.
fn widen(table: &str, column: &LayoutColumn) -> [String; 4] {
    let (table, name) = (quoted(table), quoted(&column.name));
    let values = match declared(column.spec.kind) {
        "ANY" => name.clone(),
        kind => format!("CAST({name} AS {kind})"),
    };
    [
        format!("ALTER TABLE {table} ADD COLUMN \"dn_wider\" {}", declared(column.spec.kind)),
        format!("UPDATE {table} SET \"dn_wider\" = {values}"),
        format!("ALTER TABLE {table} DROP COLUMN {name}"),
        format!("ALTER TABLE {table} RENAME COLUMN \"dn_wider\" TO {name}"),
    ]
}

/// Whether the tables are as they were left.
fn compare(known: &[RememberedTable], found: &BTreeMap<String, BTreeMap<String, String>>) -> Result<(), Fault> {
    for table in known {
        let altered = |reason: String| Err(Fault::Altered(format!("{}: {reason}", table.name)));
        let Some(columns) = found.get(&table.name) else { return altered("the table is missing".to_owned()) };
        let technical = if table.key.is_child() { &names::CHILD_COLUMNS[..] } else { &names::DOSSIER_COLUMNS[..] };
        if let Some(missing) = technical.iter().find(|name| !columns.contains_key(**name)) {
            return altered(format!("column {missing} is missing"));
        }
        for column in &table.columns {
            match columns.get(&column.name) {
                None => return altered(format!("column {} is missing", column.name)),
                Some(kind) if kind != declared(column.kind) => {
                    return altered(format!("column {} is {kind}, not {}", column.name, declared(column.kind)));
                }
                Some(_) => {}
            }
        }
        let ours = |name: &str| technical.contains(&name) || table.columns.iter().any(|column| column.name == name);
        if let Some(added) = columns.keys().find(|name| !ours(name)) {
            return altered(format!("column {added} was added"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_a_name_whatever_it_contains() {
        assert_eq!(quoted("a\"; DROP TABLE b; --"), "\"a\"\"; DROP TABLE b; --\"");
    }
}
