//! Examines an entry of an outbox: reads what the decision depends on, and takes it. Nothing is sent and nothing is written.

use std::path::Path;

use jiff::SignedDuration;

use super::decision::{Decision, Requirement};
use super::error::PushError;
use super::judge::{Case, LocalFiles, Refusal, files_of, goal, judge};
use super::push::Push;
use super::send;
use crate::api::ApiError;
use crate::demarche::Demarche;
use crate::dossier::{Dossier, DossierState};
use crate::fingerprint::Digest;
use crate::intent::{Action, Intent, Progress, Seen, Status};
use crate::privacy::FormTypes;
use crate::sink::{Entry, Outbox, Recorded};

/// Examines entries of one outbox.
pub(super) struct Examiner<'a, O> {
    push: &'a Push<'a, O>,
    demarche: Demarche,
    types: FormTypes,
}

/// Holds what an outbox knows beside an entry.
pub(super) struct Related {
    /// The other intents about its dossier, in their order.
    others: Vec<Recorded>,
    requirement: Requirement,
}

impl Related {
    /// Takes an intent that this one requires, and that is pending, for done.
    pub fn assume_done(self) -> Self {
        Self { requirement: self.requirement.assume_done(), ..self }
    }
}

/// Holds a decision, and the dossier as it was read for it.
pub(super) struct Examined {
    pub decision: Decision,
    /// `None` if no dossier was read, or none is shown.
    pub dossier: Option<Dossier>,
}

impl From<Decision> for Examined {
    fn from(decision: Decision) -> Self {
        Self { decision, dossier: None }
    }
}

impl<'a, O: Outbox> Examiner<'a, O> {
    /// Reads the form of the démarche, and what the target remembers of it.
    pub async fn new(push: &'a Push<'a, O>) -> Result<Self, PushError> {
        let mut demarche = push.client.demarche(push.scope.demarche).await?;
        // A rule of privacy keeps matching the kinds that a question had, so that both digests of a dossier are
        // equal.
        if let Some(stored) = push.outbox.stored_form(push.scope).await? {
            demarche.remember(&stored);
        }
        let types = FormTypes::of(&demarche);
        Ok(Self { push, demarche, types })
    }

    /// Reads what the outbox knows beside an entry.
    pub async fn related(&self, entry: &Entry) -> Result<Related, PushError> {
        let Ok(intent) = &entry.intent else {
            return Ok(Related { others: Vec::new(), requirement: Requirement::Met });
        };
        let mut others = self.push.outbox.of_dossier(self.push.scope, entry.dossier).await?;
        others.retain(|other| other.entry.id != entry.id);
        let requirement = self.requirement(intent, &others).await?;
        Ok(Related { others, requirement })
    }

    async fn requirement(&self, intent: &Intent, others: &[Recorded]) -> Result<Requirement, PushError> {
        let Some(id) = &intent.requires else { return Ok(Requirement::Met) };
        let decision = |recorded: &Recorded| {
            let intent = recorded.entry.intent.as_ref().ok()?;
            goal(&intent.action).filter(DossierState::is_terminal)
        };
        let required = others.iter().find(|other| other.entry.id == *id).and_then(decision);
        Ok(match self.push.outbox.status(self.push.scope, id).await? {
            Some(Status::AlreadyDone) if required.is_some() => {
                let made = others.iter().any(|other| other.status == Status::Done && decision(other) == required);
                if made { Requirement::Met } else { Requirement::Foreign }
            }
            Some(Status::Done | Status::AlreadyDone) => Requirement::Met,
            Some(Status::Pending) => Requirement::Pending,
            Some(Status::Refused | Status::Conflict | Status::Ambiguous | Status::Cancelled) | None => {
                Requirement::Failed(id.clone())
            }
        })
    }

