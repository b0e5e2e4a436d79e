//! Pages of a listing, and the selection that a listing asks for.

use jiff::Timestamp;

use super::cursor::Cursor;
use crate::dossier::DossierState;
use crate::ids::{DemarcheNumber, DossierNumber, GroupeInstructeurNumber, RevisionId};

/// The number of dossiers to ask for at a time: 1 to 100. The platform cuts larger pages silently and loops on empty
/// ones (trap 14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PageSize(u8);

impl PageSize {
    /// The largest page that the platform serves, and the default.
    pub const MAX: Self = Self(100);
    /// A page of one.
    pub const ONE: Self = Self(1);

    /// Checks a page size: 1 to 100. The platform cuts larger pages silently, and 0 gives an empty page with a next one
    /// (trap 14).
    #[must_use]
    pub const fn new(size: u8) -> Option<Self> {
        if size >= 1 && size <= 100 { Some(Self(size)) } else { None }
    }

    /// The number of dossiers.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Halves the size, at least 1.
    #[must_use]
    pub const fn halved(self) -> Self {
        Self(if self.0 > 1 { self.0 / 2 } else { 1 })
    }

    /// Doubles the size, at most 100.
    #[must_use]
    pub const fn doubled(self) -> Self {
        Self(if self.0 > 50 { 100 } else { self.0 * 2 })
    }

    /// Computes the largest size at which pages stay below `limit` bytes, if a page of `dossiers` dossiers took
    /// `bytes`.
    #[must_use]
    pub(crate) fn within(limit: usize, dossiers: usize, bytes: usize) -> Self {
        let fits = dossiers.saturating_mul(limit).checked_div(bytes).unwrap_or(usize::MAX);
        Self(u8::try_from(fits).unwrap_or(u8::MAX).clamp(1, 100))
    }
}

/// Largest answer with several dossiers that is read, in bytes. A larger page is asked for again with fewer dossiers:
/// decoding takes several times its size in memory.
pub(super) const PAGE_LIMIT: usize = 24 << 20;

/// Largest size that a page should have, in bytes. After a larger one the next pages ask for fewer dossiers.
pub(crate) const PAGE_AIM: usize = 8 << 20;

/// Owner of the listed dossiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListingSource {
    /// Those of a démarche.
    Demarche(DemarcheNumber),
    /// Those of a groupe d'instructeurs.
    Groupe(GroupeInstructeurNumber),
}

/// Start and order of a listing. One choice, as the platform ignores `createdSince` beside `updatedSince` (trap 12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Since {
    /// All dossiers, in the order of their last modification: the order in which a change during the walk is seen again
    /// rather than missed (trap 11).
    Beginning,
    /// Those that moved at this instant or later, in the order of their last modification.
    Updated(Timestamp),
    /// Those submitted at this instant or later, in the order of their submission.
    Created(Timestamp),
}

/// Selection of a listing. The default filters are none: a filter makes dossiers leave the list without a trace (trap
/// 13), so sync never sets one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Listing {
    /// Whose dossiers.
    pub source: ListingSource,
    /// Since when, and thereby in which order.
    pub since: Since,
    /// Only those in this state.
    pub state: Option<DossierState>,
    /// Only those archived, or not. Dossiers whose mark was never set match neither (docs/platform.md#paging).
    pub archived: Option<bool>,
    /// Only those that answer this very revision.
    pub revision: Option<RevisionId>,
    /// Only those whose revision is this one or a later one; ignored by the platform when `revision` is given.
    pub min_revision: Option<RevisionId>,
    /// Only those whose revision is this one or an earlier one; ignored by the platform when `revision` is given.
    pub max_revision: Option<RevisionId>,
}

impl Listing {
    /// Lists everything of a source, unfiltered.
    #[must_use]
    pub fn all(source: ListingSource, since: Since) -> Self {
        Self { source, since, state: None, archived: None, revision: None, min_revision: None, max_revision: None }
    }
}

/// One page of a listing.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The nodes that could be read, in the platform's order.
    pub nodes: Vec<T>,
    /// The nodes that could not be read (traps 2 to 4). The walk must find out which dossiers they are before it goes
    /// on, or they are lost.
    pub holes: Vec<Hole>,
    /// The cursor of the next page; `None` if this one is empty. A walk then keeps its last cursor, as one that starts
    /// over would never end (trap 10).
    pub end: Option<Cursor>,
    /// True if the platform saw more at that instant (trap 15).
    pub has_next: bool,
    /// Values in the page that this version does not know.
    pub drift: Vec<Drift>,
    /// The size of the answer, in bytes.
    pub bytes: usize,
}

/// Position of a dossier in a listing. It is all that the platform can list of a dossier that breaks every larger
/// selection (trap 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The dossier.
    pub number: DossierNumber,
    /// When it last moved.
    pub date_derniere_modification: Timestamp,
}

/// Node of a page that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    /// Its position in the page, from 0.
    pub position: usize,
    /// The dossier, if the answer names it.
    pub number: Option<DossierNumber>,
    /// The reason, a stable word: `invalid_null`, `timeout`, `undecodable`...
    pub reason: String,
    /// The platform's message, or the path at which decoding stopped. Without personal data.
    pub message: String,
}

/// Value of the platform that this version does not know (trap 41): kept as text and reported.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Drift {
    /// A type of champ, of demandeur, of geographic area or of descriptor.
    Typename(String),
    /// A value of an enumeration: the enumeration and the value.
    EnumValue(&'static str, String),
}

impl Drift {
    /// Enumeration name that reports a dossier whose number does not fit ours. Such a dossier is not in the target.
    pub(crate) const BEYOND: &str = "Dossier.number";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_that_follow_a_fat_one_are_smaller() {
        let mib = 1 << 20;
        for (dossiers, bytes, size) in
            [(100, 3 * mib, 100), (100, 16 * mib, 50), (50, 20 * mib, 20), (1, 40 * mib, 1), (100, 0, 100), (0, 0, 100)]
        {
            assert_eq!(PageSize::within(PAGE_AIM, dossiers, bytes).get(), size, "{dossiers} in {bytes}");
        }
    }
}
