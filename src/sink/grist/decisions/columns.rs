//! Describes the columns of decisions, and finds them in the document. Pure.

use grist_client::{Action, ColRef, Column, Hidden, Table};
use serde_json::json;

use crate::demarche::TypeDeChamp;
use crate::ids::DescriptorId;
use crate::sink::grist::encoding::Kind;
use crate::sink::grist::journal::Notice;
use crate::sink::grist::memory::{ChoiceColour, ColumnMemory, DocumentMemory, Style, TableMemory};
use crate::sink::grist::shape::{self, NUMBER};
use crate::sink::grist::{shared, user_edits};
use crate::table::{CellKind, ColumnKey, LayoutTable, Origin, Part};

/// A column that every table of dossiers gets where people decide.
struct Fixed {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    kind: Kind,
}

pub(super) const DECISION: &str = "decision";
const MOTIVATION: &str = "motivation_a_envoyer";
const MESSAGE: &str = "message_a_l_usager";
const AGENT: &str = "agent";
const SEND: &str = "envoyer";
const OUTCOME: &str = "suite_donnee";

/// The columns before the annotations: the decision.
const FIRST: [Fixed; 4] = [
    Fixed { name: DECISION, title: "Décision", description: "Ce qui doit être fait du dossier.", kind: Kind::Choice },
    Fixed {
        name: MOTIVATION,
        title: "Motivation à envoyer",
        description: "L’usager la lira. Obligatoire pour refuser et pour classer sans suite.",
        kind: Kind::Text,
    },
    Fixed {
        name: MESSAGE,
        title: "Message à l’usager",
        description: "Envoyé dans la messagerie du dossier, après la décision s’il y en a une.",
        kind: Kind::Text,
    },
    Fixed {
        name: AGENT,
        title: "Agent",
        description: "Adresse électronique de l’instructeur au nom de qui envoyer ; vide : celui de la configuration.",
        kind: Kind::Text,
    },
];

/// The columns after the annotations: the box to tick, and the outcome.
const LAST: [Fixed; 2] = [
    Fixed {
        name: SEND,
        title: "Envoyer",
        description: "Cochez quand la ligne est prête. La case se vide quand la demande est prise.",
        kind: Kind::Bool,
    },
    Fixed {
        name: OUTCOME,
        title: "Suite donnée",
        description: "Ce que la demande est devenue ; écrit par la synchronisation.",
        kind: Kind::Text,
    },
];

/// The decisions, with their colours.
pub(super) const DECISIONS: [(&str, &str, &str); 8] = [
    ("Passer en instruction", "#FEECC2", "#716043"),
    ("Accepter", "#B8FEC9", "#18753C"),
    ("Refuser", "#FFE9E9", "#CE0500"),
    ("Classer sans suite", "#EEEEEE", "#3A3A3A"),
    ("Repasser en construction", "#E8EDFF", "#0063CB"),
    ("Repasser en instruction", "#FEECC2", "#716043"),
    ("Archiver", "#F6F6F6", "#666666"),
    ("Désarchiver", "#F6F6F6", "#666666"),
];

impl Fixed {
    fn column(&self) -> ColumnMemory {
        let choices = DECISIONS.iter().filter(|_| self.name == DECISION);
        ColumnMemory {
            key: ColumnKey::Fixed(self.name.to_owned()),
            name: named(self.name),
            title: self.title.to_owned(),
            kind: match self.kind {
                Kind::Choice => CellKind::Choice,
                Kind::Bool => CellKind::Boolean,
                _ => CellKind::Text,
            },
            id: self.name.to_owned(),
            col_ref: None,
            dressed: false,
            given: self.kind.to_string(),
            label: self.title.to_owned(),
            description: self.description.to_owned(),
            options: choices.map(|(word, _, _)| (*word).to_owned()).collect(),
            left_out: false,
            awaited: false,
            fenced: false,
            colours: if self.name == DECISION { ChoiceColour::list(&DECISIONS) } else { Vec::new() },
        }
    }
}

/// The formula of the column of the agent: whoever ticks the row, unless an address stands there already.
const AGENT_FORMULA: [&str; 2] = ["user.Email if $", " and not value else value"];

/// Returns true for the formula that fills the column of the agent, whatever the column of the box is called.
pub(super) fn fills_agent(formula: &str) -> bool {
    formula.strip_prefix(AGENT_FORMULA[0]).is_some_and(|rest| rest.ends_with(AGENT_FORMULA[1]))
}

