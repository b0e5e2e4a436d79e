//! Decides about what a dossier is marked with: archive, groupe, labels, followers. Pure.

use super::Case;
use super::lacking::Lacking;
use super::verdict::{Refusal, Verdict};
use crate::api::Mutation;
use crate::demarche::Label;
use crate::ids::{GroupeInstructeurNumber, LabelId};

impl Case<'_> {
    /// Marks a decided dossier as "à archiver".
    pub(super) fn archive(&self) -> Result<Lacking, Verdict> {
        if self.dossier.archived {
            Ok(Lacking::nothing())
        } else if self.dossier.state.is_terminal() {
            Ok(self.candidate(Mutation::Archiver).into())
        } else {
            Err(Refusal::NotDecided(self.dossier.state.clone()).into())
        }
    }

    /// Hands the dossier to a groupe, by number or by label.
    pub(super) fn hand_over(&self, groupe: &str) -> Result<Lacking, Verdict> {
        let number = groupe.trim().parse().ok().map(GroupeInstructeurNumber::new);
        let known = self.demarche.groupes_instructeurs.iter();
        let mut known = known.filter(|known| Some(known.number) == number || known.label == groupe.trim());
        let found = known.next().ok_or_else(|| Refusal::Unknown(format!("no groupe is called `{groupe}`")))?;
        if found.id == self.dossier.groupe_instructeur.id {
            return Ok(Lacking::nothing());
        }
        Ok(self.candidate(Mutation::ChangerGroupeInstructeur { groupe: found.id.clone() }).into())
    }

    /// Puts a label on the dossier, or takes it off.
    pub(super) fn label(&self, label: &str, present: bool) -> Result<Lacking, Verdict> {
        let named = |known: &&Label| known.id == label || known.name == label.trim();
        match (self.dossier.labels.iter().find(named), present) {
            (Some(_), true) | (None, false) => Ok(Lacking::nothing()),
            (Some(known), false) => {
                Ok(self.candidate(Mutation::SupprimerLabel { label: LabelId::new(&known.id) }).into())
            }
            (None, true) => {
                let known = self.demarche.labels.iter().find(named);
                let known = known.ok_or_else(|| Refusal::Unknown(format!("no label is called `{label}`")))?;
                Ok(self.candidate(Mutation::AjouterLabel { label: LabelId::new(&known.id) }).into())
            }
        }
    }

    /// Makes the author follow the dossier, or no longer follow it.
    pub(super) fn follow(&self, follow: bool) -> Result<Lacking, Verdict> {
        let author = self.author()?;
        let follows = self.dossier.instructeurs.iter().any(|profile| profile.id == author.id);
        if follows == follow { Ok(Lacking::nothing()) } else { Ok(self.candidate(Mutation::Suivre { follow }).into()) }
    }
}
