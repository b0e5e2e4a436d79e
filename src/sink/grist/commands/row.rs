//! Reads a row of the table of commands: what is ticked, and which run took it. Pure.

use std::collections::BTreeSet;

use grist_client::RowId;
use jiff::Timestamp;
use serde_json::Value;

use super::command::DocumentCommand;
use super::tables::{ANSWER, BY, DEMARCHE, HOLD, KEY};
use crate::ids::Scope;
use crate::sink::grist::known::{self, DocRecord, text};
use crate::sink::grist::lease::{self, Holder, Judgment, LeaseRow};

/// Holds a row of the table of commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRow {
    /// Its id at this moment.
    pub(super) id: RowId,
    /// The démarche, as `instance/number`.
    pub(super) key: String,
    /// The title of the démarche, as the document shows it.
    pub title: String,
    /// The commands that are ticked.
    pub ticked: BTreeSet<DocumentCommand>,
    /// Who ticked them, as the document says; empty where it does not.
    pub by: String,
    /// The answer to the last commands.
    pub answer: String,
    /// True if every box is there: people may delete columns.
    pub is_whole: bool,
    /// The run that took commands of it and has not answered yet, as the cell says it.
    pub(super) held: String,
}

/// Names the run that took commands of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hold {
    token: String,
    host: String,
    process: i64,
    since: Timestamp,
    pub(super) commands: BTreeSet<DocumentCommand>,
}

impl Hold {
    /// Names this run.
    pub(super) fn of(me: &Holder, now: Timestamp, commands: &BTreeSet<DocumentCommand>) -> Self {
        let Holder { token, host, process, since: _ } = me.clone();
        Self { token, host, process, since: now, commands: commands.clone() }
    }

    /// Writes it as a cell.
    pub(super) fn text(&self) -> String {
        let words: Vec<&str> = self.commands.iter().map(|command| command.word()).collect();
        format!("{} {} {} {} {}", self.token, self.process, self.since, words.join(","), self.host)
    }

    /// Reads a cell. Anything that a person wrote there names no run.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(5, ' ');
        let (token, process, since) =
            (parts.next()?.to_owned(), parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let commands = parts.next()?.split(',').filter_map(DocumentCommand::of_word).collect();
        Some(Self { token, process, since, commands, host: parts.next()?.to_owned() })
    }

    /// Returns true if it names this run.
    pub(super) fn is_mine(&self, me: &Holder, now: Timestamp) -> bool {
        self.token == me.token && self.since == now
    }

    /// Returns true if the run that took the row cannot answer any more. `lives` and `ours` as for a lease.
    pub(super) fn is_orphan(
        &self,
        me: &Holder,
        now: Timestamp,
        lives: impl Fn(i64) -> bool,
        ours: impl Fn(&str) -> bool,
    ) -> bool {
        let Self { token, host, process, since, commands: _ } = self.clone();
        let row = LeaseRow { id: 0, token, turn: 0, host, process, since, seen: since, free: false };
        lease::judge(Some(&row), me, now, lives, ours) == Judgment::Free
    }
}

impl CommandRow {
    /// Reads a row. `None` for one without a démarche, which a person added.
    pub(super) fn read(row: &DocRecord) -> Option<Self> {
        let key = text(row, KEY).to_owned();
        let ticked = |command: &DocumentCommand| row.get(command.word()) == Some(&Value::Bool(true));
        (!key.is_empty()).then(|| Self {
            id: known::id(row).unwrap_or_default(),
            key,
            title: text(row, DEMARCHE).to_owned(),
            ticked: DocumentCommand::ALL.into_iter().filter(ticked).collect(),
            by: text(row, BY).to_owned(),
            answer: text(row, ANSWER).to_owned(),
            is_whole: [HOLD, ANSWER]
                .into_iter()
                .chain(DocumentCommand::ALL.map(DocumentCommand::word))
                .all(|id| row.contains_key(id)),
            held: text(row, HOLD).to_owned(),
        })
    }

    /// Returns true if it is the row of this démarche.
    #[must_use]
    pub fn is_of(&self, scope: &Scope) -> bool {
        self.key == scope.to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ids::DemarcheNumber;
    use crate::sink::grist::shared;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("an instant")
    }

    fn holder(token: &str, host: &str, process: i64) -> Holder {
        Holder { token: token.to_owned(), host: host.to_owned(), process, since: at(0) }
    }

    #[test]
    fn a_row_says_what_is_ticked_by_whom_and_of_which_demarche() {
        let row = |cells: Value| CommandRow::read(&shared::row(cells));
        let found = row(json!({ "id": 3, "cle": "dn/12", "verifier": true, "envoyer": false, "relire": 1,
                                "demande_par": "a@example.org", "reponse": "Terminé" }))
        .expect("a row");
        assert_eq!(found.ticked, BTreeSet::from([DocumentCommand::Verify]));
        assert_eq!((found.by.as_str(), found.answer.as_str(), found.held.as_str()), ("a@example.org", "Terminé", ""));
        let scope = |number| Scope { instance: "dn".to_owned(), demarche: DemarcheNumber::new(number) };
        let found = row(json!({ "id": 3, "cle": "dn/12" })).expect("a row");
        assert!(found.is_of(&scope(12)) && !found.is_of(&scope(1)));
        assert_eq!(row(json!({ "id": 4, "synchroniser": true })), None);
    }

    #[test]
    fn a_row_that_a_dead_run_took_needs_work_and_one_that_a_living_one_took_does_not() {
        let commands = BTreeSet::from([DocumentCommand::Sync, DocumentCommand::Push]);
        let hold = Hold::of(&holder("t", "ici là-bas", 7), at(5), &commands);
        assert_eq!(Hold::read(&hold.text()), Some(hold.clone()));
        let me = holder("moi", "ici là-bas", 9);
        let orphan = |hold: &Hold, now, lives| hold.is_orphan(&me, at(now), |_| lives, |_| false);
        assert!(!orphan(&hold, 6, true));
        assert!(orphan(&hold, 6, false), "its process is gone");
        let elsewhere = Hold::of(&holder("t", "ailleurs", 7), at(5), &commands);
        assert!(!orphan(&elsewhere, 6, false));
        assert!(orphan(&elsewhere, 306, false), "nobody can know of another machine, so it is waited for");
        assert_eq!(Hold::read("moi !"), None, "what a person wrote names no run");
    }
}
