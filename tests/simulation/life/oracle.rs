//! Oracle: the expected contents of the target, computed from the platform's records without the engine.

use std::collections::{BTreeMap, BTreeSet};

use demarche_numerique::champ::{Champ, ChampValue};
use demarche_numerique::plan::FeedKind;
use demarche_numerique::privacy::{DossierPart, Policy, Preset};
use demarche_numerique::sandbox::world::{DossierTruth, Snapshot};
use demarche_numerique::sink::memory::{Content, StoredDossier};
use demarche_numerique::table::{Cell, ColumnKey, Part};
use demarche_numerique::{Dossier, DossierNumber, Platform};

/// Expectation of the target, and its strictness.
pub struct Truth<'a> {
    /// Whose manners.
    pub platform: Platform,
    /// The dossiers that the platform shows.
    pub snapshot: &'a Snapshot,
    /// Under which policy it is kept.
    pub policy: &'a Policy,
    /// After how complete a reading.
    pub after: After<'a>,
}

/// After how complete a reading.
pub enum After<'a> {
    /// An ordinary run: what has a date must be there, and what the lists of deletions name must be gone.
    Run {
        /// Dossiers that changed without a date.
        silent: &'a dyn Fn(u32) -> bool,
        /// True if the lists of deletions were read to their end, and applied.
        lists: bool,
    },
    /// A complete one: everything.
    Everything,
}

impl Truth<'_> {
    /// Compares.
    ///
    /// # Errors
    /// The first difference.
    pub fn compare(&self, content: &Content) -> Result<(), String> {
        let complete = matches!(self.after, After::Everything);
        for (number, truth) in &self.snapshot.dossiers {
            let key = DossierNumber::new(*number);
            if !complete && content.quarantine.contains_key(&key) {
                continue;
            }
            let stored = content.dossiers.get(&key).ok_or_else(|| format!("dossier {number} is missing"))?;
            self.one(truth, stored).map_err(|what| format!("dossier {number}: {what}"))?;
            cells(content, stored, complete).map_err(|what| format!("dossier {number}: {what}"))?;
        }
        let gone = |number: &u32| content.dossiers.get(&DossierNumber::new(*number)).is_none_or(|d| d.gone.is_some());
        if complete || matches!(self.after, After::Run { lists: true, .. }) {
            let named = self.snapshot.pending.values().filter(|tombstone| tombstone.reason.is_some());
            let mut listed = named.map(|tombstone| tombstone.number).chain(self.snapshot.deleted.keys().copied());
            if let Some(number) = listed.find(|number| !gone(number)) {
                return Err(format!("dossier {number} is in a list of deletions and has no tombstone"));
            }
        }
        if complete {
            let mut alive = content.dossiers.iter().filter(|(_, stored)| stored.gone.is_none());
            if let Some((number, _)) = alive.find(|(number, _)| !self.snapshot.dossiers.contains_key(&number.get())) {
                return Err(format!("dossier {number} is shown, and the platform does not show it"));
            }
            if let Some(number) = content.quarantine.keys().next() {
                return Err(format!("dossier {number} is in quarantine, and nothing is wrong with it"));
            }
        }
        Ok(())
    }

    fn one(&self, truth: &DossierTruth, stored: &StoredDossier) -> Result<(), String> {
        if stored.gone.is_some() {
            return Err("it has a tombstone, and the platform shows it".to_owned());
        }
        let dossier: Dossier = serde_json::from_str(&stored.document).map_err(|error| error.to_string())?;
        let kept = |part| self.policy.of_part(part).keeps();
        let differs = |what: &str, ours: &dyn std::fmt::Debug, theirs: &dyn std::fmt::Debug| {
            Err(format!("{what} is {ours:?}, and {theirs:?} on the platform"))
        };
        let (ours, theirs) = (dossier.date_derniere_modification.as_second(), truth.updated_at.as_second());
        if ours != theirs {
            return differs("the date", &ours, &theirs);
        }
        if dossier.state.as_str() != truth.state.as_str() {
            return differs("the state", &dossier.state, &truth.state);
        }
        if matches!(self.after, After::Run { silent, .. } if silent(truth.number)) {
            return Ok(());
        }
        if dossier.archived != truth.archived {
            return differs("the archived mark", &dossier.archived, &truth.archived);
        }
        if dossier.groupe_instructeur.number.get() != truth.groupe {
            return differs("the groupe", &dossier.groupe_instructeur.number, &truth.groupe);
        }
        if kept(DossierPart::Motivation) && dossier.motivation != truth.motivation {
            return differs("the motivation", &dossier.motivation, &truth.motivation);
        }
        if kept(DossierPart::Messages) && dossier.messages.len() != truth.messages {
            return differs("the number of messages", &dossier.messages.len(), &truth.messages);
        }
        if kept(DossierPart::Usager) && dossier.usager.email != truth.usager {
            return differs("the usager", &dossier.usager.email, &truth.usager);
        }
        let labels: BTreeSet<&str> = dossier.labels.iter().map(|label| label.name.as_str()).collect();
        if self.platform == Platform::DemarcheNumerique
            && !labels.iter().eq(truth.labels.iter().map(String::as_str).collect::<BTreeSet<_>>().iter())
        {
            return differs("the labels", &labels, &truth.labels);
        }
        if self.policy.preset != Preset::Strict {
            answers(&dossier.champs, &truth.champs)?;
            answers(&dossier.annotations, &truth.annotations)?;
        }
        Ok(())
    }
}

