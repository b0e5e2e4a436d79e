//! The outbox of a document. Every write is one bundle that moves the lease; what is written before something is sent is
//! durable when the platform hears of it, and fails when another run took over.

use jiff::Timestamp;

use super::draft::Draft;
use super::kept::{Line, key};
use super::{ask, ready};
use crate::demarche::Demarche;
use crate::ids::{DossierNumber, Scope};
use crate::intent::{Intent, IntentId, Move, Status};
use crate::sink::grist::desk::Desk;
use crate::sink::grist::fault::Fault;
use crate::sink::grist::lease::{self, Judgment};
use crate::sink::grist::{GristSink, decisions, identity};
use crate::sink::{Backlog, Entry, Happening, Outbox, OutboxStep, Received, Recorded, Sink, SinkError, TrailLine};

/// How many intents are put with one bundle, at most, and of how many bytes.
const MOST: usize = 100;
const HEAVIEST: usize = 500_000;

/// Does some work on the document, and does it again when it was of the past.
macro_rules! again {
    ($desk:ident, $work:expr) => {
        async {
            if $desk.me.is_none() {
                return Err(Fault::ReadOnly);
            }
            $desk.settle().await?;
            match $work.await {
                Err(fault) if fault.is_of_the_past() => {
                    $desk.reread().await?;
                    $work.await
                }
                other => other,
            }
        }
        .await
    };
}
pub(in crate::sink::grist) use again;

impl Outbox for GristSink {
    fn outbox_name(&self) -> &str {
        &self.name
    }

    /// Takes the lease where there is something to be done. Where there is not, nothing is written, so that a push without
    /// work leaves no trace in the document's history; should an intent come meanwhile, the bundle that says what is about
    /// to be sent takes the lease, or fails before anything is sent.
    async fn begin(&self, scope: &Scope) -> Result<(), SinkError> {
        let desk = &mut *self.desk.lock().await;
        let begun = again!(desk, begin(desk, scope));
        self.told.add(self.told("the beginning of a push", begun)?);
        Ok(())
    }

    async fn stored_form(&self, scope: &Scope) -> Result<Option<Demarche>, SinkError> {
        Sink::form(self, scope).await
    }

    async fn end(&self, _scope: &Scope) -> Result<(), SinkError> {
        let mut desk = self.desk.lock().await;
        let ended = async {
            desk.settle().await?;
            if desk.holds() { desk.send(&[], &[], true).await.map(drop) } else { Ok(()) }
        };
        let ended = ended.await;
        self.told("the end of a push", ended)
    }

    async fn put(&self, scope: &Scope, intents: &[Intent], at: Timestamp) -> Result<Received, SinkError> {
        let desk = &mut *self.desk.lock().await;
        let mut received = Received::default();
        let mut rest = intents;
        while !rest.is_empty() {
            let put = again!(desk, put(desk, scope, rest, at));
            let (part, taken) = self.told("an intent", put)?;
            received.new += part.new;
            received.known += part.known;
            received.taken.extend(part.taken);
            rest = &rest[taken..];
        }
        Ok(received)
    }

    async fn pending(&self, scope: &Scope, after: Option<i64>, limit: u32) -> Result<Vec<Entry>, SinkError> {
        self.read("a reading of the outbox", async |desk| {
            let lines = ask::pending(desk, scope, after.unwrap_or_default(), limit).await?;
            if desk.me.is_some() && !lines.is_empty() {
                // Whoever asks to write is about to send it.
                identity::check(desk).await?;
            }
            let entries = lines.iter().map(Line::entry).collect();
            desk.lines.extend(lines.into_iter().map(|line| (key(scope, &line.kept.id), line)));
            Ok(entries)
        })
        .await
    }

    async fn status(&self, scope: &Scope, id: &IntentId) -> Result<Option<Status>, SinkError> {
        self.read("a reading of the outbox", async |desk| {
            Ok(ask::named(desk, scope, &[id]).await?.into_values().next().map(|line| line.status))
        })
        .await
    }

    async fn of_dossier(&self, scope: &Scope, dossier: DossierNumber) -> Result<Vec<Recorded>, SinkError> {
        self.read("a reading of the outbox", async |desk| {
            Ok(ask::of_dossiers(desk, scope, [dossier]).await?.iter().map(Line::recorded).collect())
        })
        .await
    }

    async fn moves(&self, scope: &Scope, dossier: DossierNumber) -> Result<Vec<Move>, SinkError> {
        self.read("a reading of the outbox", async |desk| {
            Ok(ask::of_dossiers(desk, scope, [dossier]).await?.iter().filter_map(Line::moved).collect())
        })
        .await
    }

    async fn write(&self, scope: &Scope, step: &OutboxStep<'_>) -> Result<(), SinkError> {
        let desk = &mut *self.desk.lock().await;
        let written = again!(desk, write(desk, scope, step));
        self.told("what became of an intent", written)
    }

