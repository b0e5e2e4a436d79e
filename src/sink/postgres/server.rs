//! Which server, database and schema; connections to it.

use std::fmt;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use url::Url;

use super::{Options, fault};
use crate::sink::SinkError;
use crate::sink::sql::{Fault, quoted, text_of};

/// Room for the statements of a démarche with many blocks.
const STATEMENTS: usize = 400;

/// An address with what is asked of each connection. Holds the password: it is not shown.
#[derive(Clone)]
pub(super) struct Server {
    connect: PgConnectOptions,
    /// The target, for errors and reports: without account and password.
    pub name: String,
    pub schema: String,
    pub options: Options,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Runs write through it.
    Write,
    /// Nothing is ever written through it.
    Read,
    /// Leases are taken and kept through it: it never waits for long.
    Lease,
}

impl Server {
    /// Reads an address as libpq writes it. `schema` among its parameters is ours, and wins over the option.
    pub(super) fn parse(address: &str, options: &Options) -> Result<Self, SinkError> {
        let unusable = |reason: &str| SinkError::Unusable {
            target: "postgres".to_owned(),
            action: "opened",
            reason: reason.to_owned(),
            hint: None,
        };
        let mut url = Url::parse(address).map_err(|_| unusable("its address cannot be read"))?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(unusable("its address does not begin with postgres://"));
        }
        let (ours, theirs): (Vec<_>, Vec<_>) = url
            .query_pairs()
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .partition(|(key, _)| key == "schema");
        let mut query = url.query_pairs_mut();
        query.clear().extend_pairs(theirs);
        drop(query);
        let schema = ours.into_iter().next_back().map_or_else(|| options.schema.clone(), |(_, schema)| schema);
        if schema.is_empty() || schema.len() > 63 || schema.starts_with("pg_") || schema.contains('\0') {
            return Err(unusable("its schema has a name that PostgreSQL does not take"));
        }
        let connect = PgConnectOptions::from_url(&url).map_err(|_| unusable("a parameter of its address is wrong"))?;
        let place = match connect.get_socket() {
            Some(folder) => folder.display().to_string(),
            None => connect.get_host().to_owned(),
        };
        let database = connect.get_database().unwrap_or(connect.get_username());
        let name = format!("postgres:{place}:{}/{database}/{schema}", connect.get_port());
        let application = connect.get_application_name().unwrap_or("dn").to_owned();
        let connect =
            connect.statement_cache_capacity(STATEMENTS).application_name(&application).disable_statement_logging();
        Ok(Self { connect, name, schema, options: options.clone() })
    }

    /// A new connection whose statements see our schema alone.
    pub(super) async fn connect(&self, purpose: Purpose) -> Result<PgConnection, Fault> {
        let late = |_| sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer in time"));
        let connecting = tokio::time::timeout(self.options.connect_timeout, self.connect.connect());
        let mut connection = connecting.await.map_err(late)??;
        sqlx::raw_sql(text_of(self.settings(purpose).into())).execute(&mut connection).await?;
        Ok(connection)
    }

    /// Whether a connection still answers; a new one in its place when it does not. For moments at which no transaction
    /// is open.
    pub(super) async fn alive(&self, connection: &mut PgConnection, purpose: Purpose) -> Result<(), Fault> {
        if connection.ping().await.is_err() {
            *connection = self.connect(purpose).await?;
        }
        Ok(())
    }

    fn settings(&self, purpose: Purpose) -> String {
        let milliseconds = |duration: Duration| duration.as_millis().clamp(1, 2_000_000_000);
        let lease = milliseconds(self.options.lease);
        let (statement, lock) = match purpose {
            Purpose::Write | Purpose::Read => {
                (milliseconds(self.options.statement_timeout), milliseconds(self.options.lock_timeout))
            }
            Purpose::Lease => (lease, lease),
        };
        // Runs ask by key alone. A plan made while a table was empty, and kept, would read all of it for ever.
        let by_key = if purpose == Purpose::Write { "SET enable_seqscan TO off; SET jit TO off; " } else { "" };
        let read_only = if purpose == Purpose::Read { "on" } else { "off" };
        format!(
            "{by_key}SET search_path TO {}; SET standard_conforming_strings TO on; SET client_min_messages TO warning; \
             SET default_transaction_read_only TO {read_only}; SET statement_timeout TO {statement}; \
             SET lock_timeout TO {lock}; SET idle_in_transaction_session_timeout TO {lease}; \
             SET tcp_keepalives_idle TO 30; SET tcp_keepalives_interval TO 10; SET tcp_keepalives_count TO 3",
            quoted(&self.schema)
        )
    }

    /// The error as the caller sees it. A right that is missing comes with what gives it.
    pub(super) fn told(&self, action: &'static str, fault: Fault) -> SinkError {
        let missing = matches!(&fault, Fault::Sql(error) if fault::is_right_missing(error));
        match fault.at(&self.name, action, fault::told) {
            SinkError::Unusable { target, action, reason, hint: None } if missing => {
                SinkError::Unusable { target, action, reason: format!("{reason}; {}", self.grants()), hint: None }
            }
            error => error,
        }
    }

    /// What gives this account the rights that it needs.
    fn grants(&self) -> String {
        let (schema, role) = (quoted(&self.schema), quoted(self.connect.get_username()));
        format!(
            "its owner may give the right: `CREATE SCHEMA {schema} AUTHORIZATION {role}` for a new one, \
             `GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}` for one that is there, \
             `GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}` to read"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_without_its_account_and_its_password() {
        for (address, name) in [
            ("postgres://dn:secret@base.example.org/dossiers", "postgres:base.example.org:5432/dossiers/dn"),
            (
                "postgresql://dn:secret@base.example.org:5433/dossiers?schema=ds&sslmode=verify-full",
                "postgres:base.example.org:5433/dossiers/ds",
            ),
            (
                "postgres:///dossiers?host=/run/postgresql&user=dn&password=secret",
                "postgres:/run/postgresql:5432/dossiers/dn",
            ),
        ] {
            let server = Server::parse(address, &Options::default()).expect("an address");
            assert_eq!(server.name, name);
            assert!(!format!("{server:?}").contains("secret"));
        }
    }

    #[test]
    fn an_address_that_is_none_is_refused_without_being_repeated() {
        for address in [
            "postgres://dn:secret@[/x",
            "sqlite:secret",
            "postgres://h/secret?schema=pg_x",
            "postgres://h/secret?sslmode=x",
        ] {
            let error = Server::parse(address, &Options::default()).expect_err(address);
            assert!(matches!(error, SinkError::Unusable { action: "opened", .. }), "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_right_that_is_missing_is_told_with_what_gives_it() {
        let server = Server::parse("postgres://l%22ouvrier@h/d?schema=dn", &Options::default()).expect("an address");
        assert!(server.grants().contains("GRANT USAGE, CREATE ON SCHEMA \"dn\" TO \"l\"\"ouvrier\""));
    }
}
