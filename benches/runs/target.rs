//! Makes empty targets for the runs.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::postgres::{Database, OwnServer};
use super::process::{Server, Traffic};
use super::run_kind::RunKind;
use super::support::Anyhow;
use super::{document, postgres};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The floor: what was fetched is thrown away.
    Nothing,
    Sqlite,
    Postgres,
    Grist,
}

impl Target {
    pub const ALL: [Self; 4] = [Self::Nothing, Self::Sqlite, Self::Postgres, Self::Grist];
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Nothing => "thrown away",
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::Grist => "Grist",
        })
    }
}

impl FromStr for Target {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|target| target.to_string() == text).ok_or("no such target")
    }
}

/// The servers that targets need.
pub struct Servers {
    runtime: Runtime,
    cluster: Option<OwnServer>,
}

impl Servers {
    /// A PostgreSQL of our own that flushes what is committed, where its programs are installed.
    pub fn start() -> Anyhow<Self> {
        let cluster = postgres::programs().map(|_| OwnServer::start(true));
        if cluster.is_none() {
            eprintln!("PostgreSQL is skipped: it is not installed (apt-get install postgresql)");
        }
        Ok(Self { runtime: Runtime::new()?, cluster })
    }

    /// An empty place; none where a target is left out.
    pub fn place(&self, target: Target, pages: &Path) -> Anyhow<Option<Place>> {
        Ok(match (target, &self.cluster) {
            (Target::Nothing, _) => Some(Place::Pages(text(pages)?.to_owned())),
            (Target::Sqlite, _) => Some(Place::Folder(tempfile::tempdir()?)),
            (Target::Postgres, None) => None,
            (Target::Postgres, Some(cluster)) => {
                Some(Place::Database(self.runtime.block_on(Database::on(&cluster.url))))
            }
            (Target::Grist, _) => Some(Place::Document(Server::start(&[document::NAME])?)),
        })
    }
}

/// The target of the runs over one démarche.
pub enum Place {
    /// The recorded pages of a démarche.
    Pages(String),
    Folder(TempDir),
    Database(Database),
    Document(Server),
}

impl Place {
    /// For a child.
    pub fn address(&self, kind: RunKind) -> Anyhow<String> {
        Ok(match self {
            Self::Pages(folder) => format!("{folder}/{kind}"),
            Self::Folder(folder) => format!("{}/dossiers.db", text(folder.path())?),
            Self::Database(database) => database.url(),
            Self::Document(server) => server.place().to_owned(),
        })
    }

    /// Returns the HTTP traffic since the last call.
    pub fn traffic(&mut self) -> Anyhow<Option<Traffic>> {
        match self {
            Self::Document(server) => server.traffic().map(Some),
            Self::Pages(_) | Self::Folder(_) | Self::Database(_) => Ok(None),
        }
    }
}

pub fn text(path: &Path) -> Anyhow<&str> {
    path.to_str().ok_or_else(|| "the temporary folder has a name that is no text".into())
}
