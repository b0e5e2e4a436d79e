//! Decides which fields are requested of whole dossiers: those of the pinned document, and those that the platform has beyond it.
//! Reading the platform's schema is a side request: if it fails, the pinned document is sent, and no dossier waits.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex as AsyncMutex;

use super::client::Client;
use super::error::ApiError;
use super::introspect::SchemaFacts;
use super::newer::Additions;
use super::operation;

/// The time for which all clones of a client share one reading: a program that works on many démarches sends one request.
const SHARED_FOR: SignedDuration = SignedDuration::from_hours(1);

/// The time after a failure without another attempt: each démarche of a program would wait for the same time-out.
const QUIET_FOR: SignedDuration = SignedDuration::from_mins(5);

/// Fields that the caller wants of dossiers beyond the pinned documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ExtraFields {
    /// Fields newer than the pinned schema, where the platform has them.
    pub(super) newer: bool,
    /// The sub-values of champs.
    pub(super) columns: bool,
}

/// Fields that one client requests of whole dossiers.
#[derive(Clone, Debug)]
pub(super) struct RequestedFields {
    wanted: ExtraFields,
    /// The last reading of the schema, shared by all clones.
    schema: Arc<Mutex<Told>>,
    /// The request, if the caller decided it.
    decided: Option<Arc<FieldRequest>>,
    /// The request otherwise, once the schema was read.
    learned: Arc<AsyncMutex<Option<Arc<FieldRequest>>>>,
}

/// Request for whole dossiers.
#[derive(Debug)]
pub(super) struct FieldRequest {
    additions: Additions,
    pub(super) document: String,
}

/// The last readings of the schema, good and failed.
#[derive(Debug, Default)]
struct Told {
    facts: Option<SchemaFacts>,
    at: Option<Timestamp>,
    failed: Option<(Timestamp, SchemaUnknown)>,
}

/// Failure to read the platform's schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SchemaUnknown {
    /// The reason.
    pub reason: String,
}

/// Returns true if an instant lies in the span that begins at `since`. A clock that was set back ends the span.
fn within(span: SignedDuration, since: Timestamp, now: Timestamp) -> bool {
    since <= now && now.duration_since(since) < span
}

