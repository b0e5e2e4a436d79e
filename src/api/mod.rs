//! ROOM 1, the gate: the only room that knows GraphQL and HTTP.

mod client;
mod disposition;
mod error;
mod page;

pub use client::{Client, ClientBuilder, News, Stats};
pub use disposition::{Attempt, Disposition, disposition};
pub use error::{ApiError, TransportFailure};
pub use page::{Cursor, Drift, Hole, Listing, Page, PageSize, Since, Source};
