//! The outbox is emptied: each intent judged, sent, read again, settled.

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};

use super::error::PushError;
use super::judge::{Case, judge};
use super::report::{Item, Pushed};
use super::send::{Sent, send};
use super::verdict::{Refusal, Verdict};
use crate::api::{ApiError, Client};
use crate::demarche::Demarche;
use crate::dossier::Dossier;
use crate::ids::DossierNumber;
use crate::intent::{Answer, Intent, IntentId, Progress, Seen, Status};
use crate::privacy::{Filter, FormTypes};
use crate::sink::{Entry, Happening, Outbox, OutboxStep, Scope, Settlement, TrailLine};
use crate::sync::Stop;
use crate::table::Digest;

/// How many entries are looked at together.
const PAGE: u32 = 100;

/// What a push needs.
pub struct Push<'a, O> {
    /// The platform.
    pub client: &'a Client,
    /// Where intents wait.
    pub outbox: &'a O,
    /// Whose.
    pub scope: &'a Scope,
    /// How the target keeps dossiers: fingerprints are compared with those of the target.
    pub filter: &'a Filter,
    /// In whose name, for intents that do not say: an e-mail address or an id of an instructeur.
    pub author: Option<&'a str>,
    /// How long a request whose answer was lost may still be under way; [`QUIET`] by default. What must not be done twice
    /// is not sent again before.
    pub quiet: SignedDuration,
    /// Whether a message that is there already, from the same author in the same words, is not sent another time. For
    /// intents that were never kept anywhere; an outbox knows what it sent.
    pub once: bool,
    /// Who listens, intent by intent.
    pub events: &'a (dyn Fn(&Item) + Send + Sync),
    /// How to ask it to stop.
    pub stop: &'a Stop,
    /// The present instant.
    pub clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
}

/// Longer than the platform works on a request (30 s, trap 2) and than a proxy keeps one waiting.
pub const QUIET: SignedDuration = SignedDuration::from_mins(2);

/// Who is given the dossiers that moved, as they were read last.
pub type ReadBack<'a> = &'a (dyn Fn(Vec<Dossier>) -> BoxFuture<'a, Result<(), PushError>> + Send + Sync);

/// Looks at every pending intent and says what would be done. Sends nothing, writes nothing.
///
/// # Errors
/// The platform, or the outbox. What was looked at before is in the report that comes with it.
pub async fn plan<O: Outbox>(push: &Push<'_, O>) -> Result<Pushed, PushError> {
    Worker::new(push).await?.all(false, &|_| Box::pin(ready(Ok(())))).await
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
    let pushed = async { Worker::new(push).await?.all(true, read_back).await }.await;
    let ended = push.outbox.end(push.scope).await;
    let pushed = pushed?;
    ended?;
    Ok(pushed)
}

struct Worker<'a, O> {
    push: &'a Push<'a, O>,
    demarche: Demarche,
    types: FormTypes,
    report: Pushed,
    /// Dossiers with an intent that is still pending: what comes later for them waits.
    held: BTreeSet<DossierNumber>,
    moved: BTreeMap<DossierNumber, Dossier>,
}

/// How far a visit brought an intent.
enum Visit {
    Settled(Settlement),
    /// It stays pending.
    Later(Option<String>),
    /// It would be done like this.
    Would(Vec<String>),
}

impl<'a, O: Outbox> Worker<'a, O> {
    async fn new(push: &'a Push<'a, O>) -> Result<Self, PushError> {
        let demarche = push.client.demarche(push.scope.demarche).await?;
        let types = FormTypes::of(&demarche);
        let report = Pushed::new(push.scope, push.outbox.outbox_name());
        Ok(Self { push, demarche, types, report, held: BTreeSet::new(), moved: BTreeMap::new() })
    }

    async fn all(mut self, apply: bool, read_back: ReadBack<'_>) -> Result<Pushed, PushError> {
        let mut after = None;
        loop {
            let page = self.push.outbox.pending(self.push.scope, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.seq);
            let mut worked = Ok(());
            for entry in &page {
                if self.push.stop.is_asked() {
                    worked = Err(PushError::Interrupted);
                } else {
                    worked = self.entry(entry, apply).await;
                }
                if worked.is_err() {
                    break;
                }
            }
            let moved: Vec<Dossier> = std::mem::take(&mut self.moved).into_values().collect();
            if !moved.is_empty() {
                let taken_in = read_back(moved).await;
                worked = worked.and(taken_in);
            }
            if let Err(error) = worked {
                return Err(error.after(self.report));
            }
        }
        Ok(self.report)
    }

