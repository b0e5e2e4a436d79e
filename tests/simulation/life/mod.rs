//! Whole lives of a platform, an engine and a target, in one thread and in virtual time: a seed decides all of it.
//!
//! - `plan`: what the seed decides: terms, steps of the operator, changes of the world, troubles, deaths;
//! - `change`, `trouble`: what can happen on the platform, and on the way;
//! - `stage`: the platform in its time; `line`: the way to it; `target`: the target and its outbox, with what must hold at
//!   every commit;
//! - `run`: the life itself; `intents`: what is asked for, and what must have become of it;
//! - `oracle`: what the target must hold, told without the engine; `listen`: what must be in no log;
//! - `journal`: what was seen; `shrink`: less of a plan that still fails.

mod change;
mod intents;
mod journal;
mod line;
mod listen;
mod oracle;
mod plan;
mod run;
mod shrink;
mod stage;
mod target;
mod trouble;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use journal::Counts;
pub use plan::Plan;
pub use shrink::shrink;

use listen::{Listener, Said};
use run::Life;
use stage::Stage;

/// A life that ended.
#[derive(Clone, Debug)]
pub struct Lived {
    /// What must not be, and was.
    pub failure: Option<String>,
    /// A fingerprint of everything that was seen, in order and time.
    pub fingerprint: u64,
    /// How often things were met.
    pub counts: Counts,
    /// What was seen, line by line, if somebody wants to read it.
    pub lines: Vec<String>,
}

/// Lives a plan.
#[must_use]
pub fn live(plan: &Plan, readable: bool) -> Lived {
    let said = Said::default();
    let listening = tracing::subscriber::set_default(Listener(said.clone()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime without sockets needs nothing of the machine");
    let stage = runtime.block_on(async { Stage::new(plan, readable) });
    let life = AssertUnwindSafe(|| runtime.block_on(Life::new(plan, stage.clone(), said).whole()));
    let failure = match catch_unwind(life) {
        Ok(ended) => ended.err(),
        Err(_) => Some("it panics".to_owned()),
    };
    drop(listening);
    let journal = std::mem::take(&mut stage.state().journal);
    let (fingerprint, counts, lines) = journal.close();
    Lived { failure, fingerprint, counts, lines }
}
