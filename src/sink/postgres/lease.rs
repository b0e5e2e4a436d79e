//! Leases démarches to workers: heartbeat, expiry, takeover, fencing token.
//!
//! A lease is a row of `dn_leases`. Taking it gives a fencing token greater than all before; every commit checks its token in
//! its own transaction, so a worker that was paused, and replaced meanwhile, can no longer commit. All times are the server's.
//!
//! A failover to an asynchronous replica loses rows, and tokens and counts are then issued a second time. So each
//! acquisition has a nonce, and each commit a number: a worker that finds another nonce or number than its own was
//! replaced, or its commits are lost, and it stops. Deciding which démarche is due belongs in `serve`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard as StdMutexGuard};
use std::time::Duration;

use sqlx::postgres::PgConnection;
use tokio::sync::{Mutex, Notify, watch};
use tokio::time::MissedTickBehavior;

use super::end;
use super::server::{Purpose, Server, Session};
use crate::ids::Scope;
use crate::sink::SinkError;
use crate::sink::sql::{Fault, Fields, Store, Value};

/// The leases of one sink. Clones share one state.
///
/// A task sends heartbeats, three within the duration of a lease, and ends with the last clone: it then releases the
/// leases that are left.
#[derive(Clone, Debug)]
pub struct Leases {
    inner: Arc<Inner>,
    /// The task ends when the last clone is dropped.
    _alive: Arc<watch::Sender<()>>,
}

#[derive(Debug)]
struct Inner {
    server: Server,
    holder: String,
    session: Mutex<Session>,
    holds: StdMutex<BTreeMap<Scope, Hold>>,
    marked: Notify,
}

/// A lease that this sink took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hold {
    token: i64,
    /// Identifies this acquisition, whatever its token.
    nonce: u64,
    commits: Commits,
    state: State,
    /// A caller claimed it and will release it; otherwise it ends with the run.
    claimed: bool,
}

/// The number of transactions committed under a lease.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Commits {
    /// At least so many...
    known: i64,
    /// ... and one more if the last one, whose answer is not known, took effect.
    unsure: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Held, as far as this process knows.
    Held,
    /// Taken by another worker.
    Lost,
    /// Held, and to be released.
    Releasing,
}

/// A claimed démarche. Held until it is [released](Self::release) or dropped.
#[derive(Debug)]
pub struct Lease {
    leases: Leases,
    scope: Scope,
    token: i64,
    nonce: u64,
}

impl Lease {
    /// The claimed démarche.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The fencing token: greater than that of every earlier holder.
    #[must_use]
    pub fn token(&self) -> i64 {
        self.token
    }

    /// Returns `true` if another worker is known to have taken it. A commit asks the database instead.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.leases
            .inner
            .holds()
            .get(&self.scope)
            .is_none_or(|hold| hold.nonce != self.nonce || hold.state == State::Lost)
    }

    /// Releases it now. Dropping does the same a little later.
    ///
    /// # Errors
    /// If the database cannot be reached: the lease then expires.
    pub async fn release(self) -> Result<(), SinkError> {
        let inner = Arc::clone(&self.leases.inner);
        drop(self);
        inner.with_context(inner.release_marked().await)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(hold) = self.leases.inner.holds().get_mut(&self.scope)
            && hold.nonce == self.nonce
        {
            hold.state = State::Releasing;
        }
        self.leases.inner.marked.notify_one();
    }
}

impl Leases {
    /// Opens a connection for leases and starts the heartbeat.
    pub(super) async fn open(server: Server) -> Result<Self, Fault> {
        let mut session = server.session(Purpose::Lease);
        session.settle().await?;
        let host = whoami::hostname().unwrap_or_else(|_| "unknown host".to_owned());
        let time = server.options.lease;
        let inner = Arc::new(Inner {
            server,
            holder: format!("{host}, process {}", std::process::id()),
            session: Mutex::new(session),
            holds: StdMutex::default(),
            marked: Notify::new(),
        });
        let (alive, ended) = watch::channel(());
        tokio::spawn(heartbeat_loop(Arc::clone(&inner), ended, (time / 3).max(Duration::from_millis(1))));
        Ok(Self { inner, _alive: Arc::new(alive) })
    }

