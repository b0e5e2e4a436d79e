//! Writes intents and their trail for people. What is written here is never trusted, but for the sealed lines of the
//! trail. Pure.

use serde_json::Value;

use super::draft::RANK;
use super::kept::{OutboxLine, key, whole};
use super::{labels, tables};
use crate::demarche::Demarche;
use crate::ids::Scope;
use crate::intent::Words;
use crate::sink::TrailLine;
use crate::sink::grist::bundles::Upsert;
use crate::sink::grist::encoding::seconds;
use crate::sink::grist::fault::GristFault;
use crate::sink::grist::known::{DocRecord, text};
use crate::sink::grist::{commit, value, words};

/// The row of an intent in `Dn_envois`.
pub(super) fn sending(scope: &Scope, form: Option<&Demarche>, line: &OutboxLine) -> Upsert {
    let columns =
        ["demarche", "dossier", "action", "statut", "reponse", "agent", "demande_le", "regle_le", "identifiant"];
    let intent = line.intent();
    let author = intent.as_ref().ok().and_then(|intent| intent.author.as_ref()).map(Words::as_str);
    let ended = line.kept.ended.as_ref();
    Upsert {
        form: commit::form(RANK + 1, tables::SENDINGS, &columns),
        key: key(scope, &line.kept.id).into(),
        values: vec![
            scope.demarche.to_string().into(),
            line.kept.dossier.get().into(),
            labels::named(line).into(),
            labels::status(line.status).into(),
            ended.map_or(Value::Null, |_| labels::outcome(line, form).into()),
            author.map(|author| labels::person(form, author)).into(),
            seconds(line.kept.asked_at),
            ended.map_or(Value::Null, |ended| seconds(ended.at)),
            line.kept.id.as_str().into(),
        ],
    }
}

/// A line of the trail; `intent` is as it is after it.
pub(super) fn happening(
    scope: &Scope,
    form: Option<&Demarche>,
    place: i64,
    line: &TrailLine,
    intent: &OutboxLine,
) -> Upsert {
    let columns = [
        "demarche",
        "dossier",
        "moment",
        "evenement",
        "action",
        "reponse",
        "etat",
        "agent",
        "identifiant",
        "rang",
        "valeur",
        "empreinte",
    ];
    let key = format!("{scope}/{place}");
    let kept = value::write(&TrailLine { seq: place, ..line.clone() });
    let seal = value::seal(&key, &kept).to_string();
    Upsert {
        form: commit::form(RANK + 2, tables::TRAIL, &columns),
        key: key.into(),
        values: vec![
            scope.demarche.to_string().into(),
            line.dossier.get().into(),
            seconds(line.at),
            labels::happening(line.happening).into(),
            labels::named(intent).into(),
            labels::answered(line, intent, form).into(),
            line.seen.as_ref().map(|seen| words::french(words::STATES, seen.state.as_str())).into(),
            line.author.as_deref().map(|author| labels::person(form, author)).into(),
            line.intent.as_str().into(),
            place.into(),
            kept.into(),
            seal.into(),
        ],
    }
}

/// A line of the trail again.
///
/// # Errors
/// [`GristFault::Altered`] for one that somebody edited.
pub(super) fn read(row: &DocRecord) -> Result<TrailLine, GristFault> {
    let (key, kept) = (text(row, "cle"), text(row, "valeur"));
    let place = whole(row, "rang").unwrap_or_default();
    if value::seal(key, kept).to_string() != text(row, "empreinte") {
        return Err(GristFault::Altered(format!("line {place} of {} was edited", tables::TRAIL)));
    }
    let unreadable = |_| GristFault::Altered(format!("line {place} of {} cannot be read", tables::TRAIL));
    value::read(key, kept).map_err(unreadable)
}
