//! Compares the rows of the document with what they should be: counts them, or looks at every cell. Reads only.
//!
//! A row that is not ours is reported and left alone: people may add rows to their document. A row that somebody removed, or
//! moved to another dossier, comes back when its dossier is written again.

use std::collections::{BTreeMap, BTreeSet};

use grist_client::RowId;
use serde_json::{Value, json};

use super::encoding::{Kind, visible};
use super::fault::GristFault;
use super::known::{self, DocRecord, id, text};
use super::line_kind::LineKind;
use super::read::{Reader, cell, quoted};
use super::session::DocumentSession;
use super::shape::{GONE_AT, GONE_REASON, RANK, SEEN_AT};
use super::shared;
use super::target::{RowSource, TableTarget, TableTargets, row_sources};
use crate::ids::{DossierNumber, Scope};
use crate::report::{RowDifference, RowFault};
use crate::sink::ExpectedDossier;
use crate::sink::compare::{Differences, compare_rows};
use crate::table::{Cell, Layout};

/// The number of rows of a table that one question counts: Grist ends SQL after a second (Grist trap 38).
const COUNTED: u64 = 50_000;

/// The number of rows of `Dn_dossiers` that are read with one question.
const READ_AT_ONCE: u32 = 10_000;

/// Counts the rows of every dossier.
pub(super) async fn survey(
    session: &mut DocumentSession,
    scope: &Scope,
    limit: u32,
) -> Result<Vec<RowDifference>, GristFault> {
    let memory = session.state.memory(scope)?;
    if memory.tables.is_empty() {
        return Ok(Vec::new());
    }
    let places = row_sources(&memory, &session.state.structure, &session.extensions)?;
    let stored = session.reader.counts(scope, shared::counts_rows(&session.state.structure)).await?;
    let mut found = Differences::default();
    let mut named: BTreeMap<&str, u32> = BTreeMap::new();
    for (position, place) in places.iter().enumerate() {
        let name = memory.tables[position].name.as_str();
        let mut tell = |number, fault, rows| {
            let told = named.entry(name).or_default();
            if rows > 0 && *told < limit {
                *told += 1;
                found.add(number, name, fault, rows);
            }
        };
        let (Some(parent), Some(rank)) = (&place.parent, &place.rank) else {
            for (number, rows) in session.reader.numbers(place).await? {
                match number.filter(|number| stored.get(number).is_some_and(|counts| !counts.purged)) {
                    Some(number) => tell(Some(number), RowFault::Doubled, rows - 1),
                    None => tell(number, RowFault::Unknown, rows),
                }
            }
            continue;
        };
        let counted = session.reader.children(place, [parent, rank], &places[0]).await?;
        for (number, counted) in &counted {
            if !number.is_some_and(|number| stored.get(&number).is_some_and(|counts| !counts.purged)) {
                tell(*number, RowFault::Unknown, counted.rows);
            }
        }
        for (number, counts) in stored.iter().filter(|(_, counts)| !counts.purged) {
            let counted = counted.get(&Some(*number)).copied().unwrap_or_default();
            // Rows of an older version were not counted: a gap among them is all that can be told.
            let kept = counts.rows.as_ref().map(|rows| rows.get(&position).copied().unwrap_or_default());
            let expected = kept.unwrap_or(counted.highest);
            tell(Some(*number), RowFault::Missing, expected.saturating_sub(counted.keys.min(counted.linked)));
            tell(Some(*number), RowFault::Extra, counted.keys.saturating_sub(kept.unwrap_or(counted.keys)));
            tell(Some(*number), RowFault::Doubled, counted.rows - counted.keys);
        }
    }
    Ok(found.into_list())
}

/// Counts that `Dn_dossiers` keeps of a dossier.
struct StoredCounts {
    purged: bool,
    /// The number of rows in each table, by the position of the table; `None` where that was not kept.
    rows: Option<BTreeMap<usize, u64>>,
}

/// The rows of one dossier in a child table.
#[derive(Clone, Copy, Default)]
struct Counted {
    rows: u64,
    /// The number of keys.
    keys: u64,
    /// The number of rows that refer to their dossier.
    linked: u64,
    /// The highest place among them.
    highest: u64,
}

/// Reads the number of rows in each child table, as `Dn_dossiers` keeps it; `None` where it was not kept.
fn counts_of(kept: &str) -> Option<BTreeMap<usize, u64>> {
    let pair = |pair: &str| {
        let (table, rows) = pair.split_once(':')?;
        Some((table.parse().ok()?, rows.parse().ok()?))
    };
    kept.strip_suffix(known::END)?.split_whitespace().map(pair).collect()
}