    /// Claims the first of these démarches that is free; `None` if all are taken. The most urgent comes first.
    ///
    /// # Errors
    /// When the database cannot be reached or written.
    pub async fn claim(&self, scopes: &[Scope]) -> Result<Option<Lease>, SinkError> {
        let claimed = self.inner.with_context(self.inner.take(scopes, true).await)?;
        Ok(claimed.map(|(scope, hold)| Lease { leases: self.clone(), scope, token: hold.token, nonce: hold.nonce }))
    }

    /// Returns the time after which to claim a taken démarche again: when its lease expires, or sooner, as its owner may
    /// release it.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn free_in(&self, scope: &Scope) -> Result<Duration, SinkError> {
        let left = self.inner.with_context(self.inner.left(scope).await)?;
        let soon = self.inner.server.options.lease / 3;
        Ok(left.min(soon).max(Duration::from_millis(20)))
    }

    /// Takes the lease of a démarche for a run, or renews the one that is held.
    pub(super) async fn begin(&self, scope: &Scope) -> Result<(), SinkError> {
        let held = self.inner.holds().get(scope).copied();
        if let Some(hold) = held.filter(|hold| hold.state != State::Lost) {
            let renewed = self.inner.with_context(self.inner.renew(scope, hold).await)?;
            if renewed {
                self.inner.set(scope, Hold { state: State::Held, ..hold });
                return Ok(());
            }
            let error = self.lost(scope).await;
            if matches!(error, SinkError::Unavailable { .. }) {
                return Err(error);
            }
        }
        match self.inner.with_context(self.inner.take(std::slice::from_ref(scope), false).await)? {
            Some(_) => Ok(()),
            None => Err(self.refusal(scope).await),
        }
    }

    /// Requires the lease of this démarche before a fenced transaction. A run that lost its lease must not take another one
    /// before its end, as another run may have committed meanwhile.
    pub(super) async fn hold(&self, scope: &Scope) -> Result<(), SinkError> {
        if self.inner.holds().get(scope).is_none() {
            self.begin(scope).await?;
        }
        let held = self.inner.holds().get(scope).copied();
        match held {
            Some(Hold { state: State::Held | State::Releasing, .. }) => Ok(()),
            _ => Err(self.refusal(scope).await),
        }
    }

    /// Runs the first statement of a transaction: checks the fencing token and that no commit was lost, renews the lease, and
    /// locks its row until the transaction ends, so that no other worker takes it. Returns `false` if the lease is lost.
    pub(super) async fn fence(&self, tx: &mut PgConnection, scope: &Scope) -> Result<bool, Fault> {
        let Some(hold) = self.inner.holds().get(scope).copied() else { return Ok(false) };
        let [instance, demarche] = whose(scope);
        let [known, most] = hold.commits.bounds();
        let time = milliseconds(self.inner.server.options.lease);
        let holder = self.inner.holder(hold.nonce);
        let proof = [instance, demarche, hold.token.into(), time, holder.into(), known, most, Value::Integer(1)];
        let rows = tx.rows(RENEW.into(), &proof).await?;
        let Some(row) = rows.first() else { return Ok(false) };
        let commits = Commits { known: row.integer("commits")? - 1, unsure: true };
        self.inner.set(scope, Hold { commits, ..hold });
        Ok(true)
    }

    /// Records that the [fenced](Self::fence) transaction is committed.
    pub(super) fn committed(&self, scope: &Scope) {
        if let Some(hold) = self.inner.holds().get_mut(scope).filter(|hold| hold.commits.unsure) {
            hold.commits = Commits { known: hold.commits.known + 1, unsure: false };
        }
    }

    /// Records that the lease is lost, and returns the reason.
    pub(super) async fn lost(&self, scope: &Scope) -> SinkError {
        let lost = self.inner.holds().get_mut(scope).map(|hold| {
            hold.state = State::Lost;
            *hold
        });
        let error = self.refusal(scope).await;
        if let (SinkError::Unavailable { .. }, Some(hold)) = (&error, lost) {
            // The row still names this process: release it, so that no other worker waits for its expiry.
            drop(self.inner.release_one(scope, hold).await);
        }
        error
    }

    /// Releases the lease of a run that ended, unless a caller claimed it.
    pub(super) async fn end(&self, scope: &Scope) -> Result<(), SinkError> {
        if let Some(hold) = self.inner.holds().get_mut(scope)
            && !hold.claimed
        {
            hold.state = if hold.state == State::Lost { State::Lost } else { State::Releasing };
        }
        self.inner.with_context(self.inner.release_marked().await)
    }

    /// Releases all leases.
    pub(super) async fn close(self) -> Result<(), SinkError> {
        self.inner.mark_all();
        self.inner.with_context(self.inner.release_marked().await)
    }

    /// Reads the reason for which the lease is lost from its row.
    async fn refusal(&self, scope: &Scope) -> SinkError {
        let server = &self.inner.server;
        let row = self.inner.row(scope).await.ok().flatten();
        let hold = self.inner.holds().get(scope).copied();
        if let (Some(row), Some(hold)) = (&row, hold) {
            let ours = row.holder.as_ref().is_some_and(|holder| *holder == self.inner.holder(hold.nonce));
            let forgotten = row.holder.is_none() && row.token <= hold.token;
            if ours || forgotten {
                return SinkError::Unavailable {
                    target: server.name.clone(),
                    action: "a commit",
                    reason:
                        "the database was restored to an earlier state, as after a failover or a restore: commits of this \
                             run are missing"
                            .to_owned(),
                    hint: Some("run the same command again: it continues from the present state of the database"),
                };
            }
        }
        let holder = row.and_then(|row| Some(format!("{}, since {}", without_nonce(&row.holder?), row.since)));
        SinkError::Locked { target: format!("{} for {scope}", server.name), holder }
    }
}

