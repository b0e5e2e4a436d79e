//! Records the progress of an intent. Stored before anything is sent, so that whoever takes over after a crash knows.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::seen::{Seen, Witness};

/// Progress of an intent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The number of times that something was sent for it.
    #[doc(hidden)]
    #[serde(default)]
    pub sends: u32,
    /// The last mutation that was sent.
    #[doc(hidden)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Sending>,
    /// The dossier before the first sending.
    #[doc(hidden)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Seen>,
    /// Nothing is done before: an answer is awaited, or the platform was not available.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// The number of times that it was put off.
    #[doc(hidden)]
    #[serde(default)]
    pub put_off: u32,
    /// Messages, rows and steps of the history that are known to be its effect, by the platform's ids: no other intent is
    /// taken for done because of them.
    #[doc(hidden)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<String>,
    /// The reason why it was still pending when it was looked at last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<Waits>,
}

/// Reason why an intent is still pending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    /// Returns a stable word.
    pub reason: String,
    /// The reason, for people: the platform's own words if it said something.
    pub words: String,
}

impl Waits {
    /// The reason why it waits.
    #[must_use]
    pub fn new(reason: &str, words: impl Into<String>) -> Self {
        Self { reason: reason.to_owned(), words: words.into() }
    }
}

/// Something that was sent, or was about to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sending {
    /// The mutation's name, and what it is about where one intent takes several of a kind.
    pub key: String,
    /// When.
    pub at: Timestamp,
    /// The state to compare with.
    pub witness: Witness,
    /// Answer of the platform to a mutation.
    pub answer: Answer,
    /// The number of times that this very mutation was sent in a row.
    pub times: u32,
    /// The dossier as it was when this was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// The failure, if no answer came that can be trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// Failure of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// A stable word: `internal_server_error`, `transport`...
    pub kind: String,
    /// The failure, for people.
    pub words: String,
}

/// Answer of the platform to a mutation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// No answer: it may have been done or not.
    Unknown,
    /// The platform did it.
    Taken,
    /// The platform said no, in these words.
    Refused(Vec<String>),
}

/// A dossier that an intent of ours moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// Before the intent.
    pub before: Seen,
    /// After it.
    pub after: Seen,
}

impl Progress {
    /// Returns the same with something about to be sent.
    #[doc(hidden)]
    #[must_use]
    pub fn sending(mut self, key: &str, at: Timestamp, witness: Witness, seen: &Seen) -> Self {
        let times = self.last.as_ref().filter(|last| last.key == key).map_or(0, |last| last.times);
        self.last = Some(Sending {
            key: key.to_owned(),
            at,
            witness,
            answer: Answer::Unknown,
            times: times + 1,
            seen: Some(seen.clone()),
            failure: None,
        });
        self.before.get_or_insert_with(|| seen.clone());
        self.sends += 1;
        self.not_before = None;
        self.waits = None;
        self
    }

    /// Returns the same after an answer that cannot be trusted.
    #[doc(hidden)]
    #[must_use]
    pub fn failed(mut self, failure: Failure) -> Self {
        if let Some(last) = &mut self.last {
            last.failure = Some(failure);
        }
        self
    }

    /// Returns the same with what is known to be its effect.
    #[doc(hidden)]
    #[must_use]
    pub fn having_made(mut self, made: impl IntoIterator<Item = String>) -> Self {
        for id in made {
            if !self.made.contains(&id) {
                self.made.push(id);
            }
        }
        self
    }

    /// Returns the same with the reason why it waits.
    #[doc(hidden)]
    #[must_use]
    pub fn waiting(mut self, waits: Waits) -> Self {
        self.waits = Some(waits);
        self
    }

    /// Returns the same with the answer.
    #[doc(hidden)]
    #[must_use]
    pub fn answered(mut self, answer: Answer) -> Self {
        if let Some(last) = &mut self.last {
            last.answer = answer;
        }
        self
    }

    /// Returns the same, put off until an instant.
    #[doc(hidden)]
    #[must_use]
    pub fn put_off(mut self, until: Timestamp) -> Self {
        self.not_before = Some(until);
        self.put_off += 1;
        self
    }
}
