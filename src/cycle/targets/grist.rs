//! Documents of Grist as targets.

use futures_util::future::BoxFuture;
use grist_client::{Access, Client, Doc, DocId, Features, GristError};
use secrecy::SecretString;
use url::Url;

use super::{Findings, TargetKind};
use crate::config::{GristOptions, GristTarget, Secrets, SettingOrigin, show_size};
use crate::cycle::CycleError;
use crate::sink::grist::Opening;
use crate::sink::{AnySink, FileLimits, GristSink, SinkError};

/// Names an API key of Grist in messages.
pub const GRIST_KEY: &str = "API key of Grist";

/// A document always is there: nobody makes one by opening it.
impl TargetKind for GristTarget {
    fn open<'a>(&'a self, secrets: &'a Secrets) -> BoxFuture<'a, Result<AnySink, CycleError>> {
        Box::pin(async {
            let opening = self.opening(secrets)?.restore_columns(self.options.restore_columns.value);
            Ok(open_document(opening.decisions(self.options.decisions.value), self.limits()).await?)
        })
    }

    fn open_if_there<'a>(&'a self, secrets: &'a Secrets) -> BoxFuture<'a, Result<Option<AnySink>, CycleError>> {
        Box::pin(async { self.open(secrets).await.map(Some) })
    }

    fn open_to_read<'a>(&'a self, secrets: &'a Secrets) -> BoxFuture<'a, Result<AnySink, CycleError>> {
        Box::pin(async {
            let opening = self.opening(secrets)?.decisions(self.options.decisions.value);
            Ok(opening.open_read_only().await?.into())
        })
    }

    fn open_to_read_if_there<'a>(&'a self, secrets: &'a Secrets) -> BoxFuture<'a, Result<Option<AnySink>, CycleError>> {
        Box::pin(async { self.open_to_read(secrets).await.map(Some) })
    }

    fn is_locked<'a>(&'a self, secrets: &'a Secrets) -> BoxFuture<'a, Result<bool, CycleError>> {
        Box::pin(async { Ok(GristSink::is_locked(doc(self, secrets)?).await?) })
    }

    fn check<'a>(&'a self, secrets: &'a Secrets) -> BoxFuture<'a, Findings> {
        Box::pin(async move {
            let mut findings = Findings::default();
            findings.usable = self.examine(&mut findings, secrets).await;
            findings
        })
    }

    fn identity(&self) -> String {
        format!("{} {}", self.url.value, self.document)
    }

    fn how_to_look(&self, _: u32) -> String {
        format!("document: {}\n", page_of(self))
    }

    fn document(&self) -> Option<&GristTarget> {
        Some(self)
    }

    fn keeps_files(&self) -> bool {
        self.limits().is_some()
    }

    fn settings(&self) -> Vec<(&'static str, String, &SettingOrigin)> {
        let Self { url, document: _, key, options } = self;
        let GristOptions { restore_columns, files, files_max_size, files_types, decisions, cache } = options;
        let mut settings = vec![
            ("url", url.value.to_string(), &url.origin),
            ("key", key.value.to_string(), &key.origin),
            ("restore-columns", restore_columns.value.to_string(), &restore_columns.origin),
            ("files", files.value.to_string(), &files.origin),
        ];
        if files.value {
            let types: Vec<String> = files_types.value.iter().map(ToString::to_string).collect();
            let types = if types.is_empty() { "all".to_owned() } else { types.join(", ") };
            settings.push(("files-max-size", show_size(files_max_size.value), &files_max_size.origin));
            settings.push(("files-types", types, &files_types.origin));
        }
        settings.push(("decisions", decisions.value.to_string(), &decisions.origin));
        settings.extend(cache.as_ref().map(|cache| ("cache", cache.value.display().to_string(), &cache.origin)));
        settings
    }
}

impl GristTarget {
    /// Begins to open the document, with the directory where its structure is kept between runs.
    fn opening(&self, secrets: &Secrets) -> Result<Opening, CycleError> {
        let opening = GristSink::of(doc(self, secrets)?);
        Ok(match self.cache() {
            Some(directory) => opening.cache(directory),
            None => opening,
        })
    }

