//! Client: one method for each request.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::answer::{connection, page, whole, whole_dossier};
use super::builder::ClientBuilder;
use super::convert::{self, Drifts};
use super::cursor::{Cursor, listing_id};
use super::error::ApiError;
use super::fields::{ExtraFields, RequestedFields};
use super::form::Form;
use super::operation::{self, Detail, Request};
use super::page::{Drift, Listing, Page, PageSize, Position};
use super::stats::{Counters, Stats};
use super::transport::Transport;
use super::wire::{
    WireDeleted, WireDemarche, WireDossier, WireForm, WireGroupe, WireHead, WireLight, WireNews, WireOwner,
    WirePosition,
};
use crate::demarche::{Demarche, DemarcheHead, GroupeInstructeur};
use crate::dossier::{DeletedDossier, Dossier, DossierLight};
use crate::ids::{DemarcheNumber, DossierNumber, GroupeInstructeurNumber};
use crate::platform::Platform;

/// A client of one instance of one platform, with one token.
///
/// Clones are cheap and share the connection pool, the rate limiter and the counters. Every method that reads sends one
/// request (two where it says so) and retries it with backoff as `api::disposition` decides. The error
/// that it returns is permanent, or the retries are used up. A mutation is sent again only if it surely had no effect:
/// [`apply`](Self::apply).
#[derive(Clone, Debug)]
pub struct Client {
    platform: Platform,
    transport: Arc<Transport>,
    aside: bool,
    /// Fields that are requested of whole dossiers.
    pub(super) fields: RequestedFields,
}

/// Head of a démarche and first pages of its lists of deletions, read in one request if possible.
#[derive(Clone, Debug)]
pub struct HeadAndDeletions {
    /// Title, state, revisions.
    pub head: DemarcheHead,
    /// The first page of the dossiers waiting to be purged; `None` when the platform could not list them (trap 37).
    pub pending: Option<Page<DeletedDossier>>,
    /// The first page of the dossiers purged since the given instant; `None` when the platform could not list them.
    pub deleted: Option<Page<DeletedDossier>>,
}

impl Client {
    /// Starts building a client of a platform.
    pub fn builder(platform: Platform) -> ClientBuilder {
        ClientBuilder::new(platform)
    }

    pub(super) fn over(platform: Platform, transport: Arc<Transport>, wanted: ExtraFields) -> Self {
        Self { platform, transport, aside: false, fields: RequestedFields::new(wanted) }
    }

    /// Clones this client for side requests, whose answer the main work can do without: a transient failure is retried
    /// once, a time-out is not. The clone shares the connections, the rate limiter and the counters.
    #[doc(hidden)]
    #[must_use]
    pub fn aside(&self) -> Self {
        Self { aside: true, ..self.clone() }
    }

    /// Sends a request, with retries.
    async fn ask<T>(&self, request: &Request, read: impl Fn(&[u8]) -> Result<T, ApiError>) -> Result<T, ApiError> {
        if self.aside { self.transport.ask_aside(request, read).await } else { self.transport.ask(request, read).await }
    }

    pub(super) fn with(&self, fields: RequestedFields) -> Self {
        Self { fields, ..self.clone() }
    }

    pub(super) fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Returns the kind of platform.
    #[must_use]
    pub fn platform(&self) -> Platform {
        self.platform
    }

