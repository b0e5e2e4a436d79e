//! Shows the progress of a run: reads the events of the engine.

use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::printer::{counted, grouped, size, tell};
use super::terminal::ProgressMode;
use super::words;
use crate::cycle::{CycleEvent, log_event};
use crate::ids::Scope;
use crate::report::Counts;
use crate::sync::Event;

/// The number of pages that get a line of their own; of later ones, one in ten gets a line.
const LINES: u64 = 10;

/// Tells how a run goes on.
pub struct ProgressReporter {
    scope: Scope,
    mode: ProgressMode,
    bar: ProgressBar,
    so_far: Mutex<SoFar>,
}

#[derive(Debug, Default)]
struct SoFar {
    pages: u64,
    dossiers: u64,
    counts: Counts,
}

impl ProgressReporter {
    /// Begins to tell about one démarche.
    pub fn new(mode: ProgressMode, scope: &Scope) -> Self {
        let bar = match mode {
            ProgressMode::Bar => {
                let bar = ProgressBar::new_spinner();
                let style = ProgressStyle::with_template("{spinner} {prefix}: {wide_msg} {elapsed}");
                bar.set_style(style.expect("the template is valid"));
                bar.set_prefix(scope.to_string());
                bar.enable_steady_tick(Duration::from_millis(120));
                bar
            }
            ProgressMode::Lines | ProgressMode::Silent | ProgressMode::Quiet => ProgressBar::hidden(),
        };
        Self { scope: scope.clone(), mode, bar, so_far: Mutex::default() }
    }

    /// Reads one event of a work cycle.
    pub fn hear(&self, event: &CycleEvent<'_>) {
        match event {
            CycleEvent::Run(event) => self.on(event),
            CycleEvent::StepEnded => self.end(),
            // What users did to the document and the push got along with.
            CycleEvent::TargetNotice(_) if self.mode == ProgressMode::Quiet => {}
            other => {
                if let Some(line) = words::cycle_event(other) {
                    self.pause(|| tell(&line));
                }
            }
        }
    }

    /// Reads one event of a run.
    pub fn on(&self, event: &Event) {
        self.bar.suspend(|| log_event(&self.scope, event));
        match event {
            Event::Started { alive, sweep } => {
                *self.so_far.lock().expect("no code panics while it holds the lock") = SoFar::default();
                let how = if *sweep { "reading everything" } else { "reading what moved" };
                self.show(|| format!("{how}; {} in the target", counted(*alive, "dossier")), true);
            }
            Event::Page { dossiers, counts, .. } => {
                let (text, worth_a_line) = {
                    let mut so_far = self.so_far.lock().expect("no code panics while it holds the lock");
                    so_far.pages += 1;
                    so_far.dossiers += *dossiers as u64;
                    so_far.counts.add(*counts);
                    let Counts { inserted, updated, deleted, restored, .. } = so_far.counts;
                    let text = format!(
                        "{} read: {} new, {} changed, {} gone, {} back",
                        counted(so_far.dossiers, "dossier"),
                        grouped(inserted),
                        grouped(updated),
                        grouped(deleted),
                        grouped(restored),
                    );
                    (text, so_far.pages <= LINES || so_far.pages.is_multiple_of(10))
                };
                self.show(|| text, worth_a_line);
            }
            Event::Listing { seen } => {
                let seen = *seen as u64;
                self.show(|| format!("comparing with the complete listing: {}", counted(seen, "dossier")), false);
            }
            Event::Remapped { dossiers } => {
                self.show(|| format!("writing again: {}", counted(*dossiers, "dossier")), false);
            }
            Event::Files { kept, bytes } => {
                let text = format!("{} fetched, {}", counted(*kept, "file"), size(*bytes));
                self.show(|| text, *kept <= LINES || kept.is_multiple_of(100));
            }
            _ => {}
        }
    }

    /// Makes place for something else to be told.
    pub fn pause(&self, tell: impl FnOnce()) {
        self.bar.suspend(tell);
    }

    /// Ends the telling.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn show(&self, text: impl FnOnce() -> String, worth_a_line: bool) {
        match self.mode {
            ProgressMode::Bar => self.bar.set_message(text()),
            ProgressMode::Lines if worth_a_line => tell(&format!("{}: {}", self.scope, text())),
            ProgressMode::Lines | ProgressMode::Silent | ProgressMode::Quiet => {}
        }
    }
}
