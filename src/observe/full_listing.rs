//! Reads the complete light listing of a démarche.

use std::collections::{HashMap, HashSet};

use super::paging::Cursors;
use super::walk::{unidentified, verdict};
use crate::api::{ApiError, Client, Cursor, Disposition, Listing, ListingSource, PageSize, Since};
use crate::demarche::GroupeInstructeur;
use crate::fingerprint::Digest;
use crate::ids::{DemarcheNumber, DossierNumber};
use crate::privacy::Selection;

/// Complete light listing of a démarche: every dossier that the platform lists, from the first page to the last without
/// a hole.
///
/// Only [`list_all`] builds one. An error, an empty answer or a cut listing never does, as a token that lost the
/// démarche looks like one whose dossiers all left (trap 17). Absence from it is a reason to ask for the dossier by
/// number, and no proof. Its size follows the démarche: some 40 bytes a dossier.
#[derive(Clone, Debug)]
pub struct CompleteListing {
    dossiers: HashMap<DossierNumber, Digest>,
    outside: HashSet<DossierNumber>,
}

impl CompleteListing {
    /// Removes a dossier and returns the digest of its line; `None` if it is absent.
    pub fn take(&mut self, number: DossierNumber) -> Option<Digest> {
        self.dossiers.remove(&number)
    }

    /// Returns true if the listing has the dossier, and it was not taken.
    #[must_use]
    pub fn contains(&self, number: DossierNumber) -> bool {
        self.dossiers.contains_key(&number)
    }

    /// Returns true if the listing has the dossier, and the selection does not keep it.
    #[must_use]
    pub fn shows_outside(&self, number: DossierNumber) -> bool {
        self.outside.contains(&number)
    }

    /// Counts the dossiers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.dossiers.len()
    }

    /// Returns true if there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.dossiers.is_empty()
    }

    /// Returns the numbers that were not taken, in ascending order.
    #[must_use]
    pub fn into_numbers(self) -> Vec<DossierNumber> {
        let mut numbers: Vec<DossierNumber> = self.dossiers.into_keys().collect();
        numbers.sort_unstable();
        numbers
    }
}

/// Lists all dossiers of a démarche. A dossier that moves during the listing comes again at its end, in its new state.
///
/// # Errors
/// Any error that a smaller page does not mend: a listing with a hole is not complete.
pub async fn list_all(
    client: &Client,
    demarche: DemarcheNumber,
    on_page: impl FnMut(usize),
) -> Result<CompleteListing, ApiError> {
    list_selected(client, demarche, &Selection::default(), &[], on_page).await
}

/// Lists the dossiers of a selection, by the groupes of the form. Those submitted before the selection begins are not
/// requested: the date of submission never changes, so this filter of the platform cannot hide a dossier that was
/// listed before.
///
/// # Errors
/// As [`list_all`].
pub async fn list_selected(
    client: &Client,
    demarche: DemarcheNumber,
    selection: &Selection,
    groupes: &[GroupeInstructeur],
    mut on_page: impl FnMut(usize),
) -> Result<CompleteListing, ApiError> {
    let since = selection.deposited_since.map_or(Since::Beginning, Since::Created);
    let listing = Listing::all(ListingSource::Demarche(demarche), since);
    let mut dossiers = HashMap::new();
    let mut outside = HashSet::new();
    let mut after: Option<Cursor> = None;
    let mut size = PageSize::MAX;
    let mut cursors = Cursors::default();
    loop {
        let page = match client.light_page(&listing, after.as_ref(), size).await {
            // A page with a hole is never counted: the missing dossier would look deleted.
            Ok(page) if page.holes.is_empty() => {
                let (kept, dropped): (Vec<_>, Vec<_>) =
                    page.nodes.iter().partition(|light| selection.may_keep(light, groupes));
                for light in dropped {
                    // A dossier that moves during the listing comes again: only the last line counts.
                    dossiers.remove(&light.number);
                    outside.insert(light.number);
                }
                kept.iter().for_each(|light| _ = outside.remove(&light.number));
                let kept = kept.into_iter().map(|light| (light.number, light.digest()));
                Ok((kept.collect::<Vec<_>>(), page.end, page.has_next))
            }
            Ok(_) => Err(if size > PageSize::ONE { Disposition::ShrinkPage } else { Disposition::Quarantine }),
            Err(error) => match verdict(&error, size) {
                Disposition::Retry { .. } | Disposition::Stop => return Err(error),
                verdict => Err(verdict),
            },
        };
        let (seen, end, has_next) = match page {
            Ok(page) => page,
            Err(Disposition::ShrinkPage) => {
                size = size.halved();
                continue;
            }
            Err(_) => {
                // Even the light selection fails for this dossier, but its position proves that it exists. A digest
                // that no dossier has makes it look changed, never gone.
                let positions = client.positions_page(&listing, after.as_ref(), PageSize::ONE).await?;
                let unreadable = Digest::of(b"unreadable");
                let mut seen: Vec<_> = positions.nodes.iter().map(|position| (position.number, unreadable)).collect();
                if let Some(hole) = positions.holes.first() {
                    let number = hole.number.or_else(|| positions.end.as_ref().and_then(Cursor::row));
                    let number = number.ok_or_else(|| unidentified(&positions.holes))?;
                    seen.push((number, unreadable));
                }
                (seen, positions.end, positions.has_next)
            }
        };
        dossiers.extend(seen);
        on_page(dossiers.len());
        // A page that failed once says nothing about the next one.
        size = size.doubled();
        after = cursors.follow(end, has_next, "the light listing")?;
        if after.is_none() {
            // Only the last page leads here: absence from a listing that was cut would delete dossiers.
            return Ok(CompleteListing { dossiers, outside });
        }
    }
}
