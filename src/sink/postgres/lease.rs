//! Who works on which démarche: leases with a heartbeat, a takeover after silence, and a token that fences the silent.
//!
//! A lease is a row of `dn_leases`. Taking it gives a token greater than all before it; every commit says its token in its
//! own transaction, so one that was paused, and lost its lease meanwhile, can no longer commit. Time is the server's
//! alone.
//!
//! A failover to an asynchronous replica takes rows back, and tokens and counts are then given a second time. So each
//! taking has a nonce of its own, and each commit a number: who meets another nonce or another number than its own was
//! replaced, or has lost commits, and does not go on as if they were there.

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

/// The leases of one sink. Clones are handles on the same.
///
/// A task renews what is held, three times within the time of a lease, and ends with the last handle: what is still held
/// then is given back.
#[derive(Clone, Debug)]
pub struct Leases {
    inner: Arc<Inner>,
    /// The task ends when nobody holds this any more.
    _alive: Arc<watch::Sender<()>>,
}

#[derive(Debug)]
struct Inner {
    server: Server,
    holder: String,
    session: Mutex<Session>,
    holds: StdMutex<BTreeMap<Scope, Hold>>,
    returned: Notify,
}

/// What this sink knows of a lease that it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hold {
    token: i64,
    /// Tells this taking from all others, of whatever token.
    nonce: u64,
    commits: Commits,
    state: State,
    /// Somebody claimed it and will give it back; otherwise it goes with the run.
    claimed: bool,
}

/// How many transactions were committed under a lease.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Commits {
    /// At least so many...
    known: i64,
    /// ... and one more if the last one, whose answer is not known, took effect.
    unsure: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Ours, as far as we know.
    Held,
    /// Another has taken it.
    Lost,
    /// Ours, and to be given back.
    Returned,
}

/// A démarche that was claimed for work. Kept until it is [released](Self::release) or dropped.
#[derive(Debug)]
pub struct Lease {
    leases: Leases,
    scope: Scope,
    token: i64,
    nonce: u64,
}

impl Lease {
    /// What was claimed.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The fencing token: greater than that of every earlier holder.
    #[must_use]
    pub fn token(&self) -> i64 {
        self.token
    }

    /// Whether it is known that another has taken it. A commit asks the database, and does not trust this.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.leases
            .inner
            .holds()
            .get(&self.scope)
            .is_none_or(|hold| hold.nonce != self.nonce || hold.state == State::Lost)
    }

    /// Gives it back now. Dropping does the same a little later.
    ///
    /// # Errors
    /// When the database cannot be reached: the lease then goes with its time.
    pub async fn release(self) -> Result<(), SinkError> {
        let inner = Arc::clone(&self.leases.inner);
        drop(self);
        inner.told(inner.give_back().await)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(hold) = self.leases.inner.holds().get_mut(&self.scope)
            && hold.nonce == self.nonce
        {
            hold.state = State::Returned;
        }
        self.leases.inner.returned.notify_one();
    }
}

