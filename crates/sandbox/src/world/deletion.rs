//! Every way in which a dossier goes away, and what comes back.

use jiff::{SignedDuration, Timestamp};

use super::dossier::{Reason, State, Tombstone};
use super::edit::Refused;
use super::state::World;
use crate::Platform;

impl World {
    /// The usager deletes: an open dossier goes to the pending list and is purged later; a decided one stays listed
    /// with `dateSuppressionParUsager`; one `en_instruction` cannot be deleted.
    pub fn delete_by_user(&mut self, number: u32) -> Result<(), Refused> {
        let dossier = self.dossier(number).ok_or_else(|| Refused::unknown(number))?;
        if dossier.state == State::EnInstruction {
            return Err(Refused("Un dossier en instruction ne peut être supprimé".to_owned()));
        }
        let at = self.bump(number);
        self.alter(number, |dossier| {
            dossier.hidden_by_user_at = Some(at);
            dossier.hidden_reason = Some(Reason::UserRequest);
        });
        Ok(())
    }

    /// An instructeur hides a decided dossier: it goes to the pending list.
    pub fn delete_by_administration(&mut self, number: u32) -> Result<(), Refused> {
        let dossier = self.dossier(number).ok_or_else(|| Refused::unknown(number))?;
        if !dossier.state.is_terminated() {
            return Err(Refused("Un dossier non terminé ne peut être supprimé".to_owned()));
        }
        let at = self.bump(number);
        self.alter(number, |dossier| {
            dossier.hidden_by_administration_at = Some(at);
            dossier.hidden_reason = Some(Reason::InstructeurRequest);
        });
        Ok(())
    }

    /// An open dossier hidden by the administration alone, without a reason, as support operations leave some: its node
    /// is null, and any page of the pending list whose cursor falls on it is HTTP 500.
    pub fn hide_without_reason(&mut self, number: u32) -> Result<(), Refused> {
        let at = self.bump(number);
        self.alter(number, |dossier| {
            dossier.hidden_by_administration_at = Some(at);
            dossier.hidden_by_user_at = None;
            dossier.hidden_reason = None;
        })
        .ok_or_else(|| Refused::unknown(number))
    }

    /// The dossier expires: Démarche Numérique hides it for two weeks in neither list, Démat Social destroys it at once.
    pub fn expire(&mut self, number: u32) -> Result<(), Refused> {
        let dossier = self.dossier(number).ok_or_else(|| Refused::unknown(number))?;
        if dossier.state == State::EnInstruction {
            return Err(Refused("Un dossier en instruction n’expire pas".to_owned()));
        }
        if self.platform == Platform::DematSocial {
            let at = self.tick();
            self.destroy(number, Reason::Expired, at);
            return Ok(());
        }
        let at = self.bump(number);
        self.alter(number, |dossier| {
            dossier.hidden_by_expired_at = Some(at);
            dossier.hidden_reason = Some(Reason::Expired);
        });
        Ok(())
    }

    /// Whatever hid the dossier is undone: it comes back, dated now, at its old place in the order of deposits.
    pub fn restore(&mut self, number: u32) -> Result<(), Refused> {
        self.bump(number);
        self.alter(number, |dossier| {
            dossier.hidden_by_user_at = None;
            dossier.hidden_by_administration_at = None;
            dossier.hidden_by_expired_at = None;
            dossier.hidden_reason = None;
        })
        .ok_or_else(|| Refused::unknown(number))
    }

    /// The usager's account goes: open dossiers are destroyed at once, decided ones hidden by their usager, those
    /// `en_instruction` kept; what is left belongs to `<deleted>`.
    pub fn delete_account(&mut self, email: &str) {
        let mut owned: Vec<u32> =
            self.dossiers.values().filter(|d| self.usager(d).0 == email).map(|dossier| dossier.number).collect();
        owned.sort_unstable();
        for number in owned {
            let state = self.dossier(number).map(|dossier| dossier.state);
            match state {
                Some(State::EnConstruction | State::Brouillon) => {
                    let at = self.tick();
                    self.destroy(number, Reason::UserRemoved, at);
                }
                Some(State::Accepte | State::Refuse | State::SansSuite) => {
                    let at = self.tick();
                    self.alter(number, |dossier| dossier.hidden_by_user_at = Some(at));
                    self.forget_usager(number);
                }
                Some(State::EnInstruction) | None => self.forget_usager(number),
            }
        }
    }

    /// The dossier vanishes and no list ever tells, as for tests and draft revisions.
    pub fn delete_without_trace(&mut self, number: u32) {
        self.remove(number);
    }

    /// Gone for good now, with a tombstone of that date, unless the démarche is still a draft.
    pub(super) fn destroy(&mut self, number: u32, reason: Reason, deleted_at: Timestamp) {
        let Some(dossier) = self.remove(number) else { return };
        let Some(demarche) = self.demarches.get_mut(&dossier.demarche) else { return };
        if demarche.brouillon {
            return;
        }
        let row = u32::try_from(demarche.deleted.len()).unwrap_or(0) + 1;
        let tombstone = Tombstone { row, number, state: dossier.state, groupe: dossier.groupe, reason, deleted_at };
        demarche.deleted.insert((deleted_at, row), tombstone);
    }

    /// The démarche is thrown away: its number and all its dossiers read as not found.
    pub fn discard_demarche(&mut self, demarche: u32) {
        if let Some(demarche) = self.demarches.get_mut(&demarche) {
            demarche.discarded = true;
        }
    }

    /// The support brings a démarche back.
    pub fn restore_demarche(&mut self, demarche: u32) {
        if let Some(demarche) = self.demarches.get_mut(&demarche) {
            demarche.discarded = false;
        }
    }

    /// Runs the nightly jobs of the platform.
    pub(super) fn run_due(&mut self) {
        self.purge_due();
        self.purge_blobs();
        self.rebase_due();
    }

    /// Destroys what was hidden for long enough.
    fn purge_due(&mut self) {
        let (now, grace) = (self.now, self.grace());
        let due = |at: Option<Timestamp>, grace: SignedDuration| at.filter(|at| now.duration_since(*at) >= grace);
        let two_weeks = SignedDuration::from_hours(14 * 24);
        let mut purged = Vec::new();
        for demarche in self.demarches.values() {
            for number in &demarche.hidden {
                let Some(dossier) = self.dossiers.get(number) else { continue };
                let by_user = due(dossier.hidden_by_user_at, grace);
                let by_administration = due(dossier.hidden_by_administration_at, two_weeks);
                let reason = dossier.hidden_reason.unwrap_or(Reason::UserRequest);
                if let Some(at) = by_user.filter(|_| dossier.state == State::EnConstruction) {
                    purged.push((*number, reason, at));
                } else if due(dossier.hidden_by_expired_at, two_weeks).is_some() {
                    purged.push((*number, Reason::Expired, now));
                } else if by_user.is_some() && by_administration.is_some() {
                    purged.push((*number, Reason::InstructeurRequest, now));
                }
            }
        }
        for (number, reason, hidden_at) in purged {
            let at = match self.platform {
                Platform::DemarcheNumerique => hidden_at,
                Platform::DematSocial => now,
            };
            self.destroy(number, reason, at);
        }
    }
}
