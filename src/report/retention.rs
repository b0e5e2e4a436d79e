//! Report of a run of retention.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::DossierNumber;
use crate::plan::retention::{Fate, RetentionRule};

/// Dossiers that are due by one rule, for one fate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleReport {
    /// The rule.
    pub rule: RetentionRule,
    /// The fate.
    pub action: Fate,
    /// The term, as it is configured.
    pub after: String,
    /// The number of dossiers.
    pub due: u64,
    /// Since when the oldest of them has been decided or gone.
    pub oldest: Option<Timestamp>,
    /// The first of them by number, at most twenty.
    pub dossiers: Vec<DossierNumber>,
}

/// Dossiers whose term is over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RetentionReport {
    /// The due dossiers of every configured rule, also of rules without any.
    pub rules: Vec<RuleReport>,
    /// The number of due dossiers that wait: an intent about them is not settled, they are in quarantine, or their
    /// document is damaged, so that their present state is not known.
    pub waiting: u64,
}
