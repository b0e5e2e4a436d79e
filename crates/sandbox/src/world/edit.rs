//! New dossiers, edited answers, and changes that become visible late.

use jiff::Timestamp;

use super::dossier::{Dossier, Edit, State};
use super::state::World;
use crate::value::Value;

/// The platform refuses the change; the text is its own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

impl Refused {
    pub(super) fn unknown(dossier: u32) -> Self {
        Self(format!("no dossier {dossier} in this world"))
    }
}

/// A change whose date is already given and which nobody sees yet: see [`World::begin`].
#[must_use = "a late change is lost unless it is committed"]
pub struct Late {
    at: Timestamp,
    change: Box<dyn FnOnce(&mut World) + Send>,
}

impl World {
    /// A transaction that is dated now and becomes visible when it is committed, whatever was read in between.
    ///
    /// The change may be any method of the world, or several.
    pub fn begin(&mut self, change: impl FnOnce(&mut World) + Send + 'static) -> Late {
        Late { at: self.tick(), change: Box::new(change) }
    }

    /// Makes a late change visible, dated as when it began.
    pub fn commit(&mut self, late: Late) {
        let before = self.stamp.replace(late.at);
        (late.change)(self);
        self.stamp = before;
    }

    /// Does something without any of the dates that the platform gives to changes.
    pub fn silently<R>(&mut self, change: impl FnOnce(&mut World) -> R) -> R {
        let before = std::mem::replace(&mut self.muted, true);
        let result = change(self);
        self.muted = before;
        result
    }

    /// Dates a change of that dossier: it moves to the end of the listing by date of change.
    pub(super) fn bump(&mut self, number: u32) -> Timestamp {
        let at = self.tick();
        if !self.muted {
            self.alter(number, |dossier| dossier.updated_at = at);
        }
        at
    }

    /// A new date and nothing else, as the platform does now and then.
    pub fn touch(&mut self, number: u32) {
        self.bump(number);
    }

    /// Submits a new dossier with generated answers and gives its number.
    pub fn submit(&mut self, demarche: u32) -> Option<u32> {
        let number = self.file(demarche)?;
        self.call_webhook(number);
        Some(number)
    }

    fn file(&mut self, demarche: u32) -> Option<u32> {
        let number = self.next_number(demarche)?;
        let at = self.tick();
        let record = self.demarches.get(&demarche)?;
        let (revision, groupe) = (record.active_revision(), record.groupes.first()?.number);
        let history = vec![self.traitement("depose", State::EnConstruction, at, None, None)];
        self.insert(Dossier {
            number,
            demarche,
            revision,
            groupe,
            state: State::EnConstruction,
            archived: false,
            updated_at: at,
            depose_at: at,
            en_construction_at: at,
            en_instruction_at: None,
            processed_at: None,
            champs_at: Some(at),
            annotations_at: None,
            hidden_by_user_at: None,
            hidden_by_administration_at: None,
            hidden_by_expired_at: None,
            hidden_reason: None,
            history,
            extra: None,
        });
        Some(number)
    }

    /// Starts a dossier that nobody but its usager sees, until [`World::submit_brouillon`].
    pub fn draft(&mut self, demarche: u32) -> Option<u32> {
        let number = self.file(demarche)?;
        self.alter(number, |dossier| {
            dossier.state = State::Brouillon;
            dossier.history.clear();
        });
        Some(number)
    }

    /// Submits a drafted dossier.
    pub fn submit_brouillon(&mut self, number: u32) -> Result<(), Refused> {
        let at = self.tick();
        let step = self.traitement("depose", State::EnConstruction, at, None, None);
        self.alter(number, |dossier| {
            dossier.state = State::EnConstruction;
            dossier.depose_at = at;
            dossier.en_construction_at = at;
            dossier.updated_at = at;
            dossier.champs_at = Some(at);
            dossier.history.push(step);
        })
        .ok_or_else(|| Refused::unknown(number))?;
        self.call_webhook(number);
        Ok(())
    }

    /// Answers a question (champ or annotation), or empties it with [`Value::Empty`].
    ///
    /// The dossier is dated; a champ also dates `dateDerniereModificationChamps`, an annotation its own date.
    pub fn edit(&mut self, number: u32, stable_id: u64, value: impl Into<Value>) -> Result<(), Refused> {
        let is_annotation = self.is_annotation(number, stable_id)?;
        self.write_answer(number, stable_id, value.into(), is_annotation, true)
    }

    /// Writes an annotation as the API does: the annotations' own date does not move.
    pub fn annotate_by_api(&mut self, number: u32, stable_id: u64, value: impl Into<Value>) -> Result<(), Refused> {
        self.is_annotation(number, stable_id)?;
        self.write_answer(number, stable_id, value.into(), true, false)
    }

    fn is_annotation(&self, number: u32, stable_id: u64) -> Result<bool, Refused> {
        let dossier = self.dossier(number).ok_or_else(|| Refused::unknown(number))?;
        let form = self.form_of(dossier).ok_or_else(|| Refused::unknown(number))?;
        if form.question(stable_id).is_none() {
            return Err(Refused(format!("dossier {number} has no question {stable_id}")));
        }
        Ok(form.annotations.iter().any(|question| question.stable_id == stable_id))
    }

    fn write_answer(
        &mut self,
        number: u32,
        stable_id: u64,
        value: Value,
        is_annotation: bool,
        dated: bool,
    ) -> Result<(), Refused> {
        let at = self.bump(number);
        let muted = self.muted;
        self.alter(number, |dossier| {
            let at = if muted { dossier.updated_at } else { at };
            dossier.extra_mut().edits.insert(stable_id, Edit { value, at });
            if dated && !muted {
                let date = if is_annotation { &mut dossier.annotations_at } else { &mut dossier.champs_at };
                *date = Some(at);
            }
        })
        .ok_or_else(|| Refused::unknown(number))
    }

    /// The content of an answer now, generated or edited.
    #[must_use]
    pub fn value(&self, number: u32, stable_id: u64) -> Option<Value> {
        let dossier = self.dossier(number)?;
        let question = self.form_of(dossier)?.question(stable_id)?;
        Some(self.answer(dossier, question).0)
    }
}
