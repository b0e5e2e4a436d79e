//! Reads a document: by SQL, one request a question; record by record where access rules of the
//! document close SQL to the key, with more requests and the same answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use grist_client::{Column, Doc, GristError, Hidden, RowId, Table, decode_hex};
use serde_json::{Value, json};

use super::damaged::{self, Damage};
use super::fault::GristFault;
use super::known::{self, DocRecord, id, text};
use super::lease::{self, LeaseRow};
use super::line_kind::LineKind;
use super::pages::{self, Views};
use super::position::{self, HistoryPosition};
use super::state::{State, StoredValue};
use super::{shared, value};
use crate::ids::{DemarcheNumber, Scope};
use crate::sink::Totals;

/// Asks a document.
#[derive(Debug)]
pub(super) struct Reader {
    pub doc: Doc,
    /// SQL is not open to this key.
    closed: AtomicBool,
    /// Cells that SQL does not see as they are. While there are any, everything is asked record by record.
    pub damage: Damage,
    /// True if it is asked at which point of its history the document is.
    positions: AtomicBool,
}

/// Asks for the tables and columns of a document.
fn structure_question() -> String {
    format!(
        "SELECT '{table}' AS sorte, json_object('id', id, 'tableId', tableId) AS valeur \
         FROM _grist_Tables WHERE summarySourceTable = 0 AND tableId <> '' \
         UNION ALL SELECT '{column}', json_object('id', id, 'parent', parentId, 'colId', colId, 'type', type, \
         'label', label, 'isFormula', isFormula, 'formula', formula, 'widgetOptions', widgetOptions, \
         'description', description, 'untied', untieColIdFromLabel) FROM _grist_Tables_column WHERE colId <> 'manualSort'",
        table = LineKind::Table,
        column = LineKind::Column,
    )
}

/// Tests in SQL if a row of `Dn_dossiers` is one of ours, and no copy that somebody edited.
const OURS: &str = "(cle = instance || '/' || demarche || '/' || numero)";

/// Counts the dossiers of each démarche, copies of rows left out.
fn count_without_copies() -> String {
    format!(
        "SELECT '{count}' AS sorte, json_object('instance', instance, 'demarche', demarche, \
         'lignes', count(*), 'entiers', sum(entier), 'partis', sum(parti)) AS valeur FROM (\
         SELECT instance, demarche, min(id), empreinte <> '' AS entier, disparu <> '' AS parti FROM Dn_dossiers \
         WHERE cle = instance || '/' || demarche || '/' || numero GROUP BY cle) GROUP BY instance, demarche",
        count = LineKind::Count,
    )
}

/// Asks for what the document remembers, and counts its dossiers.
fn state_question() -> String {
    let damage: String =
        shared::READ.iter().map(|table| format!(" UNION ALL {}", damaged::of_shared(shared::of(table)))).collect();
    format!(
        "{structure} UNION ALL SELECT '{state}', {kept} FROM Dn_etat UNION ALL {count}{damage} UNION ALL {lease}",
        structure = structure_question(),
        state = LineKind::State,
        kept = object(&["id", "cle", "valeur", "empreinte"]),
        count = count_question(),
        lease = lease_question(),
    )
}

/// Counts the dossiers of each démarche, and the copies of rows among them.
fn count_question() -> String {
    format!(
        "SELECT '{count}' AS sorte, json_object('instance', {instance}, 'demarche', {demarche}, 'lignes', count(*), \
         'entiers', sum({OURS} AND empreinte <> ''), 'partis', sum({OURS} AND disparu <> ''), \
         'copies', sum({OURS}) - count(DISTINCT CASE WHEN {OURS} THEN numero END)) AS valeur \
         FROM Dn_dossiers GROUP BY instance, demarche",
        count = LineKind::Count,
        instance = cell("instance"),
        demarche = cell("demarche"),
    )
}

fn lease_question() -> String {
    let columns = ["id", "jeton", "tour", "hote", "processus", "depuis", "vu", "libre"];
    format!("SELECT '{}' AS sorte, {} AS valeur FROM Dn_baux", LineKind::Lease, object(&columns))
}

