//! Stores the catalogue of a target: `dn_instances`, `dn_tables`, `dn_columns`, `dn_forms`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fault::Fault;
use super::store::{Fields, Insert, Store};
use super::value::{Type, Value};
use crate::demarche::Demarche;
use crate::ids::{DescriptorId, Scope};
use crate::plan::{Remembered, RememberedColumn, RememberedTable};
use crate::sink::names;
use crate::table::{ColumnKey, Layout, LayoutColumn, LayoutTable, Origin, TableKey};

/// Returns the two parameters of a scope.
pub(super) fn whose(scope: &Scope) -> [Value<'_>; 2] {
    [(&scope.instance).into(), scope.demarche.into()]
}

/// Reads the prefix of an instance; `true` if it is stored already.
pub(in crate::sink) async fn prefix<S: Store>(store: &mut S, instance: &str) -> Result<(String, bool), Fault> {
    let mut others = Vec::new();
    for row in store.rows("SELECT name, prefix FROM dn_instances".into(), &[]).await? {
        let prefix = row.text("prefix")?.to_owned();
        if row.text("name")? == instance {
            return Ok((prefix, true));
        }
        others.push(prefix);
    }
    Ok((names::instance_prefix(instance, &others), false))
}

/// Reads or allocates the prefix of an instance, inside a transaction.
pub(in crate::sink) async fn register<S: Store>(store: &mut S, instance: &str) -> Result<String, Fault> {
    if let (prefix, true) = prefix(store, instance).await? {
        return Ok(prefix);
    }
    if let Some(lock) = S::LOCK_NAMES {
        store.run(lock.into(), &[]).await?;
    }
    let (prefix, given) = prefix(store, instance).await?;
    if !given {
        let insert = "INSERT INTO dn_instances (name, prefix) VALUES ($1, $2)";
        store.run(insert.into(), &[instance.into(), (&prefix).into()]).await?;
    }
    Ok(prefix)
}

/// Reads the tables of a démarche, in the order of their creation.
pub(in crate::sink) async fn remembered<S: Store>(
    store: &mut S,
    scope: &Scope,
    instance_prefix: &str,
) -> Result<Remembered, Fault> {
    let tables = tables(store, scope).await?;
    let prefix = names::demarche_prefix(instance_prefix, scope.demarche);
    let mut taken = BTreeSet::new();
    for row in store.rows(S::TAKEN.into(), &whose(scope)).await? {
        let name = row.text("name")?;
        // If the view of a table would collide with an object of a user, table and view get another name.
        taken.extend(names::table_of_view(name, instance_prefix, scope.demarche));
        taken.insert(name.to_owned());
    }
    Ok(Remembered { tables, taken, prefix })
}

/// The prefix of the part of a sub-value in `dn_columns`, before its platform id.
const SUB_VALUE: &str = "column:";

pub(super) async fn tables<S: Store>(store: &mut S, scope: &Scope) -> Result<Vec<RememberedTable>, Fault> {
    let query =
        "SELECT name, holds, descriptor, title FROM dn_tables WHERE instance = $1 AND demarche = $2 ORDER BY id";
    let rows = store.rows(query.into(), &whose(scope)).await?;
    let mut tables = Vec::with_capacity(rows.len());
    for row in rows {
        tables.push(RememberedTable {
            key: table_key(&row)?,
            name: row.text("name")?.to_owned(),
            title: row.text("title")?.to_owned(),
            columns: Vec::new(),
        });
    }
    let query = "SELECT \"table\", \"column\", descriptor, part, title, kind FROM dn_columns \
                 WHERE instance = $1 AND demarche = $2 ORDER BY id";
    for row in store.rows(query.into(), &whose(scope)).await? {
        let name = row.text("table")?;
        let table = tables.iter_mut().find(|table| table.name == name);
        let table = table.ok_or_else(|| Fault::Altered(format!("dn_tables does not tell of {name}")))?;
        let part = row.text("part")?;
        let key = match row.maybe_text("descriptor")? {
            Some(descriptor) => match part.strip_prefix(SUB_VALUE) {
                Some(id) => ColumnKey::Column(DescriptorId::new(descriptor), id.to_owned()),
                None => ColumnKey::Champ(DescriptorId::new(descriptor), from_word(part, "part")?),
            },
            None => ColumnKey::Fixed(part.to_owned()),
        };
        table.columns.push(RememberedColumn {
            key,
            name: row.text("column")?.to_owned(),
            title: row.text("title")?.to_owned(),
            kind: from_word(row.text("kind")?, "kind")?,
        });
    }
    Ok(tables)
}

