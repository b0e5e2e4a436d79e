//! Lives many simulated lives and stops at the first one that loses something: `docs/simulation.md`.
//!
//! ```sh
//! cargo run --release --example simulate -- --seeds 100000
//! cargo run --release --example simulate -- --seed 42
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "../../tests/simulation/life/mod.rs"]
mod life;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use clap::Parser;

use life::{Counts, Plan, live, shrink};

/// As in the program: much of a life is small pieces of memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Lives simulated lives of a platform, an engine and a target; exits with 1 at the first one that loses something.
#[derive(Parser)]
struct Args {
    /// Number of lives
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Replays one life and tells what happens in it
    #[arg(long)]
    seed: Option<u64>,
    /// Leaves these out of the life that is replayed
    #[arg(long, value_delimiter = ',', requires = "seed")]
    without: Vec<usize>,
    /// Number of lives at a time [default: one for each processor]
    #[arg(long)]
    threads: Option<usize>,
    /// Number of lives that may be spent on making a failing one smaller
    #[arg(long, default_value_t = 400)]
    shrink: u32,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let failed = match args.seed {
        Some(seed) => replay(seed, &args.without.iter().copied().collect()),
        None => many(&args),
    };
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// One life, told.
fn replay(seed: u64, without: &BTreeSet<usize>) -> bool {
    let plan = Plan::of(seed).without(without);
    println!("{:#?}", plan.terms);
    for (number, item) in &plan.items {
        println!("{number:4}  {item:?}");
    }
    let lived = live(&plan, true);
    lived.lines.iter().for_each(|line| println!("{line}"));
    println!("fingerprint {:016x}", lived.fingerprint);
    match &lived.failure {
        Some(failure) => println!("seed {seed} fails: {failure}"),
        None => println!("seed {seed}: nothing is lost"),
    }
    lived.failure.is_some()
}

/// State that all threads share.
#[derive(Default)]
struct Known {
    counts: Mutex<Counts>,
    /// The smallest seed that fails, and how.
    failed: Mutex<Option<(u64, String)>>,
    lived: AtomicU64,
}

fn many(args: &Args) -> bool {
    let began = Instant::now();
    let threads = args.threads.or_else(|| std::thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
    let (next, last, known) = (AtomicU64::new(args.from), args.from.saturating_add(args.seeds), Known::default());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                // A thread that took a smaller seed than the one that failed brings it to its end: the answer does not
                // depend on how many threads there are.
                while !known.has_failed() {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= last {
                        break;
                    }
                    known.note(seed, live(&Plan::of(seed), false));
                    let lived = known.lived.load(Ordering::Relaxed);
                    if lived.is_multiple_of(1_000) {
                        println!("{lived} lives, {:.0} a second", rate(lived, began));
                    }
                }
            });
        }
    });
    let lived = known.lived.load(Ordering::Relaxed);
    println!("{lived} lives in {:.0} s, {:.0} a second", began.elapsed().as_secs_f64(), rate(lived, began));
    for (what, count) in &*known.counts.lock().unwrap_or_else(PoisonError::into_inner) {
        println!("{count:10}  {what}");
    }
    let failed = known.failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    let Some((seed, failure)) = failed else {
        println!("nothing is lost");
        return false;
    };
    println!("seed {seed} fails: {failure}");
    if args.shrink > 0 {
        let plan = Plan::of(seed);
        let without = shrink(&plan, args.shrink, |plan| live(plan, false).failure.is_some());
        let whole = plan.items.len();
        println!("{} of the {whole} things that happen in it are enough:", whole - without.len());
        let without: Vec<String> = without.iter().map(ToString::to_string).collect();
        println!("cargo run --release --example simulate -- --seed {seed} --without {}", without.join(","));
    } else {
        println!("cargo run --release --example simulate -- --seed {seed}");
    }
    true
}

#[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 52 bits")]
fn rate(lives: u64, began: Instant) -> f64 {
    lives as f64 / began.elapsed().as_secs_f64().max(0.001)
}

impl Known {
    fn has_failed(&self) -> bool {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn note(&self, seed: u64, lived: life::Lived) {
        self.lived.fetch_add(1, Ordering::Relaxed);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for (what, count) in lived.counts {
            *counts.entry(what).or_default() += count;
        }
        if let Some(failure) = lived.failure {
            let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            if failed.as_ref().is_none_or(|(smallest, _)| seed < *smallest) {
                *failed = Some((seed, failure));
            }
        }
    }
}
