//! Describes the tables that all démarches of a document share.

use grist_client::{Action, Column, Table};
use serde_json::{Value, json};

use super::encoding::Kind;
use super::memory::ChoiceColour;
use super::{journal, lease, shape};

/// The state: what every run believes. A value that somebody edited is told.
pub(super) const STATE: &str = "Dn_etat";
/// One row a dossier, with its document.
pub(super) const DOSSIERS: &str = "Dn_dossiers";
/// The parts of documents that have no place in their row.
pub(super) const REST: &str = "Dn_suites";
/// The last runs, for people.
pub(super) const RUNS: &str = "Dn_executions";
/// The dossiers that could not be read, for people.
pub(super) const QUARANTINE: &str = "Dn_quarantaine";

/// A column: id, type, title. Those without a title are for programs.
pub(super) type Own = (&'static str, &'static str, &'static str);

/// A shared table.
pub(super) struct Shared {
    pub id: &'static str,
    /// The title for people; empty for what they need not see.
    pub title: &'static str,
    pub columns: &'static [Own],
}

/// The number of rows that a dossier has in each child table. Documents of older versions get this column with their next
/// run, and until then do without.
pub(super) const COUNTS: &str = "lignes";

/// The action that gives a document of an older version the column that says how many rows each dossier has.
pub(super) fn add_counts() -> Action {
    let info = json!({ "type": "Text", "label": COUNTS, "isFormula": false });
    Action::Raw(json!(["AddColumn", DOSSIERS, COUNTS, info]))
}

/// The column of [`STATE`] that is made after all others, and holds nothing. Grist gives the reference of a deleted column to the
/// next one that is made unless a higher one is there (Grist trap 12): as long as this one is, no reference of ours can be
/// that of a column of somebody else.
pub(super) const FENCE: &str = "borne";

/// The actions that give [`FENCE`] the highest reference of the document, after columns were made.
pub(super) fn fence(structure: &[Table]) -> Vec<Action> {
    let here = |table: &Table| table.columns.iter().any(|column| column.id == FENCE);
    let former = structure.iter().any(|table| table.id == STATE && here(table));
    let removal = former.then(|| Action::Raw(json!(["RemoveColumn", STATE, FENCE])));
    let info = json!({ "type": "Text", "label": FENCE, "isFormula": false });
    removal.into_iter().chain([Action::Raw(json!(["AddColumn", STATE, FENCE, info]))]).collect()
}

/// True if the document says how many rows each dossier has.
pub(super) fn counts_rows(structure: &[Table]) -> bool {
    let here = |table: &Table| table.columns.iter().any(|column| column.id == COUNTS && !column.is_formula);
    structure.iter().any(|table| table.id == DOSSIERS && here(table))
}

/// The tables that the first question reads, in which cells are found by what SQL makes of them.
pub(super) const READ: [&str; 3] = [STATE, DOSSIERS, REST];

/// The shared tables of the core. The document comes last in its row, so that reading the others does not pass through it.
pub(super) const TABLES: [Shared; 6] = [
    Shared { id: STATE, title: "", columns: &[("cle", "Text", ""), ("valeur", "Text", ""), ("empreinte", "Text", "")] },
    Shared {
        id: lease::TABLE,
        title: "",
        columns: &[
            ("jeton", "Text", ""),
            ("tour", "Numeric", ""),
            ("hote", "Text", ""),
            ("processus", "Numeric", ""),
            ("depuis", "Text", ""),
            ("vu", "Text", ""),
            ("libre", "Bool", ""),
        ],
    },
    Shared {
        id: DOSSIERS,
        title: "",
        columns: &[
            ("cle", "Text", ""),
            ("instance", "Text", ""),
            ("demarche", "Text", ""),
            ("numero", "Numeric", ""),
            ("etat", "Text", ""),
            ("empreinte", "Text", ""),
            ("lumiere", "Text", ""),
            ("modifie", "Text", ""),
            ("disparu", "Text", ""),
            ("motif", "Text", ""),
            ("disparu_le", "Text", ""),
            ("premiere_vue", "Text", ""),
            ("changement", "Text", ""),
            ("suites", "Int", ""),
            (COUNTS, "Text", ""),
            ("document", "Text", ""),
        ],
    },
    Shared { id: REST, title: "", columns: &[("cle", "Text", ""), ("valeur", "Text", "")] },
    Shared {
        id: RUNS,
        title: "Exécutions",
        columns: &[
            ("debut", "DateTime:Europe/Paris", "Début"),
            ("resultat", "Choice", "Résultat"),
            ("message", "Text", "Message"),
            ("demarche", "Text", "Démarche"),
            ("nouveaux", "Int", "Nouveaux"),
            ("modifies", "Int", "Modifiés"),
            ("supprimes", "Int", "Supprimés"),
            ("quarantaine", "Int", "En quarantaine"),
            ("fin", "DateTime:Europe/Paris", "Fin"),
            ("cle", "Text", ""),
            ("rapport", "Text", ""),
        ],
    },
    Shared {
        id: QUARANTINE,
        title: "Quarantaine",
        columns: &[
            ("dossier", "Numeric", "Dossier n°"),
            ("motif", "Choice", "Motif"),
            ("message", "Text", "Message"),
            ("depuis", "DateTime:Europe/Paris", "Depuis"),
            ("essais", "Int", "Essais"),
            ("prochain_essai", "DateTime:Europe/Paris", "Prochain essai"),
            ("demarche", "Text", "Démarche"),
            ("cle", "Text", ""),
        ],
    },
];

impl Shared {
    pub(super) fn is_for_people(&self) -> bool {
        !self.title.is_empty()
    }

    /// The ids of its columns.
    pub(super) fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().map(|(id, _, _)| *id)
    }

    /// The ids and the types of its columns, of those that every version has.
    pub(super) fn typed(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.columns.iter().map(|(id, kind, _)| (*id, *kind)).filter(|(id, _)| *id != COUNTS)
    }

    /// The actions that make each of its columns, for a table without a page.
    pub(super) fn additions(&self) -> impl Iterator<Item = Action> {
        let add = |(id, kind, _): &Own| {
            Action::Raw(json!(["AddColumn", self.id, id, { "type": kind, "label": id, "isFormula": false }]))
        };
        self.columns.iter().map(add)
    }

    /// The actions that make it. Tables for people come with a page, the others without.
    pub(super) fn create(&self) -> Vec<Action> {
        let info = |(id, kind, title): &Own| {
            let title = if title.is_empty() { id } else { title };
            let mut info = json!({ "id": id, "type": kind, "label": title, "isFormula": false });
            if let Some(widget) = self.widget(id, kind) {
                info["widgetOptions"] = widget.into();
            }
            info
        };
        let (shown, hidden): (Vec<&Own>, Vec<&Own>) = self.columns.iter().partition(|(_, _, title)| !title.is_empty());
        let mut actions = Vec::new();
        if self.is_for_people() {
            actions.push(json!(["AddTable", self.id, shown.iter().map(|column| info(column)).collect::<Vec<_>>()]));
        } else {
            actions.push(json!(["AddRawTable", self.id]));
        }
        // Pages do not show these columns; the raw data does, without which people could not duplicate the table.
        actions.extend(hidden.iter().map(|column| json!(["AddColumn", self.id, column.0, info(column)])));
        if !self.is_for_people() {
            // A table without a page comes with three empty columns.
            actions.extend(["A", "B", "C"].map(|id| json!(["RemoveColumn", self.id, id])));
        }
        actions.into_iter().map(Action::Raw).collect()
    }

    /// The widget options of a new column for people; `None` for those of Grist.
    fn widget(&self, id: &str, kind: &str) -> Option<String> {
        let choices = match (self.id, id) {
            (RUNS, "resultat") => &journal::RESULTS[..],
            (QUARANTINE, "motif") => &journal::MOTIVES[..],
            _ => return shape::widget_of(&Kind::parse(kind)),
        };
        let words: Vec<String> = choices.iter().map(|(word, _, _)| (*word).to_owned()).collect();
        Some(shape::merged("", &words, &ChoiceColour::list(choices)))
    }

    /// Describes a column for people; empty if its title says everything.
    pub(super) fn description(&self, id: &str) -> &'static str {
        match (self.id, id) {
            (RUNS, "debut") => {
                "Quand le passage a commencé. Cette page est écrite par la synchronisation et n’est jamais relue."
            }
            (RUNS, "resultat") => "« Terminé » : tout ce que montre la plateforme est dans le document.",
            (RUNS, "message") => "Ce qui s’est passé, et ce qu’il faut faire. Vide : rien.",
            (RUNS, "nouveaux") => "Dossiers copiés pour la première fois.",
            (RUNS, "modifies") => "Dossiers qui ont changé sur la plateforme.",
            (RUNS, "supprimes") => "Dossiers que la plateforme ne montre plus.",
            (RUNS, "quarantaine") => "Dossiers que la plateforme n’a pas su donner : voir le tableau Quarantaine.",
            (QUARANTINE, "dossier") => {
                "Un dossier que la plateforme n’a pas su donner. Il quitte la liste dès qu’il est lu."
            }
            (QUARANTINE, "message") => "La raison, et ce qu’il faut faire.",
            (QUARANTINE, "prochain_essai") => "Quand le dossier sera relu, sans que personne ne fasse rien.",
            _ => "",
        }
    }

    /// The ids of the columns that people see.
    pub(super) fn shown(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().filter(|(_, _, title)| !title.is_empty()).map(|(id, _, _)| *id)
    }

    pub(super) fn find<'a>(&self, structure: &'a [Table]) -> Option<&'a Table> {
        structure.iter().find(|table| table.id == self.id)
    }

    /// Finds a column that is gone, or of a type that does not hold its values as they are.
    pub(super) fn damage(&self, table: &Table) -> Option<String> {
        if let Some(column) = self.missing_column(table) {
            return Some(format!("{}: column {column} is missing", self.id));
        }
        let retyped = |(id, kind, _): &Own| {
            let here = table.columns.iter().find(|column| column.id == *id)?;
            let (wanted, found) = (Kind::parse(kind), Kind::parse(&here.kind));
            let fits = match wanted {
                Kind::Numeric | Kind::Int => matches!(found, Kind::Numeric | Kind::Int),
                Kind::Text => matches!(found, Kind::Text | Kind::Choice | Kind::Any),
                // Between the bundle that makes a column and the one that dresses it, it may be of any type.
                _ => found.holds(&wanted),
            };
            (!fits).then(|| format!("{}: column {id} is {}, not {kind}", self.id, here.kind))
        };
        self.columns.iter().find_map(retyped)
    }

    /// The first column that is not there any more.
    pub(super) fn missing_column(&self, table: &Table) -> Option<&'static str> {
        let there = |id: &str| table.columns.iter().any(|column| column.id == id && !column.is_formula);
        self.columns.iter().map(|(id, _, _)| *id).find(|id| *id != COUNTS && !there(id))
    }
}

