//! `dn doctor`: is everything in place? Only reads, and never shows a secret.
//!
//! `diagnosis` asks and tells; `target` looks at where dossiers go.

mod diagnosis;
mod target;

pub use diagnosis::run;