/// Compares the answers that are texts or numbers, and which questions are answered at all.
fn answers(ours: &[Champ], theirs: &BTreeMap<u64, Option<String>>) -> Result<(), String> {
    let ours: BTreeMap<u64, &Champ> =
        ours.iter().filter_map(|champ| Some((champ.descriptor.stable_id()?, champ))).collect();
    for (id, champ) in &ours {
        let Some(text) = theirs.get(id) else {
            return Err(format!("question {id} is answered, and the platform does not ask it"));
        };
        let same = match &champ.value {
            ChampValue::Text(ours) => text.as_ref() == Some(ours),
            ChampValue::Integer(ours) => text.as_ref() == Some(&ours.to_string()),
            _ => true,
        };
        if !same {
            return Err(format!("the answer to question {id} is not the platform's"));
        }
    }
    match theirs.iter().find(|(id, text)| text.as_ref().is_some_and(|text| !text.is_empty()) && !ours.contains_key(id))
    {
        Some((id, _)) => Err(format!("the answer to question {id} is missing")),
        None => Ok(()),
    }
}

/// Checks the columns: every answer that is a text is in the column of its question. A question that the platform does
/// not tell of yet has none.
fn cells(content: &Content, stored: &StoredDossier, complete: bool) -> Result<(), String> {
    let dossier: Dossier = serde_json::from_str(&stored.document).map_err(|error| error.to_string())?;
    let columns: Vec<_> =
        content.tables.iter().filter(|table| !table.key.is_child()).flat_map(|table| &table.columns).collect();
    for champ in dossier.champs.iter().chain(&dossier.annotations) {
        let ChampValue::Text(text) = &champ.value else { continue };
        // Of an answer that could not be read, a text may be left that its column does not hold.
        if text.trim().is_empty() || !champ.unread.is_empty() {
            continue;
        }
        let id = champ.descriptor.as_str();
        let key = ColumnKey::Champ(champ.descriptor.clone(), Part::Value);
        let Some(column) = columns.iter().find(|column| column.key == key) else {
            if complete {
                return Err(format!("question {id} is answered, and has no column"));
            }
            continue;
        };
        if stored.cells.get(&column.name).and_then(Cell::to_text).is_none() {
            return Err(format!("the answer to question {id} is not in column {}", column.name));
        }
    }
    Ok(())
}

/// The change feed tells a story that can have happened: each dossier comes once, every line follows the one before.
///
/// # Errors
/// The first line that does not.
pub fn feed(content: &Content) -> Result<(), String> {
    let mut last = BTreeMap::new();
    for (rank, line) in content.feed.iter().enumerate() {
        let before = last.get(&line.number).copied();
        let (there, print) = before.unwrap_or((false, None));
        let follows = match line.kind {
            FeedKind::Insert => before.is_none() && line.before.is_none(),
            FeedKind::Update => there && line.before == print && line.after != line.before,
            FeedKind::Rewrite => before.is_some() && line.before == print && line.after != line.before,
            FeedKind::Delete => there && line.before == print,
            FeedKind::Restore => before.is_some() && !there && line.before == print,
            // Nobody has asked for it in these lives.
            FeedKind::Anonymise | FeedKind::Purge => false,
        };
        if !follows {
            return Err(format!(
                "line {rank} of the feed, {} of dossier {}, follows nothing",
                line.kind.as_str(),
                line.number
            ));
        }
        let there = match line.kind {
            FeedKind::Delete | FeedKind::Purge => false,
            FeedKind::Anonymise | FeedKind::Rewrite => there,
            FeedKind::Insert | FeedKind::Update | FeedKind::Restore => true,
        };
        last.insert(line.number, (there, line.after.or(print)));
    }
    Ok(())
}
