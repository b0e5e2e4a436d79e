//! Computes the rows that a batch writes, from what the document holds. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::bundles::{RowShape, Unit, Upsert};
use super::dictionary::Dictionary;
use super::encoding::{seconds, visible};
use super::fault::GristFault;
use super::journal::{self, Notice};
use super::known::{self, Holdings, key, tombstone};
use super::target::{TableTarget, TableTargets};
use super::{shared, value};
use crate::dossier::{Gone, GoneReason};
use crate::fingerprint::Digest;
use crate::ids::{DossierNumber, Scope};
use crate::plan::decide::nothing;
use crate::plan::{FeedKind, Write};
use crate::sink::settle::{Step, settle};
use crate::sink::{Batch, QuarantineChange, QuarantineEntry, Receipt, Totals, names};
use crate::table::{Cell, Layout, Row};

/// Ranks of what comes after the tables of a layout.
const REST: usize = 1_000;
const BOOK: usize = 2_000;
const PEOPLE: usize = 3_000;
const STATE: usize = 4_000;

/// The bytes of a packed document that one cell takes.
const PIECE: usize = 600_000;

/// Everything that a commit writes, and the totals after it.
#[derive(Debug)]
pub(super) struct CommitDraft {
    pub units: Vec<Unit>,
    pub receipt: Receipt,
    pub totals: Totals,
    pub notices: Vec<Notice>,
}

/// Everything that a draft is made from.
pub(super) struct CommitPlan<'a> {
    pub scope: &'a Scope,
    pub layout: &'a Layout,
    pub targets: &'a TableTargets,
    pub holdings: &'a Holdings,
    pub totals: Totals,
    pub dictionary: Option<&'a Dictionary>,
    /// The intents about dossiers that are emptied, as they are then.
    pub intents: &'a BTreeMap<DossierNumber, Vec<Upsert>>,
    /// True if the document says how many rows each dossier has.
    pub counts: bool,
}

/// The forms of rows of the shared tables.
struct Forms {
    book: Arc<RowShape>,
    light: Arc<RowShape>,
    tomb: Arc<RowShape>,
    placeholder: Arc<RowShape>,
    rest: Arc<RowShape>,
}

/// Makes the shape of rows of a shared table, identified by their `cle`.
pub(super) fn form(rank: usize, table: &str, columns: &[&str]) -> Arc<RowShape> {
    let columns = columns.iter().map(|column| (*column).to_owned()).collect();
    Arc::new(RowShape { rank, table: table.to_owned(), key: "cle".to_owned(), columns, adds: true })
}

/// A form that changes rows which are there, and adds none.
fn mark(columns: &[&str]) -> Arc<RowShape> {
    Arc::new(RowShape { adds: false, ..RowShape::clone(&form(BOOK, shared::DOSSIERS, columns)) })
}

impl Forms {
    fn new(counts: bool) -> Self {
        let book = |columns: &[&str]| form(BOOK, shared::DOSSIERS, columns);
        let mut whole = vec![
            "instance",
            "demarche",
            "numero",
            "etat",
            "empreinte",
            "lumiere",
            "modifie",
            "disparu",
            "motif",
            "disparu_le",
            "premiere_vue",
            "changement",
            "suites",
            "document",
        ];
        whole.extend(counts.then_some(shared::COUNTS));
        Self {
            book: book(&whole),
            light: mark(&["lumiere", "modifie"]),
            tomb: mark(&["disparu", "motif", "disparu_le", "changement"]),
            placeholder: book(&["instance", "demarche", "numero", "empreinte"]),
            rest: form(REST, shared::REST, &["valeur"]),
        }
    }
}

