//! Every default, in one place. `config/example.toml` shows them, and a test compares the two.

use std::time::Duration;

use crate::api::PageSize;
use crate::platform::Platform;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The platform when nothing says which.
pub const PLATFORM: Platform = Platform::DemarcheNumerique;
/// The environment variable that holds the token when nothing else is named.
pub const TOKEN_ENV: &str = "DN_TOKEN";
/// The environment variable that names a file holding the token.
pub const TOKEN_FILE_ENV: &str = "DN_TOKEN_FILE";
/// The environment variable that holds the address of the instance.
pub const URL_ENV: &str = "DN_URL";
/// The environment variable that holds the kind of platform.
pub const PLATFORM_ENV: &str = "DN_PLATFORM";
/// The environment variable that names the configuration file.
pub const CONFIG_ENV: &str = "DN_CONFIG";
/// The environment variable that holds the key of pseudonyms when nothing else is named.
pub const PRIVACY_KEY_ENV: &str = "DN_PRIVACY_KEY";
/// The environment variable that holds the address of PostgreSQL when nothing else is named.
pub const POSTGRES_URL_ENV: &str = "DATABASE_URL";
/// The environment variable that holds the address of Grist when nothing else says it.
pub const GRIST_URL_ENV: &str = "GRIST_URL";
/// The environment variable that holds the key of Grist when nothing else is named.
pub const GRIST_KEY_ENV: &str = "GRIST_API_KEY";

/// How long to wait for a connection.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait between two pieces of an answer.
pub const READ_TIMEOUT: Duration = Duration::from_secs(45);
/// How long to wait for a whole answer.
pub const TOTAL_TIMEOUT: Duration = Duration::from_secs(90);
/// How many dossiers to ask for at a time; the platform serves no more.
pub const PAGE_SIZE: PageSize = PageSize::MAX;
/// How many requests a minute with one token: what the platform allows to all programs that share it.
pub const RATE_LIMIT: u32 = 400;

/// How far before the watermark a run begins to read.
pub const OVERLAP: Duration = Duration::from_secs(15 * MINUTE);
/// How far back the wide re-reading goes.
pub const FOLLOW_UP: Duration = Duration::from_secs(26 * HOUR);
/// How often the wide re-reading is done.
pub const FOLLOW_UP_EVERY: Duration = Duration::from_secs(HOUR);
/// How often all dossiers are listed lightly, to find what left and what changed silently.
pub const LISTING_EVERY: Duration = Duration::from_secs(DAY);
/// How often all dossiers are read again completely.
pub const REREAD_EVERY: Duration = Duration::from_secs(7 * DAY);
/// How long after the publication of a revision all dossiers are read again.
pub const REBASE_DELAY: Duration = Duration::from_secs(10 * MINUTE);
/// The share of a target's dossiers that one run may put a tombstone on before it stops and asks.
pub const MAX_DELETE_SHARE: f64 = 0.05;
/// How many tombstones are always allowed, whatever their share.
pub const MAX_DELETE_FLOOR: u64 = 10;

/// Whether `dn run` sends what waits in the outbox.
pub const PUSH_ON_SCHEDULE: bool = false;
/// Whether the sub-values of champs are read as well.
pub const COLUMNS: bool = false;
/// Whether `dn run` looks once a day what has been kept for its term, where a term is configured.
pub const RETENTION_ON_SCHEDULE: bool = true;
/// How often `dn run` runs a démarche.
pub const SCHEDULE: Duration = Duration::from_secs(10 * MINUTE);
/// By which clock schedules are read.
pub const TIMEZONE: &str = "Europe/Paris";
/// By how much, at most, a start is put off.
pub const JITTER: Duration = Duration::from_secs(30);
/// Whether a démarche is run less often while nothing changes, at night and at week-ends.
pub const ADAPTIVE: bool = false;
/// Whether a démarche is left alone by `dn run`.
pub const PAUSED: bool = false;
/// For how long what webhooks name of a démarche is gathered before `dn run` looks.
pub const HINT_WINDOW: Duration = Duration::from_secs(30);
/// How many runs `dn run` has under way at once.
pub const WORKERS: u32 = 1;
/// How long a job may fail before somebody is woken.
pub const FAILING_AFTER: Duration = Duration::from_secs(3_600);
/// How long a dossier may stay in quarantine before somebody is woken.
pub const QUARANTINE_AFTER: Duration = Duration::from_secs(24 * 3_600);
/// How many days before the end of a token somebody is woken.
pub const TOKEN_DAYS: u32 = 14;
/// The schema in PostgreSQL of a target that belongs to no instance.
pub const SCHEMA: &str = "dn";
/// How long a lease in PostgreSQL lasts without a sign of life.
pub const LEASE: Duration = Duration::from_secs(MINUTE);

/// Whether columns of ours that somebody deleted from a Grist document are made again.
pub const RESTORE_COLUMNS: bool = false;
/// Whether files themselves are copied into a Grist document.
pub const FILES: bool = false;
/// Whether people decide in a Grist document.
pub const DECISIONS: bool = false;
/// The largest file that is copied, in bytes.
pub const FILES_MAX_SIZE: u64 = 10_000_000;
