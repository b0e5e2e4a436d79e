//! Run history: one line for each run.

use jiff::Timestamp;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};

use super::Report;

/// Outcome of a run.
///
/// A stored report without one counts as failed, which promises nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Everything that the platform shows is in the target.
    Done,
    /// Done, with dossiers in quarantine.
    Quarantine,
    /// Stopped after a complete commit: by a signal, or because another run had taken its place.
    Interrupted,
    /// Stopped by an error.
    #[default]
    Failed,
}

impl RunOutcome {
    /// Returns true if it looked everywhere: everything that could be read is in the target.
    #[must_use]
    pub const fn did_its_work(self) -> bool {
        matches!(self, Self::Done | Self::Quarantine)
    }
}

/// Prefix of the ids of runs of retention, which look at the target only.
pub const RETENTION: &str = "retention-";

/// A line of the run history.
///
/// A Grist document keeps its JSON form, and `dn status --json` prints it: the fields, and `quiet`, the value of
/// [`is_quiet`](Self::is_quiet).
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct RunRecord {
    /// The run.
    pub id: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Its outcome.
    pub outcome: RunOutcome,
    /// Its report. Fields that an older version did not write are as in an empty report.
    pub report: Report,
}

impl RunRecord {
    /// Returns true if it was a run of retention, which says nothing about the platform.
    #[must_use]
    pub fn is_retention(&self) -> bool {
        self.id.starts_with(RETENTION)
    }

    /// Returns true if the run did its work to the end and [changed nothing](Report::is_quiet).
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.outcome == RunOutcome::Done && self.report.is_quiet()
    }
}

impl Serialize for RunRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { id, started_at, ended_at, outcome, report } = self;
        let mut line = serializer.serialize_struct("RunRecord", 6)?;
        line.serialize_field("id", id)?;
        line.serialize_field("started_at", started_at)?;
        line.serialize_field("ended_at", ended_at)?;
        line.serialize_field("outcome", outcome)?;
        line.serialize_field("quiet", &self.is_quiet())?;
        line.serialize_field("report", report)?;
        line.end()
    }
}
