//! Opens connections to a server, and transactions on them.
//!
//! A connection runs one transaction at a time, and keeps no state between two: behind a pooler in transaction mode each
//! may run in another session of the server, and the next client gets that session with its state. So every
//! transaction begins with the settings that it needs (`SET LOCAL`), its schema first, and statements have no names.

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, Postgres};
use sqlx::{ConnectOptions as _, Connection as _, Transaction};

use super::address::{InvalidAddress, ServerAddress, Tls, check_schema};
use super::{Options, fault};
use crate::sink::SinkError;
use crate::sink::sql::{Fault, quoted, text_of};

/// An address with the options of its connections. Contains the password, which `Debug` does not show.
#[derive(Clone)]
pub(super) struct Server {
    pub connect: PgConnectOptions,
    /// The target, for errors and reports: without account and password.
    pub name: String,
    pub schema: String,
    pub options: Options,
    pub tls: Tls,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The purpose of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Runs write with it.
    Write,
    /// It only reads.
    Read,
    /// It takes and renews leases, with short time limits.
    Lease,
}

/// A connection that runs statements in transactions only. It is opened at its first use, and again if it broke between two
/// uses.
#[derive(Debug)]
pub(super) struct Session {
    server: Server,
    purpose: Purpose,
    connection: Option<PgConnection>,
}

impl Session {
    /// Begins a transaction with our schema as its search path.
    pub(super) async fn begin(&mut self) -> Result<Transaction<'_, Postgres>, Fault> {
        let text = self.server.begin_statement(self.purpose);
        let connection = self.alive().await?;
        Ok(connection.begin_with(text_of(text.into())).await?)
    }

    /// Ends an abandoned transaction on the server.
    pub(super) async fn settle(&mut self) -> Result<(), Fault> {
        self.alive().await.map(drop)
    }

    async fn alive(&mut self) -> Result<&mut PgConnection, Fault> {
        let dead = match &mut self.connection {
            // The driver first sends the pending rollback of an abandoned transaction.
            Some(connection) => connection.ping().await.is_err(),
            None => true,
        };
        if dead {
            self.connection = None;
            self.connection = Some(self.server.connect().await?);
        }
        Ok(self.connection.as_mut().expect("it was just put there"))
    }

    /// Closes the connection; the next use opens another.
    pub(super) async fn close(&mut self) -> Result<(), Fault> {
        match self.connection.take() {
            Some(connection) => Ok(connection.close().await?),
            None => Ok(()),
        }
    }

    /// Drops the connection in any state; the next use opens another.
    pub(super) fn forget(&mut self) {
        self.connection = None;
    }
}

impl Server {
    /// Parses an address as libpq does. `schema` among its parameters is ours, and wins over the option.
    pub(super) fn parse(address: &str, options: &Options) -> Result<Self, SinkError> {
        let unusable = |InvalidAddress { reason, hint }| SinkError::Unusable {
            target: "postgres".to_owned(),
            action: "opened",
            reason: match hint {
                Some(hint) => format!("its address cannot be used: {reason}; {hint}"),
                None => format!("its address cannot be used: {reason}"),
            },
            hint: Some("write the address anew; its values are not repeated here, as they may be secret"),
        };
        let address = ServerAddress::parse(address, |name| std::env::var(name).ok()).map_err(unusable)?;
        let ServerAddress { connect, schema, connect_timeout, tls } = address;
        let schema = schema.unwrap_or_else(|| options.schema.clone());
        check_schema(&schema).map_err(unusable)?;
        let place = match connect.get_socket() {
            Some(folder) => folder.display().to_string(),
            None if connect.get_host().contains(':') => format!("[{}]", connect.get_host()),
            None => connect.get_host().to_owned(),
        };
        let database = connect.get_database().unwrap_or(connect.get_username());
        let name = format!("postgres:{place}:{}/{database}/{schema}", connect.get_port());
        let mut options = options.clone();
        options.connect_timeout = connect_timeout.unwrap_or(options.connect_timeout);
        Ok(Self { connect, name, schema, options, tls })
    }

    /// Prepares a connection; opens none yet.
    pub(super) fn session(&self, purpose: Purpose) -> Session {
        Session { server: self.clone(), purpose, connection: None }
    }

    /// Opens a connection.
    pub(super) async fn connect(&self) -> Result<PgConnection, Fault> {
        self.connect_with(&self.connect).await
    }

    pub(super) async fn connect_with(&self, connect: &PgConnectOptions) -> Result<PgConnection, Fault> {
        self.tls.check_files()?;
        let late = |_| sqlx::Error::Io(std::io::Error::new(ErrorKind::TimedOut, "no answer in time"));
        let connecting = tokio::time::timeout(self.options.connect_timeout, connect.connect());
        Ok(connecting.await.map_err(late)??)
    }