/// Asks where tables are shown, and how.
fn views_question() -> String {
    let properties: Vec<String> = pages::PROPERTIES.iter().map(|name| format!("'{name}', {name}")).collect();
    format!(
        "SELECT '{view}' AS sorte, json_object('id', id, 'tableId', tableId, 'primaryViewId', primaryViewId, \
         'summarySourceTable', summarySourceTable) AS valeur FROM _grist_Tables \
         UNION ALL SELECT '{section}', json_object('id', id, 'parentId', parentId, 'tableRef', tableRef, {properties}) \
         FROM _grist_Views_section WHERE parentId <> 0 \
         UNION ALL SELECT '{page}', json_object('id', id, 'viewRef', viewRef, 'indentation', indentation, \
         'pagePos', pagePos) FROM _grist_Pages \
         UNION ALL SELECT '{page_view}', json_object('id', id, 'name', name, 'layoutSpec', layoutSpec) FROM _grist_Views \
         UNION ALL SELECT '{field}', json_object('id', id, 'parentId', parentId, 'parentPos', parentPos, \
         'colRef', colRef, 'width', width) FROM _grist_Views_section_field \
         WHERE parentId IN (SELECT id FROM _grist_Views_section WHERE parentId <> 0) \
         UNION ALL SELECT '{column}', json_object('id', id, 'parentId', parentId, 'colId', colId, \
         'summarySourceCol', summarySourceCol) FROM _grist_Tables_column \
         WHERE parentId IN (SELECT id FROM _grist_Tables WHERE summarySourceTable <> 0)",
        view = LineKind::View,
        section = LineKind::Section,
        page = LineKind::Page,
        page_view = LineKind::PageView,
        field = LineKind::Field,
        column = LineKind::SummaryColumn,
        properties = properties.join(", "),
    )
}

/// A name as SQL text.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The prefix of the bytes of a blob in an answer of JSON; no text of ours begins with it.
const BLOB: char = '\u{1}';

/// A cell for `json_object`, which takes no blob: the value of a marshalled one is decoded from its bytes.
pub(super) fn cell(column: &str) -> String {
    let column = quoted(column);
    format!("CASE WHEN typeof({column}) = 'blob' THEN char(1) || hex({column}) ELSE {column} END")
}

/// Some columns of a row, under their own names.
pub(super) fn object(columns: &[&str]) -> String {
    let members: Vec<String> = columns.iter().map(|column| format!("'{column}', {}", cell(column))).collect();
    format!("json_object({})", members.join(", "))
}

/// The value behind what [`cell`] made of a blob.
fn decoded(value: &mut Value) {
    let bytes = value.as_str().and_then(|text| text.strip_prefix(BLOB));
    if let Some(decoded) = bytes.and_then(decode_hex) {
        *value = decoded;
    }
}

impl Reader {
    pub(super) fn new(doc: Doc) -> Self {
        Self { doc, closed: AtomicBool::new(false), damage: Damage::default(), positions: AtomicBool::new(false) }
    }

    /// Asks also at which point of its history the document is, where SQL shows that.
    pub(super) fn with_positions(mut self) -> Self {
        self.positions = AtomicBool::new(true);
        self
    }

    /// Returns true if it is asked at which point of its history the document is.
    pub(super) fn knows_positions(&self) -> bool {
        self.positions.load(Ordering::Relaxed) && !self.closed.load(Ordering::Relaxed)
    }

    /// A question, and at which point of its history the document is.
    fn at_its_point(&self, question: String) -> String {
        if self.knows_positions() { format!("{question} UNION ALL {}", position::question()) } else { question }
    }

    /// Returns true if Grist does not show its history, which is not asked for again then.
    fn is_without_history(&self, error: &GristError) -> bool {
        let refused = self.knows_positions() && error.to_string().contains("_gristsys_");
        if refused {
            self.positions.store(false, Ordering::Relaxed);
        }
        refused
    }

    /// The rows of an answer with their kind; `None` where SQL is closed to this key.
    pub(super) async fn lines(
        &self,
        sql: &str,
        args: &[Value],
    ) -> Result<Option<Vec<(LineKind, DocRecord)>>, GristError> {
        let Some(rows) = self.sql(sql, args).await? else { return Ok(None) };
        let parse = |row: DocRecord| {
            let mut value: DocRecord = serde_json::from_str(text(&row, "valeur")).ok()?;
            value.values_mut().for_each(decoded);
            Some((LineKind::of(text(&row, "sorte"))?, value))
        };
        Ok(Some(rows.into_iter().filter_map(parse).collect()))
    }