    async fn trail(&self, scope: &Scope, after: Option<i64>, limit: u32) -> Result<Vec<TrailLine>, SinkError> {
        self.read("a reading of the trail", async |desk| {
            ask::trail(desk, scope, after.unwrap_or_default(), limit).await
        })
        .await
    }

    async fn depth(&self, scope: &Scope) -> Result<Vec<(Status, u64)>, SinkError> {
        self.read("a reading of the outbox", async |desk| ask::depth(desk, scope).await).await
    }

    async fn backlog(&self) -> Result<Vec<Backlog>, SinkError> {
        self.read("a reading of the outbox", async |desk| ask::backlog(desk).await).await
    }

    async fn resolve(&self, scope: &Scope, id: &IntentId, status: Status, at: Timestamp) -> Result<bool, SinkError> {
        let desk = &mut *self.desk.lock().await;
        let resolved = again!(desk, resolve(desk, scope, id, status, at));
        self.told("an operator's word", resolved)
    }
}

/// Takes the lease; what is to be told comes back.
async fn begin(desk: &mut Desk, scope: &Scope) -> Result<Vec<String>, Fault> {
    let Some(me) = desk.me.clone() else { return Err(Fault::ReadOnly) };
    if !desk.holds() {
        let found = desk.reader.lease().await?;
        if let Judgment::Held(holder) =
            lease::judge(found.as_ref(), &me, Timestamp::now(), lease::lives, lease::is_ours)
        {
            return Err(Fault::Locked(Some(holder)));
        }
    }
    let depth = ask::complete(desk, scope).await?;
    desk.mend().await?;
    if !depth.iter().any(|(status, _)| *status == Status::Pending) {
        return Ok(Vec::new());
    }
    ready::ready(desk, scope).await?;
    let mut notices = Vec::new();
    let mut draft = Draft::new(desk, scope)?;
    for line in ask::hidden(desk, scope).await? {
        let id = &line.kept.id;
        notices.push(format!("the line of intent {id} was deleted in the list of sendings: it is still to be sent"));
        draft.show(scope, &line);
    }
    draft.send(desk, scope).await?;
    Ok(notices)
}

/// Puts the first of some intents, and says how many those are.
async fn put(desk: &mut Desk, scope: &Scope, intents: &[Intent], at: Timestamp) -> Result<(Received, usize), Fault> {
    ready::ready(desk, scope).await?;
    ask::complete(desk, scope).await?;
    let intents = &intents[..intents.len().min(MOST)];
    let ids: Vec<&IntentId> = intents.iter().map(|intent| &intent.id).collect();
    let mut known: std::collections::BTreeMap<String, Option<Intent>> =
        ask::named(desk, scope, &ids).await?.into_iter().map(|(key, line)| (key, line.intent().ok())).collect();
    let mut received = Received::default();
    let mut draft = Draft::new(desk, scope)?;
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
        draft.send(desk, scope).await?;
    }
    Ok((received, taken))
}

/// An intent as it stands; one whose row is gone comes back as whoever works on it knows it.
async fn line(desk: &Desk, scope: &Scope, entry: &Entry, at: Timestamp) -> Result<Line, Fault> {
    if let Some(line) = desk.lines.get(&key(scope, &entry.id)) {
        return Ok(line.clone());
    }
    let found = ask::named(desk, scope, &[&entry.id]).await?.into_values().next();
    Ok(found.unwrap_or_else(|| Line::of(entry, at)))
}

async fn write(desk: &mut Desk, scope: &Scope, step: &OutboxStep<'_>) -> Result<(), Fault> {
    if step.line.happening == Happening::Sending {
        identity::check(desk).await?;
    }
    ready::ready(desk, scope).await?;
    let before = line(desk, scope, step.entry, step.line.at).await?;
    let after = before.after(step.progress, step.settled, step.line.at);
    let mut draft = Draft::new(desk, scope)?;
    if step.settled.is_some() || step.line.happening == Happening::PutOff {
        draft.with(decisions::told(desk, scope, &after).await?);
    }
    draft.happened(scope, after, &step.line);
    draft.send(desk, scope).await
}

async fn resolve(desk: &mut Desk, scope: &Scope, id: &IntentId, status: Status, at: Timestamp) -> Result<bool, Fault> {
    let Some(line) = ask::named(desk, scope, &[id]).await?.into_values().next() else { return Ok(false) };
    if line.status.is_success() {
        return Ok(false);
    }
    ready::ready(desk, scope).await?;
    let mut happening = TrailLine::of_entry(&line.entry(), Happening::Resolved, at);
    happening.words = Some(status.as_str().to_owned());
    let after = line.resolved(status, at);
    let mut draft = Draft::new(desk, scope)?;
    draft.with(decisions::told(desk, scope, &after).await?);
    draft.happened(scope, after, &happening);
    draft.send(desk, scope).await?;
    Ok(true)
}
