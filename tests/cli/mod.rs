//! The real binary: exit codes, help, secrets, pipes, signals.

mod answers;
mod bad_input;
pub mod desk;
mod exit_codes;
mod grist;
mod help;
mod postgres;
mod push;
mod secrets;
#[cfg(unix)]
mod serving;
