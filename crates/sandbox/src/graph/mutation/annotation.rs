//! Mutations of annotations, single and in a batch.

use apollo_compiler::response::JsonValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::text::string_value;
use super::content::{self, Content, Problem};
use super::context::MutationContext;
use super::payload::Payload;
use super::perform::{Done, Outcome, Refusal};
use crate::kind::Kind;
use crate::time::Language;
use crate::world::form::Question;
use crate::world::{Effect, Place};

/// `Champ-12`, or `Champ-12|<row>` within a repetition, in base64.
fn place(id: &str) -> Option<Place> {
    let text = String::from_utf8(STANDARD.decode(id).ok()?).ok()?;
    let text = text.strip_prefix("Champ-")?;
    let (stable_id, row) = match text.split_once('|') {
        Some((stable_id, row)) => (stable_id, Some(row.to_owned())),
        None => (text, None),
    };
    Some(Place { stable_id: stable_id.parse().ok()?, row })
}

fn question(context: &MutationContext<'_>, dossier: u32, id: &str) -> Option<(Place, Question)> {
    let place = place(id)?;
    let record = context.world.dossier(dossier)?;
    let question = context.world.annotation(record, &place)?.0.clone();
    Some((place, question))
}

/// Saves a content and tells what that changed.
fn save(
    context: &mut MutationContext<'_>,
    dossier: u32,
    place: &Place,
    kind: Kind,
    content: Content,
) -> Result<Effect, Refusal> {
    let stable_id = place.stable_id;
    Ok(match content {
        Content::Rows(count) => Effect::Rows { stable_id, rows: context.world.add_rows(dossier, stable_id, count)? },
        Content::Files(ids) => {
            let files = ids.iter().map(|id| context.file(id)).collect::<Result<Vec<_>, _>>()?;
            let text = files.iter().map(|file| file.filename.as_str()).collect::<Vec<_>>().join(", ");
            context.world.join_files(dossier, place, files)?;
            Effect::Annotation { stable_id, row: place.row.clone(), text }
        }
        Content::Value(value) => {
            let text = string_value(kind, &value, Language::French).unwrap_or_default();
            context.world.annotate(dossier, place, value)?;
            Effect::Annotation { stable_id, row: place.row.clone(), text }
        }
    })
}

/// A mutation of one type: another type reads as an annotation that does not exist.
pub(super) fn single(context: &mut MutationContext<'_>, suffix: &str) -> Outcome {
    let accepts: &[(&str, Kind)] = match suffix {
        "Checkbox" => &[("checkbox", Kind::Checkbox), ("yesNo", Kind::YesNo)],
        "Date" => &[("date", Kind::Date)],
        "Datetime" => &[("datetime", Kind::Datetime)],
        "IntegerNumber" => &[("integerNumber", Kind::IntegerNumber)],
        "DecimalNumber" => &[("decimalNumber", Kind::DecimalNumber)],
        "DropDownList" => &[("dropDownList", Kind::DropDownList)],
        "AjouterLigne" => &[("repetition", Kind::Repetition)],
        _ => &[("text", Kind::Text), ("textarea", Kind::Textarea)],
    };
    context.writable()?;
    let dossier = context.dossier()?;
    let instructeur = context.instructeur(dossier)?;
    let id = context.text("annotationId").unwrap_or_default();
    let missing = || Refusal::said(format!("L’annotation \"{id}\" n’existe pas"));
    let (place, question) = question(context, dossier, id).ok_or_else(missing)?;
    let key = accepts.iter().find(|(_, kind)| *kind == question.kind).map(|(key, _)| *key).ok_or_else(missing)?;
    let one = JsonValue::from(1);
    let value = if suffix == "AjouterLigne" { &one } else { context.input.get("value").unwrap_or(&JsonValue::Null) };
    let content = match content::of(context.world.platform, &question, key, value) {
        Ok(content) => content,
        Err(Problem::WrongType) => return Err(missing()),
        Err(Problem::Invalid(text)) => return Err(Refusal::said(text)),
    };
    let effect = save(context, dossier, &place, question.kind, content)?;
    let payload = Payload::Annotations { dossier, places: vec![place] };
    Ok(Done::on(dossier, instructeur, effect).showing(payload))
}

pub(super) fn ajouter_ligne(context: &mut MutationContext<'_>) -> Outcome {
    single(context, "AjouterLigne")
}

/// Each annotation succeeds or fails by itself: what was saved stays, next to the errors of the others.
pub(super) fn batch(context: &mut MutationContext<'_>) -> Outcome {
    context.writable()?;
    let dossier = context.dossier()?;
    let instructeur = context.instructeur(dossier)?;
    let (mut places, mut effects, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    let given = context.input.get("annotations").and_then(JsonValue::as_array);
    for item in given.into_iter().flatten() {
        let id = item.get("id").and_then(JsonValue::as_str).unwrap_or_default();
        let Some((place, question)) = question(context, dossier, id) else {
            errors.push(format!("L‘annotation \"{id}\" n’existe pas"));
            continue;
        };
        let value = item.get("value").and_then(JsonValue::as_object).and_then(|object| object.iter().next());
        let (key, value) = value.map_or(("", &JsonValue::Null), |(key, value)| (key.as_str(), value));
        match content::of(context.world.platform, &question, key, value) {
            Ok(content) => match save(context, dossier, &place, question.kind, content) {
                Ok(effect) => {
                    effects.push(effect);
                    places.push(place);
                }
                Err(Refusal::Said(words)) => errors.extend(words),
                Err(other) => return Err(other),
            },
            Err(Problem::WrongType) => errors.push(format!("L‘annotation \"{id}\" n’est pas de type attendu")),
            Err(Problem::Invalid(text)) => errors.push(text),
        }
    }
    Ok(Done {
        payload: Payload::Annotations { dossier, places },
        dossier: Some(dossier),
        instructeur: Some(instructeur),
        notified: false,
        effects,
        errors,
        warnings: Vec::new(),
    })
}
