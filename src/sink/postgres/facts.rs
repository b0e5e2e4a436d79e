//! Reads version, encoding, pooler, connections and rights of a server, for `dn doctor`. Writes nothing.

use super::Options;
use super::migrate::replica_of;
use super::server::{Purpose, Server};
use super::{PostgresSink, end, fault};
use crate::sink::SinkError;
use crate::sink::sql::{Fault, Fields as _, Store as _};

/// The most connections that one run takes: two of the sink (commits, leases), one for the rate limit, and two
/// that are open for a moment only (the look before the opening, the question whether somebody works there).
pub const CONNECTIONS_OF_A_RUN: i64 = 5;

/// The pooler between this program and the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooler {
    /// Nothing that shows.
    None,
    /// A pooler.
    Present,
    /// A pooler in transaction mode.
    Transaction,
}

/// Facts about a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFacts {
    /// Its version, as it says it.
    pub version: String,
    /// The encoding of the database.
    pub encoding: String,
    /// The pooler before it.
    pub pooler: Pooler,
    /// The protection of the connection: `sslmode`, its effect, and the authority.
    pub tls: String,
    /// Connections in use on the whole server, and how many there may be; for the account where it has a limit of its own.
    pub connections: (i64, i64),
    /// The primary when it is a replica; empty when it does not say which.
    pub replica_of: Option<String>,
    /// The reason for which this account cannot write to the schema.
    pub obstacle: Option<String>,
}

impl PostgresSink {
    /// Asks a server what it is and whether this account may write to the schema. Writes nothing.
    ///
    /// # Errors
    /// As [`open`](Self::open) for an address that cannot be used and a server that cannot be reached.
    pub async fn facts(url: &str, options: Options) -> Result<ServerFacts, SinkError> {
        let server = Server::parse(url, &options)?;
        ask(&server).await.map_err(|fault| server.with_context("to be looked at", fault))
    }
}

const FACTS: &str = "SELECT current_setting('server_version') AS version, current_setting('server_encoding') AS encoding, \
     pg_backend_pid()::bigint AS process, \
     CASE WHEN r.rolconnlimit > 0 THEN (SELECT count(*) FROM pg_stat_activity AS a WHERE a.usesysid = r.oid) \
     ELSE (SELECT count(*) FROM pg_stat_activity AS a WHERE a.datid IS NOT NULL) END AS used, \
     CASE WHEN r.rolconnlimit > 0 THEN r.rolconnlimit ELSE current_setting('max_connections')::integer \
     - current_setting('superuser_reserved_connections')::integer END::bigint AS most, \
     CASE WHEN (SELECT s.ssl FROM pg_stat_ssl AS s WHERE s.pid = pg_backend_pid()) THEN 1 ELSE 0 END::bigint AS secure \
     FROM pg_roles AS r WHERE r.rolname = current_user";

/// Checks that the account may create the schema or tables in it, and write to the present ones.
const RIGHTS: &str = "SELECT CASE WHEN n.oid IS NULL THEN \
     CASE WHEN has_database_privilege(current_database(), 'CREATE') THEN '' ELSE 'may not create the schema' END \
     WHEN NOT has_schema_privilege(n.oid, 'USAGE') THEN 'may not use the schema' \
     WHEN NOT has_schema_privilege(n.oid, 'CREATE') THEN 'may not create tables in the schema' \
     ELSE coalesce((SELECT 'may not write to ' || c.relname FROM pg_class AS c WHERE c.relnamespace = n.oid \
     AND c.relkind = 'r' AND c.relname LIKE 'dn\\_%' AND NOT (has_table_privilege(c.oid, 'SELECT') \
     AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE')) ORDER BY 1 LIMIT 1), '') END \
     AS obstacle FROM (SELECT $1::text AS name) AS wanted LEFT JOIN pg_namespace AS n ON n.nspname = wanted.name";

async fn ask(server: &Server) -> Result<ServerFacts, Fault> {
    let mut session = server.session(Purpose::Read);
    let mut tx = session.begin().await?;
    let done = async {
        let rows = tx.rows(FACTS.into(), &[]).await?;
        let row = rows.first().ok_or_else(|| Fault::unreadable("version"))?;
        let rights = tx.rows(RIGHTS.into(), &[server.schema.as_str().into()]).await?;
        let obstacle = rights.first().map(|row| row.text("obstacle")).transpose()?.unwrap_or_default();
        let root = match (&server.tls.root, server.tls.mode) {
            (Some(path), _) => format!(", authority {}", path.display()),
            (None, "verify-ca" | "verify-full") => ", the authorities of the system".to_owned(),
            (None, _) => ", the server is not verified".to_owned(),
        };
        let secure = if row.integer("secure")? == 1 { "encrypted" } else { "not encrypted" };
        let facts = ServerFacts {
            version: row.text("version")?.to_owned(),
            encoding: row.text("encoding")?.to_owned(),
            pooler: Pooler::None,
            tls: format!("{secure} (sslmode={}{root})", server.tls.mode),
            connections: (row.integer("used")?, row.integer("most")?),
            replica_of: replica_of(&mut tx).await?,
            obstacle: (!obstacle.is_empty()).then(|| obstacle.to_owned()),
        };
        Ok(Some((facts, row.integer("process")?)))
    };
    let done = done.await;
    let (facts, process) = end(tx, done).await?.ok_or_else(|| Fault::unreadable("version"))?;
    let pooler = pooler(server, process).await?;
    session.close().await?;
    Ok(ServerFacts { pooler, ..facts })
}

/// Looks for a pooler: it does not hand a parameter of the start to the server that it does not know. One in transaction
/// mode gives the session of a connection that waits, which was that of `process`, to another one.
async fn pooler(server: &Server, process: i64) -> Result<Pooler, Fault> {
    const MARK: &str = "dn.mark";
    let marked = server.connect.clone().options([(MARK, "here")]);
    let shown = match server.connect_with(&marked).await {
        Ok(mut connection) => {
            let query = "SELECT coalesce(current_setting('dn.mark', true), '') AS mark";
            let mut tx = sqlx::Connection::begin(&mut connection).await?;
            let rows = tx.rows(query.into(), &[]).await;
            let shown = end(tx, rows.map(Some)).await?;
            sqlx::Connection::close(connection).await?;
            shown.and_then(|rows| rows.first().map(|row| row.text("mark").is_ok_and(|mark| mark == "here")))
        }
        Err(Fault::Sql(error)) if fault::refuses_parameter(&error) => None,
        Err(fault) => return Err(fault),
    };
    if shown == Some(true) {
        return Ok(Pooler::None);
    }
    let mut other = server.session(Purpose::Read);
    let mut tx = other.begin().await?;
    let rows = tx.rows("SELECT pg_backend_pid()::bigint AS process".into(), &[]).await;
    let found = end(tx, rows.map(Some)).await?;
    let found = found.and_then(|rows| rows.first().and_then(|row| row.integer("process").ok()));
    other.close().await?;
    Ok(if found == Some(process) { Pooler::Transaction } else { Pooler::Present })
}