impl Commits {
    /// The least and the greatest number that the row may have.
    fn bounds(self) -> [Value<'static>; 2] {
        [self.known.into(), (self.known + i64::from(self.unsure)).into()]
    }
}

/// Removes the nonce from a holder, for messages.
fn without_nonce(holder: &str) -> &str {
    holder.split_once(NONCE).map_or(holder, |(process, _)| process)
}

/// The separator before the nonce in the name of a holder.
const NONCE: &str = ", lease ";

/// The row of a lease.
struct Row {
    holder: Option<String>,
    token: i64,
    since: String,
}

const RENEW: &str = "UPDATE dn_leases SET seen = clock_timestamp(), \
                     until = clock_timestamp() + $4 * interval '1 millisecond', commits = commits + $8 \
                     WHERE instance = $1 AND demarche = $2 AND token = $3 AND holder = $5 \
                     AND commits BETWEEN $6 AND $7 RETURNING commits";

/// Inserts the row of a démarche that was never leased.
const INSERT: &str = "INSERT INTO dn_leases (instance, demarche, token, since, seen, until) \
                    VALUES ($1, $2, 0, clock_timestamp(), clock_timestamp(), '-infinity') ON CONFLICT DO NOTHING";

/// Takes a lease that has expired. A locked row belongs to a worker in the middle of a commit, so it is skipped.
const TAKE: &str = "UPDATE dn_leases SET holder = $3, token = token + 1, commits = 0, since = clock_timestamp(), \
                    seen = clock_timestamp(), until = clock_timestamp() + $4 * interval '1 millisecond' \
                    WHERE (instance, demarche) = (SELECT instance, demarche FROM dn_leases \
                    WHERE instance = $1 AND demarche = $2 AND until <= clock_timestamp() FOR UPDATE SKIP LOCKED) \
                    RETURNING token";

