//! The light listing of everything.

use std::collections::HashMap;

use crate::api::{ApiError, Attempt, Client, Disposition, Listing, PageSize, Since, Source, disposition};
use crate::ids::{DemarcheNumber, DossierNumber};
use crate::table::Digest;

/// Every dossier that the platform lists for a démarche, read from the first page to the last without a hole.
///
/// Only [`list_all`] makes one: an error, an empty answer or a cut listing never becomes one, so absence from it may be
/// taken as a question worth asking (trap 17). It is the one thing whose size follows the démarche: some 40 bytes a
/// dossier.
#[derive(Clone, Debug)]
pub struct CompleteListing {
    dossiers: HashMap<DossierNumber, Digest>,
}

impl CompleteListing {
    /// What the listing shows of a dossier, as a digest, and forgets it; `None` when it is absent.
    pub fn take(&mut self, number: DossierNumber) -> Option<Digest> {
        self.dossiers.remove(&number)
    }

    /// How many dossiers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.dossiers.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.dossiers.is_empty()
    }

    /// The numbers that were not taken, in ascending order.
    #[must_use]
    pub fn into_numbers(self) -> Vec<DossierNumber> {
        let mut numbers: Vec<DossierNumber> = self.dossiers.into_keys().collect();
        numbers.sort_unstable();
        numbers
    }
}

/// Lists everything. A dossier that moves during the listing is seen again at its end, with what it became.
///
/// # Errors
/// Any error that a smaller page does not heal: a listing with a hole is no complete listing.
pub async fn list_all(
    client: &Client,
    demarche: DemarcheNumber,
    mut on_page: impl FnMut(usize),
) -> Result<CompleteListing, ApiError> {
    let listing = Listing::all(Source::Demarche(demarche), Since::Beginning);
    let mut dossiers = HashMap::new();
    let mut after = None;
    let mut size = PageSize::MAX;
    loop {
        let page = match client.light_page(&listing, after.as_ref(), size).await {
            Ok(page) if page.holes.is_empty() => page,
            Ok(_) if size > PageSize::ONE => {
                size = size.halved();
                continue;
            }
            Ok(page) => {
                // Unreadable even lightly: its cursor still proves that it is there. A digest that nothing has makes it
                // look changed, never gone.
                if let Some(number) = page.end.as_ref().and_then(crate::api::Cursor::row) {
                    dossiers.insert(number, Digest::of(b"unreadable"));
                }
                page
            }
            Err(error) => {
                let attempt =
                    Attempt { tried: u32::MAX, page_size: u32::from(size.get()), now: jiff::Timestamp::UNIX_EPOCH };
                match disposition(&error, attempt) {
                    Disposition::ShrinkPage => {
                        size = size.halved();
                        continue;
                    }
                    Disposition::Retry { .. } | Disposition::Quarantine | Disposition::Stop => return Err(error),
                }
            }
        };
        dossiers.extend(page.nodes.iter().map(|light| (light.number, Digest::of_light(light))));
        on_page(dossiers.len());
        size = size.doubled();
        match page.end {
            Some(end) if page.has_next && Some(&end) != after.as_ref() => after = Some(end),
            Some(_) if page.has_next => {
                return Err(ApiError::Undecodable {
                    what: "the light listing".to_owned(),
                    path: "pageInfo.endCursor".to_owned(),
                    reason: "the cursor does not advance".to_owned(),
                });
            }
            _ => return Ok(CompleteListing { dossiers }),
        }
    }
}
