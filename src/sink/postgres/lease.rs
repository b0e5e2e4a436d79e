//! Who works on which démarche: leases with a heartbeat, a takeover after silence, and a token that fences the silent.
//!
//! A lease is a row of `dn_leases`. Taking it gives a token greater than all before it; every commit says its token in its
//! own transaction, so one that was paused, and lost its lease meanwhile, can no longer commit. Time is the server's
//! alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard as StdMutexGuard};
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use tokio::sync::{Mutex, MutexGuard, Notify, watch};
use tokio::time::MissedTickBehavior;

use super::server::{Purpose, Server};
use crate::sink::sql::{Fault, Fields, Store, Value};
use crate::sink::{Scope, SinkError};

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
    connection: Mutex<Option<PgConnection>>,
    holds: StdMutex<BTreeMap<Scope, Hold>>,
    returned: Notify,
}

/// What this sink knows of a lease that it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hold {
    token: i64,
    state: State,
    /// Somebody claimed it and will give it back; otherwise it goes with the run.
    claimed: bool,
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
            .is_none_or(|hold| hold.token != self.token || hold.state == State::Lost)
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
            && hold.token == self.token
        {
            hold.state = State::Returned;
        }
        self.leases.inner.returned.notify_one();
    }
}

impl Leases {
    /// Opens a connection for leases and begins to renew them.
    pub(super) async fn open(server: Server) -> Result<Self, Fault> {
        let connection = server.connect(Purpose::Lease).await?;
        let host = whoami::hostname().unwrap_or_else(|_| "unknown host".to_owned());
        let time = server.options.lease;
        let inner = Arc::new(Inner {
            server,
            holder: format!("{host}, process {}", std::process::id()),
            connection: Mutex::new(Some(connection)),
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
        Ok(claimed.map(|(scope, token)| Lease { leases: self.clone(), scope, token }))
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
            let renewed = self.inner.told(self.inner.renew(scope, hold.token).await)?;
            if renewed {
                self.inner.set(scope, Hold { state: State::Held, ..hold });
                return Ok(());
            }
            self.inner.set(scope, Hold { state: State::Lost, ..hold });
        }
        match self.inner.told(self.inner.take(std::slice::from_ref(scope), false).await)? {
            Some(_) => Ok(()),
            None => Err(self.locked(scope).await),
        }
    }

    /// The token with which a commit of this démarche must come. A run that lost its lease cannot get another one in its
    /// middle.
    pub(super) async fn token(&self, scope: &Scope) -> Result<i64, SinkError> {
        if self.inner.holds().get(scope).is_none() {
            self.begin(scope).await?;
        }
        let held = self.inner.holds().get(scope).copied();
        match held {
            Some(Hold { token, state: State::Held | State::Returned, .. }) => Ok(token),
            _ => Err(self.locked(scope).await),
        }
    }

    /// Remembers that another has taken the lease.
    pub(super) async fn lost(&self, scope: &Scope) -> SinkError {
        if let Some(hold) = self.inner.holds().get_mut(scope) {
            hold.state = State::Lost;
        }
        self.locked(scope).await
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

    async fn locked(&self, scope: &Scope) -> SinkError {
        let holder = self.inner.holder_of(scope).await.unwrap_or_default();
        SinkError::Locked { target: format!("{} for {scope}", self.inner.server.name), holder }
    }
}

/// The transaction's first statement: proves that the lease is still ours, renews it, and keeps its row locked until the
/// transaction ends, so that nobody takes it meanwhile. `false` when it is not ours.
pub(super) async fn fence(tx: &mut PgConnection, scope: &Scope, token: i64, lease: Duration) -> Result<bool, Fault> {
    let [instance, demarche] = whose(scope);
    let rows = tx.rows(RENEW.into(), &[instance, demarche, token.into(), milliseconds(lease)]).await?;
    Ok(!rows.is_empty())
}

const RENEW: &str = "UPDATE dn_leases SET seen = clock_timestamp(), \
                     until = clock_timestamp() + $4 * interval '1 millisecond' \
                     WHERE instance = $1 AND demarche = $2 AND token = $3 AND holder IS NOT NULL RETURNING token";

/// Makes the rows of démarches that were never leased.
const MEET: &str = "INSERT INTO dn_leases (instance, demarche, token, since, seen, until) \
                    VALUES ($1, $2, 0, clock_timestamp(), clock_timestamp(), '-infinity') ON CONFLICT DO NOTHING";

/// Takes one lease if its time is over. A row that is locked is in the hands of somebody who works.
const TAKE: &str = "UPDATE dn_leases SET holder = $3, token = token + 1, since = clock_timestamp(), \
                    seen = clock_timestamp(), until = clock_timestamp() + $4 * interval '1 millisecond' \
                    WHERE (instance, demarche) = (SELECT instance, demarche FROM dn_leases \
                    WHERE instance = $1 AND demarche = $2 AND until <= clock_timestamp() FOR UPDATE SKIP LOCKED) \
                    RETURNING token";

const GIVE_BACK: &str = "UPDATE dn_leases SET holder = NULL, seen = clock_timestamp(), until = clock_timestamp() \
                         WHERE instance = $1 AND demarche = $2 AND token = $3";

const HOLDER: &str = "SELECT holder || ', since ' || to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') \
                      AS holder FROM dn_leases WHERE instance = $1 AND demarche = $2";

const TOKEN: &str = "SELECT token FROM dn_leases WHERE instance = $1 AND demarche = $2 AND holder IS NOT NULL";

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

    /// The connection, alive.
    async fn connection(&self) -> Result<MutexGuard<'_, Option<PgConnection>>, Fault> {
        let mut slot = self.connection.lock().await;
        match slot.as_mut() {
            Some(connection) => self.server.alive(connection, Purpose::Lease).await?,
            None => *slot = Some(self.server.connect(Purpose::Lease).await?),
        }
        Ok(slot)
    }