/// Fills the column of the agent when somebody ticks; `None` if it is not new, or of a document whose style has no such
/// formula.
pub(super) fn fill_agent(memory: &DocumentMemory, new: &[ColRef]) -> Option<Action> {
    match memory.style {
        Style::First => return None,
        Style::French => {}
    }
    let fixed = |name: &str| {
        let key = ColumnKey::Fixed(name.to_owned());
        memory.tables.first()?.decisions.iter().find(|column| column.key == key)
    };
    let agent = fixed(AGENT)?.col_ref.filter(|agent| new.contains(agent))?;
    let send = fixed(SEND)?;
    // Grist also computes it for new rows, in which nothing is ticked: the address of the sync stays out of them.
    let formula = format!("{}{}{}", AGENT_FORMULA[0], send.id, AGENT_FORMULA[1]);
    let values = json!({ "formula": formula, "recalcWhen": 0, "recalcDeps": ["L", send.col_ref?] });
    Some(Action::UpdateRecord { table: "_grist_Tables_column".to_owned(), row: agent, values: shared::row(values) })
}

/// The name of a column of decisions, which no column of a layout has.
fn named(name: &str) -> String {
    format!("decider:{name}")
}

/// Tells if the API writes annotations of a kind (docs/platform.md#mutations): the others are not offered.
fn is_written(kind: &TypeDeChamp) -> bool {
    use TypeDeChamp as T;
    matches!(
        kind,
        T::Text
            | T::Textarea
            | T::Email
            | T::Checkbox
            | T::YesNo
            | T::Date
            | T::Datetime
            | T::IntegerNumber
            | T::DecimalNumber
            | T::DropDownList
            | T::MultipleDropDownList
            // Where the platform is new enough; elsewhere the row says that it is not possible from outside.
            | T::Phone
            | T::Iban
            | T::Formatted
            | T::Civilite
            | T::Pays
            | T::Regions
            | T::Departements
            | T::DossierLink
    )
}

/// Says what a person writes for an annotation of a kind.
fn what(kind: &TypeDeChamp) -> &'static str {
    match kind {
        TypeDeChamp::Pays => "Le pays à écrire dans l’annotation, par son nom ou son code (FR)",
        TypeDeChamp::Regions => "La région à écrire dans l’annotation, par son nom ou son code (11)",
        TypeDeChamp::Departements => "Le département à écrire dans l’annotation, par son nom ou son code (2A)",
        TypeDeChamp::DossierLink => "Le numéro du dossier à écrire dans l’annotation",
        _ => "La valeur à écrire dans l’annotation",
    }
}

/// The columns of decisions of a table, in their order, with ids yet to be found free.
pub(super) fn wanted(table: &LayoutTable) -> Vec<ColumnMemory> {
    if table.key.is_child() {
        return Vec::new();
    }
    let annotations = table.columns.iter().filter_map(|column| {
        let spec = &column.spec;
        let Origin::Annotation(kind, _) = &spec.origin else { return None };
        let ColumnKey::Champ(_, Part::Value) = &spec.key else { return None };
        is_written(kind).then(|| {
            let own = shape::column(spec, &named(&column.name), format!("a_ecrire_{}", column.name));
            let title = format!("À écrire : {}", own.title);
            let label = format!("À écrire : {}", own.label);
            let description = format!("{} ; vide : elle reste comme elle est.", what(kind));
            ColumnMemory { title, label, description, ..own }
        })
    });
    let first = FIRST.iter().map(Fixed::column);
    first.chain(annotations).chain(LAST.iter().map(Fixed::column)).collect()
}

