//! What people did to the document since we left it. Pure.
//!
//! Titles, ids, order, colours, widths, pages, and everything that is theirs alone is not looked at: tables and columns
//! are found again by their references.

use super::decisions;
use super::encoding::Kind;
use super::fault::Fault;
use super::memory::{ColumnMemory, Memory, TableMemory};
use super::shape;
use grist_client::{Column, Hidden, Table};

/// What the comparison shows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    /// The memory, following what was renamed, deleted and brought back.
    pub memory: Memory,
    /// What the run has to tell, in words.
    pub notices: Vec<String>,
    /// The same for runs that fetch files.
    pub files: Vec<String>,
    /// The same for runs of documents in which people decide.
    pub desk: Vec<String>,
    /// Columns came back whose values are those of another time.
    pub owes_remap: bool,
}

/// Compares the document with what is remembered of it.
///
/// # Errors
/// [`Fault::Altered`] where no run can go on without losing something: a table or a key is missing, a column has a type
/// that cannot hold its values.
pub(super) fn compare(memory: &Memory, structure: &[Table], hidden: &Hidden, restore: bool) -> Result<Seen, Fault> {
    let mut seen =
        Seen { memory: memory.clone(), notices: Vec::new(), files: Vec::new(), desk: Vec::new(), owes_remap: false };
    let dossiers = memory.tables.first().and_then(|table| table.find(structure)).map(|table| table.id.clone());
    for table in &mut seen.memory.tables {
        let Some(found) = table.find(structure) else {
            let is_hidden = table.table_ref.is_some_and(|reference| hidden.tables.contains(&reference));
            return Err(altered(&table.id, if is_hidden { HIDDEN } else { "the table is missing" }));
        };
        seen.notices.extend(triggers(table, found));
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
        if let Some(file) = &mut table.file {
            seen.files.extend(compare_file(file, found, hidden, restore));
        }
        for column in &mut table.desk {
            seen.desk.extend(decisions::compare(column, found, hidden, restore));
        }
        for column in &mut table.columns {
            let title = column.label.clone();
            match column.find(found) {
                Some(here) if is_formula(here) => {
                    if !column.left_out {
                        let notice = format!("column “{title}” of {id} is a formula now: it is left to it");
                        seen.notices.push(notice);
                    }
                    column.left_out = true;
                }
                Some(here) => {
                    follow(column, here);
                    let wanted = Kind::parse(&column.given);
                    if !Kind::parse(&here.kind).holds(&wanted) {
                        return Err(altered(id, &retyped(here, &wanted)));
                    }
                    seen.owes_remap |= std::mem::take(&mut column.left_out);
                }
                None if is_hidden(column, hidden) => {
                    seen.notices.push(format!("column “{title}” of {id}: {HIDDEN}"));
                }
                None if restore => {
                    column.col_ref = None;
                    column.left_out = true;
                }
                None => {
                    let words = if column.left_out { "is still left out" } else { "was deleted: it is left out" };
                    seen.notices.push(format!("column “{title}” of {id} {words} ({AGAIN})"));
                    column.left_out = true;
                }
            }
        }
    }
    Ok(seen)
}

/// The column of files: nothing but what shows a file depends on it, so no change of it is in the way of a run.
fn compare_file(file: &mut ColumnMemory, found: &Table, hidden: &Hidden, restore: bool) -> Option<String> {
    let (title, id) = (&file.label, &found.id);
    let words = match file.find(found) {
        Some(here) if !is_formula(here) && here.kind == file.given => {
            file.left_out = false;
            follow(file, here);
            return None;
        }
        Some(_) => "holds no files any more",
        None if is_hidden(file, hidden) => return Some(format!("column “{title}” of {id}: {HIDDEN}")),
        None if restore => {
            (file.col_ref, file.left_out) = (None, true);
            return None;
        }
        None if file.left_out => "is still left out",
        None => "was deleted",
    };
    let notice = format!("column “{title}” of {id} {words}: files are not fetched ({AGAIN})");
    file.left_out = true;
    Some(notice)
}

/// How people have what they deleted made again.
pub(super) const AGAIN: &str = "`dn sync --restore-columns` makes it again";

/// What is said of a table or a column that exists, and of which the key is told nothing else.
pub(super) const HIDDEN: &str =
    "an access rule hides it from the key: make its account an owner, or let it read everything of ours";

