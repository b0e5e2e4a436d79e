//! Collects all logs of the library, to be searched for what must not be in them.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::change::PRIVATE;

/// Lines of the log, and lines that were added to them.
#[derive(Clone, Default)]
pub struct Said(Arc<Mutex<String>>);

/// Invented names of the sandbox's people, and what its addresses and our own values have in common.
const NAMES: [&str; 15] = [
    PRIVATE,
    "@example.org",
    "Zélie",
    "Anatole",
    "Maëlle",
    "Côme",
    "Éléonore",
    "Gaël",
    "Inès",
    "Loïc",
    "D’Essai",
    "Bac-à-Sable",
    "Factice",
    "L’Inventée",
    "Témoin",
];

impl Said {
    /// Adds a text.
    pub fn add(&self, text: &str) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.push_str(text);
        said.push('\n');
    }

    /// A line with something personal in it.
    pub fn leak(&self) -> Option<String> {
        let said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = NAMES.iter().find(|name| said.contains(**name))?;
        said.lines().find(|line| line.contains(name)).map(str::to_owned)
    }
}

/// A reader of the log that wants everything.
pub struct Listener(pub Said);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a text cannot fail.
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("demarche_numerique")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line(span.metadata().name().to_owned());
        span.record(&mut line);
        self.0.add(&line.0);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut line = Line(String::new());
        values.record(&mut line);
        self.0.add(&line.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.add(&line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
