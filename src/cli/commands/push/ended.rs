//! Prints the end of a push, and chooses its exit code.

use super::render;
use super::unserved::in_words;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::printer::{answer, answer_json, counted, tell};
use crate::cli::{failed, shown, told, written};
use crate::cycle::PushOutcome;
use crate::sink::Backlog;
use crate::writeback::{Item, Pushed};

/// The subject of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The plan of `dn push`.
    Plan,
    /// The plan of `dn dossier N ACTION`: nothing of it is kept anywhere.
    PlanByHand,
    /// The work that was done.
    Applied,
}

/// Prints what a push did, or would do, and gives its code.
///
/// If the report cannot be written, the exit code for people remains that of the push, so that nobody sends again. A program
/// that misses its report gets another code.
///
/// `unserved`: the intents of the outbox that nothing will ever send.
pub fn finish(context: &Context, json: bool, about: About, outcome: PushOutcome, unserved: Vec<Backlog>) -> Exit {
    let mut exit = Exit::Done;
    for line in in_words(&unserved) {
        tell(&line);
        exit = Exit::Parked;
    }
    let PushOutcome { pushed, error, left } = outcome;
    if let Some(mut pushed) = pushed {
        pushed.unserved = unserved;
        exit = exit.worse(code(&pushed, about));
        let text = || render::pushed(context, &pushed, about);
        match about {
            _ if json => exit = written(exit, answer_json(&pushed)),
            About::Applied => told(context, pushed.needs_a_person(), &text()),
            About::Plan | About::PlanByHand => shown(&text()),
        }
    }
    if let Some(left) = left.filter(|left| *left > 0) {
        tell(&format!("the push ended early: {} still pending", counted(left, "intent")));
    }
    match error {
        Some(error) => exit.worse(failed(&error.into())),
        None => exit,
    }
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

/// Chooses the exit code for an intent that is still pending.
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

/// Prints a plan before a person is asked to agree to it.
///
/// # Errors
/// The plan cannot be written, so nobody can agree to it.
pub fn show_plan(context: &Context, planned: &Pushed) -> Result<(), CliError> {
    answer(&render::pushed(context, planned, About::PlanByHand))
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
