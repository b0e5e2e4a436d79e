//! Names that hold when nothing else is said, and that other modules need too: variables of the environment above all. The default of a key stands
//! where the key is declared.

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

/// By which clock schedules are read, and days begin.
pub const TIMEZONE: &str = "Europe/Paris";
/// The schema in PostgreSQL of a target that belongs to no instance.
pub const SCHEMA: &str = "dn";
