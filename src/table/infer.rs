//! Infers tables and columns from all revisions of a form.

use std::collections::{BTreeSet, HashMap};

use super::fixed;
use super::parts::parts;
use super::spec::{CellKind, ColumnKey, ColumnSpec, Origin, Part, Spec, TableKey, TableSpec};
use crate::demarche::{Demarche, Descriptor, Learned, Revision, TypeDeChamp};
use crate::ids::{DescriptorId, RevisionId};
use crate::privacy::Treatment;

/// Infers the tables of a démarche, in order: dossiers, one for each repetition block, then those that every démarche
/// has.
///
/// Columns are keyed by descriptor: a renamed question keeps its column, homonyms have their own (trap 47). The title,
/// help text and order are those of the revision in force, then of the newest one that asks; a draft decides only about
/// questions that no published revision asks. Kinds are widened and parts united over all revisions, since dossiers may
/// answer any of them (trap 25). Titles and explanations have no column (trap 45).
#[must_use]
pub fn infer(demarche: &Demarche) -> Spec {
    let mut form = Form::default();
    for (age, revision) in by_authority(demarche) {
        for (list, private) in [(&revision.champs, false), (&revision.annotations, true)] {
            form.read(list, None, &Asked { private, age, revision: &revision.id });
        }
    }
    // A question may have been a title in an earlier revision: it is one only if no revision asks it (trap 45).
    let presentation = form.presentation.iter().filter(|id| !form.answered.contains(*id)).cloned().collect();
    let mut tables = vec![TableSpec {
        key: TableKey::Dossiers,
        title: "Dossiers".to_owned(),
        columns: fixed::columns(&TableKey::Dossiers).chain(form.columns(None, &demarche.learned)).collect(),
    }];
    tables.extend(form.blocks.iter().map(|(id, title)| TableSpec {
        key: TableKey::Block(id.clone()),
        title: title.clone(),
        columns: form.columns(Some(id), &demarche.learned).collect(),
    }));
    tables.extend(fixed::CHILD_TABLES.iter().map(|(key, title)| TableSpec {
        key: key.clone(),
        title: (*title).to_owned(),
        columns: fixed::columns(key).collect(),
    }));
    Spec { demarche: demarche.number, title: demarche.title.clone(), tables, presentation }
}

/// Sorts revisions by authority, with their age (0 is the oldest): the one in force, then published ones from the
/// newest, then drafts.
fn by_authority(demarche: &Demarche) -> Vec<(usize, &Revision)> {
    let mut revisions: Vec<(usize, &Revision)> = demarche.revisions.iter().enumerate().collect();
    revisions.sort_by_key(|(age, revision)| {
        let rank = match revision {
            Revision { id, .. } if *id == demarche.active_revision => 0,
            Revision { date_publication: Some(_), .. } => 1,
            Revision { date_publication: None, .. } => 2,
        };
        (rank, usize::MAX - age)
    });
    revisions
}

/// Place and revision of a list of descriptors.
struct Asked<'a> {
    private: bool,
    age: usize,
    revision: &'a RevisionId,
}

/// Question, united over all revisions.
struct Question {
    block: Option<DescriptorId>,
    id: DescriptorId,
    label: String,
    description: Option<String>,
    kind: TypeDeChamp,
    private: bool,
    parts: Vec<(Part, CellKind)>,
    options: Vec<(Part, String)>,
    since: (usize, RevisionId),
}

#[derive(Default)]
struct Form {
    questions: Vec<Question>,
    positions: HashMap<(Option<DescriptorId>, DescriptorId), usize>,
    blocks: Vec<(DescriptorId, String)>,
    presentation: BTreeSet<DescriptorId>,
    answered: BTreeSet<DescriptorId>,
}

impl Form {
    fn read(&mut self, list: &[Descriptor], block: Option<&DescriptorId>, asked: &Asked<'_>) {
        for descriptor in list {
            let id = &descriptor.id;
            if descriptor.type_de_champ.is_presentation() {
                self.presentation.insert(id.clone());
                continue;
            }
            self.answered.insert(id.clone());
            if descriptor.type_de_champ == TypeDeChamp::Repetition {
                if !self.blocks.iter().any(|(known, _)| known == id) {
                    self.blocks.push((id.clone(), descriptor.label.clone()));
                }
                self.read(&descriptor.children, Some(id), asked);
                continue;
            }
            // By id and never by label: labels repeat and change (trap 47), and ids survive revisions.
            let key = (block.cloned(), id.clone());
            let at = *self.positions.entry(key).or_insert_with(|| {
                self.questions.push(Question::new(descriptor, block, asked));
                self.questions.len() - 1
            });
            self.questions[at].also(descriptor, asked);
        }
    }