    /// Decides what is to be done with an entry that came this far.
    pub async fn examine(&self, entry: &Entry, progress: &Progress, related: &Related) -> Result<Examined, PushError> {
        let progress = progress.clone();
        let intent = match &entry.intent {
            Ok(intent) => intent,
            Err(reason) => {
                return Ok(Decision::refuse(progress, &Refusal::Unreadable(reason.clone()), None).into());
            }
        };
        let foreign = match &related.requirement {
            Requirement::Met => false,
            Requirement::Foreign => true,
            Requirement::Pending => return Ok(Decision::requires_a_pending_one(progress).into()),
            Requirement::Failed(id) => {
                return Ok(Decision::refuse(progress, &Refusal::Requires(id.to_string()), None).into());
            }
        };
        let dossier = match self.push.client.dossier(entry.dossier).await {
            Ok(Some(dossier)) => dossier,
            // `not_found` has several meanings (trap 35), and none of them can be written to.
            Ok(None) => return Ok(Decision::dossier_absent(progress).into()),
            Err(error) if concerns_one(&error) => return Ok(Decision::dossier_unreadable(progress, &error).into()),
            Err(error) => return Err(error.into()),
        };
        let seen = self.seen(&dossier);
        // What was begun is brought to its end, also where it takes the dossier out of the selection.
        if progress.sends == 0 && !self.push.filter.selection().keeps(&dossier) {
            let decision = Decision::refuse(progress, &Refusal::Outside, None);
            return Ok(Examined { decision, dossier: Some(dossier) });
        }
        let files = self.files(intent, &dossier).await;
        let verdict = judge(&Case {
            platform: self.push.client.platform(),
            demarche: &self.demarche,
            dossier: &dossier,
            seen: &seen,
            intent,
            asked_at: entry.asked_at,
            author: self.push.author,
            progress: &progress,
            others: &related.others,
            foreign,
            now: (self.push.clock)(),
            skew: self.skew(),
            quiet: self.push.quiet,
            files: &files,
            once: self.push.once,
        });
        // Before anything is written into the outbox as sent: an instance may be older than the pinned schema.
        let decision = self.available(Decision::of(verdict, progress, &dossier.id, seen)).await?;
        Ok(Examined { decision, dossier: Some(dossier) })
    }

    /// Refuses a mutation that the platform lacks: an older one may, where the pinned schema has it.
    async fn available(&self, decision: Decision) -> Result<Decision, PushError> {
        let Decision::Send { progress, step, dossier, seen } = decision else { return Ok(decision) };
        match self.push.client.lacks(&step.mutation).await {
            Ok(None) => Ok(Decision::Send { progress, step, dossier, seen }),
            Ok(Some(what)) => {
                let refusal = Refusal::NotAvailable { what, platform: self.push.client.platform() };
                Ok(Decision::refuse(progress, &refusal, Some(seen)))
            }
            Err(error) if concerns_one(&error) => Ok(Decision::not_sent(progress, &error, seen)),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads and digests the files of this machine that an intent names.
    async fn files(&self, intent: &Intent, dossier: &Dossier) -> LocalFiles {
        let paths = match &intent.action {
            Action::Annotations { edits } => files_of(&self.demarche, dossier, edits),
            action => action.file().map(Path::to_owned).into_iter().collect(),
        };
        let mut files = LocalFiles::new();
        for path in paths {
            let digested = send::digested(&path, &intent.action).await;
            files.insert(path, digested);
        }
        files
    }

    /// Digests the dossier as the target would keep it.
    fn seen(&self, dossier: &Dossier) -> Seen {
        let mut kept = dossier.clone();
        self.push.filter.apply(&mut kept, &self.types);
        Seen { state: dossier.state.clone(), fingerprint: Digest::of(kept.document().as_bytes()) }
    }

    /// Gives the platform's clock minus ours.
    fn skew(&self) -> SignedDuration {
        let now = (self.push.clock)();
        // Messages and steps bear the platform's dates, `asked_at` is ours.
        self.push.client.platform_now().map_or(SignedDuration::ZERO, |platform| platform.duration_since(now))
    }
}

/// Tells if the platform fails on one dossier, and not on everything.
pub(super) fn concerns_one(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::ServerError { .. }
            | ApiError::Partial { .. }
            | ApiError::Undecodable { .. }
            | ApiError::OutOfScope { .. }
    )
}
