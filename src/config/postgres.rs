//! Where a PostgreSQL is: an address that may hold a password, which is therefore never shown.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::defaults;
use super::document::secret;
use super::origin::Setting;
use super::reader::{Source, Table};
use super::values::{InvalidValue, SecretSource};

/// A PostgreSQL database and the schema within it.
#[derive(Clone, Debug)]
pub enum PostgresTarget {
    /// At this address.
    Address(SecretString),
    /// At the address that is in a variable or in a file.
    Source(SecretSource),
}

impl PartialEq for PostgresTarget {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Address(a), Self::Address(b)) => a.expose_secret() == b.expose_secret(),
            (Self::Source(a), Self::Source(b)) => a == b,
            (Self::Address(_), Self::Source(_)) | (Self::Source(_), Self::Address(_)) => false,
        }
    }
}

impl fmt::Display for PostgresTarget {
    /// Without account and password: `postgres://example.org/dossiers`, or where the address is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => match Url::parse(address.expose_secret()) {
                Ok(url) => write!(f, "postgres://{}{}", url.host_str().unwrap_or_default(), url.path()),
                Err(_) => f.write_str("postgres"),
            },
            Self::Source(source) => write!(f, "postgres:{source}"),
        }
    }
}

impl PostgresTarget {
    /// Reads an address as flags write it.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidValue> {
        match Url::parse(text) {
            // The text is not repeated: it may hold a password.
            Err(_) => Err(InvalidValue::new("this is not an address of PostgreSQL")
                .hint("such as postgres://account@host/database?sslmode=verify-full")),
            Ok(_) => Ok(Self::Address(SecretString::from(text))),
        }
    }

    /// Reads `[targets.NAME]` of type `postgres`.
    pub(super) fn read(table: Table<'_, '_>, source: &mut Source<'_>) -> Setting<Self> {
        let usual = || Setting::default(SecretSource::Variable(defaults::POSTGRES_URL_ENV.to_owned()));
        secret(table, source, "url-env", "url-file").unwrap_or_else(usual).map(Self::Source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let target =
            PostgresTarget::parse("postgres://agent:s3cret@db.example.org:5432/dossiers?schema=dn").expect("one");
        assert_eq!(target.to_string(), "postgres://db.example.org/dossiers");
        assert!(!format!("{target:?}").contains("s3cret"));
        let error = PostgresTarget::parse("postgres://agent:s3cret@:x").expect_err("no address");
        assert!(!format!("{error:?}").contains("s3cret"));
    }
}
