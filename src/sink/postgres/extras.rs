//! Adds comments, indexes and geometries to tables.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::postgres::PgConnection;

use super::geometry;
use crate::ids::Scope;
use crate::sink::sql::{Fault, Fields, Store, quoted};
use crate::table::{ColumnKey, Layout, LayoutColumn, LayoutTable};

/// Puts what is missing. What is right already is not written.
pub(super) async fn add(store: &mut PgConnection, scope: &Scope, layout: &Layout) -> Result<(), Fault> {
    let whose = [(&scope.instance).into(), scope.demarche.into()];
    let mut found = Found::default();
    for row in store.rows(COMMENTS.into(), &whose).await? {
        let key = (row.text("table")?.to_owned(), row.text("column")?.to_owned());
        found.comments.insert(key, row.maybe_text("comment")?.map(str::to_owned));
    }
    for row in store.rows(INDEXES.into(), &whose).await? {
        found.indexed.insert((row.text("table")?.to_owned(), row.text("column")?.to_owned()));
    }
    let postgis = store.rows(POSTGIS.into(), &[]).await?;
    let postgis = postgis.first().map(|row| row.text("schema").map(str::to_owned)).transpose()?;
    let mut statements: Vec<String> = layout.tables.iter().flat_map(|table| missing(table, &found)).collect();
    if let Some(postgis) = postgis {
        let new = |table: &&LayoutTable| !found.has(&table.name, geometry::COLUMN);
        statements.extend(layout.tables.iter().filter(new).filter_map(|table| {
            geometry::source(table).map(|source| geometry::statements(&table.name, source, &postgis))
        }));
    }
    if statements.is_empty() { Ok(()) } else { store.script(statements.join(";\n")).await }
}

const COMMENTS: &str = "SELECT t.name AS \"table\", coalesce(a.attname::text, '') AS \"column\", \
                        CASE WHEN a.attname IS NULL THEN obj_description(c.oid, 'pg_class') \
                        ELSE col_description(c.oid, a.attnum) END AS comment FROM dn_tables AS t \
                        JOIN pg_class AS c ON c.relname = t.name AND c.relnamespace = quote_ident(current_schema())::regnamespace \
                        LEFT JOIN (SELECT attrelid, attnum, attname FROM pg_attribute \
                        WHERE attnum > 0 AND NOT attisdropped UNION ALL SELECT oid, 0, NULL FROM pg_class) AS a \
                        ON a.attrelid = c.oid WHERE t.instance = $1 AND t.demarche = $2";

const INDEXES: &str = "SELECT t.name AS \"table\", a.attname::text AS \"column\" FROM dn_tables AS t \
                       JOIN pg_class AS c ON c.relname = t.name AND c.relnamespace = quote_ident(current_schema())::regnamespace \
                       JOIN pg_index AS i ON i.indrelid = c.oid AND i.indnatts = 1 \
                       JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] \
                       WHERE t.instance = $1 AND t.demarche = $2";

const POSTGIS: &str = "SELECT n.nspname::text AS schema FROM pg_extension AS e \
                       JOIN pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'postgis'";

/// The present comments, by table and column (`None` for the table itself), and the columns with an index.
#[derive(Default)]
struct Found {
    comments: BTreeMap<(String, String), Option<String>>,
    indexed: BTreeSet<(String, String)>,
}

impl Found {
    fn has(&self, table: &str, column: &str) -> bool {
        self.comments.contains_key(&(table.to_owned(), column.to_owned()))
    }
}

/// The columns by which a back office sorts and filters.
const SEARCHED: [&str; 6] = [
    "state",
    "groupe_instructeur_number",
    "date_depot",
    "date_passage_en_instruction",
    "date_traitement",
    "date_derniere_modification",
];

fn missing(table: &LayoutTable, found: &Found) -> Vec<String> {
    let mut statements = Vec::new();
    let name = quoted(&table.name);
    let mut comment = |column: &str, words: String| {
        let there = found.comments.get(&(table.name.clone(), column.to_owned()));
        if there.and_then(Option::as_deref) != Some(words.as_str()) {
            let on =
                if column.is_empty() { format!("TABLE {name}") } else { format!("COLUMN {name}.{}", quoted(column)) };
            statements.push(format!("COMMENT ON {on} IS {}", text(&words)));
        }
    };
    comment("", clean(&table.title));
    let technical: &[(&str, &str)] = if table.key.is_child() { &CHILD } else { &DOSSIER };
    for (column, words) in technical {
        comment(column, (*words).to_owned());
    }
    for column in &table.columns {
        comment(&column.name, words(column));
    }
    if !table.key.is_child() {
        let searched = table
            .columns
            .iter()
            .filter(|column| matches!(&column.spec.key, ColumnKey::Fixed(name) if SEARCHED.contains(&name.as_str())));
        let unindexed = |column: &str| !found.indexed.contains(&(table.name.clone(), column.to_owned()));
        for column in searched.filter(|column| unindexed(&column.name)) {
            statements.push(format!("CREATE INDEX ON {name} ({})", quoted(&column.name)));
        }
        if unindexed("dn_gone_reason") {
            let gone = "(\"dn_gone_reason\") WHERE \"dn_gone_reason\" IS NOT NULL";
            statements.push(format!("CREATE INDEX ON {name} {gone}"));
        }
    }
    statements
}

const DOSSIER: [(&str, &str); 4] = [
    ("number", "Dossier n°"),
    ("dn_gone_reason", "Raison du départ ; vide tant que le dossier est là"),
    ("dn_gone_at", "Date du départ"),
    ("dn_seen_at", "Changement vu le"),
];

const CHILD: [(&str, &str); 3] =
    [("dossier_number", "Dossier n°"), ("key", "Clé, unique dans le dossier"), ("position", "Rang, à partir de 0")];

/// The title of a column, and under it the help text.
fn words(column: &LayoutColumn) -> String {
    let title = clean(&column.spec.title);
    match column.spec.description.as_deref().map(clean).filter(|description| !description.is_empty()) {
        Some(description) => format!("{title}\n\n{description}"),
        None => title,
    }
}

fn clean(words: &str) -> String {
    words.trim().replace('\0', "\u{fffd}")
}

/// A text inside a statement. `standard_conforming_strings` is on: a backslash is a backslash.
fn text(words: &str) -> String {
    format!("'{}'", words.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_a_text_whatever_it_contains() {
        assert_eq!(text("l'\\'; DROP TABLE dn_dossiers; --"), "'l''\\''; DROP TABLE dn_dossiers; --'");
    }
}