impl Leases {
    /// Opens a connection for leases and begins to renew them.
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
            returned: Notify::new(),
        });
        let (alive, ended) = watch::channel(());
        tokio::spawn(keep(Arc::clone(&inner), ended, (time / 3).max(Duration::from_millis(1))));
        Ok(Self { inner, _alive: Arc::new(alive) })
    }

    /// Claims the first of these démarches that nobody works on; `None` when all are taken. The order says what is most
    /// urgent.
    ///
    /// # Errors
    /// When the database cannot be reached or written.
    pub async fn claim(&self, scopes: &[Scope]) -> Result<Option<Lease>, SinkError> {
        let claimed = self.inner.told(self.inner.take(scopes, true).await)?;
        Ok(claimed.map(|(scope, hold)| Lease { leases: self.clone(), scope, token: hold.token, nonce: hold.nonce }))
    }

    /// How soon it is worth claiming a démarche again that another has: when its lease is over, or sooner if its holder may
    /// have given it back by then.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn free_in(&self, scope: &Scope) -> Result<Duration, SinkError> {
        let left = self.inner.told(self.inner.left(scope).await)?;
        let soon = self.inner.server.options.lease / 3;
        Ok(left.min(soon).max(Duration::from_millis(20)))
    }

    /// Takes the lease of a démarche for a run that begins, or renews the one that is held.
    pub(super) async fn begin(&self, scope: &Scope) -> Result<(), SinkError> {
        let held = self.inner.holds().get(scope).copied();
        if let Some(hold) = held.filter(|hold| hold.state != State::Lost) {
            let renewed = self.inner.told(self.inner.renew(scope, hold).await)?;
            if renewed {
                self.inner.set(scope, Hold { state: State::Held, ..hold });
                return Ok(());
            }
            let error = self.lost(scope).await;
            if matches!(error, SinkError::Unavailable { .. }) {
                return Err(error);
            }
        }
        match self.inner.told(self.inner.take(std::slice::from_ref(scope), false).await)? {
            Some(_) => Ok(()),
            None => Err(self.refusal(scope).await),
        }
    }

    /// Makes sure that the lease of this démarche is held, for a transaction that will prove it. A run that lost its lease
    /// cannot get another one in its middle.
    pub(super) async fn hold(&self, scope: &Scope) -> Result<(), SinkError> {
        if self.inner.holds().get(scope).is_none() {
            self.begin(scope).await?;
        }
        let held = self.inner.holds().get(scope).copied();
        match held {
            Some(Hold { state: State::Held | State::Returned, .. }) => Ok(()),
            _ => Err(self.refusal(scope).await),
        }
    }

    /// The first statement of a transaction: proves that the lease is still ours and that nothing was taken back since the
    /// last commit, renews it, and keeps its row locked until the transaction ends, so that nobody takes it meanwhile.
    /// `false` when it is not ours.
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

    /// Remembers that the transaction that [proved](Self::fence) the lease is committed.
    pub(super) fn committed(&self, scope: &Scope) {
        if let Some(hold) = self.inner.holds().get_mut(scope).filter(|hold| hold.commits.unsure) {
            hold.commits = Commits { known: hold.commits.known + 1, unsure: false };
        }
    }

    /// Remembers that the lease is not ours any more, and says why.
    pub(super) async fn lost(&self, scope: &Scope) -> SinkError {
        let lost = self.inner.holds().get_mut(scope).map(|hold| {
            hold.state = State::Lost;
            *hold
        });
        let error = self.refusal(scope).await;
        if let (SinkError::Unavailable { .. }, Some(hold)) = (&error, lost) {
            // The row still says that it is ours: nobody is to wait for us.
            drop(self.inner.give_back_one(scope, hold).await);
        }
        error
    }

    /// Gives back the lease of a run that ended, unless somebody claimed it.
    pub(super) async fn end(&self, scope: &Scope) -> Result<(), SinkError> {
        if let Some(hold) = self.inner.holds().get_mut(scope)
            && !hold.claimed
        {
            hold.state = if hold.state == State::Lost { State::Lost } else { State::Returned };
        }
        self.inner.told(self.inner.give_back().await)
    }

    /// Gives everything back.
    pub(super) async fn close(self) -> Result<(), SinkError> {
        self.inner.return_all();
        self.inner.told(self.inner.give_back().await)
    }

    /// Why the lease is not ours, by what its row says.
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
                        "the database went back to an earlier state, as after a failover or a restore: what this run \
                             committed since is not there any more"
                            .to_owned(),
                    hint: Some("run the same command again: it goes on from what the database holds now"),
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

/// A holder as people know it.
fn without_nonce(holder: &str) -> &str {
    holder.split_once(NONCE).map_or(holder, |(process, _)| process)
}

/// What comes before the nonce in the name of a holder.
const NONCE: &str = ", lease ";

/// What the row of a lease says.
struct Row {
    holder: Option<String>,
    token: i64,
    since: String,
}

const RENEW: &str = "UPDATE dn_leases SET seen = clock_timestamp(), \
                     until = clock_timestamp() + $4 * interval '1 millisecond', commits = commits + $8 \
                     WHERE instance = $1 AND demarche = $2 AND token = $3 AND holder = $5 \
                     AND commits BETWEEN $6 AND $7 RETURNING commits";

/// Makes the rows of démarches that were never leased.
const MEET: &str = "INSERT INTO dn_leases (instance, demarche, token, since, seen, until) \
                    VALUES ($1, $2, 0, clock_timestamp(), clock_timestamp(), '-infinity') ON CONFLICT DO NOTHING";

/// Takes one lease if its time is over. A row that is locked is in the hands of somebody who works.
const TAKE: &str = "UPDATE dn_leases SET holder = $3, token = token + 1, commits = 0, since = clock_timestamp(), \
                    seen = clock_timestamp(), until = clock_timestamp() + $4 * interval '1 millisecond' \
                    WHERE (instance, demarche) = (SELECT instance, demarche FROM dn_leases \
                    WHERE instance = $1 AND demarche = $2 AND until <= clock_timestamp() FOR UPDATE SKIP LOCKED) \
                    RETURNING token";

