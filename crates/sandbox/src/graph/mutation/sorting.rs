//! Mutations of groupe, followers and labels.

use super::super::node::local_id;
use super::context::MutationContext;
use super::payload::Payload;
use super::perform::{Done, Outcome, Refusal};
use crate::world::Effect;

pub(super) fn changer_groupe(context: &mut MutationContext<'_>) -> Outcome {
    context.writable()?;
    let dossier = context.dossier()?;
    let to = context.groupe()?;
    let from = context.world.dossier(dossier).map_or(0, |dossier| dossier.groupe);
    context.world.changer_groupe(dossier, to)?;
    let effect = Effect::Groupe { from, to };
    Ok(Done { dossier: Some(dossier), ..Done::plain(Payload::Dossier(dossier), effect) })
}

pub(super) fn bascule_suivi(context: &mut MutationContext<'_>) -> Outcome {
    context.writable()?;
    let dossier = context.dossier()?;
    let instructeur = context.instructeur(dossier)?;
    let follow = context.flag("follow");
    context.world.suivre(dossier, instructeur, follow);
    let payload = Payload::Follow { dossier, instructeur };
    Ok(Done::on(dossier, instructeur, Effect::Follow(follow)).showing(payload))
}

/// Labels date nothing (trap 20).
pub(super) fn label(context: &mut MutationContext<'_>, on: bool) -> Outcome {
    context.writable()?;
    let number = context.dossier()?;
    let id = context.text("labelId").and_then(|id| local_id("Label", id)?.parse::<u64>().ok());
    let demarche = context.world.dossier(number).map(|dossier| dossier.demarche);
    let mut demarches = context.world.demarches.values();
    let owner = demarches.find(|demarche| demarche.labels.iter().any(|label| Some(label.id) == id));
    let (id, owner) = (id.ok_or(Refusal::NotFound)?, owner.ok_or(Refusal::NotFound)?.number);
    if on && Some(owner) != demarche {
        return Err(Refusal::said("Ce label n’appartient pas à la même démarche que le dossier"));
    }
    if on { context.world.add_label(number, id) } else { context.world.remove_label(number, id) }?;
    let payload = Payload::Label { dossier: number, id };
    Ok(Done { dossier: Some(number), ..Done::plain(payload, Effect::Label { id, on }) })
}
