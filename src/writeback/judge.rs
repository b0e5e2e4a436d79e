//! What is to be done about an intent: decided from the dossier as it is now, without effects and without a clock.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use super::path::{NoWay, Passage, path};
use super::verdict::{Conflict, Refusal, Step, Verdict};
use super::{annotation, message, people};
use crate::api::Mutation;
use crate::demarche::{Demarche, Profile};
use crate::dossier::{Dossier, DossierState};
use crate::ids::{GroupeInstructeurNumber, InstructeurId, LabelId};
use crate::intent::{Action, Answer, Expected, Intent, Move, Progress, Seen, Witness, Words};
use crate::platform::Platform;

/// How often one and the same thing is sent before it is given up.
const MOST_SENDS: u32 = 5;

/// How often the platform is asked again when it says "later".
const MOST_PUT_OFF: u32 = 24;

/// Everything that a judgement depends on.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// Whose dossier.
    pub platform: Platform,
    /// Its démarche, with groupes, labels and form.
    pub demarche: &'a Demarche,
    /// The dossier now.
    pub dossier: &'a Dossier,
    /// The same, as a target would keep it.
    pub seen: &'a Seen,
    /// What is wanted.
    pub intent: &'a Intent,
    /// In whose name, when the intent does not say.
    pub author: Option<&'a str>,
    /// How far it came.
    pub progress: &'a Progress,
    /// How intents of ours moved this dossier, oldest first.
    pub moves: &'a [Move],
    /// The present instant.
    pub now: Timestamp,
    /// How long a request whose answer was lost may still be under way on the platform.
    pub quiet: SignedDuration,
    /// Whether a message that is there already is not sent another time: for intents that were never kept anywhere.
    pub once: bool,
}

/// What to do about an intent.
#[must_use]
pub fn judge(case: &Case<'_>) -> Verdict {
    match case.wanted() {
        Ok(Wanted::Done) => Verdict::Done,
        Ok(Wanted::Todo(todo)) => case.allowed(todo),
        Err(verdict) => verdict,
    }
}

/// What the dossier lacks of what was wanted.
enum Wanted {
    Done,
    Todo(Todo),
}

struct Todo {
    mutation: Mutation,
    /// What to know it by if it was sent before.
    key: String,
    file: Option<PathBuf>,
    witness: Witness,
    then: Vec<&'static str>,
}

impl Todo {
    fn of(mutation: Mutation) -> Wanted {
        Self::seen_by(mutation, Witness::State)
    }

    fn seen_by(mutation: Mutation, witness: Witness) -> Wanted {
        // Of single annotations there may be several in one intent.
        let key = match &mutation {
            Mutation::ModifierAnnotation { annotation, .. } => format!("{} {annotation}", mutation.name()),
            _ => mutation.name().to_owned(),
        };
        Wanted::Todo(Self { mutation, key, file: None, witness, then: Vec::new() })
    }
}

impl Wanted {
    /// The same, with a file to upload first and what follows.
    fn with(self, file: Option<PathBuf>, then: Vec<&'static str>) -> Self {
        match self {
            Self::Done => Self::Done,
            Self::Todo(todo) => Self::Todo(Todo { file, then, ..todo }),
        }
    }
}

impl From<Refusal> for Verdict {
    fn from(refusal: Refusal) -> Self {
        Self::Refuse(refusal)
    }
}

impl From<Conflict> for Verdict {
    fn from(conflict: Conflict) -> Self {
        Self::Conflict(conflict)
    }
}

