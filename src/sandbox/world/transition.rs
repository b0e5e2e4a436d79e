//! Every passage from one state to another, and what instructeurs do besides.

use super::dossier::{Avis, Correction, Message, State};
use super::edit::Refused;
use super::state::World;
use crate::platform::Platform;
use crate::sandbox::value::FileRecord;

/// Who takes a step.
type Agent = Option<u32>;

impl World {
    fn state_of(&self, number: u32) -> Result<State, Refused> {
        self.dossier(number).map(|dossier| dossier.state).ok_or_else(|| Refused::unknown(number))
    }

    fn expect_state(&self, number: u32, legal: impl Fn(State) -> bool) -> Result<(), Refused> {
        let state = self.state_of(number)?;
        if legal(state) { Ok(()) } else { Err(Refused(format!("Le dossier est déjà {}", state.in_words()))) }
    }

    /// Moves a dossier, dates it and writes the step into its history.
    fn step(&mut self, number: u32, event: &'static str, to: State, agent: Agent, motivation: Option<&str>) {
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
        self.say(number, &format!("<p>Votre dossier est {}.</p>", to.in_words()));
    }

    /// A message of the platform itself; the dossier is not dated again.
    fn say(&mut self, number: u32, body: &str) {
        let (id, created_at) = (self.row(), self.now);
        let message = Message {
            id,
            email: "contact@example.org".to_owned(),
            body: body.to_owned(),
            created_at,
            discarded_at: None,
            attachments: Vec::new(),
            correction: None,
            instructeur: None,
        };
        self.alter(number, |dossier| dossier.extra_mut().messages.push(message));
    }

    /// `en_construction` to `en_instruction`, by an instructeur (who then follows the dossier) or automatically.
    pub fn passer_en_instruction(&mut self, number: u32, agent: Agent) -> Result<(), Refused> {
        self.expect_state(number, |state| state == State::EnConstruction)?;
        let event = if agent.is_some() { "passe_en_instruction" } else { "passe_en_instruction_automatiquement" };
        self.step(number, event, State::EnInstruction, agent, None);
        self.alter(number, |dossier| dossier.extra_mut().instructeurs.extend(agent));
        self.resolve_corrections(number);
        Ok(())
    }

    /// `en_instruction` back to `en_construction`; the date of instruction stays.
    pub fn repasser_en_construction(&mut self, number: u32, agent: Agent) -> Result<(), Refused> {
        self.expect_state(number, |state| state == State::EnInstruction)?;
        self.step(number, "repasse_en_construction", State::EnConstruction, agent, None);
        Ok(())
    }

    /// Accepts; the attestation comes later, by [`World::deliver_attestation`].
    pub fn accepter(&mut self, number: u32, motivation: &str, agent: Agent) -> Result<(), Refused> {
        self.terminate(number, State::Accepte, "accepte", motivation, agent)
    }

    /// Refuses.
    pub fn refuser(&mut self, number: u32, motivation: &str, agent: Agent) -> Result<(), Refused> {
        self.terminate(number, State::Refuse, "refuse", motivation, agent)
    }

    /// Closes without a decision.
    pub fn classer_sans_suite(&mut self, number: u32, motivation: &str, agent: Agent) -> Result<(), Refused> {
        self.terminate(number, State::SansSuite, "classe_sans_suite", motivation, agent)
    }

