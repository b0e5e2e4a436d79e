//! Labels of questions, joined to the champs of dossiers.

use std::collections::HashMap;
use std::sync::Arc;

use crate::champ::{Champ, ChampValue};
use crate::demarche::{Demarche, Descriptor};
use crate::dossier::Dossier;
use crate::ids::DescriptorId;

/// The labels of the questions of a démarche: for each, that of the newest revision which asks it.
///
/// Pages come without labels, which would be sent again with every champ; this joins them, once for a whole démarche.
/// Champs share the texts.
#[derive(Clone, Debug, Default)]
pub struct Labels(HashMap<DescriptorId, Arc<str>>);

impl Labels {
    /// The labels of every question of every revision.
    #[must_use]
    pub fn of(demarche: &Demarche) -> Self {
        let mut labels = Self::default();
        for revision in &demarche.revisions {
            labels.learn(&revision.champs);
            labels.learn(&revision.annotations);
        }
        labels
    }

    fn learn(&mut self, descriptors: &[Descriptor]) {
        for descriptor in descriptors {
            self.0.insert(descriptor.id.clone(), descriptor.label.as_str().into());
            self.learn(&descriptor.children);
        }
    }

    /// Writes the labels into a dossier, so that its champs can be found by label. A champ whose question is not known
    /// keeps what it has.
    pub fn fill(&self, dossier: &mut Dossier) {
        self.fill_champs(&mut dossier.champs);
        self.fill_champs(&mut dossier.annotations);
    }

    fn fill_champs(&self, champs: &mut [Champ]) {
        for champ in champs {
            if let Some(label) = self.0.get(&champ.descriptor) {
                champ.label = Some(Arc::clone(label));
            }
            if let ChampValue::Repetition(rows) = &mut champ.value {
                rows.iter_mut().for_each(|row| self.fill_champs(&mut row.champs));
            }
        }
    }
}
