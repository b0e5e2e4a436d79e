//! The real binary: exit codes, help, secrets, pipes, signals.

#[cfg(unix)]
mod alarms;
mod answers;
mod bad_input;
pub mod desk;
mod doctor;
#[cfg(unix)]
mod door;
mod exit_codes;
mod exit_tables;
pub mod grist;
mod help;
#[cfg(target_os = "linux")]
mod log;
#[cfg(unix)]
mod permissions;
mod pooled;
mod postgres;
mod push;
mod retention;
#[cfg(unix)]
mod run;
mod secrets;
#[cfg(unix)]
mod serving;
#[cfg(unix)]
mod webhooks;
#[cfg(unix)]
pub mod workers;
