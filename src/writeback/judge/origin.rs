//! Finds out whose effect the dossier shows. An outbox may be a restored copy, a promoted standby or an earlier state of a
//! document: that it knows of no sending does not mean that nothing was sent. Pure.

use jiff::{SignedDuration, Timestamp};

use super::Case;
use crate::dossier::{Message, Traitement};
use crate::intent::{Answer, Intent, Sending, Status, Words};

/// The difference that is allowed between the platform's clock and that of whoever asked, which may be a database server,
/// beyond what is known of it. Wide: it bounds only what agrees word by word.
const ALLOWANCE: SignedDuration = SignedDuration::from_mins(5);

/// The same for what agrees in its time alone.
const CLOSE: SignedDuration = SignedDuration::from_secs(30);

/// Counts other intents that ask for the same and whose effects have no ids in the outbox.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Untraced {
    /// That were done.
    pub done: usize,
    /// That may have been.
    pub perhaps: usize,
}

impl Case<'_> {
    /// Gives the earliest instant, by the platform's clock, at which this intent can have had an effect.
    pub(super) fn since(&self) -> Timestamp {
        self.on_the_platform(self.asked_at, ALLOWANCE)
    }

    /// Gives the same with a narrow margin, where little but the time is compared.
    pub(super) fn closely_since(&self) -> Timestamp {
        self.on_the_platform(self.asked_at, CLOSE)
    }

    /// Converts an instant of our clock to the platform's, less a margin.
    fn on_the_platform(&self, at: Timestamp, less: SignedDuration) -> Timestamp {
        at.checked_add(self.skew).and_then(|at| at.checked_sub(less)).unwrap_or(at)
    }

    /// Tells if another intent of this outbox made it.
    pub(super) fn is_claimed(&self, id: &str) -> bool {
        self.others.iter().any(|other| other.entry.progress.made.iter().any(|made| made == id))
    }

    /// Counts other intents that ask for the same and left no ids: those of earlier versions, those that an operator called
    /// done, those in doubt.
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
                Status::Pending | Status::Refused | Status::Conflict | Status::Ambiguous | Status::Cancelled => {
                    untraced.perhaps += usize::from(sent);
                }
            }
        }
        untraced
    }

    /// Gives the e-mail address of the author, who need not be a member of the groupe any more.
    pub(super) fn writer(&self) -> Option<&str> {
        let author = self.intent.author.as_ref().map(Words::as_str).or(self.author)?.trim();
        let profiles = self.demarche.groupes_instructeurs.iter().flat_map(|groupe| &groupe.instructeurs);
        let known = profiles.into_iter().find(|profile| profile.id == author).map(|profile| profile.email.as_str());
        known.or(author.contains('@').then_some(author))
    }

    /// Tells if a step of the history was taken since something was sent.
    pub(super) fn is_new_step(&self, step: &Traitement, last: &Sending) -> bool {
        match last.witness.there() {
            Some(there) => !there.steps.contains(&step.id),
            None => step.date_traitement >= self.on_the_platform(last.at, ALLOWANCE),
        }
    }

    /// Tells if a message came since something was sent.
    pub(super) fn is_new_message(&self, message: &Message, last: &Sending) -> bool {
        match last.witness.there() {
            Some(there) => !there.messages.contains(&message.id),
            None => message.created_at >= self.on_the_platform(last.at, ALLOWANCE),
        }
    }

    /// Tells if anything of the dossier changed since something was sent; `None` if its state then was not recorded.
    pub(super) fn moved_since(&self, last: &Sending) -> Option<bool> {
        last.seen.as_ref().map(|seen| seen != self.seen)
    }
}
