//! The page of a child table: one grid. Pure.

use grist_client::RowId;
use serde_json::json;

use super::builder::{Builder, NewSection};
use super::columns::{Shown, TableColumns, is_read};
use super::dossiers::unique;
use super::formulas::SIZE;
use crate::sink::grist::shape::PARENT;
use crate::table::{ColumnKey, TableKey};

/// Makes the grid of the page.
pub(super) fn make(build: &mut Builder, view: RowId, child: TableColumns<'_>, title: &str) {
    let Some(table) = child.memory.table_ref else { return };
    build.section(&NewSection {
        table,
        view,
        kind: "record",
        title: title.to_owned(),
        options: json!({ "rowHeight": 2 }),
        sort: newest(&child.memory.key).and_then(|date| child.named(date)).map(|date| -date.column),
        fields: fields(child),
        ..NewSection::default()
    });
}

/// The date by which the newest row comes first.
fn newest(key: &TableKey) -> Option<&'static str> {
    match key {
        TableKey::Messages | TableKey::PiecesJointes => Some("created_at"),
        TableKey::Traitements => Some("date_traitement"),
        TableKey::Avis => Some("date_question"),
        TableKey::Dossiers
        | TableKey::GeoZones
        | TableKey::Instructeurs
        | TableKey::Labels
        | TableKey::Affectations
        | TableKey::Block(_) => None,
    }
}

/// The columns of the grid: the dossier, then those that people read.
fn fields(child: TableColumns<'_>) -> Vec<Shown> {
    let first: &[&str] = match child.memory.key {
        TableKey::Messages => &[PARENT, "created_at", "email", "body"],
        TableKey::PiecesJointes => &[PARENT, "filename", SIZE, "origine"],
        TableKey::Traitements => &[PARENT, "date_traitement", "state"],
        TableKey::Dossiers
        | TableKey::Avis
        | TableKey::GeoZones
        | TableKey::Instructeurs
        | TableKey::Labels
        | TableKey::Affectations
        | TableKey::Block(_) => &[PARENT],
    };
    let mut shown = child.all(first);
    if let Some(file) = child.memory.file.as_ref().and_then(|column| child.shown(column)) {
        shown.insert(shown.len().min(2), file);
    }
    // The size is shown with its unit.
    let size = ColumnKey::Fixed("byte_size".to_owned());
    let read = child.columns().filter(|(column, spec)| is_read(spec) && column.key != size);
    shown.extend(read.filter_map(|(column, _)| child.shown(column)));
    unique(shown)
}
