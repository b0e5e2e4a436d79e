//! Whole runs against the sandbox. Names begin with the trap that they cover (dn-api, section 12).

mod crashing;
mod deleting;
mod lab;
mod look;
mod losing;
mod transport;
