//! What retention takes from intents: what people wrote in them, and in whose name. Their rows stay, so that no decision
//! is sent twice.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::kept::{Line, key};
use super::{ask, shown};
use crate::ids::{DossierNumber, Scope};
use crate::intent::Status;
use crate::privacy::NOT_KEPT;
use crate::sink::grist::desk::Desk;
use crate::sink::grist::fault::Fault;
use crate::sink::grist::known::text;
use crate::sink::grist::shared;
use crate::sink::grist::split::Upsert;

/// The rows of intents about some dossiers, and of their trail, as they are once they are emptied. What waits to be sent
/// stays as it is.
pub(in crate::sink::grist) async fn emptied(
    desk: &Desk,
    scope: &Scope,
    dossiers: &BTreeSet<DossierNumber>,
) -> Result<BTreeMap<DossierNumber, Vec<Upsert>>, Fault> {
    let mut rows: BTreeMap<DossierNumber, Vec<Upsert>> = BTreeMap::new();
    if dossiers.is_empty() {
        return Ok(rows);
    }
    let lines = ask::of_dossiers(desk, scope, dossiers.iter().copied()).await?;
    let settled = lines.into_iter().filter(|line| line.status != Status::Pending);
    let lines: BTreeMap<String, Line> = settled.map(|line| (key(scope, &line.kept.id), line.emptied())).collect();
    if lines.is_empty() {
        return Ok(rows);
    }
    let shows = desk.state.shows(shared::SENDINGS);
    for line in lines.values() {
        let of = rows.entry(line.kept.dossier).or_default();
        of.push(line.row(scope));
        of.extend(shows.then(|| shown::sending(scope, None, line)));
    }
    if shared::of(shared::TRAIL).find(&desk.state.structure).is_none() {
        return Ok(rows);
    }
    let filter = [
        ("demarche", vec![json!(scope.demarche.to_string())]),
        ("dossier", dossiers.iter().map(|number| Value::from(number.get())).collect()),
    ];
    let prefix = format!("{scope}/");
    for row in desk.reader.doc.records(shared::TRAIL, &filter).await? {
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