/// The actions that give the tables for people the columns back that somebody deleted, and their ids those that follow a
/// title since somebody clicked on the link between the two: these columns are found by their ids.
pub(super) fn mend(tables: &[Shared], structure: &[Table]) -> Vec<Action> {
    let mut actions = Vec::new();
    for shared in tables.iter().filter(|shared| shared.is_for_people()) {
        let Some(table) = shared.find(structure) else { continue };
        for (id, kind, title) in shared.columns {
            if table.columns.iter().any(|column| column.id == *id) {
                continue;
            }
            let own = |column: &&Column| {
                column.id.eq_ignore_ascii_case(id) || (!column.untied && !title.is_empty() && column.label == *title)
            };
            if let Some(column) = table.columns.iter().find(own) {
                let values = row(json!({ "untieColIdFromLabel": true, "colId": id }));
                let table = "_grist_Tables_column".to_owned();
                actions.push(Action::UpdateRecord { table, row: column.col_ref, values });
            } else {
                let (how, title) = if title.is_empty() { ("AddColumn", id) } else { ("AddVisibleColumn", title) };
                let info = json!({ "type": kind, "label": title, "isFormula": false });
                actions.push(Action::Raw(json!([how, shared.id, id, info])));
            }
        }
    }
    actions
}

/// A shared table by its id.
pub(super) fn of(id: &str) -> &'static Shared {
    TABLES.iter().find(|table| table.id == id).expect("the lists have every shared table")
}

/// A row as an action takes it.
pub(super) fn row(value: Value) -> serde_json::Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => unreachable!("rows are written as objects"),
    }
}
