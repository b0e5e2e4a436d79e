//! Opening: what the schema must be, and who may write to it.

use tokio::sync::Mutex;

use super::migrate::{self, Found};
use super::server::{Purpose, Server};
use super::{Leases, Options, PostgresSink};
use crate::sink::SinkError;
use crate::sink::sql::Fault;

impl PostgresSink {
    /// Opens a schema for writing; makes it, with its shared tables, when it is not there.
    ///
    /// The address is one of libpq (`postgres://account@host:port/database?sslmode=verify-full`), with one parameter of
    /// ours: `schema`. Without `sslmode` a secure connection is preferred and not demanded, as libpq does.
    ///
    /// # Errors
    /// [`SinkError::Unusable`] for a server that cannot be reached and for rights that are missing, with the statements
    /// that give them; [`SinkError::Foreign`] for a schema with the tables of another program,
    /// [`SinkError::NewerVersion`] and [`SinkError::Altered`]. After any of these the schema is as it was.
    pub async fn open(url: &str, options: Options) -> Result<Self, SinkError> {
        let server = Server::parse(url, &options)?;
        let opened = async {
            let mut connection = server.connect(Purpose::Write).await?;
            migrate::migrate(&mut connection, &server.schema).await?;
            Ok::<_, Fault>((connection, Leases::open(server.clone()).await?))
        };
        let (connection, leases) = opened.await.map_err(|fault| server.told("to be opened", fault))?;
        Ok(Self { server, connection: Mutex::new(connection), leases: Some(leases) })
    }

    /// Opens a schema for writing if it is there; `None`, and nothing made, when it is not.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_existing(url: &str, options: Options) -> Result<Option<Self>, SinkError> {
        let server = Server::parse(url, &options)?;
        let opened = async {
            let mut connection = server.connect(Purpose::Write).await?;
            if migrate::inspect(&mut connection, &server.schema).await? == Found::Nothing {
                return Ok(None);
            }
            migrate::migrate(&mut connection, &server.schema).await?;
            Ok::<_, Fault>(Some((connection, Leases::open(server.clone()).await?)))
        };
        let opened = opened.await.map_err(|fault| server.told("to be opened", fault))?;
        Ok(opened.map(|(connection, leases)| Self { server, connection: Mutex::new(connection), leases: Some(leases) }))
    }

    /// Opens a schema for reading: takes no lease, so runs may work on it meanwhile, and writes nothing. Everything that
    /// would write answers [`SinkError::Unusable`].
    ///
    /// # Errors
    /// As [`open`](Self::open); [`SinkError::Unusable`] when there is no schema of ours yet.
    pub async fn open_read_only(url: &str, options: Options) -> Result<Self, SinkError> {
        let name = Server::parse(url, &options)?.name;
        let absent = || unusable(&name, "there is no schema of this tool yet");
        Self::open_existing_read_only(url, options).await?.ok_or_else(absent)
    }

    /// The same for a schema that may not be there: `None` then.
    ///
    /// # Errors
    /// As [`open_read_only`](Self::open_read_only), but for a schema that is not there.
    pub async fn open_existing_read_only(url: &str, options: Options) -> Result<Option<Self>, SinkError> {
        let server = Server::parse(url, &options)?;
        let opened = async {
            let mut connection = server.connect(Purpose::Read).await?;
            let found = migrate::inspect(&mut connection, &server.schema).await?;
            Ok::<_, Fault>((connection, found))
        };
        let (connection, found) = opened.await.map_err(|fault| server.told("to be opened", fault))?;
        match found {
            Found::Ours => Ok(Some(Self { server, connection: Mutex::new(connection), leases: None })),
            Found::Nothing => Ok(None),
            Found::Older => {
                Err(unusable(&server.name, "its tables are of an older version; the next run brings them to this one"))
            }
        }
    }

    /// Whether a run works on any démarche of a schema at this moment. Writes nothing.
    ///
    /// # Errors
    /// As [`open_read_only`](Self::open_read_only), but for a schema that is not there: nobody works on it.
    pub async fn is_locked(url: &str, options: Options) -> Result<bool, SinkError> {
        let server = Server::parse(url, &options)?;
        let asked = async {
            let mut connection = server.connect(Purpose::Read).await?;
            match migrate::inspect(&mut connection, &server.schema).await? {
                Found::Nothing | Found::Older => Ok(false),
                Found::Ours => {
                    let query = "SELECT EXISTS (SELECT FROM dn_leases WHERE until > clock_timestamp())";
                    Ok::<_, Fault>(sqlx::query_scalar(query).fetch_one(&mut connection).await?)
                }
            }
        };
        asked.await.map_err(|fault| server.told("to be looked at", fault))
    }
}

fn unusable(target: &str, reason: &str) -> SinkError {
    SinkError::Unusable { target: target.to_owned(), action: "opened", reason: reason.to_owned(), hint: None }
}
