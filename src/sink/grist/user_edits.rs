//! Compares the document with what is remembered of it, to follow what people did. Pure.
//!
//! Titles, ids, order, colours, widths, pages, and everything that is theirs alone is not looked at: tables and columns
//! are found again by their references.

use grist_client::{Column, Hidden, Table};

use super::encoding::Kind;
use super::extension::ExtensionSet;
use super::fault::GristFault;
use super::memory::{ColumnMemory, DocumentMemory, TableMemory};
use super::shape;

/// Result of the comparison.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct UserEdits {
    /// The memory, following what was renamed, deleted and brought back.
    pub memory: DocumentMemory,
    /// Notices for the report.
    pub notices: Vec<String>,
    /// Columns came back whose values are those of another time.
    pub owes_remap: bool,
}

/// Compares the document with what is remembered of it.
///
/// # Errors
/// [`GristFault::Altered`] where no run can go on without losing something: a table or a key is missing, a column has a type
/// that cannot hold its values.
pub(super) fn compare(
    memory: &DocumentMemory,
    structure: &[Table],
    hidden: &Hidden,
    restore: bool,
    extensions: &ExtensionSet,
) -> Result<UserEdits, GristFault> {
    let mut edits = UserEdits { memory: memory.clone(), notices: Vec::new(), owes_remap: false };
    let mut of_features: Vec<Vec<String>> = extensions.all().map(|_| Vec::new()).collect();
    let dossiers = memory.tables.first().and_then(|table| table.find(structure)).map(|table| table.id.clone());
    for table in &mut edits.memory.tables {
        let Some(found) = table.find(structure) else {
            let is_hidden = table.table_ref.is_some_and(|reference| hidden.tables.contains(&reference));
            return Err(altered(&table.id, if is_hidden { HIDDEN } else { "the table is missing" }));
        };
        edits.notices.extend(triggers(table, found));
        table.id.clone_from(&found.id);
        let id = &found.id;
        for column in &mut table.technical {
            let Some(here) = column.find(found).filter(|here| !is_formula(here)) else {
                if is_hidden(column, hidden) {
                    return Err(altered(id, &format!("column {}: {HIDDEN}", column.id)));
                }
                return Err(altered(id, &format!("column {} is missing", column.id)));
            };
            follow(column, here);
            let wanted = match (Kind::parse(&column.given), &dossiers) {
                (Kind::Ref(_), Some(dossiers)) => Kind::Ref(dossiers.clone()),
                (kind, _) => kind,
            };
            column.given = wanted.to_string();
            // Keys are looked up: text is not a number there.
            let held = match wanted {
                _ if column.name == shape::NUMBER => is_key(&here.kind),
                _ => Kind::parse(&here.kind).holds(&wanted),
            };
            if !held {
                return Err(altered(id, &retyped(here, &wanted)));
            }
        }
        for (extension, notices) in extensions.all().zip(&mut of_features) {
            let Some(of) = extension.added() else { continue };
            for column in table.added_mut(of) {
                notices.extend(extension.follow(column, found, hidden, restore));
            }
        }
        for column in &mut table.columns {
            let title = column.label.clone();
            match column.find(found) {
                Some(here) if is_formula(here) => {
                    if !column.left_out {
                        let notice = format!("column “{title}” of {id} is a formula now: it is left to it");
                        edits.notices.push(notice);
                    }
                    column.left_out = true;
                }
                Some(here) => {
                    follow(column, here);
                    let wanted = Kind::parse(&column.given);
                    if !Kind::parse(&here.kind).holds(&wanted) {
                        return Err(altered(id, &retyped(here, &wanted)));
                    }
                    edits.owes_remap |= std::mem::take(&mut column.left_out);
                }
                None if is_hidden(column, hidden) => {
                    edits.notices.push(format!("column “{title}” of {id}: {HIDDEN}"));
                }
                None if restore => {
                    column.col_ref = None;
                    column.left_out = true;
                }
                None => {
                    let words = if column.left_out { "is still left out" } else { "was deleted: it is left out" };
                    edits.notices.push(format!("column “{title}” of {id} {words} ({AGAIN})"));
                    column.left_out = true;
                }
            }
        }
    }
    let wanted = extensions.all().zip(of_features).filter(|(extension, _)| extension.is_wanted());
    edits.notices.extend(wanted.flat_map(|(_, notices)| notices));
    Ok(edits)
}

