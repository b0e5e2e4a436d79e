//! The truth: what a faithful copy of the platform must hold.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::dossier::{Dossier, Reason, State};
use super::state::World;
use crate::graph::text;
use crate::time::Language;

/// One dossier as a faithful copy holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DossierTruth {
    /// The number that people see.
    pub number: u32,
    /// Its state.
    pub state: State,
    /// Set aside.
    pub archived: bool,
    /// Last dated change, in microseconds: answers cut it to seconds.
    pub updated_at: Timestamp,
    /// First submission.
    pub depose_at: Timestamp,
    /// Number of its groupe instructeur.
    pub groupe: u32,
    /// Rank of its revision.
    pub revision: usize,
    /// Motivation of the decision.
    pub motivation: Option<String>,
    /// Names of its labels, sorted.
    pub labels: Vec<String>,
    /// Number of messages.
    pub messages: usize,
    /// Address of its usager.
    pub usager: String,
    /// Text of every champ that shows, by stable id; null where the platform says null.
    pub champs: BTreeMap<u64, Option<String>>,
    /// The same for annotations.
    pub annotations: BTreeMap<u64, Option<String>>,
}

/// A tombstone as a faithful copy holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TombstoneTruth {
    /// The dossier that went away.
    pub number: u32,
    /// When, as the platform says it.
    pub at: Timestamp,
    /// The reason; null is possible while it is only hidden.
    pub reason: Option<Reason>,
}

/// A démarche as a faithful copy holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Every dossier that a complete listing shows, by number.
    pub dossiers: BTreeMap<u32, DossierTruth>,
    /// Dossiers that are hidden and may come back, by number.
    pub pending: BTreeMap<u32, TombstoneTruth>,
    /// Dossiers that are gone for good, by number.
    pub deleted: BTreeMap<u32, TombstoneTruth>,
}

impl World {
    /// Returns a complete and instantaneous reading of a démarche; empty for an unknown or discarded one.
    #[must_use]
    pub fn snapshot(&self, demarche: u32) -> Snapshot {
        let mut snapshot = Snapshot::default();
        let Some(record) = self.demarche(demarche).filter(|record| !record.discarded) else { return snapshot };
        for (_, number) in &record.by_updated {
            let Some(dossier) = self.dossier(*number) else { continue };
            if dossier.is_visible() {
                snapshot.dossiers.insert(*number, self.truth_of(dossier));
            } else if dossier.is_pending_deletion() {
                let at = dossier.hidden_by_user_at.or(dossier.hidden_by_administration_at);
                let at = at.unwrap_or(dossier.updated_at);
                snapshot.pending.insert(*number, TombstoneTruth { number: *number, at, reason: dossier.hidden_reason });
            }
        }
        for tombstone in record.deleted.values() {
            let truth =
                TombstoneTruth { number: tombstone.number, at: tombstone.deleted_at, reason: Some(tombstone.reason) };
            snapshot.deleted.insert(tombstone.number, truth);
        }
        snapshot
    }

    /// One dossier, if a listing shows it.
    #[must_use]
    pub fn truth(&self, number: u32) -> Option<DossierTruth> {
        self.dossier(number).filter(|dossier| dossier.is_visible()).map(|dossier| self.truth_of(dossier))
    }

    fn truth_of(&self, dossier: &Dossier) -> DossierTruth {
        let extra = Self::extra(dossier);
        let labels = self.demarche(dossier.demarche).map(|demarche| &demarche.labels).into_iter().flatten();
        let mut labels: Vec<String> =
            labels.filter(|label| extra.labels.contains(&label.id)).map(|label| label.name.clone()).collect();
        labels.sort();
        let texts = |questions: &[super::form::Question]| {
            let shown = questions.iter().filter(|question| self.is_shown(dossier, question));
            shown
                .map(|question| {
                    let (value, _) = self.answer(dossier, question);
                    (question.stable_id, text::string_value(question.kind, &value, Language::French))
                })
                .collect()
        };
        let form = self.form_of(dossier);
        DossierTruth {
            number: dossier.number,
            state: dossier.state,
            archived: dossier.archived,
            updated_at: dossier.updated_at,
            depose_at: dossier.depose_at,
            groupe: dossier.groupe,
            revision: dossier.revision,
            motivation: dossier.motivation().map(str::to_owned),
            labels,
            messages: extra.messages.len(),
            usager: self.usager(dossier).0,
            champs: form.map(|form| texts(&form.champs)).unwrap_or_default(),
            annotations: form.map(|form| texts(&form.annotations)).unwrap_or_default(),
        }
    }
}