    async fn take(&self, scopes: &[Scope], claimed: bool) -> Result<Option<(Scope, i64)>, Fault> {
        let mut slot = self.connection().await?;
        let connection = slot.as_mut().expect("a connection was just put there");
        for scope in scopes {
            let [instance, demarche] = whose(scope);
            connection.run(MEET.into(), &whose(scope)).await?;
            let time = milliseconds(self.server.options.lease);
            let taken = connection.rows(TAKE.into(), &[instance, demarche, (&self.holder).into(), time]).await?;
            if let Some(row) = taken.first() {
                let token = row.integer("token")?;
                self.set(scope, Hold { token, state: State::Held, claimed });
                return Ok(Some((scope.clone(), token)));
            }
        }
        Ok(None)
    }

    async fn renew(&self, scope: &Scope, token: i64) -> Result<bool, Fault> {
        let mut slot = self.connection().await?;
        let connection = slot.as_mut().expect("a connection was just put there");
        fence(connection, scope, token, self.server.options.lease).await
    }

    /// Gives back what is to be given back. What another has taken is only forgotten.
    async fn give_back(&self) -> Result<(), Fault> {
        let returned: Vec<(Scope, i64)> = self
            .holds()
            .iter()
            .filter(|(_, hold)| hold.state == State::Returned)
            .map(|(scope, hold)| (scope.clone(), hold.token))
            .collect();
        if returned.is_empty() {
            return Ok(());
        }
        let mut slot = self.connection().await?;
        let connection = slot.as_mut().expect("a connection was just put there");
        for (scope, token) in returned {
            let [instance, demarche] = whose(&scope);
            connection.run(GIVE_BACK.into(), &[instance, demarche, token.into()]).await?;
            let mut holds = self.holds();
            // A run that began meanwhile has set it anew.
            if holds.get(&scope).is_some_and(|hold| hold.token == token && hold.state == State::Returned) {
                holds.remove(&scope);
            }
        }
        Ok(())
    }

    fn return_all(&self) {
        self.holds()
            .values_mut()
            .filter(|hold| hold.state == State::Held)
            .for_each(|hold| hold.state = State::Returned);
    }

    async fn holder_of(&self, scope: &Scope) -> Result<Option<String>, Fault> {
        let mut slot = self.connection().await?;
        let connection = slot.as_mut().expect("a connection was just put there");
        let rows = connection.rows(HOLDER.into(), &whose(scope)).await?;
        Ok(rows.first().map(|row| row.maybe_text("holder")).transpose()?.flatten().map(str::to_owned))
    }

    /// For how long the lease of a démarche still lasts.
    async fn left(&self, scope: &Scope) -> Result<Duration, Fault> {
        let mut slot = self.connection().await?;
        let connection = slot.as_mut().expect("a connection was just put there");
        let rows = connection.rows(LEFT.into(), &whose(scope)).await?;
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
        if held.is_empty() {
            return Ok(());
        }
        let mut slot = self.connection().await?;
        let connection = slot.as_mut().expect("a connection was just put there");
        for (scope, hold) in held {
            let now = connection.rows(TOKEN.into(), &whose(&scope)).await?;
            if now.first().map(|row| row.integer("token")).transpose()? != Some(hold.token) {
                let mut holds = self.holds();
                if let Some(found) = holds.get_mut(&scope).filter(|found| **found == hold) {
                    found.state = State::Lost;
                }
                continue;
            }
            let [instance, demarche] = whose(&scope);
            let values = [instance, demarche, hold.token.into(), milliseconds(self.server.options.lease)];
            connection.run(BEAT.into(), &values).await?;
        }
        Ok(())
    }
}

/// A lease of a row that was given back ended at that moment, that of a new one before all time.
const LEFT: &str = "SELECT (extract(epoch FROM greatest(until, clock_timestamp()) - clock_timestamp()) * 1000)::bigint \
                    AS remaining FROM dn_leases WHERE instance = $1 AND demarche = $2";

const BEAT: &str = "UPDATE dn_leases SET seen = clock_timestamp(), \
                    until = clock_timestamp() + $4 * interval '1 millisecond' \
                    WHERE token = $3 AND (instance, demarche) = (SELECT instance, demarche FROM dn_leases \
                    WHERE instance = $1 AND demarche = $2 AND token = $3 FOR UPDATE SKIP LOCKED)";

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
    if let Some(connection) = inner.connection.lock().await.take() {
        drop(connection.close().await);
    }
}
