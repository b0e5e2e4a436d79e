//! Pages of a listing, and what may be asked of one.

use jiff::Timestamp;

use super::cursor::Cursor;
use crate::dossier::DossierState;
use crate::ids::{DemarcheNumber, DossierNumber, GroupeInstructeurNumber, RevisionId};

/// How many dossiers to ask for at a time: 1 to 100. The platform cuts larger pages silently and loops on empty ones
/// (trap 14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PageSize(u8);

impl PageSize {
    /// The largest page that the platform serves, and the default.
    pub const MAX: Self = Self(100);
    /// A page of one.
    pub const ONE: Self = Self(1);

    /// A page size, if it is one that the platform honours.
    #[must_use]
    pub const fn new(size: u8) -> Option<Self> {
        if size >= 1 && size <= 100 { Some(Self(size)) } else { None }
    }

    /// The number of dossiers.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The next smaller size to try: half.
    #[must_use]
    pub const fn halved(self) -> Self {
        Self(if self.0 > 1 { self.0 / 2 } else { 1 })
    }

    /// The next larger size to try: twice, at most 100.
    #[must_use]
    pub const fn doubled(self) -> Self {
        Self(if self.0 > 50 { 100 } else { self.0 * 2 })
    }

    /// The largest size at which pages stay below so many bytes, when one of `dossiers` dossiers took `bytes`.
    #[must_use]
    pub(crate) fn within(limit: usize, dossiers: usize, bytes: usize) -> Self {
        let fits = dossiers.saturating_mul(limit).checked_div(bytes).unwrap_or(usize::MAX);
        Self(u8::try_from(fits).unwrap_or(u8::MAX).clamp(1, 100))
    }
}

/// The largest answer to a question for several dossiers that is read, in bytes: a larger page is cut. What is made of an
/// answer takes several times its size.
pub(super) const PAGE_LIMIT: usize = 24 << 20;

/// How large pages are meant to be at most, in bytes: those that follow a larger one are smaller.
pub(crate) const PAGE_AIM: usize = 8 << 20;

/// Whose dossiers are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Those of a démarche.
    Demarche(DemarcheNumber),
    /// Those of a groupe d'instructeurs.
    Groupe(GroupeInstructeurNumber),
}

/// Since when. The platform ignores `createdSince` when `updatedSince` is given (trap 12): one or the other.
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

/// What to list. The default filters are none: a filter makes dossiers leave the list without a trace (trap 13), so sync
/// never sets one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Listing {
    /// Whose dossiers.
    pub source: Source,
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
    /// Everything of a source, unfiltered.
    #[must_use]
    pub fn all(source: Source, since: Since) -> Self {
        Self { source, since, state: None, archived: None, revision: None, min_revision: None, max_revision: None }
    }
}

/// One page of a listing.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// What could be read, in the platform's order.
    pub nodes: Vec<T>,
    /// The places of what could not be read (traps 2 to 4). The walk must not go on before each is dealt with.
    pub holes: Vec<Hole>,
    /// Where the next page begins; `None` when this one is empty (trap 10: a walk keeps the last one it had).
    pub end: Option<Cursor>,
    /// Whether the platform saw more at that instant (trap 15).
    pub has_next: bool,
    /// What the platform sent that this version does not know.
    pub drift: Vec<Drift>,
    /// How large the answer was, in bytes.
    pub bytes: usize,
}

/// The position of a dossier in a listing, and nothing else of it: what can still be listed of a dossier that breaks the
/// platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The dossier.
    pub number: DossierNumber,
    /// When it last moved.
    pub date_derniere_modification: Timestamp,
}

/// Something in a page that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    /// Its position in the page, from 0.
    pub position: usize,
    /// The dossier, when the answer tells.
    pub number: Option<DossierNumber>,
    /// A stable word for why: `invalid_null`, `timeout`, `undecodable`...
    pub reason: String,
    /// The platform's message, or where decoding stopped. Without personal data.
    pub message: String,
}

/// Something that the platform sent and this version does not know (trap 41): kept as text, worth an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Drift {
    /// A type of champ, of demandeur, of geographic area or of descriptor.
    Typename(String),
    /// A value of an enumeration: the enumeration and the value.
    EnumValue(&'static str, String),
}

impl Drift {
    /// The enumeration under which a dossier is told whose number this version cannot hold: it is not in the target.
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
