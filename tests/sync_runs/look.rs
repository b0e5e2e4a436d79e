//! Queries of these tests beside the runs.

use demarche_numerique::DossierNumber;
use demarche_numerique::dossier::Gone;
use demarche_numerique::sandbox::world::State;
use demarche_numerique::sink::Sink;
use demarche_numerique::sync::SyncError;

use super::lab::Lab;

/// The dossiers that the platform shows, in the order of their last modification: that of the walk.
pub fn in_order<S: Sink>(lab: &Lab<S>) -> Vec<u32> {
    let truth = lab.sandbox.snapshot(lab.demarche());
    let mut dated: Vec<_> = truth.dossiers.values().map(|dossier| (dossier.updated_at, dossier.number)).collect();
    dated.sort_unstable();
    dated.into_iter().map(|(_, number)| number).collect()
}

/// The dossiers in a state, by number.
pub fn all_in<S: Sink>(lab: &Lab<S>, state: State) -> Vec<u32> {
    let truth = lab.sandbox.snapshot(lab.demarche());
    truth.dossiers.values().filter(|dossier| dossier.state == state).map(|dossier| dossier.number).collect()
}

/// The first dossier in a state.
pub fn one_in<S: Sink>(lab: &Lab<S>, state: State) -> u32 {
    *all_in(lab, state).first().expect("the world has every state")
}

/// The tombstone of a dossier that the target holds.
pub async fn tombstone<S: Sink>(lab: &Lab<S>, number: u32) -> Option<Gone> {
    let number = DossierNumber::new(number);
    let documents = lab.sink.documents(&lab.scope, None, 1_000_000).await.expect("a readable target");
    let stored = documents.into_iter().find(|stored| stored.number == number);
    stored.expect("the dossier is in the target, there or gone").gone
}

/// Counts the dossiers that the target shows.
pub async fn alive<S: Sink>(lab: &Lab<S>) -> u64 {
    lab.sink.totals(&lab.scope).await.expect("a readable target").alive
}

/// The numbers in quarantine.
pub async fn set_aside<S: Sink>(lab: &Lab<S>) -> Vec<u32> {
    let mut numbers: Vec<u32> = lab.quarantine().await.iter().map(|entry| entry.number.get()).collect();
    numbers.sort_unstable();
    numbers
}

/// One run that must fail because of the platform: the kind of its error.
pub async fn failure<S: Sink>(lab: &Lab<S>) -> String {
    match lab.try_run().await.error.expect("the run fails") {
        SyncError::Api(error) => error.kind().to_owned(),
        error => panic!("not an error of the platform: {error:?}"),
    }
}
