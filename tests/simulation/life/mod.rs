//! Whole lives of a platform, an engine and a target, in one thread and in virtual time. A seed decides everything.
//!
//! - `plan`: everything that the seed decides: terms, steps of the operator, changes of the platform, faults, deaths;
//! - `change`, `trouble`, `odd`: changes on the platform, faults of the network and the target, odd values in answers;
//! - `lost_answers`: lost answers to writes, deaths around a write, and colleagues who act before anybody looks;
//! - `stage`: the platform in virtual time; `line`: the network; `target`: the target and its outbox, with the invariants of every commit;
//! - `run`: the life itself; `intents`: intents, and the check of their effects;
//! - `oracle`: the expected target, computed without the engine; `listen`: the logs;
//! - `journal`: the journal; `shrink`: shrinks a plan that fails.

mod change;
mod intents;
mod journal;
mod line;
mod listen;
mod lost_answers;
mod odd;
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
    /// Violations of an invariant.
    pub failure: Option<String>,
    /// A fingerprint of everything that was seen, in order and time.
    pub fingerprint: u64,
    /// Counters of events.
    pub counts: Counts,
    /// The journal, line by line, if it was asked for.
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
