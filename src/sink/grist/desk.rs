//! Writing: every bundle goes through [`Desk::send`], which moves the lease with it and knows, whatever happens to the
//! answer, whether it was applied.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::Told;
use super::fault::Fault;
use super::known::Holdings;
use super::lease::{self, Holder, Lease};
use super::outbox::Line;
use super::read::Reader;
use super::state::State;
use crate::ids::{DossierNumber, Scope};
use grist_client::{Action, GristError, Repeat};

/// How often a bundle is sent that is known not to have arrived.
const TRIES: u32 = 3;

/// What one sink knows and does.
#[derive(Debug)]
pub(super) struct Desk {
    pub reader: Reader,
    pub state: State,
    /// `None` for a sink that only reads.
    pub me: Option<Holder>,
    /// How many bundles this sink has sent.
    turn: i64,
    /// A bundle was sent and nobody waited for its answer.
    unsure: bool,
    /// What was last asked of some dossiers, until the next commit.
    pub asked: Option<(Scope, Holdings)>,
    /// Démarches of which the document held nothing when it was read, with the dossiers sent since.
    pub fresh: BTreeMap<Scope, BTreeSet<DossierNumber>>,
    /// How many bundles went since the last line of the history.
    pub spent: u32,
    /// The contents that were uploaded since files were last linked.
    pub uploaded: BTreeSet<String>,
    /// Rows went, and files may have gone with them.
    pub dropped: bool,
    /// Intents as they were last read or written, by their key.
    pub lines: BTreeMap<String, Line>,
    /// What is to be told.
    pub told: Arc<Told>,
    /// It was asked whether the document is a copy, and it is none.
    pub original: bool,
}

/// Where the lease is after a bundle whose answer was lost.
enum Standing {
    Applied,
    Untouched,
    /// An earlier bundle of this sink arrived that was given up.
    Late,
    Lost(Lease),
    Gone,
}

impl Desk {
    pub(super) fn new(reader: Reader, state: State, me: Option<Holder>, told: Arc<Told>) -> Self {
        let (asked, fresh) = (None, BTreeMap::new());
        Self {
            reader,
            state,
            me,
            turn: 0,
            unsure: false,
            asked,
            fresh,
            spent: 0,
            uploaded: BTreeSet::new(),
            dropped: false,
            lines: BTreeMap::new(),
            told,
            original: false,
        }
    }

    fn holder(&self) -> Result<&Holder, Fault> {
        self.me.as_ref().ok_or(Fault::ReadOnly)
    }

    /// Reads the document again when it is not known how the last bundle ended: its future was dropped, or its answer was
    /// lost and so was the question after it.
    pub(super) async fn settle(&mut self) -> Result<(), Fault> {
        if !self.unsure {
            return Ok(());
        }
        let state = self.reader.state().await?;
        match self.standing(state.lease.as_ref()) {
            // What did not arrive may still do: no other bundle must be taken for it.
            Standing::Applied | Standing::Untouched => self.turn += 1,
            Standing::Late => {}
            Standing::Lost(lease) => return Err(taken(&lease)),
            Standing::Gone => return Err(Fault::Locked(None)),
        }
        self.renew(state);
        self.unsure = false;
        Ok(())
    }

    /// Reads the document again: a table or a column has another name than when it was read.
    pub(super) async fn reread(&mut self) -> Result<(), Fault> {
        self.unsure = true;
        self.settle().await
    }

    fn renew(&mut self, state: State) {
        let newcomers = std::mem::take(&mut self.state.newcomers);
        let addresses = std::mem::take(&mut self.state.addresses);
        self.state = State { newcomers, addresses, ..state };
        self.asked = None;
        self.lines.clear();
    }

    fn standing(&self, found: Option<&Lease>) -> Standing {
        let token = self.me.as_ref().map(|me| me.token.as_str()).unwrap_or_default();
        match (found, &self.state.lease) {
            (Some(found), _) if found.token == token && found.turn == self.turn + 1 => Standing::Applied,
            (Some(found), Some(held)) if found.id == held.id && found.token == held.token => Standing::Untouched,
            (Some(found), _) if found.token == token => Standing::Late,
            (Some(found), _) => Standing::Lost(found.clone()),
            (None, None) => Standing::Untouched,
            (None, Some(_)) => Standing::Gone,
        }
    }

