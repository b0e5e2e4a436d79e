//! The outbox of a schema. Whoever works on it holds the lease of the démarche, as a run does: each write proves it.

use jiff::Timestamp;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

use super::{PostgresSink, end, lease};
use crate::ids::DossierNumber;
use crate::intent::{Intent, IntentId, Move, Status};
use crate::sink::sql::outbox;
use crate::sink::{Entry, Outbox, OutboxStep, Received, Scope, SinkError, TrailLine};

/// A transaction around some of the shared statements, which need the lease.
macro_rules! fenced {
    ($sink:ident, $scope:ident, $action:literal, $tx:ident => $work:expr) => {{
        let token = $sink.leases()?.token($scope).await?;
        let mut connection = $sink.connection().await?;
        let connection: &mut PgConnection = &mut connection;
        let done = async {
            let mut $tx = connection.begin().await?;
            let done = match lease::fence(&mut $tx, $scope, token, $sink.server.options.lease).await {
                Ok(true) => $work.await.map(Some),
                Ok(false) => Ok(None),
                Err(fault) => Err(fault),
            };
            end($tx, done).await
        };
        let done = done.await;
        $sink.fenced($scope, $sink.told($action, done)?).await
    }};
}

/// The same without a lease: what anybody may do at any time.
macro_rules! free {
    ($sink:ident, $action:literal, $tx:ident => $work:expr) => {{
        $sink.leases()?;
        let mut connection = $sink.connection().await?;
        let connection: &mut PgConnection = &mut connection;
        let done = async {
            let mut $tx = connection.begin().await?;
            let done = $work.await.map(Some);
            end($tx, done).await
        };
        let done = done.await;
        Ok($sink.told($action, done)?.expect("nothing but a lost lease gives a transaction up"))
    }};
}

impl Outbox for PostgresSink {
    fn outbox_name(&self) -> &str {
        &self.server.name
    }

    async fn begin(&self, scope: &Scope) -> Result<(), SinkError> {
        self.leases()?.begin(scope).await
    }

    async fn end(&self, scope: &Scope) -> Result<(), SinkError> {
        self.leases()?.end(scope).await
    }

    async fn put(&self, scope: &Scope, intents: &[Intent], at: Timestamp) -> Result<Received, SinkError> {
        free!(self, "an intent", tx => outbox::put(&mut *tx, scope, intents, at))
    }

    async fn pending(&self, scope: &Scope, after: Option<i64>, limit: u32) -> Result<Vec<Entry>, SinkError> {
        let mut connection = self.connection().await?;
        self.told("a reading of the outbox", outbox::pending(&mut *connection, scope, after, limit).await)
    }

    async fn status(&self, scope: &Scope, id: &IntentId) -> Result<Option<Status>, SinkError> {
        let mut connection = self.connection().await?;
        self.told("a reading of the outbox", outbox::status(&mut *connection, scope, id).await)
    }

    async fn moves(&self, scope: &Scope, dossier: DossierNumber) -> Result<Vec<Move>, SinkError> {
        let mut connection = self.connection().await?;
        self.told("a reading of the outbox", outbox::moves(&mut *connection, scope, dossier).await)
    }

    async fn write(&self, scope: &Scope, step: &OutboxStep<'_>) -> Result<(), SinkError> {
        fenced!(self, scope, "what became of an intent", tx => outbox::write(&mut *tx, scope, step))
    }

    async fn trail(&self, scope: &Scope, after: Option<i64>, limit: u32) -> Result<Vec<TrailLine>, SinkError> {
        let mut connection = self.connection().await?;
        self.told("a reading of the trail", outbox::trail(&mut *connection, scope, after, limit).await)
    }

    async fn depth(&self, scope: &Scope) -> Result<Vec<(Status, u64)>, SinkError> {
        let mut connection = self.connection().await?;
        self.told("a reading of the outbox", outbox::depth(&mut *connection, scope).await)
    }

    async fn resolve(&self, scope: &Scope, id: &IntentId, status: Status, at: Timestamp) -> Result<bool, SinkError> {
        fenced!(self, scope, "an operator's word", tx => outbox::resolve(&mut *tx, scope, id, status, at))
    }
}
