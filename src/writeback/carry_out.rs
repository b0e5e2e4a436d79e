//! Carries out decisions: what is to be sent is written first, then sent, and its answer is written.

use super::decision::Decision;
use super::error::PushError;
use super::examine::concerns_one;
use super::judge::MutationStep;
use super::push::Push;
use super::send::{Sent, send};
use crate::api::{MutationError, MutationReceipt};
use crate::ids::{DossierId, RowId};
use crate::intent::{Answer, Failure, Progress, Seen};
use crate::sink::{Entry, Happening, Outbox, OutboxStep, Settlement, TrailLine};

/// Says what follows a decision that was carried out.
pub(super) enum CarriedOut {
    /// Nothing: the outbox says what became of the entry.
    Recorded(Decision),
    /// Something was sent, or may have been: the entry, which came this far, is to be examined again.
    Sent(Progress),
}

/// Carries out a decision about an entry.
///
/// # Errors
/// Failures that concern all entries: of the token, the connection, the outbox.
pub(super) async fn carry_out<O: Outbox>(
    push: &Push<'_, O>,
    entry: &Entry,
    decision: Decision,
) -> Result<CarriedOut, PushError> {
    match decision {
        Decision::Send { progress, step, dossier, seen } => submit(push, entry, progress, *step, &dossier, seen).await,
        decision => {
            record(push, entry, &decision).await?;
            Ok(CarriedOut::Recorded(decision))
        }
    }
}

/// Writes a decision by which nothing is sent.
async fn record<O: Outbox>(push: &Push<'_, O>, entry: &Entry, decision: &Decision) -> Result<(), PushError> {
    match decision {
        Decision::Leave(_) | Decision::Send { .. } => Ok(()),
        Decision::PutOff { progress, waits, seen } => {
            // Written once: a push every minute would add a line a minute.
            if entry.progress.waits.as_ref() == Some(waits) && entry.progress == *progress {
                return Ok(());
            }
            let mut line = line(push, entry, Happening::PutOff, seen.as_ref());
            line.words = Some(waits.words.clone());
            write(push, entry, &progress.clone().waiting(waits.clone()), None, line).await
        }
        Decision::Settle { progress, settlement } => {
            let mut line = line(push, entry, Happening::Settled, settlement.after.as_ref());
            line.words = Some(match &settlement.words {
                Some(words) => format!("{}: {words}", settlement.status.as_str()),
                None => settlement.status.as_str().to_owned(),
            });
            write(push, entry, progress, Some(settlement), line).await
        }
    }
}

/// Sends one mutation between two lines of the trail.
async fn submit<O: Outbox>(
    push: &Push<'_, O>,
    entry: &Entry,
    before: Progress,
    step: MutationStep,
    dossier: &DossierId,
    seen: Seen,
) -> Result<CarriedOut, PushError> {
    let mut line = line(push, entry, Happening::Sending, Some(&seen));
    line.mutation = Some(step.mutation.name().to_owned());
    line.author = Some(step.by.as_str().to_owned());
    let progress = before.clone().sending(&step.key, (push.clock)(), step.witness.clone(), &seen);
    // Durable before anything leaves: whoever comes after a crash knows that it may have been done.
    write(push, entry, &progress, None, line.clone()).await?;
    let sent = send(push.client, dossier, step).await;
    line.happening = Happening::Answered;
    line.at = (push.clock)();
    line.words = Some(in_words(&sent));
    let (after, follows) = follows(sent, before, progress, seen);
    write(push, entry, &after, None, line).await?;
    match follows {
        Follows::Examine => Ok(CarriedOut::Sent(after)),
        Follows::Record(decision) => {
            record(push, entry, &decision).await?;
            Ok(CarriedOut::Recorded(*decision))
        }
        Follows::End(error) => Err(error.into()),
    }
}

/// Says what follows an answer.
enum Follows {
    Examine,
    Record(Box<Decision>),
    End(MutationError),
}

/// Decides what follows an answer, and how far the entry came with it.
fn follows(sent: Sent, before: Progress, sending: Progress, seen: Seen) -> (Progress, Follows) {
    match sent {
        Sent::Taken(receipt) => (sending.answered(Answer::Taken).having_made(made(&receipt)), Follows::Examine),
        Sent::Refused(words) => (sending.answered(Answer::Refused(words)), Follows::Examine),
        Sent::Lost(error) => {
            let failure = Failure { kind: error.kind().to_owned(), words: error.to_string() };
            (sending.failed(failure), Follows::Examine)
        }
        // From here on surely nothing was done: as if it had not been tried.
        Sent::Not(MutationError::NotSent(error)) if concerns_one(&error) => {
            // The file of one dossier is in no other dossier's way.
            (before.clone(), Follows::Record(Box::new(Decision::not_sent(before, &error, seen))))
        }
        Sent::Not(error) => (before, Follows::End(error)),
        Sent::Cannot(refusal) => {
            (before.clone(), Follows::Record(Box::new(Decision::refuse(before, &refusal, Some(seen)))))
        }
    }
}

/// Describes an answer in the trail.
fn in_words(sent: &Sent) -> String {
    match sent {
        Sent::Taken(_) => "taken".to_owned(),
        Sent::Refused(words) => words.join(" "),
        Sent::Lost(error) => format!("lost: {}", error.kind()),
        Sent::Not(error) => format!("not sent: {}", error.kind()),
        Sent::Cannot(refusal) => refusal.to_string(),
    }
}

/// Lists the ids of what a mutation made, as the platform gives them.
fn made(receipt: &MutationReceipt) -> Vec<String> {
    let message = receipt.message.iter().map(|message| message.id.as_str());
    let row = receipt.rows.last().map(RowId::as_str);
    message.chain(row).map(str::to_owned).collect()
}

fn line<O>(push: &Push<'_, O>, entry: &Entry, happening: Happening, seen: Option<&Seen>) -> TrailLine {
    TrailLine { seen: seen.cloned(), ..TrailLine::of_entry(entry, happening, (push.clock)()) }
}

async fn write<O: Outbox>(
    push: &Push<'_, O>,
    entry: &Entry,
    progress: &Progress,
    settled: Option<&Settlement>,
    line: TrailLine,
) -> Result<(), PushError> {
    Ok(push.outbox.write(push.scope, &OutboxStep { entry, progress, settled, line }).await?)
}
