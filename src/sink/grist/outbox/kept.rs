//! Writes and reads an intent as a row of `Dn_intentions`, trusted only with its seal. Pure.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::tables;
use crate::fingerprint::Digest;
use crate::ids::{DossierNumber, Scope};
use crate::intent::{Intent, IntentId, Move, Progress, Seen, Status};
use crate::privacy::NOT_KEPT;
use crate::sink::grist::bundles::Upsert;
use crate::sink::grist::fault::GristFault;
use crate::sink::grist::known::{DocRecord, text};
use crate::sink::grist::{commit, value};
use crate::sink::{Entry, Recorded, Settlement};

/// Part of an intent that stands in one cell.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::sink::grist) struct StoredIntent {
    pub id: IntentId,
    pub dossier: DossierNumber,
    /// The intent itself, as JSON: one that this version cannot read is reported, and stops no other.
    pub intent: Value,
    pub asked_at: Timestamp,
    /// The intents of one tick have this name in common.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
    #[serde(default)]
    pub progress: Progress,
    /// The dossier before anything was sent, and after all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Seen>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Seen>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<IntentEnd>,
}

/// End of an intent, beside its status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sink::grist) struct IntentEnd {
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
}

/// A row of `Dn_intentions`.
#[derive(Clone, PartialEq)]
pub(in crate::sink::grist) struct OutboxLine {
    /// Its place among the intents of its démarche, from 1; never given twice.
    pub place: i64,
    pub status: Status,
    pub kept: StoredIntent,
}

/// Without what people wrote.
impl fmt::Debug for OutboxLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboxLine").field("place", &self.place).field("status", &self.status).finish_non_exhaustive()
    }
}

/// The key of an intent: ids are anybody's texts, and a digest is a key whatever they hold.
pub(super) fn key(scope: &Scope, id: &IntentId) -> String {
    Digest::of(format!("{scope}\n{id}").as_bytes()).to_string()
}

/// Digests everything of a row that is trusted.
fn seal(key: &str, place: i64, status: &str, kept: &str) -> String {
    Digest::of(format!("{key}\n{place}\n{status}\n{kept}").as_bytes()).to_string()
}

/// A whole number of an answer, where numbers may come as doubles, and as texts from a column that a person retyped.
pub(super) fn whole(row: &DocRecord, column: &str) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "places are far below the limit")]
    let whole = |value: &Value| match value {
        Value::String(digits) => digits.parse().ok(),
        value => value.as_i64().or_else(|| value.as_f64().map(|real| real as i64)),
    };
    row.get(column).and_then(whole)
}

impl OutboxLine {
    /// An intent that is new.
    pub(in crate::sink::grist) fn new(place: i64, intent: &Intent, at: Timestamp, chain: Option<&str>) -> Self {
        let kept = StoredIntent {
            id: intent.id.clone(),
            dossier: intent.dossier,
            intent: serde_json::to_value(intent).expect("an intent is plain data with text keys"),
            asked_at: at,
            chain: chain.map(str::to_owned),
            progress: Progress::default(),
            before: None,
            after: None,
            ended: None,
        };
        Self { place, status: Status::Pending, kept }
    }

    /// Makes a line of an intent whose row is gone, from the entry.
    pub(super) fn of(entry: &Entry, at: Timestamp) -> Self {
        let intent = entry.intent.as_ref().ok().map(|intent| serde_json::to_value(intent).expect("as above"));
        let kept = StoredIntent {
            id: entry.id.clone(),
            dossier: entry.dossier,
            intent: intent.unwrap_or_default(),
            asked_at: at,
            chain: None,
            progress: entry.progress.clone(),
            before: None,
            after: None,
            ended: None,
        };
        Self { place: entry.seq, status: Status::Pending, kept }
    }

    pub(in crate::sink::grist) fn intent(&self) -> Result<Intent, String> {
        // The reason must not quote what people wrote.
        Intent::deserialize(&self.kept.intent).map_err(|_| "this version does not know such an intent".to_owned())
    }

