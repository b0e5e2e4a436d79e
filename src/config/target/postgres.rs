//! Where a PostgreSQL is: an address that may hold a password, which is therefore never shown.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::{Target, TargetEntry, TargetType};
use crate::config::defaults;
use crate::config::keys::{self, Keys};
use crate::config::kinds::duration;
use crate::config::origin::Setting;
use crate::config::values::{InvalidValue, SecretSource};
use crate::sink::postgres::{InvalidAddress, ServerAddress};

/// Registers schemas of PostgreSQL.
pub(super) const TYPE: TargetType = TargetType {
    names: &["postgres", "postgresql"],
    sample: "back-office",
    about: "A schema of PostgreSQL: that of the instance (`dn`, `ds`; hyphens of its name become underscores) unless the address \
            names one (`?schema=`). Flag --to postgres://ACCOUNT@HOST/DATABASE.",
    declare: PostgresTarget::declare,
    parse: PostgresTarget::parse,
};

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
        Self { address, schema: defaults::SCHEMA.to_owned(), lease: keys::unsaid(declare_lease).0.value }
    }

    /// Reads an address as flags write it.
    fn parse(text: &str, _: &str) -> Result<TargetEntry, InvalidValue> {
        check_postgres_address(text)?;
        Ok(TargetEntry::Whole(Target::Postgres(Self::new(PostgresAddress::Address(SecretString::from(text))))))
    }

    /// Declares the keys of a schema of PostgreSQL.
    fn declare(keys: &mut Keys<'_, '_>) -> Option<Setting<TargetEntry>> {
        let usual = || Setting::default(SecretSource::Variable(defaults::POSTGRES_URL_ENV.to_owned()));
        let address = keys.secret(
            (
                "url-env",
                defaults::POSTGRES_URL_ENV,
                "The environment variable that holds the address, password included (default: DATABASE_URL). See docs/postgres.md \
                 for its parameters.",
            ),
            ("url-file", "/run/secrets/database-url", "Instead of a variable: a file whose first line is the address."),
        );
        let lease = declare_lease(keys).value;
        let schema = defaults::SCHEMA.to_owned();
        let said = |address| Self { address: PostgresAddress::Source(address), schema, lease };
        Some(address.unwrap_or_else(usual).map(|address| TargetEntry::Whole(Target::Postgres(said(address)))))
    }
}

fn declare_lease(keys: &mut Keys<'_, '_>) -> Setting<Duration> {
    keys.default(
        "lease",
        duration(),
        "1m",
        "How long a worker may stay silent before another takes its place. Several programs on one schema say the same.",
    )
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
        let parse = |text| PostgresTarget::parse(text, "");
        let target = parse("postgres://agent:s3cret@db.example.org:5432/dossiers?schema=dn").expect("one");
        assert_eq!(target.to_string(), "postgres://db.example.org/dossiers");
        assert!(!format!("{target:?}").contains("s3cret"));
        for text in ["postgres://agent:s3cret@:x", "postgres://agent@h/d?sslpassword=s3cret"] {
            let error = parse(text).expect_err("no address");
            assert!(!format!("{error:?}").contains("s3cret"));
        }
        let error = parse("postgres://agent@h/d?sslMode=verify-full").expect_err("a misspelt key");
        assert!(error.message.contains("`sslMode`") && error.hint.is_some_and(|hint| hint.contains("`sslmode`")));
    }
}
