//! Changes of state: the way to one, and what the history says of one that is not to be seen any more. Pure.

use std::path::PathBuf;

use super::judge::{Case, Wanted};
use super::path::{NoWay, Passage, path};
use super::verdict::{Conflict, Refusal, Verdict};
use super::{message, text};
use crate::api::Mutation;
use crate::dossier::{DossierState, Traitement};
use crate::intent::{Action, Answer, Intent, Words};

/// The state that an action leads to.
pub(super) fn goal(action: &Action) -> Option<DossierState> {
    Some(match action {
        Action::PasserEnInstruction | Action::RepasserEnInstruction => DossierState::EnInstruction,
        Action::RepasserEnConstruction => DossierState::EnConstruction,
        Action::Accepter { .. } => DossierState::Accepte,
        Action::Refuser { .. } => DossierState::Refuse,
        Action::ClasserSansSuite { .. } => DossierState::SansSuite,
        _ => return None,
    })
}

/// The state that a mutation leads to, by its name.
fn goal_of(mutation: &str) -> Option<DossierState> {
    Some(match mutation {
        "dossierPasserEnInstruction" | "dossierRepasserEnInstruction" => DossierState::EnInstruction,
        "dossierRepasserEnConstruction" => DossierState::EnConstruction,
        "dossierAccepter" => DossierState::Accepte,
        "dossierRefuser" => DossierState::Refuse,
        "dossierClasserSansSuite" => DossierState::SansSuite,
        _ => return None,
    })
}

fn motivation(action: &Action) -> Option<&Words> {
    match action {
        Action::Accepter { motivation, .. } => motivation.as_ref(),
        Action::Refuser { motivation, .. } | Action::ClasserSansSuite { motivation, .. } => Some(motivation),
        _ => None,
    }
}

/// Whether a motivation is the one that is wanted; none wants none in particular.
fn gives(found: Option<&str>, wanted: Option<&Words>) -> bool {
    let wanted = wanted.filter(|words| !words.is_blank());
    wanted.is_none_or(|wanted| text::likeness(found.unwrap_or_default(), wanted.as_str()).is_some())
}

