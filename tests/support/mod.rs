//! Starts the servers that several groups of tests need, and reads the files of the repository.

#[cfg(feature = "postgres")]
pub mod pgbouncer;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod sources;
pub mod tls;
