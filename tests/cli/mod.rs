//! The real binary: exit codes, help, secrets, pipes, signals.

mod answers;
mod bad_input;
mod desk;
mod exit_codes;
mod help;
#[cfg(unix)]
mod kills;
mod secrets;
