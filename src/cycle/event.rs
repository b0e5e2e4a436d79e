//! Events of a work cycle.

use crate::report::Report;
use crate::sink::grist::Declined;
use crate::sync::Event;

/// Tells what happens in a work cycle: numbers, counts and ids only, never what a dossier holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CycleEvent<'e> {
    /// Something happened in a run.
    Run(&'e Event),
    /// A run, or the fetching of files after it, has ended: no more events of it follow.
    StepEnded,
    /// The sync has ended, files included, however it ended.
    Synced(&'e Report),
    /// A decision that somebody ticked in a document makes no sense.
    Declined {
        /// The row, and why.
        decision: &'e Declined,
        /// True if decisions are being sent; otherwise they are only planned.
        sending: bool,
    },
    /// The document to send from is a copy of this one, and sending from it is refused.
    CopyOf(&'e str),
    /// Nothing can be taken from the document, with the reason.
    NothingTaken(&'e str),
    /// The target has something to say about itself.
    TargetNotice(&'e str),
}