    async fn entry(&mut self, entry: &Entry, apply: bool) -> Result<(), PushError> {
        let waits = self.held.contains(&entry.dossier)
            || entry.progress.not_before.is_some_and(|until| until > (self.push.clock)());
        let visit = if waits {
            Visit::Later(Some("waits for an earlier intent, or for its time".to_owned()))
        } else {
            self.visit(entry, apply).await?
        };
        let item = match visit {
            Visit::Settled(settled) => Item::settled(entry, &settled),
            Visit::Later(words) => {
                self.held.insert(entry.dossier);
                Item::later(entry, words)
            }
            Visit::Would(steps) => {
                // What comes later for this dossier is judged as things are now: the plan says so.
                Item::would(entry, steps)
            }
        };
        (self.push.events)(&item);
        self.report.add(item);
        Ok(())
    }

    async fn visit(&mut self, entry: &Entry, apply: bool) -> Result<Visit, PushError> {
        let intent = match &entry.intent {
            Ok(intent) => intent,
            Err(reason) => {
                return self.refuse(entry, &entry.progress, Refusal::Unreadable(reason.clone()), None, apply).await;
            }
        };
        match self.required(intent, apply).await? {
            Required::Met => {}
            Required::Pending => return Ok(Visit::Later(Some("waits for the intent that it requires".to_owned()))),
            Required::Failed(id) => {
                return self.refuse(entry, &entry.progress, Refusal::Requires(id.to_string()), None, apply).await;
            }
        }
        // Only a settlement adds to them, and one ends the visit.
        let moves = self.push.outbox.moves(self.push.scope, entry.dossier).await?;
        let mut progress = entry.progress.clone();
        loop {
            let read = match self.push.client.dossier(entry.dossier).await {
                // One dossier that cannot be shown is in nobody else's way (trap 4).
                Err(error) if concerns_one(&error) => {
                    return Ok(Visit::Later(Some(format!("the dossier cannot be read: {error}"))));
                }
                read => read?,
            };
            let Some(dossier) = read else {
                // What was taken was done, though the dossier left before it could be looked at.
                let perhaps = |answer: &Answer| matches!(answer, Answer::Unknown | Answer::Taken);
                return if progress.last.as_ref().is_some_and(|last| perhaps(&last.answer)) {
                    self.settle(
                        entry,
                        &progress,
                        Status::Ambiguous,
                        "no_dossier",
                        Refusal::NoDossier.to_string(),
                        None,
                        apply,
                    )
                    .await
                } else {
                    self.refuse(entry, &progress, Refusal::NoDossier, None, apply).await
                };
            };
            let seen = self.seen(&dossier);
            if progress.sends > 0 {
                self.moved.insert(entry.dossier, dossier.clone());
            }
            let verdict = judge(&Case {
                platform: self.push.client.platform(),
                demarche: &self.demarche,
                dossier: &dossier,
                seen: &seen,
                intent,
                author: self.push.author,
                progress: &progress,
                moves: &moves,
                now: (self.push.clock)(),
                quiet: self.push.quiet,
                once: self.push.once,
            });
            let step = match verdict {
                Verdict::Done => {
                    let status = if progress.sends > 0 { Status::Done } else { Status::AlreadyDone };
                    let settled = Settlement { status, reason: None, words: None, after: Some(seen) };
                    return self.end(entry, &progress, settled, apply).await;
                }
                Verdict::Wait { until } => {
                    // To the second: it is read by people.
                    let until = Timestamp::from_second(until.as_second() + 1).unwrap_or(until);
                    let said = progress.last.as_ref().and_then(|last| match &last.answer {
                        Answer::Refused(words) => Some(words.join(" ")),
                        Answer::Unknown | Answer::Taken => None,
                    });
                    let why = said.unwrap_or_else(|| "its answer was lost".to_owned());
                    let words = format!("{why} (looked at again after {until})");
                    if apply {
                        progress = progress.put_off(until);
                        let mut line = self.line(entry, Happening::PutOff, Some(&seen));
                        line.words = Some(words.clone());
                        self.write(entry, &progress, None, line).await?;
                    }
                    return Ok(Visit::Later(Some(words)));
                }
                Verdict::Refuse(refusal) => return self.refuse(entry, &progress, refusal, Some(seen), apply).await,
                Verdict::Conflict(conflict) => {
                    let words = conflict.to_string();
                    return self.settle(entry, &progress, Status::Conflict, "conflict", words, Some(seen), apply).await;
                }
                Verdict::Ambiguous => {
                    let words = "its answer was lost, and the dossier does not tell whether it was done".to_owned();
                    return self
                        .settle(entry, &progress, Status::Ambiguous, "lost_answer", words, Some(seen), apply)
                        .await;
                }
                Verdict::Send(step) => *step,
            };
            if !apply {
                let then = step.then.iter().copied();
                return Ok(Visit::Would(
                    std::iter::once(step.mutation.name()).chain(then).map(str::to_owned).collect(),
                ));
            }
            let name = step.mutation.name();
            let before = progress.clone();
            let mut line = self.line(entry, Happening::Sending, Some(&seen));
            line.mutation = Some(name.to_owned());
            line.author = Some(step.by.as_str().to_owned());
            progress = progress.sending(&step.key, (self.push.clock)(), step.witness, &seen);
            // Durable before anything leaves: whoever comes after a crash knows that it may have been done.
            self.write(entry, &progress, None, line.clone()).await?;
            let sent = send(self.push.client, &dossier, intent.silent, step).await;
            line.happening = Happening::Answered;
            line.at = (self.push.clock)();
            (line.words, progress) = match &sent {
                Sent::Taken => (Some("taken".to_owned()), progress.answered(Answer::Taken)),
                Sent::Refused(words) => (Some(words.join(" ")), progress.answered(Answer::Refused(words.clone()))),
                Sent::Lost(error) => (Some(format!("lost: {}", error.kind())), progress),
                // Surely nothing was done: as if it had not been tried.
                Sent::Not(error) => (Some(format!("not sent: {}", error.kind())), before),
                Sent::Cannot(refusal) => (Some(refusal.to_string()), before),
            };
            self.write(entry, &progress, None, line).await?;
            match sent {
                Sent::Taken | Sent::Refused(_) | Sent::Lost(_) => {}
                Sent::Not(error) => return Err(error.into()),
                Sent::Cannot(refusal) => return self.refuse(entry, &progress, refusal, Some(seen), apply).await,
            }
        }
    }

