//! Where a dossier is put: team, followers, labels.

use super::super::node::local_id;
use super::desk::Desk;
use super::payload::Payload;
use super::perform::{Done, Outcome, Refusal};
use crate::world::Effect;

pub(super) fn changer_groupe(desk: &mut Desk<'_>) -> Outcome {
    desk.writable()?;
    let dossier = desk.dossier()?;
    let to = desk.groupe()?;
    let from = desk.world.dossier(dossier).map_or(0, |dossier| dossier.groupe);
    desk.world.changer_groupe(dossier, to)?;
    let effect = Effect::Groupe { from, to };
    Ok(Done { dossier: Some(dossier), ..Done::plain(Payload::Dossier(dossier), effect) })
}

pub(super) fn bascule_suivi(desk: &mut Desk<'_>) -> Outcome {
    desk.writable()?;
    let dossier = desk.dossier()?;
    let instructeur = desk.instructeur(dossier)?;
    let follow = desk.flag("follow");
    desk.world.suivre(dossier, instructeur, follow);
    let payload = Payload::Follow { dossier, instructeur };
    Ok(Done::on(dossier, instructeur, Effect::Follow(follow)).showing(payload))
}

/// Labels date nothing (trap 20).
pub(super) fn label(desk: &mut Desk<'_>, on: bool) -> Outcome {
    desk.writable()?;
    let number = desk.dossier()?;
    let id = desk.text("labelId").and_then(|id| local_id("Label", id)?.parse::<u64>().ok());
    let demarche = desk.world.dossier(number).map(|dossier| dossier.demarche);
    let mut demarches = desk.world.demarches.values();
    let owner = demarches.find(|demarche| demarche.labels.iter().any(|label| Some(label.id) == id));
    let (id, owner) = (id.ok_or(Refusal::NotFound)?, owner.ok_or(Refusal::NotFound)?.number);
    if on && Some(owner) != demarche {
        return Err(Refusal::said("Ce label n’appartient pas à la même démarche que le dossier"));
    }
    if on { desk.world.add_label(number, id) } else { desk.world.remove_label(number, id) }?;
    let payload = Payload::Label { dossier: number, id };
    Ok(Done { dossier: Some(number), ..Done::plain(payload, Effect::Label { id, on }) })
}
