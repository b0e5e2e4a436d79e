//! A fake of Grist with one document, and what lies in it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use demarche_numerique::ids::Scope;
use demarche_numerique::sandbox::grist::{Grist, GristServer, Person, Row};
use demarche_numerique::sink::{GristSink, Sink, SinkError};
use demarche_numerique::table::CellKind;
use grist_client::{Client, Doc, DocId, SqlRow};
use jiff::Timestamp;
use serde_json::Value;

use crate::contracts::look::{Columns, Look, Shown, quoted};

/// A document of a fake.
pub struct Place {
    pub grist: Grist,
    pub document: String,
    server: GristServer,
}

impl Place {
    pub async fn new() -> Self {
        let grist = Grist::new();
        let document = grist.create_document("Suivi");
        let server = grist.serve_locally().await.expect("a free port");
        Self { grist, document, server }
    }

    /// The document, as the holder of this key.
    pub fn doc(&self, key: &str) -> Doc {
        let client = Client::builder(self.server.url()).key(key).retry_base(Duration::ZERO).build();
        client.expect("a client").doc(DocId::parse(&self.document).expect("an id"))
    }

    pub async fn try_open(&self) -> Result<GristSink, SinkError> {
        GristSink::of(self.doc(Grist::OWNER)).open().await
    }

    pub async fn open(&self) -> GristSink {
        self.try_open().await.expect("a document")
    }

    pub fn person(&self) -> Person {
        self.grist.person(&self.document)
    }

    pub fn rows(&self, table: &str) -> Vec<Row> {
        self.grist.rows(&self.document, table)
    }

    /// No key is twice in a table of ours, and every row of a child table has its dossier.
    pub fn assert_sound(&self) {
        for table in self.person().tables() {
            let key = self
                .rows(&table)
                .first()
                .and_then(|row| ["cle", "number"].into_iter().find(|key| !row.cell(key).is_null()));
            let Some(key) = key else { continue };
            let rows = self.rows(&table);
            let mut keys = BTreeSet::new();
            for row in &rows {
                assert!(keys.insert(row.cell(key).to_string()), "{table} has {} twice", row.cell(key));
                let parent = row.cell("dossier");
                if !table.starts_with("Dn_") && !parent.is_null() {
                    assert!(
                        parent.as_i64().is_some_and(|parent| parent > 0),
                        "a row of {table} has no dossier: {parent}"
                    );
                }
            }
        }
        assert_eq!(self.rows("Dn_baux").len().max(1), 1, "one lease is in force");
    }
}

/// The names of child tables' columns in layouts.
const KEY: &str = "cle";

impl Look for GristSink {
    const LONGEST_CELL: usize = 700_000;
    const CONVERTS: bool = false;
    // Node drops it from every text that comes from the data engine.
    const KEEPS_BOM: bool = false;

    async fn look(&self, scope: &Scope) -> Shown {
        let mut shown = Shown::default();
        for table in self.schema(scope).await.expect("a schema").tables {
            let mut id = table.name.clone();
            id[..1].make_ascii_uppercase();
            let kinds: BTreeMap<&str, CellKind> = table.columns.iter().map(|c| (c.name.as_str(), c.kind)).collect();
            let rows = shown.tables.entry(table.name.clone()).or_default();
            for row in self.doc().table_rows(&id).await.expect("rows") {
                let mut columns: Columns = kinds
                    .iter()
                    .map(|(name, kind)| ((*name).to_owned(), literal(row.get(*name).unwrap_or(&Value::Null), *kind)))
                    .collect();
                let key = if table.key.is_child() {
                    let position = row["position"].as_i64().expect("a position") - 1;
                    columns.insert("position".to_owned(), position.to_string());
                    let (number, key) = row[KEY].as_str().and_then(|key| key.split_once('/')).expect("a key");
                    (number.parse().expect("a number"), key.to_owned())
                } else {
                    for (name, kind) in [
                        ("dn_gone_reason", CellKind::Text),
                        ("dn_gone_at", CellKind::Datetime),
                        ("dn_seen_at", CellKind::Datetime),
                    ] {
                        columns.insert(name.to_owned(), literal(&row[name], kind));
                    }
                    (number(&row["number"]), String::new())
                };
                assert!(rows.insert(key, columns).is_none(), "a row of {id} is there twice");
            }
        }
        shown.dossiers = dossiers(self, scope).await;
        shown
    }
}

fn number(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_f64().map(|real| real as i64)).expect("a number")
}

async fn dossiers(sink: &GristSink, scope: &Scope) -> Vec<String> {
    let documents = sink.documents(scope, None, u32::MAX).await.expect("documents");
    let rows = sink.doc().table_rows("Dn_dossiers").await.unwrap_or_default();
    let own = |row: &&SqlRow| {
        row["instance"] == scope.instance.as_str() && row["demarche"] == scope.demarche.to_string().as_str()
    };
    let mut lines: Vec<(i64, String)> = rows
        .iter()
        .filter(own)
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap_or_default();
            let number = number(&row["numero"]);
            let document = documents.iter().find(|document| i64::from(document.number.get()) == number);
            let purged = text("disparu") == "retention";
            assert_eq!(document.is_none(), purged, "a document, unless it was purged");
            let gone = document.map_or(purged.then_some("retention"), |document| {
                document.gone.as_ref().map(|gone| gone.reason.as_str())
            });
            let document = document.map_or("{}", |document| document.document.as_str());
            let line = format!(
                "{number} {} {} {} {} {gone:?} {} {} {}",
                text("etat"),
                text("empreinte"),
                text("lumiere"),
                text("modifie"),
                text("premiere_vue"),
                text("changement"),
                document
            );
            (number, line)
        })
        .collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

/// A cell as a literal of SQL.
fn literal(value: &Value, kind: CellKind) -> String {
    match (value, kind) {
        (Value::Null, _) => "NULL".to_owned(),
        (Value::Array(items), _) => quoted(&serde_json::to_string(&items[1..]).expect("texts")),
        (Value::Bool(truth), _) => i32::from(*truth).to_string(),
        (Value::String(word), CellKind::Boolean) => i32::from(word == "Oui").to_string(),
        // Digits that Grist would round are text, written as in French.
        (Value::String(digits), CellKind::Integer | CellKind::Decimal) => {
            digits.replace('\u{202f}', "").replace(',', ".")
        }
        (Value::String(text), _) => quoted(text),
        (Value::Number(number), CellKind::Real) => format!("{:?}", number.as_f64().expect("a double")),
        (Value::Number(number), CellKind::Date) => {
            let instant = Timestamp::from_second(number.as_f64().expect("seconds") as i64).expect("a day");
            quoted(&instant.to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
        }
        (Value::Number(number), CellKind::Datetime) => {
            let instant = Timestamp::from_second(number.as_f64().expect("seconds") as i64);
            quoted(&instant.expect("an instant").to_string())
        }
        (Value::Number(number), _) => match number.as_f64() {
            Some(real) if real.fract() == 0.0 && number.as_i64().is_none() => format!("{}", real as i64),
            _ => number.to_string(),
        },
        (Value::Object(_), _) => panic!("a cell of Grist is no object"),
    }
}
