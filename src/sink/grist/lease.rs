//! Leases the document to one run at a time, by a row of `Dn_baux`.
//!
//! Every bundle takes the row in force away and puts a new one, and fails as a whole when the row is not there any more.
//! So a run that was thought dead and wakes up writes nothing, a bundle whose answer was lost is known to be applied or
//! not by looking at the row, and none is ever applied twice, however late it comes. The new row is there before the old
//! one goes, so that ids grow and none is used again (Grist trap 6).
//!
//! What the row says of its holder (where, which process, since when, seen when) is only a courtesy: it lets another run
//! end at its opening, not in its middle.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

use grist_client::{Action, RowId};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

/// The table.
pub(super) const TABLE: &str = "Dn_baux";

/// The time after its last sign of life at which a holder is taken for dead.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);

/// From this id on the next row begins again at 1: Grist takes none above a million, and the bundles of years ago are
/// not under way any more.
const LAST: RowId = 900_000;

/// The row in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LeaseRow {
    pub id: RowId,
    /// The run that wrote it.
    pub token: String,
    /// The number of bundles that this run had written with it.
    pub turn: i64,
    pub host: String,
    pub process: i64,
    pub since: Timestamp,
    pub seen: Timestamp,
    pub free: bool,
}

/// Who works here.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    pub token: String,
    pub host: String,
    pub process: i64,
    pub since: Timestamp,
}

/// Answer to whether a run may begin now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Judgment {
    Free,
    /// Held, by whom.
    Held(String),
}

/// Decides if a run may begin. `lives` tells of a process of this host whether it exists, `ours` of a token whether a sink
/// of this process has it.
pub(super) fn judge(
    lease: Option<&LeaseRow>,
    me: &Holder,
    now: Timestamp,
    lives: impl Fn(i64) -> bool,
    ours: impl Fn(&str) -> bool,
) -> Judgment {
    let Some(lease) = lease else { return Judgment::Free };
    let here = !me.host.is_empty() && lease.host == me.host;
    let dead = match here {
        true if lease.process == me.process => !ours(&lease.token),
        true => !lives(lease.process),
        false => false,
    };
    if lease.free || dead || now.duration_since(lease.seen) > PATIENCE {
        return Judgment::Free;
    }
    Judgment::Held(format!("process {} on {}, seen {}", lease.process, lease.host, lease.seen))
}

/// The actions at the head of a bundle, and the row that they put (its id is given by Grist).
pub(super) fn pass(from: Option<&LeaseRow>, me: &Holder, turn: i64, now: Timestamp, free: bool) -> [Option<Action>; 3] {
    let row = |value: Value| match value {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    let next = row(json!({
        "jeton": me.token, "tour": turn, "hote": me.host, "processus": me.process,
        "depuis": me.since.to_string(), "vu": now.to_string(), "libre": free,
    }));
    let table = || TABLE.to_owned();
    match from {
        // The first row has an id of its own, so that of two who begin at once one fails.
        None => [Some(Action::AddRecord { table: table(), row: Some(1), values: next }), None, None],
        Some(from) => {
            let id = if from.id >= LAST { Some(1) } else { None };
            [
                Some(Action::UpdateRecord { table: table(), row: from.id, values: row(json!({ "libre": true })) }),
                Some(Action::AddRecord { table: table(), row: id, values: next }),
                Some(Action::BulkRemove { table: table(), rows: vec![from.id] }),
            ]
        }
    }
}

/// The tokens of the sinks of this process.
static LIVE: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

fn live() -> MutexGuard<'static, BTreeSet<String>> {
    LIVE.lock().expect("no code panics while it holds the lock")
}

/// Returns true if a sink of this process has this token.
pub(super) fn is_ours(token: &str) -> bool {
    live().contains(token)
}

/// A token that is known in this process until it is dropped.
#[derive(Debug)]
pub(super) struct ProcessToken(pub String);

