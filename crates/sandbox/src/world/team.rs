//! Teams of instructeurs, and clones of a démarche.

use std::collections::{BTreeMap, BTreeSet};

use super::demarche::{Demarche, Groupe};
use super::dossier::Passage;
use super::edit::Refused;
use super::state::World;
use crate::Platform;

impl World {
    /// Gives a dossier to another team of its démarche.
    pub fn changer_groupe(&mut self, number: u32, groupe: u32) -> Result<(), Refused> {
        let dossier = self.dossier(number).ok_or_else(|| Refused::unknown(number))?;
        let (demarche, before) = (dossier.demarche, dossier.groupe);
        let found = self.groupe(groupe).map(|(of, found)| (of.number, found.label.as_str()));
        let Some((_, label)) = found.filter(|(of, _)| *of == demarche) else {
            let label = found.map_or_else(|| groupe.to_string(), |(_, label)| label.to_owned());
            return Err(Refused(format!(
                "Le groupe instructeur '{label}' n’appartient pas à la même démarche que le dossier"
            )));
        };
        if before == groupe {
            let word = if self.platform == Platform::DematSocial { "grope" } else { "groupe" };
            return Err(Refused(format!("Le dossier est déjà avec le {word} instructeur: '{label}'")));
        }
        let at = self.bump(number);
        let name = |number: u32| self.groupe(number).map(|(_, found)| found.label.clone()).unwrap_or_default();
        let (from, to) = ((before, name(before)), (groupe, name(groupe)));
        self.alter(number, |dossier| {
            dossier.groupe = groupe;
            dossier.extra_mut().passages.push(Passage { at, from, to });
        });
        Ok(())
    }

    /// A team of any démarche, by its number.
    #[must_use]
    pub fn groupe(&self, number: u32) -> Option<(&Demarche, &Groupe)> {
        self.demarches.values().find_map(|demarche| Some((demarche, demarche.groupe(number)?)))
    }

    fn next_groupe(&self) -> u32 {
        let known = self.demarches.values().flat_map(|demarche| &demarche.groupes).map(|groupe| groupe.number);
        known.max().unwrap_or(0) + 1
    }

    fn groupe_mut(&mut self, number: u32) -> Option<&mut Groupe> {
        let mut groupes = self.demarches.values_mut().flat_map(|demarche| &mut demarche.groupes);
        groupes.find(|groupe| groupe.number == number)
    }

    /// The words for a name that a team cannot have; they are not the platform's own.
    fn check_label(&self, demarche: u32, label: &str, own: Option<u32>) -> Result<(), Refused> {
        if label.trim().is_empty() {
            return Err(Refused("Le champ « Libellé » doit être rempli".to_owned()));
        }
        let mut groupes = self.demarche(demarche).into_iter().flat_map(|demarche| &demarche.groupes);
        if groupes.any(|groupe| groupe.label == label && Some(groupe.number) != own) {
            return Err(Refused("Le champ « Libellé » existe déjà".to_owned()));
        }
        Ok(())
    }

    /// Makes a team and gives its number.
    pub fn add_groupe(&mut self, demarche: u32, label: &str, instructeurs: &[u32]) -> Result<u32, Refused> {
        self.check_label(demarche, label, None)?;
        let number = self.next_groupe();
        let record = self.demarches.get_mut(&demarche).ok_or_else(|| Refused(format!("no démarche {demarche}")))?;
        let (label, closed) = (label.to_owned(), false);
        record.groupes.push(Groupe { number, label, closed, instructeurs: BTreeSet::new() });
        for instructeur in instructeurs {
            self.add_instructeur(demarche, number, *instructeur);
        }
        Ok(number)
    }

    /// Renames a team, closes or opens it; no dossier is dated.
    pub fn change_groupe(&mut self, groupe: u32, label: Option<&str>, closed: Option<bool>) -> Result<(), Refused> {
        let (demarche, _) = self.groupe(groupe).ok_or_else(|| Refused(format!("no groupe {groupe}")))?;
        if let Some(label) = label {
            self.check_label(demarche.number, label, Some(groupe))?;
        }
        if let Some(found) = self.groupe_mut(groupe) {
            if let Some(label) = label {
                label.clone_into(&mut found.label);
            }
            found.closed = closed.unwrap_or(found.closed);
        }
        Ok(())
    }

    /// An instructeur leaves one team, and with it the dossiers of that team that they follow; no dossier is dated.
    pub fn leave_groupe(&mut self, groupe: u32, instructeur: u32) {
        let Some(demarche) = self.groupe(groupe).map(|(demarche, _)| demarche.number) else { return };
        if let Some(found) = self.groupe_mut(groupe) {
            found.instructeurs.remove(&instructeur);
        }
        for number in self.numbers(demarche) {
            self.alter(number, |dossier| {
                if dossier.groupe == groupe
                    && let Some(extra) = &mut dossier.extra
                {
                    extra.instructeurs.remove(&instructeur);
                }
            });
        }
    }

    /// The instructeur with that address, made if nobody has it.
    pub(crate) fn instructeur_named(&mut self, email: &str) -> u32 {
        if let Some((number, _)) = self.instructeurs.iter().find(|(_, known)| *known == email) {
            return *number;
        }
        let number = self.instructeurs.keys().next_back().map_or(1, |last| last + 1);
        self.instructeurs.insert(number, email.to_owned());
        number
    }

    /// Clones a démarche as a draft without dossiers: the same stable ids, one team. Gives its number.
    pub fn clone_demarche(&mut self, demarche: u32, title: Option<&str>) -> Option<u32> {
        let at = self.tick();
        let (number, groupe) = (self.demarches.keys().next_back()? + 1, self.next_groupe());
        let model = self.demarches.get(&demarche)?;
        let mut revision = model.revisions[model.active_revision()].clone();
        revision.number = u64::from(number) * 100;
        revision.created_at = at;
        revision.published_at = None;
        let mut clone = Demarche {
            number,
            title: title.unwrap_or(&model.title).to_owned(),
            brouillon: true,
            closed_at: None,
            created_at: at,
            updated_at: at,
            revisions: vec![revision],
            groupes: Vec::new(),
            deleted: BTreeMap::new(),
            by_updated: BTreeSet::new(),
            by_depose: BTreeSet::new(),
            hidden: BTreeSet::new(),
            next_dossier: number % 2000 * 1_000_000 + 1,
            held_form: None,
            rebase_due: None,
            ..model.clone()
        };
        for (rank, label) in (1..).zip(&mut clone.labels) {
            label.id = u64::from(number) * 10 + rank;
        }
        let instructeurs = model.groupes.first().map(|groupe| groupe.instructeurs.clone()).unwrap_or_default();
        clone.groupes.push(Groupe { number: groupe, label: "défaut".to_owned(), closed: false, instructeurs });
        self.demarches.insert(number, clone);
        Some(number)
    }
}
