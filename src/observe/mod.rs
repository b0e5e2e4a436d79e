//! Reads a démarche from the platform as a sequence of observations.
//!
//! Everything that decides where a reading starts, which page comes next and when a listing is complete belongs here.
//! Requests, retries and decoding are in `api`; what to do about an observation is in `plan`.
//!
//! - [`watermark`]: where a run starts to read (pure);
//! - [`Walk`]: reads a listing to its end, around dossiers and pages that fail;
//! - [`suppressions()`]: reads the two lists of deletions;
//! - [`list_all`]: reads the complete light listing, the only one in which absence means anything.

mod full_listing;
mod paging;
mod suppressions;
pub(crate) mod walk;
#[doc(hidden)]
pub mod watermark;

#[doc(hidden)]
pub use full_listing::list_selected;
pub use full_listing::{CompleteListing, list_all};
pub use suppressions::{Suppressions, suppressions};
pub use walk::{Unread, Walk, WalkStep, changed};
pub use watermark::Rhythm;
#[doc(hidden)]
pub use watermark::{Reading, reading};
