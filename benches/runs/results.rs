//! Collects the measurements.

use std::collections::BTreeMap;

use super::process::Traffic;
use super::run::Measure;
use super::run_kind::RunKind;
use super::target::Target;

/// Démarche, kind of run, target.
pub type Key = (u32, RunKind, Target);

/// The cost of a run: the minimum of its rounds, and for memory the maximum.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub measure: Measure,
    /// Traffic with the platform.
    pub platform: Traffic,
    /// Traffic with the document.
    pub document: Option<Traffic>,
}

/// All of it.
#[derive(Debug, Default)]
pub struct Results(BTreeMap<Key, Cost>);

impl Results {
    /// Adds a round.
    pub fn add(&mut self, key: Key, measure: Measure, platform: Traffic, document: Option<Traffic>) {
        let now = Cost { measure, platform, document };
        self.0.entry(key).and_modify(|known| known.measure.round(&measure)).or_insert(now);
    }

    pub fn get(&self, demarche: u32, kind: RunKind, target: Target) -> Option<&Cost> {
        self.0.get(&(demarche, kind, target))
    }
}

impl Measure {
    fn round(&mut self, other: &Self) {
        self.seconds = self.seconds.min(other.seconds);
        self.cpu_ms = self.cpu_ms.min(other.cpu_ms);
        self.peak_mib = self.peak_mib.max(other.peak_mib);
    }
}
