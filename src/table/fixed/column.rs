//! Describes fixed columns, and lists those of each table.

use super::{children, dossier};
use crate::privacy::{DossierPart, Treatment};
use crate::table::spec::{CellKind, ColumnKey, ColumnSpec, Origin, TableKey};

/// Column that a table always has. `R` reads its cell. It gets the treatment of the column, for values whose type
/// cannot hold a placeholder.
#[derive(Debug)]
pub(in crate::table) struct Fixed<R: 'static> {
    pub(in crate::table) name: &'static str,
    pub(in crate::table) title: &'static str,
    pub(in crate::table) kind: CellKind,
    /// Choices known beforehand.
    pub(in crate::table) options: &'static [&'static str],
    /// The parts of the policy that govern it; the strictest wins.
    pub(in crate::table) parts: &'static [DossierPart],
    pub(in crate::table) read: R,
}

/// Child tables of every dossier, blocks aside, with their titles.
pub(in crate::table) const CHILD_TABLES: [(TableKey, &str); 8] = [
    (TableKey::PiecesJointes, "Pièces jointes"),
    (TableKey::Messages, "Messages"),
    (TableKey::Avis, "Avis"),
    (TableKey::Traitements, "Historique"),
    (TableKey::GeoZones, "Zones géographiques"),
    (TableKey::Instructeurs, "Instructeurs"),
    (TableKey::Labels, "Étiquettes"),
    (TableKey::Affectations, "Affectations"),
];

/// Description of a column without its reader.
type Described = (&'static str, &'static str, CellKind, &'static [&'static str], &'static [DossierPart]);

fn described(table: &TableKey) -> Vec<Described> {
    fn list<R>(columns: &'static [Fixed<R>]) -> Vec<Described> {
        columns.iter().map(|c| (c.name, c.title, c.kind, c.options, c.parts)).collect()
    }
    match table {
        TableKey::Dossiers => list(dossier::DOSSIER),
        TableKey::PiecesJointes => list(children::FILES),
        TableKey::Messages => list(children::MESSAGES),
        TableKey::Avis => list(children::AVIS),
        TableKey::Traitements => list(children::TRAITEMENTS),
        TableKey::GeoZones => list(children::GEO_ZONES),
        TableKey::Instructeurs => list(children::INSTRUCTEURS),
        TableKey::Labels => list(children::LABELS),
        TableKey::Affectations => list(children::AFFECTATIONS),
        TableKey::Block(_) => Vec::new(),
    }
}

/// Lists the columns that this table always has.
pub(in crate::table) fn columns(table: &TableKey) -> impl Iterator<Item = ColumnSpec> + use<> {
    described(table).into_iter().map(|(name, title, kind, options, _)| ColumnSpec {
        key: ColumnKey::Fixed(name.to_owned()),
        title: title.to_owned(),
        kind,
        description: None,
        options: options.iter().map(|option| (*option).to_owned()).collect(),
        origin: Origin::Fixed,
        policy: Treatment::Include,
    })
}

/// Lists the parts of the policy that govern this column.
pub(in crate::table) fn governed_by(table: &TableKey, column: &str) -> &'static [DossierPart] {
    let found = described(table).into_iter().find(|(name, ..)| *name == column);
    found.map(|(.., parts)| parts).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::table::naming::RESERVED;

    #[test]
    fn no_table_names_two_columns_alike_or_like_a_column_of_the_target() {
        let children = CHILD_TABLES.iter().map(|(key, _)| key);
        for table in children.chain([&TableKey::Dossiers]) {
            let mut names = BTreeSet::new();
            for (name, ..) in described(table) {
                assert!(names.insert(name), "{table:?} {name} twice");
                assert!(!RESERVED.contains(&name) && !name.starts_with("dn_"), "{table:?} {name} is reserved");
            }
        }
    }
}