    pub(super) fn entry(&self) -> Entry {
        Entry {
            seq: self.place,
            id: self.kept.id.clone(),
            dossier: self.kept.dossier,
            intent: self.intent(),
            asked_at: self.kept.asked_at,
            progress: self.kept.progress.clone(),
        }
    }

    pub(super) fn recorded(&self) -> Recorded {
        Recorded { entry: self.entry(), status: self.status, moved: self.moved() }
    }

    /// Returns the change of its dossier.
    pub(super) fn moved(&self) -> Option<Move> {
        let StoredIntent { before, after, .. } = &self.kept;
        before.clone().zip(after.clone()).map(|(before, after)| Move { before, after })
    }

    /// The same after a step.
    pub(super) fn after(mut self, progress: &Progress, settled: Option<&Settlement>, at: Timestamp) -> Self {
        self.kept.progress = progress.clone();
        self.kept.before.clone_from(&progress.before);
        self.kept.after = settled.and_then(|settled| settled.after.clone());
        self.kept.ended = settled.map(|settled| IntentEnd {
            at,
            reason: settled.reason.map(str::to_owned),
            words: settled.words.clone(),
        });
        self.status = settled.map_or(Status::Pending, |settled| settled.status);
        self
    }

    /// The same after an operator's word.
    pub(super) fn resolved(mut self, status: Status, at: Timestamp) -> Self {
        self.kept.progress = Progress::default();
        self.kept.ended = (status != Status::Pending).then_some(IntentEnd { at, reason: None, words: None });
        self.status = status;
        self
    }

    /// The same without what people wrote and without whose name.
    pub(super) fn emptied(mut self) -> Self {
        let intent = self.intent().map(|intent| intent.emptied(NOT_KEPT));
        let intent = intent.map(|intent| serde_json::to_value(intent).expect("as above"));
        // What this version cannot read may hold anything.
        self.kept.intent = intent.unwrap_or_default();
        self.kept.progress = Progress::default();
        if let Some(words) = self.kept.ended.as_mut().and_then(|ended| ended.words.as_mut()) {
            NOT_KEPT.clone_into(words);
        }
        self
    }

    pub(super) fn row(&self, scope: &Scope) -> Upsert {
        let columns = ["instance", "demarche", "numero", "rang", "chaine", "statut", "valeur", "empreinte"];
        let key = key(scope, &self.kept.id);
        let (status, kept) = (self.status.as_str(), value::write(&self.kept));
        let seal = seal(&key, self.place, status, &kept);
        Upsert {
            form: commit::form(super::draft::RANK, tables::INTENTS, &columns),
            key: key.into(),
            values: vec![
                scope.instance.as_str().into(),
                scope.demarche.to_string().into(),
                self.kept.dossier.get().into(),
                self.place.into(),
                self.kept.chain.as_deref().unwrap_or_default().into(),
                status.into(),
                kept.into(),
                seal.into(),
            ],
        }
    }

    /// Reads a row.
    ///
    /// # Errors
    /// [`GristFault::Altered`] for one that somebody edited.
    pub(super) fn read(row: &DocRecord) -> Result<Self, GristFault> {
        let place = whole(row, "rang").unwrap_or_default();
        let (key, status, kept) = (text(row, "cle"), text(row, "statut"), text(row, "valeur"));
        if seal(key, place, status, kept) != text(row, "empreinte") {
            return Err(GristFault::Altered(format!("row {place} of {} was edited", tables::INTENTS)));
        }
        let unreadable = || GristFault::Altered(format!("row {place} of {} cannot be read", tables::INTENTS));
        let status = Status::ALL.into_iter().find(|known| known.as_str() == status).ok_or_else(unreadable)?;
        Ok(Self { place, status, kept: value::read(key, kept).map_err(|_| unreadable())? })
    }
}
