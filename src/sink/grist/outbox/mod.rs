//! Keeps intents in a document.
//!
//! - `tables`: the three tables; `ready`: makes them when the first intent comes;
//! - `kept`: an intent as `Dn_intentions` keeps it, sealed; `shown`: the same in `Dn_envois` and `Dn_journal`, for people;
//! - `labels`: what became of an intent, in French;
//! - `ask`: reads them; `draft`: writes one bundle of them;
//! - `forget`: takes from them what retention takes;
//! - `contract`: the [`Outbox`](crate::sink::Outbox) of a document.
//!
//! The intents that are trusted lie in `Dn_intentions`, which people do not see: one row an intent with all that is needed
//! to go on with it, and its digest. `Dn_envois` is written for people and never read: a line that somebody deletes or edits
//! there changes nothing, and one that is still to be sent comes back. How many intents there were is kept in `Dn_etat`, so
//! that a row of `Dn_intentions` that is gone is missed: then nothing is sent at all, since it may be one that was sent
//! already.

mod ask;
mod contract;
mod draft;
mod forget;
mod kept;
mod labels;
mod ready;
mod shown;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use grist_client::Action;

use crate::ids::{DossierNumber, Scope};
use crate::sink::grist::extension::{EmptiedRows, Extension};
use crate::sink::grist::fault::GristFault;
use crate::sink::grist::session::DocumentSession;
use crate::sink::grist::shared::Shared;

pub(super) use ask::{ask, of_dossiers};
pub(super) use draft::{OutboxDraft, update};
pub(super) use kept::OutboxLine;
pub(super) use labels::{named as named_action, outcome};
pub(super) use ready::ready;
pub(super) use tables::OutboxCounts;

/// Keeps intents in a document.
#[derive(Debug)]
pub(super) struct OutboxFeature;

impl Extension for OutboxFeature {
    fn is_wanted(&self) -> bool {
        true
    }

    fn tables(&self) -> &'static [Shared] {
        tables::OUTBOX
    }

    fn emptied<'a>(
        &'a self,
        session: &'a mut DocumentSession,
        scope: &'a Scope,
        dossiers: &'a BTreeSet<DossierNumber>,
    ) -> BoxFuture<'a, Result<EmptiedRows, GristFault>> {
        Box::pin(async move {
            let rows = forget::emptied(session, scope, dossiers).await?;
            if !rows.is_empty() {
                // The rows will be other ones than those that were read.
                session.cache.of::<OutboxLines>().0.clear();
            }
            Ok(rows)
        })
    }
}

/// Holds intents as they were last read or written, by their key.
#[derive(Debug, Default)]
struct OutboxLines(BTreeMap<String, OutboxLine>);

/// Adds to the bundle that says how an intent stands now.
pub(super) trait OutcomeWriter: fmt::Debug + Send + Sync {
    /// Lists the actions that say it elsewhere in the document.
    fn actions<'a>(
        &'a self,
        session: &'a DocumentSession,
        scope: &'a Scope,
        line: &'a OutboxLine,
    ) -> BoxFuture<'a, Result<Vec<Action>, GristFault>>;
}

/// Holds what is registered to say how intents stand.
#[derive(Clone, Debug, Default)]
pub(super) struct OutcomeWriters(Arc<[Arc<dyn OutcomeWriter>]>);

impl OutcomeWriters {
    /// Registers writers.
    pub fn new(writers: Vec<Arc<dyn OutcomeWriter>>) -> Self {
        Self(writers.into())
    }

    /// Lists the actions of all of them.
    async fn actions(
        &self,
        session: &DocumentSession,
        scope: &Scope,
        line: &OutboxLine,
    ) -> Result<Vec<Action>, GristFault> {
        let mut actions = Vec::new();
        for writer in self.0.iter() {
            actions.extend(writer.actions(session, scope, line).await?);
        }
        Ok(actions)
    }
}
