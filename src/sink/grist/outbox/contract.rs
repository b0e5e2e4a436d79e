//! Implements the outbox of a document. Every write is one bundle that moves the lease; what is written before something is
//! sent is durable when the platform hears of it, and fails when another run took over.

use jiff::Timestamp;

use super::draft::OutboxDraft;
use super::kept::{OutboxLine, key};
use super::{OutboxLines, OutcomeWriters, ask, ready};
use crate::demarche::Demarche;
use crate::ids::{DossierNumber, Scope};
use crate::intent::{Intent, IntentId, Move, Status};
use crate::sink::grist::fault::GristFault;
use crate::sink::grist::lease::{self, Judgment};
use crate::sink::grist::session::{DocumentSession, again};
use crate::sink::grist::{GristSink, identity};
use crate::sink::{Backlog, Entry, Happening, Outbox, OutboxStep, Received, Recorded, Sink, SinkError, TrailLine};

/// The largest number of intents in one bundle, and of bytes.
const MOST: usize = 100;
const HEAVIEST: usize = 500_000;

impl Outbox for GristSink {
    fn outbox_name(&self) -> &str {
        &self.name
    }

    /// Takes the lease where there is something to be done. Where there is not, nothing is written, so that a push without
    /// work leaves no trace in the document's history; should an intent come meanwhile, the bundle that says what is about
    /// to be sent takes the lease, or fails before anything is sent.
    async fn begin(&self, scope: &Scope) -> Result<(), SinkError> {
        let session = &mut *self.session.lock().await;
        let begun = again!(session, begin(session, scope));
        self.notices.add(self.with_context("the beginning of a push", begun)?);
        Ok(())
    }

    async fn stored_form(&self, scope: &Scope) -> Result<Option<Demarche>, SinkError> {
        Sink::form(self, scope).await
    }

    async fn end(&self, _scope: &Scope) -> Result<(), SinkError> {
        let mut session = self.session.lock().await;
        let ended = async {
            session.settle().await?;
            if session.holds() { session.send(&[], &[], true).await.map(drop) } else { Ok(()) }
        };
        let ended = ended.await;
        self.with_context("the end of a push", ended)
    }

    async fn put(&self, scope: &Scope, intents: &[Intent], at: Timestamp) -> Result<Received, SinkError> {
        let session = &mut *self.session.lock().await;
        let mut received = Received::default();
        let mut rest = intents;
        while !rest.is_empty() {
            let put = again!(session, put(session, scope, rest, at));
            let (part, taken) = self.with_context("an intent", put)?;
            received.new += part.new;
            received.known += part.known;
            received.taken.extend(part.taken);
            rest = &rest[taken..];
        }
        Ok(received)
    }

    async fn pending(&self, scope: &Scope, after: Option<i64>, limit: u32) -> Result<Vec<Entry>, SinkError> {
        self.read("a reading of the outbox", async |session| {
            let lines = ask::pending(session, scope, after.unwrap_or_default(), limit).await?;
            if session.me.is_some() && !lines.is_empty() {
                // Whoever asks to write is about to send it.
                identity::check(session).await?;
            }
            let entries = lines.iter().map(OutboxLine::entry).collect();
            session.cache.of::<OutboxLines>().0.extend(lines.into_iter().map(|line| (key(scope, &line.kept.id), line)));
            Ok(entries)
        })
        .await
    }

    async fn status(&self, scope: &Scope, id: &IntentId) -> Result<Option<Status>, SinkError> {
        self.read("a reading of the outbox", async |session| {
            Ok(ask::named(session, scope, &[id]).await?.into_values().next().map(|line| line.status))
        })
        .await
    }

    async fn of_dossier(&self, scope: &Scope, dossier: DossierNumber) -> Result<Vec<Recorded>, SinkError> {
        self.read("a reading of the outbox", async |session| {
            Ok(ask::of_dossiers(session, scope, [dossier]).await?.iter().map(OutboxLine::recorded).collect())
        })
        .await
    }

    async fn moves(&self, scope: &Scope, dossier: DossierNumber) -> Result<Vec<Move>, SinkError> {
        self.read("a reading of the outbox", async |session| {
            Ok(ask::of_dossiers(session, scope, [dossier]).await?.iter().filter_map(OutboxLine::moved).collect())
        })
        .await
    }

    async fn write(&self, scope: &Scope, step: &OutboxStep<'_>) -> Result<(), SinkError> {
        let session = &mut *self.session.lock().await;
        let written = again!(session, write(session, scope, step, &self.outcomes));
        self.with_context("what became of an intent", written)
    }

    async fn trail(&self, scope: &Scope, after: Option<i64>, limit: u32) -> Result<Vec<TrailLine>, SinkError> {
        self.read("a reading of the trail", async |session| {
            ask::trail(session, scope, after.unwrap_or_default(), limit).await
        })
        .await
    }

    async fn depth(&self, scope: &Scope) -> Result<Vec<(Status, u64)>, SinkError> {
        self.read("a reading of the outbox", async |session| ask::depth(session, scope).await).await
    }

