//! What is told while a run works: a reader of the engine's events.

use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tracing::{debug, info, warn};

use super::printer::{counted, grouped, size, tell};
use super::terminal::ProgressMode;
use crate::api::Drift;
use crate::ids::Scope;
use crate::plan::Counts;
use crate::sync::Event;
use crate::telemetry::{DEMARCHE_NUMBER, DOSSIER_NUMBER, INSTANCE, PAGE_SIZE, REASON};

/// How many pages get a line of their own; later ones get one in ten.
const LINES: u64 = 10;

/// Tells how a run goes on.
pub struct Progress {
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

impl Progress {
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
            ProgressMode::Lines | ProgressMode::Silent => ProgressBar::hidden(),
        };
        Self { scope: scope.clone(), mode, bar, so_far: Mutex::default() }
    }

    /// Reads one event.
    pub fn on(&self, event: &Event) {
        self.log(event);
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
            ProgressMode::Lines | ProgressMode::Silent => {}
        }
    }

    fn log(&self, event: &Event) {
        let (instance, demarche) = (self.scope.instance.as_str(), self.scope.demarche.get());
        self.bar.suspend(|| match event {
            Event::Started { alive, sweep } => {
                info!({ INSTANCE } = instance, { DEMARCHE_NUMBER } = demarche, alive, sweep, "run of démarche {demarche} begins");
            }
            Event::Schema(change) => {
                info!({ INSTANCE } = instance, { DEMARCHE_NUMBER } = demarche, "tables of démarche {demarche}: {change}");
            }
            Event::Page { dossiers, counts, .. } => {
                let changed = counts.inserted + counts.updated + counts.deleted + counts.restored;
                debug!(
                    { INSTANCE } = instance,
                    { DEMARCHE_NUMBER } = demarche,
                    { PAGE_SIZE } = dossiers,
                    changed,
                    "page of {dossiers} dossiers of démarche {demarche}: {changed} changed"
                );
            }
            Event::Quarantined { number, reason } => {
                let number = number.get();
                warn!(
                    { INSTANCE } = instance,
                    { DEMARCHE_NUMBER } = demarche,
                    { DOSSIER_NUMBER } = number,
                    { REASON } = reason.as_str(),
                    "dossier {number} cannot be read and is set aside: {reason}"
                );
            }
            Event::Released(number) => {
                let number = number.get();
                info!(
                    { INSTANCE } = instance,
                    { DEMARCHE_NUMBER } = demarche,
                    { DOSSIER_NUMBER } = number,
                    "dossier {number} leaves the quarantine"
                );
            }
            Event::Drift(drift) => {
                let what = describe(drift);
                warn!(
                    { INSTANCE } = instance,
                    { DEMARCHE_NUMBER } = demarche,
                    "the platform sent {what}, which this version does not know; it is kept as text"
                );
            }
            Event::Unread { number, fields } => {
                let (number, fields) = (number.get(), fields.join(", "));
                warn!(
                    { INSTANCE } = instance,
                    { DEMARCHE_NUMBER } = demarche,
                    { DOSSIER_NUMBER } = number,
                    fields,
                    "some values of dossier {number} could not be read: {fields}; the others are kept"
                );
            }
            Event::UnknownDescriptor(id) => {
                warn!(
                    { INSTANCE } = instance,
                    { DEMARCHE_NUMBER } = demarche,
                    descriptor.id = id.as_str(),
                    "no revision of démarche {demarche} asks the question {id}; its answers are kept in the documents"
                );
            }
            Event::Notice(notice) => {
                warn!({ INSTANCE } = instance, { DEMARCHE_NUMBER } = demarche, "the target of démarche {demarche}: {notice}");
            }
            Event::SuppressionsIncomplete => {
                warn!(
                    { INSTANCE } = instance,
                    { DEMARCHE_NUMBER } = demarche,
                    "the deletions of démarche {demarche} could not be read to their end; the next run tries again"
                );
            }
            Event::Listing { seen } => {
                debug!({ INSTANCE } = instance, { DEMARCHE_NUMBER } = demarche, seen, "listing of démarche {demarche}");
            }
            Event::Remapped { dossiers } => {
                debug!({ INSTANCE } = instance, { DEMARCHE_NUMBER } = demarche, dossiers, "dossiers written again");
            }
            Event::Retained { anonymised, purged } => {
                debug!({ INSTANCE } = instance, { DEMARCHE_NUMBER } = demarche, anonymised, purged, "dossiers emptied");
            }
            Event::Files { kept, bytes } => {
                debug!({ INSTANCE } = instance, { DEMARCHE_NUMBER } = demarche, kept, bytes, "files fetched");
            }
            Event::Row(found) => {
                let number = found.number.map_or(0, |number| number.get());
                warn!(
                    { INSTANCE } = instance,
                    { DEMARCHE_NUMBER } = demarche,
                    { DOSSIER_NUMBER } = number,
                    table = found.table.as_str(),
                    rows = found.rows,
                    { REASON } = found.fault.as_str(),
                    "rows of {} are not what the document of dossier {number} says: {}",
                    found.table,
                    found.fault.as_str()
                );
            }
            Event::Brake { deletions, alive } => {
                warn!(
                    { INSTANCE } = instance,
                    { DEMARCHE_NUMBER } = demarche,
                    deletions,
                    alive,
                    "{deletions} of {alive} dossiers of démarche {demarche} seem gone: more than allowed, so none is marked"
                );
            }
        });
    }
}

fn describe(drift: &Drift) -> String {
    match drift {
        Drift::Typename(name) => format!("the type `{}`", super::printer::shortened(name, 60)),
        Drift::EnumValue(kind, value) => format!("the {kind} `{}`", super::printer::shortened(value, 60)),
    }
}
