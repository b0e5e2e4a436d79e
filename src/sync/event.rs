//! Events of a run while it works. The progress bar, the log and the report read them.

use jiff::Timestamp;

use crate::api::Drift;
use crate::ids::{DescriptorId, DossierNumber};
use crate::report::{Counts, RowDifference};

/// Event of a run: numbers, counts and ids only, never the content of a dossier.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The run begins; `alive` dossiers are in the target.
    Started {
        /// The number of dossiers in the target before the run.
        alive: u64,
        /// True for a sweep.
        sweep: bool,
    },
    /// A change to the tables was made.
    Schema(String),
    /// A page was committed (or held nothing new).
    Page {
        /// The number of dossiers on the page.
        dossiers: usize,
        /// The changes of the page, counted.
        counts: Counts,
        /// The date that the walk reached.
        reached: Option<Timestamp>,
    },
    /// A dossier could not be read and went into quarantine.
    Quarantined {
        /// The number.
        number: DossierNumber,
        /// The reason, a stable word.
        reason: String,
    },
    /// A dossier left the quarantine.
    Released(DossierNumber),
    /// The platform sent a value that this version does not know; it was kept as text. Reported once a run.
    Drift(Drift),
    /// Some values of a dossier could not be read; the others are kept.
    Unread {
        /// The number.
        number: DossierNumber,
        /// The fields.
        fields: Vec<String>,
    },
    /// A champ whose question no revision of the form has, although the form was read again for it; kept in the
    /// document. Reported once a run.
    UnknownDescriptor(DescriptorId),
    /// A list of deletions could not be read to its end; the next run tries again.
    SuppressionsIncomplete,
    /// The complete light listing goes on.
    Listing {
        /// The number of dossiers listed so far.
        seen: usize,
    },
    /// Stored dossiers are written again in other columns.
    Remapped {
        /// The number so far.
        dossiers: u64,
    },
    /// Dossiers whose term was over were emptied.
    Retained {
        /// The number of dossiers that one commit anonymised.
        anonymised: u64,
        /// The number of dossiers that it purged.
        purged: u64,
    },
    /// A file is in the target.
    Files {
        /// The number so far.
        kept: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// A notice of the target. Reported once a run.
    Notice(String),
    /// Rows of the target differ from its documents.
    Row(RowDifference),
    /// The safety brake holds back deletions.
    Brake {
        /// The number of deletions.
        deletions: u64,
        /// The number of dossiers in the target.
        alive: u64,
    },
}