    /// The rows of an answer; `None` where SQL is closed to this key, or does not see cells as they are.
    pub(super) async fn sql(&self, sql: &str, args: &[Value]) -> Result<Option<Vec<DocRecord>>, GristError> {
        if self.closed.load(Ordering::Relaxed) || self.damage.is_there() {
            return Ok(None);
        }
        match self.doc.sql(sql, args).await {
            Ok(rows) => Ok(Some(rows)),
            // Any access rule closes SQL to all but owners (Grist trap 31).
            Err(GristError::NoSql { .. }) => {
                self.closed.store(true, Ordering::Relaxed);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The document as it is now.
    pub(super) async fn state(&self) -> Result<State, GristFault> {
        for _ in 0..3 {
            match self.lines(&self.at_its_point(state_question()), &[]).await {
                Ok(Some(rows)) if self.damage.note(&rows) => return self.state_by_records().await,
                Ok(Some(rows)) => return state(self.without_copies(rows).await?),
                Ok(None) => return self.state_by_records().await,
                Err(error) if self.is_without_history(&error) => {}
                // A new document, or one that lost a table: its structure tells which.
                Err(GristError::NoTable { .. } | GristError::NoColumn { .. }) => {
                    let (structure, hidden, position) = self.structure().await?;
                    let state = State { structure, hidden, position, ..State::default() };
                    state.missing()?;
                    match state.damage() {
                        Some(reason) => return Err(GristFault::Altered(reason)),
                        // Its tables are there by now: another run made them between the two questions.
                        None if state.is_ours() => {}
                        None => return Ok(state),
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(GristFault::Altered("its tables Dn_… cannot be read".to_owned()))
    }

    /// The document as it is now, if it is known as it was at some point and neither its tables nor its state moved since.
    pub(super) async fn state_since(&self, known: State) -> Result<Option<State>, GristFault> {
        let Some(since) = known.position.clone().filter(|_| self.knows_positions()) else { return Ok(None) };
        let question =
            format!("{} UNION ALL {} UNION ALL {}", position::since_question(), count_question(), lease_question());
        let rows = match self.lines(&question, &[since.number.into(), since.hash.as_str().into()]).await {
            Ok(Some(rows)) => rows,
            // The whole question tells what it is, and goes on without.
            Ok(None) => return Ok(None),
            Err(
                GristError::NoTable { .. } | GristError::NoColumn { .. } | GristError::Sql { .. } | GristError::SlowSql,
            ) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let line = rows.iter().find(|(kind, _)| *kind == LineKind::Position).map(|(_, row)| row.clone());
        let found = state(self.without_copies(rows).await?)?;
        let (Some(line), Some(now)) = (line, &found.position) else { return Ok(None) };
        let is_unmoved = position::is_unmoved(&since, &line, now);
        Ok(is_unmoved.then_some(State { structure: known.structure, kept: known.kept, ..found }))
    }

    /// The same lines; where rows were copied, the dossiers are counted again without the copies.
    async fn without_copies(
        &self,
        mut rows: Vec<(LineKind, DocRecord)>,
    ) -> Result<Vec<(LineKind, DocRecord)>, GristError> {
        let copies = |(kind, row): &(LineKind, DocRecord)| {
            *kind == LineKind::Count && row.get("copies").and_then(Value::as_u64).is_some_and(|copies| copies > 0)
        };
        if rows.iter().any(copies)
            && let Some(counted) = self.lines(&count_without_copies(), &[]).await?
        {
            rows.retain(|(kind, _)| *kind != LineKind::Count);
            rows.extend(counted);
        }
        Ok(rows)
    }

    /// Looks whether SQL sees some cells as they are: each a table, and columns of it with their types.
    pub(super) async fn examine(&self, cells: &[(&str, &[(&str, &str)])]) -> Result<(), GristError> {
        let lines = cells.iter().map(|(table, columns)| damaged::count(table, columns.iter().copied()));
        let question = lines.collect::<Vec<_>>().join(" UNION ALL ");
        if let Some(rows) = self.lines(&question, &[]).await? {
            self.damage.note(&rows);
        }
        Ok(())
    }

    /// The tables and columns of the document, what of them the key does not see, and at which point of the history they
    /// are so.
    pub(super) async fn structure(&self) -> Result<(Vec<Table>, Hidden, Option<HistoryPosition>), GristFault> {
        loop {
            return match self.lines(&self.at_its_point(structure_question()), &[]).await {
                Ok(Some(rows)) => {
                    let State { structure, position, .. } = state(rows)?;
                    Ok((structure, Hidden::default(), position))
                }
                Ok(None) => {
                    let (structure, hidden) = self.doc.structure().await?;
                    Ok((structure, hidden, None))
                }
                Err(error) if self.is_without_history(&error) => continue,
                Err(error) => Err(error.into()),
            };
        }
    }

    async fn state_by_records(&self) -> Result<State, GristFault> {
        let (structure, hidden) = self.doc.structure().await?;
        let mut state = State { structure, hidden, ..State::default() };
        state.missing()?;
        if let Some(reason) = state.damage() {
            return Err(GristFault::Altered(reason));
        }
        if !state.is_ours() {
            return Ok(state);
        }
        for row in self.doc.records(shared::STATE, &[]).await? {
            keep(&mut state, &row);
        }
        for row in self.doc.records(lease::TABLE, &[]).await? {
            hold(&mut state, &row)?;
        }
        let mut rows = self.doc.records(shared::DOSSIERS, &[]).await?;
        rows.sort_by_key(id);
        let mut seen = BTreeSet::new();
        rows.retain(|row| known::is_ours(row) && seen.insert(text(row, "cle").to_owned()));
        for row in &rows {
            let whole = u64::from(!text(row, "empreinte").is_empty());
            let gone = u64::from(!text(row, "disparu").is_empty());
            count(&mut state, row, 1, whole, gone);
        }
        Ok(state)
    }

    /// The lease in force.
    pub(super) async fn lease(&self) -> Result<Option<LeaseRow>, GristFault> {
        let mut state = State::default();
        match self.lines(&lease_question(), &[]).await {
            Ok(Some(rows)) => rows.iter().try_for_each(|(_, row)| hold(&mut state, row))?,
            Ok(None) => match self.doc.records(lease::TABLE, &[]).await {
                Ok(rows) => rows.iter().try_for_each(|row| hold(&mut state, row))?,
                Err(GristError::NoTable { .. }) => {}
                Err(error) => return Err(error.into()),
            },
            Err(GristError::NoTable { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(state.lease)
    }

    /// Where tables are shown.
    pub(super) async fn views(&self) -> Result<Views, GristFault> {
        let rows = match self.lines(&views_question(), &[]).await? {
            Some(rows) => rows,
            None => {
                let mut rows = Vec::new();
                for (kind, table) in [
                    (LineKind::View, "_grist_Tables"),
                    (LineKind::Section, "_grist_Views_section"),
                    (LineKind::Page, "_grist_Pages"),
                    (LineKind::PageView, "_grist_Views"),
                    (LineKind::Field, "_grist_Views_section_field"),
                    (LineKind::SummaryColumn, "_grist_Tables_column"),
                ] {
                    let found = self.doc.records(table, &[]).await?;
                    rows.extend(found.into_iter().map(|row| (kind, row)));
                }
                rows
            }
        };
        Ok(Views::of(&rows))
    }

    /// The lines of the run history of a démarche, newest first.
    pub(super) async fn history(
        &self,
        scope: &Scope,
        skip: u32,
        limit: Option<u32>,
    ) -> Result<Vec<DocRecord>, GristFault> {
        let prefix = format!("{scope}/");
        let sql = "SELECT id, cle, rapport FROM Dn_executions WHERE substr(cle, 1, length(?)) = ? \
                   ORDER BY id DESC LIMIT ? OFFSET ?";
        let args = [json!(prefix), json!(prefix), json!(limit.map_or(-1, i64::from)), json!(skip)];
        let rows = match self.sql(sql, &args).await {
            Ok(rows) => rows,
            Err(GristError::NoTable { .. } | GristError::NoColumn { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        if let Some(rows) = rows {
            return Ok(rows);
        }
        let mut rows = match self.doc.records(shared::RUNS, &[]).await {
            Ok(rows) => rows,
            Err(GristError::NoTable { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        rows.retain(|row| text(row, "cle").starts_with(&prefix));
        rows.sort_by_key(|row| std::cmp::Reverse(id(row)));
        let limit = limit.map_or(usize::MAX, |limit| limit as usize);
        Ok(rows.into_iter().skip(skip as usize).take(limit).collect())
    }
}

fn state(rows: Vec<(LineKind, DocRecord)>) -> Result<State, GristFault> {
    let mut state = State::default();
    let mut columns: BTreeMap<RowId, Vec<Column>> = BTreeMap::new();
    for (kind, row) in rows {
        let number = |column: &str| row.get(column).and_then(Value::as_u64).unwrap_or_default();
        match kind {
            LineKind::Table => {
                let id = id(&row).unwrap_or_default();
                let table = Table { id: text(&row, "tableId").to_owned(), table_ref: id, columns: Vec::new() };
                state.structure.push(table);
            }
            LineKind::Column => {
                let parent = row.get("parent").and_then(Value::as_i64).unwrap_or_default();
                columns.entry(parent).or_default().push(column(&row));
            }
            LineKind::State => keep(&mut state, &row),
            LineKind::Lease => hold(&mut state, &row)?,
            LineKind::Position => state.position = position::read(&row),
            LineKind::Count => count(&mut state, &row, number("lignes"), number("entiers"), number("partis")),
            _ => {}
        }
    }
    for table in &mut state.structure {
        table.columns = columns.remove(&table.table_ref).unwrap_or_default();
    }
    Ok(state)
}

fn column(row: &DocRecord) -> Column {
    let own = |column: &str| text(row, column).to_owned();
    let truth =
        |column: &str| row.get(column).is_some_and(|value| value.as_bool().unwrap_or(value.as_i64() == Some(1)));
    Column {
        id: own("colId"),
        col_ref: id(row).unwrap_or_default(),
        kind: own("type"),
        label: own("label"),
        is_formula: truth("isFormula"),
        formula: own("formula"),
        widget_options: own("widgetOptions"),
        description: own("description"),
        untied: truth("untied"),
    }
}

fn keep(state: &mut State, row: &DocRecord) {
    let (key, kept) = (text(row, "cle").to_owned(), text(row, "valeur").to_owned());
    let sound = value::seal(&key, &kept).to_string() == text(row, "empreinte");
    let older = state.kept.get(&key).and_then(|kept| kept.id);
    // Of two rows with one key an upsert keeps up the one with the lowest id.
    if older.is_none_or(|older| id(row).is_some_and(|id| id < older)) {
        state.kept.insert(key, StoredValue { id: id(row), value: kept, sound });
    }
}

fn hold(state: &mut State, row: &DocRecord) -> Result<(), GristFault> {
    let unreadable =
        |column: &str| GristFault::Altered(format!("a value of {column} in {} cannot be read", lease::TABLE));
    let whole = |column: &str| {
        #[expect(clippy::cast_possible_truncation, reason = "whole numbers far below the limit come as doubles")]
        let whole = |value: &Value| value.as_i64().or_else(|| value.as_f64().map(|real| real as i64));
        row.get(column).and_then(whole).unwrap_or_default()
    };
    let lease = LeaseRow {
        id: id(row).ok_or_else(|| unreadable("id"))?,
        token: text(row, "jeton").to_owned(),
        turn: whole("tour"),
        host: text(row, "hote").to_owned(),
        process: whole("processus"),
        since: text(row, "depuis").parse().map_err(|_| unreadable("depuis"))?,
        seen: text(row, "vu").parse().map_err(|_| unreadable("vu"))?,
        free: row.get("libre").is_some_and(|value| value.as_bool().unwrap_or(value.as_i64() == Some(1))),
    };
    if state.lease.as_ref().is_none_or(|held| held.id < lease.id) {
        state.lease = Some(lease);
    }
    Ok(())
}

fn count(state: &mut State, row: &DocRecord, rows: u64, whole: u64, gone: u64) {
    let Ok(demarche) = text(row, "demarche").parse::<u32>() else { return };
    let scope = Scope { instance: text(row, "instance").to_owned(), demarche: DemarcheNumber::new(demarche) };
    let count = state.counts.entry(scope).or_default();
    count.rows += rows;
    let totals = Totals { alive: whole.saturating_sub(gone), gone };
    count.totals.alive += totals.alive;
    count.totals.gone += totals.gone;
}