fn whole(row: &DocRecord, column: &str) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts are far below the limit")]
    let whole =
        |value: &Value| value.as_u64().or_else(|| value.as_f64().filter(|real| *real > 0.0).map(|real| real as u64));
    row.get(column).and_then(whole).unwrap_or_default()
}

impl Reader {
    /// Reads what `Dn_dossiers` says of the rows of each dossier.
    async fn counts(&self, scope: &Scope, kept: bool) -> Result<BTreeMap<DossierNumber, StoredCounts>, GristFault> {
        let mut stored = BTreeMap::new();
        let (instance, demarche) = (json!(scope.instance), json!(scope.demarche.to_string()));
        let lines = if kept { "lignes" } else { "NULL AS lignes" };
        let sql = format!(
            "SELECT id, numero, disparu, {lines} FROM Dn_dossiers WHERE instance = ? AND demarche = ? AND empreinte <> '' \
             AND id > ? ORDER BY id LIMIT ?"
        );
        let mut add = |row: &DocRecord| {
            let Some(number) = row.get("numero").and_then(known::number) else { return };
            let rows = row.get("lignes").and_then(Value::as_str).and_then(counts_of);
            // Of a row and its copy the older one is kept up.
            stored.entry(number).or_insert(StoredCounts { purged: text(row, "disparu") == "retention", rows });
        };
        let mut after = 0;
        loop {
            let args = [instance.clone(), demarche.clone(), json!(after), json!(READ_AT_ONCE)];
            let Some(rows) = self.sql(&sql, &args).await? else { break };
            rows.iter().for_each(&mut add);
            match rows.last().and_then(id) {
                Some(last) if rows.len() == READ_AT_ONCE as usize => after = last,
                _ => return Ok(stored),
            }
        }
        let mut rows =
            self.doc.records(shared::DOSSIERS, &[("instance", vec![instance]), ("demarche", vec![demarche])]).await?;
        rows.retain(|row| !text(row, "empreinte").is_empty());
        rows.sort_by_key(id);
        rows.iter().for_each(add);
        Ok(stored)
    }

    /// Every number that several rows of the table of dossiers have, and those that no dossier may have, with their rows.
    async fn numbers(&self, place: &RowSource) -> Result<BTreeMap<Option<DossierNumber>, u64>, GristFault> {
        let (table, key) = (quoted(&place.id), quoted(&place.column));
        let sql = format!(
            "SELECT '{}' AS sorte, json_object('numero', {}, 'lignes', count(*)) AS valeur FROM {table} GROUP BY {key}",
            LineKind::Number,
            cell(&place.column)
        );
        let mut numbers: BTreeMap<Option<DossierNumber>, u64> = BTreeMap::new();
        let mut add =
            |number: Option<&Value>, rows| *numbers.entry(number.and_then(known::number)).or_default() += rows;
        match self.lines(&sql, &[]).await? {
            Some(rows) => rows.iter().for_each(|(_, row)| add(row.get("numero"), whole(row, "lignes"))),
            None => {
                self.doc.records(&place.id, &[]).await?.iter().for_each(|row| add(row.get(&place.column), 1));
            }
        }
        Ok(numbers)
    }

