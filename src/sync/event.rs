//! What a run tells while it works. The progress bar, the log and the report are readers of this.

use jiff::Timestamp;

use crate::api::Drift;
use crate::ids::{DescriptorId, DossierNumber};
use crate::report::{Counts, RowDifference};

/// Something that happened in a run: numbers, counts and ids only, never what a dossier holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The run begins; `alive` dossiers are in the target.
    Started {
        /// How many dossiers the target shows before the run.
        alive: u64,
        /// Whether everything is read again.
        sweep: bool,
    },
    /// A change to the tables was made.
    Schema(String),
    /// A page was committed (or held nothing new).
    Page {
        /// How many dossiers the page held.
        dossiers: usize,
        /// What the page changed.
        counts: Counts,
        /// How far the walk came.
        reached: Option<Timestamp>,
    },
    /// A dossier could not be read and was set aside.
    Quarantined {
        /// Which.
        number: DossierNumber,
        /// A stable word for why.
        reason: String,
    },
    /// A dossier left the quarantine.
    Released(DossierNumber),
    /// The platform sent something that this version does not know; it was kept as text. Told once a run.
    Drift(Drift),
    /// Some values of a dossier could not be read; the others are kept.
    Unread {
        /// Which dossier.
        number: DossierNumber,
        /// The fields.
        fields: Vec<String>,
    },
    /// A champ whose question no revision of the form has, although the form was read again for it; kept in the document.
    /// Told once a run.
    UnknownDescriptor(DescriptorId),
    /// A list of deletions could not be read to its end; the next run tries again.
    SuppressionsIncomplete,
    /// The complete light listing goes on.
    Listing {
        /// How many dossiers it has shown so far.
        seen: usize,
    },
    /// Stored dossiers are written again in other columns.
    Remapped {
        /// How many so far.
        dossiers: u64,
    },
    /// Dossiers whose term was over were emptied.
    Retained {
        /// How many were anonymised, in one commit.
        anonymised: u64,
        /// How many were purged in it.
        purged: u64,
    },
    /// A file is in the target.
    Files {
        /// How many so far.
        kept: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// The target has something to tell of itself. Told once a run.
    Notice(String),
    /// Rows of the target are not what its documents say.
    Row(RowDifference),
    /// The safety brake holds back deletions.
    Brake {
        /// How many deletions.
        deletions: u64,
        /// Out of how many dossiers.
        alive: u64,
    },
}
