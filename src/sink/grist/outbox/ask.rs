//! Reads intents. Few rows at a time are asked record by record, which every key may do; counts and
//! the trail by SQL where the key may.

use std::collections::{BTreeMap, BTreeSet};

use grist_client::GristError;
use serde_json::{Value, json};

use super::kept::{OutboxLine, key};
use super::tables::{self, OutboxCounts};
use super::{ready, shown};
use crate::ids::{DossierNumber, Scope};
use crate::intent::{IntentId, Status};
use crate::sink::grist::fault::GristFault;
use crate::sink::grist::known::{DocRecord, id, text};
use crate::sink::grist::session::DocumentSession;
use crate::sink::{Backlog, TrailLine};

/// A filter of records.
type Filter<'a> = Vec<(&'a str, Vec<Value>)>;

/// The rows of a démarche.
fn of(scope: &Scope) -> Filter<'static> {
    vec![("instance", vec![json!(scope.instance)]), ("demarche", vec![json!(scope.demarche.to_string())])]
}

/// The intents that a filter lets through, in their order.
pub(in crate::sink::grist) async fn ask(
    session: &DocumentSession,
    scope: &Scope,
    filter: &[(&str, Vec<Value>)],
) -> Result<Vec<OutboxLine>, GristFault> {
    if !ready::is_there(session, scope)? {
        return Ok(Vec::new());
    }
    lines(session.reader.doc.records(tables::INTENTS, filter).await?)
}

/// The intents with these names, by key.
pub(super) async fn named(
    session: &DocumentSession,
    scope: &Scope,
    ids: &[&IntentId],
) -> Result<BTreeMap<String, OutboxLine>, GristFault> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let keys = ids.iter().map(|id| key(scope, id).into()).collect();
    let lines = ask(session, scope, &[("cle", keys)]).await?;
    Ok(lines.into_iter().map(|line| (key(scope, &line.kept.id), line)).collect())
}

/// The next intents that are to be done, in their order.
pub(super) async fn pending(
    session: &DocumentSession,
    scope: &Scope,
    after: i64,
    limit: u32,
) -> Result<Vec<OutboxLine>, GristFault> {
    if !ready::is_there(session, scope)? {
        return Ok(Vec::new());
    }
    let sql = format!("{PENDING} AND rang > ? ORDER BY rang, id LIMIT ?");
    let args = [json!(scope.instance), json!(scope.demarche.to_string()), json!(after), json!(limit)];
    if let Some(rows) = session.reader.sql(&sql, &args).await? {
        return lines(rows);
    }
    let mut lines = all_pending(session, scope).await?;
    lines.retain(|line| line.place > after);
    lines.truncate(limit as usize);
    Ok(lines)
}

async fn all_pending(session: &DocumentSession, scope: &Scope) -> Result<Vec<OutboxLine>, GristFault> {
    let mut filter = of(scope);
    filter.push(("statut", vec![Status::Pending.as_str().into()]));
    ask(session, scope, &filter).await
}

/// The rows of what is to be done, in SQL: the status is that of [`Status::Pending`].
const PENDING: &str = "SELECT id, cle, rang, statut, valeur, empreinte FROM Dn_intentions \
                       WHERE instance = ? AND demarche = ? AND statut = 'pending'";

/// Rows as lines. Of a row and its copy the older one is kept up.
fn lines(mut rows: Vec<DocRecord>) -> Result<Vec<OutboxLine>, GristFault> {
    rows.sort_by_key(id);
    let mut lines: BTreeMap<i64, OutboxLine> = BTreeMap::new();
    for row in &rows {
        let line = OutboxLine::read(row)?;
        lines.entry(line.place).or_insert(line);
    }
    Ok(lines.into_values().collect())
}

/// The intents of some dossiers.
pub(in crate::sink::grist) async fn of_dossiers(
    session: &DocumentSession,
    scope: &Scope,
    dossiers: impl IntoIterator<Item = DossierNumber>,
) -> Result<Vec<OutboxLine>, GristFault> {
    let mut filter = of(scope);
    filter.push(("numero", dossiers.into_iter().map(|number| number.get().into()).collect()));
    ask(session, scope, &filter).await
}

/// Counts the intents of each status.
pub(super) async fn depth(session: &DocumentSession, scope: &Scope) -> Result<Vec<(Status, u64)>, GristFault> {
    if !ready::is_there(session, scope)? {
        return Ok(Vec::new());
    }
    let intents = tables::of(tables::INTENTS);
    let typed: Vec<(&str, &str)> = intents.typed().collect();
    session.reader.examine(&[(intents.id, &typed)]).await?;
    let sql = format!(
        "SELECT statut, count(DISTINCT rang) AS lignes FROM {} WHERE instance = ? AND demarche = ? GROUP BY statut",
        tables::INTENTS
    );
    let args = [json!(scope.instance), json!(scope.demarche.to_string())];
    let counted: BTreeMap<String, u64> = match session.reader.sql(&sql, &args).await? {
        Some(rows) => {
            let line = |row: &DocRecord| (text(row, "statut").to_owned(), row.get("lignes").and_then(Value::as_u64));
            rows.iter().map(line).map(|(status, lines)| (status, lines.unwrap_or_default())).collect()
        }
        None => {
            let mut counted = BTreeMap::new();
            for line in ask(session, scope, &of(scope)).await? {
                *counted.entry(line.status.as_str().to_owned()).or_default() += 1;
            }
            counted
        }
    };
    let count = |status: Status| counted.get(status.as_str()).map(|lines| (status, *lines));
    Ok(Status::ALL.into_iter().filter_map(count).collect())
}

