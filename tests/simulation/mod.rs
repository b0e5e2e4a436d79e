//! Deterministic simulation: `docs/simulation.md`. The long one is `cargo run --release --example simulate`.

pub mod life;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use life::{Counts, Plan, live, shrink};

/// The number of lives of the ordinary tests.
const LIVES: u64 = 300;

/// Events that must occur in so many lives: an event that never occurs tests nothing.
const MET: [&str; 19] = [
    "calls of the target that fail",
    "changes without a date",
    "colleagues who act after a write",
    "deaths in the middle of something",
    "delete",
    "deletions held back",
    "dossiers let out again",
    "dossiers set aside",
    "dossiers that are answered with an odd value",
    "dossiers that the target cannot hold",
    "intents done",
    "late commits",
    "lists of deletions that cannot be read",
    "outages",
    "requests executed after their sender was gone",
    "requests that go wrong",
    "targets that go back",
    "writes that go wrong",
    "writes refused to whom another has replaced",
];

#[test]
fn nothing_is_lost_in_some_hundred_lives() {
    let (next, met) = (AtomicU64::new(1), Mutex::new(Counts::new()));
    let threads = thread::available_parallelism().map_or(1, Into::into);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > LIVES {
                        break;
                    }
                    let lived = live(&Plan::of(seed), false);
                    if let Some(failure) = lived.failure {
                        panic!("cargo run --release --example simulate -- --seed {seed}\n{failure}");
                    }
                    met.lock().expect("no thread panics while it holds this").extend(lived.counts);
                }
            });
        }
    });
    let met = met.into_inner().expect("no thread panicked");
    assert_eq!(MET.into_iter().filter(|what| !met.contains_key(what)).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn one_seed_is_one_life() {
    for seed in [1, 2, 3, 5, 8] {
        let (once, again) = (live(&Plan::of(seed), true), live(&Plan::of(seed), true));
        assert_eq!(once.lines, again.lines, "seed {seed}");
        assert_eq!(once.fingerprint, again.fingerprint, "seed {seed}");
        assert_ne!(once.fingerprint, live(&Plan::of(seed + 100), false).fingerprint, "seed {seed}");
    }
}

#[test]
fn what_a_failure_does_not_need_is_left_out() {
    let plan = Plan::of(6);
    let needed = [0, plan.items.len() / 2, plan.items.len() - 1];
    let fails = |plan: &Plan| needed.iter().all(|wanted| plan.items.iter().any(|(number, _)| number == wanted));
    let left_out = shrink(&plan, 1_000, fails);
    let kept: Vec<usize> = plan.without(&left_out).items.iter().map(|(number, _)| *number).collect();
    assert_eq!(kept, needed);
}
