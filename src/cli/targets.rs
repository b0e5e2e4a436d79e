//! Where dossiers are kept: the only place that knows every type of target.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::context::read_secret;
use super::error::CliError;
use crate::api::ApiError;
use crate::config::{
    ConfigError, GristTarget, PostgresAddress, PostgresTarget, Problem, Target, check_postgres_address,
};
use crate::sink::grist::Opening;
use crate::sink::postgres::{Options, PermitRule, Permits, ServerFacts};
use crate::sink::{AnySink, FileLimits, GristSink, PostgresSink, SinkError, SqliteSink};
use grist_client::{Client, Doc, DocId, GristError};

/// What an API key of Grist is called in messages.
pub const GRIST_KEY: &str = "API key of Grist";

/// Opens a target for writing. It is locked until it is closed.
pub async fn open(target: &Target) -> Result<AnySink, CliError> {
    match target {
        Target::Sqlite(path) => Ok(SqliteSink::open(path).await?.into()),
        Target::Postgres(postgres) => Ok(PostgresSink::open(&address(postgres)?, options(postgres)).await?.into()),
        Target::Grist(grist) => {
            let opening = GristSink::of(doc(grist)?).restore_columns(grist.restore_columns.value);
            Ok(open_document(opening.decisions(grist.decisions.value), grist.limits()).await?)
        }
    }
}

/// The same for a target that must be there already; `None`, and nothing made, when it is not. A document always is: nobody
/// makes one by opening it.
async fn open_if_there(target: &Target) -> Result<Option<AnySink>, CliError> {
    match target {
        Target::Sqlite(path) if !path.exists() => Ok(None),
        Target::Postgres(postgres) => {
            let sink = PostgresSink::open_existing(&address(postgres)?, options(postgres)).await?;
            Ok(sink.map(AnySink::from))
        }
        Target::Sqlite(_) | Target::Grist(_) => open(target).await.map(Some),
    }
}

/// Opens a target for writing; one that is not there is made once `first` was answered.
pub async fn open_or_make<T>(
    target: &Target,
    first: impl Future<Output = Result<T, ApiError>>,
) -> Result<AnySink, CliError> {
    match open_if_there(target).await? {
        Some(sink) => Ok(sink),
        None => {
            first.await?;
            open(target).await
        }
    }
}

/// Opens a Grist document for writing, with the files that it is to keep.
pub async fn open_document(mut opening: Opening, limits: Option<FileLimits>) -> Result<AnySink, SinkError> {
    if let Some(limits) = limits {
        opening = opening.files(limits);
    }
    Ok(opening.open().await?.into())
}

/// Whether a target is to keep files.
pub fn keeps_files(target: &Target) -> bool {
    matches!(target, Target::Grist(grist) if grist.limits().is_some())
}

/// Opens a Grist document for reading.
pub async fn open_document_to_read(doc: Doc) -> Result<AnySink, SinkError> {
    Ok(GristSink::of(doc).open_read_only().await?.into())
}

/// Opens a target for writing that must be there already.
pub async fn open_existing(target: &Target) -> Result<AnySink, CliError> {
    match open_if_there(target).await? {
        Some(sink) => Ok(sink),
        // Which says that there is none, and makes none.
        None => open_to_read(target).await,
    }
}

/// Opens a target for reading, if it is there.
pub async fn open_to_read_if_there(target: &Target) -> Result<Option<AnySink>, CliError> {
    match target {
        Target::Sqlite(path) if !path.exists() => Ok(None),
        Target::Postgres(postgres) => {
            let sink = PostgresSink::open_existing_read_only(&address(postgres)?, options(postgres)).await?;
            Ok(sink.map(AnySink::from))
        }
        Target::Sqlite(_) | Target::Grist(_) => open_to_read(target).await.map(Some),
    }
}

