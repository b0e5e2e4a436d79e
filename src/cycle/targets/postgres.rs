//! Schemas of PostgreSQL as targets.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use secrecy::ExposeSecret as _;

use super::{Findings, TargetKind};
use crate::api::SharedLimit;
use crate::config::{ConfigError, PostgresAddress, PostgresTarget, Problem, Secrets, check_postgres_address};
use crate::cycle::CycleError;
use crate::cycle::clients::WINDOW;
use crate::sink::postgres::{CONNECTIONS_OF_A_RUN, Options, PermitRule, Permits, Pooler, ServerFacts};
use crate::sink::{AnySink, PostgresSink};

/// The time for which a permit from a shared count may be used: longer than any question to the database should take, and a
/// small part of the window, as the permit counts in the window of its request and in that of its use.
const FRESH: Duration = Duration::from_secs(2);

impl TargetKind for PostgresTarget {
    fn open<'a>(&'a self, secrets: &'a Secrets) -> BoxFuture<'a, Result<AnySink, CycleError>> {
        Box::pin(async { Ok(PostgresSink::open(&self.url(secrets)?, self.options()).await?.into()) })
    }

    fn open_if_there<'a>(&'a self, secrets: &'a Secrets) -> BoxFuture<'a, Result<Option<AnySink>, CycleError>> {
        Box::pin(async {
            let sink = PostgresSink::open_existing(&self.url(secrets)?, self.options()).await?;
            Ok(sink.map(AnySink::from))
        })
    }

    fn open_to_read<'a>(&'a self, secrets: &'a Secrets) -> BoxFuture<'a, Result<AnySink, CycleError>> {
        Box::pin(async { Ok(PostgresSink::open_read_only(&self.url(secrets)?, self.options()).await?.into()) })
    }

    fn open_to_read_if_there<'a>(&'a self, secrets: &'a Secrets) -> BoxFuture<'a, Result<Option<AnySink>, CycleError>> {
        Box::pin(async {
            let sink = PostgresSink::open_existing_read_only(&self.url(secrets)?, self.options()).await?;
            Ok(sink.map(AnySink::from))
        })
    }

    fn is_locked<'a>(&'a self, secrets: &'a Secrets) -> BoxFuture<'a, Result<bool, CycleError>> {
        Box::pin(async { Ok(PostgresSink::is_locked(&self.url(secrets)?, self.options()).await?) })
    }

    fn check<'a>(&'a self, secrets: &'a Secrets) -> BoxFuture<'a, Findings> {
        Box::pin(async move {
            let mut findings = Findings::default();
            match self.facts(secrets).await {
                Ok(facts) => findings.usable = self.examine(facts, &mut findings),
                Err(error) => findings.fail("PostgreSQL", &error),
            }
            findings
        })
    }

    fn identity(&self) -> String {
        format!("{self} {}", self.schema)
    }

    fn how_to_look(&self, demarche: u32) -> String {
        format!(
            "database: {self}\ntry:      SELECT state, count(*) FROM dn.demarche_{demarche}_dossiers GROUP BY state;\n"
        )
    }

    fn lease(&self) -> Option<Duration> {
        Some(self.lease)
    }

    fn shared_limit(
        &self,
        key: &str,
        limit: u32,
        secrets: &Secrets,
    ) -> Result<Option<Arc<dyn SharedLimit>>, CycleError> {
        let holder = format!("{} {:016x}", std::process::id(), rand::random::<u64>());
        let rule = PermitRule { limit, window: WINDOW, fresh: FRESH };
        Ok(Some(Arc::new(Permits::new(&self.url(secrets)?, &self.options(), (key, &holder), rule)?)))
    }
}

impl PostgresTarget {
    /// Gives the address, from where the settings say that it is.
    fn url(&self, secrets: &Secrets) -> Result<String, CycleError> {
        match &self.address {
            PostgresAddress::Address(address) => Ok(address.expose_secret().to_owned()),
            PostgresAddress::Source(source) => {
                let address = secrets.read("address of PostgreSQL", source)?.expose_secret().to_owned();
                check_postgres_address(&address).map_err(|error| {
                    let problem = Problem { hint: error.hint, ..Problem::new(source.to_string(), error.message) };
                    ConfigError { file: None, problems: vec![problem] }
                })?;
                Ok(address)
            }
        }
    }

    fn options(&self) -> Options {
        Options { schema: self.schema.clone(), lease: self.lease, ..Options::default() }
    }

    async fn facts(&self, secrets: &Secrets) -> Result<ServerFacts, CycleError> {
        Ok(PostgresSink::facts(&self.url(secrets)?, self.options()).await?)
    }

    /// Judges the server, the database, what lies between, and whether the schema may be written.
    fn examine(&self, facts: ServerFacts, findings: &mut Findings) -> bool {
        let ServerFacts { version, encoding, pooler, tls, connections: (used, most), replica_of, obstacle } = facts;
        findings.ok("PostgreSQL", format!("version {version}; {tls}"));
        let hint = "make the database with ENCODING 'UTF8': others have no place for every character of an answer";
        match encoding.as_str() {
            "UTF8" => findings.ok("encoding", "UTF8"),
            other => findings.warn("encoding", other, Some(hint)),
        }
        findings.ok(
            "pooler",
            match pooler {
                Pooler::None => "none",
                Pooler::Present => "there is one: session and transaction pooling both work",
                Pooler::Transaction => "there is one, in transaction mode, which works",
            },
        );
        let found = format!("{used} of {most} are in use; a run takes {CONNECTIONS_OF_A_RUN}");
        let hint = "raise `max_connections` or the limit of the account, or put a pooler before the server";
        match used + CONNECTIONS_OF_A_RUN > most {
            false => findings.ok("connections", found),
            true => findings.warn("connections", found, Some(hint)),
        }
        if let Some(primary) = replica_of {
            let primary = if primary.is_empty() { "another server".to_owned() } else { primary };
            let found = format!("the server is a read-only replica of {primary}");
            findings.refused("target", found, "name the primary in the address; `status` may read from here");
            return false;
        }
        if let Some(obstacle) = obstacle {
            let hint = "see « Accounts » in docs/postgres.md for the rights that the account needs";
            findings.refused("target", format!("{self}: the account {obstacle}"), hint);
            return false;
        }
        true
    }
}
