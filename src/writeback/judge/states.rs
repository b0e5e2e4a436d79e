//! Decides about changes of state: the steps to one, and if the history shows one that was taken back since. Pure.

use std::path::PathBuf;

use super::Case;
use super::lacking::Lacking;
use super::path::{NoWay, Passage, path};
use super::verdict::{Conflict, FileSlot, Refusal, Verdict};
use super::{messages, text};
use crate::api::Mutation;
use crate::dossier::{DossierState, Traitement};
use crate::intent::{Action, Answer, Intent, Words};

/// Gives the state that an action leads to; `None` if the action is about something else than the state.
pub(in crate::writeback) fn goal(action: &Action) -> Option<DossierState> {
    match action {
        Action::PasserEnInstruction | Action::RepasserEnInstruction => Some(DossierState::EnInstruction),
        Action::RepasserEnConstruction => Some(DossierState::EnConstruction),
        Action::Accepter { .. } => Some(DossierState::Accepte),
        Action::Refuser { .. } => Some(DossierState::Refuse),
        Action::ClasserSansSuite { .. } => Some(DossierState::SansSuite),
        Action::Archiver
        | Action::Desarchiver
        | Action::Message { .. }
        | Action::SupprimerMessage { .. }
        | Action::AnnulerDemandeCorrection
        | Action::Annotations { .. }
        | Action::AjouterLigne { .. }
        | Action::ChangerGroupe { .. }
        | Action::Label { .. }
        | Action::Suivre { .. } => None,
    }
}

/// Gives the state that a mutation leads to, by its name in an outbox.
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

/// Holds what an action decides, and how it is sent.
struct Decided<'a> {
    mutation: Mutation,
    motivation: Option<&'a Words>,
    /// A file of this machine that is joined to it.
    file: Option<&'a PathBuf>,
}

/// Reads the decision out of an action; `None` if the action decides nothing.
fn decided(action: &Action) -> Option<Decided<'_>> {
    let text = |words: &Words| words.as_str().to_owned();
    match action {
        Action::Accepter { motivation, justificatif } => {
            let given = motivation.as_ref().filter(|words| !words.is_blank()).map(text);
            let mutation = Mutation::Accepter { motivation: given, justificatif: None };
            Some(Decided { mutation, motivation: motivation.as_ref(), file: justificatif.as_ref() })
        }
        Action::Refuser { motivation, justificatif } => {
            let mutation = Mutation::Refuser { motivation: text(motivation), justificatif: None };
            Some(Decided { mutation, motivation: Some(motivation), file: justificatif.as_ref() })
        }
        Action::ClasserSansSuite { motivation, justificatif } => {
            let mutation = Mutation::ClasserSansSuite { motivation: text(motivation), justificatif: None };
            Some(Decided { mutation, motivation: Some(motivation), file: justificatif.as_ref() })
        }
        Action::PasserEnInstruction
        | Action::RepasserEnConstruction
        | Action::RepasserEnInstruction
        | Action::Archiver
        | Action::Desarchiver
        | Action::Message { .. }
        | Action::SupprimerMessage { .. }
        | Action::AnnulerDemandeCorrection
        | Action::Annotations { .. }
        | Action::AjouterLigne { .. }
        | Action::ChangerGroupe { .. }
        | Action::Label { .. }
        | Action::Suivre { .. } => None,
    }
}

fn motivation(action: &Action) -> Option<&Words> {
    decided(action).and_then(|decided| decided.motivation)
}

/// Tells if a motivation is the one that is wanted. An intent without a motivation is content with any.
fn gives(found: Option<&str>, wanted: Option<&Words>) -> bool {
    let wanted = wanted.filter(|words| !words.is_blank());
    wanted.is_none_or(|wanted| text::likeness(found.unwrap_or_default(), wanted.as_str()).is_some())
}

