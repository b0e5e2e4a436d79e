//! How a push ended: what is printed, and the exit code.

use super::render;
use super::unserved::in_words;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::failed;
use crate::cli::printer::{answer, answer_json, counted, tell};
use crate::sink::Backlog;
use crate::writeback::{Item, PushError, Pushed};

/// A push that ended, and what ended it early if anything did.
pub struct Ended {
    /// What it did.
    pub pushed: Option<Pushed>,
    /// What ended it early.
    pub error: Option<PushError>,
    /// What is in the outbox for nobody.
    unserved: Vec<Backlog>,
    /// How many intents are still pending, where an error kept the report from telling.
    left: Option<u64>,
}

impl Ended {
    /// Both, one after the other.
    pub fn and(self, other: Self) -> Self {
        let pushed = match (self.pushed, other.pushed) {
            (Some(mut pushed), Some(more)) => {
                pushed.append(more);
                Some(pushed)
            }
            (one, other) => one.or(other),
        };
        let mut unserved = self.unserved;
        unserved.extend(other.unserved);
        Self { pushed, error: self.error.or(other.error), unserved, left: self.left.or(other.left) }
    }

    /// The same, with what is in the outbox for nobody.
    pub fn beside(mut self, unserved: Vec<Backlog>) -> Self {
        self.unserved = unserved;
        self
    }

    /// The same, with how many intents are still pending.
    pub fn leaving(mut self, left: u64) -> Self {
        self.left = Some(left);
        self
    }
}

impl From<Result<Pushed, PushError>> for Ended {
    fn from(result: Result<Pushed, PushError>) -> Self {
        match result {
            Ok(pushed) => Self { pushed: Some(pushed), error: None, unserved: Vec::new(), left: None },
            Err(error) => {
                let (pushed, error) = error.split();
                Self { pushed, error: Some(error), unserved: Vec::new(), left: None }
            }
        }
    }
}

/// What a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// What `dn push` would do.
    Plan,
    /// What `dn dossier N ACTION` would do: nothing of it is kept anywhere.
    PlanByHand,
    /// What was done.
    Applied,
}

/// Prints what a push did, or would do, and gives its code.
pub fn finish(context: &Context, json: bool, about: About, mut ended: Ended) -> Result<Exit, CliError> {
    let mut exit = Exit::Done;
    for line in in_words(&ended.unserved) {
        tell(&line);
        exit = Exit::Parked;
    }
    if let Some(pushed) = &mut ended.pushed {
        pushed.unserved = ended.unserved;
        if json {
            answer_json(pushed)?;
        } else {
            answer(&render::pushed(context, pushed, about))?;
        }
        exit = exit.worse(code(pushed, about));
    }
    if let Some(left) = ended.left.filter(|left| *left > 0) {
        tell(&format!("the push ended early: {} still pending", counted(left, "intent")));
    }
    Ok(match ended.error {
        Some(error) => exit.worse(failed(&CliError::Push(error))),
        None => exit,
    })
}

/// The exit code of a report.
pub fn code(pushed: &Pushed, about: About) -> Exit {
    let mut exit = pushed.items.iter().map(|item| waiting(item, about)).fold(Exit::Done, Exit::worse);
    // The plan of an outbox tells what there is; by hand, it is the answer to what was asked.
    if about != About::Plan && pushed.needs_a_person() || !pushed.unserved.is_empty() {
        exit = exit.worse(Exit::Parked);
    }
    exit
}

/// What it means that an intent is still pending.
fn waiting(item: &Item, about: About) -> Exit {
    if !item.waits() {
        return Exit::Done;
    }
    match (item.reason.as_deref().unwrap_or_default(), about) {
        // The token does not show it: that does not pass by itself.
        ("out_of_scope", _) => Exit::Refused,
        // It waits for its time, or for another one: a plan has nothing to add.
        ("earlier" | "later" | "requires" | "lost_answer", About::Plan) => Exit::Done,
        _ => Exit::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(status: &str, reason: Option<&str>, steps: &[&str]) -> Pushed {
        let item = serde_json::json!({
            "id": "a", "dossier": 1, "action": "archiver", "status": status, "reason": reason, "steps": steps,
        });
        let report = serde_json::json!({
            "version": 1, "instance": "dn", "demarche": 1, "outbox": "memory", "counts": { status: 1 }, "items": [item],
        });
        serde_json::from_value(report).expect("a report")
    }

    #[test]
    fn a_code_says_whether_something_waits_and_for_whom() {
        use About::{Applied, Plan, PlanByHand};
        use Exit::{Done, Parked, Refused, Unavailable};
        for (status, reason, steps, codes) in [
            ("done", None, &[][..], [Done, Done, Done]),
            ("already_done", None, &[], [Done, Done, Done]),
            ("refused", Some("no_way"), &[], [Parked, Done, Parked]),
            ("conflict", Some("conflict"), &[], [Parked, Done, Parked]),
            ("ambiguous", Some("lost_answer"), &[], [Parked, Done, Parked]),
            ("pending", None, &["dossierArchiver"], [Done, Done, Done]),
            ("pending", Some("dossier_unreadable"), &[], [Unavailable; 3]),
            ("pending", Some("not_sent"), &[], [Unavailable; 3]),
            ("pending", Some("out_of_scope"), &[], [Refused; 3]),
            ("pending", Some("later"), &[], [Unavailable, Done, Unavailable]),
            ("pending", Some("earlier"), &[], [Unavailable, Done, Unavailable]),
            ("pending", Some("requires"), &[], [Unavailable, Done, Unavailable]),
        ] {
            let report = pushed(status, reason, steps);
            assert_eq!([Applied, Plan, PlanByHand].map(|about| code(&report, about)), codes, "{status} {reason:?}");
        }
    }

    #[test]
    fn intents_that_nothing_sends_need_a_person() {
        let mut report = pushed("done", None, &[]);
        report.unserved = vec![Backlog { instance: "dn".into(), demarche: "7".into(), pending: 3 }];
        assert_eq!(code(&report, About::Plan), Exit::Parked);
    }
}
