//! Where a PostgreSQL is: an address that may hold a password, which is therefore never shown.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::config::defaults;
use crate::config::document::secret;
use crate::config::origin::Setting;
use crate::config::reader::{self, Source, Table};
use crate::config::values::{InvalidValue, SecretSource};
use crate::sink::postgres::{InvalidAddress, ServerAddress};

/// The value of `type`.
pub(in crate::config) const TYPE: &str = "postgres";
/// The keys.
pub(in crate::config) const KEYS: &[&str] = &["url-env", "url-file", "lease"];

/// A PostgreSQL database and the schema within it.
#[derive(Clone, Debug, PartialEq)]
pub struct PostgresTarget {
    /// Where the database is.
    pub address: PostgresAddress,
    /// The schema, where the address names none: that of the instance.
    pub schema: String,
    /// The time after which a lease without heartbeat expires.
    pub lease: Duration,
}

/// Where a database is, or where that is said.
#[derive(Clone, Debug)]
pub enum PostgresAddress {
    /// At this address.
    Address(SecretString),
    /// At the address that is in a variable or in a file.
    Source(SecretSource),
}

impl PartialEq for PostgresAddress {
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
        match &self.address {
            PostgresAddress::Address(address) => match Url::parse(address.expose_secret()) {
                Ok(url) => write!(f, "postgres://{}{}", url.host_str().unwrap_or_default(), url.path()),
                Err(_) => f.write_str("postgres"),
            },
            PostgresAddress::Source(source) => write!(f, "postgres:{source}"),
        }
    }
}

impl PostgresTarget {
    /// A database with nothing said about it but where it is.
    #[must_use]
    pub fn new(address: PostgresAddress) -> Self {
        Self { address, schema: defaults::SCHEMA.to_owned(), lease: defaults::LEASE }
    }

    /// Reads an address as flags write it.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidValue> {
        check_postgres_address(text)?;
        Ok(Self::new(PostgresAddress::Address(SecretString::from(text))))
    }

    /// Reads `[targets.NAME]` of type `postgres`.
    pub(super) fn read(table: Table<'_, '_>, source: &mut Source<'_>) -> Setting<Self> {
        let usual = || Setting::default(SecretSource::Variable(defaults::POSTGRES_URL_ENV.to_owned()));
        let address = secret(table, source, "url-env", "url-file").unwrap_or_else(usual);
        let lease = table.read(source, "lease", reader::duration);
        address.map(|address| {
            let plain = Self::new(PostgresAddress::Source(address));
            Self { lease: lease.map_or(plain.lease, |lease| lease.value), ..plain }
        })
    }
}

/// Checks an address of PostgreSQL, wherever it was said. What is wrong is told without any value of it.
///
/// # Errors
/// A parameter that is not known, a value that cannot be.
pub fn check_postgres_address(text: &str) -> Result<(), InvalidValue> {
    let checked = ServerAddress::parse(text, |name| std::env::var(name).ok());
    checked.map(drop).map_err(|InvalidAddress { reason, hint }| InvalidValue {
        message: format!("the address of PostgreSQL cannot be used: {reason}"),
        hint: hint.or_else(|| Some("such as postgres://account@host/database?sslmode=verify-full".to_owned())),
    })
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
        for text in ["postgres://agent:s3cret@:x", "postgres://agent@h/d?sslpassword=s3cret"] {
            let error = PostgresTarget::parse(text).expect_err("no address");
            assert!(!format!("{error:?}").contains("s3cret"));
        }
        let error = PostgresTarget::parse("postgres://agent@h/d?sslMode=verify-full").expect_err("a misspelt key");
        assert!(error.message.contains("`sslMode`") && error.hint.is_some_and(|hint| hint.contains("`sslmode`")));
    }
}