impl Case<'_> {
    /// Finds the next step to a state.
    pub(super) fn reach(&self, to: &DossierState) -> Result<Lacking, Verdict> {
        let from = &self.dossier.state;
        let wanted = motivation(&self.intent.action);
        let decides = to.is_terminal();
        // An intent of an earlier version, or of a program, may come without the motivation that the platform requires.
        if decides && *to != DossierState::Accepte && wanted.is_none_or(Words::is_blank) {
            return Err(Refusal::NoMotivation.into());
        }
        // “Déjà accepté” is a success only for the same motivation (trap 61).
        let given = !decides || gives(self.dossier.motivation.as_deref(), wanted);
        if from == to && given && self.progress.sends == 0 && !self.has_justificatif() {
            return Err(Conflict::OtherFile { found: from.clone() }.into());
        }
        if from == to && given {
            return Ok(Lacking::nothing());
        }
        if self.was_done(to)? {
            return Ok(Lacking::nothing());
        }
        if from == to {
            return Err(Conflict::OtherMotivation { found: from.clone() }.into());
        }
        let no_way = || Verdict::from(Refusal::NoWay { from: from.clone(), to: to.clone() });
        let steps = path(from, to, self.intent.overrule).map_err(|no| match no {
            NoWay::Decided => Conflict::Decided { found: from.clone(), wanted: to.clone() }.into(),
            NoWay::Illegal => no_way(),
        })?;
        // Where silence means a decision (SVA, SVR), giving back fails for ever: with HTTP 500 on Démat Social (trap
        // 62).
        if steps.contains(&Passage::RepasserEnConstruction)
            && self.dossier.date_previsionnelle_decision_sva_svr.is_some()
        {
            return Err(Refusal::SvaSvr.into());
        }
        let mutations: Option<Vec<_>> = steps.iter().map(|step| self.passage(*step)).collect();
        let mut mutations = mutations.ok_or_else(no_way)?.into_iter();
        let Some((mutation, file)) = mutations.next() else { return Ok(Lacking::nothing()) };
        let then: Vec<_> = mutations.map(|(mutation, _)| mutation.name()).collect();
        // Sent a second time, a step on the way would go over whoever took the first one back.
        if let Some(passed) = goal_of(mutation.name()).filter(|_| !then.is_empty())
            && self.has_passed(&passed)
        {
            return Err(self.taken_back(&passed));
        }
        let files = file.map(|path| (FileSlot::Decision, path)).into_iter().collect();
        Ok(self.candidate(mutation).with_files(files).followed_by(then).into())
    }

    /// Returns true if the decision that the dossier shows has the file of the intent, or if the intent has none.
    fn has_justificatif(&self) -> bool {
        let Some(path) = self.intent.action.file() else { return true };
        let shown = self.dossier.motivation_attachment.as_ref();
        shown.is_some_and(|shown| messages::is_file(shown, path, self.local(path)))
    }

    /// Takes a decision back.
    pub(super) fn reopen(&self) -> Result<Lacking, Verdict> {
        match &self.dossier.state {
            DossierState::EnInstruction => Ok(Lacking::nothing()),
            _ if self.was_done(&DossierState::EnInstruction)? => Ok(Lacking::nothing()),
            state if state.is_terminal() => Ok(self.candidate(Mutation::RepasserEnInstruction).into()),
            state => Err(Refusal::NoWay { from: state.clone(), to: DossierState::EnInstruction }.into()),
        }
    }

    /// Makes a mutation of a step, with its file; `None` for a decision if the action decides nothing.
    fn passage(&self, step: Passage) -> Option<(Mutation, Option<PathBuf>)> {
        match step {
            Passage::PasserEnInstruction => Some((Mutation::PasserEnInstruction, None)),
            Passage::RepasserEnConstruction => Some((Mutation::RepasserEnConstruction, None)),
            Passage::RepasserEnInstruction => Some((Mutation::RepasserEnInstruction, None)),
            Passage::Decider => decided(&self.intent.action).map(|decided| (decided.mutation, decided.file.cloned())),
        }
    }

    /// Looks in the history for a state that the dossier had and has no longer. The step that was sent last counts, with
    /// or without an answer; and what was done since the intent was asked for, in case the outbox is an earlier copy.
    ///
    /// # Errors
    /// Somebody moved it on since: nothing is sent over that.
    fn was_done(&self, to: &DossierState) -> Result<bool, Verdict> {
        let sent = self.progress.last.as_ref().and_then(|last| Some((last, goal_of(&last.key)?)));
        let found = &self.dossier.state;
        let Some((last, goal)) = sent else {
            let earlier = self.progress.sends == 0 && self.earlier_steps(to) > 0;
            return if earlier { Err(self.taken_back(to)) } else { Ok(false) };
        };
        let steps = self.dossier.traitements.iter().filter(|step| self.is_new_step(step, last));
        let steps: Vec<&Traitement> = steps.filter(|step| step.state == goal).collect();
        if steps.iter().any(|step| self.is_ours(step, to)) {
            return match goal {
                _ if goal == *to => Ok(true),
                _ if goal == *found => Ok(false),
                _ => Err(self.taken_back(&goal)),
            };
        }
        if goal == *found {
            return Ok(false);
        }
        // A colleague reached the same state: sending again would overwrite what followed (trap 70).
        if !steps.is_empty() {
            return Err(self.taken_back(&goal));
        }
        // The platform may answer a success without an effect: the dossier shows what is true (trap 59).
        if last.answer == Answer::Taken {
            return Err(self.no_effect(last).into());
        }
        Ok(false)
    }

    /// Tells that somebody moved the dossier on since it was brought to a state.
    fn taken_back(&self, done: &DossierState) -> Verdict {
        Conflict::Undone { done: done.clone(), found: self.dossier.state.clone() }.into()
    }

    /// Tells if this intent brought the dossier to a state on its way, whatever was sent after that.
    fn has_passed(&self, state: &DossierState) -> bool {
        self.progress.last.as_ref().is_some_and(|last| {
            let is_this = |step: &Traitement| step.state == *state && self.is_new_step(step, last);
            let ours = |step: &Traitement| self.is_ours(step, state) && !self.is_claimed(&step.id);
            self.dossier.traitements.iter().any(|step| is_this(step) && ours(step))
        })
    }

    /// Counts how often the dossier was brought to a state by this author and with these words since the intent was asked
    /// for, other intents of this outbox aside.
    fn earlier_steps(&self, to: &DossierState) -> usize {
        if self.dossier.state == *to || self.once {
            return 0;
        }
        // A decision is identified by its motivation; of another step little more than the time is known.
        let motivated = motivation(&self.intent.action).is_some_and(|words| !words.is_blank());
        let since = if motivated { self.since() } else { self.closely_since() };
        let steps = self.dossier.traitements.iter().enumerate().filter(|(rank, step)| {
            let before = rank.checked_sub(1).and_then(|rank| self.dossier.traitements.get(rank));
            let reopens = before.is_some_and(|before| before.state.is_terminal());
            // Both lead to `en_instruction`: the step before tells them apart. Every other state has one way to it.
            let is_reopening = self.intent.action == Action::RepasserEnInstruction;
            let kind = *to != DossierState::EnInstruction || reopens == is_reopening;
            let ours = step.state == *to && self.is_ours(step, to) && !self.is_claimed(&step.id);
            kind && ours && step.date_traitement >= since
        });
        let same = |other: &Intent| {
            let words = motivation(&other.action).map(Words::as_str);
            goal(&other.action).as_ref() == Some(to) && gives(words, motivation(&self.intent.action))
        };
        steps.count().saturating_sub(self.untraced(same).done)
    }

    /// Tells if the author of this intent took a step; of a decision, also if it has the same motivation.
    fn is_ours(&self, step: &Traitement, to: &DossierState) -> bool {
        let agent = step.email_agent_traitant.as_deref();
        let writer = self.writer();
        let in_this_name = agent.zip(writer).is_some_and(|(agent, writer)| agent.eq_ignore_ascii_case(writer));
        let decides = step.state == *to && to.is_terminal();
        in_this_name && (!decides || gives(step.motivation.as_deref(), motivation(&self.intent.action)))
    }

    /// Lists the steps of the history that this intent has taken.
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
