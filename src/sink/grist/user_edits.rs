//! Compares the document with what is remembered of it, to follow what people did. Pure.
//!
//! Titles, ids, order, colours, widths, pages, and everything that is theirs alone is not looked at: tables and columns
//! are found again by their references.

use grist_client::{Column, Hidden, Table};

use super::encoding::Kind;
use super::extension::ExtensionSet;
use super::fault::GristFault;
use super::journal::Notice;
use super::memory::{ColumnMemory, DocumentMemory, TableMemory};
use super::shape;

/// Result of the comparison.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct UserEdits {
    /// The memory, following what was renamed, deleted and brought back.
    pub memory: DocumentMemory,
    /// Notices for the report and for people.
    pub notices: Vec<Notice>,
    /// Columns came back whose values are those of another time.
    pub owes_remap: bool,
}

/// Compares the document with what is remembered of it.
///
/// # Errors
/// [`GristFault::Edited`] where no run can go on without losing something: a table or a key is missing, a column has a type
/// that cannot hold its values.
pub(super) fn compare(
    memory: &DocumentMemory,
    structure: &[Table],
    hidden: &Hidden,
    restore: bool,
    extensions: &ExtensionSet,
) -> Result<UserEdits, GristFault> {
    let mut edits = UserEdits { memory: memory.clone(), notices: Vec::new(), owes_remap: false };
    let mut of_features: Vec<Vec<Notice>> = extensions.all().map(|_| Vec::new()).collect();
    let dossiers = memory.tables.first().and_then(|table| table.find(structure)).map(|table| table.id.clone());
    for table in &mut edits.memory.tables {
        let Some(found) = table.find(structure) else {
            let is_hidden = table.table_ref.is_some_and(|reference| hidden.tables.contains(&reference));
            let page = &table.title;
            return Err(match is_hidden {
                true => altered(
                    &table.id,
                    HIDDEN,
                    format!(
                        "La table de la page « {page} » est cachée à la synchronisation par une règle d’accès : {VISIBLE}."
                    ),
                ),
                false => altered(
                    &table.id,
                    "the table is missing",
                    format!("La table de la page « {page} » a été supprimée : {UNDO}."),
                ),
            });
        };
        edits.notices.extend(triggers(table, found, extensions));
        table.id.clone_from(&found.id);
        let (id, page) = (&found.id, table.title.clone());
        for column in &mut table.technical {
            let Some(here) = column.find(found).filter(|here| !is_formula(here)) else {
                let label = &column.label;
                if is_hidden(column, hidden) {
                    let french = format!(
                        "La colonne « {label} » de la page « {page} » est cachée à la synchronisation par une règle \
                         d’accès : {VISIBLE}."
                    );
                    return Err(altered(id, &format!("column {}: {HIDDEN}", column.id), french));
                }
                let french = format!(
                    "La colonne « {label} » de la page « {page} », sans laquelle rien ne peut être copié, a été \
                     supprimée : {UNDO}."
                );
                return Err(altered(id, &format!("column {} is missing", column.id), french));
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
                return Err(altered(id, &retyped(here, &wanted), retyped_in_french(here, &page)));
            }
        }
        for (extension, notices) in extensions.all().zip(&mut of_features) {
            let Some(of) = extension.added() else { continue };
            for column in table.added_mut(of) {
                notices.extend(extension.follow(column, found, hidden, restore));
            }
        }
        for column in table.columns.iter_mut().filter(|column| !column.awaited).chain(&mut table.twins) {
            let title = column.label.clone();
            match column.find(found) {
                Some(here) if is_formula(here) => {
                    if !column.left_out {
                        edits.notices.push(Notice::new(
                            format!("column “{title}” of {id} is a formula now: it is left to it"),
                            format!(
                                "La colonne « {title} » de la page « {page} » est devenue une formule : elle \
                                     n’est plus copiée. Pour la retrouver, supprimez-la, puis : {AGAIN_FRENCH}."
                            ),
                        ));
                    }
                    column.left_out = true;
                }
                Some(here) => {
                    follow(column, here);
                    let wanted = Kind::parse(&column.given);
                    if !Kind::parse(&here.kind).holds(&wanted) {
                        return Err(altered(id, &retyped(here, &wanted), retyped_in_french(here, &page)));
                    }
                    edits.owes_remap |= std::mem::take(&mut column.left_out);
                }
                None if is_hidden(column, hidden) => {
                    edits.notices.push(format!("column “{title}” of {id}: {HIDDEN}").into());
                }
                None if restore => {
                    column.col_ref = None;
                    column.left_out = true;
                }
                None => {
                    // People are told once, and the operator with every run.
                    edits.notices.push(match column.left_out {
                        true => format!("column “{title}” of {id} is still left out ({AGAIN})").into(),
                        false => Notice::new(
                            format!("column “{title}” of {id} was deleted: it is left out ({AGAIN})"),
                            format!(
                                "La colonne « {title} » de la page « {page} » a été supprimée : elle n’est plus \
                                     copiée. Pour la retrouver, avec ses valeurs : {AGAIN_FRENCH}."
                            ),
                        ),
                    });
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

/// The same for people.
pub(super) const AGAIN_FRENCH: &str = "l’exploitant lance `dn sync --restore-columns`";

/// The way back from a change with which no run can go on, for people.
const UNDO: &str = "annulez ce geste (Ctrl+Z, ou l’historique du document), puis relancez le passage";

/// The way back from a rule of access, for people.
const VISIBLE: &str = "un propriétaire du document rend à la clé de l’exploitant le droit de tout lire";

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
fn triggers(table: &TableMemory, found: &Table, extensions: &ExtensionSet) -> Vec<Notice> {
    let here = table.all().filter_map(|column| column.find(found));
    let triggered = here.filter(|here| !here.is_formula && !here.formula.is_empty());
    let triggered = triggered.filter(|here| !extensions.all().any(|extension| extension.owns_formula(&here.formula)));
    let notice = |here: &Column| {
        let (title, id, page) = (&here.label, &found.id, &table.title);
        Notice::new(
            format!(
                "column “{title}” of {id} has a trigger formula, which may put other values in the place of those of the \
                 platform: remove it, and give it to a column of your own"
            ),
            format!(
                "La colonne « {title} » de la page « {page} » a une formule de déclenchement, qui peut mettre sa valeur à \
                 la place de celle de la plateforme : donnez-la plutôt à une colonne à vous."
            ),
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

fn altered(table: &str, reason: &str, french: String) -> GristFault {
    GristFault::Edited { reason: format!("{table}: {reason}"), french }
}

fn retyped_in_french(here: &Column, page: &str) -> String {
    format!("La colonne « {} » de la page « {page} » a reçu un type qui ne garde pas ses valeurs : {UNDO}.", here.label)
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
            twins: Vec::new(),
            formulas: Vec::new(),
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
        assert!(edits.notices[0].english.contains("“Nom” of Dossiers was deleted"), "{:?}", edits.notices);
        let again = compare(&edits.memory, &without, &Hidden::default(), false, &ExtensionSet::default())
            .expect("nothing is lost");
        assert!(again.notices[0].english.contains("still left out"), "{:?}", again.notices);
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
        assert!(edits.notices[0].english.contains("“Nom” of Dossiers was deleted"), "{:?}", edits.notices);
    }

    #[test]
    fn a_formula_in_the_place_of_values_is_left_alone() {
        let (memory, mut structure) = left();
        let nom = structure[0].columns.last_mut().expect("a column");
        (nom.is_formula, nom.formula) = (true, "$number * 2".to_owned());
        let edits =
            compare(&memory, &structure, &Hidden::default(), true, &ExtensionSet::default()).expect("nothing is lost");
        assert!(edits.memory.tables[0].columns[0].left_out);
        assert!(edits.notices[0].english.contains("is a formula now"), "{:?}", edits.notices);
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
                Err(GristFault::Edited { reason, french }) => {
                    assert!(reason.contains(expected), "{reason}");
                    assert!(french.starts_with("La ") && !french.contains("column"), "{french}");
                }
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
