//! Answers in which one value of a dossier is not what the schema promises, as often as it is asked for.

use std::collections::BTreeMap;

use demarche_numerique::sandbox::Outgoing;
use serde_json::{Value as Json, json};

/// Lists the oddities of a dossier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// An optional scalar has another form than it should.
    Scalar(u32),
    /// An answer cannot be made: a null stands below its nullable champ, and an error says so.
    Null(u32),
}

/// Optional scalars of a dossier, of which nothing that is compared is made.
const SCALARS: [&str; 4] = [
    "datePrevisionnelleDecisionSVASVR",
    "dateTraitementSVASVR",
    "dateDerniereModificationAnnotations",
    "dateDerniereModificationChamps",
];

/// The fields of champs that may be null.
const NULLABLE: [(&str, &str); 3] =
    [("DateChamp", "date"), ("DecimalNumberChamp", "decimalNumber"), ("YesNoChamp", "yesNo")];

/// Makes the dossiers of an answer odd: how many.
pub fn spoil(answer: &mut Outgoing, odd: &BTreeMap<u32, Oddity>) -> u32 {
    if odd.is_empty() || answer.status != 200 {
        return 0;
    }
    let mut body = answer.as_json();
    let (mut errors, mut path, mut spoiled) = (Vec::new(), Vec::new(), 0);
    if let Some(data) = body.get_mut("data") {
        walk(data, &mut path, odd, &mut errors, &mut spoiled);
    }
    if spoiled > 0 {
        if !errors.is_empty() {
            match body.get_mut("errors").and_then(Json::as_array_mut) {
                Some(told) => told.extend(errors),
                None => body["errors"] = Json::Array(errors),
            }
        }
        answer.body = body.to_string().into_bytes();
    }
    spoiled
}

fn walk(
    value: &mut Json,
    path: &mut Vec<Json>,
    odd: &BTreeMap<u32, Oddity>,
    errors: &mut Vec<Json>,
    spoiled: &mut u32,
) {
    if let Some(oddity) = whole_dossier(value).and_then(|number| odd.get(&number)) {
        *spoiled += u32::from(one(value, *oddity, path, errors));
        return;
    }
    match value {
        Json::Object(fields) => {
            for (field, below) in fields {
                path.push(field.as_str().into());
                walk(below, path, odd, errors, spoiled);
                path.pop();
            }
        }
        Json::Array(items) => {
            for (position, below) in items.iter_mut().enumerate() {
                path.push(position.into());
                walk(below, path, odd, errors, spoiled);
                path.pop();
            }
        }
        _ => {}
    }
}

/// The number of a dossier that is read with its answers.
fn whole_dossier(value: &Json) -> Option<u32> {
    value.get("champs")?.as_array()?;
    u32::try_from(value.get("number")?.as_u64()?).ok()
}

/// Makes one dossier odd, if it has what that needs.
fn one(dossier: &mut Json, oddity: Oddity, path: &[Json], errors: &mut Vec<Json>) -> bool {
    match oddity {
        Oddity::Scalar(way) => {
            let start = way as usize % SCALARS.len();
            let field =
                SCALARS.iter().cycle().skip(start).take(SCALARS.len()).find(|name| dossier.get(**name).is_some());
            let Some(field) = field else { return false };
            dossier[*field] = if way.is_multiple_of(2) { "".into() } else { "bientôt".into() };
            true
        }
        Oddity::Null(way) => {
            let champs = dossier["champs"].as_array_mut().map(Vec::as_mut_slice).unwrap_or_default();
            let field = |champ: &Json| {
                let kind = champ["__typename"].as_str()?;
                NULLABLE.iter().find(|(of, field)| *of == kind && champ.get(*field).is_some()).map(|(_, field)| *field)
            };
            let candidates: Vec<usize> = (0..champs.len()).filter(|at| field(&champs[*at]).is_some()).collect();
            let Some(at) = candidates.get(way as usize % candidates.len().max(1)).copied() else { return false };
            let Some(field) = field(&champs[at]) else { return false };
            champs[at][field] = Json::Null;
            let place = path.iter().cloned().chain(["champs".into(), at.into(), field.into()]);
            errors.push(json!({
                "message": "Cannot return null for non-nullable field",
                "path": place.collect::<Vec<Json>>(),
                "extensions": { "code": "invalid_null" },
            }));
            true
        }
    }
}