    /// Sends a bundle with the lease at its head; `made` are actions that must come before it, for a new document. Gives the
    /// answers of `actions`; `None` when it was applied and the answer was lost. `free` gives the lease back with it.
    ///
    /// # Errors
    /// [`Fault::Locked`] when another run took the lease over; [`Fault::Late`] when an earlier bundle arrived that was given
    /// up, so that what is known of the document is of another time. After any error nothing was written, or the next call
    /// finds out what was.
    pub(super) async fn send(
        &mut self,
        made: &[Action],
        actions: &[Action],
        free: bool,
    ) -> Result<Option<Vec<Value>>, Fault> {
        let mut last = None;
        for _ in 0..TRIES {
            let now = Timestamp::now();
            let me = self.holder()?.clone();
            let turn = self.turn + 1;
            let head: Vec<Action> =
                lease::pass(self.state.lease.as_ref(), &me, turn, now, free).into_iter().flatten().collect();
            // The row that is put is the first action of the head in a new document, the second one otherwise.
            let (put, before) = (made.len() + head.len().min(2) - 1, made.len() + head.len());
            let bundle: Vec<Action> = made.iter().cloned().chain(head).chain(actions.iter().cloned()).collect();
            self.unsure = true;
            let error = match self.reader.doc.apply(&bundle, Repeat::Never).await {
                Ok(applied) => {
                    let Some(id) = applied.ret_values.get(put).and_then(Value::as_i64) else {
                        // It was applied; which row is in force is asked before the next one.
                        self.settle().await?;
                        return Ok(Some(applied.ret_values.into_iter().skip(before).collect()));
                    };
                    let Holder { token, host, process, since } = me;
                    self.state.lease = Some(Lease { id, token, turn, host, process, since, seen: now, free });
                    self.sent(turn);
                    return Ok(Some(applied.ret_values.into_iter().skip(before).collect()));
                }
                Err(error) => error,
            };
            // A document that was new is not any more when another run made its tables: whatever failed, that is why.
            let missing = Fault::is_missing_row(&error) || (!made.is_empty() && !is_lost(&error));
            if !missing && !is_lost(&error) {
                self.unsure = false;
                return Err(error.into());
            }
            let found = self.reader.lease().await?;
            match self.standing(found.as_ref()) {
                Standing::Applied => {
                    self.state.lease = found;
                    self.sent(turn);
                    return Ok(None);
                }
                Standing::Untouched => self.unsure = false,
                Standing::Late => return Err(Fault::Late),
                Standing::Lost(lease) => return Err(taken(&lease)),
                Standing::Gone => return Err(Fault::Locked(None)),
            }
            if missing {
                return Err(error.into());
            }
            let slow = matches!(error, GristError::TooSlow { .. });
            last = Some(error);
            if slow {
                // What blocks the document will not be gone.
                break;
            }
        }
        // It may still arrive: the next bundle must not be taken for it.
        self.turn += 1;
        Err(last.map_or_else(|| Fault::Refused("it was never sent".to_owned()), Fault::from))
    }

    /// Whether the lease is ours at this moment.
    pub(super) fn holds(&self) -> bool {
        let held = self.state.lease.as_ref().zip(self.me.as_ref());
        held.is_some_and(|(lease, me)| lease.token == me.token && !lease.free)
    }

    fn sent(&mut self, turn: i64) {
        self.turn = turn;
        self.unsure = false;
        self.spent += 1;
    }
}

fn taken(lease: &Lease) -> Fault {
    Fault::Locked(Some(format!("process {} on {}, which took over at {}", lease.process, lease.host, lease.since)))
}

/// Whether the bundle may have been applied all the same.
fn is_lost(error: &GristError) -> bool {
    use GristError as G;
    matches!(
        error,
        G::Unclear { .. }
            | G::TooSlow { .. }
            | G::Undecodable { .. }
            | G::Unavailable { .. }
            | G::EngineDown { .. }
            | G::Storage { .. }
    )
}