    /// Checks key, document, access, SQL, access rules, and that the document is no copy.
    async fn examine(&self, findings: &mut Findings, secrets: &Secrets) -> bool {
        if let Err(error) = secrets.read(GRIST_KEY, &self.key.value) {
            findings.fail("Grist key", &error.into());
            return false;
        }
        findings.ok("Grist key", format!("found in {}", self.key.value));
        let doc = match doc(self, secrets) {
            Ok(doc) => doc,
            Err(error) => {
                findings.fail("Grist", &error);
                return false;
            }
        };
        let info = match doc.info().await {
            Ok(info) => info,
            Err(error) => {
                refused(findings, error);
                return false;
            }
        };
        let place = format!("“{}” in “{}”, {}", info.name, info.workspace, info.org);
        match info.access {
            Access::Viewer => {
                let hint = "share it with the account of the key as owner, or at least as editor";
                findings.refused("document", format!("{place}: the key may only read it"), hint);
                return false;
            }
            Access::Editor => findings.ok("document", format!("{place}: the key is an editor")),
            Access::Owner => findings.ok("document", format!("{place}: the key is an owner")),
        }
        match doc.features().await {
            Ok(features) => sql(findings, features),
            Err(error) => {
                refused(findings, error);
                return false;
            }
        }
        match GristSink::of(doc).decisions(self.options.decisions.value).open_read_only().await {
            Ok(sink) => {
                hidden(findings, sink.hidden().await);
                match sink.copied_from().await {
                    Ok(None) => {}
                    Ok(Some(of)) => {
                        let hint = "send from the original, or once with `dn push --adopt --apply`";
                        let found = format!("it is a copy of {of}: `dn push` refuses to send from it");
                        findings.warn("document", found, Some(hint));
                    }
                    Err(error) => findings.fail("document", &error.into()),
                }
                drop(sink.close().await);
                true
            }
            Err(error) => {
                findings.fail("target", &error.into());
                false
            }
        }
    }
}

/// Checks that access rules hide none of our tables: Grist takes no upsert of a table of which a key does not see everything.
fn hidden(findings: &mut Findings, hidden: Result<Vec<String>, SinkError>) {
    match hidden {
        Ok(hidden) if hidden.is_empty() => {}
        Ok(hidden) => {
            let found = format!("access rules hide {} from the key: its table cannot be written", hidden.join(", "));
            let hint = "make the account of the key an owner, or let it read all of these tables";
            findings.refused("access rules", found, hint);
        }
        Err(error) => findings.fail("access rules", &error.into()),
    }
}

fn sql(findings: &mut Findings, features: Features) {
    let version = features.at_least().map(|version| format!("version {version} or later; ")).unwrap_or_default();
    if features.sql {
        findings.ok("Grist", format!("{version}SQL is open to the key"));
    } else {
        let hint = "access rules close it to all but owners: with the key of an owner a sync asks less";
        findings.warn("Grist", format!("{version}no SQL for this key: more requests, same result"), Some(hint));
    }
}

/// Adds a refusal of the document. Grist answers from memory for a moment after a document was shared.
fn refused(findings: &mut Findings, error: GristError) {
    let fresh = matches!(error, GristError::Forbidden { .. } | GristError::NoDocument { .. });
    findings.fail("document", &error.into());
    if fresh && let Some(last) = findings.found.last_mut() {
        let hint = last.hint.take().unwrap_or_default();
        last.hint = Some(format!("{hint}; Grist takes some seconds to notice that a document was shared"));
    }
}

/// Opens a document for writing, with the files that it is to keep.
///
/// # Errors
/// It cannot be opened, or another run holds it.
pub async fn open_document(mut opening: Opening, limits: Option<FileLimits>) -> Result<AnySink, SinkError> {
    if let Some(limits) = limits {
        opening = opening.files(limits);
    }
    Ok(opening.open().await?.into())
}

/// Opens a document for reading.
///
/// # Errors
/// It cannot be opened.
pub async fn open_document_to_read(doc: Doc) -> Result<AnySink, SinkError> {
    Ok(GristSink::of(doc).open_read_only().await?.into())
}

/// Gives the document of a target, with the key from where the settings say that it is. Nothing is sent.
///
/// # Errors
/// No key where the settings say; an address that cannot be used.
pub fn doc(target: &GristTarget, secrets: &Secrets) -> Result<Doc, CycleError> {
    let key = secrets.read(GRIST_KEY, &target.key.value)?;
    Ok(instance(&target.url.value, key)?.doc(target.document.clone()))
}

/// Gives the document of a target as the person whose access token this is, without the key. Nothing is sent.
///
/// # Errors
/// As [`doc`].
pub fn doc_as_person(target: &GristTarget, secrets: &Secrets, token: SecretString) -> Result<Doc, CycleError> {
    let key = secrets.read(GRIST_KEY, &target.key.value)?;
    Ok(instance(&target.url.value, key)?.as_person(token).doc(target.document.clone()))
}

/// Makes a client of an instance. Nothing is sent.
///
/// # Errors
/// An address that cannot be used.
pub fn instance(url: &Url, key: SecretString) -> Result<Client, GristError> {
    Client::builder(url.as_str()).key(key).user_agent(crate::USER_AGENT).build()
}

/// Gives the address at which people open the document of a target.
#[must_use]
pub fn page_of(target: &GristTarget) -> String {
    page(&target.url.value, &target.document)
}

/// Gives the address at which people open a document of an instance.
#[must_use]
pub fn page(url: &Url, document: &DocId) -> String {
    format!("{}/doc/{document}", url.as_str().trim_end_matches('/'))
}
