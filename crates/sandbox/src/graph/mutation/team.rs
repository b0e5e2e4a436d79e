//! Mutations of groupes, and clones of a démarche.

use std::collections::BTreeSet;

use apollo_compiler::response::{JsonMap, JsonValue};

use super::super::node::local_id;
use super::super::root::number;
use super::content::is_email;
use super::context::MutationContext;
use super::payload::Payload;
use super::perform::{Done, Outcome, Refusal};
use crate::world::Effect;

/// The number of the démarche that a `FindDemarcheInput` names.
fn demarche(context: &MutationContext<'_>) -> Option<u32> {
    let input = context.input.get("demarche")?.as_object()?;
    let id = || local_id("Procedure", input.get("id")?.as_str()?)?.parse().ok();
    number(input, "number").or_else(id)
}

/// The instructeurs that a list of `ProfileInput` names, made if needed, and a warning for each bad address (the words
/// are not the platform's own). Unknown ids are left out.
fn profiles(context: &mut MutationContext<'_>, input: &JsonMap, create: bool) -> (Vec<u32>, Vec<String>) {
    let (mut numbers, mut warnings) = (BTreeSet::new(), Vec::new());
    for profile in input.get("instructeurs").and_then(JsonValue::as_array).into_iter().flatten() {
        let text = |key: &str| profile.get(key).and_then(JsonValue::as_str);
        if let Some(id) = text("id") {
            let number = local_id("Instructeur", id).and_then(|id| id.parse().ok());
            numbers.extend(number.filter(|number| context.world.instructeur(*number).is_some()));
        } else if let Some(email) = text("email") {
            let known = context.world.instructeurs.iter().find(|(_, known)| *known == email).map(|(number, _)| *number);
            match known {
                Some(number) => drop(numbers.insert(number)),
                None if !is_email(email) => warnings.push(format!("{email} n’est pas une adresse électronique valide")),
                None if create => drop(numbers.insert(context.world.instructeur_named(email))),
                None => {}
            }
        }
    }
    (numbers.into_iter().collect(), warnings)
}

/// Looks the démarche up among all those of the administrateur: a token's own list is not asked (docs/platform.md#tokens).
pub(super) fn creer(context: &mut MutationContext<'_>) -> Outcome {
    context.writable()?;
    let known =
        demarche(context).filter(|number| context.world.demarche(*number).is_some_and(|found| !found.discarded));
    let demarche = known.ok_or(Refusal::NotFound)?;
    let attributes = context.input.get("groupeInstructeur").and_then(JsonValue::as_object).cloned().unwrap_or_default();
    let label = attributes.get("label").and_then(JsonValue::as_str).unwrap_or_default();
    let closed = attributes.get("closed").and_then(JsonValue::as_bool);
    let groupe = context.world.add_groupe(demarche, label, &[])?;
    context.world.change_groupe(groupe, None, closed)?;
    let (instructeurs, warnings) = profiles(context, &attributes, true);
    for instructeur in instructeurs {
        context.world.add_instructeur(demarche, groupe, instructeur);
    }
    Ok(Done { warnings, ..Done::plain(Payload::Groupe(groupe), Effect::GroupeCreated(groupe)) })
}

pub(super) fn modifier(context: &mut MutationContext<'_>) -> Outcome {
    context.writable()?;
    let groupe = context.groupe()?;
    let label = context.text("label").map(str::to_owned);
    let closed = context.input.get("closed").and_then(JsonValue::as_bool);
    context.world.change_groupe(groupe, label.as_deref(), closed)?;
    Ok(Done::plain(Payload::Groupe(groupe), Effect::GroupeChanged(groupe)))
}

pub(super) fn ajouter(context: &mut MutationContext<'_>) -> Outcome {
    context.writable()?;
    let groupe = context.groupe()?;
    let input = context.input;
    let (instructeurs, warnings) = profiles(context, input, true);
    let demarche = context.world.groupe(groupe).map_or(0, |(demarche, _)| demarche.number);
    for instructeur in &instructeurs {
        context.world.add_instructeur(demarche, groupe, *instructeur);
    }
    let effect = Effect::InstructeursAdded { groupe, instructeurs };
    Ok(Done { warnings, ..Done::plain(Payload::Groupe(groupe), effect) })
}

pub(super) fn supprimer(context: &mut MutationContext<'_>) -> Outcome {
    context.writable()?;
    let groupe = context.groupe()?;
    let input = context.input;
    let (instructeurs, _) = profiles(context, input, false);
    for instructeur in &instructeurs {
        context.world.leave_groupe(groupe, *instructeur);
    }
    let effect = Effect::InstructeursRemoved { groupe, instructeurs };
    Ok(Done::plain(Payload::Groupe(groupe), effect))
}

/// One's own démarches, and those that are open to everyone.
pub(super) fn cloner(context: &mut MutationContext<'_>) -> Outcome {
    context.writable()?;
    let asked = demarche(context);
    let found = asked.and_then(|number| context.world.demarche(number)).filter(|demarche| !demarche.discarded);
    let number = found.filter(|found| found.opendata || context.scope.sees(found.number)).map(|found| found.number);
    let title = context.text("title").map(str::to_owned);
    let clone = number.and_then(|number| context.world.clone_demarche(number, title.as_deref()));
    let clone = clone.ok_or_else(|| {
        let asked = asked.map_or(String::new(), |number| number.to_string());
        Refusal::said(format!("La démarche \"{asked}\" ne peut pas être clonée."))
    })?;
    Ok(Done::plain(Payload::Demarche(clone), Effect::Cloned(clone)))
}
