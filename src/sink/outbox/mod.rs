//! Keeps intents until they are sent, and what became of them. The contract is [`Outbox`].

mod memory;

use std::future::Future;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use memory::MemoryOutbox;

use super::SinkError;
use crate::demarche::Demarche;
use crate::ids::{DossierNumber, Scope};
use crate::intent::{Intent, IntentId, Move, Progress, Seen, Status};

/// An intent in an outbox.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its position: entries are processed in this order.
    pub seq: i64,
    /// Its id.
    pub id: IntentId,
    /// Its dossier.
    pub dossier: DossierNumber,
    /// The intent, or the reason why it cannot be read.
    pub intent: Result<Intent, String>,
    /// The time of its creation, by the clock of its author.
    pub asked_at: Timestamp,
    /// The progress so far.
    pub progress: Progress,
}

/// An intent of an outbox, whatever became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// The intent.
    pub entry: Entry,
    /// Its status.
    pub status: Status,
    /// The change of its dossier, if there was one.
    pub moved: Option<Move>,
}

/// End of an intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The status.
    pub status: Status,
    /// A stable word for why.
    pub reason: Option<&'static str>,
    /// The reason, for people: the platform's own words if it said something.
    pub words: Option<String>,
    /// The dossier as it was last read.
    pub after: Option<Seen>,
}

/// Event of an intent: one line of the trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    /// It was asked for.
    Asked,
    /// Something is about to be sent.
    Sending,
    /// The platform answered, or its answer was lost.
    Answered,
    /// It is put off.
    PutOff,
    /// It ended.
    Settled,
    /// An operator decided about it.
    Resolved,
}

/// A line of the trail: who asked, what was sent when, what the platform answered, and how the dossier was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailLine {
    /// Its place.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// The intent.
    pub intent: IntentId,
    /// The dossier.
    pub dossier: DossierNumber,
    /// The event.
    pub happening: Happening,
    /// The action, in one word.
    pub action: String,
    /// The author: the platform's id of the instructeur, or the text of the intent.
    pub author: Option<String>,
    /// The mutation.
    pub mutation: Option<String>,
    /// The platform's answer, or the reason.
    pub words: Option<String>,
    /// The dossier then.
    pub seen: Option<Seen>,
}

impl TrailLine {
    /// Begins a line about an intent of which only the text is known.
    pub(crate) fn of_intent(intent: &Intent, happening: Happening, at: Timestamp) -> Self {
        Self {
            seq: 0,
            at,
            intent: intent.id.clone(),
            dossier: intent.dossier,
            happening,
            action: intent.action.word().to_owned(),
            author: intent.author.as_ref().map(|author| author.as_str().to_owned()),
            mutation: None,
            words: None,
            seen: None,
        }
    }

    /// The same of an entry, whose intent may not be readable.
    pub(crate) fn of_entry(entry: &Entry, happening: Happening, at: Timestamp) -> Self {
        match &entry.intent {
            Ok(intent) => Self::of_intent(intent, happening, at),
            Err(_) => Self {
                seq: 0,
                at,
                intent: entry.id.clone(),
                dossier: entry.dossier,
                happening,
                action: "unreadable".to_owned(),
                author: None,
                mutation: None,
                words: None,
                seen: None,
            },
        }
    }
}

/// Write about an intent, all or nothing: its progress, its end if it ended, and a line of the trail.
#[derive(Clone, Debug)]
pub struct OutboxStep<'a> {
    /// Which.
    pub entry: &'a Entry,
    /// The progress now.
    pub progress: &'a Progress,
    /// The end of it; `None` leaves it pending.
    pub settled: Option<&'a Settlement>,
    /// The line; its place is given by the outbox.
    pub line: TrailLine,
}

/// Result of putting intents into an outbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Those that were new.
    pub new: u64,
    /// Those that were there already, saying the same.
    pub known: u64,
    /// Those whose name is taken by another intent: nothing was changed.
    pub taken: Vec<IntentId>,
}

/// Number of intents of one démarche that are still to be done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Backlog {
    /// The instance, as whoever asked named it.
    pub instance: String,
    /// The démarche, as whoever asked wrote it.
    pub demarche: String,
    /// The number.
    pub pending: u64,
}

/// Keeps intents until they are done.
///
/// A push calls [`begin`](Self::begin) first, which locks the outbox, and [`end`](Self::end) last. What
/// [`write`](Self::write) stores is durable when it returns: it is called before anything is sent, so that a crash at
/// any instant leaves behind what may have been sent.
pub trait Outbox: Send + Sync {
    /// Returns a short name for reports, without credentials.
    fn outbox_name(&self) -> &str;

    /// Takes the lock or the lease under which intents of a démarche are sent.
    ///
    /// # Errors
    /// [`SinkError::Locked`] when somebody else works on it.
    fn begin(&self, scope: &Scope) -> impl Future<Output = Result<(), SinkError>> + Send;

    /// Returns the form that the target beside the outbox remembers; `None` where there is no target, or it knows no form.
    fn stored_form(&self, scope: &Scope) -> impl Future<Output = Result<Option<Demarche>, SinkError>> + Send {
        let _ = scope;
        std::future::ready(Ok(None))
    }

    /// Releases it.
    fn end(&self, scope: &Scope) -> impl Future<Output = Result<(), SinkError>> + Send;

    /// Adds intents. An intent whose name is known is not added again.
    fn put(
        &self,
        scope: &Scope,
        intents: &[Intent],
        at: Timestamp,
    ) -> impl Future<Output = Result<Received, SinkError>> + Send;

    /// Reads the next pending entries after this place, in order, at most `limit`.
    fn pending(
        &self,
        scope: &Scope,
        after: Option<i64>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Entry>, SinkError>> + Send;

    /// Reads the status of an intent; `None` for an unknown one.
    fn status(&self, scope: &Scope, id: &IntentId) -> impl Future<Output = Result<Option<Status>, SinkError>> + Send;

    /// Reads all intents about a dossier, in order: their effects on the platform are not taken for those of another one.
    fn of_dossier(
        &self,
        scope: &Scope,
        dossier: DossierNumber,
    ) -> impl Future<Output = Result<Vec<Recorded>, SinkError>> + Send;

    /// Lists the changes of a dossier that intents of this outbox made, oldest first.
    fn moves(&self, scope: &Scope, dossier: DossierNumber)
    -> impl Future<Output = Result<Vec<Move>, SinkError>> + Send;

    /// Writes what happened to an intent, all or nothing.
    fn write(&self, scope: &Scope, step: &OutboxStep<'_>) -> impl Future<Output = Result<(), SinkError>> + Send;

    /// Reads the trail after this place, oldest first, at most `limit` lines.
    fn trail(
        &self,
        scope: &Scope,
        after: Option<i64>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<TrailLine>, SinkError>> + Send;

    /// Counts the intents of each status.
    fn depth(&self, scope: &Scope) -> impl Future<Output = Result<Vec<(Status, u64)>, SinkError>> + Send;

    /// Counts the intents that are still to be done, for each démarche of the outbox: those that no command is about
    /// included.
    fn backlog(&self) -> impl Future<Output = Result<Vec<Backlog>, SinkError>> + Send;

    /// Records an operator's decision on an intent that is parked: `Pending` tries it again from the start, anything else
    /// ends it.
    ///
    /// Returns false if there is no such intent, or if it is done.
    fn resolve(
        &self,
        scope: &Scope,
        id: &IntentId,
        status: Status,
        at: Timestamp,
    ) -> impl Future<Output = Result<bool, SinkError>> + Send;
}