    async fn backlog(&self) -> Result<Vec<Backlog>, SinkError> {
        self.read("a reading of the outbox", async |session| ask::backlog(session).await).await
    }

    async fn resolve(&self, scope: &Scope, id: &IntentId, status: Status, at: Timestamp) -> Result<bool, SinkError> {
        let session = &mut *self.session.lock().await;
        let resolved = again!(session, resolve(session, scope, id, status, at, &self.outcomes));
        self.with_context("an operator's word", resolved)
    }
}

/// Takes the lease. Returns notices.
async fn begin(session: &mut DocumentSession, scope: &Scope) -> Result<Vec<String>, GristFault> {
    let Some(me) = session.me.clone() else { return Err(GristFault::ReadOnly) };
    if !session.holds() {
        let found = session.reader.lease().await?;
        if let Judgment::Held(holder) =
            lease::judge(found.as_ref(), &me, Timestamp::now(), lease::lives, lease::is_ours)
        {
            return Err(GristFault::Locked(Some(holder)));
        }
    }
    let depth = ask::complete(session, scope).await?;
    session.mend().await?;
    if !depth.iter().any(|(status, _)| *status == Status::Pending) {
        return Ok(Vec::new());
    }
    ready::ready(session, scope).await?;
    let mut notices = Vec::new();
    let mut draft = OutboxDraft::new(session, scope)?;
    for line in ask::hidden(session, scope).await? {
        let id = &line.kept.id;
        notices.push(format!("the line of intent {id} was deleted in the list of sendings: it is still to be sent"));
        draft.show(scope, &line);
    }
    draft.send(session, scope).await?;
    Ok(notices)
}

/// Puts the first of some intents, and says how many those are.
async fn put(
    session: &mut DocumentSession,
    scope: &Scope,
    intents: &[Intent],
    at: Timestamp,
) -> Result<(Received, usize), GristFault> {
    ready::ready(session, scope).await?;
    ask::complete(session, scope).await?;
    let intents = &intents[..intents.len().min(MOST)];
    let ids: Vec<&IntentId> = intents.iter().map(|intent| &intent.id).collect();
    let mut known: std::collections::BTreeMap<String, Option<Intent>> =
        ask::named(session, scope, &ids).await?.into_iter().map(|(key, line)| (key, line.intent().ok())).collect();
    let mut received = Received::default();
    let mut draft = OutboxDraft::new(session, scope)?;
    let mut taken = 0;
    for intent in intents {
        match known.get(&key(scope, &intent.id)) {
            Some(Some(known)) if known == intent => received.known += 1,
            Some(_) => received.taken.push(intent.id.clone()),
            None if received.new > 0 && draft.weight() > HEAVIEST => break,
            None => {
                draft.ask(scope, intent, at, None);
                known.insert(key(scope, &intent.id), Some(intent.clone()));
                received.new += 1;
            }
        }
        taken += 1;
    }
    if !draft.is_empty() {
        draft.send(session, scope).await?;
    }
    Ok((received, taken))
}

/// Reads an intent as it stands; if its row is gone, it is made of the entry.
async fn line(
    session: &DocumentSession,
    scope: &Scope,
    entry: &Entry,
    at: Timestamp,
) -> Result<OutboxLine, GristFault> {
    if let Some(line) = session.cache.kept::<OutboxLines>().and_then(|lines| lines.0.get(&key(scope, &entry.id))) {
        return Ok(line.clone());
    }
    let found = ask::named(session, scope, &[&entry.id]).await?.into_values().next();
    Ok(found.unwrap_or_else(|| OutboxLine::of(entry, at)))
}

async fn write(
    session: &mut DocumentSession,
    scope: &Scope,
    step: &OutboxStep<'_>,
    outcomes: &OutcomeWriters,
) -> Result<(), GristFault> {
    if step.line.happening == Happening::Sending {
        identity::check(session).await?;
    }
    ready::ready(session, scope).await?;
    let before = line(session, scope, step.entry, step.line.at).await?;
    let after = before.after(step.progress, step.settled, step.line.at);
    let mut draft = OutboxDraft::new(session, scope)?;
    if step.settled.is_some() || step.line.happening == Happening::PutOff {
        draft.with(outcomes.actions(session, scope, &after).await?);
    }
    draft.happened(scope, after, &step.line);
    draft.send(session, scope).await
}

async fn resolve(
    session: &mut DocumentSession,
    scope: &Scope,
    id: &IntentId,
    status: Status,
    at: Timestamp,
    outcomes: &OutcomeWriters,
) -> Result<bool, GristFault> {
    let Some(line) = ask::named(session, scope, &[id]).await?.into_values().next() else { return Ok(false) };
    if line.status.is_success() {
        return Ok(false);
    }
    ready::ready(session, scope).await?;
    let mut happening = TrailLine::of_entry(&line.entry(), Happening::Resolved, at);
    happening.words = Some(status.as_str().to_owned());
    let after = line.resolved(status, at);
    let mut draft = OutboxDraft::new(session, scope)?;
    draft.with(outcomes.actions(session, scope, &after).await?);
    draft.happened(scope, after, &happening);
    draft.send(session, scope).await?;
    Ok(true)
}