/// The way to have what people deleted made again.
pub(super) const AGAIN: &str = "`dn sync --restore-columns` makes it again";

/// The notice for a table or a column that exists and that an access rule hides from the key.
pub(super) const HIDDEN: &str =
    "an access rule hides it from the key: make its account an owner, or let it read everything of ours";

/// Returns true if a column that the key does not see is hidden from it. One that was deleted is not there at all.
pub(super) fn is_hidden(column: &ColumnMemory, hidden: &Hidden) -> bool {
    column.col_ref.is_some_and(|reference| hidden.columns.contains(&reference))
}

/// Returns true if a column of this type keeps the numbers of dossiers as they are.
pub(super) fn is_key(kind: &str) -> bool {
    matches!(Kind::parse(kind), Kind::Numeric | Kind::Int)
}

/// Lists columns of ours that have a trigger formula: Grist puts its values in the place of ours (Grist trap 30).
fn triggers(table: &TableMemory, found: &Table) -> Vec<String> {
    let here = table.all().filter_map(|column| column.find(found));
    let triggered = here.filter(|here| !here.is_formula && !here.formula.is_empty());
    let notice = |here: &Column| {
        format!(
            "column “{}” of {} has a trigger formula, which may put other values in the place of those of the platform: \
             remove it, and give it to a column of your own",
            here.label, found.id
        )
    };
    triggered.map(notice).collect()
}

pub(super) fn follow(column: &mut ColumnMemory, here: &Column) {
    column.id.clone_from(&here.id);
    column.col_ref = Some(here.col_ref);
}

/// Returns true for a formula. Grist keeps a column without values as a formula without a text.
pub(super) fn is_formula(column: &Column) -> bool {
    column.is_formula
}

fn altered(table: &str, reason: &str) -> GristFault {
    GristFault::Altered(format!("{table}: {reason}"))
}

pub(super) fn retyped(here: &Column, wanted: &Kind) -> String {
    format!("column {} is {}, not {wanted}, and would not hold its values", here.id, here.kind)
}

/// A column of which only tables of ours have one.
const MARK: &str = "dn_gone_reason";

