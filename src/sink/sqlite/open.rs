//! Opens a file: checks its header, takes the lock, configures the connection.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteSynchronous};
use tokio::sync::Mutex;

use super::fault;
use super::header::{self, FileState};
use super::lock::Lock;
use super::{SqliteSink, migrate, private};
use crate::sink::SinkError;
use crate::sink::sql::Fault;

/// Time limit for another program that locks the file for a moment (a reader that checkpoints the log, a backup).
const PATIENCE: Duration = Duration::from_secs(10);

/// Cached statements: enough for a démarche with many blocks, each in its few sizes.
const STATEMENTS: usize = 400;

impl SqliteSink {
    /// Opens a file for writing and locks it; creates it when there is none or an empty one, in a folder that exists.
    ///
    /// # Errors
    /// [`SinkError::Locked`] while another run holds it, [`SinkError::Unusable`] for a path that cannot be written,
    /// [`SinkError::Foreign`] for a file that is not ours or is damaged, [`SinkError::NewerVersion`] and
    /// [`SinkError::Altered`]. After any of these the file is as it was.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, SinkError> {
        let name = name_of(path.as_ref());
        let file = resolve(path.as_ref(), &name)?;
        let found = header::inspect(&file, &name)?;
        if found == FileState::Ours {
            // SQLite silently opens a file that it cannot write as read-only.
            let writable = OpenOptions::new().write(true).open(&file);
            writable.map_err(|error| unusable(&name, "written", error.to_string()))?;
        }
        let lock = Lock::take(&file, &name)?;
        if found == FileState::Nothing {
            // Create it before SQLite does, which would make it readable by every account.
            private::open(&file).map_err(|error| unusable(&name, "written", error.to_string()))?;
        }
        let options = options(&file).create_if_missing(true).synchronous(SqliteSynchronous::Full);
        let opened = async {
            // The first transaction marks the file as ours before the write-ahead log is switched on. So a header without our
            // mark is never an interrupted creation of ours.
            let mut connection = options.connect().await?;
            migrate::migrate(&mut connection).await?;
            migrate::look(&mut connection).await?;
            sqlx::raw_sql("PRAGMA journal_mode = WAL").execute(&mut connection).await?;
            Ok::<_, Fault>(connection)
        };
        let connection = opened.await.map_err(|error| error.at(&name, "to be opened", fault::classify))?;
        Ok(Self { name, connection: Mutex::new(connection), lock: Some(lock) })
    }

    /// Opens a file for reading: takes no lock, so a run may use it at the same time, and leaves no file behind.
    /// A call that would write returns [`SinkError::Unusable`].
    ///
    /// # Errors
    /// As [`open`](Self::open), but for the lock; [`SinkError::Unusable`] when there is no file.
    pub async fn open_read_only(path: impl AsRef<Path>) -> Result<Self, SinkError> {
        let name = name_of(path.as_ref());
        let file = resolve(path.as_ref(), &name)?;
        if header::inspect(&file, &name)? == FileState::Nothing {
            return Err(unusable(&name, "opened", "there is no database yet".to_owned()));
        }
        // The read-only mode of SQLite would leave an empty log and its index beside the file.
        let quiet = options(&file).pragma("query_only", "ON");
        let connection = match connect_to_read(&quiet).await {
            // SQLite cannot create the index of the log in a read-only folder. Without a log nothing is missing in the file and
            // nobody writes, so it can be read as immutable.
            Err(error) if fault::is_cannot_open(&error) && !header::has_beside(&file, "-wal") => {
                connect_to_read(&options(&file).read_only(true).immutable(true)).await
            }
            other => other,
        };
        let connection = connection.map_err(|error| error.at(&name, "to be opened", fault::classify))?;
        let connection = connection.ok_or_else(|| unusable(&name, "opened", migrate::OLDER.to_owned()))?;
        Ok(Self { name, connection: Mutex::new(connection), lock: None })
    }
}

impl SqliteSink {
    /// Checks whether a run has the file locked. Opens and writes nothing.
    ///
    /// # Errors
    /// [`SinkError::Unusable`] if the path is not that of a file in an existing folder.
    pub fn is_locked(path: impl AsRef<Path>) -> Result<bool, SinkError> {
        let name = name_of(path.as_ref());
        Ok(Lock::is_held(&resolve(path.as_ref(), &name)?))
    }
}

/// Connects and checks the tables; `None` for an older version, in which missing tables are no damage.
async fn connect_to_read(options: &SqliteConnectOptions) -> Result<Option<SqliteConnection>, Fault> {
    let mut connection = options.connect().await?;
    if migrate::is_older(&mut connection).await? {
        return Ok(None);
    }
    migrate::look(&mut connection).await?;
    Ok(Some(connection))
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        .statement_cache_capacity(STATEMENTS)
        // A document and a row of a dossier take some 6 kB, which would overflow pages of 4 kB. Only a new file uses this
        // setting.
        .page_size(16_384)
        // Dossiers arrive in the order of their dates, so commits change the same pages of the trees again and again:
        // checkpoint every 32 MiB of log instead of every four.
        .pragma("wal_autocheckpoint", "2000")
        // 16 MiB: the inner pages of the indexes of some hundred thousand dossiers.
        .pragma("cache_size", "-16384")
        // A value that a stricter policy withholds must disappear from the bytes of the file, not only from its tables.
        .pragma("secure_delete", "ON")
        .disable_statement_logging()
}

fn name_of(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

fn unusable(name: &str, action: &'static str, reason: String) -> SinkError {
    SinkError::Unusable { target: name.to_owned(), action, reason, hint: None }
}

/// Resolves links, as the lock must lie beside the file and not beside a link to it.
fn resolve(path: &Path, name: &str) -> Result<PathBuf, SinkError> {
    if let Ok(file) = fs::canonicalize(path) {
        return Ok(file);
    }
    let file = path.file_name().ok_or_else(|| unusable(name, "opened", "it is not the path of a file".to_owned()))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = fs::canonicalize(folder)
        .map_err(|error| unusable(name, "opened", format!("folder {}: {error}", folder.display())))?;
    Ok(folder.join(file))
}
