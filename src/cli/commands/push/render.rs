//! A push, for people.

use crate::cli::context::Context;
use crate::cli::printer::{counted, legible, table};
use crate::cli::words::{in_words, mutation};
use crate::intent::Status;
use crate::writeback::{Item, Pushed};

/// What was done, or what would be.
pub fn pushed(context: &Context, pushed: &Pushed, applied: bool) -> String {
    let Pushed { instance, demarche, outbox, items, .. } = pushed;
    let mut text = format!("{instance}/{demarche} ← {outbox}\n");
    if items.is_empty() {
        text.push_str("Nothing waits in the outbox.\n");
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
    if !applied {
        text.push_str("Nothing was sent. `dn push --apply` sends it.\n");
    } else if pushed.needs_a_person() {
        text.push_str(
            "Look at what is refused, in conflict or ambiguous; `dn trail` tells what was sent and answered.\n",
        );
    }
    text
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