fn table_key(row: &impl Fields) -> Result<TableKey, Fault> {
    match row.maybe_text("descriptor")? {
        Some(descriptor) => Ok(TableKey::Block(DescriptorId::new(descriptor))),
        None => from_word(row.text("holds")?, "holds"),
    }
}

/// Reads the form for which the tables were last prepared.
pub(in crate::sink) async fn form<S: Store>(store: &mut S, scope: &Scope) -> Result<Option<Demarche>, Fault> {
    let query = "SELECT CAST(form AS text) AS form FROM dn_forms WHERE instance = $1 AND demarche = $2";
    let rows = store.rows(query.into(), &whose(scope)).await?;
    let read = |text: &str| {
        serde_json::from_str(text).map_err(|_| Fault::Altered(format!("the form of {scope} cannot be read")))
    };
    rows.first().map(|row| row.text("form").and_then(read)).transpose()
}

/// Stores the form if it differs from the stored one.
pub(super) async fn save_form<S: Store>(store: &mut S, scope: &Scope, form: &Demarche) -> Result<(), Fault> {
    let text = serde_json::to_string(form).expect("a form is plain data with text keys");
    let [instance, demarche] = whose(scope);
    let upsert = "INSERT INTO dn_forms (instance, demarche, title, form) VALUES ($1, $2, $3, $4) \
                  ON CONFLICT (instance, demarche) DO UPDATE SET title = excluded.title, form = excluded.form \
                  WHERE CAST(dn_forms.form AS text) <> CAST(excluded.form AS text)";
    store.run(upsert.into(), &[instance, demarche, (&form.title).into(), Value::Document(text.into())]).await
}

/// Stores a layout whose tables exist. Writes only differing lines.
pub(super) async fn save<S: Store>(
    store: &mut S,
    scope: &Scope,
    instance_prefix: &str,
    layout: &Layout,
) -> Result<(), Fault> {
    const TABLES: &[(&str, Type)] = &[
        ("instance", Type::Text),
        ("demarche", Type::Integer),
        ("name", Type::Text),
        ("view", Type::Text),
        ("holds", Type::Text),
        ("descriptor", Type::Text),
        ("title", Type::Text),
    ];
    let tail = "ON CONFLICT (name) DO UPDATE SET title = excluded.title WHERE dn_tables.title <> excluded.title";
    let values = layout.tables.iter().flat_map(|table| line_of_table(scope, instance_prefix, table)).collect();
    let tables = Insert { table: "dn_tables", columns: TABLES.to_vec(), values, tail: tail.into() };
    let lines = layout.tables.iter().flat_map(|table| table.columns.iter().map(move |column| (table, column)));
    let lines = lines.flat_map(|(table, column)| line_of_column(scope, table, column)).collect();
    store.insert(&[tables, lines_of_columns(lines)]).await
}

fn line_of_table<'r>(scope: &'r Scope, instance_prefix: &str, table: &'r LayoutTable) -> [Value<'r>; 7] {
    let (holds, descriptor) = match &table.key {
        TableKey::Block(descriptor) => ("block".to_owned(), Some(descriptor.as_str())),
        key => (word(key), None),
    };
    let [instance, demarche] = whose(scope);
    let view = names::view_name(&table.name, instance_prefix, scope.demarche);
    [instance, demarche, (&table.name).into(), view.into(), holds.into(), descriptor.into(), (&table.title).into()]
}

