//! Changes that every answer shows and that no date betrays.

use jiff::{SignedDuration, Timestamp};

use super::dossier::{Connection, Demandeur};
use super::edit::Refused;
use super::state::World;
use crate::kind::Kind;
use crate::value::{FileRecord, Scan, Value};

impl World {
    /// Puts a label on a dossier.
    pub fn add_label(&mut self, number: u32, label: u64) -> Result<(), Refused> {
        let added = self.alter(number, |dossier| dossier.extra_mut().labels.insert(label));
        match added {
            Some(true) => Ok(()),
            Some(false) => Err(Refused("Ce label est déjà associé au dossier".to_owned())),
            None => Err(Refused::unknown(number)),
        }
    }

    /// Takes a label off a dossier.
    pub fn remove_label(&mut self, number: u32, label: u64) -> Result<(), Refused> {
        match self.alter(number, |dossier| dossier.extra_mut().labels.remove(&label)) {
            Some(true) => Ok(()),
            Some(false) => Err(Refused("Ce label n’est pas associé au dossier".to_owned())),
            None => Err(Refused::unknown(number)),
        }
    }

    /// Renames a label of the démarche: every dossier that carries it changes.
    pub fn rename_label(&mut self, demarche: u32, label: u64, name: &str) {
        let labels = self.demarches.get_mut(&demarche).map(|demarche| &mut demarche.labels);
        for found in labels.into_iter().flatten().filter(|found| found.id == label) {
            name.clone_into(&mut found.name);
        }
    }

    /// The job that makes the attestation has run.
    pub fn deliver_attestation(&mut self, number: u32) {
        let at = self.tick();
        self.alter(number, |dossier| {
            dossier.extra_mut().attestation = Some(FileRecord::new("attestation.pdf", 2048, at));
        });
    }

    /// Changes an answer in place, with no date at all.
    pub fn mutate_answer(
        &mut self,
        number: u32,
        stable_id: u64,
        change: impl FnOnce(&mut Value),
    ) -> Result<(), Refused> {
        let mut value = self
            .value(number, stable_id)
            .ok_or_else(|| Refused(format!("dossier {number} has no question {stable_id}")))?;
        change(&mut value);
        self.silently(|world| world.edit(number, stable_id, value))
    }

    /// The antivirus has looked at the files of a champ; infected ones vanish from every answer.
    pub fn scan_files(&mut self, number: u32, stable_id: u64, scan: Scan) -> Result<(), Refused> {
        self.mutate_answer(number, stable_id, |value| {
            if let Value::Files(files) = value {
                for file in files {
                    file.scan = scan;
                }
            }
        })
    }

    /// The files of a champ are gone, as after a decision.
    pub fn purge_files(&mut self, number: u32, stable_id: u64) -> Result<(), Refused> {
        self.mutate_answer(number, stable_id, |value| *value = Value::Empty)
    }

    /// The register has answered at last for a SIRET, RNA or RNF champ or an address.
    pub fn resolve_reference(&mut self, number: u32, stable_id: u64) -> Result<(), Refused> {
        self.mutate_answer(number, stable_id, |value| {
            if let Value::Reference { known, .. } = value {
                *known = true;
            }
        })
    }

    /// The land register has given the true geometry of the parcels of a map.
    pub fn refine_geometry(&mut self, number: u32, stable_id: u64) -> Result<(), Refused> {
        self.mutate_answer(number, stable_id, |value| {
            if let Value::Areas(areas) = value {
                for area in areas {
                    area.geometry = serde_json::json!({"type": "Point", "coordinates": [2.5, 47.25]});
                }
            }
        })
    }

    /// The companies register has answered at last about who asks.
    pub fn enrich_demandeur(&mut self, number: u32) {
        let Some(dossier) = self.dossier(number) else { return };
        if let Demandeur::PersonneMorale { siret, .. } = self.demandeur(dossier) {
            self.set_demandeur(number, Demandeur::PersonneMorale { siret, enriched: true });
        }
    }

    /// Makes the demandeur a person born on that day, as the platform sends it: possibly blank, or no day at all.
    pub fn set_birth_date(&mut self, number: u32, born: &str) {
        let person = Demandeur::PersonnePhysique { civilite: None, nom: "Factice".into(), prenom: "Zélie".into() };
        self.set_demandeur(number, person);
        self.alter(number, |dossier| dossier.extra_mut().date_de_naissance = Some(born.to_owned()));
    }

