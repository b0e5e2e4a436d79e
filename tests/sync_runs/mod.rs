//! Whole runs against the sandbox. Names begin with the trap that they cover (dn-api, section 12).

mod lab;
mod losing;
