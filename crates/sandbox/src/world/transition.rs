//! Every passage from one state to another, and what instructeurs do besides.

use super::dossier::{Avis, Connection, Demandeur, State};
use super::edit::Refused;
use super::state::World;
use crate::Platform;
use crate::value::FileRecord;

/// The author of a step.
pub(super) type Agent = Option<u32>;

impl World {
    fn state_of(&self, number: u32) -> Result<State, Refused> {
        self.dossier(number).map(|dossier| dossier.state).ok_or_else(|| Refused::unknown(number))
    }

    fn expect_state(&self, number: u32, legal: impl Fn(State) -> bool) -> Result<(), Refused> {
        let state = self.state_of(number)?;
        if legal(state) { Ok(()) } else { Err(Refused(format!("Le dossier est déjà {}", state.in_words()))) }
    }

    /// Moves a dossier, dates it and writes the step into its history.
    pub(super) fn step(&mut self, number: u32, event: &'static str, to: State, agent: Agent, motivation: Option<&str>) {
        let at = self.bump(number);
        let traitement = self.traitement(event, to, at, agent, motivation.map(str::to_owned));
        self.alter(number, |dossier| {
            dossier.state = to;
            dossier.history.push(traitement);
            match to {
                State::EnInstruction => dossier.en_instruction_at = Some(at),
                State::EnConstruction => dossier.en_construction_at = at,
                State::Accepte | State::Refuse | State::SansSuite => dossier.processed_at = Some(at),
                State::Brouillon => {}
            }
        });
        self.call_webhook(number);
        self.say(number, &format!("<p>Votre dossier est {}.</p>", to.in_words()));
    }

    /// `en_construction` to `en_instruction`, by an instructeur (who then follows the dossier) or automatically.
    pub fn passer_en_instruction(&mut self, number: u32, agent: Agent) -> Result<(), Refused> {
        self.expect_state(number, |state| state == State::EnConstruction)?;
        if agent.is_some() && self.is_blocked(number) {
            return Err(Refused("Le dossier est en attente de correction".to_owned()));
        }
        let event = if agent.is_some() { "passe_en_instruction" } else { "passe_en_instruction_automatiquement" };
        self.step(number, event, State::EnInstruction, agent, None);
        self.alter(number, |dossier| dossier.extra_mut().instructeurs.extend(agent));
        self.resolve_corrections(number);
        Ok(())
    }

    /// Returns `true` if a correction that the usager owes keeps the dossier `en_construction`: a choice of the démarche, once it
    /// is published.
    pub(crate) fn is_blocked(&self, number: u32) -> bool {
        let Some(dossier) = self.dossier(number).filter(|dossier| dossier.pending_correction().is_some()) else {
            return false;
        };
        self.demarche(dossier.demarche).is_some_and(|demarche| demarche.correction_blocks && !demarche.brouillon)
    }

    /// `en_instruction` back to `en_construction`; the date of instruction stays.
    pub fn repasser_en_construction(&mut self, number: u32, agent: Agent) -> Result<(), Refused> {
        self.expect_state(number, |state| state == State::EnInstruction)?;
        self.step(number, "repasse_en_construction", State::EnConstruction, agent, None);
        Ok(())
    }

    /// Accepts; the attestation comes later, by [`World::deliver_attestation`].
    pub fn accepter(&mut self, number: u32, motivation: &str, agent: Agent) -> Result<(), Refused> {
        self.terminate(number, State::Accepte, motivation, agent)
    }

    /// Refuses.
    pub fn refuser(&mut self, number: u32, motivation: &str, agent: Agent) -> Result<(), Refused> {
        self.terminate(number, State::Refuse, motivation, agent)
    }

    /// Closes without a decision.
    pub fn classer_sans_suite(&mut self, number: u32, motivation: &str, agent: Agent) -> Result<(), Refused> {
        self.terminate(number, State::SansSuite, motivation, agent)
    }

    /// Decides as the API does: nothing can be decided while the companies register has not told who asks, and a file
    /// may explain the decision.
    pub(crate) fn decide(
        &mut self,
        number: u32,
        to: State,
        motivation: &str,
        justificatif: Option<FileRecord>,
        agent: Agent,
    ) -> Result<(), Refused> {
        let dossier = self.dossier(number).ok_or_else(|| Refused::unknown(number))?;
        if matches!(self.demandeur(dossier), Demandeur::PersonneMorale { enriched: false, .. }) {
            let text = "Les informations du SIRET du dossier ne sont pas complètes. Veuillez réessayer plus tard.";
            return Err(Refused(text.to_owned()));
        }
        self.terminate(number, to, motivation, agent)?;
        if let Some(file) = justificatif {
            self.attach(&file);
            self.alter(number, |dossier| dossier.extra_mut().justificatif = Some(file));
        }
        Ok(())
    }