impl ProcessToken {
    pub(super) fn new() -> Self {
        let token = format!("{:032x}", rand::random::<u128>());
        live().insert(token.clone());
        Self(token)
    }
}

impl Drop for ProcessToken {
    fn drop(&mut self) {
        live().remove(&self.0);
    }
}

/// Returns the name of this machine; empty if it has none, and then no holder is taken to be here.
pub(super) fn host() -> String {
    let file = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = file.or_else(|| std::env::var("HOSTNAME").ok()).or_else(|| std::env::var("COMPUTERNAME").ok());
    name.map(|name| name.trim().to_owned()).unwrap_or_default()
}

/// Returns true if a process of this machine exists, and where that cannot be known.
pub(super) fn lives(process: i64) -> bool {
    let processes = std::path::Path::new("/proc");
    !processes.join("self").exists() || processes.join(process.to_string()).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("an instant")
    }

    fn me() -> Holder {
        Holder { token: "moi".into(), host: "ici".into(), process: 10, since: at(0) }
    }

    fn lease(host: &str, process: i64) -> LeaseRow {
        let (token, host) = ("autre".to_owned(), host.to_owned());
        LeaseRow { id: 7, token, turn: 3, host, process, since: at(0), seen: at(0), free: false }
    }

    #[test]
    fn a_run_begins_when_nobody_who_lives_holds_the_lease() {
        let free = LeaseRow { free: true, ..lease("ailleurs", 1) };
        for (name, lease, now, lives, ours, begins) in [
            ("a new document", None, 0, true, false, true),
            ("given back", Some(free), 1, true, false, true),
            ("held elsewhere", Some(lease("ailleurs", 10)), 299, false, false, false),
            ("held elsewhere, long silent", Some(lease("ailleurs", 10)), 301, true, false, true),
            ("held here by another process", Some(lease("ici", 11)), 1, true, false, false),
            ("held here by a process that is gone", Some(lease("ici", 11)), 1, false, false, true),
            ("held by another sink of this process", Some(lease("ici", 10)), 1, true, true, false),
            ("held by a sink of this process that is gone", Some(lease("ici", 10)), 1, true, false, true),
        ] {
            let judgment = judge(lease.as_ref(), &me(), at(now), |_| lives, |_| ours);
            assert_eq!(judgment == Judgment::Free, begins, "{name}: {judgment:?}");
        }
    }

    #[test]
    fn a_host_without_a_name_is_never_here() {
        let me = Holder { host: String::new(), ..me() };
        assert_ne!(judge(Some(&lease("", 11)), &me, at(1), |_| false, |_| false), Judgment::Free);
    }

    #[test]
    fn the_row_goes_from_hand_to_hand_with_growing_ids() {
        let [first, none, _] = pass(None, &me(), 1, at(1), false);
        assert!(matches!(first, Some(Action::AddRecord { row: Some(1), .. })) && none.is_none());
        let from = lease("ici", 10);
        let [Some(guard), Some(next), Some(gone)] = pass(Some(&from), &me(), 2, at(1), true) else { panic!("three") };
        // An update without a value would not fail where the row is missing.
        assert!(matches!(&guard, Action::UpdateRecord { row: 7, values, .. } if !values.is_empty()), "{guard:?}");
        assert!(matches!(&next, Action::AddRecord { row: None, values, .. } if values["libre"] == true), "{next:?}");
        assert!(matches!(&gone, Action::BulkRemove { rows, .. } if *rows == [7]), "{gone:?}");
        let [_, Some(again), _] = pass(Some(&LeaseRow { id: LAST, ..from }), &me(), 2, at(1), true) else {
            panic!("three")
        };
        assert!(matches!(again, Action::AddRecord { row: Some(1), .. }), "{again:?}");
    }

    #[test]
    fn a_token_is_known_while_it_lives() {
        let token = ProcessToken::new();
        let text = token.0.clone();
        assert!(is_ours(&text));
        drop(token);
        assert!(!is_ours(&text));
    }
}
