//! Reads the content of a target in a form in which two targets can be compared.

use std::collections::BTreeMap;

use demarche_numerique::dossier::{Gone, GoneReason};
use demarche_numerique::ids::Scope;
use demarche_numerique::sink::memory::Content;
use demarche_numerique::sink::{MemorySink, Sink};
use demarche_numerique::table::{Cell, CellKind};

/// The columns of a row, by name.
pub type Columns = BTreeMap<String, String>;

/// All of it, as text: values as SQL would write them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shown {
    /// By table, then by dossier and key.
    pub tables: BTreeMap<String, BTreeMap<(i64, String), Columns>>,
    /// Number, state, fingerprint, tombstone, dates and document.
    pub dossiers: Vec<String>,
    /// Number, kind, before, after, run; `None` for a target that keeps no feed.
    pub feed: Option<Vec<String>>,
}

pub trait Look: Sink {
    /// The longest text of a cell, in bytes: a longer one is told by a sentence in its place.
    const LONGEST_CELL: usize = usize::MAX;

    /// `true` if a byte order mark at the start of a text is stored.
    const KEEPS_BOM: bool = true;

    /// `true` if widening a column converts its values at once.
    const CONVERTS: bool = true;

    /// `true` if the target compares its rows with the expected ones.
    const COMPARES: bool = true;

    fn look(&self, scope: &Scope) -> impl Future<Output = Shown>;
}

impl Look for MemorySink {
    async fn look(&self, scope: &Scope) -> Shown {
        let content = self.content(scope);
        let mut shown = Shown::default();
        for table in &content.tables {
            let kinds: BTreeMap<&str, CellKind> = table.columns.iter().map(|c| (c.name.as_str(), c.kind)).collect();
            let cells = |cells: &BTreeMap<String, Cell>| -> Columns {
                let value = |(name, kind): (&&str, &CellKind)| {
                    ((*name).to_owned(), cells.get(*name).map_or("NULL".to_owned(), |cell| value(cell, *kind)))
                };
                kinds.iter().map(value).collect()
            };
            let rows = shown.tables.entry(table.name.clone()).or_default();
            if table.key.is_child() {
                for ((number, key), child) in content.children.get(&table.name).into_iter().flatten() {
                    let mut columns = cells(&child.cells);
                    columns.insert("position".to_owned(), child.position.to_string());
                    rows.insert((i64::from(number.get()), key.replace('\0', "\u{fffd}")), columns);
                }
            } else {
                let purged = |gone: &Gone| gone.reason == GoneReason::Retention;
                for (number, dossier) in &content.dossiers {
                    if dossier.gone.as_ref().is_some_and(purged) {
                        continue;
                    }
                    let mut columns = cells(&dossier.cells);
                    let text = |text: Option<String>| text.map_or("NULL".to_owned(), |text| quoted(&text));
                    let gone = dossier.gone.as_ref();
                    columns.insert("dn_gone_reason".into(), text(gone.map(|g| g.reason.as_str().to_owned())));
                    columns.insert("dn_gone_at".into(), text(gone.and_then(|g| g.at).map(|at| at.to_string())));
                    columns.insert("dn_seen_at".into(), quoted(&dossier.last_changed.to_string()));
                    rows.insert((i64::from(number.get()), String::new()), columns);
                }
            }
        }
        shown.dossiers = dossiers(&content);
        shown.feed = Some(feed(&content));
        shown
    }
}

fn dossiers(content: &Content) -> Vec<String> {
    let text =
        |(number, d): (&demarche_numerique::ids::DossierNumber, &demarche_numerique::sink::memory::StoredDossier)| {
            let gone = d.gone.as_ref().map(|gone| gone.reason.as_str());
            let (seen, changed) = (d.first_seen, d.last_changed);
            format!(
                "{number} {} {} {} {} {gone:?} {seen} {changed} {}",
                d.state, d.fingerprint, d.light, d.updated_at, d.document
            )
        };
    content.dossiers.iter().map(text).collect()
}

fn feed(content: &Content) -> Vec<String> {
    let digest = |digest: Option<demarche_numerique::fingerprint::Digest>| digest.map(|digest| digest.to_string());
    content
        .feed
        .iter()
        .map(|e| {
            format!(
                "{} {} {:?} {:?} {} {}",
                e.number,
                e.kind.as_str(),
                digest(e.before),
                digest(e.after),
                e.run,
                e.seen_at
            )
        })
        .collect()
}

pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\0', "\u{fffd}").replace('\'', "''"))
}

