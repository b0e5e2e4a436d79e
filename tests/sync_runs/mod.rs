//! Whole runs against the sandbox. Names begin with the trap that they cover (dn-api, section 12).

mod crashing;
mod deleting;
mod evolving;
mod files;
mod hinted;
pub mod lab;
mod look;
mod losing;
mod privacy;
mod repeating;
mod silent;
mod survey;
mod transport;
mod typing;
