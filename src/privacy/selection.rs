//! Decides which dossiers of a démarche a target keeps. What is outside does not leave the platform.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::demarche::GroupeInstructeur;
use crate::dossier::{Dossier, DossierLight};

/// Groupe d'instructeurs, by its number or by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum GroupeName {
    /// Its number.
    Number(u32),
    /// Its name, as the platform shows it.
    Label(String),
}

impl GroupeName {
    fn is(&self, groupe: &GroupeInstructeur) -> bool {
        match self {
            Self::Number(number) => *number == groupe.number.get(),
            Self::Label(label) => *label == groupe.label,
        }
    }
}

impl std::fmt::Display for GroupeName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Label(label) => f.write_str(label),
        }
    }
}

/// Selection of the dossiers that a target keeps. Default: all.
///
/// The platform's own filters are not used: a dossier that no longer matches one disappears from the list without a
/// trace (trap 13). All dossiers are listed, and those outside are dropped before anything is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Selection {
    /// Those of these groupes; of all when there is none.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub groupes: BTreeSet<GroupeName>,
    /// Those in these states, in the platform's words; in all when there is none.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub states: BTreeSet<String>,
    /// Those submitted at this instant or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deposited_since: Option<Timestamp>,
}

impl Selection {
    /// Returns true if it keeps every dossier.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Returns true if it keeps a dossier.
    #[must_use]
    pub fn keeps(&self, dossier: &Dossier) -> bool {
        self.keeps_groupe(&dossier.groupe_instructeur)
            && self.keeps_state(dossier.state.as_str())
            && self.deposited_since.is_none_or(|since| dossier.date_depot >= since)
    }

    /// Returns true if the selection may keep a dossier of the light listing, which has no date of submission. A groupe
    /// that the form lacks is new: only the dossier itself has its name.
    #[must_use]
    pub fn may_keep(&self, light: &DossierLight, groupes: &[GroupeInstructeur]) -> bool {
        let groupe = groupes.iter().find(|groupe| groupe.id.as_str() == light.groupe_instructeur);
        groupe.is_none_or(|groupe| self.keeps_groupe(groupe)) && self.keeps_state(light.state.as_str())
    }

    /// Lists the groupes of the selection that the démarche lacks.
    #[must_use]
    pub fn unknown_groupes(&self, groupes: &[GroupeInstructeur]) -> Vec<&GroupeName> {
        self.groupes.iter().filter(|wanted| !groupes.iter().any(|groupe| wanted.is(groupe))).collect()
    }

    fn keeps_groupe(&self, groupe: &GroupeInstructeur) -> bool {
        self.groupes.is_empty() || self.groupes.iter().any(|wanted| wanted.is(groupe))
    }

    fn keeps_state(&self, state: &str) -> bool {
        self.states.is_empty() || self.states.contains(state)
    }
}