fn lines_of_columns(values: Vec<Value<'_>>) -> Insert<'_> {
    const COLUMNS: &[(&str, Type)] = &[
        ("instance", Type::Text),
        ("demarche", Type::Integer),
        ("table", Type::Text),
        ("column", Type::Text),
        ("descriptor", Type::Text),
        ("part", Type::Text),
        ("title", Type::Text),
        ("kind", Type::Text),
        ("origin", Type::Text),
        ("type_de_champ", Type::Text),
        ("since_revision", Type::Text),
        ("policy", Type::Text),
        ("description", Type::Text),
        ("options", Type::Texts),
    ];
    // A former column keeps what was known of its question.
    let kept = |column: &str| {
        format!("{column} = CASE WHEN excluded.origin = 'former' THEN dn_columns.{column} ELSE excluded.{column} END")
    };
    let of_question = ["type_de_champ", "since_revision", "policy", "description", "options"];
    let of = |table: &str| of_question.map(|column| format!("{table}.{column}")).join(", ");
    let tail = format!(
        "ON CONFLICT (\"table\", \"column\") DO UPDATE SET title = excluded.title, kind = excluded.kind, \
         origin = excluded.origin, {} \
         WHERE (dn_columns.title, dn_columns.kind, dn_columns.origin) <> \
         (excluded.title, excluded.kind, excluded.origin) \
         OR excluded.origin <> 'former' AND ({}) IS DISTINCT FROM ({})",
        of_question.map(kept).join(", "),
        of("dn_columns"),
        of("excluded"),
    );
    Insert { table: "dn_columns", columns: COLUMNS.to_vec(), values, tail: tail.into() }
}

fn line_of_column<'r>(scope: &'r Scope, table: &'r LayoutTable, column: &'r LayoutColumn) -> [Value<'r>; 14] {
    let spec = &column.spec;
    let (descriptor, part) = match &spec.key {
        ColumnKey::Fixed(name) => (None, Cow::Borrowed(name.as_str())),
        ColumnKey::Champ(descriptor, part) => (Some(descriptor.as_str()), Cow::Owned(word(part))),
        ColumnKey::Column(descriptor, id) => (Some(descriptor.as_str()), Cow::Owned(format!("{SUB_VALUE}{id}"))),
    };
    let (origin, type_de_champ, since) = match &spec.origin {
        Origin::Fixed => ("fixed", None, None),
        Origin::Champ(type_de_champ, since) => ("champ", Some(type_de_champ.as_str()), since.as_ref()),
        Origin::Annotation(type_de_champ, since) => ("annotation", Some(type_de_champ.as_str()), since.as_ref()),
        Origin::Former => ("former", None, None),
    };
    let options = if spec.options.is_empty() { Value::Null } else { Value::Texts(&spec.options) };
    let [instance, demarche] = whose(scope);
    [
        instance,
        demarche,
        (&table.name).into(),
        (&column.name).into(),
        descriptor.into(),
        Value::Text(part),
        (&spec.title).into(),
        word(&spec.kind).into(),
        origin.into(),
        type_de_champ.into(),
        since.map(|revision| revision.as_str()).into(),
        spec.policy.as_str().into(),
        spec.description.as_deref().into(),
        options,
    ]
}

/// Reads the declared types of the columns of these tables, by table and column.
pub(super) async fn declared<S: Store>(
    store: &mut S,
    scope: &Scope,
) -> Result<BTreeMap<String, BTreeMap<String, String>>, Fault> {
    let mut declared: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for row in store.rows(S::COLUMNS.into(), &whose(scope)).await? {
        let columns = declared.entry(row.text("table")?.to_owned()).or_default();
        columns.insert(row.text("column")?.to_owned(), row.text("type")?.to_owned());
    }
    Ok(declared)
}

/// Returns the word that stores an enum without data.
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
