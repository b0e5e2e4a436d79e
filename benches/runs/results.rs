//! What was measured.

use std::collections::BTreeMap;

use super::process::Traffic;
use super::run::Measure;
use super::target::Target;
use super::visit::Visit;

/// Which démarche, which run over it, and where to.
pub type Key = (u32, Visit, Target);

/// What one run cost: the least of its rounds, but for memory, of which it is the most.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub measure: Measure,
    /// What it asked of the platform.
    pub platform: Traffic,
    /// What it asked of a document.
    pub document: Option<Traffic>,
}

/// All of it.
#[derive(Debug, Default)]
pub struct Results(BTreeMap<Key, Cost>);

impl Results {
    /// One round more.
    pub fn add(&mut self, key: Key, measure: Measure, platform: Traffic, document: Option<Traffic>) {
        let now = Cost { measure, platform, document };
        self.0.entry(key).and_modify(|known| known.measure.round(&measure)).or_insert(now);
    }

    pub fn get(&self, demarche: u32, visit: Visit, target: Target) -> Option<&Cost> {
        self.0.get(&(demarche, visit, target))
    }
}

impl Measure {
    fn round(&mut self, other: &Self) {
        self.seconds = self.seconds.min(other.seconds);
        self.cpu_ms = self.cpu_ms.min(other.cpu_ms);
        self.peak_mib = self.peak_mib.max(other.peak_mib);
    }
}
