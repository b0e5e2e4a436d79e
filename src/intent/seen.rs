//! Describes a dossier at one instant, as far as decisions depend on it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::dossier::DossierState;
use crate::fingerprint::Fingerprint;

/// Proof of what a dossier was like before something was sent: it tells afterwards if that was done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Witness {
    /// Nothing is needed: the dossier itself tells whether it was done.
    #[default]
    State,
    /// So many messages of this author said exactly this. Written by earlier versions.
    Messages(usize),
    /// The repetition had so many rows. Written by earlier versions.
    Rows(usize),
    /// The platform's ids of what was there: whatever is not among them is new, and no clock is compared.
    There(There),
}

/// The platform's ids of what a dossier held at one instant. Only the parts that matter are filled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct There {
    /// Messages.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub messages: BTreeSet<String>,
    /// Rows of a repetition of annotations.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub rows: BTreeSet<String>,
    /// Steps of the history of states.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub steps: BTreeSet<String>,
    /// Annotations, each with a digest of its value and of when it was last written.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, Fingerprint>,
}

impl Witness {
    /// Returns the ids of what was there, if they were recorded.
    #[must_use]
    pub fn there(&self) -> Option<&There> {
        match self {
            Self::There(there) => Some(there),
            Self::State | Self::Messages(_) | Self::Rows(_) => None,
        }
    }
}

/// A dossier at one instant, as far as decisions depend on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its state.
    pub state: DossierState,
    /// Its fingerprint, as a target would keep it.
    pub fingerprint: Fingerprint,
}
