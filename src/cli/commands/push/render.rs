//! A push, for people.

use super::ended::About;
use crate::cli::context::Context;
use crate::cli::printer::{counted, legible, table};
use crate::cli::words::{in_words, mutation};
use crate::intent::Status;
use crate::writeback::{Item, Pushed};

/// Renders a push, or its plan.
pub fn pushed(context: &Context, pushed: &Pushed, about: About) -> String {
    let applied = about == About::Applied;
    let Pushed { instance, demarche, outbox, items, .. } = pushed;
    let mut text = format!("{instance}/{demarche} ← {outbox}\n");
    if items.is_empty() {
        let what = if pushed.unserved.is_empty() { "in the outbox" } else { "for this démarche" };
        text.push_str(&format!("Nothing waits {what}.\n"));
        return text;
    }
    let mut rows = table(&["Dossier", "Asked", if applied { "Outcome" } else { "Plan" }, "Id"], context.width);
    for item in items {
        let outcome = if applied { outcome(item) } else { intention(item) };
        rows.add_row([item.dossier.to_string(), item.action.clone(), legible(&outcome), legible(item.id.as_str())]);
    }
    text.push_str(&format!("{rows}\n"));
    let counts = pushed.counts.iter().map(|(status, count)| format!("{count} {}", in_words(*status)));
    text.push_str(&format!("{}: {}\n", counted(items.len() as u64, "intent"), counts.collect::<Vec<_>>().join(", ")));
    let waiting: Vec<String> = pushed.waiting().iter().map(|(why, count)| format!("{count} {}", waits(why))).collect();
    if !waiting.is_empty() {
        text.push_str(&format!("Not sent yet: {}.\n", waiting.join(", ")));
    }
    let sends = items.iter().any(|item| !item.steps.is_empty());
    text.push_str(match about {
        About::Plan if sends => "Nothing was sent. `dn push --apply` sends it.\n",
        About::Plan => "Nothing was sent, and nothing is to be sent as things stand.\n",
        About::PlanByHand if sends => "Nothing was sent yet.\n",
        About::PlanByHand => "Nothing was sent.\n",
        About::Applied if pushed.needs_a_person() => {
            "Look at what is refused, in conflict or ambiguous; `dn trail` tells what was sent and answered.\n"
        }
        About::Applied => "",
    });
    text
}

/// Why intents wait, by the stable word for it.
fn waits(reason: &str) -> &str {
    match reason {
        "earlier" => "behind an earlier intent about the same dossier",
        "later" => "for their time",
        "requires" => "for the intent that they require",
        "lost_answer" => "because an answer was lost",
        "correction_awaited" => "because a correction is awaited",
        "dossier_unreadable" => "because the dossier cannot be read now",
        "out_of_scope" => "because the token does not show the dossier",
        "server_error" => "because the platform failed",
        "not_sent" => "because they could not be sent now",
        other => other,
    }
}

fn outcome(item: &Item) -> String {
    match &item.words {
        Some(words) => format!("{}: {words}", in_words(item.status)),
        None => in_words(item.status).to_owned(),
    }
}

fn intention(item: &Item) -> String {
    match (item.status, item.steps.is_empty()) {
        (Status::Pending, false) => {
            let steps: Vec<String> = item.steps.iter().map(|name| mutation(name)).collect();
            steps.join(", then ")
        }
        (Status::AlreadyDone, _) => "nothing to send: the platform shows it already".to_owned(),
        _ => outcome(item),
    }
}
