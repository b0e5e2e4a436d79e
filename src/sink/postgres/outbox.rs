//! The outbox of a schema. Whoever works on it holds the lease of the démarche, as a run does: each write proves it.

use jiff::Timestamp;

use super::{PostgresSink, end, fenced, reading};
use crate::demarche::Demarche;
use crate::ids::{DossierNumber, Scope};
use crate::intent::{Intent, IntentId, Move, Status};
use crate::sink::sql::outbox;
use crate::sink::{Backlog, Entry, Outbox, OutboxStep, Received, Recorded, Sink, SinkError, TrailLine};

impl Outbox for PostgresSink {
    fn outbox_name(&self) -> &str {
        &self.server.name
    }

    async fn begin(&self, scope: &Scope) -> Result<(), SinkError> {
        self.leases()?.begin(scope).await
    }

    async fn stored_form(&self, scope: &Scope) -> Result<Option<Demarche>, SinkError> {
        Sink::form(self, scope).await
    }

    async fn end(&self, scope: &Scope) -> Result<(), SinkError> {
        self.leases()?.end(scope).await
    }

    async fn put(&self, scope: &Scope, intents: &[Intent], at: Timestamp) -> Result<Received, SinkError> {
        self.leases()?;
        reading!(self, "an intent", tx => outbox::put(&mut *tx, scope, intents, at))
    }

    async fn pending(&self, scope: &Scope, after: Option<i64>, limit: u32) -> Result<Vec<Entry>, SinkError> {
        reading!(self, "a reading of the outbox", tx => outbox::pending(&mut *tx, scope, after, limit))
    }

    async fn status(&self, scope: &Scope, id: &IntentId) -> Result<Option<Status>, SinkError> {
        reading!(self, "a reading of the outbox", tx => outbox::status(&mut *tx, scope, id))
    }

    async fn of_dossier(&self, scope: &Scope, dossier: DossierNumber) -> Result<Vec<Recorded>, SinkError> {
        reading!(self, "a reading of the outbox", tx => outbox::of_dossier(&mut *tx, scope, dossier))
    }

    async fn moves(&self, scope: &Scope, dossier: DossierNumber) -> Result<Vec<Move>, SinkError> {
        reading!(self, "a reading of the outbox", tx => outbox::moves(&mut *tx, scope, dossier))
    }

    async fn write(&self, scope: &Scope, step: &OutboxStep<'_>) -> Result<(), SinkError> {
        fenced!(self, scope, "what became of an intent", tx => outbox::write(&mut *tx, scope, step))
    }

    async fn trail(&self, scope: &Scope, after: Option<i64>, limit: u32) -> Result<Vec<TrailLine>, SinkError> {
        reading!(self, "a reading of the trail", tx => outbox::trail(&mut *tx, scope, after, limit))
    }

    async fn depth(&self, scope: &Scope) -> Result<Vec<(Status, u64)>, SinkError> {
        reading!(self, "a reading of the outbox", tx => outbox::depth(&mut *tx, scope))
    }

    async fn backlog(&self) -> Result<Vec<Backlog>, SinkError> {
        reading!(self, "a reading of the outbox", tx => outbox::backlog(&mut *tx))
    }

    async fn resolve(&self, scope: &Scope, id: &IntentId, status: Status, at: Timestamp) -> Result<bool, SinkError> {
        fenced!(self, scope, "an operator's word", tx => outbox::resolve(&mut *tx, scope, id, status, at))
    }
}
