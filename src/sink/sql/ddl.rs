//! Creates and widens the tables of a démarche; never drops one.

use std::collections::BTreeMap;

use super::dialect::quoted;
use super::fault::Fault;
use super::store::Store;
use super::value::Type;
use super::{commit, remember, views};
use crate::demarche::Demarche;
use crate::ids::Scope;
use crate::plan::{RememberedTable, SchemaPlan};
use crate::sink::names;
use crate::table::{Layout, LayoutColumn, LayoutTable};

/// Brings the tables to a layout, inside a transaction. Writes only differences.
pub(in crate::sink) async fn prepare<S: Store>(
    store: &mut S,
    scope: &Scope,
    form: &Demarche,
    plan: &SchemaPlan,
) -> Result<(), Fault> {
    let layout = &plan.layout;
    let prefix = remember::register(store, &scope.instance).await?;
    let known = remember::tables(store, scope).await?;
    let known_as = |table: &LayoutTable| known.iter().find(|known| known.key == table.key);
    for table in &layout.tables {
        names::check(table, known_as(table)).map_err(Fault::Refused)?;
    }
    compare::<S>(&known, &remember::declared(store, scope).await?, layout)?;
    let first = layout.tables.first().ok_or_else(|| Fault::Refused("the layout has no table".to_owned()))?;
    let mut widened = false;
    for table in &layout.tables {
        let Some(known) = known_as(table) else {
            store.script(create::<S>(table, &first.name)).await?;
            continue;
        };
        for column in &table.columns {
            match known.columns.iter().find(|known| known.key == column.spec.key) {
                None => store.script(add::<S>(&table.name, column)).await?,
                Some(known) if declared::<S>(known.kind) == declared::<S>(column.spec.kind) => {}
                Some(known) => {
                    // The type of a column stays as long as a view reads it.
                    if !widened {
                        views::drop(store, scope).await?;
                        widened = true;
                    }
                    for statement in S::widen(&table.name, column, known.kind.into()) {
                        store.script(statement).await?;
                    }
                }
            }
        }
    }
    remember::save(store, scope, &prefix, layout).await?;
    views::create(store, scope, &prefix, layout).await?;
    store.add_extras(scope, layout).await?;
    remember::save_form(store, scope, form).await?;
    if plan.needs_backfill() {
        commit::owe_remap(store, scope).await?;
    }
    Ok(())
}

fn declared<S: Store>(kind: impl Into<Type>) -> &'static str {
    S::declared(kind.into())
}

fn create<S: Store>(table: &LayoutTable, dossiers: &str) -> String {
    let (integer, text, instant) = (S::declared(Type::Integer), S::declared(Type::Text), S::declared(Type::Instant));
    let mut lines = Vec::with_capacity(table.columns.len() + 5);
    if table.key.is_child() {
        let dossiers = quoted(dossiers);
        lines.push(format!(
            "\"dossier_number\" {integer} NOT NULL REFERENCES {dossiers} (\"number\") ON DELETE CASCADE"
        ));
        lines.push(format!("\"key\" {text} NOT NULL"));
        lines.push(format!("\"position\" {integer} NOT NULL"));
    } else {
        lines.push(format!("\"number\" {integer} NOT NULL {}", S::NUMBER_KEY));
    }
    lines.extend(table.columns.iter().map(definition::<S>));
    if table.key.is_child() {
        lines.push("PRIMARY KEY (\"dossier_number\", \"key\")".to_owned());
    } else {
        lines.push(format!("\"dn_gone_reason\" {text}"));
        lines.push(format!("\"dn_gone_at\" {instant}"));
        lines.push(format!("\"dn_seen_at\" {instant} NOT NULL"));
    }
    format!("CREATE TABLE {} (\n  {}\n){}", quoted(&table.name), lines.join(",\n  "), S::TABLE_END)
}

fn definition<S: Store>(column: &LayoutColumn) -> String {
    format!("{} {}", quoted(&column.name), declared::<S>(column.spec.kind))
}

fn add<S: Store>(table: &str, column: &LayoutColumn) -> String {
    format!("ALTER TABLE {} ADD COLUMN {}", quoted(table), definition::<S>(column))
}

/// Checks that nobody altered the tables.
pub(super) async fn as_left<S: Store>(store: &mut S, scope: &Scope, layout: &Layout) -> Result<(), Fault> {
    let known = remember::tables(store, scope).await?;
    compare::<S>(&known, &remember::declared(store, scope).await?, layout)
}

fn compare<S: Store>(
    known: &[RememberedTable],
    found: &BTreeMap<String, BTreeMap<String, String>>,
    layout: &Layout,
) -> Result<(), Fault> {
    let extra = |known: &RememberedTable| {
        layout.tables.iter().find(|table| table.key == known.key).map(S::extra_columns).unwrap_or_default()
    };
    for table in known {
        let altered = |reason: String| Err(Fault::Altered(format!("{}: {reason}", table.name)));
        let Some(columns) = found.get(&table.name) else { return altered("the table is missing".to_owned()) };
        let technical = if table.key.is_child() { &names::CHILD_COLUMNS[..] } else { &names::DOSSIER_COLUMNS[..] };
        if let Some(missing) = technical.iter().find(|name| !columns.contains_key(**name)) {
            return altered(format!("column {missing} is missing"));
        }
        for column in &table.columns {
            let expected = declared::<S>(column.kind);
            match columns.get(&column.name) {
                None => return altered(format!("column {} is missing", column.name)),
                Some(kind) if kind != expected => {
                    return altered(format!("column {} is {kind}, not {expected}", column.name));
                }
                Some(_) => {}
            }
        }
        let extra = extra(table);
        let ours = |name: &str| {
            technical.contains(&name) || extra.contains(&name) || table.columns.iter().any(|c| c.name == name)
        };
        if let Some(added) = columns.keys().find(|name| !ours(name)) {
            return altered(format!("column {added} was added"));
        }
    }
    Ok(())
}
