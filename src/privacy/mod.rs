//! Privacy filter: removes, masks or pseudonymises values before anything is stored. Pure: no I/O, no clock, no
//! randomness.
//!
//! Everything that decides about a value of a dossier by the policy belongs here. Terms of retention are in `plan`; the
//! cells and the documentation of withheld columns are in `table`.
//!
//! The filter runs on every dossier that was read, and again on stored documents if the policy changes: it is
//! idempotent. A withheld value stays visible as such: a placeholder or a pseudonym replaces it, and a blank answer
//! stays blank.
//!
//! - [`policy`](Policy): presets, and rules by kind or by descriptor;
//! - [`FormTypes`]: the kinds that a descriptor ever had;
//! - [`Filter`]: the filter on one dossier;
//! - [`Selection`]: the dossiers that a target keeps at all;
//! - [`Anonymiser`]: reduces a dossier whose retention period is over;
//! - `nir`: social security numbers, wherever they were typed;
//! - `pseudonym`: keyed digests.

// A kind that is added without a decision here would leave in clear.
#![deny(clippy::wildcard_enum_match_arm)]

mod anonymous;
mod filter;
mod form;
mod nir;
mod people;
mod policy;
mod pseudonym;
#[cfg(test)]
pub(crate) mod samples;
mod selection;
mod visit;

#[doc(hidden)]
pub use anonymous::{ANONYMOUS, Anonymiser};
pub use filter::{Filter, FilterError};
pub use form::FormTypes;
pub use policy::{DossierPart, Policy, PolicyError, Preset, Treatment, UnfamiliarKind};
pub use pseudonym::{PseudonymKey, ShortKey};
pub use selection::{GroupeName, Selection};

/// Placeholder of a value that is not kept.
pub const NOT_KEPT: &str = "[non conservé]";
/// Placeholder of a value that is masked.
pub const MASKED: &str = "[masqué]";
