//! Stores intents until they are sent, their results, and the trail. Deciding what to send belongs in `writeback`.

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
    /// The intent, or the reason for which it cannot be read.
    pub intent: Result<Intent, String>,
    /// The time of its creation, by the clock of its author.
    pub asked_at: Timestamp,
    /// Its progress.
    pub progress: Progress,
}

/// An intent of an outbox, whatever became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// The intent.
    pub entry: Entry,
    /// Its status.
    pub status: Status,
    /// The change that it made to its dossier, if any.
    pub moved: Option<Move>,
}

/// The final result of an intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The status.
    pub status: Status,
    /// A stable word for why.
    pub reason: Option<&'static str>,
    /// The reason for people, in the platform's words if it gave any.
    pub words: Option<String>,
    /// The dossier as it was last read.
    pub after: Option<Seen>,
}

/// The kind of a line of the trail.
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
    /// The kind.
    pub happening: Happening,
    /// The action, as one word.
    pub action: String,
    /// In whose name: the platform's id of the instructeur, or what the intent says.
    pub author: Option<String>,
    /// The mutation.
    pub mutation: Option<String>,
    /// The platform's answer, or the reason.
    pub words: Option<String>,
    /// The dossier then.
    pub seen: Option<Seen>,
}

impl TrailLine {
    /// Makes the line for an intent that was just received.
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

/// One write about an intent: its progress, its result if it ended, and a line of the trail.
#[derive(Clone, Debug)]
pub struct OutboxStep<'a> {
    /// Which.
    pub entry: &'a Entry,
    /// The new progress.
    pub progress: &'a Progress,
    /// The result; `None` leaves it pending.
    pub settled: Option<&'a Settlement>,
    /// The line; its place is given by the outbox.
    pub line: TrailLine,
}

/// The result of putting intents into an outbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Those that were new.
    pub new: u64,
    /// Those that were there already, saying the same.
    pub known: u64,
    /// Those whose name is taken by another intent: nothing was changed.
    pub taken: Vec<IntentId>,
}

/// The number of pending intents of one démarche.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Backlog {
    /// The instance, as whoever asked named it.
    pub instance: String,
    /// The démarche, as whoever asked wrote it.
    pub demarche: String,
    /// Their number.
    pub pending: u64,
}

/// A place where intents wait until they are done.
///
/// Whoever works on it calls [`begin`](Self::begin) first, which keeps others away, and [`end`](Self::end) last. What
/// [`write`](Self::write) stores is durable when it returns: it is called before anything is sent, so that a crash at
/// any instant leaves behind what may have been sent.
pub trait Outbox: Send + Sync {
    /// A short name for reports, without credentials.
    fn outbox_name(&self) -> &str;

    /// Takes what must be held while intents of a démarche are worked on.
    ///
    /// # Errors
    /// [`SinkError::Locked`] when somebody else works on it.
    fn begin(&self, scope: &Scope) -> impl Future<Output = Result<(), SinkError>> + Send;

    /// The form that the target beside the outbox remembers; `None` where there is no target, or it knows no form.
    fn stored_form(&self, scope: &Scope) -> impl Future<Output = Result<Option<Demarche>, SinkError>> + Send {
        let _ = scope;
        std::future::ready(Ok(None))
    }

    /// Gives it back.
    fn end(&self, scope: &Scope) -> impl Future<Output = Result<(), SinkError>> + Send;

    /// Adds intents. One whose name is known is not added again.
    fn put(
        &self,
        scope: &Scope,
        intents: &[Intent],
        at: Timestamp,
    ) -> impl Future<Output = Result<Received, SinkError>> + Send;

    /// The next pending entries after this place, in order, at most `limit`.
    fn pending(
        &self,
        scope: &Scope,
        after: Option<i64>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Entry>, SinkError>> + Send;

    /// Reads the status of an intent; `None` for an unknown one.
    fn status(&self, scope: &Scope, id: &IntentId) -> impl Future<Output = Result<Option<Status>, SinkError>> + Send;

    /// All intents about a dossier, in order: what they did on the platform is not the doing of another one.
    fn of_dossier(
        &self,
        scope: &Scope,
        dossier: DossierNumber,
    ) -> impl Future<Output = Result<Vec<Recorded>, SinkError>> + Send;

    /// Reads the changes that intents of this outbox made to a dossier, oldest first.
    fn moves(&self, scope: &Scope, dossier: DossierNumber)
    -> impl Future<Output = Result<Vec<Move>, SinkError>> + Send;

    /// Writes what happened, all or nothing.
    fn write(&self, scope: &Scope, step: &OutboxStep<'_>) -> impl Future<Output = Result<(), SinkError>> + Send;

    /// The trail after this place, oldest first, at most `limit` lines.
    fn trail(
        &self,
        scope: &Scope,
        after: Option<i64>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<TrailLine>, SinkError>> + Send;

    /// Counts intents by status.
    fn depth(&self, scope: &Scope) -> impl Future<Output = Result<Vec<(Status, u64)>, SinkError>> + Send;

    /// Counts pending intents by démarche, for all démarches of the outbox.
    fn backlog(&self) -> impl Future<Output = Result<Vec<Backlog>, SinkError>> + Send;

    /// An operator's word on an intent that is parked: `Pending` tries it again from the start, anything else ends it.
    ///
    /// `false` when there is no such intent, or when it is done.
    fn resolve(
        &self,
        scope: &Scope,
        id: &IntentId,
        status: Status,
        at: Timestamp,
    ) -> impl Future<Output = Result<bool, SinkError>> + Send;
}
