//! Everything that is asked of intents. Few rows at a time are asked record by record, which every key may do; counts and
//! the trail by SQL where the key may.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::kept::{Line, key};
use super::{ready, shown};
use crate::ids::{DossierNumber, Scope};
use crate::intent::{IntentId, Status};
use crate::sink::grist::desk::Desk;
use crate::sink::grist::fault::Fault;
use crate::sink::grist::known::{Row, id, text};
use crate::sink::grist::shared;
use crate::sink::{Backlog, TrailLine};
use grist_client::GristError;

/// A filter of records.
type Filter<'a> = Vec<(&'a str, Vec<Value>)>;

/// The rows of a démarche.
fn of(scope: &Scope) -> Filter<'static> {
    vec![("instance", vec![json!(scope.instance)]), ("demarche", vec![json!(scope.demarche.to_string())])]
}

/// The intents that a filter lets through, in their order.
pub(in crate::sink::grist) async fn ask(
    desk: &Desk,
    scope: &Scope,
    filter: &[(&str, Vec<Value>)],
) -> Result<Vec<Line>, Fault> {
    if !ready::is_there(desk, scope)? {
        return Ok(Vec::new());
    }
    lines(desk.reader.doc.records(shared::INTENTS, filter).await?)
}

/// The intents with these names, by key.
pub(super) async fn named(desk: &Desk, scope: &Scope, ids: &[&IntentId]) -> Result<BTreeMap<String, Line>, Fault> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let keys = ids.iter().map(|id| key(scope, id).into()).collect();
    let lines = ask(desk, scope, &[("cle", keys)]).await?;
    Ok(lines.into_iter().map(|line| (key(scope, &line.kept.id), line)).collect())
}

/// The next intents that are to be done, in their order.
pub(super) async fn pending(desk: &Desk, scope: &Scope, after: i64, limit: u32) -> Result<Vec<Line>, Fault> {
    if !ready::is_there(desk, scope)? {
        return Ok(Vec::new());
    }
    let sql = format!("{PENDING} AND rang > ? ORDER BY rang, id LIMIT ?");
    let args = [json!(scope.instance), json!(scope.demarche.to_string()), json!(after), json!(limit)];
    if let Some(rows) = desk.reader.sql(&sql, &args).await? {
        return lines(rows);
    }
    let mut lines = all_pending(desk, scope).await?;
    lines.retain(|line| line.place > after);
    lines.truncate(limit as usize);
    Ok(lines)
}

async fn all_pending(desk: &Desk, scope: &Scope) -> Result<Vec<Line>, Fault> {
    let mut filter = of(scope);
    filter.push(("statut", vec![Status::Pending.as_str().into()]));
    ask(desk, scope, &filter).await
}

/// The rows of what is to be done, in SQL: the status is that of [`Status::Pending`].
const PENDING: &str = "SELECT id, cle, rang, statut, valeur, empreinte FROM Dn_intentions \
                       WHERE instance = ? AND demarche = ? AND statut = 'pending'";

/// Rows as lines. Of a row and its copy the older one is kept up.
fn lines(mut rows: Vec<Row>) -> Result<Vec<Line>, Fault> {
    rows.sort_by_key(id);
    let mut lines: BTreeMap<i64, Line> = BTreeMap::new();
    for row in &rows {
        let line = Line::read(row)?;
        lines.entry(line.place).or_insert(line);
    }
    Ok(lines.into_values().collect())
}

/// The intents of some dossiers.
pub(in crate::sink::grist) async fn of_dossiers(
    desk: &Desk,
    scope: &Scope,
    dossiers: impl IntoIterator<Item = DossierNumber>,
) -> Result<Vec<Line>, Fault> {
    let mut filter = of(scope);
    filter.push(("numero", dossiers.into_iter().map(|number| number.get().into()).collect()));
    ask(desk, scope, &filter).await
}

/// How many intents there are of each status.
pub(super) async fn depth(desk: &Desk, scope: &Scope) -> Result<Vec<(Status, u64)>, Fault> {
    if !ready::is_there(desk, scope)? {
        return Ok(Vec::new());
    }
    let intents = shared::of(shared::INTENTS);
    let typed: Vec<(&str, &str)> = intents.typed().collect();
    desk.reader.examine(&[(intents.id, &typed)]).await?;
    let sql = format!(
        "SELECT statut, count(DISTINCT rang) AS lignes FROM {} WHERE instance = ? AND demarche = ? GROUP BY statut",
        shared::INTENTS
    );
    let args = [json!(scope.instance), json!(scope.demarche.to_string())];
    let counted: BTreeMap<String, u64> = match desk.reader.sql(&sql, &args).await? {
        Some(rows) => {
            let line = |row: &Row| (text(row, "statut").to_owned(), row.get("lignes").and_then(Value::as_u64));
            rows.iter().map(line).map(|(status, lines)| (status, lines.unwrap_or_default())).collect()
        }
        None => {
            let mut counted = BTreeMap::new();
            for line in ask(desk, scope, &of(scope)).await? {
                *counted.entry(line.status.as_str().to_owned()).or_default() += 1;
            }
            counted
        }
    };
    let count = |status: Status| counted.get(status.as_str()).map(|lines| (status, *lines));
    Ok(Status::ALL.into_iter().filter_map(count).collect())
}

