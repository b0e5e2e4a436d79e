//! What every target promises, checked on each of them.

#[cfg(feature = "sqlite")]
mod documented;
mod look;
#[cfg(feature = "postgres")]
mod look_postgres;
#[cfg(feature = "postgres")]
mod postgres;
mod sink;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
mod targets_agree;
mod world;
