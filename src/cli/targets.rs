//! Where dossiers are kept: the only place that knows every type of target.

use super::context::read_secret;
use super::error::CliError;
use crate::config::{GristTarget, Target};
use crate::grist::{Client, Doc};
use crate::sink::{AnySink, SinkError, SqliteSink};

/// What an API key of Grist is called in messages.
pub const GRIST_KEY: &str = "API key of Grist";

/// Whether a target is there already. A document always is: nobody makes one by opening it.
pub fn exists(target: &Target) -> bool {
    match target {
        Target::Sqlite(path) => path.exists(),
        Target::Grist(_) => true,
    }
}

/// Opens a target for writing. It is locked until it is closed.
pub async fn open(target: &Target) -> Result<AnySink, CliError> {
    match target {
        Target::Sqlite(path) => Ok(SqliteSink::open(path).await?.into()),
        Target::Grist(grist) => {
            let _ = doc(grist)?;
            Err(SinkError::Unusable { target: target.to_string(), action: "opened", reason: String::new() }.into())
        }
    }
}

/// Opens a target for writing that must be there already.
pub async fn open_existing(target: &Target) -> Result<AnySink, CliError> {
    if exists(target) {
        open(target).await
    } else {
        // Which says that there is none, and makes none.
        open_to_read(target).await
    }
}

/// Opens a target for reading, even while a run writes to it.
pub async fn open_to_read(target: &Target) -> Result<AnySink, CliError> {
    match target {
        Target::Sqlite(path) => Ok(SqliteSink::open_read_only(path).await?.into()),
        Target::Grist(grist) => {
            let _ = doc(grist)?;
            Err(SinkError::Unusable { target: target.to_string(), action: "opened", reason: String::new() }.into())
        }
    }
}

/// Whether a run works on a target at this moment.
pub async fn is_locked(target: &Target) -> Result<bool, CliError> {
    match target {
        Target::Sqlite(path) => Ok(SqliteSink::is_locked(path)?),
        Target::Grist(_) => Ok(false),
    }
}

/// The document of a target, with the key from where the settings say that it is. Nothing is sent.
pub fn doc(target: &GristTarget) -> Result<Doc, CliError> {
    let key = read_secret(GRIST_KEY, &target.key.value)?;
    let client = Client::builder(target.url.value.as_str()).key(key).build()?;
    Ok(client.doc(target.document.clone()))
}

/// Where people open the document of a target.
pub fn page_of(target: &GristTarget) -> String {
    format!("{}/doc/{}", target.url.value.as_str().trim_end_matches('/'), target.document)
}
