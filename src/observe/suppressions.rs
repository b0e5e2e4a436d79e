//! Reads the two lists of what is gone. Neither is needed by anything else of a run, so nothing that goes wrong with them
//! is an error of the run, but for a refused token: a list that could not be read to its end says so.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::paging::Cursors;
use crate::api::{ApiError, Client, Cursor, Page};
use crate::checkpoint::DeletionList;
use crate::dossier::{DeletedDossier, Gone, GoneReason};
use crate::ids::{DemarcheNumber, DossierNumber};

/// What both lists say, by number (never by id: those of the two lists collide, trap 31).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suppressions {
    /// Which dossiers are gone, and how.
    pub gone: BTreeMap<DossierNumber, Gone>,
    /// The lists that could not be read to their end (trap 37), and why. What they did show is in `gone`.
    pub unread: BTreeMap<DeletionList, String>,
}

/// Reads the lists that are asked for to their end: both first pages in one request when both are healthy (none of `frail`),
/// each on its own otherwise.
///
/// # Errors
/// [`ApiError::TokenRefused`] alone: no other question would be answered, and each would be an attempt with a bad token.
pub async fn suppressions(
    client: &Client,
    demarche: DemarcheNumber,
    since: Option<Timestamp>,
    asked: &BTreeSet<DeletionList>,
    frail: &BTreeSet<DeletionList>,
) -> Result<Suppressions, ApiError> {
    let client = &client.aside();
    let mut first = BTreeMap::new();
    if asked.len() == DeletionList::ALL.len() && frail.is_empty() {
        match client.news_at_once(demarche, since).await {
            Ok(news) => {
                first.extend(news.pending.map(|page| (DeletionList::Pending, page)));
                first.extend(news.deleted.map(|page| (DeletionList::Deleted, page)));
            }
            Err(error @ ApiError::TokenRefused { .. }) => return Err(error),
            Err(error) => tracing::debug!(error = error.kind(), "the lists of deletions are asked for one by one"),
        }
    }
    let mut found = Suppressions::default();
    // In this order: of a dossier that is in both, the second list says more.
    for list in DeletionList::ALL.into_iter().filter(|list| asked.contains(list)) {
        let mut named = Vec::new();
        match read(client, demarche, (list, since), first.remove(&list), &mut named).await {
            Ok(None) => {}
            Ok(Some(reason)) => drop(found.unread.insert(list, reason)),
            Err(error @ ApiError::TokenRefused { .. }) => return Err(error),
            Err(error) => drop(found.unread.insert(list, error.to_string())),
        }
        for DeletedDossier { number, reason, date_suppression: at, .. } in named {
            let reason = match list {
                DeletionList::Pending => GoneReason::Pending(reason),
                DeletionList::Deleted => GoneReason::Deleted(reason),
            };
            found.gone.insert(number, Gone { reason, at });
        }
    }
    Ok(found)
}

async fn page(
    client: &Client,
    demarche: DemarcheNumber,
    (list, since): (DeletionList, Option<Timestamp>),
    after: Option<&Cursor>,
) -> Result<Page<DeletedDossier>, ApiError> {
    match list {
        DeletionList::Pending => client.pending_deleted_page(demarche, after).await,
        DeletionList::Deleted => client.deleted_page(demarche, since, after).await,
    }
}

/// Reads one list to its end: why an entry is missing in what was found, if one is.
async fn read(
    client: &Client,
    demarche: DemarcheNumber,
    list: (DeletionList, Option<Timestamp>),
    first: Option<Page<DeletedDossier>>,
    found: &mut Vec<DeletedDossier>,
) -> Result<Option<String>, ApiError> {
    let mut cursors = Cursors::default();
    let mut next = match first {
        Some(page) => page,
        None => page(client, demarche, list, None).await?,
    };
    let mut unread = None;
    loop {
        found.append(&mut next.nodes);
        if let Some(hole) = next.holes.first() {
            unread = Some(format!("an entry of it is missing ({})", hole.reason));
        }
        match cursors.follow(next.end, next.has_next, "a list of deletions")? {
            Some(after) => next = page(client, demarche, list, Some(&after)).await?,
            None => return Ok(unread),
        }
    }
}
