//! Grist documents: their keys, reading them, and what the environment adds.

use std::fmt;

use url::Url;

use super::missing;
use crate::config::defaults;
use crate::config::document::secret;
use crate::config::origin::{Setting, SettingOrigin};
use crate::config::reader::{self, Source, Table};
use crate::config::resolve::Variables;
use crate::config::values::{InvalidValue, SecretSource, parse_grist_url};
use crate::sink::{FileLimits, InvalidMediaRange, MediaRange};
use grist_client::{DocAddress, DocId, GristError};

/// The value of `type`.
pub(in crate::config) const TYPE: &str = "grist";
/// The keys.
pub(in crate::config) const KEYS: &[&str] = &[
    "url",
    "document",
    "key-env",
    "key-file",
    "restore-columns",
    "files",
    "files-max-size",
    "files-types",
    "decisions",
];

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

    /// Gives the limits of the files that are copied; `None` where names and sizes are enough.
    #[must_use]
    pub fn limits(&self) -> Option<FileLimits> {
        let limits = || FileLimits { max_bytes: self.files_max_size.value, types: self.files_types.value.clone() };
        self.files.value.then(limits)
    }
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

impl fmt::Display for GristTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "grist:{}", self.document)
    }
}

impl GristEntry {
    /// Gives the host that receives the API key, if it is said.
    pub(super) fn host(&self) -> Option<url::Origin> {
        self.url.as_ref().map(|url| url.value.origin())
    }

    /// Reads what follows `grist:` in a flag.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidValue> {
        let (document, url) = parse_document(text)?;
        let url = url.map(|value| Setting { value, origin: SettingOrigin::Flag("--to") });
        Ok(Self {
            document,
            url,
            key: None,
            restore_columns: None,
            files: None,
            files_max_size: None,
            files_types: None,
            decisions: None,
        })
    }

    /// Adds what the environment says.
    ///
    /// # Errors
    /// No address of Grist anywhere, or two that disagree: the key would go to the wrong one.
    pub(super) fn complete(self, variables: Variables<'_>) -> Result<GristTarget, InvalidValue> {
        let Some(url) = grist_url(self.url, self.key.is_some(), variables)? else {
            return Err(InvalidValue::new("it is not said on which Grist the document is")
                .hint(format!("set {}, or give the whole address of the document", defaults::GRIST_URL_ENV)));
        };
        let plain = GristTarget::new(url, self.document);
        Ok(GristTarget {
            key: self.key.unwrap_or(plain.key),
            restore_columns: self.restore_columns.unwrap_or(plain.restore_columns),
            files: self.files.unwrap_or(plain.files),
            files_max_size: self.files_max_size.unwrap_or(plain.files_max_size),
            files_types: self.files_types.unwrap_or(plain.files_types),
            decisions: self.decisions.unwrap_or(plain.decisions),
            ..plain
        })
    }

    /// Reads `[targets.NAME]` of type `grist`.
    pub(super) fn read(table: Table<'_, '_>, source: &mut Source<'_>) -> Option<Setting<Self>> {
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
        None => Ok(Some(Setting { value: around, origin: SettingOrigin::Environment(variable.to_owned()) })),
    }
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
