//! Whose doing is something that the dossier shows? An outbox may be a copy that was put back, a standby that was promoted
//! or an earlier state of a document: that it knows nothing of a sending does not mean that nothing was sent. Pure.

use jiff::{SignedDuration, Timestamp};

use super::judge::Case;
use crate::dossier::{Message, Traitement};
use crate::intent::{Answer, Intent, Sending, Status, Words};

/// By how much two clocks may differ beyond what is known: that of the platform and that of whoever asked, which may be a
/// server of a database. What agrees word by word is believed within it.
const ALLOWANCE: SignedDuration = SignedDuration::from_mins(5);

/// The same for what agrees in little else than its time.
const CLOSE: SignedDuration = SignedDuration::from_secs(30);

/// Other intents that ask for the same, and of whose effects the outbox has no ids.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Untraced {
    /// That were done.
    pub done: usize,
    /// That may have been.
    pub perhaps: usize,
}

impl Case<'_> {
    /// Since when something may be the effect of this intent, by the platform's clock.
    pub(super) fn since(&self) -> Timestamp {
        self.on_the_platform(self.asked_at, ALLOWANCE)
    }

    /// The same where little more than the time is compared.
    pub(super) fn closely_since(&self) -> Timestamp {
        self.on_the_platform(self.asked_at, CLOSE)
    }

    /// An instant of our clock on the platform's, less some time.
    fn on_the_platform(&self, at: Timestamp, less: SignedDuration) -> Timestamp {
        at.checked_add(self.skew).and_then(|at| at.checked_sub(less)).unwrap_or(at)
    }

    /// Whether another intent of this outbox made it.
    pub(super) fn is_claimed(&self, id: &str) -> bool {
        self.others.iter().any(|other| other.entry.progress.made.iter().any(|made| made == id))
    }

    /// Other intents that ask for the same and left no ids: those of earlier versions, those that an operator called done,
    /// those in doubt.
    pub(super) fn untraced(&self, same: impl Fn(&Intent) -> bool) -> Untraced {
        let mut untraced = Untraced::default();
        for other in self.others {
            let progress = &other.entry.progress;
            let asks_the_same = other.entry.intent.as_ref().is_ok_and(&same);
            // What was sent before this intent was asked for is older than everything that is looked at.
            let is_older = progress
                .last
                .as_ref()
                .is_some_and(|last| self.on_the_platform(last.at, SignedDuration::ZERO) < self.since());
            if !asks_the_same || is_older || !progress.made.is_empty() {
                continue;
            }
            let sent = progress.last.as_ref().is_some_and(|last| !matches!(last.answer, Answer::Refused(_)));
            match other.status {
                Status::Done | Status::AlreadyDone => untraced.done += 1,
                _ if sent => untraced.perhaps += 1,
                _ => {}
            }
        }
        untraced
    }

    /// The address of the one in whose name it is sent, whether or not that person may still act on the dossier.
    pub(super) fn writer(&self) -> Option<&str> {
        let author = self.intent.author.as_ref().map(Words::as_str).or(self.author)?.trim();
        let profiles = self.demarche.groupes_instructeurs.iter().flat_map(|groupe| &groupe.instructeurs);
        let known = profiles.into_iter().find(|profile| profile.id == author).map(|profile| profile.email.as_str());
        known.or(author.contains('@').then_some(author))
    }

    /// Whether a step of the history was taken since something was sent.
    pub(super) fn is_new_step(&self, step: &Traitement, last: &Sending) -> bool {
        match last.witness.there() {
            Some(there) => !there.steps.contains(&step.id),
            None => step.date_traitement >= self.on_the_platform(last.at, ALLOWANCE),
        }
    }

    /// Whether a message is there since something was sent.
    pub(super) fn is_new_message(&self, message: &Message, last: &Sending) -> bool {
        match last.witness.there() {
            Some(there) => !there.messages.contains(&message.id),
            None => message.created_at >= self.on_the_platform(last.at, ALLOWANCE),
        }
    }

    /// Whether anything of the dossier moved since something was sent. `None` when nobody wrote down how it was.
    pub(super) fn moved_since(&self, last: &Sending) -> Option<bool> {
        last.seen.as_ref().map(|seen| seen != self.seen)
    }
}
