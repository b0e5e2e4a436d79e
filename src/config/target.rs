//! Where dossiers go: what a file or a flag says of it, and what the environment adds.

use std::fmt;
use std::path::PathBuf;

use url::Url;

use super::defaults;
use super::document::{secret, unknown_name};
use super::error::ConfigError;
use super::keys;
use super::origin::{Origin, Setting};
use super::postgres::PostgresTarget;
use super::reader::{self, Source, Table};
use super::resolve::{Overrides, Variables, schema_of, wrong};
use super::values::{self, InvalidValue, SecretSource, parse_grist_url};
use crate::sink::{FileLimits, InvalidMediaRange, MediaRange};
use grist_client::{DocAddress, DocId, GristError};

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

/// A SQLite file.
#[derive(Clone, Debug, PartialEq)]
pub struct SqliteTarget {
    /// The path of the file.
    pub path: PathBuf,
}

impl fmt::Display for SqliteTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sqlite:{}", self.path.display())
    }
}

/// A Grist document and how to talk to it.
#[derive(Clone, Debug, PartialEq)]
pub struct GristTarget {
    /// The address of the instance, with its site (`/o/…`) where it has several.
    pub url: Setting<Url>,
    /// The document.
    pub document: DocId,
    /// Where the API key is.
    pub key: Setting<SecretSource>,
    /// True if columns of ours that somebody deleted are made again.
    pub restore_columns: Setting<bool>,
    /// True if files themselves are copied.
    pub files: Setting<bool>,
    /// The largest file that is copied, in bytes.
    pub files_max_size: Setting<u64>,
    /// The types of files that are copied; all when there are none.
    pub files_types: Setting<Vec<MediaRange>>,
    /// True if people decide in the document.
    pub decisions: Setting<bool>,
}

impl GristTarget {
    /// A document with nothing said about it but where it is.
    #[must_use]
    pub fn new(url: Setting<Url>, document: DocId) -> Self {
        Self {
            url,
            document,
            key: Setting::default(SecretSource::Variable(defaults::GRIST_KEY_ENV.to_owned())),
            restore_columns: Setting::default(defaults::RESTORE_COLUMNS),
            files: Setting::default(defaults::FILES),
            files_max_size: Setting::default(defaults::FILES_MAX_SIZE),
            files_types: Setting::default(Vec::new()),
            decisions: Setting::default(defaults::DECISIONS),
        }
    }

    /// Which files are copied; `None` where names and sizes are enough.
    #[must_use]
    pub fn limits(&self) -> Option<FileLimits> {
        let limits = || FileLimits { max_bytes: self.files_max_size.value, types: self.files_types.value.clone() };
        self.files.value.then(limits)
    }
}

impl Target {
    /// Takes what the instance of a job and flags say of the target.
    pub(super) fn complete(&mut self, instance: &str, flags: &Overrides) {
        match self {
            Self::Sqlite(_) => {}
            Self::Postgres(postgres) => postgres.schema = schema_of(instance),
            Self::Grist(grist) => {
                if flags.restore_columns {
                    grist.restore_columns = Setting { value: true, origin: Origin::Flag(RESTORE_COLUMNS) };
                }
                if flags.files {
                    grist.files = Setting { value: true, origin: Origin::Flag(FILES) };
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
            Self::Grist(grist) => write!(f, "grist:{}", grist.document),
        }
    }
}

/// Holds the keys of a target. Absent ones come from the environment, or have a default.
#[derive(Clone, Debug, PartialEq)]
pub enum TargetEntry {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A schema of PostgreSQL.
    Postgres(PostgresTarget),
    /// A Grist document.
    Grist(Box<GristEntry>),
}

/// Holds the keys of a Grist document.
#[derive(Clone, Debug, PartialEq)]
pub struct GristEntry {
    /// The document.
    pub document: DocId,
    /// The address of the instance; that of the document where it was given as an address.
    pub url: Option<Setting<Url>>,
    /// Where the API key is.
    pub key: Option<Setting<SecretSource>>,
    /// True if columns of ours that somebody deleted are made again.
    pub restore_columns: Option<Setting<bool>>,
    /// True if files themselves are copied.
    pub files: Option<Setting<bool>>,
    /// The largest file that is copied, in bytes.
    pub files_max_size: Option<Setting<u64>>,
    /// The types of files that are copied.
    pub files_types: Option<Setting<Vec<MediaRange>>>,
    /// True if people decide in the document.
    pub decisions: Option<Setting<bool>>,
}

impl fmt::Display for TargetEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
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
            Self::Grist(entry) => Some((entry.url.as_ref().map(|url| url.value.origin()), entry.key.is_some())),
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
            "postgres" => Some(PostgresTarget::read(table, source).map(Self::Postgres)),
            "grist" => GristEntry::read(table, source).map(|entry| entry.map(|entry| Self::Grist(Box::new(entry)))),
            _ => read_sqlite(table, source),
        }
    }

    /// Adds what the environment says.
    ///
    /// # Errors
    /// No address of Grist anywhere, or two that disagree: the key would go to the wrong one.
    pub fn complete(self, variables: Variables<'_>) -> Result<Target, InvalidValue> {
        let entry = match self {
            Self::Sqlite(path) => return Ok(Target::Sqlite(SqliteTarget { path })),
            Self::Postgres(postgres) => return Ok(Target::Postgres(postgres)),
            Self::Grist(entry) => *entry,
        };
        let Some(url) = grist_url(entry.url, entry.key.is_some(), variables)? else {
            return Err(InvalidValue::new("it is not said on which Grist the document is")
                .hint(format!("set {}, or give the whole address of the document", defaults::GRIST_URL_ENV)));
        };
        let plain = GristTarget::new(url, entry.document);
        Ok(Target::Grist(Box::new(GristTarget {
            key: entry.key.unwrap_or(plain.key),
            restore_columns: entry.restore_columns.unwrap_or(plain.restore_columns),
            files: entry.files.unwrap_or(plain.files),
            files_max_size: entry.files_max_size.unwrap_or(plain.files_max_size),
            files_types: entry.files_types.unwrap_or(plain.files_types),
            decisions: entry.decisions.unwrap_or(plain.decisions),
            ..plain
        })))
    }
}

