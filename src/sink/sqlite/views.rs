//! The tables of a démarche as people read them: titles in French, dossiers that are there.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteConnection;

use super::ddl::quoted;
use super::fault::Fault;
use super::remember;
use crate::sink::{Scope, names};
use crate::table::{Layout, LayoutTable};

/// Drops the views of a démarche.
pub(super) async fn drop(connection: &mut SqliteConnection, scope: &Scope) -> Result<(), Fault> {
    let views: Vec<String> = sqlx::query_scalar("SELECT view FROM dn_tables WHERE instance = ? AND demarche = ?")
        .bind(&scope.instance)
        .bind(scope.demarche.get())
        .fetch_all(&mut *connection)
        .await?;
    for view in views {
        let drop = format!("DROP VIEW IF EXISTS {}", quoted(&view));
        sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Makes the views of a layout that is remembered already. A view that is right is left alone.
pub(super) async fn create(
    connection: &mut SqliteConnection,
    scope: &Scope,
    prefix: &str,
    layout: &Layout,
) -> Result<(), Fault> {
    let there: BTreeMap<String, String> = sqlx::query_as("SELECT name, sql FROM sqlite_schema WHERE type = 'view'")
        .fetch_all(&mut *connection)
        .await?
        .into_iter()
        .collect();
    let ages = ages(connection, scope).await?;
    let dossiers = layout.tables.first().map(|table| table.name.as_str()).unwrap_or_default();
    for table in &layout.tables {
        let view = names::view_name(&table.name, prefix, scope.demarche);
        let statement = text(&view, table, dossiers, ages.get(&table.name).map(Vec::as_slice).unwrap_or_default());
        match there.get(&view) {
            Some(sql) if *sql == statement => continue,
            Some(_) => {
                let drop = format!("DROP VIEW {}", quoted(&view));
                sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut *connection).await?;
            }
            None => {}
        }
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await?;
    }
    Ok(())
}

/// The columns of each table, oldest first.
async fn ages(connection: &mut SqliteConnection, scope: &Scope) -> Result<BTreeMap<String, Vec<String>>, Fault> {
    let tables = remember::tables(connection, scope).await?;
    let names = |table: crate::plan::RememberedTable| {
        (table.name, table.columns.into_iter().map(|column| column.name).collect())
    };
    Ok(tables.into_iter().map(names).collect())
}

/// The title of the dossier's number in every view.
const NUMBER: &str = "Dossier n°";
/// The title of a child row's place, from 1.
const RANK: &str = "Rang";
/// The title of the date at which this version was first seen.
const SEEN: &str = "Changement vu le";

fn text(view: &str, table: &LayoutTable, dossiers: &str, ages: &[String]) -> String {
    let fixed = if table.key.is_child() { [NUMBER, RANK] } else { [NUMBER, SEEN] };
    let titles = titles(&fixed, table, ages);
    let column = |expression: &str, title: &str| format!("  {expression} AS {}", quoted(title));
    let mut lines = Vec::new();
    if table.key.is_child() {
        lines.push(column("\"dossier_number\"", NUMBER));
        lines.push(column("\"position\" + 1", RANK));
    } else {
        lines.push(column("\"number\"", NUMBER));
    }
    for layout in &table.columns {
        lines.push(column(&quoted(&layout.name), titles.get(layout.name.as_str()).unwrap_or(&layout.name)));
    }
    let source = quoted(&table.name);
    let end = if table.key.is_child() {
        format!(
            "WHERE \"dossier_number\" IN (SELECT \"number\" FROM {} WHERE \"dn_gone_reason\" IS NULL)",
            quoted(dossiers)
        )
    } else {
        lines.push(column("\"dn_seen_at\"", SEEN));
        "WHERE \"dn_gone_reason\" IS NULL".to_owned()
    };
    format!("CREATE VIEW {} AS\nSELECT\n{}\nFROM {source}\n{end}", quoted(view), lines.join(",\n"))
}

/// The title of each column, made unique: of homonyms the oldest keeps the bare title and the others say their name in
/// the table, so that a question that appears later changes no title.
fn titles<'a>(fixed: &[&str], table: &'a LayoutTable, ages: &[String]) -> BTreeMap<&'a str, String> {
    let mut taken: BTreeSet<String> = fixed.iter().map(|title| title.to_lowercase()).collect();
    let mut columns: Vec<_> = table.columns.iter().collect();
    columns.sort_by_key(|column| ages.iter().position(|name| *name == column.name).unwrap_or(usize::MAX));
    let mut titles = BTreeMap::new();
    for column in columns {
        let mut title = clean(&column.spec.title);
        if title.is_empty() {
            title.clone_from(&column.name);
        }
        title.push_str(names::withheld(column.spec.policy));
        while !taken.insert(title.to_lowercase()) {
            title = format!("{title} ({})", column.name);
        }
        titles.insert(column.name.as_str(), title);
    }
    titles
}

/// The title on one line. U+0000 would end the statement.
fn clean(title: &str) -> String {
    let spaced: String = title.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}