impl Case<'_> {
    /// The steps to a state.
    pub(super) fn reach(&self, to: &DossierState) -> Result<Wanted, Verdict> {
        let from = &self.dossier.state;
        let wanted = motivation(&self.intent.action);
        let decides = to.is_terminal();
        if decides && *to != DossierState::Accepte && wanted.is_none_or(Words::is_blank) {
            return Err(Refusal::NoMotivation.into());
        }
        let given = !decides || gives(self.dossier.motivation.as_deref(), wanted);
        if from == to && given && self.progress.sends == 0 && !self.has_justificatif() {
            return Err(Conflict::OtherFile { found: from.clone() }.into());
        }
        if from == to && given {
            return Ok(Wanted::done());
        }
        if self.was_done(to)? {
            return Ok(Wanted::done());
        }
        if from == to {
            return Err(Conflict::OtherMotivation { found: from.clone() }.into());
        }
        let steps = path(from, to, self.intent.overrule).map_err(|no| match no {
            NoWay::Decided => Conflict::Decided { found: from.clone(), wanted: to.clone() }.into(),
            NoWay::Illegal => Verdict::from(Refusal::NoWay { from: from.clone(), to: to.clone() }),
        })?;
        if steps.contains(&Passage::RepasserEnConstruction)
            && self.dossier.date_previsionnelle_decision_sva_svr.is_some()
        {
            return Err(Refusal::SvaSvr.into());
        }
        let mut mutations = steps.iter().map(|step| self.passage(*step));
        let Some((mutation, file)) = mutations.next() else { return Ok(Wanted::done()) };
        let then = mutations.map(|(mutation, _)| mutation.name()).collect();
        Ok(self.todo(mutation).with(file, then))
    }

    /// Returns true if the decision that the dossier shows has the file of the intent, or if the intent has none.
    fn has_justificatif(&self) -> bool {
        let Some(path) = self.intent.action.file() else { return true };
        let shown = self.dossier.motivation_attachment.as_ref();
        shown.is_some_and(|shown| message::is_file(shown, path, self.local(path)))
    }

    /// A decision taken back.
    pub(super) fn reopen(&self) -> Result<Wanted, Verdict> {
        match &self.dossier.state {
            DossierState::EnInstruction => Ok(Wanted::done()),
            _ if self.was_done(&DossierState::EnInstruction)? => Ok(Wanted::done()),
            state if state.is_terminal() => Ok(self.todo(Mutation::RepasserEnInstruction)),
            state => Err(Refusal::NoWay { from: state.clone(), to: DossierState::EnInstruction }.into()),
        }
    }

    fn passage(&self, step: Passage) -> (Mutation, Option<PathBuf>) {
        let text = |words: &Words| words.as_str().to_owned();
        match (step, &self.intent.action) {
            (Passage::PasserEnInstruction, _) => (Mutation::PasserEnInstruction, None),
            (Passage::RepasserEnConstruction, _) => (Mutation::RepasserEnConstruction, None),
            (Passage::Decider, Action::Accepter { motivation, justificatif }) => {
                let motivation = motivation.as_ref().filter(|words| !words.is_blank()).map(text);
                (Mutation::Accepter { motivation, justificatif: None }, justificatif.clone())
            }
            (Passage::Decider, Action::Refuser { motivation, justificatif }) => {
                (Mutation::Refuser { motivation: text(motivation), justificatif: None }, justificatif.clone())
            }
            (Passage::Decider, Action::ClasserSansSuite { motivation, justificatif }) => {
                (Mutation::ClasserSansSuite { motivation: text(motivation), justificatif: None }, justificatif.clone())
            }
            // Only actions that decide have a way that ends with a decision.
            (Passage::RepasserEnInstruction | Passage::Decider, _) => (Mutation::RepasserEnInstruction, None),
        }
    }

    /// Whether the history shows that the dossier was brought to a state that it does not have any more. The step that was
    /// sent last counts, whatever became of its answer; and what was done since the intent was asked for, should the outbox
    /// have been put back to an earlier time.
    ///
    /// # Errors
    /// Somebody moved it on since: nothing is sent over that.
    fn was_done(&self, to: &DossierState) -> Result<bool, Verdict> {
        let sent = self.progress.last.as_ref().and_then(|last| Some((last, goal_of(&last.key)?)));
        let found = &self.dossier.state;
        let taken_back =
            |done: &DossierState| Verdict::from(Conflict::Undone { done: done.clone(), found: found.clone() });
        let Some((last, goal)) = sent else {
            let earlier = self.progress.sends == 0 && self.earlier_steps(to) > 0;
            return if earlier { Err(taken_back(to)) } else { Ok(false) };
        };
        let steps = self.dossier.traitements.iter().filter(|step| self.is_new_step(step, last));
        let steps: Vec<&Traitement> = steps.filter(|step| step.state == goal).collect();
        if steps.iter().any(|step| self.is_ours(step, to)) {
            return match goal {
                _ if goal == *to => Ok(true),
                _ if goal == *found => Ok(false),
                _ => Err(taken_back(&goal)),
            };
        }
        if goal == *found {
            return Ok(false);
        }
        if !steps.is_empty() {
            return Err(taken_back(&goal));
        }
        if last.answer == Answer::Taken {
            return Err(self.no_effect(last).into());
        }
        Ok(false)
    }

    /// How often the dossier was brought to a state in this name and with these words since the intent was asked for, and by
    /// no other intent of this outbox.
    fn earlier_steps(&self, to: &DossierState) -> usize {
        if self.dossier.state == *to || self.once {
            return 0;
        }
        // A decision is known by its reason; of another step little more than the time is known.
        let motivated = motivation(&self.intent.action).is_some_and(|words| !words.is_blank());
        let since = if motivated { self.since() } else { self.closely_since() };
        let steps = self.dossier.traitements.iter().enumerate().filter(|(rank, step)| {
            let before = rank.checked_sub(1).and_then(|rank| self.dossier.traitements.get(rank));
            let reopens = before.is_some_and(|before| before.state.is_terminal());
            let kind = match self.intent.action {
                Action::PasserEnInstruction => !reopens,
                Action::RepasserEnInstruction => reopens,
                _ => true,
            };
            let ours = step.state == *to && self.is_ours(step, to) && !self.is_claimed(&step.id);
            kind && ours && step.date_traitement >= since
        });
        let same = |other: &Intent| {
            let words = motivation(&other.action).map(Words::as_str);
            goal(&other.action).as_ref() == Some(to) && gives(words, motivation(&self.intent.action))
        };
        steps.count().saturating_sub(self.untraced(same).done)
    }

    /// Whether a step was taken in whose name the intent is; the last one also for its reason.
    fn is_ours(&self, step: &Traitement, to: &DossierState) -> bool {
        let agent = step.email_agent_traitant.as_deref();
        let writer = self.writer();
        let in_this_name = agent.zip(writer).is_some_and(|(agent, writer)| agent.eq_ignore_ascii_case(writer));
        let decides = step.state == *to && to.is_terminal();
        in_this_name && (!decides || gives(step.motivation.as_deref(), motivation(&self.intent.action)))
    }

    /// The steps of the history that this intent has taken.
    pub(super) fn steps_made(&self) -> Vec<String> {
        let moves = goal(&self.intent.action).is_some()
            || matches!(self.intent.action, Action::Message { correction: Some(_), .. });
        let (Some(last), true) = (&self.progress.last, moves) else { return Vec::new() };
        let writer = self.writer().unwrap_or_default();
        let ours = self.dossier.traitements.iter().filter(|step| {
            let agent = step.email_agent_traitant.as_deref().unwrap_or_default();
            agent.eq_ignore_ascii_case(writer) && self.is_new_step(step, last) && !self.is_claimed(&step.id)
        });
        ours.map(|step| step.id.clone()).collect()
    }
}
