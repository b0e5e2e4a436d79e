//! The outbox of a file. Whoever has it open for writing holds its lock: nothing more is to be taken.

use jiff::Timestamp;
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;

use super::SqliteSink;
use crate::demarche::Demarche;
use crate::ids::{DossierNumber, Scope};
use crate::intent::{Intent, IntentId, Move, Status};
use crate::sink::sql::{Fault, outbox};
use crate::sink::{Backlog, Entry, Outbox, OutboxStep, Received, Recorded, Sink, SinkError, TrailLine};

/// A transaction around some of the shared statements.
macro_rules! transaction {
    ($sink:ident, $action:literal, $tx:ident => $work:expr) => {{
        $sink.writable()?;
        let mut connection = $sink.connection.lock().await;
        let connection: &mut SqliteConnection = &mut connection;
        let done = async {
            let mut $tx = connection.begin_with("BEGIN IMMEDIATE").await?;
            let done = $work.await?;
            $tx.commit().await?;
            Ok::<_, Fault>(done)
        };
        let done = done.await;
        $sink.with_context($action, done)
    }};
}

impl Outbox for SqliteSink {
    fn outbox_name(&self) -> &str {
        &self.name
    }

    async fn begin(&self, _scope: &Scope) -> Result<(), SinkError> {
        self.writable()
    }

    async fn stored_form(&self, scope: &Scope) -> Result<Option<Demarche>, SinkError> {
        Sink::form(self, scope).await
    }

    async fn end(&self, _scope: &Scope) -> Result<(), SinkError> {
        Ok(())
    }

    async fn put(&self, scope: &Scope, intents: &[Intent], at: Timestamp) -> Result<Received, SinkError> {
        transaction!(self, "an intent", tx => outbox::put(&mut *tx, scope, intents, at))
    }

    async fn pending(&self, scope: &Scope, after: Option<i64>, limit: u32) -> Result<Vec<Entry>, SinkError> {
        let mut connection = self.connection.lock().await;
        self.with_context("a reading of the outbox", outbox::pending(&mut *connection, scope, after, limit).await)
    }

    async fn status(&self, scope: &Scope, id: &IntentId) -> Result<Option<Status>, SinkError> {
        let mut connection = self.connection.lock().await;
        self.with_context("a reading of the outbox", outbox::status(&mut *connection, scope, id).await)
    }

    async fn of_dossier(&self, scope: &Scope, dossier: DossierNumber) -> Result<Vec<Recorded>, SinkError> {
        let mut connection = self.connection.lock().await;
        self.with_context("a reading of the outbox", outbox::of_dossier(&mut *connection, scope, dossier).await)
    }

    async fn moves(&self, scope: &Scope, dossier: DossierNumber) -> Result<Vec<Move>, SinkError> {
        let mut connection = self.connection.lock().await;
        self.with_context("a reading of the outbox", outbox::moves(&mut *connection, scope, dossier).await)
    }

    async fn write(&self, scope: &Scope, step: &OutboxStep<'_>) -> Result<(), SinkError> {
        transaction!(self, "what became of an intent", tx => outbox::write(&mut *tx, scope, step))
    }

    async fn trail(&self, scope: &Scope, after: Option<i64>, limit: u32) -> Result<Vec<TrailLine>, SinkError> {
        let mut connection = self.connection.lock().await;
        self.with_context("a reading of the trail", outbox::trail(&mut *connection, scope, after, limit).await)
    }

    async fn depth(&self, scope: &Scope) -> Result<Vec<(Status, u64)>, SinkError> {
        let mut connection = self.connection.lock().await;
        self.with_context("a reading of the outbox", outbox::depth(&mut *connection, scope).await)
    }

    async fn backlog(&self) -> Result<Vec<Backlog>, SinkError> {
        let mut connection = self.connection.lock().await;
        self.with_context("a reading of the outbox", outbox::backlog(&mut *connection).await)
    }

    async fn resolve(&self, scope: &Scope, id: &IntentId, status: Status, at: Timestamp) -> Result<bool, SinkError> {
        transaction!(self, "an operator's word", tx => outbox::resolve(&mut *tx, scope, id, status, at))
    }
}
