//! Sends bundles: every one goes through [`DocumentSession::send`], which moves the lease with it and knows, whatever
//! happens to the answer, whether it was applied.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grist_client::{Action, ActionRef, GristError, Repeat};
use jiff::Timestamp;
use serde_json::Value;

use super::Notices;
use super::cache::DocumentCache;
use super::extension::{ExtensionSet, FeatureCache};
use super::fault::GristFault;
use super::known::Holdings;
use super::lease::{self, Holder, LeaseRow};
use super::position::HistoryPosition;
use super::read::Reader;
use super::state::State;
use crate::ids::{DossierNumber, Scope};

/// The number of times that a bundle is sent that is known not to have arrived.
const TRIES: u32 = 3;

/// Does some work on the document, and once more if a table or a column was renamed meanwhile.
macro_rules! again {
    ($session:ident, $work:expr) => {
        async {
            if $session.me.is_none() {
                return Err(GristFault::ReadOnly);
            }
            $session.settle().await?;
            match $work.await {
                Err(fault) if fault.is_of_the_past() => {
                    $session.reread().await?;
                    $work.await
                }
                other => other,
            }
        }
        .await
    };
}
pub(super) use again;

/// Open document: what one sink knows of it, and the way to write into it.
#[derive(Debug)]
pub(super) struct DocumentSession {
    pub reader: Reader,
    pub state: State,
    /// `None` for a sink that only reads.
    pub me: Option<Holder>,
    /// The number of bundles that this sink has sent.
    turn: i64,
    /// A bundle was sent, and its answer was not awaited.
    unsure: bool,
    /// The last answer about some dossiers, until the next commit.
    pub asked: Option<(Scope, Holdings)>,
    /// Démarches of which the document held nothing when it was read, with the dossiers sent since.
    pub fresh: BTreeMap<Scope, BTreeSet<DossierNumber>>,
    /// The number of bundles since the last line of the history.
    pub spent: u32,
    /// Rows were removed, and what only they referred to may be unused.
    pub rows_removed: bool,
    /// The features of the sink.
    pub extensions: ExtensionSet,
    /// Rows that features read of the document.
    pub cache: FeatureCache,
    /// Notices for the report.
    pub notices: Arc<Notices>,
    /// It was asked whether the document is a copy, and it is none.
    pub original: bool,
    /// The key may not change columns: values that theirs do not expect are framed in red.
    pub fixed_columns: bool,
    /// The last action of the document's history that this session knows.
    last: Option<ActionRef>,
    /// No action of others came between what was read and the bundles of this session.
    unbroken: bool,
    /// Where the state is kept for the next run, and at which point it was kept last.
    pub cache_file: Option<(DocumentCache, Option<HistoryPosition>)>,
}

/// Where the lease is after a bundle whose answer was lost.
enum Standing {
    Applied,
    Untouched,
    /// An earlier bundle of this sink arrived that was given up.
    Late,
    Lost(LeaseRow),
    Gone,
}

impl DocumentSession {
    pub(super) fn new(
        reader: Reader,
        state: State,
        me: Option<Holder>,
        extensions: ExtensionSet,
        notices: Arc<Notices>,
    ) -> Self {
        let (asked, fresh) = (None, BTreeMap::new());
        let last = action_at(&state);
        Self {
            reader,
            state,
            me,
            turn: 0,
            unsure: false,
            asked,
            fresh,
            spent: 0,
            rows_removed: false,
            extensions,
            cache: FeatureCache::default(),
            notices,
            original: false,
            fixed_columns: false,
            last,
            unbroken: true,
            cache_file: None,
        }
    }

    /// Reads tables and columns again, after a bundle that changed them.
    pub(super) async fn reread_structure(&mut self) -> Result<(), GristFault> {
        let (structure, hidden, position) = self.reader.structure().await?;
        (self.state.structure, self.state.hidden) = (structure, hidden);
        // An action of somebody else may have changed the state too, which was not read again.
        let ours = |position: &HistoryPosition| {
            self.unbroken
                && self.last.as_ref().is_some_and(|last| last.number == position.number && last.hash == position.hash)
        };
        self.state.position = position.filter(ours);
        Ok(())
    }

    /// Reads tables and columns again if bundles of this run changed them: the next run need not do it then. The run is done,
    /// so a failure is none of it.
    pub(super) async fn know_structure(&mut self) {
        let kept = self.cache_file.is_some() && self.reader.knows_positions();
        if kept
            && self.unbroken
            && self.last.is_some()
            && self.state.position.is_none()
            && self.reread_structure().await.is_err()
        {
            tracing::debug!("the structure of a document was not read again");
        }
    }

    /// Keeps the state for the next run, if it is known to be that of the document.
    pub(super) fn keep_in_cache(&mut self) {
        if self.unsure || self.reader.damage.is_there() {
            return;
        }
        if let Some((file, last)) = &mut self.cache_file {
            file.store(&self.state, last);
        }
    }

    /// Follows the history of the document after a bundle of this session. `rows`: it changed nothing but rows.
    fn follow(&mut self, action: Option<ActionRef>, rows: bool) {
        let next = match (&self.last, &action) {
            (Some(last), Some(action)) => last.number + 1 == action.number,
            // Of a new document there was nothing to read.
            (None, Some(_)) => !self.state.is_ours(),
            (_, None) => false,
        };
        self.unbroken &= next;
        let was = self.state.position.take().filter(|_| next && rows);
        self.state.position = was.zip(action.clone()).map(|(was, action)| {
            let ActionRef { number, hash } = action;
            HistoryPosition { number, hash, ..was }
        });
        self.last = action;
    }

