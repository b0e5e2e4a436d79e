//! Makes a small démarche by hand, and batches for it.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use demarche_numerique::checkpoint::Checkpoint;
use demarche_numerique::demarche::{Demarche, Learned, TypeDeChamp};
use demarche_numerique::dossier::{Gone, GoneReason};
use demarche_numerique::fingerprint::Digest;
use demarche_numerique::ids::{DemarcheNumber, DescriptorId, DossierNumber, RevisionId, Scope};
use demarche_numerique::plan::{Change, Plan, SchemaChange, SchemaPlan};
use demarche_numerique::privacy::Treatment;
use demarche_numerique::sink::{Batch, Prepared, Sink};
use demarche_numerique::table::{
    Cell, CellKind, ChildRow, ColumnKey, ColumnSpec, Layout, LayoutColumn, LayoutTable, Origin, Part, Row, TableKey,
};
use jiff::Timestamp;

pub fn scope() -> Scope {
    Scope { instance: "dn".to_owned(), demarche: DemarcheNumber::new(12) }
}

pub fn number(number: u32) -> DossierNumber {
    DossierNumber::new(number)
}

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_768_480_000 + second).expect("a date of this century")
}

fn descriptor(number: u64) -> DescriptorId {
    DescriptorId::new(STANDARD.encode(format!("Champ-{number}")))
}

pub fn column(id: u64, name: &str, title: &str, kind: CellKind) -> LayoutColumn {
    let spec = ColumnSpec {
        key: ColumnKey::Champ(descriptor(id), Part::Value),
        title: title.to_owned(),
        kind,
        description: None,
        options: Vec::new(),
        origin: Origin::Champ(TypeDeChamp::Text, None),
        policy: Treatment::Include,
    };
    LayoutColumn { name: name.to_owned(), spec }
}

pub const BLOCK: usize = 1;

/// A table of dossiers with a column of each kind, and one block.
pub fn layout(prefix: &str) -> Layout {
    let dossiers = LayoutTable {
        key: TableKey::Dossiers,
        name: format!("{prefix}_dossiers"),
        title: "Dossiers".to_owned(),
        columns: vec![
            column(1, "nom", "Nom de l'\"établissement\"", CellKind::Text),
            column(2, "effectif", "Effectif", CellKind::Integer),
            column(3, "montant", "Montant", CellKind::Decimal),
            column(4, "latitude", "Latitude", CellKind::Real),
            column(5, "accord", "Accord", CellKind::Boolean),
            column(6, "jour", "Jour", CellKind::Date),
            column(7, "instant", "Instant", CellKind::Datetime),
            column(8, "choix", "Choix", CellKind::Choice),
            column(9, "options", "Options", CellKind::Choices),
            column(10, "fiche", "Fiche", CellKind::Json),
        ],
    };
    let block = LayoutTable {
        key: TableKey::Block(descriptor(20)),
        name: format!("{prefix}_enfants"),
        title: "Enfants".to_owned(),
        columns: vec![column(21, "prenom", "Prénom", CellKind::Text), column(22, "age", "Âge", CellKind::Integer)],
    };
    Layout {
        demarche: DemarcheNumber::new(12),
        title: "Démarche".to_owned(),
        tables: vec![dossiers, block],
        presentation: BTreeSet::new(),
    }
}

/// The form for which those tables are made.
pub fn form() -> Demarche {
    Demarche {
        number: DemarcheNumber::new(12),
        title: "Démarche".to_owned(),
        state: "publiee".to_owned(),
        date_derniere_modification: at(0),
        revisions: Vec::new(),
        active_revision: RevisionId::new("revision"),
        groupes_instructeurs: Vec::new(),
        labels: Vec::new(),
        service: None,
        learned: Learned::default(),
    }
}

pub fn creation(layout: Layout) -> SchemaPlan {
    let changes = layout.tables.iter().cloned().map(SchemaChange::CreateTable).collect();
    SchemaPlan { layout, changes }
}

/// Gives the démarche of this scope its tables.
pub async fn prepare(sink: &impl Sink, scope: &Scope) -> Prepared {
    let prefix = sink.schema(scope).await.expect("a schema").prefix;
    sink.prepare(scope, &form(), creation(layout(&prefix))).await.expect("tables")
}

/// A dossier whose content is this text.
pub fn row(of: u32, text: &str) -> Box<Row> {
    let number = number(of);
    let document = serde_json::json!({ "number": of, "texte": text }).to_string();
    let cells = vec![
        Cell::Text(text.to_owned()),
        Cell::Integer(-i64::from(of)),
        Cell::Decimal("12.345".parse().expect("a decimal")),
        Cell::Real(48.853_1),
        Cell::Boolean(true),
        Cell::Date(jiff::civil::date(2026, 1, 15)),
        Cell::Datetime(at(0)),
        Cell::Text("l'un".to_owned()),
        Cell::List(vec!["l'un".to_owned(), "l’autre 🎉".to_owned()]),
        Cell::Json(r#"{"a":null}"#.to_owned()),
    ];
    let child = |position: u32| ChildRow {
        table: BLOCK,
        key: format!("ligne-{position}"),
        position,
        cells: vec![Cell::Text(format!("{text} {position}")), Cell::Null],
    };
    Box::new(Row {
        number,
        state: "en_instruction".into(),
        updated_at: at(i64::from(of)),
        fingerprint: Digest::of(document.as_bytes()),
        light: Digest::of(text.as_bytes()),
        document,
        cells,
        children: (0..of % 3).map(child).collect(),
    })
}

pub fn insert(of: u32, text: &str) -> Change {
    Change::Present(row(of, text))
}

pub fn update(of: u32, text: &str) -> Change {
    Change::Present(row(of, text))
}

pub fn gone() -> Gone {
    Gone { reason: GoneReason::Pending("user_request".to_owned()), at: Some(at(-5)) }
}

pub fn delete(of: u32) -> Change {
    Change::Gone(number(of), gone())
}

/// A batch seen at this second, which is also its watermark.
pub fn batch(second: i64, changes: Vec<Change>) -> Batch {
    Batch {
        run: format!("run-{second}"),
        seen_at: at(second),
        plan: Plan::from(changes),
        checkpoint: Checkpoint { watermark: Some(at(second)), ..Checkpoint::default() },
        quarantine: Vec::new(),
    }
}