const GIVE_BACK: &str = "UPDATE dn_leases SET holder = NULL, seen = clock_timestamp(), until = clock_timestamp() \
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

    fn told<T>(&self, result: Result<T, Fault>) -> Result<T, SinkError> {
        result.map_err(|fault| self.server.told("a lease", fault))
    }

    /// The name of this process, with what tells one taking from another.
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
                tx.run(MEET.into(), &whose(scope)).await?;
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

    /// Renews a lease, if it is the one that was taken, with all that was committed under it.
    async fn renew(&self, scope: &Scope, hold: Hold) -> Result<bool, Fault> {
        let [instance, demarche] = whose(scope);
        let [known, most] = hold.commits.bounds();
        let (time, holder) = (milliseconds(self.server.options.lease), self.holder(hold.nonce));
        let proof = [instance, demarche, hold.token.into(), time, holder.into(), known, most, Value::Integer(0)];
        Ok(!self.ask(RENEW, &proof).await?.is_empty())
    }

    /// One statement in a transaction of its own.
    async fn ask(&self, statement: &'static str, values: &[Value<'_>]) -> Result<Vec<sqlx::postgres::PgRow>, Fault> {
        let mut session = self.session.lock().await;
        let mut tx = session.begin().await?;
        let rows = tx.rows(statement.into(), values).await.map(Some);
        Ok(end(tx, rows).await?.unwrap_or_default())
    }

    /// Gives back what is to be given back. What another has taken is only forgotten.
    async fn give_back(&self) -> Result<(), Fault> {
        let returned: Vec<(Scope, Hold)> = self
            .holds()
            .iter()
            .filter(|(_, hold)| hold.state == State::Returned)
            .map(|(scope, hold)| (scope.clone(), *hold))
            .collect();
        for (scope, hold) in returned {
            self.give_back_one(&scope, hold).await?;
            let mut holds = self.holds();
            // A run that began meanwhile has set it anew.
            if holds.get(&scope).is_some_and(|now| now.nonce == hold.nonce && now.state == State::Returned) {
                holds.remove(&scope);
            }
        }
        Ok(())
    }

    async fn give_back_one(&self, scope: &Scope, hold: Hold) -> Result<(), Fault> {
        let [instance, demarche] = whose(scope);
        let holder = self.holder(hold.nonce);
        self.ask(GIVE_BACK, &[instance, demarche, hold.token.into(), holder.into()]).await.map(drop)
    }

    fn return_all(&self) {
        self.holds()
            .values_mut()
            .filter(|hold| hold.state == State::Held)
            .for_each(|hold| hold.state = State::Returned);
    }

    async fn row(&self, scope: &Scope) -> Result<Option<Row>, Fault> {
        let rows = self.ask(ROW, &whose(scope)).await?;
        let read = |row: &sqlx::postgres::PgRow| {
            let holder = row.maybe_text("holder")?.map(str::to_owned);
            Ok(Row { holder, token: row.integer("token")?, since: row.text("since")?.to_owned() })
        };
        rows.first().map(read).transpose()
    }

    /// For how long the lease of a démarche still lasts.
    async fn left(&self, scope: &Scope) -> Result<Duration, Fault> {
        let rows = self.ask(LEFT, &whose(scope)).await?;
        let left = rows.first().map(|row| row.integer("remaining")).transpose()?.unwrap_or_default();
        Ok(Duration::from_millis(u64::try_from(left).unwrap_or_default()))
    }

    /// Renews what is held. What a commit of ours has locked at this moment is renewed by it.
    async fn beat(&self) -> Result<(), Fault> {
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
            self.ask(BEAT, &[instance, demarche, hold.token.into(), time, holder.into()]).await?;
        }
        Ok(())
    }
}

/// A lease of a row that was given back ended at that moment, that of a new one before all time.
const LEFT: &str = "SELECT (extract(epoch FROM greatest(until, clock_timestamp()) - clock_timestamp()) * 1000)::bigint \
                    AS remaining FROM dn_leases WHERE instance = $1 AND demarche = $2";

const BEAT: &str = "UPDATE dn_leases SET seen = clock_timestamp(), \
                    until = clock_timestamp() + $4 * interval '1 millisecond' \
                    WHERE token = $3 AND holder = $5 AND (instance, demarche) = (SELECT instance, demarche \
                    FROM dn_leases WHERE instance = $1 AND demarche = $2 AND token = $3 AND holder = $5 \
                    FOR UPDATE SKIP LOCKED)";

/// Renews leases until the last handle is gone, then gives them back.
async fn keep(inner: Arc<Inner>, mut ended: watch::Receiver<()>, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let done = tokio::select! {
            _ = ended.changed() => {
                inner.return_all();
                drop(inner.give_back().await);
                break;
            }
            () = inner.returned.notified() => inner.give_back().await,
            _ = ticks.tick() => inner.beat().await,
        };
        if let Err(fault) = done {
            let error = inner.server.told("the renewal of a lease", fault);
            tracing::debug!(%error, "a lease was not renewed; the next beat tries again");
        }
    }
    drop(inner.session.lock().await.close().await);
}