/// What waits, whatever it is about.
pub(super) async fn backlog(desk: &Desk) -> Result<Vec<Backlog>, Fault> {
    if shared::of(shared::INTENTS).find(&desk.state.structure).is_none() {
        return Ok(Vec::new());
    }
    let pending = Status::Pending.as_str();
    let sql = format!("SELECT instance, demarche, rang FROM {} WHERE statut = ?", shared::INTENTS);
    let rows = match desk.reader.sql(&sql, &[json!(pending)]).await? {
        Some(rows) => rows,
        None => desk.reader.doc.records(shared::INTENTS, &[("statut", vec![pending.into()])]).await?,
    };
    // Of a row and its copy one counts.
    let place = |row: &Row| super::kept::whole(row, "rang").unwrap_or_default();
    let distinct: BTreeSet<_> = rows
        .iter()
        .map(|row| (text(row, "instance").to_owned(), text(row, "demarche").to_owned(), place(row)))
        .collect();
    let mut counted: BTreeMap<(String, String), u64> = BTreeMap::new();
    for (instance, demarche, _) in distinct {
        *counted.entry((instance, demarche)).or_default() += 1;
    }
    let line = |((instance, demarche), pending)| Backlog { instance, demarche, pending };
    Ok(counted.into_iter().map(line).collect())
}

/// Whether no intent is missing.
///
/// # Errors
/// [`Fault::Altered`] when rows are gone: what they asked may have been sent, and may be asked again.
pub(super) async fn complete(desk: &Desk, scope: &Scope) -> Result<Vec<(Status, u64)>, Fault> {
    let depth = depth(desk, scope).await?;
    let (found, given) = (depth.iter().map(|(_, lines)| *lines).sum::<u64>(), desk.state.places(scope)?.intents);
    let missing = given.unsigned_abs().saturating_sub(found);
    if missing == 0 {
        return Ok(depth);
    }
    Err(Fault::Altered(format!(
        "{missing} rows of {} were deleted: nothing is sent before they are back",
        shared::INTENTS
    )))
}

/// Some of the intents to be done that `Dn_envois` does not show: as many as one bundle brings back.
pub(super) async fn hidden(desk: &Desk, scope: &Scope) -> Result<Vec<Line>, Fault> {
    if !desk.state.shows(shared::SENDINGS) {
        return Ok(Vec::new());
    }
    let shown = "SELECT cle FROM Dn_envois WHERE typeof(cle) = 'text'";
    let sql = format!("{PENDING} AND cle NOT IN ({shown}) ORDER BY rang, id LIMIT {HIDDEN}");
    let args = [json!(scope.instance), json!(scope.demarche.to_string())];
    if let Some(rows) = desk.reader.sql(&sql, &args).await? {
        return lines(rows);
    }
    let mut lines = all_pending(desk, scope).await?;
    let of = [("demarche", vec![json!(scope.demarche.to_string())])];
    let rows = desk.reader.doc.records(shared::SENDINGS, &of).await?;
    let shown: BTreeSet<&str> = rows.iter().map(|row| text(row, "cle")).collect();
    lines.retain(|line| !shown.contains(key(scope, &line.kept.id).as_str()));
    lines.truncate(HIDDEN);
    Ok(lines)
}

/// How many lines are brought back at once.
const HIDDEN: usize = 500;

/// The trail after a place.
pub(super) async fn trail(desk: &Desk, scope: &Scope, after: i64, limit: u32) -> Result<Vec<TrailLine>, Fault> {
    let journal = shared::of(shared::TRAIL);
    let Some(table) = journal.find(&desk.state.structure) else { return Ok(Vec::new()) };
    let prefix = format!("{scope}/");
    let sql = format!(
        "SELECT cle, rang, valeur, empreinte FROM {} \
         WHERE typeof(cle) = 'text' AND substr(cle, 1, length(?)) = ? AND rang > ? ORDER BY rang, id LIMIT ?",
        shared::TRAIL
    );
    let args = [json!(prefix), json!(prefix), json!(after), json!(limit)];
    let asked = async {
        // People may give its columns other types: SQL would compare what is stored, not what it means.
        if journal.damage(table).is_some() {
            return Ok(None);
        }
        let typed: Vec<(&str, &str)> = journal.typed().filter(|(column, _)| READ.contains(column)).collect();
        desk.reader.examine(&[(journal.id, &typed)]).await?;
        desk.reader.sql(&sql, &args).await
    };
    let rows = match asked.await {
        Ok(Some(rows)) => rows,
        Ok(None) => {
            let mut rows = desk.reader.doc.records(shared::TRAIL, &[]).await?;
            let place = |row: &Row| super::kept::whole(row, "rang").unwrap_or_default();
            rows.retain(|row| text(row, "cle").starts_with(&prefix) && place(row) > after);
            rows.sort_by_key(|row| (place(row), id(row)));
            rows.truncate(limit as usize);
            rows
        }
        Err(GristError::NoTable { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut lines = rows.iter().map(shown::read).collect::<Result<Vec<_>, _>>()?;
    lines.dedup_by_key(|line| line.seq);
    Ok(lines)
}

/// The columns of the trail that are read back.
const READ: [&str; 4] = ["cle", "rang", "valeur", "empreinte"];
