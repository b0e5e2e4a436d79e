//! Plans or pushes all entries of an outbox, in their order.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};

use super::carry_out::{CarriedOut, carry_out};
use super::decision::Decision;
use super::error::PushError;
use super::examine::Examiner;
use super::report::{Item, Pushed};
use super::tally::Tally;
use crate::api::Client;
use crate::dossier::Dossier;
use crate::ids::{DossierNumber, Scope};
use crate::privacy::Filter;
use crate::sink::{Entry, Outbox};
use crate::sync::Stop;

/// The number of entries that are read together.
const PAGE: u32 = 100;

/// Holds everything that a push needs.
pub struct Push<'a, O> {
    /// The platform.
    pub client: &'a Client,
    /// The outbox.
    pub outbox: &'a O,
    /// The démarche.
    pub scope: &'a Scope,
    /// The filter of the target: fingerprints are compared with those that it stores.
    pub filter: &'a Filter,
    /// The default author, for intents that name none: an e-mail address or an id of an instructeur.
    pub author: Option<&'a str>,
    /// The time for which a request may still be under way after its answer was lost; [`QUIET`] by default. What must not be
    /// done twice is not sent again before.
    pub quiet: SignedDuration,
    /// Does not send a message that is there already, from the same author in the same words. For
    /// intents that were never kept anywhere; an outbox knows what it sent.
    pub once: bool,
    /// Receives what becomes of each intent.
    pub events: &'a (dyn Fn(&Item) + Send + Sync),
    /// The request to stop.
    pub stop: &'a Stop,
    /// The present instant.
    pub clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
}

/// Longer than the platform works on a request (30 s, trap 2) and than a proxy keeps one waiting.
pub const QUIET: SignedDuration = SignedDuration::from_mins(2);

/// Receives the dossiers that moved, as they were read last.
pub type ReadBack<'a> = &'a (dyn Fn(Vec<Dossier>) -> BoxFuture<'a, Result<(), PushError>> + Send + Sync);

/// Plans every pending intent: reports what would be done. Sends nothing and writes nothing.
///
/// # Errors
/// The platform, or the outbox. What was planned before is in the report that comes with it.
pub async fn plan<O: Outbox>(push: &Push<'_, O>) -> Result<Pushed, PushError> {
    let examiner = Examiner::new(push).await?;
    let mut tally = push.tally();
    let ended = plan_all(push, &examiner, &mut tally).await;
    push.report(tally, ended)
}

/// Does every pending intent that can be done, and settles those that cannot.
///
/// `read_back` is given the dossiers that moved, as they were read last, after every page of entries: a target takes them
/// in at once, so that the next sync finds nothing new in them.
///
/// # Errors
/// What concerns all intents: the token, the connection, the outbox. Everything settled before stays settled, and pending
/// intents stay pending.
pub async fn push<O: Outbox>(push: &Push<'_, O>, read_back: ReadBack<'_>) -> Result<Pushed, PushError> {
    push.outbox.begin(push.scope).await?;
    // The outbox ends also after an error, so that its lease is free; the error of the push is the one to tell.
    let pushed = push_begun(push, read_back).await;
    let ended = push.outbox.end(push.scope).await;
    let pushed = pushed?;
    ended?;
    Ok(pushed)
}

async fn push_begun<O: Outbox>(push: &Push<'_, O>, read_back: ReadBack<'_>) -> Result<Pushed, PushError> {
    let examiner = Examiner::new(push).await?;
    let mut tally = push.tally();
    let ended = push_all(push, &examiner, &mut tally, read_back).await;
    push.report(tally, ended)
}

impl<O: Outbox> Push<'_, O> {
    fn tally(&self) -> Tally {
        Tally::new(Pushed::new(self.scope, self.outbox.outbox_name()))
    }

    /// Joins what was done to what ended it early.
    fn report(&self, tally: Tally, ended: Result<(), PushError>) -> Result<Pushed, PushError> {
        let report = tally.into_report();
        match ended {
            Ok(()) => Ok(report),
            Err(error) => Err(error.after(report)),
        }
    }

    /// Reads the entries after a place; `None` after the last one.
    async fn page(&self, after: &mut Option<i64>) -> Result<Option<Vec<Entry>>, PushError> {
        let page = self.outbox.pending(self.scope, *after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(None) };
        *after = Some(last.seq);
        Ok(Some(page))
    }

    fn not_stopped(&self) -> Result<(), PushError> {
        if self.stop.is_asked() { Err(PushError::Interrupted) } else { Ok(()) }
    }
}

async fn plan_all<O: Outbox>(
    push: &Push<'_, O>,
    examiner: &Examiner<'_, O>,
    tally: &mut Tally,
) -> Result<(), PushError> {
    let mut after = None;
    while let Some(page) = push.page(&mut after).await? {
        for entry in &page {
            push.not_stopped()?;
            let decision = match tally.not_now(entry, (push.clock)()) {
                Some(decision) => decision,
                None => {
                    let related = examiner.related(entry).await?.assume_done();
                    examiner.examine(entry, &entry.progress, &related).await?.decision
                }
            };
            (push.events)(&tally.add(entry, &decision));
        }
    }
    for (entry, decision) in tally.circles() {
        (push.events)(&tally.replace(&entry, &decision));
    }
    Ok(())
}

async fn push_all<O: Outbox>(
    push: &Push<'_, O>,
    examiner: &Examiner<'_, O>,
    tally: &mut Tally,
    read_back: ReadBack<'_>,
) -> Result<(), PushError> {
    let mut after = None;
    while let Some(page) = push.page(&mut after).await? {
        let mut moved = BTreeMap::new();
        let mut ended = push_page(push, examiner, tally, &page, &mut moved).await;
        // What moved is read back also if something ended the page early.
        if !moved.is_empty() {
            let read = read_back(moved.into_values().collect()).await;
            ended = ended.and(read);
        }
        ended?;
    }
    for (entry, decision) in tally.circles() {
        carry_out(push, &entry, decision.clone()).await?;
        (push.events)(&tally.replace(&entry, &decision));
    }
    Ok(())
}

async fn push_page<O: Outbox>(
    push: &Push<'_, O>,
    examiner: &Examiner<'_, O>,
    tally: &mut Tally,
    page: &[Entry],
    moved: &mut BTreeMap<DossierNumber, Dossier>,
) -> Result<(), PushError> {
    for entry in page {
        push.not_stopped()?;
        let decision = match tally.not_now(entry, (push.clock)()) {
            Some(decision) => decision,
            None => push_entry(push, examiner, entry, moved).await?,
        };
        (push.events)(&tally.add(entry, &decision));
    }
    Ok(())
}

/// Sends one mutation after the other until nothing of an entry is left to send now. Returns the decision that was recorded.
async fn push_entry<O: Outbox>(
    push: &Push<'_, O>,
    examiner: &Examiner<'_, O>,
    entry: &Entry,
    moved: &mut BTreeMap<DossierNumber, Dossier>,
) -> Result<Decision, PushError> {
    // Read for each entry: an earlier one of this push may have settled what this one requires.
    let related = examiner.related(entry).await?;
    let mut progress = entry.progress.clone();
    loop {
        let examined = examiner.examine(entry, &progress, &related).await?;
        // Read after the sending, so that the next sync finds nothing new in it (trap 29).
        if let Some(dossier) = examined.dossier.filter(|_| progress.sends > 0) {
            moved.insert(entry.dossier, dossier);
        }
        match carry_out(push, entry, examined.decision).await? {
            CarriedOut::Recorded(decision) => return Ok(decision),
            CarriedOut::Sent(further) => progress = further,
        }
    }
}
