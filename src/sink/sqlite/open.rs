//! Opening: what the file must be, the lock, the settings of the connection.

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

/// Room for the statements of a démarche with many blocks, each in its few sizes.
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
            // SQLite would fall back to reading without a word.
            let writable = OpenOptions::new().write(true).open(&file);
            writable.map_err(|error| unusable(&name, "written", error.to_string()))?;
        }
        let lock = Lock::take(&file, &name)?;
        if found == FileState::Nothing {
            // Before SQLite makes it, for everybody to read.
            private::open(&file).map_err(|error| unusable(&name, "written", error.to_string()))?;
        }
        let options = options(&file).create_if_missing(true).synchronous(SqliteSynchronous::Full);
        let opened = async {
            // The first transaction marks the file as ours and is not in the log yet: a header without our mark is
            // therefore never one of ours that was interrupted.
            let mut connection = options.connect().await?;
            migrate::migrate(&mut connection).await?;
            migrate::look(&mut connection).await?;
            sqlx::raw_sql("PRAGMA journal_mode = WAL").execute(&mut connection).await?;
            Ok::<_, Fault>(connection)
        };
        let connection = opened.await.map_err(|error| error.at(&name, "to be opened", fault::classify))?;
        Ok(Self { name, connection: Mutex::new(connection), lock: Some(lock) })
    }

    /// Opens a file for reading: no lock is taken, so a run may work on it meanwhile, and nothing is left behind.
    /// Everything that would write answers [`SinkError::Unusable`].
    ///
    /// # Errors
    /// As [`open`](Self::open), but for the lock; [`SinkError::Unusable`] when there is no file.
    pub async fn open_read_only(path: impl AsRef<Path>) -> Result<Self, SinkError> {
        let name = name_of(path.as_ref());
        let file = resolve(path.as_ref(), &name)?;
        if header::inspect(&file, &name)? == FileState::Nothing {
            return Err(unusable(&name, "opened", "there is no database yet".to_owned()));
        }
        // SQLite's own way of reading only would leave an empty log and its index beside the file.
        let quiet = options(&file).pragma("query_only", "ON");
        let connection = match connect_to_read(&quiet).await {
            // A folder that may not be written has no place for the log's index. Without a log there is nothing in it to
            // be read, and nobody to write.
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
    /// [`SinkError::Unusable`] for what is not the path of a file in a folder that exists.
    pub fn is_locked(path: impl AsRef<Path>) -> Result<bool, SinkError> {
        let name = name_of(path.as_ref());
        Ok(Lock::is_held(&resolve(path.as_ref(), &name)?))
    }
}

/// `None` for tables of an older version: what is missing in them is no damage.
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
        // A document and a row of a dossier take some six kilobytes: in pages of four each would spill into several. Only
        // a new file takes it.
        .page_size(16_384)
        // Dossiers come in the order of their dates, so the same pages of the trees move again and again: they are folded
        // into the file every 32 mebibytes of log, not every four.
        .pragma("wal_autocheckpoint", "2000")
        // Sixteen mebibytes: the inner pages of the indexes of some hundred thousand dossiers.
        .pragma("cache_size", "-16384")
        // What a stricter policy withholds goes from the bytes of the file, not from its tables alone.
        .pragma("secure_delete", "ON")
        .disable_statement_logging()
}

fn name_of(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

fn unusable(name: &str, action: &'static str, reason: String) -> SinkError {
    SinkError::Unusable { target: name.to_owned(), action, reason, hint: None }
}

/// The same path for the same file, however it is written: the lock lies beside the file, not beside a link to it.
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