    /// Writes the first statement of a transaction.
    fn begin_statement(&self, purpose: Purpose) -> String {
        let milliseconds = |duration: Duration| duration.as_millis().clamp(1, 2_000_000_000);
        let lease = milliseconds(self.options.lease);
        let (statement, lock) = match purpose {
            Purpose::Write | Purpose::Read => {
                (milliseconds(self.options.statement_timeout), milliseconds(self.options.lock_timeout))
            }
            Purpose::Lease => (lease, lease),
        };
        // Runs look rows up by key only. Before its first ANALYZE a table counts as empty for the planner, which would scan it.
        let by_key =
            if purpose == Purpose::Write { "SET LOCAL enable_seqscan TO off; SET LOCAL jit TO off; " } else { "" };
        let access = if purpose == Purpose::Read { "READ ONLY" } else { "READ WRITE" };
        // Unless it is named, `pg_temp` comes first in the search path, with temporary tables that other clients of a pooler
        // left in the session.
        format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED, {access}; SET LOCAL search_path TO {}, pg_temp; {by_key}\
             SET LOCAL standard_conforming_strings TO on; SET LOCAL client_min_messages TO warning; \
             SET LOCAL timezone TO 'UTC'; SET LOCAL datestyle TO 'ISO, MDY'; SET LOCAL extra_float_digits TO 1; \
             SET LOCAL statement_timeout TO {statement}; SET LOCAL lock_timeout TO {lock}; \
             SET LOCAL idle_in_transaction_session_timeout TO {lease}",
            quoted(&self.schema)
        )
    }

    /// Converts an error. A missing right comes with the statement that grants it.
    pub(super) fn with_context(&self, action: &'static str, fault: Fault) -> SinkError {
        let missing = matches!(&fault, Fault::Sql(error) if fault::is_right_missing(error));
        match fault.at(&self.name, action, fault::classify) {
            SinkError::Unusable { target, action, reason, hint: None } if missing => {
                SinkError::Unusable { target, action, reason: format!("{reason}; {}", self.grants()), hint: None }
            }
            error => error,
        }
    }

    /// Writes the statements that grant this account its rights.
    fn grants(&self) -> String {
        let (schema, role) = (quoted(&self.schema), quoted(self.connect.get_username()));
        format!(
            "its owner may grant the right: `CREATE SCHEMA {schema} AUTHORIZATION {role}` for a new one, \
             `GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}` for one that is there, \
             `GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}` to read"
        )
    }
}

impl Tls {
    /// Checks the files that the address names. The driver reports a missing file like a server that does not answer, and
    /// ignores one without a certificate.
    pub(super) fn check_files(&self) -> Result<(), Fault> {
        let unusable = |what: &str, path: &Path, reason: String| Fault::Unusable {
            reason: format!("the file of `{what}`, {}, {reason}", path.display()),
            hint: "check the path in the address, and that this account may read the file",
        };
        let files = [("sslrootcert", &self.root), ("sslcert", &self.client[0]), ("sslkey", &self.client[1])];
        for (what, path) in files.into_iter().filter_map(|(what, path)| Some((what, path.as_deref()?))) {
            if path.to_str().is_some_and(|text| text.starts_with("-----BEGIN")) {
                continue;
            }
            let text = std::fs::read(path).map_err(|error| unusable(what, path, format!("cannot be read: {error}")))?;
            let mut found = CertificateDer::pem_slice_iter(&text);
            if what != "sslkey" && found.next().is_none_or(|first| first.is_err()) {
                return Err(unusable(what, path, "holds no certificate in PEM".to_owned()));
            }
        }
        Ok(())
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
            ("postgres://dn:secret@[::1]/dossiers", "postgres:[::1]:5432/dossiers/dn"),
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
            assert!(!error.to_string().contains("h/secret"), "{error}");
        }
    }

    #[test]
    fn no_setting_outlives_its_transaction() {
        let server = Server::parse("postgres://h/d?schema=dn", &Options::default()).expect("an address");
        for purpose in [Purpose::Write, Purpose::Read, Purpose::Lease] {
            let text = server.begin_statement(purpose);
            let (begin, settings) = text.split_once("; ").expect("settings");
            assert!(begin.starts_with("BEGIN "), "{begin}");
            assert!(settings.split("; ").all(|setting| setting.starts_with("SET LOCAL ")), "{settings}");
            assert!(settings.starts_with("SET LOCAL search_path TO \"dn\", pg_temp; "), "{settings}");
        }
    }

    #[test]
    fn a_right_that_is_missing_is_told_with_what_gives_it() {
        let server = Server::parse("postgres://l%22ouvrier@h/d?schema=dn", &Options::default()).expect("an address");
        assert!(server.grants().contains("GRANT USAGE, CREATE ON SCHEMA \"dn\" TO \"l\"\"ouvrier\""));
    }
}