const RELEASE: &str = "UPDATE dn_leases SET holder = NULL, seen = clock_timestamp(), until = clock_timestamp() \
                         WHERE instance = $1 AND demarche = $2 AND token = $3 AND holder = $4";

const ROW: &str = "SELECT holder, token, to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS since \
                   FROM dn_leases WHERE instance = $1 AND demarche = $2";

fn whose(scope: &Scope) -> [Value<'_>; 2] {
    [(&scope.instance).into(), scope.demarche.into()]
}

fn milliseconds(duration: Duration) -> Value<'static> {
    Value::Integer(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}

impl Inner {
    fn holds(&self) -> StdMutexGuard<'_, BTreeMap<Scope, Hold>> {
        self.holds.lock().expect("no code panics while it holds the lock")
    }

    fn set(&self, scope: &Scope, hold: Hold) {
        self.holds().insert(scope.clone(), hold);
    }

    fn with_context<T>(&self, result: Result<T, Fault>) -> Result<T, SinkError> {
        result.map_err(|fault| self.server.with_context("a lease", fault))
    }

    /// Makes the name of this process with the nonce of an acquisition.
    fn holder(&self, nonce: u64) -> String {
        format!("{}{NONCE}{nonce:016x}", self.holder)
    }

    async fn take(&self, scopes: &[Scope], claimed: bool) -> Result<Option<(Scope, Hold)>, Fault> {
        let mut session = self.session.lock().await;
        for scope in scopes {
            let [instance, demarche] = whose(scope);
            let (nonce, time) = (rand::random(), milliseconds(self.server.options.lease));
            let mut tx = session.begin().await?;
            let taken = async {
                tx.run(INSERT.into(), &whose(scope)).await?;
                let rows = tx.rows(TAKE.into(), &[instance, demarche, self.holder(nonce).into(), time]).await?;
                rows.first().map(|row| row.integer("token")).transpose()
            };
            let taken = taken.await;
            if let Some(Some(token)) = end(tx, taken.map(Some)).await? {
                let hold = Hold { token, nonce, commits: Commits::default(), state: State::Held, claimed };
                self.set(scope, hold);
                return Ok(Some((scope.clone(), hold)));
            }
        }
        Ok(None)
    }

    /// Renews a lease if its token, nonce and number of commits are those that this process knows.
    async fn renew(&self, scope: &Scope, hold: Hold) -> Result<bool, Fault> {
        let [instance, demarche] = whose(scope);
        let [known, most] = hold.commits.bounds();
        let (time, holder) = (milliseconds(self.server.options.lease), self.holder(hold.nonce));
        let proof = [instance, demarche, hold.token.into(), time, holder.into(), known, most, Value::Integer(0)];
        Ok(!self.ask(RENEW, &proof).await?.is_empty())
    }

    /// Runs one statement in its own transaction.
    async fn ask(&self, statement: &'static str, values: &[Value<'_>]) -> Result<Vec<sqlx::postgres::PgRow>, Fault> {
        let mut session = self.session.lock().await;
        let mut tx = session.begin().await?;
        let rows = tx.rows(statement.into(), values).await.map(Some);
        Ok(end(tx, rows).await?.unwrap_or_default())
    }

    /// Releases the leases that are marked for it. One that another worker took is only forgotten.
    async fn release_marked(&self) -> Result<(), Fault> {
        let marked: Vec<(Scope, Hold)> = self
            .holds()
            .iter()
            .filter(|(_, hold)| hold.state == State::Releasing)
            .map(|(scope, hold)| (scope.clone(), *hold))
            .collect();
        for (scope, hold) in marked {
            self.release_one(&scope, hold).await?;
            let mut holds = self.holds();
            // A run that started meanwhile may hold it again.
            if holds.get(&scope).is_some_and(|now| now.nonce == hold.nonce && now.state == State::Releasing) {
                holds.remove(&scope);
            }
        }
        Ok(())
    }

    async fn release_one(&self, scope: &Scope, hold: Hold) -> Result<(), Fault> {
        let [instance, demarche] = whose(scope);
        let holder = self.holder(hold.nonce);
        self.ask(RELEASE, &[instance, demarche, hold.token.into(), holder.into()]).await.map(drop)
    }

    fn mark_all(&self) {
        self.holds()
            .values_mut()
            .filter(|hold| hold.state == State::Held)
            .for_each(|hold| hold.state = State::Releasing);
    }

    async fn row(&self, scope: &Scope) -> Result<Option<Row>, Fault> {
        let rows = self.ask(ROW, &whose(scope)).await?;
        let read = |row: &sqlx::postgres::PgRow| {
            let holder = row.maybe_text("holder")?.map(str::to_owned);
            Ok(Row { holder, token: row.integer("token")?, since: row.text("since")?.to_owned() })
        };
        rows.first().map(read).transpose()
    }

    /// Reads the time until the lease of a démarche expires.
    async fn left(&self, scope: &Scope) -> Result<Duration, Fault> {
        let rows = self.ask(LEFT, &whose(scope)).await?;
        let left = rows.first().map(|row| row.integer("remaining")).transpose()?.unwrap_or_default();
        Ok(Duration::from_millis(u64::try_from(left).unwrap_or_default()))
    }

    /// Sends the heartbeat of all held leases. A row that a commit of this process has locked is skipped, as the commit renews
    /// it.
    async fn heartbeat(&self) -> Result<(), Fault> {
        let held: Vec<(Scope, Hold)> = self
            .holds()
            .iter()
            .filter(|(_, hold)| hold.state == State::Held)
            .map(|(scope, hold)| (scope.clone(), *hold))
            .collect();
        for (scope, hold) in held {
            let [instance, demarche] = whose(&scope);
            let row = self.row(&scope).await?;
            let holder = self.holder(hold.nonce);
            if row.is_none_or(|row| row.token != hold.token || row.holder.as_ref() != Some(&holder)) {
                let mut holds = self.holds();
                if let Some(found) = holds.get_mut(&scope).filter(|found| found.nonce == hold.nonce) {
                    found.state = State::Lost;
                }
                continue;
            }
            let time = milliseconds(self.server.options.lease);
            self.ask(HEARTBEAT, &[instance, demarche, hold.token.into(), time, holder.into()]).await?;
        }
        Ok(())
    }
}