    fn holder(&self) -> Result<&Holder, GristFault> {
        self.me.as_ref().ok_or(GristFault::ReadOnly)
    }

    /// Reads the document again when it is not known how the last bundle ended: its future was dropped, or its answer was
    /// lost and so was the question after it.
    pub(super) async fn settle(&mut self) -> Result<(), GristFault> {
        if !self.unsure {
            return Ok(());
        }
        let state = self.reader.state().await?;
        match self.standing(state.lease.as_ref()) {
            // What did not arrive may still do: no other bundle must be taken for it.
            Standing::Applied | Standing::Untouched => self.turn += 1,
            Standing::Late => {}
            Standing::Lost(lease) => return Err(taken(&lease)),
            Standing::Gone => return Err(GristFault::Locked(None)),
        }
        self.renew(state);
        self.unsure = false;
        Ok(())
    }

    /// Reads the document again: a table or a column has another name than when it was read.
    pub(super) async fn reread(&mut self) -> Result<(), GristFault> {
        self.unsure = true;
        self.settle().await
    }

    fn renew(&mut self, state: State) {
        let newcomers = std::mem::take(&mut self.state.newcomers);
        let addresses = std::mem::take(&mut self.state.addresses);
        self.state = State { newcomers, addresses, ..state };
        (self.last, self.unbroken) = (action_at(&self.state), true);
        self.asked = None;
        self.cache.clear();
    }

    fn standing(&self, found: Option<&LeaseRow>) -> Standing {
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
    /// [`GristFault::Locked`] when another run took the lease over; [`GristFault::Late`] when an earlier bundle arrived that
    /// was given up, so that what is known of the document is of another time. After any error nothing was written, or the
    /// next call finds out what was.
    pub(super) async fn send(
        &mut self,
        made: &[Action],
        actions: &[Action],
        free: bool,
    ) -> Result<Option<Vec<Value>>, GristFault> {
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
            // Only the row of the lease tells if a bundle whose answer was lost was applied (Grist trap 14): the client must
            // not send it again by itself.
            let error = match self.reader.doc.apply(&bundle, Repeat::Never).await {
                Ok(applied) => {
                    self.follow(applied.action, bundle.iter().all(is_of_rows));
                    let Some(id) = applied.ret_values.get(put).and_then(Value::as_i64) else {
                        // It was applied; which row is in force is asked before the next one.
                        self.settle().await?;
                        return Ok(Some(applied.ret_values.into_iter().skip(before).collect()));
                    };
                    let Holder { token, host, process, since } = me;
                    self.state.lease = Some(LeaseRow { id, token, turn, host, process, since, seen: now, free });
                    self.sent(turn);
                    return Ok(Some(applied.ret_values.into_iter().skip(before).collect()));
                }
                Err(error) => error,
            };
            // A document that was new is not any more when another run made its tables: whatever failed, that is why.
            let missing = GristFault::is_missing_row(&error) || (!made.is_empty() && !is_lost(&error));
            if !missing && !is_lost(&error) {
                self.unsure = false;
                return Err(error.into());
            }
            let found = self.reader.lease().await?;
            match self.standing(found.as_ref()) {
                Standing::Applied => {
                    self.follow(None, false);
                    self.state.lease = found;
                    self.sent(turn);
                    return Ok(None);
                }
                Standing::Untouched => self.unsure = false,
                Standing::Late => return Err(GristFault::Late),
                Standing::Lost(lease) => return Err(taken(&lease)),
                Standing::Gone => return Err(GristFault::Locked(None)),
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
        Err(last.map_or_else(|| GristFault::Refused("it was never sent".to_owned()), GristFault::from))
    }

    /// Returns true if the lease is ours at this moment.
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

/// The action at which a state was read.
fn action_at(state: &State) -> Option<ActionRef> {
    let HistoryPosition { number, hash, .. } = state.position.clone()?;
    Some(ActionRef { number, hash })
}

/// Returns true for an action that changes nothing but rows.
fn is_of_rows(action: &Action) -> bool {
    match action {
        Action::AddRecord { table, .. }
        | Action::UpdateRecord { table, .. }
        | Action::BulkUpdate { table, .. }
        | Action::BulkRemove { table, .. }
        | Action::BulkUpsert { table, .. } => !table.starts_with("_grist_"),
        Action::Raw(raw) => {
            let word = |at: usize| raw.get(at).and_then(Value::as_str).unwrap_or_default();
            word(0) == "BulkAddOrUpdateRecord" && !word(1).starts_with("_grist_")
        }
        Action::AddTable { .. }
        | Action::AddColumn { .. }
        | Action::ModifyColumn { .. }
        | Action::SetDisplayFormula { .. }
        | Action::CreateViewSection { .. } => false,
    }
}

fn taken(lease: &LeaseRow) -> GristFault {
    GristFault::Locked(Some(format!("process {} on {}, which took over at {}", lease.process, lease.host, lease.since)))
}

/// Returns true if the bundle may have been applied all the same.
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