    /// Replaces who asks.
    pub fn set_demandeur(&mut self, number: u32, demandeur: Demandeur) {
        self.alter(number, |dossier| dossier.extra_mut().demandeur = Some(demandeur));
    }

    /// The dossier will expire at another date.
    pub fn set_expiration(&mut self, number: u32, at: Timestamp) {
        self.alter(number, |dossier| dossier.extra_mut().expires_at = Some(at));
    }

    /// Another account takes the dossier over.
    pub fn transfer(&mut self, number: u32, email: &str) {
        self.alter(number, |dossier| dossier.extra_mut().usager = Some(email.to_owned()));
    }

    /// Marks the account of the usager as deleted; the dossier stays. [`World::delete_account`] does the whole thing.
    pub fn forget_usager(&mut self, number: u32) {
        self.alter(number, |dossier| dossier.extra_mut().connection = Some(Connection::Deleted));
    }

    /// An instructeur leaves a team, and with it every dossier that they follow.
    pub fn remove_instructeur(&mut self, demarche: u32, instructeur: u32) {
        let Some(record) = self.demarches.get_mut(&demarche) else { return };
        for groupe in &mut record.groupes {
            groupe.instructeurs.remove(&instructeur);
        }
        for number in self.numbers(demarche) {
            self.alter(number, |dossier| {
                if let Some(extra) = &mut dossier.extra {
                    extra.instructeurs.remove(&instructeur);
                }
            });
        }
    }

    /// An instructeur joins a team.
    pub fn add_instructeur(&mut self, demarche: u32, groupe: u32, instructeur: u32) {
        self.instructeurs.entry(instructeur).or_insert_with(|| format!("instructeur-{instructeur}@example.org"));
        let groupes = self.demarches.get_mut(&demarche).map(|demarche| &mut demarche.groupes);
        for found in groupes.into_iter().flatten().filter(|found| found.number == groupe) {
            found.instructeurs.insert(instructeur);
        }
    }

    /// Puts a démarche under "silence vaut accord", with the day on which it falls for one dossier.
    pub fn set_sva(&mut self, number: u32, at: jiff::civil::Date) {
        let demarche = self.dossier(number).map(|dossier| dossier.demarche);
        if let Some(demarche) = demarche.and_then(|number| self.demarche_mut(number)) {
            demarche.sva = true;
        }
        self.alter(number, |dossier| dossier.extra_mut().sva_at = Some(at));
    }

    /// The row that says that a correction was answered, written after the dossier was dated.
    pub fn resolve_corrections(&mut self, number: u32) {
        let at = self.tick();
        self.alter(number, |dossier| {
            for message in &mut dossier.extra_mut().messages {
                if let Some(correction) = &mut message.correction {
                    correction.resolved_at.get_or_insert(at);
                }
            }
        });
    }

    /// Identity documents are cleared after a decision.
    pub(super) fn clear_identity_documents(&mut self, number: u32) {
        let Some(form) = self.dossier(number).and_then(|dossier| self.form_of(dossier)) else { return };
        let documents: Vec<u64> =
            form.champs.iter().filter(|q| q.kind == Kind::TitreIdentite).map(|q| q.stable_id).collect();
        for stable_id in documents {
            let cleared = self.mutate_answer(number, stable_id, |value| *value = Value::Empty);
            debug_assert!(cleared.is_ok(), "the question was found in the form just now");
        }
    }

    /// When a dossier is to expire, as the API says it.
    #[must_use]
    pub fn expires_at(&self, number: u32) -> Option<Timestamp> {
        let dossier = self.dossier(number)?;
        if let Some(at) = Self::extra(dossier).expires_at {
            return Some(at);
        }
        let from = match dossier.processed_at {
            Some(at) if dossier.state.is_terminated() => at,
            _ if dossier.state == super::dossier::State::EnConstruction => dossier.en_construction_at,
            _ => return None,
        };
        Some(from + SignedDuration::from_hours(24 * 365 * 3))
    }

    /// Every dossier of a démarche, visible or not, by number.
    #[must_use]
    pub fn numbers(&self, demarche: u32) -> Vec<u32> {
        let Some(record) = self.demarches.get(&demarche) else { return Vec::new() };
        let mut numbers: Vec<u32> = record.by_updated.iter().map(|(_, number)| *number).collect();
        numbers.sort_unstable();
        numbers
    }
}
