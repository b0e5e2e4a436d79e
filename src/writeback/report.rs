//! Reports a push: the versioned object that `dn push --json` prints.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::decision::Decision;
use crate::ids::{DossierNumber, Scope};
use crate::intent::{IntentId, Status, Waits};
use crate::sink::{Backlog, Entry};

/// The version of the object.
const VERSION: u32 = 1;

/// Reports what a push did, or would do. Numbers, states and the platform's words; no motivation, no message, no value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pushed {
    /// The version of this object.
    pub version: u32,
    /// The instance.
    pub instance: String,
    /// The démarche.
    pub demarche: u32,
    /// The outbox, without credentials.
    pub outbox: String,
    /// The number of intents that ended in each way; `pending` are those that are left.
    pub counts: BTreeMap<Status, u64>,
    /// One line an intent, in their order.
    pub items: Vec<Item>,
    /// Intents in the same outbox for démarches that nothing sends to; filled by whoever knows what is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unserved: Vec<Backlog>,
}

/// Reports what became of one intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its name.
    pub id: IntentId,
    /// Its dossier.
    pub dossier: DossierNumber,
    /// The action, in one word.
    pub action: String,
    /// Its status.
    pub status: Status,
    /// A stable word for why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The reason, for people: the platform's own words if it said something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// The mutations that would be sent, in this order; in a plan alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<String>,
}

impl Item {
    fn new(entry: &Entry, status: Status) -> Self {
        let action = entry.intent.as_ref().map_or("unreadable", |intent| intent.action.word());
        Self {
            id: entry.id.clone(),
            dossier: entry.dossier,
            action: action.to_owned(),
            status,
            reason: None,
            words: None,
            steps: Vec::new(),
        }
    }

    /// Reports what became of an entry, or would.
    pub(super) fn of(entry: &Entry, decision: &Decision) -> Self {
        match decision {
            Decision::Leave(waits) | Decision::PutOff { waits, .. } => {
                let Waits { reason, words } = waits.clone();
                Self { reason: Some(reason), words: Some(words), ..Self::new(entry, Status::Pending) }
            }
            Decision::Settle { settlement, .. } => {
                let reason = settlement.reason.map(str::to_owned);
                Self { reason, words: settlement.words.clone(), ..Self::new(entry, settlement.status) }
            }
            Decision::Send { step, .. } => {
                let names = std::iter::once(step.mutation.name()).chain(step.then.iter().copied());
                Self { steps: names.map(str::to_owned).collect(), ..Self::new(entry, Status::Pending) }
            }
        }
    }

    /// Returns true if it is still to be done, and nothing can be sent for it now.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.status == Status::Pending && self.steps.is_empty()
    }
}

impl Pushed {
    pub(super) fn new(scope: &Scope, outbox: &str) -> Self {
        Self {
            version: VERSION,
            instance: scope.instance.clone(),
            demarche: scope.demarche.get(),
            outbox: outbox.to_owned(),
            counts: BTreeMap::new(),
            items: Vec::new(),
            unserved: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, item: Item) {
        *self.counts.entry(item.status).or_default() += 1;
        self.items.push(item);
    }

    /// Puts what became of an intent in the place of what was said of it before.
    pub(super) fn replace(&mut self, item: Item) {
        let Some(former) = self.items.iter_mut().find(|former| former.id == item.id) else { return self.add(item) };
        let (before, after) = (former.status, item.status);
        *former = item;
        if let Some(count) = self.counts.get_mut(&before) {
            *count -= 1;
        }
        self.counts.retain(|_, count| *count > 0);
        *self.counts.entry(after).or_default() += 1;
    }

    /// Adds what another push did.
    pub fn append(&mut self, other: Self) {
        other.items.into_iter().for_each(|item| self.add(item));
    }

    /// Counts the intents that ended in this way.
    #[must_use]
    pub fn count(&self, status: Status) -> u64 {
        self.counts.get(&status).copied().unwrap_or_default()
    }

    /// Counts the intents that are still to be done and cannot be now, by the stable word for why.
    #[must_use]
    pub fn waiting(&self) -> BTreeMap<&str, u64> {
        let mut counted = BTreeMap::new();
        for item in self.items.iter().filter(|item| item.waits()) {
            *counted.entry(item.reason.as_deref().unwrap_or("later")).or_default() += 1;
        }
        counted
    }

    /// Returns true if a person must look at something: refused, in conflict, or ambiguous.
    #[must_use]
    pub fn needs_a_person(&self) -> bool {
        [Status::Refused, Status::Conflict, Status::Ambiguous].into_iter().any(|status| self.count(status) > 0)
    }
}