    /// Mandatory annotations that are not filled in are refused with the words for a wrong state.
    fn terminate(&mut self, number: u32, to: State, motivation: &str, agent: Agent) -> Result<(), Refused> {
        self.expect_state(number, |state| state == State::EnInstruction)?;
        if self.dossier(number).is_some_and(|dossier| !self.annotations_are_complete(dossier)) {
            return Err(Refused("Le dossier est déjà en instruction".to_owned()));
        }
        let event = match to {
            State::Refuse => "refuse",
            State::SansSuite => "classe_sans_suite",
            _ => "accepte",
        };
        self.step(number, event, to, agent, Some(motivation).filter(|text| !text.is_empty()));
        self.clear_identity_documents(number);
        Ok(())
    }

    /// A declarative démarche or a legal delay accepts, from either open state.
    pub fn accepter_automatiquement(&mut self, number: u32) -> Result<(), Refused> {
        self.expect_state(number, |state| !state.is_terminated())?;
        self.step(number, "accepte_automatiquement", State::Accepte, None, None);
        Ok(())
    }

    /// A legal delay refuses.
    pub fn refuser_automatiquement(&mut self, number: u32) -> Result<(), Refused> {
        self.expect_state(number, |state| !state.is_terminated())?;
        let motivation = Some("L’administration n’a pas répondu dans le délai.");
        self.step(number, "refuse_automatiquement", State::Refuse, None, motivation);
        Ok(())
    }

    /// A decided dossier is opened again, unless its usager's account is gone: attestation and motivation go, the date
    /// of decision stays.
    pub fn repasser_en_instruction(&mut self, number: u32, agent: Agent) -> Result<(), Refused> {
        let alone = self.dossier(number).is_some_and(|dossier| self.usager(dossier).1 == Connection::Deleted);
        self.expect_state(number, |state| state.is_terminated() && !alone)?;
        self.step(number, "repasse_en_instruction", State::EnInstruction, agent, None);
        self.alter(number, |dossier| {
            dossier.archived = false;
            dossier.hidden_by_user_at = None;
            let extra = dossier.extra_mut();
            extra.attestation = None;
            extra.justificatif = None;
            extra.sva_at = None;
        });
        Ok(())
    }

    /// The usager submits an open dossier again: one more step, no change of state; the correction is resolved
    /// afterwards, without a date.
    pub fn submit_again(&mut self, number: u32) -> Result<(), Refused> {
        self.expect_state(number, |state| state == State::EnConstruction)?;
        let at = self.bump(number);
        let traitement = self.traitement("depose_correction_usager", State::EnConstruction, at, None, None);
        self.alter(number, |dossier| {
            dossier.champs_at = Some(at);
            dossier.history.push(traitement);
        });
        self.resolve_corrections(number);
        Ok(())
    }

    /// Sets a decided dossier aside.
    pub fn archiver(&mut self, number: u32) -> Result<(), Refused> {
        if !self.state_of(number)?.is_terminated() {
            let action = match self.platform {
                Platform::DemarcheNumerique => "déplacé dans « à archiver »",
                Platform::DematSocial => "archivé",
            };
            return Err(Refused(format!("Un dossier ne peut être {action} qu’une fois le traitement terminé")));
        }
        self.bump(number);
        self.alter(number, |dossier| dossier.archived = true);
        Ok(())
    }

    /// Takes a dossier back from where [`World::archiver`] put it.
    pub fn desarchiver(&mut self, number: u32) -> Result<(), Refused> {
        if !self.dossier(number).ok_or_else(|| Refused::unknown(number))?.archived {
            return Err(Refused("Un dossier non archivé ne peut pas être désarchivé".to_owned()));
        }
        self.bump(number);
        self.alter(number, |dossier| dossier.archived = false);
        Ok(())
    }

    /// An instructeur follows a dossier, or stops; Démat Social does not date it, and nobody dates what was so already.
    pub fn suivre(&mut self, number: u32, instructeur: u32, follow: bool) {
        let changed = self.alter(number, |dossier| {
            let following = &mut dossier.extra_mut().instructeurs;
            if follow { following.insert(instructeur) } else { following.remove(&instructeur) }
        });
        if changed == Some(true) && self.platform == Platform::DemarcheNumerique {
            self.bump(number);
        }
    }

    /// Asks an expert for an opinion; gives its row number.
    pub fn demander_avis(&mut self, number: u32, claimant: Agent, question: &str) -> Result<u64, Refused> {
        self.state_of(number)?;
        let (at, id) = (self.bump(number), self.row());
        let avis = Avis {
            id,
            question: question.to_owned(),
            reponse: None,
            question_label: None,
            question_answer: None,
            asked_at: at,
            updated_at: at,
            expert: "expert-2@example.org".to_owned(),
            claimant,
            attachments: Vec::new(),
        };
        self.alter(number, |dossier| dossier.extra_mut().avis.push(avis));
        Ok(id)
    }

    /// The expert answers.
    pub fn rendre_avis(&mut self, number: u32, avis: u64, reponse: &str) -> Result<(), Refused> {
        let at = self.bump(number);
        let answered = self.alter(number, |dossier| {
            let found = dossier.extra_mut().avis.iter_mut().find(|found| found.id == avis)?;
            found.reponse = Some(reponse.to_owned());
            found.updated_at = at;
            Some(())
        });
        answered.flatten().ok_or_else(|| Refused(format!("dossier {number} has no avis {avis}")))
    }
}