    fn terminate(
        &mut self,
        number: u32,
        to: State,
        event: &'static str,
        motivation: &str,
        agent: Agent,
    ) -> Result<(), Refused> {
        self.expect_state(number, |state| state == State::EnInstruction)?;
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

    /// A decided dossier is opened again: attestation and motivation go, the date of decision stays.
    pub fn repasser_en_instruction(&mut self, number: u32, agent: Agent) -> Result<(), Refused> {
        self.expect_state(number, State::is_terminated)?;
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

    /// Gives a dossier to another team of its démarche.
    pub fn changer_groupe(&mut self, number: u32, groupe: u32) -> Result<(), Refused> {
        let dossier = self.dossier(number).ok_or_else(|| Refused::unknown(number))?;
        let known = self.demarche(dossier.demarche).and_then(|demarche| demarche.groupe(groupe));
        let label = known.map(|groupe| groupe.label.clone());
        let Some(label) = label else {
            return Err(Refused(format!(
                "Le groupe instructeur '{groupe}' n’appartient pas à la même démarche que le dossier"
            )));
        };
        if dossier.groupe == groupe {
            let word = if self.platform == Platform::DematSocial { "grope" } else { "groupe" };
            return Err(Refused(format!("Le dossier est déjà avec le {word} instructeur: '{label}'")));
        }
        self.bump(number);
        self.alter(number, |dossier| dossier.groupe = groupe);
        Ok(())
    }

    /// An instructeur follows a dossier, or stops; Démat Social does not date it.
    pub fn suivre(&mut self, number: u32, instructeur: u32, follow: bool) {
        if self.platform == Platform::DemarcheNumerique {
            self.bump(number);
        }
        self.alter(number, |dossier| {
            let following = &mut dossier.extra_mut().instructeurs;
            if follow { following.insert(instructeur) } else { following.remove(&instructeur) }
        });
    }

    /// Sends a message, possibly asking for a correction (`incorrect`, `incomplete`, `outdated`); gives its row number.
    ///
    /// A correction sends a dossier `en_instruction` back to `en_construction`, and is dropped when the dossier is
    /// decided or already waits for one; the message is sent all the same.
    pub fn envoyer_message(
        &mut self,
        number: u32,
        author: Agent,
        body: &str,
        correction: Option<&str>,
        attachments: Vec<FileRecord>,
    ) -> Result<u64, Refused> {
        let dossier = self.dossier(number).ok_or_else(|| Refused::unknown(number))?;
        if body.trim().is_empty() {
            return Err(Refused("Le champ « Votre message » ne peut être vide".to_owned()));
        }
        let (email, connection) = self.usager(dossier);
        let closed = dossier.archived || dossier.hidden_by_user_at.is_some();
        if closed || connection == super::dossier::Connection::Deleted {
            let reason =
                "Il n’est pas possible d’envoyer un message sur un dossier supprimé, à archiver ou en brouillon";
            return Err(Refused(format!("Le champ « Votre message » {reason}")));
        }
        let state = dossier.state;
        let asked = correction.filter(|_| !state.is_terminated() && dossier.pending_correction().is_none());
        if asked.is_some() && state == State::EnInstruction {
            self.step(number, "repasse_en_construction", State::EnConstruction, author, None);
        }
        let (at, id) = (self.bump(number), self.row());
        let message = Message {
            id,
            email: author.and_then(|n| self.instructeur(n)).map_or(email, str::to_owned),
            body: body.to_owned(),
            created_at: at,
            discarded_at: None,
            attachments,
            correction: asked.map(|reason| Correction { reason: reason.to_owned(), resolved_at: None }),
            instructeur: author,
        };
        self.alter(number, |dossier| dossier.extra_mut().messages.push(message));
        Ok(id)
    }

    /// Withdraws a message of an instructeur: its body becomes empty.
    pub fn supprimer_message(&mut self, number: u32, message: u64) -> Result<(), Refused> {
        let at = self.tick();
        let done = self.alter(number, |dossier| {
            let mut messages = dossier.extra_mut().messages.iter_mut();
            let found = messages.find(|m| m.id == message && m.instructeur.is_some() && m.discarded_at.is_none())?;
            found.discarded_at = Some(at);
            found.body.clear();
            found.correction = None;
            Some(())
        });
        if done.flatten().is_none() {
            return Err(Refused("Le message ne peut pas être supprimé".to_owned()));
        }
        self.bump(number);
        Ok(())
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
