//! Where intents wait, and where what became of them is kept.

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
    /// Its place: entries are taken in this order.
    pub seq: i64,
    /// Its name.
    pub id: IntentId,
    /// Its dossier.
    pub dossier: DossierNumber,
    /// What is wanted; why it cannot be read otherwise.
    pub intent: Result<Intent, String>,
    /// When it was asked for, by the clock of whoever asked.
    pub asked_at: Timestamp,
    /// How far it came.
    pub progress: Progress,
}

/// An intent of an outbox, whatever became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// The intent.
    pub entry: Entry,
    /// Where it stands.
    pub status: Status,
    /// How it moved its dossier, if it did.
    pub moved: Option<Move>,
}

/// How an intent ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// How.
    pub status: Status,
    /// A stable word for why.
    pub reason: Option<&'static str>,
    /// Why, for people: the platform's own words where it said something.
    pub words: Option<String>,
    /// The dossier as it was last read.
    pub after: Option<Seen>,
}

/// What happens to an intent: one line of the trail.
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
    /// What happened.
    pub happening: Happening,
    /// What was wanted, in one word.
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
    /// What happens to an intent, before anything is known of it but what it says.
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

/// What is written about an intent at once: how far it came, how it ended if it did, and a line of the trail.
#[derive(Clone, Debug)]
pub struct OutboxStep<'a> {
    /// Which.
    pub entry: &'a Entry,
    /// How far it is now.
    pub progress: &'a Progress,
    /// How it ended; `None` leaves it pending.
    pub settled: Option<&'a Settlement>,
    /// The line; its place is given by the outbox.
    pub line: TrailLine,
}

/// What became of intents that were put into an outbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Those that were new.
    pub new: u64,
    /// Those that were there already, saying the same.
    pub known: u64,
    /// Those whose name is taken by another intent: nothing was changed.
    pub taken: Vec<IntentId>,
}

/// How many intents of one démarche are still to be done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Backlog {
    /// The instance, as whoever asked named it.
    pub instance: String,
    /// The démarche, as whoever asked wrote it.
    pub demarche: String,
    /// How many.
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

    /// Where an intent stands; `None` for an unknown one.
    fn status(&self, scope: &Scope, id: &IntentId) -> impl Future<Output = Result<Option<Status>, SinkError>> + Send;

    /// All intents about a dossier, in order: what they did on the platform is not the doing of another one.
    fn of_dossier(
        &self,
        scope: &Scope,
        dossier: DossierNumber,
    ) -> impl Future<Output = Result<Vec<Recorded>, SinkError>> + Send;

    /// How intents of this outbox moved a dossier, oldest first.
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

    /// How many intents there are of each status.
    fn depth(&self, scope: &Scope) -> impl Future<Output = Result<Vec<(Status, u64)>, SinkError>> + Send;

    /// How many intents are still to be done, for each démarche of the outbox: those that no command is about included.
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
