//! The client.

use jiff::Timestamp;

use super::error::ApiError;
use super::page::{Cursor, Listing, Page, PageSize};
use crate::demarche::{Demarche, DemarcheHead};
use crate::dossier::{DeletedDossier, Dossier, DossierLight};
use crate::ids::{DemarcheNumber, DossierNumber};

/// The client.
#[derive(Clone, Debug)]
pub struct Client;

/// Its builder.
#[derive(Debug)]
pub struct ClientBuilder;

/// What one cheap request tells about a démarche.
#[derive(Clone, Debug)]
pub struct News {
    /// Title, state, revisions.
    pub head: DemarcheHead,
    /// The first page of the dossiers waiting to be purged; `None` when the platform could not list them (trap 37).
    pub pending: Option<Page<DeletedDossier>>,
    /// The first page of the dossiers purged since the given instant; `None` when the platform could not list them.
    pub deleted: Option<Page<DeletedDossier>>,
}

#[allow(clippy::unused_async, unused_variables, missing_docs)]
impl Client {
    pub async fn demarche(&self, number: DemarcheNumber) -> Result<Demarche, ApiError> {
        Err(ApiError::Unavailable { status: 0 })
    }
    pub async fn news(&self, number: DemarcheNumber, deleted_since: Option<Timestamp>) -> Result<News, ApiError> {
        Err(ApiError::Unavailable { status: 0 })
    }
    pub async fn dossiers_page(
        &self,
        listing: &Listing,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page<Dossier>, ApiError> {
        Err(ApiError::Unavailable { status: 0 })
    }
    pub async fn light_page(
        &self,
        listing: &Listing,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page<DossierLight>, ApiError> {
        Err(ApiError::Unavailable { status: 0 })
    }
    pub async fn dossier(&self, number: DossierNumber) -> Result<Option<Dossier>, ApiError> {
        Err(ApiError::Unavailable { status: 0 })
    }
    pub async fn pending_deleted_page(
        &self,
        demarche: DemarcheNumber,
        after: Option<&Cursor>,
    ) -> Result<Page<DeletedDossier>, ApiError> {
        Err(ApiError::Unavailable { status: 0 })
    }
    pub async fn deleted_page(
        &self,
        demarche: DemarcheNumber,
        since: Option<Timestamp>,
        after: Option<&Cursor>,
    ) -> Result<Page<DeletedDossier>, ApiError> {
        Err(ApiError::Unavailable { status: 0 })
    }
}