    /// The rows of a child table, by the dossier that their key names.
    async fn children(
        &self,
        place: &RowSource,
        [parent, rank]: [&str; 2],
        dossiers: &RowSource,
    ) -> Result<BTreeMap<Option<DossierNumber>, Counted>, GristFault> {
        let mut counted: BTreeMap<Option<DossierNumber>, Counted> = BTreeMap::new();
        let (table, key, own) = (quoted(&place.id), quoted(&place.column), quoted(parent));
        let (of, number, place_of) = (quoted(&dossiers.id), quoted(&dossiers.column), quoted(rank));
        let all =
            format!("SELECT '{}' AS sorte, json_object('lignes', count(*)) AS valeur FROM {table}", LineKind::Rows);
        let rows = self.lines(&all, &[]).await?;
        let Some(rows) = rows else {
            return self.children_by_records(place, [parent, rank], dossiers).await;
        };
        let parts = rows.first().map_or(0, |(_, row)| whole(row, "lignes")).div_ceil(COUNTED);
        for part in 0..parts {
            let sql = format!(
                "SELECT '{line}' AS sorte, json_object('numero', numero, 'lignes', count(*), 'cles', count(DISTINCT cle), \
                 'liees', sum(numero = de), 'rang', max(rang)) AS valeur FROM (\
                 SELECT e.{key} AS cle, e.{place_of} AS rang, d.{number} AS de, \
                 CASE WHEN typeof(e.{key}) = 'text' THEN CAST(substr(e.{key}, 1, instr(e.{key}, '/') - 1) AS INTEGER) END \
                 AS numero FROM {table} AS e LEFT JOIN {of} AS d ON d.id = e.{own}) \
                 WHERE coalesce(numero, 0) % ? = ? GROUP BY numero",
                line = LineKind::Number,
            );
            let rows = self.lines(&sql, &[json!(parts), json!(part)]).await?.unwrap_or_default();
            for (_, row) in &rows {
                let of = row.get("numero").and_then(known::number).filter(|number| number.get() > 0);
                let counted = counted.entry(of).or_default();
                counted.rows += whole(row, "lignes");
                counted.keys += whole(row, "cles");
                counted.linked += whole(row, "liees");
                counted.highest = counted.highest.max(whole(row, "rang"));
            }
        }
        Ok(counted)
    }

    async fn children_by_records(
        &self,
        place: &RowSource,
        [parent, rank]: [&str; 2],
        dossiers: &RowSource,
    ) -> Result<BTreeMap<Option<DossierNumber>, Counted>, GristFault> {
        let own = self.doc.records(&dossiers.id, &[]).await?;
        let own: BTreeMap<RowId, DossierNumber> =
            own.iter().filter_map(|row| Some((id(row)?, known::number(row.get(&dossiers.column)?)?))).collect();
        let mut counted: BTreeMap<Option<DossierNumber>, Counted> = BTreeMap::new();
        let mut keys = BTreeSet::new();
        for row in self.doc.records(&place.id, &[]).await? {
            let key = text(&row, &place.column);
            let of = key.split_once('/').and_then(|(number, _)| number.parse().ok()).map(DossierNumber::new);
            let counted = counted.entry(of).or_default();
            counted.rows += 1;
            counted.keys += u64::from(keys.insert(key.to_owned()));
            let linked = row.get(parent).and_then(Value::as_i64).and_then(|parent| own.get(&parent));
            counted.linked += u64::from(linked.is_some() && linked.copied() == of);
            counted.highest = counted.highest.max(whole(&row, rank));
        }
        Ok(counted)
    }
}

/// Compares every cell of some dossiers.
pub(super) async fn compare(
    session: &mut DocumentSession,
    scope: &Scope,
    layout: &Layout,
    expected: &[ExpectedDossier],
) -> Result<Vec<RowDifference>, GristFault> {
    let memory = session.state.memory(scope)?;
    let targets = TableTargets::resolve(&memory, &session.state.structure, layout, &session.extensions)?;
    let places = row_sources(&memory, &session.state.structure, &session.extensions)?;
    let mut found = Differences::default();
    let dossiers = targets.dossiers()?;
    let numbers: Vec<Value> = expected.iter().map(|dossier| dossier.row.number.get().into()).collect();
    let mut rows = session.reader.doc.records(&dossiers.id, &[(dossiers.key.as_str(), numbers)]).await?;
    rows.sort_by_key(id);
    let mut owners: BTreeMap<RowId, DossierNumber> = BTreeMap::new();
    let tail = &dossiers.tomb.columns;
    let tombstone = if dossiers.gone.is_some() { &TOMBSTONE[..] } else { &TOMBSTONE[..3] };
    let stored: Vec<_> = rows
        .iter()
        .filter_map(|row| {
            let number = known::number(row.get(&dossiers.key)?)?;
            owners.insert(id(row)?, number);
            Some(((number, String::new()), held(dossiers, row, tail)))
        })
        .collect();
    let wanted_rows = expected.iter().map(|ExpectedDossier { row, gone, last_changed }| {
        let tombstone = dossiers.tombstone(gone.as_ref(), *last_changed);
        ((row.number, String::new()), wanted(dossiers, &row.cells, &tombstone))
    });
    compare_table(&mut found, layout, 0, dossiers, tombstone, wanted_rows, stored);
    for (position, target) in targets.tables.iter().enumerate().skip(1) {
        let place = places.iter().find(|place| place.key == layout.tables[position].key);
        let Some((parent, rank)) = place.and_then(|place| Some((place.parent.as_deref()?, place.rank.as_ref()?)))
        else {
            continue;
        };
        let ids: Vec<Value> = owners.keys().map(|id| Value::from(*id)).collect();
        let mut rows = session.reader.doc.records(&target.id, &[(parent, ids)]).await?;
        rows.sort_by_key(id);
        let stored = rows.iter().filter_map(|row| {
            let (number, key) = text(row, &target.key).split_once('/')?;
            let number = DossierNumber::new(number.parse().ok()?);
            // A row that was moved is missing where it belongs.
            let owner = row.get(parent).and_then(Value::as_i64).and_then(|parent| owners.get(&parent));
            (owner == Some(&number)).then(|| ((number, key.to_owned()), held(target, row, std::slice::from_ref(rank))))
        });
        let wanted_rows = expected.iter().flat_map(|dossier| {
            let children = dossier.row.children.iter().filter(|child| child.table == position);
            children.map(|child| {
                let rank = Value::from(i64::from(child.position) + 1);
                let key = (dossier.row.number, visible(&child.key).into_owned());
                (key, wanted(target, &child.cells, &[rank]))
            })
        });
        compare_table(&mut found, layout, position, target, &[RANK], wanted_rows, stored);
    }
    Ok(found.into_list())
}

