//! `dn doctor`: is everything in place? Only reads, and never shows a secret.
//!
//! `diagnosis` asks and tells; `network` looks at the way to the platform, `target` at where dossiers go.

mod diagnosis;
mod network;
mod target;

pub use diagnosis::run;
