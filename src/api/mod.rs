//! Client of the platform's GraphQL API.
//!
//! Everything that depends on GraphQL, on HTTP statuses or on the platforms' schemas belongs here; no type that is
//! generated from a schema leaves this module. Callers get types of the domain ([`Dossier`](crate::Dossier),
//! [`Demarche`](crate::Demarche)) and [`ApiError`].
//!
//! Does not belong here: which page to read next (`observe`), what to keep (`privacy`, `sink`), which mutation to send
//! (`writeback`).
//!
//! - [`Client`]: one method a request; [`Client::apply`] sends a [`Mutation`];
//! - [`disposition`](disposition()): retry with backoff, smaller page, quarantine or stop, for each error;
//! - [`RateLimiter`], [`SharedLimit`]: throttling of all requests that use one token;
//! - `answer`, `wire`, `convert`: bytes to domain types; values that this version does not know become a [`Drift`];
//! - `operation`, `newer`, `introspect`: documents, and fields that only newer schemas have.

mod answer;
mod builder;
mod client;
mod clock;
mod convert;
mod cursor;
mod disposition;
mod download;
mod error;
mod exchange;
mod fields;
mod form;
mod generated;
mod introspect;
mod labels;
#[cfg(feature = "sandbox")]
mod live_schema;
mod mutation;
mod newer;
mod operation;
mod page;
mod rate_limit;
mod shared_limit;
mod stats;
mod transport;
mod upload;
mod wire;

pub use builder::ClientBuilder;
pub use client::Client;
#[doc(hidden)]
pub use client::{HeadAndDeletions, replay_dossiers};
#[doc(hidden)]
pub use cursor::Cursor;
pub(crate) use disposition::is_timeout;
#[doc(hidden)]
pub use disposition::{Attempt, Disposition, disposition, disposition_aside, disposition_of_write};
pub use download::DownloadError;
pub use error::{ApiError, PermanentFailure, TransportFailure};
#[cfg(feature = "sandbox")]
#[doc(hidden)]
pub use exchange::Exchange;
#[doc(hidden)]
pub use fields::SchemaUnknown;
#[doc(hidden)]
pub use form::Form;
#[doc(hidden)]
pub use introspect::{SchemaFacts, SchemaGap};
pub(crate) use labels::Labeller;
#[doc(hidden)]
pub use labels::Labels;
#[cfg(feature = "sandbox")]
#[doc(hidden)]
pub use live_schema::{LiveSchema, Rejections};
pub use mutation::{
    AnnotationEdit, AnnotationValue, Author, Civilite, CorrectionReason, DossierMark, GroupeReceipt, MessageMark,
    Mutation, MutationError, MutationReceipt, NewGroupe, ProfileRef,
};
pub(crate) use newer::catalogue as fields_catalogue;
pub(crate) use page::PAGE_AIM;
pub use page::{Drift, Listing, ListingSource, PageSize, Since};
#[doc(hidden)]
pub use page::{Hole, Page, Position};
pub use rate_limit::RateLimiter;
pub use shared_limit::{Grant, SharedLimit, SharedLimitError};
pub use stats::Stats;
pub use upload::{SignedBlobId, Upload, UploadError};
