//! Opens a schema: checks its state and the rights of the account.

use tokio::sync::Mutex;

use super::migrate::{self, SchemaState};
use super::server::{Purpose, Server, Session};
use super::{Leases, Options, PostgresSink, end};
use crate::sink::SinkError;
use crate::sink::sql::{Fault, Store as _};

impl PostgresSink {
    /// Opens a schema for writing, and creates it with its shared tables if it is absent.
    ///
    /// The address is one of libpq (`postgres://account@host:port/database?sslmode=verify-full`), with one parameter of
    /// ours: `schema`. A parameter that is not known is an error. Without `sslmode` a secure connection is preferred and
    /// not demanded, as libpq does.
    ///
    /// # Errors
    /// [`SinkError::Unusable`] for an address that cannot be used, a replica, and rights that are missing, with the
    /// statements that give them; [`SinkError::Unavailable`] for a server that cannot be reached; [`SinkError::Foreign`]
    /// for a schema with the tables of another program, [`SinkError::NewerVersion`] and [`SinkError::Altered`]. After any
    /// of these the schema is as it was.
    pub async fn open(url: &str, options: Options) -> Result<Self, SinkError> {
        let server = Server::parse(url, &options)?;
        let opened = async {
            look(&server).await?;
            let mut session = server.session(Purpose::Write);
            migrate::migrate(&mut session, &server.schema).await?;
            Ok::<_, Fault>((session, Leases::open(server.clone()).await?))
        };
        let (session, leases) = opened.await.map_err(|fault| server.with_context("to be opened", fault))?;
        Ok(Self { server, session: Mutex::new(session), leases: Some(leases) })
    }

    /// Opens a schema for writing if it exists; otherwise returns `None` and creates nothing.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_existing(url: &str, options: Options) -> Result<Option<Self>, SinkError> {
        let server = Server::parse(url, &options)?;
        let looked = look(&server).await.map_err(|fault| server.with_context("to be opened", fault))?;
        if looked == SchemaState::Nothing {
            return Ok(None);
        }
        Self::open(url, options).await.map(Some)
    }

    /// Opens a schema for reading: takes no lease, so runs may use it at the same time, and writes nothing. A call that
    /// would write returns [`SinkError::Unusable`]. A replica is accepted.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`SinkError::Unusable`] when there is no schema of ours yet.
    pub async fn open_read_only(url: &str, options: Options) -> Result<Self, SinkError> {
        let name = Server::parse(url, &options)?.name;
        let absent = || unusable(&name, "there is no schema of this tool yet");
        Self::open_existing_read_only(url, options).await?.ok_or_else(absent)
    }

    /// Opens a schema for reading if it exists; otherwise returns `None`.
    ///
    /// # Errors
    /// As [`open_read_only`](Self::open_read_only), but for a schema that is not there.
    pub async fn open_existing_read_only(url: &str, options: Options) -> Result<Option<Self>, SinkError> {
        let server = Server::parse(url, &options)?;
        let mut session = server.session(Purpose::Read);
        let found = inspect(&server, &mut session).await.map_err(|fault| server.with_context("to be opened", fault))?;
        match found {
            SchemaState::Ours => Ok(Some(Self { server, session: Mutex::new(session), leases: None })),
            SchemaState::Nothing => Ok(None),
            SchemaState::Older => {
                Err(unusable(&server.name, "its tables are of an older version; the next run brings them to this one"))
            }
        }
    }

    /// Checks for a valid lease on any démarche of a schema. Writes nothing.
    ///
    /// # Errors
    /// As [`open_read_only`](Self::open_read_only), except that an absent schema is not locked.
    pub async fn is_locked(url: &str, options: Options) -> Result<bool, SinkError> {
        let server = Server::parse(url, &options)?;
        let mut session = server.session(Purpose::Read);
        let asked = async {
            match inspect(&server, &mut session).await? {
                SchemaState::Nothing | SchemaState::Older => Ok(false),
                SchemaState::Ours => {
                    let mut tx = session.begin().await?;
                    let query = "SELECT 1 FROM dn_leases WHERE until > clock_timestamp() LIMIT 1";
                    let rows = tx.rows(query.into(), &[]).await;
                    Ok::<_, Fault>(end(tx, rows.map(Some)).await?.is_some_and(|rows| !rows.is_empty()))
                }
            }
        };
        asked.await.map_err(|fault| server.with_context("to be looked at", fault))
    }
}

/// Inspects the schema; writes nothing.
async fn inspect(server: &Server, session: &mut Session) -> Result<SchemaState, Fault> {
    let mut tx = session.begin().await?;
    let found = migrate::inspect(&mut tx, &server.schema).await;
    Ok(end(tx, found.map(Some)).await?.unwrap_or(SchemaState::Nothing))
}

/// Inspects the schema before writing, and refuses a replica, which could not even begin a transaction that writes.
async fn look(server: &Server) -> Result<SchemaState, Fault> {
    let mut session = server.session(Purpose::Read);
    let mut tx = session.begin().await?;
    let found = match migrate::refuse_replica(&mut tx).await {
        Ok(()) => migrate::inspect(&mut tx, &server.schema).await,
        Err(fault) => Err(fault),
    };
    let found = end(tx, found.map(Some)).await?.unwrap_or(SchemaState::Nothing);
    session.close().await?;
    Ok(found)
}

fn unusable(target: &str, reason: &str) -> SinkError {
    SinkError::Unusable { target: target.to_owned(), action: "opened", reason: reason.to_owned(), hint: None }
}