impl Case<'_> {
    /// Compares what is wanted with what is.
    fn wanted(&self) -> Result<Wanted, Verdict> {
        if self.dossier.number != self.intent.dossier {
            return Err(Refusal::NoDossier.into());
        }
        let groupe = &self.dossier.groupe_instructeur.id;
        if !self.demarche.groupes_instructeurs.iter().any(|known| known.id == *groupe) {
            return Err(Refusal::OtherDemarche.into());
        }
        match &self.intent.action {
            Action::PasserEnInstruction => self.reach(&DossierState::EnInstruction, None),
            Action::RepasserEnConstruction => self.reach(&DossierState::EnConstruction, None),
            Action::RepasserEnInstruction => self.reopen(),
            Action::Accepter { motivation, .. } => self.reach(&DossierState::Accepte, motivation.as_ref()),
            Action::Refuser { motivation, .. } => self.reach(&DossierState::Refuse, Some(motivation)),
            Action::ClasserSansSuite { motivation, .. } => self.reach(&DossierState::SansSuite, Some(motivation)),
            Action::Archiver if self.dossier.archived => Ok(Wanted::Done),
            Action::Archiver if !self.dossier.state.is_terminal() => {
                Err(Refusal::NotDecided(self.dossier.state.clone()).into())
            }
            Action::Archiver => Ok(Todo::of(Mutation::Archiver)),
            Action::Desarchiver if self.dossier.archived => Ok(Todo::of(Mutation::Desarchiver)),
            Action::Desarchiver => Ok(Wanted::Done),
            Action::Message { .. } => self.say(),
            Action::SupprimerMessage { message } => {
                let there = |sent: &&crate::dossier::Message| sent.id == message.as_str();
                match self.dossier.messages.iter().find(there) {
                    Some(sent) if sent.discarded_at.is_none() => {
                        Ok(Todo::of(Mutation::SupprimerMessage { message: message.clone() }))
                    }
                    Some(_) => Ok(Wanted::Done),
                    None => Err(Refusal::Unknown(format!("the dossier has no message `{}`", message.as_str())).into()),
                }
            }
            Action::Annotations { edits } => {
                let missing = annotation::missing(self.demarche, self.dossier, edits)?;
                let batch = Mutation::ModifierAnnotations { edits: missing.clone() };
                match missing.into_iter().next() {
                    None => Ok(Wanted::Done),
                    Some(_) if batch.is_available_on(self.platform) => Ok(Todo::of(batch)),
                    Some(edit) => {
                        Ok(Todo::of(Mutation::ModifierAnnotation { annotation: edit.annotation, value: edit.value }))
                    }
                }
            }
            Action::AjouterLigne { annotation } => {
                let (champ, rows) = annotation::repetition(self.dossier, annotation)?;
                if self.showed(|witness| matches!(witness, Witness::Rows(before) if rows > before)) {
                    return Ok(Wanted::Done);
                }
                Ok(Todo::seen_by(Mutation::AjouterLigne { annotation: champ.id.clone() }, Witness::Rows(rows)))
            }
            Action::ChangerGroupe { groupe } => {
                let number = groupe.trim().parse().ok().map(GroupeInstructeurNumber::new);
                let known = self.demarche.groupes_instructeurs.iter();
                let mut known = known.filter(|known| Some(known.number) == number || known.label == groupe.trim());
                let found = known.next().ok_or_else(|| Refusal::Unknown(format!("no groupe is called `{groupe}`")))?;
                if found.id == self.dossier.groupe_instructeur.id {
                    return Ok(Wanted::Done);
                }
                Ok(Todo::of(Mutation::ChangerGroupeInstructeur { groupe: found.id.clone() }))
            }
            Action::Label { label, present } => {
                let named = |known: &&crate::demarche::Label| known.id == *label || known.name == label.trim();
                let there = self.dossier.labels.iter().find(named);
                match (there, present) {
                    (Some(_), true) | (None, false) => Ok(Wanted::Done),
                    (Some(known), false) => Ok(Todo::of(Mutation::SupprimerLabel { label: LabelId::new(&known.id) })),
                    (None, true) => {
                        let known = self.demarche.labels.iter().find(named);
                        let known = known.ok_or_else(|| Refusal::Unknown(format!("no label is called `{label}`")))?;
                        Ok(Todo::of(Mutation::AjouterLabel { label: LabelId::new(&known.id) }))
                    }
                }
            }
            Action::Suivre { follow } => {
                let author = self.author()?;
                let follows = self.dossier.instructeurs.iter().any(|profile| profile.id == author.id);
                if follows == *follow { Ok(Wanted::Done) } else { Ok(Todo::of(Mutation::Suivre { follow: *follow })) }
            }
        }
    }

    /// The steps to a state.
    fn reach(&self, to: &DossierState, motivation: Option<&Words>) -> Result<Wanted, Verdict> {
        let from = &self.dossier.state;
        let decides = to.is_terminal();
        if decides && *to != DossierState::Accepte && motivation.is_none_or(Words::is_blank) {
            return Err(Refusal::NoMotivation.into());
        }
        let overrule = self.intent.overrule;
        if from == to {
            return match motivation {
                Some(words) if decides && !self.gives(words) => {
                    Err(Conflict::OtherMotivation { found: from.clone() }.into())
                }
                _ => Ok(Wanted::Done),
            };
        }
        let steps = path(from, to, overrule).map_err(|no| match no {
            NoWay::Decided => Conflict::Decided { found: from.clone(), wanted: to.clone() }.into(),
            NoWay::Illegal => Verdict::from(Refusal::NoWay { from: from.clone(), to: to.clone() }),
        })?;
        if steps.contains(&Passage::RepasserEnConstruction)
            && self.dossier.date_previsionnelle_decision_sva_svr.is_some()
        {
            return Err(Refusal::SvaSvr.into());
        }
        let mut mutations = steps.iter().map(|step| self.passage(*step));
        let Some((mutation, file)) = mutations.next() else { return Ok(Wanted::Done) };
        let then = mutations.map(|(mutation, _)| mutation.name()).collect();
        Ok(Todo::of(mutation).with(file, then))
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

    fn reopen(&self) -> Result<Wanted, Verdict> {
        match &self.dossier.state {
            DossierState::EnInstruction => Ok(Wanted::Done),
            state if state.is_terminal() => Ok(Todo::of(Mutation::RepasserEnInstruction)),
            state => Err(Refusal::NoWay { from: state.clone(), to: DossierState::EnInstruction }.into()),
        }
    }

    /// Whether the decision was given for this reason.
    fn gives(&self, words: &Words) -> bool {
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        words.is_blank() || squeezed(self.dossier.motivation.as_deref().unwrap_or_default()) == squeezed(words.as_str())
    }

    fn say(&self) -> Result<Wanted, Verdict> {
        let Action::Message { body, attachment, correction } = &self.intent.action else { return Ok(Wanted::Done) };
        if body.is_blank() {
            return Err(Refusal::EmptyMessage.into());
        }
        let author = self.author()?;
        let said = message::count(self.dossier, &author.email, body.as_str(), attachment.as_deref());
        if self.showed(|witness| matches!(witness, Witness::Messages(before) if said > before)) {
            return Ok(Wanted::Done);
        }
        if self.once && self.progress.sends == 0 && said > 0 {
            return Ok(Wanted::Done);
        }
        if self.dossier.archived {
            return Err(Refusal::Archived.into());
        }
        if self.dossier.connection_usager == "deleted" {
            return Err(Refusal::NoUsager.into());
        }
        if correction.is_some() {
            if self.dossier.state.is_terminal() {
                return Err(Refusal::NoCorrection("the dossier is decided").into());
            }
            if self.dossier.date_derniere_correction_en_attente.is_some() {
                return Err(Refusal::NoCorrection("one is awaited already").into());
            }
        }
        let mutation =
            Mutation::EnvoyerMessage { body: body.as_str().to_owned(), attachment: None, correction: *correction };
        Ok(Todo::seen_by(mutation, Witness::Messages(said)).with(attachment.clone(), Vec::new()))
    }

    /// Whether what was sent last was done, by the platform's own answer or by what the dossier shows.
    fn showed(&self, shows: impl Fn(Witness) -> bool) -> bool {
        self.progress.last.as_ref().is_some_and(|last| match last.answer {
            Answer::Taken => true,
            Answer::Unknown | Answer::Refused(_) => shows(last.witness),
        })
    }

    fn author(&self) -> Result<&Profile, Refusal> {
        let author = self.intent.author.as_ref().map(Words::as_str).or(self.author).ok_or(Refusal::NoAuthor)?;
        people::instructeur(self.demarche, self.dossier, author)
    }

    /// Whether what is lacking may be sent now.
    fn allowed(&self, todo: Todo) -> Verdict {
        let name = todo.mutation.name();
        let last = self.progress.last.as_ref().filter(|last| last.key == todo.key);
        if last.is_some_and(|last| last.answer == Answer::Taken) {
            // It was done; that the dossier shows something else since is somebody else's doing.
            return Verdict::Done;
        }
        if !todo.mutation.is_available_on(self.platform) {
            return Refusal::NotAvailable { what: name, platform: self.platform }.into();
        }
        if self.progress.sends == 0
            && let Some(conflict) = self.moved()
        {
            return conflict.into();
        }
        if let Some(last) = last {
            let idempotent = matches!(todo.witness, Witness::State);
            match &last.answer {
                Answer::Refused(words) => match later(words) && self.progress.put_off < MOST_PUT_OFF {
                    // Waited for already, or to be waited for.
                    true if self.progress.not_before.is_some_and(|until| until <= self.now) => {}
                    true => return Verdict::Wait { until: self.now + SignedDuration::from_mins(15) },
                    false => return Refusal::Platform(words.clone()).into(),
                },
                Answer::Unknown if !idempotent && self.now < last.at + self.quiet => {
                    return Verdict::Wait { until: last.at + self.quiet };
                }
                Answer::Unknown if last.times >= MOST_SENDS => {
                    return if idempotent { Refusal::NoEffect(last.times).into() } else { Verdict::Ambiguous };
                }
                Answer::Unknown | Answer::Taken => {}
            }
        }
        let by = match self.author() {
            Ok(author) => InstructeurId::new(author.id.clone()),
            Err(refusal) => return refusal.into(),
        };
        let Todo { mutation, key, file, witness, then } = todo;
        Verdict::Send(Box::new(Step { mutation, key, file, by, witness, then }))
    }

    /// Whether the dossier is another than the one that the person saw, by somebody else's doing.
    fn moved(&self) -> Option<Conflict> {
        let Expected { state, fingerprint } = &self.intent.expected;
        let state_moved = state.as_ref().is_some_and(|state| !self.carried(state, |seen| &seen.state));
        let print_moved = fingerprint.as_ref().is_some_and(|print| !self.carried(print, |seen| &seen.fingerprint));
        (state_moved || print_moved).then(|| Conflict::Moved {
            expected: words(state.as_ref(), fingerprint.as_ref()),
            found: words(Some(&self.seen.state), fingerprint.as_ref().map(|_| &self.seen.fingerprint)),
        })
    }

    /// Whether what the person saw led to what is now by our own moves alone.
    fn carried<T: PartialEq>(&self, expected: &T, of: impl Fn(&Seen) -> &T) -> bool {
        let mut reached = vec![expected];
        for step in self.moves {
            if reached.contains(&of(&step.before)) {
                reached.push(of(&step.after));
            }
        }
        reached.contains(&of(self.seen))
    }
}

/// Whether the platform asks to try again later, in its own words: the company's data are being fetched (dn-api 7).
fn later(words: &[String]) -> bool {
    words.iter().any(|words| words.contains("réessayer plus tard"))
}

fn words(state: Option<&DossierState>, fingerprint: Option<&crate::table::Fingerprint>) -> String {
    let state = state.map(ToString::to_string);
    let version = fingerprint.map(|fingerprint| format!("version {fingerprint}"));
    [state, version].into_iter().flatten().collect::<Vec<_>>().join(", ")
}