/// The address of a Grist: the one that was said, else that of the environment. `own_key`: whether its key was named
/// beside it.
///
/// # Errors
/// A variable that is not an address; one that disagrees with what was said, unless the key was named too: whoever sets
/// the two variables of Grist means them for each other.
pub fn grist_url(
    said: Option<Setting<Url>>,
    own_key: bool,
    variables: Variables<'_>,
) -> Result<Option<Setting<Url>>, InvalidValue> {
    let variable = defaults::GRIST_URL_ENV;
    if own_key && said.is_some() {
        return Ok(said);
    }
    let Some(text) = variables(variable).filter(|value| !value.is_empty()) else { return Ok(said) };
    let around = parse_grist_url(&text)
        .map_err(|error| InvalidValue { message: format!("{variable}: {}", error.message), ..error })?;
    match said {
        Some(said) if said.value.origin() != around.origin() => {
            let [said, around] = [&said.value, &around].map(|url| url.origin().ascii_serialization());
            Err(InvalidValue::new(format!("the document is on {said}, and {variable} says {around}"))
                .hint(format!("unset {variable}, or name the key of the document in a configuration file")))
        }
        Some(said) => Ok(Some(said)),
        None => Ok(Some(Setting { value: around, origin: Origin::Environment(variable.to_owned()) })),
    }
}

fn read_sqlite(table: Table<'_, '_>, source: &mut Source<'_>) -> Option<Setting<TargetEntry>> {
    let file = source.path().to_owned();
    missing(table, source, "path", "the path of the file", "such as \"dossiers.db\"".to_owned());
    table.read(source, "path", |value| {
        let path = reader::text(value)?;
        if path.is_empty() {
            return Err(InvalidValue::new("the path is empty"));
        }
        Ok(TargetEntry::Sqlite(values::beside(&file, &path)))
    })
}

impl GristEntry {
    fn read(table: Table<'_, '_>, source: &mut Source<'_>) -> Option<Setting<Self>> {
        missing(
            table,
            source,
            "document",
            "the document",
            "its id, or its address as copied from a browser".to_owned(),
        );
        let url = table.read(source, "url", |value| parse_grist_url(&reader::text(value)?));
        let document = table.read(source, "document", |value| parse_document(&reader::text(value)?));
        let key = secret(table, source, "key-env", "key-file");
        let restore_columns = table.read(source, "restore-columns", reader::boolean);
        let files = table.read(source, "files", reader::boolean);
        let files_max_size = table.read(source, "files-max-size", reader::size);
        let files_types = table.read(source, "files-types", |value| {
            let range =
                |text: String| text.parse().map_err(|error: InvalidMediaRange| InvalidValue::new(error.to_string()));
            reader::texts(value)?.into_iter().map(range).collect::<Result<Vec<MediaRange>, _>>()
        });
        let decisions = table.read(source, "decisions", reader::boolean);
        let Setting { value: (document, address), origin } = document?;
        if let (Some(url), Some(address)) = (&url, &address)
            && url.value.origin() != address.origin()
        {
            let error = InvalidValue::new("the document is on another instance than `url`").hint("keep one of the two");
            source.report(table.offset_of("url"), table.key("url"), error);
        }
        // The address of a document names its site, which that of an instance may leave out.
        let url = address.map(|value| Setting { value, origin: origin.clone() }).or(url);
        let value = Self { document, url, key, restore_columns, files, files_max_size, files_types, decisions };
        Some(Setting { value, origin })
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

/// A document, and its instance when it is given as an address.
fn parse_document(text: &str) -> Result<(DocId, Option<Url>), InvalidValue> {
    let DocAddress { instance, doc } = DocAddress::parse(text).map_err(|error| match error {
        GristError::Settings { reason, .. } => {
            InvalidValue::new(reason).hint("open the document in a browser and copy its address")
        }
        other => InvalidValue::new(other.to_string()),
    })?;
    Ok((doc, instance.map(|text| parse_grist_url(&text)).transpose()?))
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
        "sqlite" => {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            if path.is_empty() || path == ":memory:" {
                return Err(InvalidValue::new("a SQLite target is a file").hint("write `sqlite:PATH`"));
            }
            Ok(TargetEntry::Sqlite(PathBuf::from(path)))
        }
        "postgres" | "postgresql" => PostgresTarget::parse(text).map(TargetEntry::Postgres),
        "grist" => {
            let (document, url) = parse_document(rest)?;
            let url = url.map(|value| Setting { value, origin: Origin::Flag("--to") });
            Ok(TargetEntry::Grist(Box::new(GristEntry {
                document,
                url,
                key: None,
                restore_columns: None,
                files: None,
                files_max_size: None,
                files_types: None,
                decisions: None,
            })))
        }
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

    fn target(text: &str, grist_url: &str) -> Result<Target, String> {
        let variables = |name: &str| (name == "GRIST_URL").then(|| grist_url.to_owned());
        resolve_target(text, &variables).map_err(|error| error.to_string())
    }

    #[test]
    fn targets_as_flags_write_them() {
        let sqlite = |path: &str| Some(TargetEntry::Sqlite(PathBuf::from(path)));
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
