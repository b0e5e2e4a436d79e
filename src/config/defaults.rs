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

/// The timeout of a connection.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The timeout between two pieces of an answer.
pub const READ_TIMEOUT: Duration = Duration::from_secs(45);
/// The timeout of a whole answer.
pub const TOTAL_TIMEOUT: Duration = Duration::from_secs(90);
/// The size of pages; the platform serves no more.
pub const PAGE_SIZE: PageSize = PageSize::MAX;
/// The rate limit of one token, in requests a minute: the platform's limit for all programs that share it.
pub const RATE_LIMIT: u32 = 400;

/// The overlap: the span before the watermark from which on a run reads.
pub const OVERLAP: Duration = Duration::from_secs(15 * MINUTE);
/// The span of the wide re-reading.
pub const FOLLOW_UP: Duration = Duration::from_secs(26 * HOUR);
/// The interval of the wide re-reading.
pub const FOLLOW_UP_EVERY: Duration = Duration::from_secs(HOUR);
/// The interval of the complete light listing, which finds deletions and silent changes.
pub const LISTING_EVERY: Duration = Duration::from_secs(DAY);
/// The interval of the complete re-reading.
pub const REREAD_EVERY: Duration = Duration::from_secs(7 * DAY);
/// The delay between the publication of a revision and the re-reading of all dossiers.
pub const REBASE_DELAY: Duration = Duration::from_secs(10 * MINUTE);
/// The share of a target's dossiers that one run may put a tombstone on before it stops and asks.
pub const MAX_DELETE_SHARE: f64 = 0.05;
/// The number of tombstones that are always allowed, whatever their share.
pub const MAX_DELETE_FLOOR: u64 = 10;

/// True if a cycle sends the intents that wait in the outbox.
pub const PUSH_ON_SCHEDULE: bool = false;
/// True if the sub-values of champs are read as well.
pub const COLUMNS: bool = false;
/// True if a cycle does the retention once a day, where a term is configured.
pub const RETENTION_ON_SCHEDULE: bool = true;
/// The interval of the runs of a démarche.
pub const SCHEDULE: Duration = Duration::from_secs(10 * MINUTE);
/// By which clock schedules are read.
pub const TIMEZONE: &str = "Europe/Paris";
/// By how much, at most, a start is put off.
pub const JITTER: Duration = Duration::from_secs(30);
/// True if a démarche is run less often while nothing changes, at night and at week-ends.
pub const ADAPTIVE: bool = false;
/// True if `dn run` leaves a démarche alone.
pub const PAUSED: bool = false;
/// For how long what webhooks name of a démarche is gathered before `dn run` looks.
pub const HINT_WINDOW: Duration = Duration::from_secs(30);
/// The number of runs that `dn run` has under way at once.
pub const WORKERS: u32 = 1;
/// The time for which a job may fail before an alert.
pub const FAILING_AFTER: Duration = Duration::from_secs(3_600);
/// The time for which a dossier may stay in quarantine before an alert.
pub const QUARANTINE_AFTER: Duration = Duration::from_secs(24 * 3_600);
/// The number of days before the end of a token at which an alert is sent.
pub const TOKEN_DAYS: u32 = 14;
/// The schema in PostgreSQL of a target that belongs to no instance.
pub const SCHEMA: &str = "dn";
/// The time after which a lease in PostgreSQL without heartbeat expires.
pub const LEASE: Duration = Duration::from_secs(MINUTE);

/// True if columns of ours that somebody deleted from a Grist document are made again.
pub const RESTORE_COLUMNS: bool = false;
/// True if files themselves are copied into a Grist document.
pub const FILES: bool = false;
/// True if people decide in a Grist document.
pub const DECISIONS: bool = false;
/// The largest file that is copied, in bytes.
pub const FILES_MAX_SIZE: u64 = 10_000_000;
