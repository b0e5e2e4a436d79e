//! The settings of the program: what a configuration file may say, and which of flag, environment, file and default wins.
//!
//! The text of the file and the environment are given by the caller, so that a test needs neither. Secrets are only named;
//! [`Secrets`] reads them where they are needed. Whatever is wrong in a file is reported at once, each problem with
//! its line, its column and the nearest valid key.
//!
//! | File | Holds |
//! | --- | --- |
//! | `keys` | declares a key, reads it, and knows the list of all keys; the declarations stand where their fields are filled |
//! | `kinds` | how a value is written and read |
//! | `example` | writes `config/example.toml` from the declarations |
//! | `document` | the file, checked |
//! | `target` | where dossiers go: what a file or a flag says, completed by the environment |
//! | `resolve` | flags × environment × file × defaults → the jobs to do |

mod alerts;
pub mod defaults;
mod document;
mod duration;
mod error;
mod example;
mod keys;
#[cfg(test)]
mod keys_tests;
mod kinds;
mod origin;
mod privacy;
mod reader;
mod resolve;
mod retention;
mod run;
mod secrets;
mod selection;
mod size;
mod sync;
mod target;
#[cfg(test)]
mod tests;
mod values;

pub use alerts::Alerts;
pub use document::{Config, DemarcheEntry, InstanceEntry};
pub use duration::{InvalidDuration, parse_duration, show_duration};
pub use error::{ConfigError, Problem};
pub use example::example;
#[cfg(feature = "cli")]
pub(crate) use keys::nearest;
pub use origin::{Setting, SettingOrigin};
pub use privacy::{PolicyChoice, PolicyEntry};
pub use resolve::{
    Instance, JobConfig, Overrides, Variables, resolve, resolve_demarches, resolve_instance, resolve_policy,
};
pub use retention::{RetentionSettings, words as retention_in_words};
pub use run::{RunSettings, ServiceSettings};
pub use secrets::{SecretError, Secrets};
pub use selection::SelectionSettings;
pub use size::{InvalidSize, parse_size, show_size};
pub use sync::SyncSettings;
pub use target::postgres::{PostgresAddress, PostgresTarget, check_postgres_address};
pub use target::{
    GristEntry, GristOptions, GristTarget, SqliteTarget, Target, TargetEntry, grist_url, parse_target, resolve_target,
};
pub use values::{InvalidValue, SecretSource, parse_grist_url, parse_url};
