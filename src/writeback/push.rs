//! The outbox is emptied: each intent judged, sent, read again, settled.

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::path::Path;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};

use super::annotation::{self, LocalFiles};
use super::error::PushError;
use super::history;
use super::judge::{Case, judge};
use super::report::{Item, Pushed};
use super::send::{self, Sent, send};
use super::verdict::{Doubt, Refusal, Verdict};
use crate::api::{ApiError, Client, MutationError, MutationReceipt};
use crate::demarche::Demarche;
use crate::dossier::Dossier;
use crate::fingerprint::Digest;
use crate::ids::{DossierNumber, Scope};
use crate::intent::{Action, Answer, Failure, Intent, IntentId, Progress, Seen, Status, Waits};
use crate::privacy::{Filter, FormTypes};
use crate::sink::{Entry, Happening, Outbox, OutboxStep, Recorded, Settlement, TrailLine};
use crate::sync::Stop;

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
    /// Intents that wait for another one, with that one.
    requiring: BTreeMap<IntentId, (Entry, IntentId)>,
}

/// How far a visit brought an intent.
enum Visit {
    Settled(Settlement),
    /// It stays pending.
    Later(Waits),
    /// It would be done like this.
    Would(Vec<String>),
}

impl<'a, O: Outbox> Worker<'a, O> {
    async fn new(push: &'a Push<'a, O>) -> Result<Self, PushError> {
        let mut demarche = push.client.demarche(push.scope.demarche).await?;
        if let Some(stored) = push.outbox.stored_form(push.scope).await? {
            demarche.remember(&stored);
        }
        let types = FormTypes::of(&demarche);
        let report = Pushed::new(push.scope, push.outbox.outbox_name());
        Ok(Self {
            push,
            demarche,
            types,
            report,
            held: BTreeSet::new(),
            moved: BTreeMap::new(),
            requiring: BTreeMap::new(),
        })
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
        match self.untangle(apply).await {
            Ok(()) => Ok(self.report),
            Err(error) => Err(error.after(self.report)),
        }
    }

    /// Refuses intents that wait for each other: none of them would ever be sent.
    async fn untangle(&mut self, apply: bool) -> Result<(), PushError> {
        let in_a_circle = |start: &IntentId| {
            let mut at = start;
            for _ in 0..self.requiring.len() {
                match self.requiring.get(at) {
                    Some((_, next)) if next == start => return true,
                    Some((_, next)) => at = next,
                    None => return false,
                }
            }
            false
        };
        let circle: Vec<(Entry, IntentId)> =
            self.requiring.iter().filter(|(id, _)| in_a_circle(id)).map(|(_, both)| both.clone()).collect();
        for (entry, required) in circle {
            let refusal = Refusal::Requires(required.to_string());
            if let Visit::Settled(settled) = self.refuse(&entry, &entry.progress, refusal, None, apply).await? {
                let item = Item::settled(&entry, &settled);
                (self.push.events)(&item);
                self.report.replace(item);
            }
        }
        Ok(())
    }