/// Follows what people did to a column of decisions. None of it is in the way of a run: a column that cannot be used is left
/// out, with a notice.
pub(super) fn follow(column: &mut ColumnMemory, found: &Table, hidden: &Hidden, restore: bool) -> Option<Notice> {
    let (title, id) = (&column.label, &found.id);
    let words = match column.find(found) {
        Some(here) if usable(column, here) => {
            (column.left_out, column.col_ref) = (false, Some(here.col_ref));
            column.id.clone_from(&here.id);
            return None;
        }
        Some(_) => "holds something else now",
        None if user_edits::is_hidden(column, hidden) => {
            return Some(format!("column “{title}” of {id}: {}", user_edits::HIDDEN).into());
        }
        None if restore => {
            (column.col_ref, column.left_out) = (None, true);
            return None;
        }
        None if column.left_out => "is still left out",
        None => "was deleted",
    };
    let english = format!("column “{title}” of {id} {words}: nothing is taken from it ({})", user_edits::AGAIN);
    let french = format!(
        "La colonne « {title} » a été supprimée, ou ne contient plus ce qu’il faut : rien n’y est plus lu. Pour la \
         retrouver : {}.",
        user_edits::AGAIN_FRENCH
    );
    // People are told once, and the operator with every run.
    let notice = if column.left_out { english.into() } else { Notice::new(english, french) };
    column.left_out = true;
    Some(notice)
}

fn usable(column: &ColumnMemory, here: &Column) -> bool {
    let (wanted, kind) = (Kind::parse(&column.given), Kind::parse(&here.kind));
    // Between the bundle that makes it and the one that dresses it, it is of any type.
    !here.is_formula && if wanted == Kind::Bool { kind == wanted || kind == Kind::Any } else { kind.holds(&wanted) }
}

/// The columns of numbers, which Grist fills with zeros in new rows: ids.
pub(super) fn numbers(memory: &TableMemory, found: &Table) -> Vec<String> {
    let numbers = memory.decisions.iter().filter_map(|column| column.find(found)).filter(|here| !here.is_formula);
    let numbers = numbers.filter(|here| matches!(Kind::parse(&here.kind), Kind::Int | Kind::Numeric));
    numbers.map(|here| here.id.clone()).collect()
}

/// Where a value to be written to an annotation stands.
#[derive(Clone, Debug)]
pub(super) struct Annotation {
    pub descriptor: DescriptorId,
    pub title: String,
    pub kind: CellKind,
    /// The choices that there are; none when they are not known.
    pub options: Vec<String>,
    pub id: String,
}

/// Where the columns of decisions are in the document as it is now; `None` for what is not there.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub table: String,
    /// The name of the table for ever.
    pub name: String,
    pub number: String,
    pub decision: Option<String>,
    pub motivation: Option<String>,
    pub message: Option<String>,
    pub agent: Option<String>,
    /// True if the column of the agent is filled when somebody ticks.
    pub fills_agent: bool,
    pub annotations: Vec<Annotation>,
    pub send: Option<String>,
    pub outcome: Option<String>,
}

impl Columns {
    /// Those of a table of dossiers; `None` where nobody decides.
    pub(super) fn of(memory: &TableMemory, structure: &[Table]) -> Option<Self> {
        let found = memory.find(structure).filter(|_| !memory.decisions.is_empty())?;
        let here = |column: &ColumnMemory| {
            let here = column.find(found).filter(|here| usable(column, here));
            here.map(|here| here.id.clone())
        };
        let fixed = |name: &str| {
            let key = ColumnKey::Fixed(name.to_owned());
            memory.decisions.iter().find(|column| column.key == key).and_then(here)
        };
        let annotation = |column: &ColumnMemory| {
            let ColumnKey::Champ(descriptor, _) = &column.key else { return None };
            Some(Annotation {
                descriptor: descriptor.clone(),
                title: column.label.clone(),
                kind: column.kind,
                options: column.options.clone(),
                id: here(column)?,
            })
        };
        Some(Self {
            table: found.id.clone(),
            name: memory.name.clone(),
            number: memory.technical(NUMBER)?.find(found)?.id.clone(),
            decision: fixed(DECISION),
            motivation: fixed(MOTIVATION),
            message: fixed(MESSAGE),
            agent: fixed(AGENT),
            fills_agent: found.columns.iter().any(|here| !here.is_formula && fills_agent(&here.formula)),
            annotations: memory.decisions.iter().filter_map(annotation).collect(),
            send: fixed(SEND),
            outcome: fixed(OUTCOME),
        })
    }
}

impl Columns {
    /// The columns in which people write, and that in which they read what became of it.
    pub(super) fn written(self) -> Vec<String> {
        let Self { decision, motivation, message, agent, annotations, outcome, .. } = self;
        let fixed = [decision, motivation, message, agent, outcome].into_iter().flatten();
        fixed.chain(annotations.into_iter().map(|annotation| annotation.id)).collect()
    }
}
