//! Says what is to be done with an entry of an outbox. Pure: taking a decision changes nothing, carrying it out does.

use jiff::Timestamp;

use super::judge::{Doubt, MutationStep, Refusal, Verdict};
use crate::api::ApiError;
use crate::ids::DossierId;
use crate::intent::{Answer, IntentId, Progress, Seen, Status, Waits};
use crate::sink::Settlement;

/// Says what is to be done with an entry of an outbox now.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Decision {
    /// It stays as it is: its time has not come, or an earlier entry is in its way.
    Leave(Waits),
    /// It stays pending, and its row says why.
    PutOff {
        /// The progress so far.
        progress: Progress,
        /// The reason why it stays pending.
        waits: Waits,
        /// The dossier now, if it could be read.
        seen: Option<Seen>,
    },
    /// It ends.
    Settle {
        /// The progress so far.
        progress: Progress,
        /// The end of it.
        settlement: Settlement,
    },
    /// A mutation is sent, and the entry is examined again.
    Send {
        /// The progress before that.
        progress: Progress,
        /// The mutation.
        step: Box<MutationStep>,
        /// The dossier, by the platform's id.
        dossier: DossierId,
        /// The dossier now.
        seen: Seen,
    },
}

/// Says how it stands with the intent that an intent requires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Requirement {
    /// It is done, or none is required.
    Met,
    /// The platform showed the decision already, and no intent of this outbox made it: whoever did may have reported it.
    Foreign,
    /// It is still pending.
    Pending,
    /// It was not done.
    Failed(IntentId),
}

impl Requirement {
    /// Takes what is pending for done: a plan shows what follows once it is.
    pub fn assume_done(self) -> Self {
        match self {
            Self::Pending => Self::Met,
            Self::Met | Self::Foreign | Self::Failed(_) => self,
        }
    }
}

impl Decision {
    /// Leaves an entry behind an earlier one about the same dossier.
    pub fn behind_an_earlier_one() -> Self {
        Self::Leave(Waits::new("earlier", "waits for an earlier intent about this dossier"))
    }

    /// Leaves an entry whose time has not come.
    pub fn too_early(progress: &Progress, until: Timestamp) -> Self {
        let waits = progress.waits.clone();
        Self::Leave(waits.unwrap_or_else(|| Waits::new("later", format!("looked at again after {until}"))))
    }

    /// Puts off an intent that requires a pending one.
    pub fn requires_a_pending_one(progress: Progress) -> Self {
        let waits = Waits::new("requires", "waits for the intent that it requires");
        Self::PutOff { progress, waits, seen: None }
    }

    /// Puts off an intent whose dossier cannot be read. It is in no other dossier's way (trap 4).
    pub fn dossier_unreadable(progress: Progress, error: &ApiError) -> Self {
        // A token that does not show the dossier will not tomorrow either: that is for a person.
        let reason = if matches!(error, ApiError::OutOfScope { .. }) { "out_of_scope" } else { "dossier_unreadable" };
        let waits = Waits::new(reason, format!("the dossier cannot be read: {error}"));
        Self::PutOff { progress, waits, seen: None }
    }

    /// Puts off an intent of which nothing could be sent, for a reason that concerns this dossier alone.
    pub fn not_sent(progress: Progress, error: &ApiError, seen: Seen) -> Self {
        let waits = Waits::new("not_sent", format!("nothing was sent: {error}"));
        Self::PutOff { progress, waits, seen: Some(seen) }
    }

    /// Ends an intent whose dossier the platform does not show.
    pub fn dossier_absent(progress: Progress) -> Self {
        // What was accepted was done, though the dossier left before anybody could look at it; a lost answer may mean so
        // too.
        let perhaps = |answer: &Answer| matches!(answer, Answer::Unknown | Answer::Taken);
        if progress.last.as_ref().is_some_and(|last| perhaps(&last.answer)) {
            let words = Some(Refusal::NoDossier.to_string());
            let settlement = Settlement { status: Status::Ambiguous, reason: Some("no_dossier"), words, after: None };
            Self::Settle { progress, settlement }
        } else {
            Self::refuse(progress, &Refusal::NoDossier, None)
        }
    }

    /// Refuses an intent.
    pub fn refuse(progress: Progress, refusal: &Refusal, after: Option<Seen>) -> Self {
        let words = match refusal.hint() {
            Some(hint) => format!("{refusal} ({hint})"),
            None => refusal.to_string(),
        };
        let settlement =
            Settlement { status: Status::Refused, reason: Some(refusal.kind()), words: Some(words), after };
        Self::Settle { progress, settlement }
    }

    fn doubt(progress: Progress, doubt: Doubt, after: Seen) -> Self {
        let (reason, words) = (Some(doubt.kind()), Some(doubt.to_string()));
        let settlement = Settlement { status: Status::Ambiguous, reason, words, after: Some(after) };
        Self::Settle { progress, settlement }
    }

    /// Turns a verdict on the dossier as it is now into a decision.
    pub fn of(verdict: Verdict, progress: Progress, dossier: &DossierId, seen: Seen) -> Self {
        match verdict {
            Verdict::Done { made } => {
                let status = if progress.sends > 0 { Status::Done } else { Status::AlreadyDone };
                let settlement = Settlement { status, reason: None, words: None, after: Some(seen) };
                Self::Settle { progress: progress.having_made(made), settlement }
            }
            Verdict::Send(step) => Self::Send { progress, step, dossier: dossier.clone(), seen },
            Verdict::Wait { until, waits } => {
                // Rounded up to the second: people read it.
                let until = Timestamp::from_second(until.as_second() + 1).unwrap_or(until);
                let words = format!("{} (looked at again after {until})", waits.words);
                let waits = Waits { words, ..waits };
                Self::PutOff { progress: progress.put_off(until), waits, seen: Some(seen) }
            }
            Verdict::Refuse(refusal) => Self::refuse(progress, &refusal, Some(seen)),
            Verdict::Conflict(conflict) => {
                let (reason, words) = (Some(conflict.kind()), Some(conflict.to_string()));
                let settlement = Settlement { status: Status::Conflict, reason, words, after: Some(seen) };
                Self::Settle { progress, settlement }
            }
            Verdict::Ambiguous(doubt) => Self::doubt(progress, doubt, seen),
        }
    }
}