    /// Returns the address of the GraphQL endpoint.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.transport.url
    }

    /// Returns counters of requests, retries and waits, for this client and its clones.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.transport.counters.read()
    }

    /// Returns the platform's clock minus this machine's, in seconds; `None` before the first answer with a date.
    #[must_use]
    pub fn clock_offset(&self) -> Option<i64> {
        self.transport.offset()
    }

    /// Returns the present instant of the platform's clock, to the second; `None` before the first answer with a date.
    #[must_use]
    pub fn platform_now(&self) -> Option<Timestamp> {
        self.transport.offset().map(|_| self.transport.now())
    }

    /// Reads a démarche with its form through all revisions, its groupes, labels and service.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] and [`ApiError::OutOfScope`] as the platform answers. Neither means that its dossiers are
    /// gone: a token that lost the démarche gets the same answers (trap 17).
    pub async fn demarche(&self, number: DemarcheNumber) -> Result<Demarche, ApiError> {
        let request = operation::demarche(self.platform, number);
        let wire: WireDemarche = self.ask(&request, |body| whole(&request, body)).await?;
        Ok(self.converted(|drift| convert::demarche(wire, drift)))
    }

    /// Reads the head of a démarche and the first page of both lists of deletions, in one request if possible.
    ///
    /// The platform may fail on one of the lists (trap 37), or take a minute for it: the head and each list are then asked
    /// for on their own, and a list that still fails is `None`. A run asks for the head first and for the lists after the
    /// dossiers, so that a slow list holds up nothing.
    ///
    /// # Errors
    /// As [`demarche`](Self::demarche).
    #[doc(hidden)]
    pub async fn news(
        &self,
        number: DemarcheNumber,
        deleted_since: Option<Timestamp>,
    ) -> Result<HeadAndDeletions, ApiError> {
        match self.news_at_once(number, deleted_since).await {
            Err(error) if error.may_be_of_this_question() => {}
            other => return other,
        }
        // `pendingDeletedDossiers` may take a minute or break the server (trap 37): it costs itself, not the
        // dossiers.
        let listed = |page: Result<Page<DeletedDossier>, ApiError>| match page {
            Err(error) if !error.may_be_of_this_question() => Err(error),
            page => Ok(page.ok()),
        };
        let head = self.head(number).await?;
        let pending = listed(self.aside().pending_deleted_page(number, None).await)?;
        let deleted = listed(self.aside().deleted_page(number, deleted_since, None).await)?;
        Ok(HeadAndDeletions { head, pending, deleted })
    }

    /// Reads the head and both lists in one request, and fails if one of the three fails.
    pub(crate) async fn news_at_once(
        &self,
        number: DemarcheNumber,
        deleted_since: Option<Timestamp>,
    ) -> Result<HeadAndDeletions, ApiError> {
        let request = operation::news(self.platform, number, deleted_since);
        let pending_id = self.pending_id(number);
        let deleted_id = self.deleted_id(number, deleted_since);
        let read = |body: &[u8]| -> Result<HeadAndDeletions, ApiError> {
            let mut wire: WireNews = whole(&request, body)?;
            let read = |node: WireDeleted| Ok((node, Vec::new()));
            let pending = wire.pending_deleted_dossiers.take();
            let deleted = wire.deleted_dossiers.take();
            Ok(HeadAndDeletions {
                pending: Some(connection(&request, pending_id, pending, &[], read)?),
                deleted: Some(connection(&request, deleted_id, deleted, &[], read)?),
                head: self.converted(|drift| convert::news_head(wire, drift)),
            })
        };
        self.ask(&request, read).await
    }

    /// Reads the head of a démarche.
    ///
    /// # Errors
    /// As [`demarche`](Self::demarche).
    #[doc(hidden)]
    pub async fn head(&self, number: DemarcheNumber) -> Result<DemarcheHead, ApiError> {
        let request = operation::head(self.platform, number);
        let wire: WireHead = self.ask(&request, |body| whole(&request, body)).await?;
        Ok(self.converted(|drift| convert::head(wire, drift)))
    }

    /// Reads a page of dossiers with everything that a copy keeps: no labels of questions, no signed address.
    ///
    /// # Errors
    /// [`ApiError::ForeignCursor`] for the cursor of another listing; otherwise as the platform fails. Dossiers of the
    /// page that cannot be read are in its [`holes`](Page::holes).
    #[doc(hidden)]
    pub async fn dossiers_page(
        &self,
        listing: &Listing,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page<Dossier>, ApiError> {
        let asked = self.asked().await;
        let request = operation::dossiers(self.platform, &asked.document, listing, after, size, Detail::Full);
        let id = self.id(("dossiers", listing));
        let page = self.page::<WireDossier>(&request, id, after).await;
        self.doubt(&asked, page).await
    }

    /// Reads a page of the light listing.
    ///
    /// # Errors
    /// As [`dossiers_page`](Self::dossiers_page).
    #[doc(hidden)]
    pub async fn light_page(
        &self,
        listing: &Listing,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page<DossierLight>, ApiError> {
        let document = operation::dossiers_document(self.platform);
        let request = operation::dossiers(self.platform, document, listing, after, size, Detail::Light);
        let id = self.id(("dossiers", listing));
        self.page::<WireLight>(&request, id, after).await
    }

    /// Reads the positions of a page: numbers and dates alone, for a page whose dossiers cannot be read otherwise.
    ///
    /// # Errors
    /// As [`dossiers_page`](Self::dossiers_page).
    #[doc(hidden)]
    pub async fn positions_page(
        &self,
        listing: &Listing,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Page<Position>, ApiError> {
        let document = operation::dossiers_document(self.platform);
        let request = operation::dossiers(self.platform, document, listing, after, size, Detail::Positions);
        let id = self.id(("dossiers", listing));
        self.page::<WirePosition>(&request, id, after).await
    }

    /// Reads one dossier with everything, labels of questions and signed addresses included; `None` if the platform
    /// does not know it, or hides it: deleted, expired, never submitted (trap 35).
    ///
    /// # Errors
    /// [`ApiError::OutOfScope`] when the token does not cover it.
    pub async fn dossier(&self, number: DossierNumber) -> Result<Option<Dossier>, ApiError> {
        let wire = self.read_dossier(number).await?;
        Ok(wire.map(|wire| self.converted(|drift| convert::Node::convert(wire, drift))))
    }

    /// Reads one dossier of this démarche; `None` also if it belongs to another démarche that the token covers.
    ///
    /// # Errors
    /// As [`dossier`](Self::dossier).
    #[doc(hidden)]
    pub async fn dossier_of(
        &self,
        demarche: DemarcheNumber,
        number: DossierNumber,
    ) -> Result<Option<Dossier>, ApiError> {
        let Some(wire) = self.read_dossier(number).await? else { return Ok(None) };
        // A token sees several démarches, and the platform reads a dossier by its number alone: the answer may be of
        // another one.
        let belongs = wire.demarche.number == Some(demarche.get());
        Ok(belongs.then(|| self.converted(|drift| convert::Node::convert(wire, drift))))
    }

    async fn read_dossier(&self, number: DossierNumber) -> Result<Option<WireDossier>, ApiError> {
        let asked = self.asked().await;
        let request = operation::dossier(&asked.document, number);
        let spared = Mutex::new(None);
        let answer = self.ask(&request, |body| whole_dossier(&request, body, &spared)).await;
        match (answer, spared.into_inner().unwrap_or_else(PoisonError::into_inner)) {
            (Ok(wire), _) => Ok(Some(wire)),
            (Err(ApiError::NotFound { .. }), _) => Ok(None),
            // Every attempt failed on some of the answers. They are marked as unread, so that one broken champ does not
            // cost the whole dossier (trap 4).
            (Err(ApiError::Partial { .. }), Some(wire)) => Ok(Some(wire)),
            (Err(error), _) => self.doubt(&asked, Err(error)).await,
        }
    }

    /// Finds the démarche that a dossier belongs to; `None` as for [`dossier`](Self::dossier).
    ///
    /// # Errors
    /// As [`dossier`](Self::dossier).
    pub async fn demarche_of(&self, number: DossierNumber) -> Result<Option<DemarcheNumber>, ApiError> {
        let request = operation::demarche_of(self.platform, number);
        match self.ask(&request, |body| whole::<WireOwner>(&request, body)).await {
            Ok(owner) => Ok(Some(DemarcheNumber::new(owner.demarche.number))),
            Err(ApiError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a page of the dossiers that wait to be purged.
    ///
    /// # Errors
    /// As [`dossiers_page`](Self::dossiers_page).
    #[doc(hidden)]
    pub async fn pending_deleted_page(
        &self,
        demarche: DemarcheNumber,
        after: Option<&Cursor>,
    ) -> Result<Page<DeletedDossier>, ApiError> {
        let request = operation::pending_deleted(self.platform, demarche, after);
        self.page::<WireDeleted>(&request, self.pending_id(demarche), after).await
    }

    /// Reads a page of the dossiers purged since an instant, or ever. The platform dates some of them two weeks back
    /// (trap 32), so `since` must reach further back than that.
    ///
    /// # Errors
    /// As [`dossiers_page`](Self::dossiers_page).
    #[doc(hidden)]
    pub async fn deleted_page(
        &self,
        demarche: DemarcheNumber,
        since: Option<Timestamp>,
        after: Option<&Cursor>,
    ) -> Result<Page<DeletedDossier>, ApiError> {
        let request = operation::deleted(self.platform, demarche, since, after);
        self.page::<WireDeleted>(&request, self.deleted_id(demarche, since), after).await
    }

    /// Reads a groupe d'instructeurs with its members. Its dossiers are a listing like another:
    /// [`ListingSource::Groupe`](super::ListingSource::Groupe).
    ///
    /// # Errors
    /// As [`demarche`](Self::demarche).
    pub async fn groupe_instructeur(&self, number: GroupeInstructeurNumber) -> Result<GroupeInstructeur, ApiError> {
        let request = operation::groupe(self.platform, number);
        let wire: WireGroupe = self.ask(&request, |body| whole(&request, body)).await?;
        Ok(convert::groupe(wire).0)
    }

    /// Reads the public form of a démarche. Needs no token if the form is open data.
    ///
    /// # Errors
    /// As [`demarche`](Self::demarche).
    #[doc(hidden)]
    pub async fn demarche_descriptor(&self, number: DemarcheNumber) -> Result<Form, ApiError> {
        let request = match (self.platform, &self.transport.token) {
            // Without a token Démarche Numérique accepts its own stored queries only (docs/platform.md#tokens).
            (Platform::DemarcheNumerique, None) => operation::stored_descriptor(number),
            _ => operation::descriptor(self.platform, number),
        };
        let wire: WireForm = self.ask(&request, |body| whole(&request, body)).await?;
        Ok(self.converted(|drift| convert::form(wire, drift)))
    }

    /// Sends any query with any variables, and returns the platform's answer with its `data` and `errors` as they are.
    ///
    /// It is retried on failures of the network and of the service: send a mutation this way only if it is idempotent.
    ///
    /// # Errors
    /// Those of HTTP; GraphQL's own errors are in the answer.
    pub async fn raw(&self, query: &str, variables: Value) -> Result<Value, ApiError> {
        let body = operation::encode(&serde_json::json!({ "query": query, "variables": variables }));
        self.ask_value(Request { operation: "raw", what: "a raw query".to_owned(), page_size: 0, body }).await
    }

    /// Sends a request and returns its answer as JSON.
    pub(super) async fn ask_value(&self, request: Request) -> Result<Value, ApiError> {
        let read = |body: &[u8]| {
            super::wire::decode(body).map_err(|undecoded| ApiError::Undecodable {
                what: request.what.clone(),
                path: undecoded.path,
                reason: undecoded.reason,
            })
        };
        self.ask(&request, read).await
    }

    async fn page<N: convert::Node>(
        &self,
        request: &Request,
        listing: u64,
        after: Option<&Cursor>,
    ) -> Result<Page<N::Domain>, ApiError> {
        if let Some(cursor) = after {
            cursor.check(listing, &request.what)?;
        }
        let page = self.ask(request, |body| page::<N>(request, listing, body)).await?;
        if request.page_size > 0 {
            Counters::add(&self.transport.counters.pages, 1);
        }
        Ok(page)
    }

    fn id(&self, listing: impl std::hash::Hash) -> u64 {
        listing_id((self.transport.url.as_str(), listing))
    }

    fn pending_id(&self, demarche: DemarcheNumber) -> u64 {
        self.id(("pending", demarche))
    }

    fn deleted_id(&self, demarche: DemarcheNumber, since: Option<Timestamp>) -> u64 {
        self.id(("deleted", demarche, since))
    }

    /// Converts a value outside a page. There is no page to report unknown values in, so they go to the log.
    fn converted<T>(&self, convert: impl FnOnce(&mut Drifts) -> T) -> T {
        let mut drifts = Drifts::default();
        let converted = convert(&mut drifts);
        for drift in drifts.into_vec() {
            let (kind, name) = match &drift {
                Drift::Typename(name) => ("type", name),
                Drift::EnumValue(kind, name) => (*kind, name),
            };
            tracing::warn!(kind, name = name.as_str(), "unknown value in an answer of the platform; kept as text");
        }
        converted
    }
}

/// Reads a page of full dossiers from a stored answer, to replay a listing without the network.
///
/// # Errors
/// As [`Client::dossiers_page`], without those of HTTP.
pub fn replay_dossiers(platform: Platform, listing: &Listing, answer: &[u8]) -> Result<Page<Dossier>, ApiError> {
    let document = operation::dossiers_document(platform);
    let request = operation::dossiers(platform, document, listing, None, PageSize::MAX, Detail::Full);
    page::<WireDossier>(&request, listing_id(("replay", listing)), answer)
}