/// The columns that a row of dossiers has after those of the layout.
const TOMBSTONE: [&str; 4] = [GONE_REASON, GONE_AT, SEEN_AT, "dn_gone_reason_libelle"];

type Keyed = ((DossierNumber, String), Vec<Value>);

fn compare_table(
    found: &mut Differences,
    layout: &Layout,
    position: usize,
    target: &TableTarget,
    technical: &[&str],
    wanted: impl IntoIterator<Item = Keyed>,
    stored: impl IntoIterator<Item = Keyed>,
) {
    let table = &layout.tables[position];
    let shown = table.columns.iter().zip(&target.columns).filter(|(_, here)| here.is_some());
    let twins: Vec<String> =
        target.twins.iter().map(|twin| format!("{}_libelle", table.columns[twin.of].name)).collect();
    let shown = shown.map(|(column, _)| column.name.as_str()).chain(twins.iter().map(String::as_str));
    let columns: Vec<&str> = shown.chain(technical.iter().copied()).collect();
    compare_rows(found, &table.name, &columns, wanted, stored);
}

/// The cells of a row as they would be stored now.
fn wanted(target: &TableTarget, cells: &[Cell], technical: &[Value]) -> Vec<Value> {
    let own = target.values(cells).map(|(_, kind, value)| {
        let value = value.unwrap_or_else(|sentence| sentence);
        if *kind == Kind::Bool && value.is_null() { false.into() } else { normal(value) }
    });
    own.chain(technical.iter().cloned().map(normal)).collect()
}

/// The cells of a row as they are stored.
fn held(target: &TableTarget, row: &DocRecord, technical: &[String]) -> Vec<Value> {
    let own = target.columns.iter().flatten().map(|column| &column.id);
    own.chain(target.twins.iter().map(|twin| &twin.id))
        .chain(technical)
        .map(|id| normal(row.get(id).cloned().unwrap_or_default()))
        .collect()
}

/// Makes equal cells equal: Grist gives no list for an empty one, whole doubles as whole numbers, and drops a mark of
/// byte order at the head of a text (Grist trap 39).
fn normal(value: Value) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.into(),
            None => Value::String(text),
        },
        // Whole or not, and no zero below zero.
        Value::Number(number) => number.as_f64().map_or(Value::Number(number), |real| json!(real + 0.0)),
        Value::Array(items) if items.len() < 2 => Value::Null,
        Value::Array(items) => items.into_iter().map(normal).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_come_back_as_they_were_written() {
        for rows in [BTreeMap::new(), BTreeMap::from([(1, 2)]), BTreeMap::from([(1, 2), (14, 300)])] {
            assert_eq!(counts_of(&known::counted(&rows)), Some(rows));
        }
        for foreign in ["", "1:2", "a:1.", "12."] {
            assert_eq!(counts_of(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn cells_that_grist_takes_for_one_are_equal() {
        for (one, other) in [
            (json!(["L"]), Value::Null),
            (json!(12), json!(12.0)),
            (json!("\u{feff}a"), json!("a")),
            (json!(["L", "\u{feff}a"]), json!(["L", "a"])),
        ] {
            assert_eq!(normal(one), normal(other));
        }
        assert_ne!(normal(json!("1")), normal(json!(1)));
    }
}
