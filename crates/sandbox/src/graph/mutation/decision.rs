//! Mutations of state and archive.

use super::context::MutationContext;
use super::perform::{Done, Outcome, Refusal};
use crate::Platform;
use crate::world::{Effect, Refused, State, World};

fn state(context: &MutationContext<'_>, dossier: u32) -> State {
    context.world.dossier(dossier).map_or(State::Brouillon, |dossier| dossier.state)
}

/// A passage without a motivation.
fn pass(context: &mut MutationContext<'_>, step: fn(&mut World, u32, Option<u32>) -> Result<(), Refused>) -> Outcome {
    context.writable()?;
    let dossier = context.dossier()?;
    let instructeur = context.instructeur(dossier)?;
    let from = state(context, dossier);
    step(context.world, dossier, Some(instructeur))?;
    let effect = Effect::State { from, to: state(context, dossier), motivation: None, justificatif: None };
    Ok(Done::on(dossier, instructeur, effect).notified(context.notifies()))
}

/// Where a correction that the usager owes keeps the dossier back, Démat Social has no words for it: an exception.
pub(super) fn passer_en_instruction(context: &mut MutationContext<'_>) -> Outcome {
    if context.world.platform == Platform::DematSocial {
        context.writable()?;
        let dossier = context.dossier()?;
        context.instructeur(dossier)?;
        if state(context, dossier) == State::EnConstruction && context.world.is_blocked(dossier) {
            return Err(Refusal::Crash);
        }
    }
    pass(context, World::passer_en_instruction)
}

pub(super) fn repasser_en_instruction(context: &mut MutationContext<'_>) -> Outcome {
    pass(context, World::repasser_en_instruction)
}

/// Where silence is a decision, nobody foresaw that the step is impossible: an exception, and nothing is done.
pub(super) fn repasser_en_construction(context: &mut MutationContext<'_>) -> Outcome {
    context.writable()?;
    let dossier = context.dossier()?;
    context.instructeur(dossier)?;
    let record = context.world.dossier(dossier).and_then(|dossier| context.world.demarche(dossier.demarche));
    if record.is_some_and(|demarche| demarche.sva) && state(context, dossier) == State::EnInstruction {
        return Err(Refusal::Crash);
    }
    pass(context, World::repasser_en_construction)
}

pub(super) fn decide(context: &mut MutationContext<'_>, to: State) -> Outcome {
    context.writable()?;
    let justificatif = context.blob("justificatif")?;
    let dossier = context.dossier()?;
    let instructeur = context.instructeur(dossier)?;
    let (from, checksum) = (state(context, dossier), justificatif.as_ref().map(|file| file.checksum()));
    let motivation = context.text("motivation").unwrap_or_default().to_owned();
    context.world.decide(dossier, to, &motivation, justificatif, Some(instructeur))?;
    let motivation = Some(motivation).filter(|text| !text.is_empty());
    let effect = Effect::State { from, to, motivation, justificatif: checksum };
    Ok(Done::on(dossier, instructeur, effect).notified(context.notifies()))
}

pub(super) fn archiver(context: &mut MutationContext<'_>, archived: bool) -> Outcome {
    context.writable()?;
    let dossier = context.dossier()?;
    let instructeur = context.instructeur(dossier)?;
    if archived { context.world.archiver(dossier) } else { context.world.desarchiver(dossier) }?;
    Ok(Done::on(dossier, instructeur, Effect::Archived(archived)))
}
