//! Tests the binary as a process: exit codes, help, secrets, pipes, signals. Tests of the library do not belong here.

#[cfg(unix)]
mod alerts;
mod bad_input;
mod doctor;
#[cfg(unix)]
mod endpoint;
mod exit_codes;
mod exit_tables;
pub mod grist;
pub mod harness;
mod help;
#[cfg(target_os = "linux")]
mod log;
mod lost_outbox;
mod output;
#[cfg(unix)]
mod permissions;
mod pooled;
mod postgres;
mod push;
mod quiet;
mod retention;
#[cfg(unix)]
mod run;
#[cfg(unix)]
mod sandbox;
mod secrets;
mod strangers;
#[cfg(unix)]
mod webhooks;
#[cfg(unix)]
pub mod workers;
