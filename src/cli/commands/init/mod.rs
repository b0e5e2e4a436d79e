//! `dn init grist`: from nothing to a first sync, by questions or by flags.
//!
//! - `guide`: the steps, in order; nothing is written anywhere before the confirmation;
//! - `place`: which Grist, which key, which document;
//! - `make`: a new document;
//! - `keep`: the configuration for the runs to come.

mod guide;
mod keep;
mod make;
mod place;

pub use guide::run;
