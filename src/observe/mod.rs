//! Reads a démarche from the platform as a sequence of observations.
//!
//! Everything that decides where a reading starts, which page comes next and when a listing is complete belongs here.
//! Requests, retries and decoding are in `api`; what to do about an observation is in `plan`.
//!
//! - [`watermark`]: where a run starts to read (pure);
//! - [`walk`]: reads a listing to its end, around dossiers and pages that fail;
//! - [`mod@suppressions`]: reads the two lists of deletions;
//! - [`full_listing`]: reads the complete light listing, the only one in which absence means anything.

pub mod full_listing;
mod paging;
pub mod suppressions;
pub mod walk;
pub mod watermark;

pub use full_listing::{CompleteListing, list_all, list_selected};
pub use suppressions::{Suppressions, suppressions};
pub use walk::{Unread, Walk, WalkStep, changed};
pub use watermark::{Reading, Rhythm, reading};
