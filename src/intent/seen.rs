//! A dossier at one instant, as far as decisions depend on it.

use serde::{Deserialize, Serialize};

use crate::dossier::DossierState;
use crate::table::Fingerprint;

/// What a thing that must not be done twice looked like before it was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Witness {
    /// Nothing is needed: the dossier itself tells whether it was done.
    #[default]
    State,
    /// So many messages of this author said exactly this.
    Messages(usize),
    /// The repetition had so many rows.
    Rows(usize),
}

/// A dossier at one instant, as far as decisions depend on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its state.
    pub state: DossierState,
    /// Its fingerprint, as a target would keep it.
    pub fingerprint: Fingerprint,
}
