//! Targets: what a file or a flag says of one, and what the environment adds. Each kind has its keys and its reading in a file of
//! its own.

pub(super) mod grist;
pub(super) mod postgres;
pub(super) mod sqlite;

use std::fmt;

use super::document::unknown_name;
use super::error::ConfigError;
use super::keys;
use super::origin::{Setting, SettingOrigin};
use super::reader::{self, Source, Table};
use super::resolve::{Overrides, Variables, schema_of, wrong};
use super::values::InvalidValue;

pub use grist::{GristEntry, GristTarget, grist_url};
pub use postgres::PostgresTarget;
pub use sqlite::SqliteTarget;

const RESTORE_COLUMNS: &str = "--restore-columns";
const FILES: &str = "--files";

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
            Self::Grist(grist) => {
                if flags.restore_columns {
                    grist.restore_columns = Setting { value: true, origin: SettingOrigin::Flag(RESTORE_COLUMNS) };
                }
                if flags.files {
                    grist.files = Setting { value: true, origin: SettingOrigin::Flag(FILES) };
                }
            }
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

/// Holds the keys of a target. Absent ones come from the environment, or have a default.
#[derive(Clone, Debug, PartialEq)]
pub enum TargetEntry {
    /// A SQLite file.
    Sqlite(SqliteTarget),
    /// A schema of PostgreSQL.
    Postgres(PostgresTarget),
    /// A Grist document.
    Grist(Box<GristEntry>),
}

impl fmt::Display for TargetEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(sqlite) => sqlite.fmt(f),
            Self::Postgres(postgres) => postgres.fmt(f),
            Self::Grist(grist) => write!(f, "grist:{}", grist.document),
        }
    }
}

impl TargetEntry {
    /// Gives the host that receives the key of the target, if it is said, and if the key is named; `None` for a target
    /// without a key.
    pub(super) fn key(&self) -> Option<(Option<url::Origin>, bool)> {
        match self {
            Self::Sqlite(_) | Self::Postgres(_) => None,
            Self::Grist(entry) => Some((entry.host(), entry.key.is_some())),
        }
    }

    /// Reads one `[targets.NAME]` table. `None` when it lacks what makes a target.
    pub(super) fn read(table: Table<'_, '_>, source: &mut Source<'_>) -> Option<Setting<Self>> {
        table.refuse_unknown(source, keys::TARGET);
        let types = || keys::TARGET_TYPES.iter().map(|(name, _)| *name);
        let kind = table.read(source, "type", |value| {
            let name = reader::text(value)?;
            types().find(|known| *known == name).ok_or_else(|| unknown_name("type of target", &name, types()))
        });
        let Some(kind) = kind else {
            missing(table, source, "type", "the type of the target", format!("one of: {}", join(types())));
            return None;
        };
        for (owner, keys) in keys::TARGET_TYPES.iter().filter(|(name, _)| *name != kind.value) {
            for key in keys.iter().filter(|key| table.has(key)) {
                let error = InvalidValue::new(format!("a target of type \"{}\" has no `{key}`", kind.value));
                let error = error.hint(format!("it belongs to type \"{owner}\""));
                source.report(table.offset_of(key), table.key(key), error);
            }
        }
        match kind.value {
            sqlite::TYPE => SqliteTarget::read(table, source).map(|target| target.map(Self::Sqlite)),
            postgres::TYPE => Some(PostgresTarget::read(table, source).map(Self::Postgres)),
            grist::TYPE => GristEntry::read(table, source).map(|entry| entry.map(|entry| Self::Grist(Box::new(entry)))),
            other => unreachable!("`{other}` is one of the types"),
        }
    }

    /// Adds what the environment says.
    ///
    /// # Errors
    /// No address of Grist anywhere, or two that disagree: the key would go to the wrong one.
    pub fn complete(self, variables: Variables<'_>) -> Result<Target, InvalidValue> {
        match self {
            Self::Sqlite(sqlite) => Ok(Target::Sqlite(sqlite)),
            Self::Postgres(postgres) => Ok(Target::Postgres(postgres)),
            Self::Grist(entry) => Ok(Target::Grist(Box::new(entry.complete(variables)?))),
        }
    }
}

/// Reports a key that must be there and is not.
fn missing(table: Table<'_, '_>, source: &mut Source<'_>, key: &str, what: &str, hint: String) {
    if !table.has(key) {
        let error = InvalidValue::new(format!("{what} is missing")).hint(hint);
        source.report(table.offset, table.key(key), error);
    }
}

fn join<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.collect::<Vec<_>>().join(", ")
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
    match kind {
        sqlite::TYPE => SqliteTarget::parse(rest).map(TargetEntry::Sqlite),
        postgres::TYPE | "postgresql" => PostgresTarget::parse(text).map(TargetEntry::Postgres),
        grist::TYPE => GristEntry::parse(rest).map(|entry| TargetEntry::Grist(Box::new(entry))),
        "http" | "https" => Err(InvalidValue::new("an address does not say which type of target it is")
            .hint(format!("did you mean `grist:{text}`?"))),
        other => Err(unknown_name("type of target", other, keys::TARGET_TYPES.iter().map(|(name, _)| *name))),
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
        let sqlite = |path: &str| Some(TargetEntry::Sqlite(SqliteTarget { path: path.into() }));
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
            assert!(!found.restore_columns.value);
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
