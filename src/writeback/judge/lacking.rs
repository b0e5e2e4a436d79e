//! Holds what a dossier lacks of what an intent wants. Pure.

use std::path::PathBuf;

use super::verdict::FileSlot;
use crate::api::Mutation;
use crate::intent::There;

/// Says what a dossier lacks of what an intent wants.
pub(super) enum Lacking {
    /// Nothing, with the platform's ids of what shows it.
    Nothing(Vec<String>),
    /// Something that one mutation makes up for, if it may be sent.
    Something(Box<Candidate>),
}

impl Lacking {
    /// Says that the dossier shows all of it, where no single thing has an id.
    pub fn nothing() -> Self {
        Self::Nothing(Vec::new())
    }
}

impl From<Candidate> for Lacking {
    fn from(candidate: Candidate) -> Self {
        Self::Something(Box::new(candidate))
    }
}

/// Holds a mutation that would make up for what is lacking.
pub(super) struct Candidate {
    pub mutation: Mutation,
    /// Identifies it among what was sent before.
    pub key: String,
    /// Files of this machine that are uploaded first.
    pub files: Vec<(FileSlot, PathBuf)>,
    /// The ids that the dossier holds now: whatever is not among them later is new.
    pub witness: There,
    /// The names of the mutations that follow.
    pub then: Vec<&'static str>,
}

impl Candidate {
    /// Adds what else tells afterwards if it was done. The steps of the history are kept.
    pub fn witnessed_by(self, witness: There) -> Self {
        let steps = self.witness.steps;
        Self { witness: There { steps, ..witness }, ..self }
    }

    /// Adds files to upload first.
    pub fn with_files(self, files: Vec<(FileSlot, PathBuf)>) -> Self {
        Self { files, ..self }
    }

    /// Adds what follows.
    pub fn followed_by(self, then: Vec<&'static str>) -> Self {
        Self { then, ..self }
    }
}
