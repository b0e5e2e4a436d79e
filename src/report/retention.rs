//! Which dossiers have been kept for their term.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::DossierNumber;
use crate::plan::retention::{Fate, Rule};

/// What is due of one rule and one fate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleReport {
    /// Why.
    pub rule: Rule,
    /// What is to be done.
    pub action: Fate,
    /// The term, as it is configured.
    pub after: String,
    /// How many dossiers.
    pub due: u64,
    /// Since when the oldest of them has been decided or gone.
    pub oldest: Option<Timestamp>,
    /// The first of them by number, at most twenty.
    pub dossiers: Vec<DossierNumber>,
}

/// Which dossiers have been kept for their term.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RetentionReport {
    /// What is due, by rule: every rule that is configured, also where nothing is due.
    pub rules: Vec<RuleReport>,
    /// How many are due and wait: an intent about them is not done yet, or they are in quarantine or their document is
    /// damaged, so that what they are now is not known.
    pub waiting: u64,
}
