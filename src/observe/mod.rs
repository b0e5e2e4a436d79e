//! ROOM 2, the watchtower: from the platform to a sequence of observations.
//!
//! - [`watermark`] decides from where to read (pure);
//! - [`walk`] reads a listing to its end, whatever single dossiers or pages do;
//! - [`mod@suppressions`] reads the two lists of what is gone;
//! - [`full_listing`] reads the light listing of everything, the only ground on which absence means anything.

pub mod full_listing;
mod paging;
pub mod suppressions;
pub mod walk;
pub mod watermark;

pub use full_listing::{CompleteListing, list_all, list_selected};
pub use suppressions::{Suppressions, suppressions};
pub use walk::{Step, Unread, Walk, changed};
pub use watermark::{Reading, Rhythm, reading};
