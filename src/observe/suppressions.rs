//! The two lists of what is gone.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::api::{ApiError, Client, Cursor, News, Page};
use crate::dossier::DeletedDossier;
use crate::ids::{DemarcheNumber, DossierNumber};
use crate::plan::{Gone, GoneReason};

/// What both lists say, by number (never by id: those of the two lists collide, trap 31).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suppressions {
    /// Which dossiers are gone, and how.
    pub gone: BTreeMap<DossierNumber, Gone>,
    /// Whether one of the lists could not be read to its end (trap 37): the rest of the run is not concerned.
    pub incomplete: bool,
}

/// Reads both lists to their end, beginning with the pages that came with the news of the démarche.
///
/// # Errors
/// Only what concerns the whole run; a list that the platform cannot serve makes the answer incomplete.
pub async fn suppressions(
    client: &Client,
    demarche: DemarcheNumber,
    since: Option<Timestamp>,
    news: &News,
) -> Result<Suppressions, ApiError> {
    let mut found = Suppressions::default();
    let (pending, complete) = read(client, demarche, List::Pending, news.pending.clone()).await?;
    found.incomplete |= !complete;
    for dossier in pending {
        found
            .gone
            .insert(dossier.number, Gone { reason: GoneReason::Pending(dossier.reason), at: dossier.date_suppression });
    }
    let (deleted, complete) = read(client, demarche, List::Deleted { since }, news.deleted.clone()).await?;
    found.incomplete |= !complete;
    for dossier in deleted {
        found
            .gone
            .insert(dossier.number, Gone { reason: GoneReason::Deleted(dossier.reason), at: dossier.date_suppression });
    }
    Ok(found)
}

/// One of the two lists.
#[derive(Clone, Copy)]
enum List {
    Pending,
    Deleted { since: Option<Timestamp> },
}

impl List {
    async fn after(
        self,
        client: &Client,
        demarche: DemarcheNumber,
        cursor: &Cursor,
    ) -> Result<Page<DeletedDossier>, ApiError> {
        match self {
            Self::Pending => client.pending_deleted_page(demarche, Some(cursor)).await,
            Self::Deleted { since } => client.deleted_page(demarche, since, Some(cursor)).await,
        }
    }
}

async fn read(
    client: &Client,
    demarche: DemarcheNumber,
    list: List,
    first: Option<Page<DeletedDossier>>,
) -> Result<(Vec<DeletedDossier>, bool), ApiError> {
    let Some(mut page) = first else { return Ok((Vec::new(), false)) };
    let mut found = Vec::new();
    let mut complete = true;
    loop {
        complete &= page.holes.is_empty();
        found.append(&mut page.nodes);
        let Some(end) = page.end.filter(|_| page.has_next) else { return Ok((found, complete)) };
        page = match list.after(client, demarche, &end).await {
            Ok(following) if following.end.as_ref() == Some(&end) => return Ok((found, false)),
            Ok(following) => following,
            Err(ApiError::ServerError { .. } | ApiError::Partial { .. } | ApiError::Undecodable { .. }) => {
                return Ok((found, false));
            }
            Err(error) => return Err(error),
        };
    }
}