    async fn entry(&mut self, entry: &Entry, apply: bool) -> Result<(), PushError> {
        if let Ok(Intent { requires: Some(required), .. }) = &entry.intent {
            self.requiring.insert(entry.id.clone(), (entry.clone(), required.clone()));
        }
        let early = entry.progress.not_before.filter(|until| *until > (self.push.clock)());
        let visit = if self.held.contains(&entry.dossier) {
            Visit::Later(Waits::new("earlier", "waits for an earlier intent about this dossier"))
        } else if let Some(until) = early {
            let waits = entry.progress.waits.clone();
            Visit::Later(waits.unwrap_or_else(|| Waits::new("later", format!("looked at again after {until}"))))
        } else {
            self.visit(entry, apply).await?
        };
        let item = match visit {
            Visit::Settled(settled) => Item::settled(entry, &settled),
            Visit::Later(waits) => {
                self.held.insert(entry.dossier);
                Item::later(entry, waits)
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
        let mut others = self.push.outbox.of_dossier(self.push.scope, entry.dossier).await?;
        others.retain(|other| other.entry.id != entry.id);
        let foreign = match self.required(intent, &others, apply).await? {
            Required::Met => false,
            Required::Foreign => true,
            Required::Pending => {
                let waits = Waits::new("requires", "waits for the intent that it requires");
                return self.later(entry, &entry.progress, waits, None, apply).await;
            }
            Required::Failed(id) => {
                return self.refuse(entry, &entry.progress, Refusal::Requires(id.to_string()), None, apply).await;
            }
        };
        let mut progress = entry.progress.clone();
        loop {
            let read = match self.push.client.dossier(entry.dossier).await {
                // One dossier that cannot be shown is in nobody else's way (trap 4).
                Err(error) if concerns_one(&error) => {
                    // A token that does not show the dossier will not tomorrow either.
                    let reason = match error {
                        ApiError::OutOfScope { .. } => "out_of_scope",
                        _ => "dossier_unreadable",
                    };
                    let waits = Waits::new(reason, format!("the dossier cannot be read: {error}"));
                    return self.later(entry, &progress, waits, None, apply).await;
                }
                read => read?,
            };
            let Some(dossier) = read else {
                // What was taken was done, though the dossier left before it could be looked at.
                let perhaps = |answer: &Answer| matches!(answer, Answer::Unknown | Answer::Taken);
                return if progress.last.as_ref().is_some_and(|last| perhaps(&last.answer)) {
                    let words = Some(Refusal::NoDossier.to_string());
                    let settled =
                        Settlement { status: Status::Ambiguous, reason: Some("no_dossier"), words, after: None };
                    self.end(entry, &progress, settled, apply).await
                } else {
                    self.refuse(entry, &progress, Refusal::NoDossier, None, apply).await
                };
            };
            // What was begun is brought to its end, also where it takes the dossier out of the selection.
            if progress.sends == 0 && !self.push.filter.selection().keeps(&dossier) {
                return self.refuse(entry, &progress, Refusal::Outside, None, apply).await;
            }
            let files = self.files(intent, &dossier).await;
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
                asked_at: entry.asked_at,
                author: self.push.author,
                progress: &progress,
                others: &others,
                foreign,
                now: (self.push.clock)(),
                skew: self.skew(),
                quiet: self.push.quiet,
                files: &files,
                once: self.push.once,
            });
            let step = match verdict {
                Verdict::Done { made } => {
                    let status = if progress.sends > 0 { Status::Done } else { Status::AlreadyDone };
                    let settled = Settlement { status, reason: None, words: None, after: Some(seen) };
                    return self.end(entry, &progress.having_made(made), settled, apply).await;
                }
                Verdict::Wait { until, waits } => {
                    // To the second: it is read by people.
                    let until = Timestamp::from_second(until.as_second() + 1).unwrap_or(until);
                    let words = format!("{} (looked at again after {until})", waits.words);
                    let waits = Waits { words, ..waits };
                    return self.later(entry, &progress.put_off(until), waits, Some(&seen), apply).await;
                }
                Verdict::Refuse(refusal) => return self.refuse(entry, &progress, refusal, Some(seen), apply).await,
                Verdict::Conflict(conflict) => {
                    let words = conflict.to_string();
                    let (reason, words) = (Some(conflict.kind()), Some(words));
                    let settled = Settlement { status: Status::Conflict, reason, words, after: Some(seen) };
                    return self.end(entry, &progress, settled, apply).await;
                }
                Verdict::Ambiguous(doubt) => return self.doubt(entry, &progress, doubt, Some(seen), apply).await,
                Verdict::Send(step) => *step,
            };
            if !apply {
                if let Some(what) = self.push.client.lacks(&step.mutation).await? {
                    let refusal = Refusal::NotAvailable { what, platform: self.push.client.platform() };
                    return self.refuse(entry, &progress, refusal, Some(seen), apply).await;
                }
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
            progress = progress.sending(&step.key, (self.push.clock)(), step.witness.clone(), &seen);
            // Durable before anything leaves: whoever comes after a crash knows that it may have been done.
            self.write(entry, &progress, None, line.clone()).await?;
            let sent = send(self.push.client, &dossier, intent.silent, step).await;
            line.happening = Happening::Answered;
            line.at = (self.push.clock)();
            (line.words, progress) = match &sent {
                Sent::Taken(receipt) => {
                    (Some("taken".to_owned()), progress.answered(Answer::Taken).having_made(made(receipt)))
                }
                Sent::Refused(words) => (Some(words.join(" ")), progress.answered(Answer::Refused(words.clone()))),
                Sent::Lost(error) => {
                    let failure = Failure { kind: error.kind().to_owned(), words: error.to_string() };
                    (Some(format!("lost: {}", error.kind())), progress.failed(failure))
                }
                // Surely nothing was done: as if it had not been tried.
                Sent::Not(error) => (Some(format!("not sent: {}", error.kind())), before),
                Sent::Cannot(refusal) => (Some(refusal.to_string()), before),
            };
            self.write(entry, &progress, None, line).await?;
            match sent {
                Sent::Taken(_) | Sent::Refused(_) | Sent::Lost(_) => {}
                // The file of one dossier is in nobody else's way.
                Sent::Not(MutationError::NotSent(error)) if concerns_one(&error) => {
                    let waits = Waits::new("not_sent", format!("nothing was sent: {error}"));
                    return self.later(entry, &progress, waits, Some(&seen), apply).await;
                }
                Sent::Not(error) => return Err(error.into()),
                Sent::Cannot(refusal) => return self.refuse(entry, &progress, refusal, Some(seen), apply).await,
            }
        }
    }

    /// The files of this machine that annotations of an intent name, read and digested.
    async fn files(&self, intent: &Intent, dossier: &Dossier) -> LocalFiles {
        let paths = match &intent.action {
            Action::Annotations { edits } => annotation::files_of(&self.demarche, dossier, edits),
            action => action.file().map(Path::to_owned).into_iter().collect(),
        };
        let mut files = LocalFiles::new();
        for path in paths {
            let digested = send::digested(&path, &intent.action).await;
            files.insert(path, digested);
        }
        files
    }

    /// Whether the intent that this one requires is done. A decision that the platform showed already, and that no intent
    /// of this outbox made, may have been told by whoever made it.
    async fn required(&self, intent: &Intent, others: &[Recorded], apply: bool) -> Result<Required, PushError> {
        let Some(id) = &intent.requires else { return Ok(Required::Met) };
        let goal = |recorded: &Recorded| {
            let intent = recorded.entry.intent.as_ref().ok()?;
            history::goal(&intent.action).filter(crate::dossier::DossierState::is_terminal)
        };
        let required = others.iter().find(|other| other.entry.id == *id);
        Ok(match self.push.outbox.status(self.push.scope, id).await? {
            Some(Status::AlreadyDone) if required.and_then(goal).is_some() => {
                let decision = required.and_then(goal);
                let made = others.iter().any(|other| other.status == Status::Done && goal(other) == decision);
                if made { Required::Met } else { Required::Foreign }
            }
            Some(status) if status.is_success() => Required::Met,
            // A plan judges it as if the other were done.
            Some(Status::Pending) if !apply => Required::Met,
            Some(Status::Pending) => Required::Pending,
            _ => Required::Failed(id.clone()),
        })
    }

    /// The platform's clock minus ours.
    fn skew(&self) -> SignedDuration {
        let now = (self.push.clock)();
        self.push.client.platform_now().map_or(SignedDuration::ZERO, |platform| platform.duration_since(now))
    }

    /// It stays pending, and its row says why.
    async fn later(
        &self,
        entry: &Entry,
        progress: &Progress,
        waits: Waits,
        seen: Option<&Seen>,
        apply: bool,
    ) -> Result<Visit, PushError> {
        // Said once: whoever pushes every minute finds no line for each.
        if apply && (entry.progress.waits.as_ref() != Some(&waits) || entry.progress != *progress) {
            let mut line = self.line(entry, Happening::PutOff, seen);
            line.words = Some(waits.words.clone());
            self.write(entry, &progress.clone().waiting(waits.clone()), None, line).await?;
        }
        Ok(Visit::Later(waits))
    }

    async fn doubt(
        &self,
        entry: &Entry,
        progress: &Progress,
        doubt: Doubt,
        after: Option<Seen>,
        apply: bool,
    ) -> Result<Visit, PushError> {
        let (reason, words) = (Some(doubt.kind()), Some(doubt.to_string()));
        self.end(entry, progress, Settlement { status: Status::Ambiguous, reason, words, after }, apply).await
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
        let (reason, words) = (Some(refusal.kind()), Some(words));
        self.end(entry, progress, Settlement { status: Status::Refused, reason, words, after: seen }, apply).await
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

/// The ids of what a mutation made, as the platform tells them.
fn made(receipt: &MutationReceipt) -> Vec<String> {
    let message = receipt.message.iter().map(|message| message.id.as_str());
    let row = receipt.rows.last().map(crate::ids::RowId::as_str);
    message.chain(row).map(str::to_owned).collect()
}

enum Required {
    Met,
    /// It is so, and was not made from here.
    Foreign,
    Pending,
    Failed(IntentId),
}
