//! Empties intents for retention: what people wrote in them, and in whose name. Their rows stay, so that no decision
//! is sent twice.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::kept::{OutboxLine, key};
use super::tables;
use super::{ask, shown};
use crate::ids::{DossierNumber, Scope};
use crate::intent::Status;
use crate::privacy::NOT_KEPT;
use crate::sink::grist::extension::EmptiedRows;
use crate::sink::grist::fault::GristFault;
use crate::sink::grist::known::text;
use crate::sink::grist::session::DocumentSession;

/// The rows of intents about some dossiers, and of their trail, as they are once they are emptied. What waits to be sent
/// stays as it is.
pub(super) async fn emptied(
    session: &DocumentSession,
    scope: &Scope,
    dossiers: &BTreeSet<DossierNumber>,
) -> Result<EmptiedRows, GristFault> {
    let mut rows = EmptiedRows::new();
    if dossiers.is_empty() {
        return Ok(rows);
    }
    let lines = ask::of_dossiers(session, scope, dossiers.iter().copied()).await?;
    let settled = lines.into_iter().filter(|line| line.status != Status::Pending);
    let lines: BTreeMap<String, OutboxLine> = settled.map(|line| (key(scope, &line.kept.id), line.emptied())).collect();
    if lines.is_empty() {
        return Ok(rows);
    }
    let shows = session.state.shows(tables::of(tables::SENDINGS));
    for line in lines.values() {
        let of = rows.entry(line.kept.dossier).or_default();
        of.push(line.row(scope));
        of.extend(shows.then(|| shown::sending(scope, None, line)));
    }
    if tables::of(tables::TRAIL).find(&session.state.structure).is_none() {
        return Ok(rows);
    }
    let filter = [
        ("demarche", vec![json!(scope.demarche.to_string())]),
        ("dossier", dossiers.iter().map(|number| Value::from(number.get())).collect()),
    ];
    let prefix = format!("{scope}/");
    for row in session.reader.doc.records(tables::TRAIL, &filter).await? {
        if !text(&row, "cle").starts_with(&prefix) {
            continue;
        }
        let mut told = shown::read(&row)?;
        if let Some(line) = lines.get(&key(scope, &told.intent)) {
            told.author.iter_mut().chain(&mut told.words).for_each(|words| NOT_KEPT.clone_into(words));
            rows.entry(told.dossier).or_default().push(shown::happening(scope, None, told.seq, &told, line));
        }
    }
    Ok(rows)
}
