//! Joins labels of questions to the champs of dossiers.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::client::Client;
use super::error::ApiError;
use super::page::ListingSource;
use crate::champ::{Champ, ChampValue};
use crate::demarche::{Demarche, Descriptor, Revision};
use crate::dossier::Dossier;
use crate::ids::{DemarcheNumber, DescriptorId, RevisionId};

/// Labels of the questions of a démarche: for each, that of the newest published revision which asks it, or of the
/// draft if no published one does.
///
/// Pages come without labels: sent with every champ, they would be a third of the answer. They are read once for a
/// whole démarche and joined here. Champs share the texts.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    questions: HashMap<DescriptorId, Arc<str>>,
    revisions: HashSet<RevisionId>,
}

impl Labels {
    /// Collects the labels of every question of every revision.
    #[must_use]
    pub fn of(demarche: &Demarche) -> Self {
        let mut labels = Self::default();
        // Later revisions overwrite earlier ones. A draft comes first: no dossier answers it if there is a published
        // revision.
        let published = |revision: &&Revision| revision.date_publication.is_some();
        let drafts = demarche.revisions.iter().filter(|revision| !published(revision));
        for revision in drafts.chain(demarche.revisions.iter().filter(published)) {
            labels.learn(&revision.champs);
            labels.learn(&revision.annotations);
            labels.revisions.insert(revision.id.clone());
        }
        labels
    }

    fn learn(&mut self, descriptors: &[Descriptor]) {
        for descriptor in descriptors {
            self.questions.insert(descriptor.id.clone(), descriptor.label.as_str().into());
            self.learn(&descriptor.children);
        }
    }

    /// Writes the labels into a dossier, so that its champs can be found by label. A champ of an unknown question keeps
    /// its label.
    pub fn fill(&self, dossier: &mut Dossier) {
        self.fill_champs(&mut dossier.champs);
        self.fill_champs(&mut dossier.annotations);
    }

    fn fill_champs(&self, champs: &mut [Champ]) {
        for champ in champs {
            if let Some(label) = self.questions.get(&champ.descriptor) {
                champ.label = Some(Arc::clone(label));
            }
            if let ChampValue::Repetition(rows) = &mut champ.value {
                rows.iter_mut().for_each(|row| self.fill_champs(&mut row.champs));
            }
        }
    }

    /// Lists the ids of the revision and the questions of a dossier that these labels lack.
    fn unknown_of(&self, dossier: &Dossier) -> HashSet<String> {
        let mut unknown = HashSet::new();
        if !self.revisions.contains(&dossier.revision) {
            unknown.insert(dossier.revision.as_str().to_owned());
        }
        self.unknown_questions(&dossier.champs, &mut unknown);
        self.unknown_questions(&dossier.annotations, &mut unknown);
        unknown
    }

    fn unknown_questions(&self, champs: &[Champ], unknown: &mut HashSet<String>) {
        for champ in champs {
            if !self.questions.contains_key(&champ.descriptor) {
                unknown.insert(champ.descriptor.as_str().to_owned());
            }
            if let ChampValue::Repetition(rows) = &champ.value {
                rows.iter().for_each(|row| self.unknown_questions(&row.champs, unknown));
            }
        }
    }
}

/// Fills the labels of the dossiers of a listing.
///
/// Reads the form with the first dossier, and again if a dossier has a revision or a question that the form lacked:
/// somebody published, or changed the form in place, meanwhile. An id that the form still lacks is not looked for
/// twice.
#[derive(Debug)]
pub(crate) struct Labeller {
    client: Client,
    demarche: Option<DemarcheNumber>,
    labels: Option<Labels>,
    absent: HashSet<String>,
}

impl Labeller {
    pub(crate) fn new(client: &Client, source: ListingSource) -> Self {
        let demarche = match source {
            ListingSource::Demarche(number) => Some(number),
            // The answer about a groupe does not name its démarche; its first dossier does.
            ListingSource::Groupe(_) => None,
        };
        Self { client: client.clone(), demarche, labels: None, absent: HashSet::new() }
    }

    /// Writes labels into dossiers.
    ///
    /// # Errors
    /// Those of reading the form.
    pub(crate) async fn fill(&mut self, dossiers: &mut [Dossier]) -> Result<(), ApiError> {
        for dossier in dossiers {
            if !self.knows(dossier) {
                self.learn(dossier).await?;
            }
            if let Some(labels) = &self.labels {
                labels.fill(dossier);
            }
        }
        Ok(())
    }

    fn knows(&self, dossier: &Dossier) -> bool {
        self.labels.as_ref().is_some_and(|labels| labels.unknown_of(dossier).is_subset(&self.absent))
    }

    async fn learn(&mut self, dossier: &Dossier) -> Result<(), ApiError> {
        if self.demarche.is_none() {
            self.demarche = self.client.demarche_of(dossier.number).await?;
        }
        // The dossier left meanwhile: the next one names the démarche.
        let Some(demarche) = self.demarche else { return Ok(()) };
        let labels = Labels::of(&self.client.demarche(demarche).await?);
        self.absent.extend(labels.unknown_of(dossier));
        self.labels = Some(labels);
        Ok(())
    }
}
