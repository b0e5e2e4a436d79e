//! Reads what the document holds of some dossiers: one question, wherever it lies.

use std::collections::{BTreeMap, BTreeSet};

use grist_client::RowId;
use serde_json::{Value, json};

use super::damaged;
use super::fault::GristFault;
use super::known::{self, Child, DocRecord, Holdings, id, text};
use super::line_kind::LineKind;
use super::read::{Reader, cell, object, quoted};
use super::shared;
use super::target::RowSource;
use crate::ids::{DossierNumber, Scope};

/// The extent of what is asked about dossiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Their fingerprints, and the rows of child tables if there are few: most of the dossiers that a run reads again are
    /// unchanged, and their rows are of no use then.
    Fingerprints,
    /// All of their rows.
    Rows,
}

/// The rows of child tables that come with fingerprints, at most.
const FEW: usize = 40;

/// The bytes of a question about child tables that goes with one about fingerprints, at most: Grist sends every question back
/// with its answer.
const SHORT: usize = 1_500;

impl Reader {
    /// Reads what is held of some dossiers.
    pub(super) async fn holdings(
        &self,
        scope: &Scope,
        places: &[RowSource],
        numbers: &BTreeSet<DossierNumber>,
        waiting: bool,
        extent: Extent,
    ) -> Result<Holdings, GristFault> {
        let mut holdings = Holdings { asked: numbers.clone(), whole: true, ..Holdings::default() };
        if numbers.is_empty() {
            return Ok(holdings);
        }
        let (children, most) = children(places, extent);
        let (sql, args) = question(scope, places, numbers, waiting, children.as_deref(), most);
        let mut asked = self.lines(&sql, &args).await?;
        if let Some(rows) = &mut asked {
            rows.iter_mut().for_each(|line| name_damage(line, places));
        }
        let rows = match asked {
            Some(rows) if !self.damage.note(&rows) => {
                let found = rows.iter().filter(|(kind, _)| *kind == LineKind::Child).count();
                holdings.whole = children.is_some() && most.is_none_or(|most| found < most);
                rows
            }
            _ => self.holdings_by_records(scope, places, numbers, waiting).await?,
        };
        let mut known: BTreeMap<DossierNumber, Option<RowId>> = BTreeMap::new();
        for (kind, row) in &rows {
            let of = || row.get("numero").and_then(known::number);
            let key = || text(row, "cle").to_owned();
            match kind {
                LineKind::Stored => {
                    let (number, book) = known::stored(row)?;
                    // Of a row and its copy the older one is kept up.
                    if known.get(&number).is_none_or(|known| id(row) < *known) {
                        known.insert(number, id(row));
                        holdings.stored.insert(number, book);
                    }
                }
                LineKind::Dossier => {
                    if let (Some(number), Some(id)) = (of(), id(row)) {
                        holdings.rows.entry(number).or_default().push(id);
                        if row.get("coche").is_some_and(|tick| tick.as_bool().unwrap_or(tick.as_i64() == Some(1))) {
                            holdings.ticked.insert(number);
                        }
                    }
                }
                // A part of the rows is no use to whoever removes those that are not wanted any more.
                LineKind::Child if !holdings.whole => {}
                LineKind::Child => {
                    let table = row.get("t").and_then(Value::as_u64).and_then(|table| usize::try_from(table).ok());
                    let table = table.and_then(|table| places.get(table)).map(|place| place.key.clone());
                    let number = key().split_once('/').and_then(|(number, _)| number.parse().ok());
                    if let (Some(table), Some(id), Some(number)) = (table, id(row), number) {
                        let number = DossierNumber::new(number);
                        holdings.children.entry(number).or_default().push(Child { table, id, key: key() });
                    }
                }
                LineKind::Quarantine => {
                    let number = key().rsplit_once('/').and_then(|(_, number)| number.parse().ok());
                    if let (Some(number), Some(id)) = (number.map(DossierNumber::new), id(row)) {
                        holdings.quarantine.entry(number).or_default().push(id);
                    }
                }
                _ => {}
            }
        }
        // Of several rows with one key the oldest is the one that an upsert keeps up.
        holdings.children.values_mut().for_each(|rows| rows.sort_by_key(|child| child.id));
        holdings.rows.values_mut().for_each(|rows| rows.sort_unstable());
        Ok(holdings)
    }

    async fn holdings_by_records(
        &self,
        scope: &Scope,
        places: &[RowSource],
        numbers: &BTreeSet<DossierNumber>,
        waiting: bool,
    ) -> Result<Vec<(LineKind, DocRecord)>, GristFault> {
        let keys: Vec<Value> = numbers.iter().map(|number| known::key(scope, *number).into()).collect();
        let mut rows: Vec<(LineKind, DocRecord)> = Vec::new();
        let mut add = |kind, found: Vec<DocRecord>| rows.extend(found.into_iter().map(|row| (kind, row)));
        add(LineKind::Stored, self.doc.records(shared::DOSSIERS, &[("cle", keys.clone())]).await?);
        if waiting {
            add(LineKind::Quarantine, self.doc.records(shared::QUARANTINE, &[("cle", keys)]).await?);
        }
        let mut parents = Vec::new();
        for (position, place) in places.iter().enumerate() {
            let Some(parent) = &place.parent else {
                let wanted: Vec<Value> = numbers.iter().map(|number| number.get().into()).collect();
                let found = self.doc.records(&place.id, &[(place.column.as_str(), wanted)]).await?;
                parents = found.iter().filter_map(id).map(Value::from).collect();
                let tick = |row: &DocRecord| place.tick.as_ref().and_then(|tick| row.get(tick).cloned());
                let row = |row: DocRecord| {
                    let number = row.get(&place.column);
                    shared::row(json!({ "id": row.get("id"), "numero": number, "coche": tick(&row) }))
                };
                add(LineKind::Dossier, found.into_iter().map(row).collect());
                continue;
            };
            if !parents.is_empty() {
                let found = self.doc.records(&place.id, &[(parent, parents.clone())]).await?;
                let row = |row: DocRecord| {
                    shared::row(json!({ "t": position, "id": row.get("id"), "cle": row.get(&place.column) }))
                };
                add(LineKind::Child, found.into_iter().map(row).collect());
            }
        }
        Ok(rows)
    }
}

