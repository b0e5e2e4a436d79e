//! Parses addresses as people paste them: an instance, a document. Pure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Url;

use super::error::GristError;
use bearer_http::address;

/// First parts of a path that belong to Grist's own pages, behind which nothing is the instance's address.
const PAGES: &[&str] = &[
    "api", "doc", "docs", "ws", "p", "s", "account", "admin", "billing", "boot", "login", "signin", "signup", "logout",
    "welcome", "forms",
];

/// The id of a document, as in its address. Forks and snapshots (with `~`) are refused: what is written there is a private
/// copy. The short form of addresses is taken as it is; [`Doc::info`](super::Doc::info) tells the full one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DocId(String);

impl DocId {
    /// Takes an id, or the address of a document as copied from a browser.
    ///
    /// # Errors
    /// [`GristError::Settings`], when there is no id in it, or that of a fork.
    pub fn parse(text: &str) -> Result<Self, GristError> {
        DocAddress::parse(text).map(|address| address.doc)
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An id alone.
    fn bare(text: &str) -> Result<Self, GristError> {
        if text.contains('~') {
            return Err(unfit("it is a fork or a snapshot, a private copy: give the address of the document itself"));
        }
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if text.is_empty() || text.len() > 128 || !text.bytes().all(fits) {
            return Err(unfit("it is neither the id of a document nor its address"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for DocId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DocId {
    type Err = GristError;
    fn from_str(text: &str) -> Result<Self, GristError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for DocId {
    type Error = GristError;
    fn try_from(text: String) -> Result<Self, GristError> {
        Self::bare(&text)
    }
}

impl From<DocId> for String {
    fn from(id: DocId) -> Self {
        id.0
    }
}

/// A document, and where it is when that was said too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocAddress {
    /// The address of the instance, `/o/<org>` included; `None` when only an id was given.
    pub instance: Option<String>,
    /// The document.
    pub doc: DocId,
}

impl DocAddress {
    /// Takes an id, or an address as copied from a browser: `…/o/docs/doc/<id>/p/2`, `…/<id>/<name>`,
    /// `…/api/docs/<id>`.
    ///
    /// # Errors
    /// [`GristError::Settings`], when no document is named, or a fork.
    pub fn parse(text: &str) -> Result<Self, GristError> {
        let text = text.trim();
        if !text.contains("://") {
            return Ok(Self { instance: None, doc: DocId::bare(text)? });
        }
        let (url, _) = address(text)?;
        let (base, rest) = split(&url);
        let named = match rest.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["api", "docs", id, ..] | ["doc", id, ..] => DocId::bare(id)?,
            ["s" | "forms", ..] => return Err(unfit("it is the address of a share, not of the document")),
            [id, ..] if looks_like_id(id) || is_custom(id) => DocId::bare(id)?,
            _ => {
                let nothing = || unfit("the address names no document: open the document and copy its address");
                return custom(&url).ok_or_else(nothing);
            }
        };
        Ok(Self { instance: Some(base.to_string()), doc: named })
    }
}

/// The shortest custom address of a document that Grist tells from its own pages.
const SHORTEST: usize = 12;

/// Pages of Grist's own that are as long.
const LONG_PAGES: [&str; 2] = ["forgot-password", "site-settings"];

/// Returns `true` if a part of a path is the address that somebody gave a document, as Grist tells it. A fork counts: it is told as
/// one.
fn is_custom(part: &str) -> bool {
    let named = part.split('~').next().unwrap_or_default();
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    named.len() >= SHORTEST && named.bytes().all(fits) && !LONG_PAGES.contains(&named)
}

/// A document by the address that somebody gave it, where no part of the path says where the instance ends: the first part
/// that may be one.
fn custom(url: &Url) -> Option<DocAddress> {
    let parts: Vec<&str> = url.path_segments()?.filter(|part| !part.is_empty()).collect();
    let at = parts.iter().position(|part| is_custom(part))?;
    if parts[..at].iter().any(|part| PAGES.contains(part)) {
        return None;
    }
    let mut base = url.clone();
    base.set_query(None);
    base.set_fragment(None);
    base.set_path(&parts[..at].join("/"));
    Some(DocAddress { instance: Some(base.to_string()), doc: DocId::bare(parts[at]).ok()? })
}

/// The API of an instance, from any address of it, and whether it is this very machine.
pub(super) fn api_base(text: &str) -> Result<(Url, bool), GristError> {
    let (url, loopback) = address(text)?;
    let (mut base, _) = split(&url);
    // An address that cannot be a base was refused with its scheme.
    if let Ok(mut path) = base.path_segments_mut() {
        path.pop_if_empty().push("api");
    }
    Ok((base, loopback))
}

/// The address of the instance, with its site, and what follows in the path.
fn split(url: &Url) -> (Url, Vec<String>) {
    let parts: Vec<String> =
        url.path_segments().into_iter().flatten().filter(|s| !s.is_empty()).map(str::to_owned).collect();
    let site = parts.iter().position(|part| part == "o").filter(|at| at + 1 < parts.len()).map(|at| at + 2);
    let page = || parts.iter().position(|part| PAGES.contains(&part.as_str()) || looks_like_id(part));
    // A page of a document comes after its address and its name.
    let of = |at: usize| at.checked_sub(2).filter(|of| parts[at] == "p" && is_custom(&parts[*of])).unwrap_or(at);
    let at = site.or_else(|| page().map(of)).unwrap_or(parts.len());
    let mut base = url.clone();
    base.set_query(None);
    base.set_fragment(None);
    base.set_path(&parts[..at].join("/"));
    (base, parts[at..].to_vec())
}

/// Returns `true` if a part of a path is an id of a document: twelve characters or more, capitals and small ones or digits, as Grist
/// draws them. A fork counts: it is told as one.
fn looks_like_id(part: &str) -> bool {
    let id = part.split('~').next().unwrap_or_default();
    id.len() >= 12
        && id.bytes().all(|b| b.is_ascii_alphanumeric())
        && id.bytes().any(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

fn unfit(reason: &str) -> GristError {
    GristError::Settings { setting: "document", reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_is_found_in_any_address_of_it() {
        let rows = [
            ("https://grist.example.org", "https://grist.example.org/api"),
            (" https://grist.example.org/ ", "https://grist.example.org/api"),
            ("https://grist.example.org/api", "https://grist.example.org/api"),
            ("https://grist.example.org/api/", "https://grist.example.org/api"),
            ("https://grist.example.org/o/docs", "https://grist.example.org/o/docs/api"),
            ("https://grist.example.org/o/docs/", "https://grist.example.org/o/docs/api"),
            ("https://grist.example.org/o/docs/api/", "https://grist.example.org/o/docs/api"),
            ("https://grist.example.org/o/docs/ws/12/", "https://grist.example.org/o/docs/api"),
            ("https://example.org/grist/", "https://example.org/grist/api"),
            ("https://example.org/grist/api", "https://example.org/grist/api"),
            ("https://grist.example.org/o/docs/doc/kZ8mQv2Xw9Lr?a=1#b", "https://grist.example.org/o/docs/api"),
            ("https://grist.example.org/kZ8mQv2Xw9Lr/Mes-dossiers/p/3", "https://grist.example.org/api"),
            ("https://mairie.example.org/suivi-des-demandes/Suivi/p/3", "https://mairie.example.org/api"),
            ("http://localhost:8484/o/docs", "http://localhost:8484/o/docs/api"),
        ];
        for (text, expected) in rows {
            let (base, _) = api_base(text).expect(text);
            assert_eq!(base.as_str(), expected, "{text}");
        }
        for text in ["", "grist.example.org", "http://grist.example.org", "ftp://localhost/", "https://a:b@example.org"]
        {
            let error = api_base(text).expect_err(text);
            assert!(matches!(error, GristError::Settings { setting: "url", .. }), "{text}: {error}");
        }
    }

    #[test]
    fn a_document_is_found_in_its_address() {
        let rows = [
            ("kZ8mQv2Xw9LrT4sYb7NcPd", None, "kZ8mQv2Xw9LrT4sYb7NcPd"),
            (" kZ8mQv2Xw9Lr\n", None, "kZ8mQv2Xw9Lr"),
            ("https://grist.example.org/doc/kZ8mQv2Xw9Lr", Some("https://grist.example.org/"), "kZ8mQv2Xw9Lr"),
            (
                "https://grist.example.org/o/docs/doc/kZ8mQv2Xw9Lr/p/2#a1",
                Some("https://grist.example.org/o/docs"),
                "kZ8mQv2Xw9Lr",
            ),
            (
                "https://grist.example.org/o/docs/kZ8mQv2Xw9Lr/Suivi/p/2",
                Some("https://grist.example.org/o/docs"),
                "kZ8mQv2Xw9Lr",
            ),
            (
                "https://grist.example.org/api/docs/kZ8mQv2Xw9LrT4sYb7NcPd/tables",
                Some("https://grist.example.org/"),
                "kZ8mQv2Xw9LrT4sYb7NcPd",
            ),
        ];
        for (text, instance, doc) in rows {
            let address = DocAddress::parse(text).expect(text);
            assert_eq!((address.instance.as_deref(), address.doc.as_str()), (instance, doc), "{text}");
        }
        // Addresses that people gave their documents, on sites and domains of their own.
        let custom = [
            ("https://grist.example.org/o/mairie/suivi-des-demandes/Suivi/p/2", "o/mairie", "suivi-des-demandes"),
            ("https://mairie.example.org/suivi-des-demandes", "", "suivi-des-demandes"),
            ("https://mairie.example.org/suivi-des-demandes/Suivi/p/4?a=1#b", "", "suivi-des-demandes"),
            ("https://mairie.example.org/o/mairie/doc/demandes", "o/mairie", "demandes"),
            ("https://mairie.example.org/doc/demandes/p/2", "", "demandes"),
            ("https://mairie.example.org/outils/suivi-des-demandes/Suivi", "outils", "suivi-des-demandes"),
        ];
        for (text, site, doc) in custom {
            let address = DocAddress::parse(text).expect(text);
            let host = text.split('/').nth(2).expect("a host");
            let instance = format!("https://{host}/{site}");
            assert_eq!((address.instance, address.doc.as_str()), (Some(instance), doc), "{text}");
        }
        for text in [
            "https://grist.example.org/o/docs/site-settings",
            "https://grist.example.org/forgot-password",
            "https://grist.example.org/s/abcdefghijkl",
            "https://grist.example.org/o/mairie/forms/abcdefghijklmn/4",
            "https://grist.example.org/o/mairie/p/trash",
        ] {
            assert!(DocAddress::parse(text).is_err(), "{text}");
        }
        for text in ["", "a b", "é", "../x", "https://grist.example.org/o/docs/ws/12/", "https://grist.example.org"] {
            assert!(DocId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_fork_is_refused_and_said_to_be_one() {
        for text in [
            "kZ8mQv2Xw9LrT4sYb7NcPd~fGh",
            "new~kZ8mQv2Xw9Lr",
            "https://grist.example.org/doc/kZ8mQv2Xw9Lr~abc~5",
            "https://grist.example.org/kZ8mQv2Xw9Lr~abc~5/Suivi",
            "https://mairie.example.org/o/mairie/suivi-des-demandes~abc~5/Suivi",
        ] {
            let error = DocId::parse(text).expect_err(text);
            assert!(error.to_string().contains("fork"), "{text}: {error}");
        }
    }
}
