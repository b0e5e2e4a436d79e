//! Finds the legal steps from the state that a dossier has to the one that it should have (docs/platform.md#mutations).
//! Pure.

use crate::dossier::DossierState;

/// A step between two states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passage {
    PasserEnInstruction,
    RepasserEnConstruction,
    RepasserEnInstruction,
    /// The decision itself.
    Decider,
}

/// Says why no steps lead there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoWay {
    /// Another decision was taken: it takes an operator's word to undo it.
    Decided,
    /// The platform knows no such step.
    Illegal,
}

/// Lists the steps from one state to another; none if it is there already.
pub(super) fn path(from: &DossierState, to: &DossierState, overrule: bool) -> Result<Vec<Passage>, NoWay> {
    use DossierState::{Accepte, EnConstruction, EnInstruction, Inconnu, Refuse, SansSuite};
    use Passage::{Decider, PasserEnInstruction, RepasserEnConstruction, RepasserEnInstruction};
    if from == to {
        return Ok(Vec::new());
    }
    match (from, to) {
        (EnConstruction, EnInstruction) => Ok(vec![PasserEnInstruction]),
        (EnConstruction, Accepte | Refuse | SansSuite) => Ok(vec![PasserEnInstruction, Decider]),
        (EnInstruction, EnConstruction) => Ok(vec![RepasserEnConstruction]),
        (EnInstruction, Accepte | Refuse | SansSuite) => Ok(vec![Decider]),
        (Accepte | Refuse | SansSuite, _) if !overrule => Err(NoWay::Decided),
        (Accepte | Refuse | SansSuite, EnInstruction) => Ok(vec![RepasserEnInstruction]),
        (Accepte | Refuse | SansSuite, EnConstruction) => Ok(vec![RepasserEnInstruction, RepasserEnConstruction]),
        (Accepte | Refuse | SansSuite, Accepte | Refuse | SansSuite) => Ok(vec![RepasserEnInstruction, Decider]),
        (Inconnu(_), _) | (_, Inconnu(_)) => Err(NoWay::Illegal),
        (EnConstruction, EnConstruction) | (EnInstruction, EnInstruction) => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [&str; 5] = ["en_construction", "en_instruction", "accepte", "refuse", "sans_suite"];

    /// Does what the platform allows, one step at a time.
    fn after(state: &DossierState, step: Passage, goal: &DossierState) -> DossierState {
        match (state.as_str(), step) {
            ("en_construction", Passage::PasserEnInstruction) => DossierState::EnInstruction,
            ("en_instruction", Passage::RepasserEnConstruction) => DossierState::EnConstruction,
            ("accepte" | "refuse" | "sans_suite", Passage::RepasserEnInstruction) => DossierState::EnInstruction,
            ("en_instruction", Passage::Decider) => goal.clone(),
            (state, step) => panic!("{step:?} is not legal from {state}"),
        }
    }

    #[test]
    fn every_way_is_made_of_legal_steps_and_ends_where_it_should() {
        for from in STATES.map(DossierState::from) {
            for to in STATES.map(DossierState::from) {
                let steps = path(&from, &to, true).expect("an operator may do everything that is legal");
                let end = steps.iter().fold(from.clone(), |state, step| after(&state, *step, &to));
                assert_eq!(end, to, "from {from}");
            }
        }
    }

    #[test]
    fn a_decision_is_not_undone_without_a_word() {
        for from in ["accepte", "refuse", "sans_suite"].map(DossierState::from) {
            for to in STATES.map(DossierState::from) {
                let expected = if from == to { Ok(Vec::new()) } else { Err(NoWay::Decided) };
                assert_eq!(path(&from, &to, false), expected, "{from} to {to}");
            }
        }
    }

    #[test]
    fn an_unknown_state_has_no_way() {
        let unknown = DossierState::from("en_orbite");
        assert_eq!(path(&unknown, &DossierState::Accepte, true), Err(NoWay::Illegal));
    }
}
