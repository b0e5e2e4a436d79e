//! Decides what follows a lost answer: wait, send again, or leave it to a person. Pure.
//!
//! An answer that was lost is never sent again blindly (trap 59): the request may still be under way, or may have been
//! carried out.

use jiff::Timestamp;

use super::Case;
use super::lacking::Candidate;
use super::verdict::{Doubt, Refusal, Verdict};
use crate::api::Mutation;
use crate::intent::{Action, Answer, Sending, Waits};

/// The number of times that one and the same mutation is sent before it is given up.
const MOST_SENDS: u32 = 5;

impl Case<'_> {
    /// Refuses, unless it was sent and may have been done: then nobody can tell.
    pub(super) fn refused(&self, refusal: Refusal) -> Verdict {
        let Some(last) = self.progress.last.as_ref().filter(|last| !matches!(last.answer, Answer::Refused(_))) else {
            return refusal.into();
        };
        if matches!(refusal, Refusal::NoEffect { .. }) {
            return refusal.into();
        }
        if last.answer == Answer::Unknown
            && let Some(wait) = self.under_way(last)
        {
            return wait;
        }
        if self.leaves_a_trace() || self.moved_since(last) == Some(false) {
            refusal.into()
        } else {
            Doubt::LostAnswer.into()
        }
    }

    /// Tells if its effect can be seen whatever happens afterwards: a message, a row, a step of the history.
    fn leaves_a_trace(&self) -> bool {
        match &self.intent.action {
            Action::Message { .. }
            | Action::AjouterLigne { .. }
            | Action::PasserEnInstruction
            | Action::RepasserEnConstruction
            | Action::RepasserEnInstruction
            | Action::Accepter { .. }
            | Action::Refuser { .. }
            | Action::ClasserSansSuite { .. } => true,
            Action::Archiver
            | Action::Desarchiver
            | Action::SupprimerMessage { .. }
            | Action::AnnulerDemandeCorrection
            | Action::Annotations { .. }
            | Action::ChangerGroupe { .. }
            | Action::Label { .. }
            | Action::Suivre { .. } => false,
        }
    }

    /// Decides if a mutation whose answer was lost may be sent again now; `None` if it may.
    pub(super) fn again(&self, candidate: &Candidate, last: &Sending) -> Option<Verdict> {
        if let Some(wait) = self.under_way(last) {
            return Some(wait);
        }
        let traced = self.leaves_a_trace() || matches!(self.intent.action, Action::Annotations { .. });
        let moved = self.moved_since(last) == Some(true);
        if moved && !traced {
            // It may have been done, and undone by somebody.
            return Some(Doubt::LostAnswer.into());
        }
        if last.times >= MOST_SENDS {
            return Some(if !candidate.mutation.is_idempotent() {
                Doubt::LostAnswer.into()
            } else if self.is_blocked_by_correction(last) {
                Refusal::CorrectionAwaited(last.times).into()
            } else {
                self.no_effect(last).into()
            });
        }
        if moved { self.moved().map(Verdict::from) } else { None }
    }

    /// Waits for a request that may still be under way, or for a platform in trouble: twice as long each time.
    fn under_way(&self, last: &Sending) -> Option<Verdict> {
        let wait = self.quiet * (1 << last.times.saturating_sub(1).min(4));
        let until = last.at.checked_add(wait).unwrap_or(Timestamp::MAX);
        if until <= self.now {
            return None;
        }
        let waits = if self.is_blocked_by_correction(last) {
            Waits::new("correction_awaited", Refusal::CorrectionAwaited(last.times).to_string())
        } else {
            let words = last.failure.as_ref().map(|failure| format!(": {}", failure.words)).unwrap_or_default();
            Waits::new("lost_answer", format!("its answer was lost{words}"))
        };
        Some(Verdict::Wait { until, waits })
    }

    /// Tells if the platform failed because the usager owes a correction.
    fn is_blocked_by_correction(&self, last: &Sending) -> bool {
        // Some platforms answer HTTP 500 instead of a refusal: only the awaited correction tells this failure from others.
        last.key == Mutation::PasserEnInstruction.name()
            && self.dossier.date_derniere_correction_en_attente.is_some()
            && last.failure.as_ref().is_some_and(|failure| failure.kind == "internal_server_error")
    }

    /// Refuses what was sent and of which the dossier shows nothing.
    pub(super) fn no_effect(&self, last: &Sending) -> Refusal {
        let said = match &last.answer {
            Answer::Taken => Some("the platform answered that it was done".to_owned()),
            Answer::Unknown | Answer::Refused(_) => last.failure.as_ref().map(|failure| failure.words.clone()),
        };
        Refusal::NoEffect { times: last.times, said }
    }
}