/// Unites the rows of the child tables, in SQL; `None` for a document whose child tables are too many to ask for them beside
/// fingerprints. And the number of rows to which the answer is cut.
fn children(places: &[RowSource], extent: Extent) -> (Option<String>, Option<usize>) {
    let own = |(position, place): (usize, &RowSource)| {
        place.parent.as_ref()?;
        let (table, key) = (quoted(&place.id), quoted(&place.column));
        Some(format!("SELECT {position} AS t, id, {key} AS c FROM {table}"))
    };
    let tables: Vec<String> = places.iter().enumerate().filter_map(own).collect();
    let tables = tables.join(" UNION ALL ");
    match extent {
        Extent::Fingerprints if tables.len() > SHORT => (None, None),
        Extent::Fingerprints => (Some(tables), Some(FEW)),
        Extent::Rows => (Some(tables), None),
    }
}

/// Names the table and the column of a cell that SQL does not see as it is.
fn name_damage((kind, row): &mut (LineKind, DocRecord), places: &[RowSource]) {
    let position = row.get("t").and_then(Value::as_u64).and_then(|position| usize::try_from(position).ok());
    if *kind == LineKind::Damaged
        && let Some(place) = position.and_then(|position| places.get(position))
    {
        row.insert("table".to_owned(), place.id.as_str().into());
        row.insert("colonnes".to_owned(), json!({ place.column.as_str(): 1 }));
    }
}

/// One question about some dossiers: all that is held of them, wherever it lies.
fn question(
    scope: &Scope,
    places: &[RowSource],
    numbers: &BTreeSet<DossierNumber>,
    waiting: bool,
    children: Option<&str>,
    most: Option<usize>,
) -> (String, Vec<Value>) {
    let list = |values: Vec<Value>| Value::from(Value::Array(values).to_string());
    let wanted = list(numbers.iter().map(|number| number.get().into()).collect());
    let keys = list(numbers.iter().map(|number| known::key(scope, *number).into()).collect());
    let columns = [
        "id",
        "cle",
        "numero",
        "empreinte",
        "lumiere",
        "modifie",
        "disparu",
        "motif",
        "disparu_le",
        "premiere_vue",
        "changement",
        "suites",
    ];
    let mut sql = format!(
        "SELECT '{}' AS sorte, {} AS valeur FROM Dn_dossiers WHERE cle IN (SELECT value FROM json_each(?))",
        LineKind::Stored,
        object(&columns)
    );
    let mut args = vec![keys.clone()];
    let damaged = LineKind::Damaged;
    for (position, place) in places.iter().enumerate().filter(|(_, place)| place.parent.is_none()) {
        let (table, key) = (quoted(&place.id), quoted(&place.column));
        let predicate = damaged::predicate(&place.column, "Int");
        // What is no truth is a blob, of which SQL makes no JSON.
        let tick = place.tick.as_ref().map_or_else(
            || "NULL".to_owned(),
            |tick| format!("CASE WHEN typeof({0}) = 'integer' THEN {0} END", quoted(tick)),
        );
        sql.push_str(&format!(
            " UNION ALL SELECT CASE WHEN {predicate} THEN '{damaged}' ELSE '{kind}' END, \
             CASE WHEN {predicate} THEN json_object('t', {position}) \
             ELSE json_object('id', id, 'numero', {number}, 'coche', {tick}) END \
             FROM {table} WHERE {key} IN (SELECT value FROM json_each(?)) OR {predicate}",
            kind = LineKind::Dossier,
            number = cell(&place.column),
        ));
        args.push(wanted.clone());
    }
    if let Some(children) = children.filter(|children| !children.is_empty()) {
        let most = most.map_or_else(|| "-1".to_owned(), |most| most.to_string());
        // SQLite reads a text as the number at its head: a key begins with that of its dossier.
        sql.push_str(&format!(
            " UNION ALL SELECT * FROM (SELECT iif(typeof(c) = 'blob', '{damaged}', '{kind}'), \
             iif(typeof(c) = 'blob', json_object('t', t), json_object('t', t, 'id', id, 'cle', c)) FROM ({children}) \
             WHERE typeof(c) = 'blob' OR c + 0 IN (SELECT value FROM json_each(?)) LIMIT {most})",
            kind = LineKind::Child,
        ));
        args.push(wanted);
    }
    if waiting {
        sql.push_str(&format!(
            " UNION ALL SELECT '{}', json_object('id', id, 'cle', cle) FROM Dn_quarantaine \
             WHERE typeof(cle) = 'text' AND cle IN (SELECT value FROM json_each(?))",
            LineKind::Quarantine
        ));
        args.push(keys);
    }
    (sql, args)
}
