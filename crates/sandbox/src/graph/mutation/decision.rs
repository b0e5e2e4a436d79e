//! States and archives.

use super::desk::Desk;
use super::perform::{Done, Outcome, Refusal};
use crate::Platform;
use crate::world::{Effect, Refused, State, World};

fn state(desk: &Desk<'_>, dossier: u32) -> State {
    desk.world.dossier(dossier).map_or(State::Brouillon, |dossier| dossier.state)
}

/// A passage without a motivation.
fn pass(desk: &mut Desk<'_>, step: fn(&mut World, u32, Option<u32>) -> Result<(), Refused>) -> Outcome {
    desk.writable()?;
    let dossier = desk.dossier()?;
    let instructeur = desk.instructeur(dossier)?;
    let from = state(desk, dossier);
    step(desk.world, dossier, Some(instructeur))?;
    let effect = Effect::State { from, to: state(desk, dossier), motivation: None, justificatif: None };
    Ok(Done::on(dossier, instructeur, effect).notified(desk.notifies()))
}

/// Where a correction that the usager owes keeps the dossier back, Démat Social has no words for it: an exception.
pub(super) fn passer_en_instruction(desk: &mut Desk<'_>) -> Outcome {
    if desk.world.platform == Platform::DematSocial {
        desk.writable()?;
        let dossier = desk.dossier()?;
        desk.instructeur(dossier)?;
        if state(desk, dossier) == State::EnConstruction && desk.world.is_blocked(dossier) {
            return Err(Refusal::Crash);
        }
    }
    pass(desk, World::passer_en_instruction)
}

pub(super) fn repasser_en_instruction(desk: &mut Desk<'_>) -> Outcome {
    pass(desk, World::repasser_en_instruction)
}

/// Where silence is a decision, nobody foresaw that the step is impossible: an exception, and nothing is done.
pub(super) fn repasser_en_construction(desk: &mut Desk<'_>) -> Outcome {
    desk.writable()?;
    let dossier = desk.dossier()?;
    desk.instructeur(dossier)?;
    let record = desk.world.dossier(dossier).and_then(|dossier| desk.world.demarche(dossier.demarche));
    if record.is_some_and(|demarche| demarche.sva) && state(desk, dossier) == State::EnInstruction {
        return Err(Refusal::Crash);
    }
    pass(desk, World::repasser_en_construction)
}

pub(super) fn decide(desk: &mut Desk<'_>, to: State) -> Outcome {
    desk.writable()?;
    let justificatif = desk.blob("justificatif")?;
    let dossier = desk.dossier()?;
    let instructeur = desk.instructeur(dossier)?;
    let (from, checksum) = (state(desk, dossier), justificatif.as_ref().map(|file| file.checksum()));
    let motivation = desk.text("motivation").unwrap_or_default().to_owned();
    desk.world.decide(dossier, to, &motivation, justificatif, Some(instructeur))?;
    let motivation = Some(motivation).filter(|text| !text.is_empty());
    let effect = Effect::State { from, to, motivation, justificatif: checksum };
    Ok(Done::on(dossier, instructeur, effect).notified(desk.notifies()))
}

pub(super) fn archiver(desk: &mut Desk<'_>, archived: bool) -> Outcome {
    desk.writable()?;
    let dossier = desk.dossier()?;
    let instructeur = desk.instructeur(dossier)?;
    if archived { desk.world.archiver(dossier) } else { desk.world.desarchiver(dossier) }?;
    Ok(Done::on(dossier, instructeur, Effect::Archived(archived)))
}
