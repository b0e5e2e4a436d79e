//! Mutations of messages.

use super::super::node::local_id;
use super::context::MutationContext;
use super::payload::Payload;
use super::perform::{Done, Outcome, Refusal};
use crate::world::{Effect, World};

pub(super) fn envoyer(context: &mut MutationContext<'_>) -> Outcome {
    context.writable()?;
    let file = context.blob("attachment")?;
    let dossier = context.dossier()?;
    let instructeur = context.instructeur(dossier)?;
    if let Some(file) = &file {
        World::check_attachment(file)?;
    }
    let body = context.text("body").unwrap_or_default().to_owned();
    let asked = context.text("correction").map(str::to_owned);
    let attachment = file.as_ref().map(|file| file.checksum());
    let files = file.into_iter().collect();
    let id = context.world.envoyer_message(dossier, Some(instructeur), &body, asked.as_deref(), files)?;
    let sent = context.world.message(id).map(|(_, message)| message);
    let correction = sent.and_then(|message| message.correction.as_ref()).map(|correction| correction.reason.clone());
    let body = sent.map(|message| message.body.clone()).unwrap_or_default();
    let effect = Effect::Message { id, body, attachment, correction };
    Ok(Done::on(dossier, instructeur, effect).showing(Payload::Message(id)).notified(true))
}

/// Only one's own message, and only once.
pub(super) fn supprimer(context: &mut MutationContext<'_>) -> Outcome {
    context.writable()?;
    let id = context.text("messageId").and_then(|id| local_id("Commentaire", id)?.parse().ok());
    let (dossier, message) = id.and_then(|id| context.world.message(id)).ok_or(Refusal::NotFound)?;
    let (id, author) = (message.id, message.instructeur);
    context.loaded(Some(dossier))?;
    let instructeur = context.instructeur(dossier)?;
    if author != Some(instructeur) {
        return Err(Refusal::said("Le message ne peut pas être supprimé"));
    }
    context.world.supprimer_message(dossier, id)?;
    Ok(Done::on(dossier, instructeur, Effect::MessageWithdrawn(id)).showing(Payload::Message(id)))
}

/// The request goes, the message stays. Any instructeur of the team may do it.
pub(super) fn annuler_correction(context: &mut MutationContext<'_>) -> Outcome {
    context.writable()?;
    let id = context.text("messageId").and_then(|id| local_id("Commentaire", id)?.parse().ok());
    let (dossier, message) = id.and_then(|id| context.world.message(id)).ok_or(Refusal::NotFound)?;
    let id = message.id;
    context.loaded(Some(dossier))?;
    let instructeur = context.instructeur(dossier)?;
    context.world.annuler_correction(dossier, id)?;
    Ok(Done::on(dossier, instructeur, Effect::CorrectionCancelled(id)).showing(Payload::Message(id)))
}
