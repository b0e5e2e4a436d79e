//! Grist documents: their keys, reading them, and what the environment adds.

use std::fmt;
use std::path::PathBuf;

use url::Url;

use super::{FILES, RESTORE_COLUMNS, TargetEntry, TargetType};
use crate::config::defaults;
use crate::config::keys::{self, Keys};
use crate::config::kinds::{boolean, size, text, texts, unreadable};
use crate::config::origin::{Setting, SettingOrigin};
use crate::config::resolve::{Overrides, Variables};
use crate::config::values::{InvalidValue, SecretSource, parse_grist_url};
use crate::sink::{FileLimits, InvalidMediaRange, MediaRange};
use grist_client::{DocAddress, DocId, GristError};

/// Registers documents of Grist.
pub(super) const TYPE: TargetType = TargetType {
    names: &["grist"],
    sample: "equipe",
    about: "A Grist document; `dn init grist` guides a person to one. Flag --to grist:DOCUMENT.",
    declare: GristEntry::declare,
    parse: GristEntry::parse,
};

/// A Grist document and how to talk to it.
#[derive(Clone, Debug, PartialEq)]
pub struct GristTarget {
    /// The address of the instance, with its site (`/o/…`) where it has several.
    pub url: Setting<Url>,
    /// The document.
    pub document: DocId,
    /// Where the API key is.
    pub key: Setting<SecretSource>,
    /// Uses of the document.
    pub options: GristOptions,
}

/// Uses of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct GristOptions {
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
    /// The directory where the structure of the document is kept between runs, empty for none; `None` where nothing says.
    pub cache: Option<Setting<PathBuf>>,
}

impl GristTarget {
    /// A document with nothing said about it but where it is.
    #[must_use]
    pub fn new(url: Setting<Url>, document: DocId) -> Self {
        Self {
            url,
            document,
            key: Setting::default(SecretSource::Variable(defaults::GRIST_KEY_ENV.to_owned())),
            options: GristOptions::default(),
        }
    }

    /// Gives the limits of the files that are copied; `None` where names and sizes are enough.
    #[must_use]
    pub fn limits(&self) -> Option<FileLimits> {
        let GristOptions { files, files_max_size, files_types, .. } = &self.options;
        let limits = || FileLimits { max_bytes: files_max_size.value, types: files_types.value.clone() };
        files.value.then(limits)
    }

    /// Gives the directory where the structure of the document is kept between runs, if there is one.
    #[must_use]
    pub fn cache(&self) -> Option<&PathBuf> {
        self.options.cache.as_ref().map(|cache| &cache.value).filter(|path| !path.as_os_str().is_empty())
    }

    /// Takes what flags say.
    pub(super) fn take_flags(&mut self, flags: &Overrides) {
        if flags.restore_columns {
            self.options.restore_columns = Setting { value: true, origin: SettingOrigin::Flag(RESTORE_COLUMNS) };
        }
        if flags.files {
            self.options.files = Setting { value: true, origin: SettingOrigin::Flag(FILES) };
        }
    }
}

