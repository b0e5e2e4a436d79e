//! `dn doctor`: is everything in place? Only reads, and never shows a secret.
//!
//! `diagnosis` asks and tells; `network` looks at the way to the platform, `schema` judges its schema; `target` looks at where
//! dossiers go, `exposure` at who else may read them.

mod diagnosis;
mod exposure;
mod network;
mod schema;
mod target;

pub use diagnosis::run;
