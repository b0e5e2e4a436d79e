//! Targets: what a file or a flag says of one, and what the environment adds. Each kind has its keys and its reading in a file of
//! its own.

pub(super) mod grist;
pub(super) mod postgres;
pub(super) mod sqlite;

use std::fmt;

use super::error::ConfigError;
use super::keys::{self, Keys};
use super::kinds::{name_of, unknown_name};
use super::origin::Setting;
use super::resolve::{Overrides, Variables, schema_of, wrong};
use super::values::InvalidValue;

pub use grist::{GristEntry, GristOptions, GristTarget, grist_url};
pub use postgres::PostgresTarget;
pub use sqlite::SqliteTarget;

const RESTORE_COLUMNS: &str = "--restore-columns";
const FILES: &str = "--files";

/// Registers one type of target.
pub(super) struct TargetType {
    /// The value of `type`, which begins the target in a flag; then other words that may begin it.
    names: &'static [&'static str],
    /// Its name in the example.
    pub(super) sample: &'static str,
    /// Text of the example about it.
    pub(super) about: &'static str,
    /// Declares its keys, but for `type`.
    pub(super) declare: fn(&mut Keys<'_, '_>) -> Option<Setting<TargetEntry>>,
    /// Reads a target as flags write it: the whole text, and what follows the colon.
    parse: fn(&str, &str) -> Result<TargetEntry, InvalidValue>,
}

impl TargetType {
    /// The value of `type`.
    pub(super) fn name(&self) -> &'static str {
        self.names[0]
    }
}

/// Registers the types of targets.
pub(super) static TYPES: [TargetType; 3] = [sqlite::TYPE, postgres::TYPE, grist::TYPE];

fn names() -> impl Iterator<Item = &'static str> {
    TYPES.iter().map(TargetType::name)
}

/// A place where dossiers are kept.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A SQLite file.
    Sqlite(SqliteTarget),
    /// A schema of PostgreSQL.
    Postgres(PostgresTarget),
    /// A Grist document.
    Grist(Box<GristTarget>),
}

impl Target {
    /// Takes what the instance of a job and flags say of the target.
    pub(super) fn complete(&mut self, instance: &str, flags: &Overrides) {
        match self {
            Self::Sqlite(_) => {}
            Self::Postgres(postgres) => postgres.schema = schema_of(instance),
            Self::Grist(grist) => grist.take_flags(flags),
        }
    }

    /// The flags of these overrides that mean nothing to this target, each with the reason.
    pub(super) fn refused_flags(&self, flags: &Overrides) -> Vec<(&'static str, &'static str)> {
        let refused = match self {
            Self::Grist(_) => Vec::new(),
            Self::Sqlite(_) | Self::Postgres(_) => vec![
                (flags.restore_columns, RESTORE_COLUMNS, "people delete columns of a Grist document only"),
                (flags.files, FILES, "files are copied into a Grist document only"),
            ],
        };
        refused.into_iter().filter(|(said, ..)| *said).map(|(_, flag, reason)| (flag, reason)).collect()
    }
}

impl fmt::Display for Target {
    /// Without credentials: `sqlite:dossiers.db`, `grist:kZ8mQv2Xw9Lr`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(sqlite) => sqlite.fmt(f),
            Self::Postgres(postgres) => postgres.fmt(f),
            Self::Grist(grist) => grist.fmt(f),
        }
    }
}

/// Holds what a file or a flag says of a target.
#[derive(Clone, Debug, PartialEq)]
pub enum TargetEntry {
    /// A target of which everything is said.
    Whole(Target),
    /// A Grist document, whose address may come from the environment.
    Grist(Box<GristEntry>),
}

impl fmt::Display for TargetEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(target) => target.fmt(f),
            Self::Grist(grist) => write!(f, "grist:{}", grist.document),
        }
    }
}

impl TargetEntry {
    /// Gives the host that receives the key of the target, if it is said, and if the key is named; `None` for a target
    /// without a key.
    pub(super) fn key(&self) -> Option<(Option<url::Origin>, bool)> {
        match self {
            Self::Whole(_) => None,
            Self::Grist(entry) => Some((entry.host(), entry.key.is_some())),
        }
    }

    /// Declares `[targets.*]`. `None` when it lacks what makes a target.
    pub(super) fn declare(keys: &mut Keys<'_, '_>) -> Option<Setting<Self>> {
        let kind = keys.required(
            "type",
            name_of("type of target", names().collect()),
            "sqlite",
            "the type of the target",
            "The type: \"sqlite\", \"postgres\" or \"grist\". Flag --to sqlite:PATH.",
        );
        let own = kind.and_then(|kind| TYPES.iter().find(|known| known.name() == kind.value));
        let target = own.and_then(|own| (own.declare)(keys));
        for other in TYPES.iter().filter(|other| own.is_none_or(|own| own.name() != other.name())) {
            keys.belongs_elsewhere(keys::unsaid(other.declare).1, |key| {
                let error = InvalidValue::new(format!("a target of type \"{}\" has no `{key}`", own?.name()));
                Some(error.hint(format!("it belongs to type \"{}\"", other.name())))
            });
        }
        target
    }

