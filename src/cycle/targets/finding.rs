//! Findings of the check of a target.

use serde::Serialize;

use crate::cycle::{CycleError, ErrorKind};

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// As it should be.
    Ok,
    /// It works, and deserves a look.
    Warn,
    /// It does not work.
    Fail,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The result.
    pub verdict: CheckOutcome,
    /// The subject of the check.
    pub what: &'static str,
    /// The finding.
    pub found: String,
    /// The next step.
    pub hint: Option<String>,
    /// The kind of error of a check that fails.
    pub kind: Option<ErrorKind>,
}

/// The findings of the check of a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// In the order of the checks.
    pub found: Vec<Finding>,
    /// True if the target may be written, as far as was found out: its lock is worth a look.
    pub usable: bool,
}

impl Findings {
    /// Adds a check that is as it should be.
    pub fn ok(&mut self, what: &'static str, found: impl Into<String>) {
        self.add(CheckOutcome::Ok, what, found.into(), None, None);
    }

    /// Adds a check that deserves a look.
    pub fn warn(&mut self, what: &'static str, found: impl Into<String>, hint: Option<&str>) {
        self.add(CheckOutcome::Warn, what, found.into(), hint.map(str::to_owned), None);
    }

    /// Adds a check of a target that refuses.
    pub fn refused(&mut self, what: &'static str, found: impl Into<String>, hint: &str) {
        self.add(CheckOutcome::Fail, what, found.into(), Some(hint.to_owned()), Some(ErrorKind::Refused));
    }

    /// Adds a check that an error ended.
    pub fn fail(&mut self, what: &'static str, error: &CycleError) {
        self.add(CheckOutcome::Fail, what, error.to_string(), error.hint(), Some(error.kind()));
    }

    fn add(
        &mut self,
        verdict: CheckOutcome,
        what: &'static str,
        found: String,
        hint: Option<String>,
        kind: Option<ErrorKind>,
    ) {
        self.found.push(Finding { verdict, what, found, hint, kind });
    }
}