/// Counts pending intents of all démarches.
pub(super) async fn backlog(session: &DocumentSession) -> Result<Vec<Backlog>, GristFault> {
    if tables::of(tables::INTENTS).find(&session.state.structure).is_none() {
        return Ok(Vec::new());
    }
    let pending = Status::Pending.as_str();
    let sql = format!("SELECT instance, demarche, rang FROM {} WHERE statut = ?", tables::INTENTS);
    let rows = match session.reader.sql(&sql, &[json!(pending)]).await? {
        Some(rows) => rows,
        None => session.reader.doc.records(tables::INTENTS, &[("statut", vec![pending.into()])]).await?,
    };
    // Of a row and its copy one counts.
    let place = |row: &DocRecord| super::kept::whole(row, "rang").unwrap_or_default();
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

/// Checks that no intent is missing.
///
/// # Errors
/// [`GristFault::Altered`] when rows are gone: what they asked may have been sent, and may be asked again.
pub(super) async fn complete(session: &DocumentSession, scope: &Scope) -> Result<Vec<(Status, u64)>, GristFault> {
    let depth = depth(session, scope).await?;
    let (found, given) =
        (depth.iter().map(|(_, lines)| *lines).sum::<u64>(), OutboxCounts::of(&session.state, scope)?.intents);
    let missing = given.unsigned_abs().saturating_sub(found);
    if missing == 0 {
        return Ok(depth);
    }
    Err(GristFault::Altered(format!(
        "{missing} rows of {} were deleted: nothing is sent before they are back",
        tables::INTENTS
    )))
}

/// Some of the intents to be done that `Dn_envois` does not show: as many as one bundle brings back.
pub(super) async fn hidden(session: &DocumentSession, scope: &Scope) -> Result<Vec<OutboxLine>, GristFault> {
    if !session.state.shows(tables::of(tables::SENDINGS)) {
        return Ok(Vec::new());
    }
    let shown = "SELECT cle FROM Dn_envois WHERE typeof(cle) = 'text'";
    let sql = format!("{PENDING} AND cle NOT IN ({shown}) ORDER BY rang, id LIMIT {HIDDEN}");
    let args = [json!(scope.instance), json!(scope.demarche.to_string())];
    if let Some(rows) = session.reader.sql(&sql, &args).await? {
        return lines(rows);
    }
    let mut lines = all_pending(session, scope).await?;
    let of = [("demarche", vec![json!(scope.demarche.to_string())])];
    let rows = session.reader.doc.records(tables::SENDINGS, &of).await?;
    let shown: BTreeSet<&str> = rows.iter().map(|row| text(row, "cle")).collect();
    lines.retain(|line| !shown.contains(key(scope, &line.kept.id).as_str()));
    lines.truncate(HIDDEN);
    Ok(lines)
}

/// The number of lines that are brought back at once.
const HIDDEN: usize = 500;

/// The trail after a place.
pub(super) async fn trail(
    session: &DocumentSession,
    scope: &Scope,
    after: i64,
    limit: u32,
) -> Result<Vec<TrailLine>, GristFault> {
    let journal = tables::of(tables::TRAIL);
    let Some(table) = journal.find(&session.state.structure) else { return Ok(Vec::new()) };
    let prefix = format!("{scope}/");
    let sql = format!(
        "SELECT cle, rang, valeur, empreinte FROM {} \
         WHERE typeof(cle) = 'text' AND substr(cle, 1, length(?)) = ? AND rang > ? ORDER BY rang, id LIMIT ?",
        tables::TRAIL
    );
    let args = [json!(prefix), json!(prefix), json!(after), json!(limit)];
    let asked = async {
        // People may give its columns other types: SQL would compare what is stored, not what it means.
        if journal.damage(table).is_some() {
            return Ok(None);
        }
        let typed: Vec<(&str, &str)> = journal.typed().filter(|(column, _)| READ.contains(column)).collect();
        session.reader.examine(&[(journal.id, &typed)]).await?;
        session.reader.sql(&sql, &args).await
    };
    let rows = match asked.await {
        Ok(Some(rows)) => rows,
        Ok(None) => {
            let mut rows = session.reader.doc.records(tables::TRAIL, &[]).await?;
            let place = |row: &DocRecord| super::kept::whole(row, "rang").unwrap_or_default();
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
