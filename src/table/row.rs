//! Rows: the cells of one dossier.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::dossier::DossierState;
use crate::fingerprint::{Digest, Fingerprint};
use crate::ids::DossierNumber;

/// Dossier as rows, ready for a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The key.
    pub number: DossierNumber,
    /// Its state, for reports and indexes.
    pub state: DossierState,
    /// The platform's date of its last change.
    pub updated_at: Timestamp,
    /// The digest of `document`.
    pub fingerprint: Fingerprint,
    /// The digest of its line in the light listing.
    pub light: Digest,
    /// The filtered dossier as JSON, from which the cells can be computed again without the network.
    pub document: String,
    /// The cells of the first table, in the order of the layout's columns.
    pub cells: Vec<Cell>,
    /// The rows of the other tables.
    pub children: Vec<ChildRow>,
}

/// Row of a child table.
#[derive(Clone, Debug, PartialEq)]
pub struct ChildRow {
    /// The position of its table in the layout.
    pub table: usize,
    /// Its key, unique among the rows of this table and dossier, the same at each reading.
    pub key: String,
    /// Its position among them, from 0.
    pub position: u32,
    /// Its cells, in the order of the layout's columns.
    pub cells: Vec<Cell>,
}

/// Value of a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// No answer, or not applicable.
    Null,
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// An exact decimal.
    Decimal(Decimal),
    /// A floating-point number.
    Real(f64),
    /// True or false.
    Boolean(bool),
    /// A day.
    Date(Date),
    /// An instant.
    Datetime(Timestamp),
    /// Some choices.
    List(Vec<String>),
    /// JSON text.
    Json(String),
}