/// Opens a target for reading, even while a run writes to it.
pub async fn open_to_read(target: &Target) -> Result<AnySink, CliError> {
    match target {
        Target::Sqlite(path) => Ok(SqliteSink::open_read_only(path).await?.into()),
        Target::Postgres(postgres) => {
            Ok(PostgresSink::open_read_only(&address(postgres)?, options(postgres)).await?.into())
        }
        Target::Grist(grist) => {
            let opening = GristSink::of(doc(grist)?).decisions(grist.decisions.value);
            Ok(opening.open_read_only().await?.into())
        }
    }
}

/// The same expression for the outbox inside a target, whichever it is; `None` for a target that keeps none.
macro_rules! with_outbox {
    ($sink:expr, $outbox:ident => $expression:expr) => {
        match $sink {
            $crate::sink::AnySink::Sqlite($outbox) => Some($expression),
            $crate::sink::AnySink::Postgres(boxed) => {
                let $outbox = boxed.as_ref();
                Some($expression)
            }
            $crate::sink::AnySink::Grist(boxed) => {
                let $outbox = boxed.as_ref();
                Some($expression)
            }
            _ => None,
        }
    };
}
pub(super) use with_outbox;

/// Whether a run works on a target at this moment.
pub async fn is_locked(target: &Target) -> Result<bool, CliError> {
    match target {
        Target::Sqlite(path) => Ok(SqliteSink::is_locked(path)?),
        Target::Postgres(postgres) => Ok(PostgresSink::is_locked(&address(postgres)?, options(postgres)).await?),
        Target::Grist(grist) => Ok(GristSink::is_locked(doc(grist)?).await?),
    }
}

/// How long a lease of a target lasts; `None` where one run at a time works on all of it.
pub fn lease_of(target: &Target) -> Option<Duration> {
    match target {
        Target::Postgres(postgres) => Some(postgres.lease),
        Target::Sqlite(_) | Target::Grist(_) => None,
    }
}

/// The address of a PostgreSQL, from where the settings say that it is.
fn address(target: &PostgresTarget) -> Result<String, CliError> {
    match &target.address {
        PostgresAddress::Address(address) => Ok(address.expose_secret().to_owned()),
        PostgresAddress::Source(source) => {
            let address = read_secret("address of PostgreSQL", source)?.expose_secret().to_owned();
            check_postgres_address(&address).map_err(|error| {
                let problem = Problem { hint: error.hint, ..Problem::new(source.to_string(), error.message) };
                ConfigError { file: None, problems: vec![problem] }
            })?;
            Ok(address)
        }
    }
}

/// What the server of a PostgreSQL tells of itself.
pub async fn postgres_facts(target: &PostgresTarget) -> Result<ServerFacts, CliError> {
    Ok(PostgresSink::facts(&address(target)?, options(target)).await?)
}

/// Prepares the permits of a token, shared with other processes in a schema.
pub fn permits(target: &PostgresTarget, key: &str, rule: PermitRule) -> Result<Permits, CliError> {
    let holder = format!("{} {:016x}", std::process::id(), rand::random::<u64>());
    Ok(Permits::new(&address(target)?, &options(target), (key, &holder), rule)?)
}

fn options(target: &PostgresTarget) -> Options {
    Options { schema: target.schema.clone(), lease: target.lease, ..Options::default() }
}

/// The document of a target, with the key from where the settings say that it is. Nothing is sent.
pub fn doc(target: &GristTarget) -> Result<Doc, CliError> {
    let key = read_secret(GRIST_KEY, &target.key.value)?;
    Ok(instance(&target.url.value, key)?.doc(target.document.clone()))
}

/// An instance of Grist. Nothing is sent.
pub fn instance(url: &Url, key: SecretString) -> Result<Client, GristError> {
    Client::builder(url.as_str()).key(key).user_agent(crate::USER_AGENT).build()
}

/// Where people open the document of a target.
pub fn page_of(target: &GristTarget) -> String {
    page(&target.url.value, &target.document)
}

/// Where people open a document of an instance.
pub fn page(url: &Url, document: &DocId) -> String {
    format!("{}/doc/{document}", url.as_str().trim_end_matches('/'))
}
