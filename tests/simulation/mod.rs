//! Deterministic simulation: `docs/simulation.md`. The long one is `cargo run --release --example simulate`.

pub mod life;

use life::{Plan, live};

#[test]
fn one_seed_is_one_life() {
    for seed in [1, 2, 3, 5, 8] {
        let (once, again) = (live(&Plan::of(seed), true), live(&Plan::of(seed), true));
        assert_eq!(once.lines, again.lines, "seed {seed}");
        assert_eq!(once.fingerprint, again.fingerprint, "seed {seed}");
    }
}
