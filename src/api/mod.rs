//! ROOM 1, the gate: the only room that knows GraphQL.

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
mod form;
mod generated;
mod introspect;
mod labels;
mod ledger;
#[cfg(feature = "sandbox")]
mod live_schema;
mod mutation;
mod newer;
mod operation;
mod page;
mod rate_limit;
mod stats;
mod transport;
mod upload;
mod wire;

pub use builder::ClientBuilder;
pub use client::{Client, News, replay_dossiers};
pub use cursor::Cursor;
pub(crate) use disposition::is_timeout;
pub use disposition::{Attempt, Disposition, disposition, disposition_aside, disposition_of_write};
pub use download::DownloadError;
pub use error::{ApiError, PermanentFailure, TransportFailure};
#[cfg(feature = "sandbox")]
pub use exchange::Exchange;
pub use form::Form;
pub use introspect::{SchemaFacts, SchemaGap};
pub(crate) use labels::Labeller;
pub use labels::Labels;
pub use ledger::{Grant, Ledger, LedgerError};
#[cfg(feature = "sandbox")]
pub use live_schema::{LiveSchema, Rejections};
pub use mutation::{
    AnnotationEdit, AnnotationValue, Author, Civilite, CorrectionReason, DossierMark, GroupeReceipt, MessageMark,
    Mutation, MutationError, NewGroupe, ProfileRef, Receipt,
};
pub(crate) use page::PAGE_AIM;
pub use page::{Drift, Hole, Listing, Page, PageSize, Position, Since, Source};
pub use rate_limit::RateLimiter;
pub use stats::Stats;
pub use upload::{SignedBlobId, Upload, UploadError};
