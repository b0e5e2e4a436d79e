//! Keeps intents in memory: for one command, and for tests.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::{Backlog, Entry, Happening, Outbox, OutboxStep, Received, Recorded, TrailLine};
use crate::ids::{DossierNumber, Scope};
use crate::intent::{Intent, IntentId, Move, Progress, Status};
use crate::sink::SinkError;

/// An outbox in memory.
#[derive(Debug, Default)]
pub struct MemoryOutbox {
    state: Mutex<State>,
}

#[derive(Clone, Debug, Default)]
struct State {
    kept: Vec<Kept>,
    trail: Vec<(Scope, TrailLine)>,
}

/// A copy is the outbox as it is at this instant, as a backup of a target has it.
impl Clone for MemoryOutbox {
    fn clone(&self) -> Self {
        Self { state: Mutex::new(self.state().clone()) }
    }
}

#[derive(Clone, Debug)]
struct Kept {
    scope: Scope,
    entry: Entry,
    status: Status,
    moved: Option<Move>,
}

impl State {
    fn of<'s>(&'s self, scope: &'s Scope) -> impl Iterator<Item = &'s Kept> {
        self.kept.iter().filter(move |kept| kept.scope == *scope)
    }

    fn line(&mut self, scope: &Scope, mut line: TrailLine) {
        line.seq = i64::try_from(self.trail.len()).unwrap_or(i64::MAX) + 1;
        self.trail.push((scope.clone(), line));
    }
}

impl MemoryOutbox {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outbox for MemoryOutbox {
    fn outbox_name(&self) -> &str {
        "memory"
    }

    async fn begin(&self, _: &Scope) -> Result<(), SinkError> {
        Ok(())
    }

    async fn end(&self, _: &Scope) -> Result<(), SinkError> {
        Ok(())
    }

    async fn put(&self, scope: &Scope, intents: &[Intent], at: Timestamp) -> Result<Received, SinkError> {
        let mut state = self.state();
        let mut received = Received::default();
        for intent in intents {
            let found = state.of(scope).find(|kept| kept.entry.id == intent.id).map(|kept| kept.entry.intent.clone());
            match found {
                Some(Ok(known)) if known == *intent => received.known += 1,
                Some(_) => received.taken.push(intent.id.clone()),
                None => {
                    let entry = Entry {
                        seq: i64::try_from(state.kept.len()).unwrap_or(i64::MAX) + 1,
                        id: intent.id.clone(),
                        dossier: intent.dossier,
                        intent: Ok(intent.clone()),
                        asked_at: at,
                        progress: Progress::default(),
                    };
                    let line = TrailLine::of_entry(&entry, Happening::Asked, at);
                    state.line(scope, line);
                    state.kept.push(Kept { scope: scope.clone(), entry, status: Status::Pending, moved: None });
                    received.new += 1;
                }
            }
        }
        Ok(received)
    }

    async fn pending(&self, scope: &Scope, after: Option<i64>, limit: u32) -> Result<Vec<Entry>, SinkError> {
        let state = self.state();
        let pending = state.of(scope).filter(|kept| kept.status == Status::Pending).map(|kept| &kept.entry);
        let pending = pending.filter(|entry| after.is_none_or(|after| entry.seq > after));
        Ok(pending.take(limit as usize).cloned().collect())
    }

    async fn status(&self, scope: &Scope, id: &IntentId) -> Result<Option<Status>, SinkError> {
        Ok(self.state().of(scope).find(|kept| kept.entry.id == *id).map(|kept| kept.status))
    }

    async fn of_dossier(&self, scope: &Scope, dossier: DossierNumber) -> Result<Vec<Recorded>, SinkError> {
        let state = self.state();
        let kept = state.of(scope).filter(|kept| kept.entry.dossier == dossier);
        let recorded =
            |kept: &Kept| Recorded { entry: kept.entry.clone(), status: kept.status, moved: kept.moved.clone() };
        Ok(kept.map(recorded).collect())
    }

    async fn moves(&self, scope: &Scope, dossier: DossierNumber) -> Result<Vec<Move>, SinkError> {
        let state = self.state();
        Ok(state.of(scope).filter(|kept| kept.entry.dossier == dossier).filter_map(|kept| kept.moved.clone()).collect())
    }

    async fn write(&self, scope: &Scope, step: &OutboxStep<'_>) -> Result<(), SinkError> {
        let mut state = self.state();
        state.line(scope, step.line.clone());
        let kept = state.kept.iter_mut().find(|kept| kept.scope == *scope && kept.entry.id == step.entry.id);
        if let Some(kept) = kept {
            kept.entry.progress = step.progress.clone();
            if let Some(settled) = step.settled {
                kept.status = settled.status;
                kept.moved = step
                    .progress
                    .before
                    .clone()
                    .zip(settled.after.clone())
                    .map(|(before, after)| Move { before, after });
            }
        }
        Ok(())
    }

    async fn trail(&self, scope: &Scope, after: Option<i64>, limit: u32) -> Result<Vec<TrailLine>, SinkError> {
        let state = self.state();
        let lines = state.trail.iter().filter(|(whose, _)| whose == scope).map(|(_, line)| line);
        Ok(lines.filter(|line| after.is_none_or(|after| line.seq > after)).take(limit as usize).cloned().collect())
    }

    async fn depth(&self, scope: &Scope) -> Result<Vec<(Status, u64)>, SinkError> {
        let state = self.state();
        let count = |status| state.of(scope).filter(|kept| kept.status == status).count() as u64;
        Ok(Status::ALL.into_iter().map(|status| (status, count(status))).filter(|(_, count)| *count > 0).collect())
    }

    async fn backlog(&self) -> Result<Vec<Backlog>, SinkError> {
        let mut counted: BTreeMap<(String, u32), u64> = BTreeMap::new();
        for Kept { scope, .. } in self.state().kept.iter().filter(|kept| kept.status == Status::Pending) {
            *counted.entry((scope.instance.clone(), scope.demarche.get())).or_default() += 1;
        }
        let line = |((instance, demarche), pending): ((String, u32), u64)| Backlog {
            instance,
            demarche: demarche.to_string(),
            pending,
        };
        Ok(counted.into_iter().map(line).collect())
    }

    async fn resolve(&self, scope: &Scope, id: &IntentId, status: Status, at: Timestamp) -> Result<bool, SinkError> {
        let mut state = self.state();
        let found = state.kept.iter_mut().find(|kept| kept.scope == *scope && kept.entry.id == *id);
        let Some(kept) = found.filter(|kept| !kept.status.is_success()) else { return Ok(false) };
        kept.status = status;
        if status == Status::Pending {
            kept.entry.progress = Progress::default();
        }
        let mut line = TrailLine::of_entry(&kept.entry, Happening::Resolved, at);
        line.words = Some(status.as_str().to_owned());
        state.line(scope, line);
        Ok(true)
    }
}
