//! Messages.

use super::super::node::local_id;
use super::desk::Desk;
use super::payload::Payload;
use super::perform::{Done, Outcome, Refusal};
use crate::world::{Effect, World};

pub(super) fn envoyer(desk: &mut Desk<'_>) -> Outcome {
    desk.writable()?;
    let file = desk.blob("attachment")?;
    let dossier = desk.dossier()?;
    let instructeur = desk.instructeur(dossier)?;
    if let Some(file) = &file {
        World::check_attachment(file)?;
    }
    let body = desk.text("body").unwrap_or_default().to_owned();
    let asked = desk.text("correction").map(str::to_owned);
    let attachment = file.as_ref().map(|file| file.checksum());
    let files = file.into_iter().collect();
    let id = desk.world.envoyer_message(dossier, Some(instructeur), &body, asked.as_deref(), files)?;
    let sent = desk.world.message(id).map(|(_, message)| message);
    let correction = sent.and_then(|message| message.correction.as_ref()).map(|correction| correction.reason.clone());
    let body = sent.map(|message| message.body.clone()).unwrap_or_default();
    let effect = Effect::Message { id, body, attachment, correction };
    Ok(Done::on(dossier, instructeur, effect).showing(Payload::Message(id)).notified(true))
}

/// Only one's own message, and only once.
pub(super) fn supprimer(desk: &mut Desk<'_>) -> Outcome {
    desk.writable()?;
    let id = desk.text("messageId").and_then(|id| local_id("Commentaire", id)?.parse().ok());
    let (dossier, message) = id.and_then(|id| desk.world.message(id)).ok_or(Refusal::NotFound)?;
    let (id, author) = (message.id, message.instructeur);
    desk.loaded(Some(dossier))?;
    let instructeur = desk.instructeur(dossier)?;
    if author != Some(instructeur) {
        return Err(Refusal::said("Le message ne peut pas être supprimé"));
    }
    desk.world.supprimer_message(dossier, id)?;
    Ok(Done::on(dossier, instructeur, Effect::MessageWithdrawn(id)).showing(Payload::Message(id)))
}

/// The request goes, the message stays. Any instructeur of the team may do it.
pub(super) fn annuler_correction(desk: &mut Desk<'_>) -> Outcome {
    desk.writable()?;
    let id = desk.text("messageId").and_then(|id| local_id("Commentaire", id)?.parse().ok());
    let (dossier, message) = id.and_then(|id| desk.world.message(id)).ok_or(Refusal::NotFound)?;
    let id = message.id;
    desk.loaded(Some(dossier))?;
    let instructeur = desk.instructeur(dossier)?;
    desk.world.annuler_correction(dossier, id)?;
    Ok(Done::on(dossier, instructeur, Effect::CorrectionCancelled(id)).showing(Payload::Message(id)))
}