impl GristOptions {
    fn declare(keys: &mut Keys<'_, '_>) -> Self {
        let range = |text: String| text.parse().map_err(|error: InvalidMediaRange| unreadable(error));
        Self {
            restore_columns: keys.default(
                "restore-columns",
                boolean(),
                "false",
                "Whether columns that somebody deleted from the document are made again. Flag --restore-columns of `dn sync`.",
            ),
            files: keys.default(
                "files",
                boolean(),
                "false",
                "Whether files themselves are copied into the document, once a content, and not their names and sizes alone. Flag \
                 --files of `dn sync`. What that costs: docs/grist.md.",
            ),
            files_max_size: keys.default(
                "files-max-size",
                size(),
                "10 MB",
                "The largest file that is copied: a whole number of \"kB\", \"MB\" or \"GB\".",
            ),
            files_types: keys.default(
                "files-types",
                texts().then(move |texts| texts.into_iter().map(range).collect()).hint("such as [\"application/pdf\"]"),
                "[]",
                "The types of files that are copied, such as [\"application/pdf\", \"image/*\"]; all when there are none.",
            ),
            decisions: keys.default(
                "decisions",
                boolean(),
                "false",
                "Whether people decide in the document: its tables of dossiers get the columns for it, and `dn push` takes what is \
                 ticked there. An agent's day: docs/grist.md.",
            ),
            cache: keys.optional(
                "cache",
                text().then(|text| Ok(PathBuf::from(text))),
                "/var/cache/dn",
                "Where tables, columns and state of the document are kept between runs, in a file for the account of the program \
                 alone, so that a run reads them only if they moved. \"\" for nowhere: every run reads them. Default: the cache of \
                 the service (variable CACHE_DIRECTORY) or of the account (XDG_CACHE_HOME, else HOME).",
            ),
        }
    }
}

impl Default for GristOptions {
    fn default() -> Self {
        keys::unsaid(Self::declare).0
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
    /// Uses of the document.
    pub options: GristOptions,
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
    fn parse(_: &str, rest: &str) -> Result<TargetEntry, InvalidValue> {
        let (document, url) = parse_document(rest)?;
        let url = url.map(|value| Setting { value, origin: SettingOrigin::Flag("--to") });
        Ok(TargetEntry::Grist(Box::new(Self { document, url, key: None, options: GristOptions::default() })))
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
        let cache = self.options.cache.clone().or_else(|| usual_cache(variables));
        let options = GristOptions { cache, ..self.options };
        Ok(GristTarget { key: self.key.unwrap_or(plain.key), options, ..plain })
    }

    /// Declares the keys of a document.
    fn declare(keys: &mut Keys<'_, '_>) -> Option<Setting<TargetEntry>> {
        let url = keys.optional(
            "url",
            text().then(|text| parse_grist_url(&text)),
            "https://grist.example.org",
            "The address of the instance. Default: that of the document where it is given as an address, else variable GRIST_URL.",
        );
        let document = keys.required(
            "document",
            text().then(|text| parse_document(&text)).hint("its id, or its address as copied from a browser"),
            "kZ8mQv2Xw9LrTn3FpB6sYd",
            "the document",
            "The document: its id, or its address as copied from a browser.",
        );
        let key = keys.secret(
            (
                "key-env",
                defaults::GRIST_KEY_ENV,
                "The environment variable that holds the API key (default: GRIST_API_KEY). With several instances of Grist each \
                 target must name its own.",
            ),
            ("key-file", "/run/secrets/grist-key", "Instead of a variable: a file whose first line is the key."),
        );
        let options = GristOptions::declare(keys);
        let Setting { value: (document, address), origin } = document?;
        if let (Some(url), Some(address)) = (&url, &address)
            && url.value.origin() != address.origin()
        {
            let error = InvalidValue::new("the document is on another instance than `url`").hint("keep one of the two");
            keys.refuse("url", error);
        }
        // The address of a document names its site, which that of an instance may leave out.
        let url = address.map(|value| Setting { value, origin: origin.clone() }).or(url);
        Some(Setting { value: TargetEntry::Grist(Box::new(Self { document, url, key, options })), origin })
    }
}

/// Finds the directory for what may be lost: the one that systemd gives a service, else that of the account.
fn usual_cache(variables: Variables<'_>) -> Option<Setting<PathBuf>> {
    let places = [("CACHE_DIRECTORY", ""), ("XDG_CACHE_HOME", "dn"), ("HOME", ".cache/dn")];
    places.into_iter().find_map(|(variable, below)| {
        // systemd may give several, with colons between them.
        let value = variables(variable)?.split(':').next().map(PathBuf::from).filter(|path| path.is_absolute())?;
        Some(Setting { value: value.join(below), origin: SettingOrigin::Environment(variable.to_owned()) })
    })
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
