//! Annotations as the API writes them.

use jiff::Timestamp;

use super::dossier::{Dossier, Edit};
use super::edit::Refused;
use super::form::Question;
use super::state::World;
use crate::Platform;
use crate::graph::text::fits;
use crate::kind::Kind;
use crate::value::{FileRecord, RowRecord, Value};

/// Where an annotation is: at the root of the form, or in a row of a repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub stable_id: u64,
    /// ULID of the row.
    pub row: Option<String>,
}

impl World {
    /// The question behind an annotation, the content now, and when it last changed; nothing for champs, for questions
    /// that the dossier's revision does not ask, and for rows that are not there.
    pub(crate) fn annotation(&self, dossier: &Dossier, place: &Place) -> Option<(&Question, Value, Timestamp)> {
        let annotations = &self.form_of(dossier)?.annotations;
        let Some(row) = &place.row else {
            let question = annotations.iter().find(|question| question.stable_id == place.stable_id)?;
            let (value, at) = self.answer(dossier, question);
            return Some((question, value, at));
        };
        let is_child = |question: &&Question| question.children.iter().any(|child| child.stable_id == place.stable_id);
        let parent = annotations.iter().find(is_child)?;
        let child = parent.children.iter().find(|child| child.stable_id == place.stable_id)?;
        let (Value::Rows(rows), at) = self.answer(dossier, parent) else { return None };
        let row = rows.into_iter().find(|found| found.id == *row)?;
        let value = row.champs.into_iter().find(|(id, _)| *id == child.stable_id).map_or(Value::Empty, |(_, v)| v);
        Some((child, value, at))
    }

    /// Gives an annotation another content, as the API does: the dossier is dated, the annotations' own date is not.
    pub(crate) fn annotate(&mut self, number: u32, place: &Place, value: Value) -> Result<(), Refused> {
        let Some(row) = &place.row else { return self.annotate_by_api(number, place.stable_id, value) };
        let stable_id = place.stable_id;
        self.alter_rows(
            number,
            |question| question.children.iter().any(|child| child.stable_id == stable_id),
            |rows| {
                for found in rows.iter_mut().filter(|found| found.id == *row) {
                    found.champs.retain(|(id, _)| *id != stable_id);
                    found.champs.push((stable_id, value.clone()));
                }
            },
        )
    }

    /// Adds files to an annotation, beside those that it holds.
    pub(crate) fn join_files(&mut self, number: u32, place: &Place, files: Vec<FileRecord>) -> Result<(), Refused> {
        for file in &files {
            self.attach(file);
        }
        let dossier = self.dossier(number).ok_or_else(|| Refused::unknown(number))?;
        let mut all = match self.annotation(dossier, place).map(|(_, value, _)| value) {
            Some(Value::Files(there)) => there,
            _ => Vec::new(),
        };
        all.extend(files);
        self.annotate(number, place, Value::Files(all))
    }

    /// Asks one more annotation in every revision of a démarche; gives its stable id.
    pub fn ask_annotation(&mut self, demarche: u32, kind: Kind, label: &str) -> u64 {
        let stable_id = 50_000 + self.row();
        let revisions = self.demarches.get_mut(&demarche).map(|demarche| &mut demarche.revisions);
        for revision in revisions.into_iter().flatten() {
            let form = std::sync::Arc::make_mut(&mut revision.form);
            form.annotations.push(Question::new(stable_id, kind, label));
        }
        stable_id
    }

    /// Adds empty rows to a repetition among the annotations and gives their ULIDs, oldest first.
    pub(crate) fn add_rows(&mut self, number: u32, place: u64, count: u32) -> Result<Vec<String>, Refused> {
        let at = self.now;
        let added: Vec<RowRecord> = (0..count).map(|_| RowRecord::new(at, self.row(), Vec::new())).collect();
        let ids = added.iter().map(|row| row.id.clone()).collect();
        self.alter_rows(number, |question| question.stable_id == place, |rows| rows.extend(added))?;
        Ok(ids)
    }

    fn alter_rows(
        &mut self,
        number: u32,
        is_parent: impl Fn(&Question) -> bool,
        change: impl FnOnce(&mut Vec<RowRecord>),
    ) -> Result<(), Refused> {
        let dossier = self.dossier(number).ok_or_else(|| Refused::unknown(number))?;
        let mut annotations = self.form_of(dossier).into_iter().flat_map(|form| &form.annotations);
        let parent = annotations.find(|question| is_parent(question)).ok_or_else(|| Refused::unknown(number))?;
        let stable_id = parent.stable_id;
        let mut rows = match self.answer(dossier, parent).0 {
            Value::Rows(rows) => rows,
            _ => Vec::new(),
        };
        change(&mut rows);
        let at = self.bump(number);
        let edit = Edit { value: Value::Rows(rows), at };
        self.alter(number, |dossier| dossier.extra_mut().edits.insert(stable_id, edit));
        Ok(())
    }

    /// Returns `true` if nothing among the annotations keeps a dossier from being decided: on Démarche Numérique the mandatory
    /// ones must be filled in.
    #[must_use]
    pub fn annotations_are_complete(&self, dossier: &Dossier) -> bool {
        if self.platform == Platform::DematSocial {
            return true;
        }
        let mut asked = self.form_of(dossier).into_iter().flat_map(|form| &form.annotations);
        asked.all(|question| {
            let filled = || {
                let (value, _) = self.answer(dossier, question);
                let ticked = question.kind != Kind::Checkbox || value.text() == Some("true");
                !value.is_empty() && fits(question.kind, &value) && ticked
            };
            !question.required || !self.is_shown(dossier, question) || filled()
        })
    }

    /// Makes an annotation of every revision of a démarche mandatory, or optional again.
    pub fn require_annotation(&mut self, demarche: u32, stable_id: u64, required: bool) {
        let revisions = self.demarches.get_mut(&demarche).map(|demarche| &mut demarche.revisions);
        for revision in revisions.into_iter().flatten() {
            let form = std::sync::Arc::make_mut(&mut revision.form);
            for question in form.annotations.iter_mut().filter(|question| question.stable_id == stable_id) {
                question.required = required;
            }
        }
    }
}