impl CommitPlan<'_> {
    /// Everything that the batch changes of dossiers.
    pub(super) fn draft(&self, batch: &Batch) -> Result<CommitDraft, GristFault> {
        let forms = Forms::new(self.counts);
        let mut draft =
            CommitDraft { units: Vec::new(), receipt: Receipt::default(), totals: self.totals, notices: Vec::new() };
        let mut seen = BTreeSet::new();
        for change in &batch.plan.changes {
            let number = change.number();
            if !seen.insert(number) {
                return Err(GristFault::Refused(format!("dossier {number} is twice in one batch")));
            }
            let step = settle(change, self.holdings.held(number), batch.seen_at);
            draft.receipt.events += u64::from(step.event.is_some());
            draft.receipt.counts.count(step.kind);
            self.step(&step, &forms, &mut draft)?;
        }
        Ok(draft)
    }

    fn step(&self, step: &Step<'_>, forms: &Forms, draft: &mut CommitDraft) -> Result<(), GristFault> {
        let number = step.number;
        let cle = || Value::from(key(self.scope, number));
        match &step.write {
            Write::Nothing => {}
            Write::Light(row) => {
                let values = vec![row.light.to_string().into(), row.updated_at.to_string().into()];
                let row = Upsert { form: Arc::clone(&forms.light), key: cle(), values };
                draft.units.push(Unit { rows: vec![row], ..Unit::default() });
            }
            Write::Purge { light } => {
                let mut unit = self.purge(number, step.changed_at, *light, forms);
                unit.rows.extend(self.intents.get(&number).into_iter().flatten().cloned());
                draft.units.push(unit);
                draft.receipt.rows_written += 1;
                self.count(number, true, draft);
            }
            Write::Tomb(gone) => {
                let [kind, word, at] = tombstone(Some(gone));
                let values = vec![kind, word, at, step.changed_at.to_string().into()];
                let book = Upsert { form: Arc::clone(&forms.tomb), key: cle(), values };
                let target = self.targets.dossiers()?;
                let values = target.tombstone(Some(gone), step.changed_at);
                let shown = Upsert { form: Arc::clone(&target.tomb), key: number.get().into(), values };
                let rows = [shown, book].into_iter().chain(self.untick(target, number)).collect();
                draft.units.push(Unit { rows, ..Unit::default() });
                draft.receipt.rows_written += 1;
                self.count(number, true, draft);
            }
            Write::Row { row, gone, fresh: _ } => {
                let mut unit = self.unit(row, gone.as_ref(), step.changed_at, forms, draft)?;
                let another = step.event.is_some_and(|event| event.kind != FeedKind::Rewrite);
                if another && self.holdings.rows.contains_key(&number) {
                    unit.rows.extend(self.untick(self.targets.dossiers()?, number));
                }
                if step.empties() {
                    let session = self.targets.dossiers()?.written.as_ref();
                    unit.rows.extend(session.map(|form| Upsert {
                        form: Arc::clone(form),
                        key: number.get().into(),
                        values: vec![Value::Null; form.columns.len()],
                    }));
                    unit.rows.extend(self.intents.get(&number).into_iter().flatten().cloned());
                }
                draft.receipt.rows_written += 1 + row.children.len() as u64;
                draft.units.push(unit);
                self.count(number, gone.is_some(), draft);
            }
        }
        Ok(())
    }

    /// A tick was given for the version that stood there: with another one it goes, also where it was not seen to be
    /// ticked, as somebody may have done it since.
    fn untick(&self, target: &TableTarget, number: DossierNumber) -> Option<Upsert> {
        let tick = target.tick.as_ref()?;
        let ticked = self.holdings.ticked.contains(&number);
        let form = Arc::clone(if ticked { &tick.explained } else { &tick.alone });
        let mut values = vec![Value::from(false), tick.reason.into()];
        values.truncate(form.columns.len());
        Some(Upsert { form, key: number.get().into(), values })
    }

    fn unit(
        &self,
        row: &Row,
        gone: Option<&Gone>,
        changed_at: jiff::Timestamp,
        forms: &Forms,
        draft: &mut CommitDraft,
    ) -> Result<Unit, GristFault> {
        let number = row.number;
        let mut unit = Unit::default();
        let target = self.targets.dossiers()?;
        let mut values = self.cells(target, 0, &row.cells, number, draft)?;
        values.extend(target.tombstone(gone, changed_at));
        unit.rows.push(Upsert { form: Arc::clone(&target.whole), key: number.get().into(), values });
        if let Some(blank) = target.blank.as_ref().filter(|_| !self.holdings.rows.contains_key(&number)) {
            let values = vec![Value::Null; blank.columns.len()];
            unit.rows.push(Upsert { form: Arc::clone(blank), key: number.get().into(), values });
        }
        let mut keys: BTreeSet<(usize, String)> = BTreeSet::new();
        for child in &row.children {
            let target = self.targets.tables.get(child.table).filter(|_| child.table > 0);
            let nowhere = || GristFault::Refused("a row is for a table that the layout does not have".to_owned());
            let target = target.ok_or_else(nowhere)?;
            let key = format!("{number}/{}", visible(&child.key));
            // Grist refuses a whole request in which a key is twice (Grist trap 19).
            if !keys.insert((child.table, key.clone())) {
                return Err(GristFault::Refused(format!(
                    "two rows of {} have one key",
                    self.layout.tables[child.table].name
                )));
            }
            let mut values = vec![
                json!(["l", number.get(), { "column": self.targets.dossiers()?.key }]),
                (i64::from(child.position) + 1).into(),
            ];
            values.extend(self.cells(target, child.table, &child.cells, number, draft)?);
            unit.rows.push(Upsert { form: Arc::clone(&target.whole), key: key.into(), values });
        }
        // Rows that are asked no more, and copies that somebody made of a row of ours.
        for child in self.holdings.children.get(&number).into_iter().flatten() {
            if let Some(position) = self.layout.position(&child.table)
                && let Some(target) = self.targets.tables.get(position)
                && !keys.remove(&(position, child.key.clone()))
            {
                unit.removals.entry(target.id.clone()).or_default().push(child.id);
            }
        }
        if let Some(copies) = self.holdings.rows.get(&number).map(Vec::len).filter(|rows| *rows > 1) {
            draft.notices.push(Notice::new(
                format!("dossier {number} has {copies} rows in {}: the first is kept up", target.id),
                format!(
                    "Le dossier {number} est sur {copies} lignes : seule la première est tenue à jour. \
                         Supprimez les autres."
                ),
            ));
        }
        self.document(row, gone, changed_at, forms, &mut unit);
        Ok(unit)
    }

    /// Every row of a dossier goes, and what is kept of its document.
    fn purge(&self, number: DossierNumber, at: jiff::Timestamp, light: Digest, forms: &Forms) -> Unit {
        let mut unit = Unit::default();
        for child in self.holdings.children.get(&number).into_iter().flatten() {
            if let Some(target) = self.layout.position(&child.table).and_then(|table| self.targets.tables.get(table)) {
                unit.removals.entry(target.id.clone()).or_default().push(child.id);
            }
        }
        if let (Some(rows), Some(target)) = (self.holdings.rows.get(&number), self.targets.tables.first()) {
            unit.removals.entry(target.id.clone()).or_default().extend(rows);
        }
        let cle = key(self.scope, number);
        for left in 1..=self.holdings.stored.get(&number).map_or(0, |book| book.rest) {
            let key = format!("{cle}/{left}").into();
            unit.rows.push(Upsert { form: Arc::clone(&forms.rest), key, values: vec![Value::Null] });
        }
        let gone = Gone { reason: GoneReason::Retention, at: Some(at) };
        let [kind, word, gone_at] = tombstone(Some(&gone));
        let at = Value::from(at.to_string());
        let mut values = vec![
            self.scope.instance.as_str().into(),
            self.scope.demarche.to_string().into(),
            number.get().into(),
            Value::Null,
            nothing().to_string().into(),
            light.to_string().into(),
            at.clone(),
            kind,
            word,
            gone_at,
            at.clone(),
            at,
            0.into(),
            Value::Null,
        ];
        values.extend(self.counts.then_some(Value::Null));
        unit.rows.push(Upsert { form: Arc::clone(&forms.book), key: cle.into(), values });
        unit
    }

    /// The row of `Dn_dossiers`, and what of the document has no place in it.
    fn document(&self, row: &Row, gone: Option<&Gone>, changed_at: jiff::Timestamp, forms: &Forms, unit: &mut Unit) {
        let number = row.number;
        let cle = key(self.scope, number);
        let packed =
            self.dictionary.map_or_else(|| value::pack(&row.document), |dictionary| dictionary.pack(&row.document));
        let mut pieces = pieces(&packed).into_iter();
        let first = pieces.next().unwrap_or_default();
        let held = self.holdings.stored.get(&number);
        let mut rest = 0_u32;
        for piece in pieces {
            rest += 1;
            let key = format!("{cle}/{rest}").into();
            unit.rows.push(Upsert { form: Arc::clone(&forms.rest), key, values: vec![piece.into()] });
        }
        // What a longer document left behind is emptied, not kept.
        for left in rest + 1..=held.map_or(0, |book| book.rest) {
            let key = format!("{cle}/{left}").into();
            unit.rows.push(Upsert { form: Arc::clone(&forms.rest), key, values: vec![Value::Null] });
        }
        let first_seen = held.and_then(|book| book.first_seen).unwrap_or(changed_at);
        let [kind, word, at] = tombstone(gone);
        let scope = [Value::from(self.scope.instance.as_str()), self.scope.demarche.to_string().into()];
        let [instance, demarche] = scope.clone();
        let mut values = vec![
            instance,
            demarche,
            number.get().into(),
            row.state.as_str().into(),
            row.fingerprint.to_string().into(),
            row.light.to_string().into(),
            row.updated_at.to_string().into(),
            kind,
            word,
            at,
            first_seen.to_string().into(),
            changed_at.to_string().into(),
            rest.into(),
            first.into(),
        ];
        values.extend(self.counts.then(|| self.count_rows(row)));
        unit.rows.push(Upsert { form: Arc::clone(&forms.book), key: cle.clone().into(), values });
        if held.is_none() {
            let [instance, demarche] = scope;
            let values = vec![instance, demarche, number.get().into(), "".into()];
            unit.placeholder = Some(Upsert { form: Arc::clone(&forms.placeholder), key: cle.into(), values });
        }
    }

    /// Counts the rows of a dossier in each child table, as `Dn_dossiers` keeps it.
    fn count_rows(&self, row: &Row) -> Value {
        let mut rows: BTreeMap<usize, u64> = BTreeMap::new();
        for child in &row.children {
            if let Some(target) = self.targets.tables.get(child.table) {
                *rows.entry(target.position).or_default() += 1;
            }
        }
        known::counted(&rows).into()
    }

    fn cells(
        &self,
        target: &TableTarget,
        table: usize,
        cells: &[Cell],
        number: DossierNumber,
        draft: &mut CommitDraft,
    ) -> Result<Vec<Value>, GristFault> {
        if cells.len() != target.columns.len() {
            let name = self.layout.tables.get(table).map_or("a table", |table| table.name.as_str());
            return Err(GristFault::Refused(names::wrong_length(name, target.columns.len(), cells.len())));
        }
        let mut values = Vec::with_capacity(cells.len() + 3);
        for (id, _, value) in target.values(cells) {
            values.push(value.unwrap_or_else(|sentence| {
                draft.notices.push(Notice::new(
                    format!(
                        "dossier {number}: a value of {}.{id} is too long for Grist, which shows a sentence",
                        target.id
                    ),
                    format!("Dossier {number} : une valeur est trop longue pour Grist. Elle se lit sur la plateforme."),
                ));
                sentence
            }));
        }
        Ok(values)
    }

    fn count(&self, number: DossierNumber, gone: bool, draft: &mut CommitDraft) {
        let held = self.holdings.stored.get(&number).and_then(|book| book.held.as_ref());
        match held.map(|held| held.known.gone.is_some()) {
            Some(true) => draft.totals.gone = draft.totals.gone.saturating_sub(1),
            Some(false) => draft.totals.alive = draft.totals.alive.saturating_sub(1),
            None => {}
        }
        if gone { draft.totals.gone += 1 } else { draft.totals.alive += 1 }
    }
}