    async fn required(&self, intent: &Intent, apply: bool) -> Result<Required, PushError> {
        let Some(id) = &intent.requires else { return Ok(Required::Met) };
        Ok(match self.push.outbox.status(self.push.scope, id).await? {
            Some(status) if status.is_success() => Required::Met,
            // A plan judges it as if the other were done.
            Some(Status::Pending) if !apply => Required::Met,
            Some(Status::Pending) => Required::Pending,
            _ => Required::Failed(id.clone()),
        })
    }

    /// The dossier as the target would keep it.
    fn seen(&self, dossier: &Dossier) -> Seen {
        let mut kept = dossier.clone();
        self.push.filter.apply(&mut kept, &self.types);
        Seen { state: dossier.state.clone(), fingerprint: Digest::of(kept.document().as_bytes()) }
    }

    async fn refuse(
        &self,
        entry: &Entry,
        progress: &Progress,
        refusal: Refusal,
        seen: Option<Seen>,
        apply: bool,
    ) -> Result<Visit, PushError> {
        let words = match refusal.hint() {
            Some(hint) => format!("{refusal} ({hint})"),
            None => refusal.to_string(),
        };
        self.settle(entry, progress, Status::Refused, refusal.kind(), words, seen, apply).await
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one settlement, from where they are known")]
    async fn settle(
        &self,
        entry: &Entry,
        progress: &Progress,
        status: Status,
        reason: &'static str,
        words: String,
        after: Option<Seen>,
        apply: bool,
    ) -> Result<Visit, PushError> {
        self.end(entry, progress, Settlement { status, reason: Some(reason), words: Some(words), after }, apply).await
    }

    async fn end(
        &self,
        entry: &Entry,
        progress: &Progress,
        settled: Settlement,
        apply: bool,
    ) -> Result<Visit, PushError> {
        if apply {
            let mut line = self.line(entry, Happening::Settled, settled.after.as_ref());
            line.words = Some(match &settled.words {
                Some(words) => format!("{}: {words}", settled.status.as_str()),
                None => settled.status.as_str().to_owned(),
            });
            self.write(entry, progress, Some(&settled), line).await?;
        }
        Ok(Visit::Settled(settled))
    }

    fn line(&self, entry: &Entry, happening: Happening, seen: Option<&Seen>) -> TrailLine {
        TrailLine { seen: seen.cloned(), ..TrailLine::of_entry(entry, happening, (self.push.clock)()) }
    }

    async fn write(
        &self,
        entry: &Entry,
        progress: &Progress,
        settled: Option<&Settlement>,
        line: TrailLine,
    ) -> Result<(), PushError> {
        Ok(self.push.outbox.write(self.push.scope, &OutboxStep { entry, progress, settled, line }).await?)
    }
}

/// Whether the platform fails on this dossier, and not on everything.
fn concerns_one(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::ServerError { .. }
            | ApiError::Partial { .. }
            | ApiError::Undecodable { .. }
            | ApiError::OutOfScope { .. }
    )
}

enum Required {
    Met,
    Pending,
    Failed(IntentId),
}
