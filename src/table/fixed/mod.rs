//! Columns that tables always have. One list declares their names, kinds, the part of the privacy policy that governs
//! them, and their readers.

mod children;
mod column;
mod dossier;

pub(super) use children::{AFFECTATIONS, AffectationReader, TraitementReader};
pub(super) use children::{AVIS, FILES, GEO_ZONES, GeoRow, INSTRUCTEURS, LABELS, MESSAGES, TRAITEMENTS};
pub(super) use children::{AvisReader, FileReader, GeoReader, InstructeurReader, LabelReader, MessageReader};
pub(super) use column::{CHILD_TABLES, Fixed, columns, governed_by};
pub(super) use dossier::{DOSSIER, DossierReader};