impl RequestedFields {
    pub(super) fn new(wanted: ExtraFields) -> Self {
        Self { wanted, schema: Arc::default(), decided: None, learned: Arc::default() }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.schema.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    /// Clones this client, with or without the sub-values of champs, which Démarche Numérique calls columns. They hold
    /// the data behind an answer (behind an approval of FranceConnect, behind a bank statement), and cost more
    /// complexity for each dossier. Démat Social has none.
    #[doc(hidden)]
    #[must_use]
    pub fn with_columns(&self, columns: bool) -> Self {
        let wanted = ExtraFields { columns, ..self.fields.wanted };
        if wanted == self.fields.wanted {
            return self.clone();
        }
        self.with(RequestedFields { wanted, decided: None, learned: Arc::default(), ..self.fields.clone() })
    }

    /// Clones this client, with these fields of the platform ([`platform_fields`](Self::platform_fields)); with those of the
    /// pinned schema if they are not known. The clone never reads the schema by itself.
    #[doc(hidden)]
    #[must_use]
    pub fn with_fields(&self, fields: Option<&BTreeSet<String>>) -> Self {
        let ExtraFields { newer, columns } = self.fields.wanted;
        let additions = match fields.filter(|_| newer) {
            Some(fields) => Additions::of(fields, columns),
            None => Additions::allowed(&SchemaFacts::pinned(self.platform()), false, columns),
        };
        let decided = Some(self.asking(additions));
        self.with(RequestedFields { decided, ..self.fields.clone() })
    }

    /// Returns true if fields newer than the pinned schema are wanted
    /// ([`newer_fields`](super::ClientBuilder::newer_fields)).
    #[doc(hidden)]
    #[must_use]
    pub fn wants_newer_fields(&self) -> bool {
        self.fields.wanted.newer
    }

    /// Reads which fields the platform has beyond the pinned documents, each under a stable name. As a side request: after a
    /// failure it is not sent again for five minutes, and an answer is reused for an hour. `now` is the present instant.
    ///
    /// # Errors
    /// Any failure of the request, with its reason.
    #[doc(hidden)]
    pub async fn platform_fields(&self, now: Timestamp) -> Result<BTreeSet<String>, SchemaUnknown> {
        Ok(Additions::possible(&self.facts(now).await?))
    }

    /// Finds the fields that lead to these additions; `None` if no set of known fields does. For checkpoints of an earlier
    /// version, which recorded the request and not the fields.
    #[doc(hidden)]
    #[must_use]
    pub fn fields_asked(&self, same: impl Fn(&[&'static str]) -> bool) -> Option<BTreeSet<String>> {
        Additions::choices().find(|fields| same(&Additions::of(fields, self.fields.wanted.columns).asked()))
    }

    /// Lists the fields that this client requests of whole dossiers beyond the pinned documents, sorted. Two clients that
    /// request the same read the same dossier in the same way. Reads the platform's schema if that is still to be done.
    #[doc(hidden)]
    pub async fn additions(&self) -> Vec<&'static str> {
        self.asked().await.additions.asked()
    }

    pub(super) async fn asked(&self) -> Arc<FieldRequest> {
        if let Some(decided) = &self.fields.decided {
            return Arc::clone(decided);
        }
        let mut learned = self.fields.learned.lock().await;
        if let Some(asked) = &*learned {
            return Arc::clone(asked);
        }
        let ExtraFields { newer, columns } = self.fields.wanted;
        let pinned = || Additions::allowed(&SchemaFacts::pinned(self.platform()), false, columns);
        let additions = if newer {
            match self.facts(self.transport().clock.now()).await {
                Ok(facts) => Additions::allowed(&facts, newer, columns),
                // It is retried later: dossiers that are read meanwhile lack the newer fields.
                Err(error) => {
                    tracing::warn!(%error, "introspection of the platform's schema failed; fields newer than the pinned schema are not requested");
                    return self.asking(pinned());
                }
            }
        } else {
            pinned()
        };
        Arc::clone(learned.insert(self.asking(additions)))
    }

    fn asking(&self, additions: Additions) -> Arc<FieldRequest> {
        let document = additions.applied_to(operation::dossiers_document(self.platform()));
        Arc::new(FieldRequest { additions, document })
    }

    async fn facts(&self, now: Timestamp) -> Result<SchemaFacts, SchemaUnknown> {
        {
            let told = self.fields.told();
            if let (Some(facts), Some(at)) = (&told.facts, told.at)
                && within(SHARED_FOR, at, now)
            {
                return Ok(facts.clone());
            }
            if let Some((at, failed)) = &told.failed
                && within(QUIET_FOR, *at, now)
            {
                return Err(failed.clone());
            }
        }
        match self.aside().introspect().await {
            Ok(facts) => {
                *self.fields.told() = Told { facts: Some(facts.clone()), at: Some(now), failed: None };
                Ok(facts)
            }
            Err(error) => {
                let failed = SchemaUnknown { reason: error.to_string() };
                self.fields.told().failed = Some((now, failed.clone()));
                Err(failed)
            }
        }
    }

    /// Forgets the platform's schema if it rejects a document with additional fields: a field may have been removed.
    /// The schema is read again.
    pub(super) async fn doubt<T>(&self, asked: &FieldRequest, answer: Result<T, ApiError>) -> Result<T, ApiError> {
        if matches!(answer, Err(ApiError::Rejected { .. })) && !asked.additions.asked().is_empty() {
            *self.fields.told() = Told::default();
            *self.fields.learned.lock().await = None;
        }
        answer
    }

    /// Returns true if the platform's schema is known to have all of this.
    pub(super) fn schema_has<'f>(&self, facts: impl IntoIterator<Item = &'f str>) -> bool {
        let told = self.fields.told();
        told.facts.as_ref().is_some_and(|schema| facts.into_iter().all(|fact| schema.has(fact)))
    }

    /// Reads the platform's schema and keeps it.
    pub(super) async fn learn_schema(&self) -> Result<(), ApiError> {
        let facts = self.introspect().await?;
        // Dated by the same clock as any other reading: with an older date it would be read again at once, with a later one kept
        // for too long.
        let at = Some(self.transport().clock.now());
        *self.fields.told() = Told { facts: Some(facts), at, failed: None };
        Ok(())
    }
}
