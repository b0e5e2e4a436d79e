//! ROOM 3, the filter: what may leave the platform, and in which form. Pure: no I/O, no clock, no randomness.
//!
//! It runs on every dossier before anything is stored, and again on stored documents when the policy moves, so it
//! changes nothing in what it has already filtered. What it withholds stays visible as such: a marker or a pseudonym
//! stands in the place of the value, and an answer that was blank stays blank.
//!
//! - [`policy`](Policy): presets, and rules by kind or by descriptor;
//! - [`form`](FormTypes): which kinds a descriptor ever had;
//! - [`filter`](Filter): the work itself, on one dossier;
//! - [`Selection`]: which dossiers a target keeps at all;
//! - [`Anonymiser`]: what is left when a dossier's term is over;
//! - `nir`: the social security number, wherever it was typed;
//! - `pseudonym`: keyed digests.

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

pub use anonymous::{ANONYMOUS, Anonymiser};
pub use filter::{Filter, FilterError};
pub use form::FormTypes;
pub use policy::{DossierPart, Policy, PolicyError, Preset, Treatment, UnfamiliarKind};
pub use pseudonym::{PseudonymKey, ShortKey};
pub use selection::{GroupeName, Selection};

/// What stands in the place of a value that is not kept.
pub const NOT_KEPT: &str = "[non conservé]";
/// What stands in the place of a value that is hidden.
pub const MASKED: &str = "[masqué]";