/// A cell as a literal of SQL, in a column that may have been widened to text after it was written.
fn value(cell: &Cell, kind: CellKind) -> String {
    let plain = match cell {
        Cell::Null => return "NULL".to_owned(),
        Cell::Text(text) | Cell::Json(text) => return quoted(text),
        Cell::Date(date) => return quoted(&date.to_string()),
        Cell::Datetime(instant) => return quoted(&instant.to_string()),
        Cell::List(items) => return quoted(&serde_json::to_string(items).expect("texts")),
        Cell::Integer(integer) => integer.to_string(),
        Cell::Boolean(boolean) => i32::from(*boolean).to_string(),
        Cell::Decimal(decimal) => decimal.normalize().to_string(),
        Cell::Real(real) => format!("{real:?}"),
    };
    if kind == CellKind::Text { quoted(&plain) } else { plain }
}

/// A text as a literal of SQL, or the sentence that stands for one that is too long.
pub fn literal<S: Look>(text: &str) -> String {
    if text.len() > S::LONGEST_CELL {
        let bytes = text.len();
        return format!(
            "'⟨valeur de {bytes} octets, trop longue pour une cellule de Grist : à lire sur la plateforme⟩'"
        );
    }
    quoted(if S::KEEPS_BOM { text } else { text.trim_start_matches('\u{feff}') })
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
    use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

    use super::*;
    use demarche_numerique::sink::SqliteSink;

    impl Look for SqliteSink {
        async fn look(&self, scope: &Scope) -> Shown {
            let file = self.name().strip_prefix("sqlite:").expect("the name of a file");
            let mut reader =
                SqliteConnectOptions::new().filename(file).read_only(true).connect().await.expect("a reader");
            show(&mut reader, scope).await
        }
    }

    async fn texts(reader: &mut SqliteConnection, query: &str, scope: &Scope) -> Vec<String> {
        sqlx::query_scalar(AssertSqlSafe(query.to_owned()))
            .bind(&scope.instance)
            .bind(scope.demarche.get())
            .fetch_all(reader)
            .await
            .expect(query)
    }

    async fn show(reader: &mut SqliteConnection, scope: &Scope) -> Shown {
        let mut shown = Shown::default();
        let tables = "SELECT name FROM dn_tables WHERE instance = ? AND demarche = ? ORDER BY id";
        for table in texts(reader, tables, scope).await {
            shown.tables.insert(table.clone(), rows(reader, &table).await);
        }
        let option = |column: &str| format!("iif({column} IS NULL, 'None', 'Some(\"' || {column} || '\")')");
        let query = "SELECT concat_ws(' ', number, state, fingerprint, light, updated_at, \
             iif(gone IS NULL, 'None', 'Some(\"' || coalesce(gone_reason, gone) || '\")'), \
             first_seen, last_changed, document) \
             FROM dn_dossiers WHERE instance = ? AND demarche = ? ORDER BY number";
        shown.dossiers = texts(reader, query, scope).await;
        let query = format!(
            "SELECT concat_ws(' ', number, kind, {}, {}, run, seen_at) \
             FROM dn_changes WHERE instance = ? AND demarche = ? ORDER BY seq",
            option("before"),
            option("after")
        );
        shown.feed = Some(texts(reader, &query, scope).await);
        shown
    }

    async fn rows(reader: &mut SqliteConnection, table: &str) -> BTreeMap<(i64, String), Columns> {
        let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info(?)")
            .bind(table)
            .fetch_all(&mut *reader)
            .await
            .expect("columns");
        let child = columns.iter().any(|name| name == "dossier_number");
        let keys = if child { ["dossier_number", "key"] } else { ["number", "''"] };
        let values: Vec<&String> = columns.iter().filter(|name| !keys.contains(&name.as_str())).collect();
        // A real is written with the fewest digits that give it back, as Rust does.
        let literals: Vec<String> = values
            .iter()
            .map(|name| {
                format!(
                    "CASE typeof(\"{name}\") WHEN 'real' THEN format('%!.15g', \"{name}\") ELSE quote(\"{name}\") END"
                )
            })
            .collect();
        let key = if child { "\"key\"" } else { "''" };
        let query = format!("SELECT \"{}\", {key}, {} FROM \"{table}\"", keys[0], literals.join(", "));
        let rows = sqlx::query(AssertSqlSafe(query)).fetch_all(reader).await.expect("rows");
        let row = |row: &sqlx::sqlite::SqliteRow| {
            let cells = values.iter().enumerate().map(|(i, name)| ((*name).clone(), row.get::<String, _>(i + 2)));
            ((row.get(0), row.get(1)), cells.collect())
        };
        rows.iter().map(row).collect()
    }
}
