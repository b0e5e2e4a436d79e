//! The places of a PostgreSQL schema, as the limiter of a client asks for them.

use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::api::{Grant, Ledger, LedgerError};
use crate::sink::SinkError;
use crate::sink::postgres::Places;

impl Ledger for Places {
    fn ask(&self, want: u32) -> BoxFuture<'_, Result<Grant, LedgerError>> {
        Box::pin(async move {
            let granted = Self::ask(self, want).await.map_err(silent)?;
            Ok(Grant { places: granted.places, fresh: self.fresh(), ask_again: granted.ask_again })
        })
    }

    fn hold(&self, wait: Duration) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(async move { Self::hold(self, wait).await.map_err(silent) })
    }
}

fn silent(error: SinkError) -> LedgerError {
    LedgerError { reason: error.to_string() }
}