/// Whether a column that the key does not see is hidden from it. One that was deleted is not there at all.
pub(super) fn is_hidden(column: &ColumnMemory, hidden: &Hidden) -> bool {
    column.col_ref.is_some_and(|reference| hidden.columns.contains(&reference))
}

/// Whether a column of this type keeps the numbers of dossiers as they are.
pub(super) fn is_key(kind: &str) -> bool {
    matches!(Kind::parse(kind), Kind::Numeric | Kind::Int)
}

/// Columns of ours that somebody gave a trigger formula: Grist puts its values in the place of ours.
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

fn follow(column: &mut ColumnMemory, here: &Column) {
    column.id.clone_from(&here.id);
    column.col_ref = Some(here.col_ref);
}

/// Grist has a column without values as a formula without a text.
fn is_formula(column: &Column) -> bool {
    column.is_formula
}

fn altered(table: &str, reason: &str) -> Fault {
    Fault::Altered(format!("{table}: {reason}"))
}

pub(super) fn retyped(here: &Column, wanted: &Kind) -> String {
    format!("column {} is {}, not {wanted}, and would not hold its values", here.id, here.kind)
}

/// What makes of a document one of ours: a table with this column was made here.
const MARK: &str = "dn_gone_reason";

/// Whether a document without our shared tables holds tables of ours all the same: somebody deleted or renamed them.
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
    fn left() -> (Memory, Vec<Table>) {
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
            desk: Vec::new(),
        };
        (Memory { tables: vec![table] }, structure)
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
        let seen = compare(&memory, &structure, &Hidden::default(), false).expect("nothing is lost");
        let table = &seen.memory.tables[0];
        assert_eq!((table.id.as_str(), table.columns[0].id.as_str()), ("Demandes", "raison_sociale"));
        assert!(seen.notices.is_empty() && !seen.owes_remap);
    }

    #[test]
    fn a_column_that_a_person_deleted_stays_away_until_asked_for() {
        let (memory, structure) = left();
        let mut without = structure.clone();
        without[0].columns.pop();
        let seen = compare(&memory, &without, &Hidden::default(), false).expect("nothing is lost");
        assert!(seen.memory.tables[0].columns[0].left_out);
        assert!(seen.notices[0].contains("“Nom” of Dossiers was deleted"), "{:?}", seen.notices);
        let again = compare(&seen.memory, &without, &Hidden::default(), false).expect("nothing is lost");
        assert!(again.notices[0].contains("still left out"), "{:?}", again.notices);
        let asked = compare(&seen.memory, &without, &Hidden::default(), true).expect("nothing is lost");
        assert_eq!((asked.memory.tables[0].columns[0].col_ref, asked.notices.len()), (None, 0));
        // A person took the deletion back.
        let back = compare(&seen.memory, &structure, &Hidden::default(), false).expect("nothing is lost");
        assert!(!back.memory.tables[0].columns[0].left_out && back.owes_remap);
    }

    #[test]
    fn a_column_that_a_person_made_with_the_reference_of_a_deleted_one_is_theirs() {
        let (memory, mut structure) = left();
        let theirs = Column { untied: false, ..column("remarques", 20, "Int") };
        *structure[0].columns.last_mut().expect("a column") = theirs;
        let seen = compare(&memory, &structure, &Hidden::default(), false).expect("nothing is lost");
        assert!(seen.memory.tables[0].columns[0].left_out);
        assert!(seen.notices[0].contains("“Nom” of Dossiers was deleted"), "{:?}", seen.notices);
    }

    #[test]
    fn a_formula_in_the_place_of_values_is_left_alone() {
        let (memory, mut structure) = left();
        let nom = structure[0].columns.last_mut().expect("a column");
        (nom.is_formula, nom.formula) = (true, "$number * 2".to_owned());
        let seen = compare(&memory, &structure, &Hidden::default(), true).expect("nothing is lost");
        assert!(seen.memory.tables[0].columns[0].left_out);
        assert!(seen.notices[0].contains("is a formula now"), "{:?}", seen.notices);
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
            match compare(&memory, &structure, &Hidden::default(), false) {
                Err(Fault::Altered(reason)) => assert!(reason.contains(expected), "{reason}"),
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