/// A text in pieces that cells hold. It is ASCII, so any place is a border.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while rest.len() > PIECE {
        let end = (0..=PIECE).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(PIECE);
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

/// The rows of the state that change, as the keys and values that they will have.
pub(super) fn state(changes: &[(String, String)]) -> Vec<Upsert> {
    let form = form(STATE, shared::STATE, &["valeur", "empreinte"]);
    let row = |(key, kept): &(String, String)| Upsert {
        form: Arc::clone(&form),
        key: key.as_str().into(),
        values: vec![kept.as_str().into(), value::seal(key, kept).to_string().into()],
    };
    changes.iter().map(row).collect()
}

/// The quarantine after a batch.
pub(super) fn quarantine(
    mut held: BTreeMap<DossierNumber, QuarantineEntry>,
    changes: &[QuarantineChange],
) -> BTreeMap<DossierNumber, QuarantineEntry> {
    for change in changes {
        match change {
            QuarantineChange::Put(entry) => held.insert(entry.number, entry.clone()),
            QuarantineChange::Release(number) => held.remove(number),
        };
    }
    held
}

/// The same in the table that people read.
pub(super) fn quarantine_shown(scope: &Scope, changes: &[QuarantineChange], holdings: &Holdings) -> Unit {
    let columns = ["demarche", "dossier", "motif", "message", "depuis", "essais", "prochain_essai"];
    let form = form(PEOPLE, shared::QUARANTINE, &columns);
    let mut unit = Unit::default();
    for change in changes {
        match change {
            QuarantineChange::Put(entry) => {
                let (motive, sentence) = journal::quarantined(&entry.reason);
                unit.rows.push(Upsert {
                    form: Arc::clone(&form),
                    key: key(scope, entry.number).into(),
                    values: vec![
                        scope.demarche.to_string().into(),
                        entry.number.get().into(),
                        motive.into(),
                        sentence.into(),
                        seconds(entry.since),
                        entry.attempts.into(),
                        seconds(entry.next_try),
                    ],
                })
            }
            QuarantineChange::Release(number) => {
                let rows = holdings.quarantine.get(number).into_iter().flatten();
                unit.removals.entry(shared::QUARANTINE.to_owned()).or_default().extend(rows);
            }
        }
    }
    unit
}