/// Finds a table of ours in a document without our shared tables: somebody deleted or renamed those.
pub(super) fn orphan(structure: &[Table]) -> Option<&Table> {
    structure.iter().find(|table| table.columns.iter().any(|column| column.id == MARK))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{CellKind, ColumnKey, TableKey};

    fn column(id: &str, col_ref: i64, kind: &str) -> Column {
        Column {
            id: id.to_owned(),
            col_ref,
            kind: kind.to_owned(),
            label: id.to_owned(),
            is_formula: false,
            formula: String::new(),
            widget_options: String::new(),
            description: String::new(),
            untied: true,
        }
    }

    /// A table of dossiers with one question, as it was left.
    fn left() -> (DocumentMemory, Vec<Table>) {
        let mut technical: Vec<ColumnMemory> =
            shape::technical(&TableKey::Dossiers).iter().map(|technical| technical.memory("Dossiers")).collect();
        let mut nom = ColumnMemory {
            key: ColumnKey::Fixed("nom".to_owned()),
            name: "nom".to_owned(),
            title: "Nom".to_owned(),
            kind: CellKind::Integer,
            given: "Int".to_owned(),
            label: "Nom".to_owned(),
            ..technical[1].clone()
        };
        for (position, column) in technical.iter_mut().enumerate() {
            column.col_ref = Some(10 + position as i64);
        }
        nom.id = "nom".to_owned();
        nom.col_ref = Some(20);
        let mut columns: Vec<Column> =
            technical.iter().map(|c| column(&c.id, c.col_ref.expect("a reference"), &c.given)).collect();
        columns.push(column("nom", 20, "Int"));
        let structure = vec![Table { id: "Dossiers".to_owned(), table_ref: 3, columns }];
        let table = TableMemory {
            key: TableKey::Dossiers,
            name: "dossiers".to_owned(),
            title: "Dossiers".to_owned(),
            id: "Dossiers".to_owned(),
            table_ref: Some(3),
            dressed: true,
            technical,
            columns: vec![nom],
            file: None,
            decisions: Vec::new(),
        };
        (DocumentMemory { tables: vec![table], ..DocumentMemory::default() }, structure)
    }

    #[test]
    fn what_people_rename_move_and_add_is_followed() {
        let (memory, mut structure) = left();
        structure[0].id = "Demandes".to_owned();
        structure[0].columns.reverse();
        structure[0].columns[0].id = "raison_sociale".to_owned();
        structure[0].columns[0].kind = "Numeric".to_owned();
        structure[0].columns.push(column("theirs", 99, "Any"));
        structure.insert(0, Table { id: "Theirs".to_owned(), table_ref: 1, columns: Vec::new() });
        let edits =
            compare(&memory, &structure, &Hidden::default(), false, &ExtensionSet::default()).expect("nothing is lost");
        let table = &edits.memory.tables[0];
        assert_eq!((table.id.as_str(), table.columns[0].id.as_str()), ("Demandes", "raison_sociale"));
        assert!(edits.notices.is_empty() && !edits.owes_remap);
    }

    #[test]
    fn a_column_that_a_person_deleted_stays_away_until_asked_for() {
        let (memory, structure) = left();
        let mut without = structure.clone();
        without[0].columns.pop();
        let edits =
            compare(&memory, &without, &Hidden::default(), false, &ExtensionSet::default()).expect("nothing is lost");
        assert!(edits.memory.tables[0].columns[0].left_out);
        assert!(edits.notices[0].contains("“Nom” of Dossiers was deleted"), "{:?}", edits.notices);
        let again = compare(&edits.memory, &without, &Hidden::default(), false, &ExtensionSet::default())
            .expect("nothing is lost");
        assert!(again.notices[0].contains("still left out"), "{:?}", again.notices);
        let asked = compare(&edits.memory, &without, &Hidden::default(), true, &ExtensionSet::default())
            .expect("nothing is lost");
        assert_eq!((asked.memory.tables[0].columns[0].col_ref, asked.notices.len()), (None, 0));
        // A person took the deletion back.
        let back = compare(&edits.memory, &structure, &Hidden::default(), false, &ExtensionSet::default())
            .expect("nothing is lost");
        assert!(!back.memory.tables[0].columns[0].left_out && back.owes_remap);
    }

    #[test]
    fn a_column_that_a_person_made_with_the_reference_of_a_deleted_one_is_theirs() {
        let (memory, mut structure) = left();
        let theirs = Column { untied: false, ..column("remarques", 20, "Int") };
        *structure[0].columns.last_mut().expect("a column") = theirs;
        let edits =
            compare(&memory, &structure, &Hidden::default(), false, &ExtensionSet::default()).expect("nothing is lost");
        assert!(edits.memory.tables[0].columns[0].left_out);
        assert!(edits.notices[0].contains("“Nom” of Dossiers was deleted"), "{:?}", edits.notices);
    }

    #[test]
    fn a_formula_in_the_place_of_values_is_left_alone() {
        let (memory, mut structure) = left();
        let nom = structure[0].columns.last_mut().expect("a column");
        (nom.is_formula, nom.formula) = (true, "$number * 2".to_owned());
        let edits =
            compare(&memory, &structure, &Hidden::default(), true, &ExtensionSet::default()).expect("nothing is lost");
        assert!(edits.memory.tables[0].columns[0].left_out);
        assert!(edits.notices[0].contains("is a formula now"), "{:?}", edits.notices);
    }

    #[test]
    fn what_no_run_can_go_on_with_is_told() {
        type Breaker = fn(&mut Vec<Table>);
        let breakers: [(&str, Breaker); 5] = [
            ("Dossiers: the table is missing", |structure| structure.clear()),
            ("column number is missing", |structure| drop(structure[0].columns.remove(0))),
            ("column number is Text, not Int", |structure| structure[0].columns[0].kind = "Text".to_owned()),
            ("column nom is Date, not Int", |structure| structure[0].columns[4].kind = "Date".to_owned()),
            ("column dn_gone_at is Bool", |structure| structure[0].columns[2].kind = "Bool".to_owned()),
        ];
        for (expected, breaker) in breakers {
            let (memory, mut structure) = left();
            breaker(&mut structure);
            match compare(&memory, &structure, &Hidden::default(), false, &ExtensionSet::default()) {
                Err(GristFault::Altered(reason)) => assert!(reason.contains(expected), "{reason}"),
                other => panic!("{expected}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_document_without_our_shared_tables_shows_that_it_was_ours() {
        let (_, mut structure) = left();
        assert!(orphan(&structure).is_some());
        structure[0].columns.retain(|column| column.id != MARK);
        assert!(orphan(&structure).is_none());
    }
}
