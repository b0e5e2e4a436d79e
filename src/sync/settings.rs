//! Settings of a run.

use crate::api::PageSize;
use crate::observe::Rhythm;

/// Settings of a run, by the operator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The intervals of reading.
    pub rhythm: Rhythm,
    /// The largest page to ask for. 100 by default.
    pub page_size: PageSize,
    /// The share of the target's dossiers that one run may put a tombstone on. 5 % by default.
    pub max_delete_share: f64,
    /// The number of tombstones that are always allowed, whatever their share. 10 by default.
    pub max_delete_floor: u64,
    /// True if the operator allows this run to delete more. `false` by default.
    pub allow_deletes: bool,
    /// True if this run is a sweep. `false` by default.
    pub full: bool,
    /// True if this run reads every dossier in quarantine again, whenever its next attempt is due. `false` by default.
    pub retry_quarantine: bool,
    /// True if the operator confirms that the instance has a new address. `false` by default.
    pub accept_address: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rhythm: Rhythm::default(),
            page_size: PageSize::MAX,
            max_delete_share: 0.05,
            max_delete_floor: 10,
            allow_deletes: false,
            full: false,
            retry_quarantine: false,
            accept_address: false,
        }
    }
}

impl Settings {
    /// Returns true if so many deletions out of so many dossiers need a person's confirmation.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 52 bits")]
    pub fn brakes(&self, deletions: u64, alive: u64) -> bool {
        let share = alive as f64 * self.max_delete_share;
        !self.allow_deletes && deletions > self.max_delete_floor && deletions as f64 > share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_of_too_large_a_share_brakes() {
        let settings = Settings::default();
        for (deletions, alive, brakes) in [(10, 10, false), (11, 100, true), (50, 1000, false), (51, 1000, true)] {
            assert_eq!(settings.brakes(deletions, alive), brakes, "{deletions} of {alive}");
        }
        assert!(!Settings { allow_deletes: true, ..settings }.brakes(1000, 1000));
    }
}