    fn columns<'a>(
        &'a self,
        block: Option<&'a DescriptorId>,
        learned: &'a Learned,
    ) -> impl Iterator<Item = ColumnSpec> + 'a {
        let asked = self.questions.iter().filter(move |question| question.block.as_ref() == block);
        asked.flat_map(|question| question.columns().chain(question.sub_columns(learned)))
    }
}

impl Question {
    fn new(descriptor: &Descriptor, block: Option<&DescriptorId>, asked: &Asked<'_>) -> Self {
        Self {
            block: block.cloned(),
            id: descriptor.id.clone(),
            label: descriptor.label.clone(),
            description: descriptor.description.clone().filter(|text| !text.is_empty()),
            kind: descriptor.type_de_champ.clone(),
            private: asked.private,
            parts: Vec::new(),
            options: Vec::new(),
            since: (asked.age, asked.revision.clone()),
        }
    }

    /// Unites the question with its form in another revision.
    fn also(&mut self, descriptor: &Descriptor, asked: &Asked<'_>) {
        if asked.age < self.since.0 {
            self.since = (asked.age, asked.revision.clone());
        }
        for (part, kind) in parts(&descriptor.type_de_champ) {
            match self.parts.iter_mut().find(|(known, _)| known == part) {
                // Dossiers may answer any revision, so the column must hold the kinds of all (trap 25).
                Some((_, known)) => *known = known.widen(*kind),
                None => self.parts.push((*part, *kind)),
            }
        }
        for option in options(descriptor) {
            if !self.options.contains(&option) {
                self.options.push(option);
            }
        }
    }

    fn origin(&self) -> Origin {
        let since = Some(self.since.1.clone());
        match self.private {
            false => Origin::Champ(self.kind.clone(), since),
            true => Origin::Annotation(self.kind.clone(), since),
        }
    }

    /// Lists the columns of sub-values that answers were seen to have. Their kind is text, as the platform sends each
    /// in its form for display.
    fn sub_columns<'a>(&'a self, learned: &'a Learned) -> impl Iterator<Item = ColumnSpec> + 'a {
        learned.columns.get(&self.id).into_iter().flatten().map(|column| ColumnSpec {
            key: ColumnKey::Column(self.id.clone(), column.id.clone()),
            title: match column.label.strip_prefix(self.label.as_str()) {
                Some(_) => column.label.clone(),
                None => format!("{} – {}", self.label, column.label),
            },
            kind: CellKind::Text,
            description: None,
            options: Vec::new(),
            origin: self.origin(),
            policy: Treatment::Include,
        })
    }

    fn columns(&self) -> impl Iterator<Item = ColumnSpec> + '_ {
        self.parts.iter().map(|(part, kind)| {
            let origin = self.origin();
            let listed = matches!(kind, CellKind::Choice | CellKind::Choices);
            let options = self.options.iter().filter(|(of, _)| listed && of == part);
            ColumnSpec {
                key: ColumnKey::Champ(self.id.clone(), *part),
                title: part.title(&self.label),
                kind: *kind,
                description: self.description.clone(),
                options: options.map(|(_, option)| option.clone()).collect(),
                origin,
                policy: Treatment::Include,
            }
        })
    }
}

/// Lists the choices of a question, by the part that holds them. The list of a linked list is flat: first choices stand
/// between dashes (`--Fruits--`), each followed by its second choices.
fn options(descriptor: &Descriptor) -> Vec<(Part, String)> {
    let own = |option: &String| match option.strip_prefix("--").and_then(|rest| rest.strip_suffix("--")) {
        // Only linked lists mark their first choices with dashes; elsewhere dashes belong to the choice.
        _ if descriptor.type_de_champ != TypeDeChamp::LinkedDropDownList => (Part::Value, option.clone()),
        Some(primary) => (Part::Value, primary.to_owned()),
        None => (Part::Secondary, option.clone()),
    };
    match descriptor.type_de_champ {
        TypeDeChamp::Civilite => ["M", "Mme"].map(|word| (Part::Value, word.to_owned())).to_vec(),
        _ => descriptor.options.iter().filter(|option| !option.is_empty()).map(own).collect(),
    }
}

#[cfg(test)]
#[path = "infer_tests.rs"]
mod tests;