    /// Adds what the environment says.
    ///
    /// # Errors
    /// No address of Grist anywhere, or two that disagree: the key would go to the wrong one.
    pub fn complete(self, variables: Variables<'_>) -> Result<Target, InvalidValue> {
        match self {
            Self::Whole(target) => Ok(target),
            Self::Grist(entry) => Ok(Target::Grist(Box::new(entry.complete(variables)?))),
        }
    }
}

/// Reads a target as flags write it: `sqlite:PATH`, or `grist:DOCUMENT` with the id of a document or its address.
///
/// # Errors
/// Another type, no path, no document.
pub fn parse_target(text: &str) -> Result<TargetEntry, InvalidValue> {
    let Some((kind, rest)) = text.split_once(':') else {
        return Err(InvalidValue::new(format!("`{text}` does not say which type of target it is"))
            .hint(format!("did you mean `sqlite:{text}`?")));
    };
    if let Some(known) = TYPES.iter().find(|known| known.names.contains(&kind)) {
        return (known.parse)(text, rest);
    }
    match kind {
        "http" | "https" => Err(InvalidValue::new("an address does not say which type of target it is")
            .hint(format!("did you mean `grist:{text}`?"))),
        other => Err(unknown_name("type of target", other, names())),
    }
}

/// The target that a flag names, with what the environment adds.
///
/// # Errors
/// As [`parse_target`] and [`TargetEntry::complete`].
pub fn resolve_target(text: &str, variables: Variables<'_>) -> Result<Target, ConfigError> {
    parse_target(text).and_then(|entry| entry.complete(variables)).map_err(|error| wrong("--to", error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SecretSource;

    fn target(text: &str, grist_url: &str) -> Result<Target, String> {
        let variables = |name: &str| (name == "GRIST_URL").then(|| grist_url.to_owned());
        resolve_target(text, &variables).map_err(|error| error.to_string())
    }

    #[test]
    fn targets_as_flags_write_them() {
        let sqlite = |path: &str| Some(TargetEntry::Whole(Target::Sqlite(SqliteTarget { path: path.into() })));
        for (text, expected) in [
            ("sqlite:dossiers.db", sqlite("dossiers.db")),
            ("sqlite:/var/lib/dn/d.db", sqlite("/var/lib/dn/d.db")),
            ("sqlite:///var/lib/dn/d.db", sqlite("/var/lib/dn/d.db")),
            ("sqlite:", None),
            ("sqlite::memory:", None),
            ("dossiers.db", None),
            ("oracle:x", None),
            ("grist:", None),
            ("grist:kZ8mQv2Xw9Lr~fork", None),
            ("grist:http://grist.example.org/doc/kZ8mQv2Xw9Lr", None),
        ] {
            assert_eq!(parse_target(text).ok(), expected, "{text}");
        }
        for (text, hint) in [
            ("dossiers.db", "did you mean `sqlite:dossiers.db`?"),
            (
                "https://grist.example.org/doc/kZ8mQv2Xw9Lr",
                "did you mean `grist:https://grist.example.org/doc/kZ8mQv2Xw9Lr`?",
            ),
            ("girst:x", "did you mean `grist`?"),
        ] {
            assert_eq!(parse_target(text).expect_err("refused").hint.as_deref(), Some(hint), "{text}");
        }
    }

    #[test]
    fn a_document_is_found_by_its_address_or_by_its_id_and_a_variable() {
        for (text, variable, expected) in [
            ("grist:kZ8mQv2Xw9Lr", "https://grist.example.org/", "https://grist.example.org/ kZ8mQv2Xw9Lr $GRIST_URL"),
            (
                "grist:https://grist.example.org/o/docs/kZ8mQv2Xw9Lr/Suivi/p/2",
                "",
                "https://grist.example.org/o/docs kZ8mQv2Xw9Lr --to",
            ),
            (
                "grist:https://grist.example.org/o/docs/kZ8mQv2Xw9Lr/Suivi",
                "https://grist.example.org",
                "https://grist.example.org/o/docs kZ8mQv2Xw9Lr --to",
            ),
        ] {
            let Ok(Target::Grist(found)) = target(text, variable) else { panic!("{text}") };
            let told = format!("{} {} {}", found.url.value, found.document, found.url.origin);
            assert_eq!(told, expected, "{text}");
            assert_eq!(found.key, Setting::default(SecretSource::Variable("GRIST_API_KEY".to_owned())));
            assert!(!found.options.restore_columns.value);
        }
    }

    #[test]
    fn a_key_goes_to_no_instance_that_it_was_not_meant_for() {
        for (text, variable, expected) in [
            ("grist:kZ8mQv2Xw9Lr", "", "--to: it is not said on which Grist the document is"),
            ("grist:kZ8mQv2Xw9Lr", "http://example.org", "--to: GRIST_URL: plain http to example.org"),
            (
                "grist:https://other.example.org/doc/kZ8mQv2Xw9Lr",
                "https://grist.example.org",
                "--to: the document is on https://other.example.org, and GRIST_URL says https://grist.example.org",
            ),
        ] {
            let error = target(text, variable).expect_err("refused");
            assert!(error.contains(expected), "{error}");
        }
    }
}
