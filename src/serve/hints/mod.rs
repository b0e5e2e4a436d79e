//! Hints from the platform's webhooks: something may have happened to a dossier. Their contents are untrusted.
//!
//! They are unsigned, unordered, sent once, early, and for changes of state alone (trap 71). So a call is trusted for two
//! numbers, a démarche and a dossier, and in those only as a reason to look sooner: with every call lost, doubled or forged
//! the target is the same in the end.
//!
//! - [`named()`]: the two numbers in a body, whatever else it holds (pure);
//! - [`Hinted`], [`due_by_hint`]: what was named of a démarche, and when somebody looks (pure);
//! - [`SecretPath`], [`Webhooks`]: whose call it is, and what becomes of it.

mod due;
mod hinted;
mod named;
mod path;
mod webhooks;

pub use due::due_by_hint;
pub use hinted::{Hinted, MOST_READ};
pub use named::named;
pub use path::{SecretPath, UnfitPath};
pub use webhooks::{Hint, HintCounts, Webhooks};
pub(super) use webhooks::{Outcome, receive};
