//! Gathers the dossiers of a démarche that webhooks named. Pure.

use std::collections::BTreeSet;

use crate::ids::DossierNumber;

/// The number of dossiers of a démarche that are read one by one before a run. It reads a hundred in one request: with more of them
/// the run alone is faster.
pub const MOST_READ: usize = 20;

/// The dossiers of a démarche that calls named since somebody last looked: a set, bounded, in which repetition and order
/// leave no trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hinted {
    dossiers: BTreeSet<DossierNumber>,
    run_alone: bool,
}

impl Hinted {
    /// Adds one that was named.
    pub fn add(&mut self, dossier: DossierNumber) {
        if !self.run_alone {
            self.dossiers.insert(dossier);
            if self.dossiers.len() > MOST_READ {
                *self = Self::run_alone();
            }
        }
    }

    /// Asks for a run without any single dossier: after too many calls, or calls that were looked at in vain.
    #[must_use]
    pub fn run_alone() -> Self {
        Self { dossiers: BTreeSet::new(), run_alone: true }
    }

    /// The same with what was named before.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        if self.run_alone || other.run_alone {
            return Self::run_alone();
        }
        for dossier in other.dossiers {
            self.add(dossier);
        }
        self
    }

    /// The dossiers to read before the run, [`MOST_READ`] at most; none when the run alone is wanted.
    #[must_use]
    pub fn to_read(&self) -> &BTreeSet<DossierNumber> {
        &self.dossiers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numbers: impl IntoIterator<Item = u32>) -> Hinted {
        let mut hinted = Hinted::default();
        numbers.into_iter().for_each(|number| hinted.add(DossierNumber::new(number)));
        hinted
    }

    #[test]
    fn what_is_named_twice_or_in_another_order_is_read_once() {
        assert_eq!(of([3, 1, 3, 3, 2]), of([1, 2, 3]));
        assert_eq!(of([1, 2]).and(of([2, 3])), of([1, 2, 3]));
        assert_eq!(of([1, 2]).to_read().len(), 2);
    }

    #[test]
    fn of_more_than_can_be_read_the_run_takes_care() {
        let most = u32::try_from(MOST_READ).expect("few");
        assert_eq!(of(1..=most).to_read().len(), MOST_READ);
        for many in
            [of(1..=most + 1), of(1..=100_000), of(1..=most).and(of([most + 1])), of([1]).and(Hinted::run_alone())]
        {
            assert_eq!(many, Hinted::run_alone());
            assert!(many.to_read().is_empty());
        }
    }
}
