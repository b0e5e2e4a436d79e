//! Values that cannot be wrong once they are made: addresses, the whereabouts of secrets.

use std::fmt;
use std::path::{Path, PathBuf};

use url::{Host, Url};

use crate::platform::Platform;

/// A value that cannot be used: what is wrong, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidValue {
    /// The fault.
    pub message: String,
    /// The correction.
    pub hint: Option<String>,
}

impl InvalidValue {
    /// Holds what is wrong, and what to write instead.
    #[must_use]
    pub fn saying(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(message).hint(hint)
    }

    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// Where a secret is. The secret itself is in no configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// In a variable of the environment.
    Variable(String),
    /// In a file, whose first line it is.
    File(PathBuf),
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "${name}"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// Reads the address of a platform: https, or http towards this very machine.
///
/// # Errors
/// Another scheme, credentials in the address, or plain http to a host that is not loopback: the token would travel
/// unprotected.
pub fn parse_url(text: &str) -> Result<Url, InvalidValue> {
    let example = format!("such as {}", Platform::DemarcheNumerique.default_url());
    guarded(text, "token", &example)
}

/// Reads the address of an instance of Grist, in the same way.
///
/// # Errors
/// As [`parse_url`].
pub fn parse_grist_url(text: &str) -> Result<Url, InvalidValue> {
    guarded(text, "key", "such as https://grist.numerique.gouv.fr")
}

/// An address that a secret may be sent to.
fn guarded(text: &str, secret: &str, example: &str) -> Result<Url, InvalidValue> {
    let url = Url::parse(text)
        .map_err(|reason| InvalidValue::new(format!("this is not an address: {reason}")).hint(example))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(InvalidValue::new("an address holds no user and no password")
            .hint(format!("the {secret} goes in an environment variable")));
    }
    match url.scheme() {
        "https" if url.has_host() => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => {
            let host = url.host_str().unwrap_or_default();
            Err(InvalidValue::new(format!("plain http to {host} would show the {secret} to the network"))
                .hint("use https; http is for this very machine (localhost, 127.0.0.1)"))
        }
        other => Err(InvalidValue::new(format!("`{other}` is not a scheme that is spoken here")).hint(example)),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Checks that a text can be the name of an environment variable. A token pasted by mistake cannot.
pub(super) fn is_variable_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_uppercase() || c == '_')
        && chars.all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        && text.len() <= 64
}

/// Checks that a text can be the short name of an instance, which becomes a part of table names.
pub(super) fn is_short_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_lowercase())
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && text.len() <= 24
}

/// A path of a file is relative to the folder of that file, so that it means the same from wherever one starts.
pub(super) fn beside(file: &Path, path: &str) -> PathBuf {
    match file.parent() {
        Some(folder) => folder.join(path),
        None => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_for_this_machine_only() {
        for (url, accepted) in [
            ("https://demarche.numerique.gouv.fr/api/v2/graphql", true),
            ("http://localhost:3000/api/v2/graphql", true),
            ("http://127.0.0.1:3000/", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]:3000/", true),
            ("http://dn.localhost/", true),
            ("http://example.org/api/v2/graphql", false),
            ("http://localhost.example.org/", false),
            ("http://127.0.0.1.example.org/", false),
            ("http://0.0.0.0/", false),
            ("ftp://example.org/", false),
            ("https://user:secret@example.org/", false),
            ("example.org", false),
            ("", false),
        ] {
            assert_eq!(parse_url(url).is_ok(), accepted, "{url}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_not_repeated() {
        let error = parse_url("https://user:s3cret@example.org/").expect_err("refused");
        assert!(!format!("{error:?}").contains("s3cret"));
    }

    #[test]
    fn a_pasted_token_is_not_the_name_of_a_variable() {
        for (text, expected) in [
            ("DN_TOKEN", true),
            ("_X9", true),
            ("", false),
            ("9A", false),
            ("NmQ0ZTk0YjItODQ3Ni00NzRmO3Rlc3Q=", false),
            ("dn_token", false),
        ] {
            assert_eq!(is_variable_name(text), expected, "{text}");
        }
    }
}