/// Reads the remaining time. A released lease ended at its release, a new row was never leased.
const LEFT: &str = "SELECT (extract(epoch FROM greatest(until, clock_timestamp()) - clock_timestamp()) * 1000)::bigint \
                    AS remaining FROM dn_leases WHERE instance = $1 AND demarche = $2";

const HEARTBEAT: &str = "UPDATE dn_leases SET seen = clock_timestamp(), \
                    until = clock_timestamp() + $4 * interval '1 millisecond' \
                    WHERE token = $3 AND holder = $5 AND (instance, demarche) = (SELECT instance, demarche \
                    FROM dn_leases WHERE instance = $1 AND demarche = $2 AND token = $3 AND holder = $5 \
                    FOR UPDATE SKIP LOCKED)";

/// Sends heartbeats until the last clone is dropped, then releases all leases.
async fn heartbeat_loop(inner: Arc<Inner>, mut ended: watch::Receiver<()>, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let done = tokio::select! {
            _ = ended.changed() => {
                inner.mark_all();
                drop(inner.release_marked().await);
                break;
            }
            () = inner.marked.notified() => inner.release_marked().await,
            _ = ticks.tick() => inner.heartbeat().await,
        };
        if let Err(fault) = done {
            let error = inner.server.with_context("the heartbeat of a lease", fault);
            tracing::debug!(%error, "the heartbeat of a lease failed; the next one retries");
        }
    }
    drop(inner.session.lock().await.close().await);
}
