//! Reads the two lists of deletions. Nothing else of a run depends on them, so their failures are no errors of the run,
//! except for a refused token. A list that could not be read to its end is reported as such.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::paging::Cursors;
use crate::api::{ApiError, Client, Cursor, Page};
use crate::checkpoint::DeletionList;
use crate::dossier::{DeletedDossier, Gone, GoneReason};
use crate::ids::{DemarcheNumber, DossierNumber};

/// Deletions of both lists, by number. Never by id: the ids of the two lists collide (trap 31).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suppressions {
    /// The dossiers that are gone, with the reason.
    pub gone: BTreeMap<DossierNumber, Gone>,
    /// The lists that could not be read to their end, and the reason: the platform needs more than a minute for one of
    /// them on large démarches (trap 37). The entries that were read are in `gone`.
    pub unread: BTreeMap<DeletionList, String>,
}

/// Reads the requested lists to their end: both first pages in one request if none is `frail`, otherwise each on its
/// own.
///
/// # Errors
/// Only [`ApiError::TokenRefused`]: every other request would fail as well, and would be one more attempt with a bad
/// token.
pub async fn suppressions(
    client: &Client,
    demarche: DemarcheNumber,
    since: Option<Timestamp>,
    asked: &BTreeSet<DeletionList>,
    frail: &BTreeSet<DeletionList>,
) -> Result<Suppressions, ApiError> {
    // One retry only: the list of pending deletions may take a minute and then fail (trap 37), and the dossiers do not
    // need it.
    let client = &client.aside();
    let mut first = BTreeMap::new();
    if asked.len() == DeletionList::ALL.len() && frail.is_empty() {
        match client.news_at_once(demarche, since).await {
            Ok(news) => {
                first.extend(news.pending.map(|page| (DeletionList::Pending, page)));
                first.extend(news.deleted.map(|page| (DeletionList::Deleted, page)));
            }
            Err(error @ ApiError::TokenRefused { .. }) => return Err(error),
            Err(error) => tracing::debug!(
                error = error.kind(),
                "the combined request for the lists of deletions failed; requesting each on its own"
            ),
        }
    }
    let mut found = Suppressions::default();
    // Pending first: for a dossier in both lists, the list of purged dossiers overwrites it.
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
            // By number: the id of an entry is that of a row of its own list, and may be that of another dossier in the
            // other list (trap 31).
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

/// Reads one list to its end. Returns the reason if an entry is missing.
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
