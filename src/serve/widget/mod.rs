//! Serves a custom widget of Grist: a page in French that shows how the démarches of a document are, and takes commands.
//!
//! - [`WidgetSource`]: what the page shows and does, by whoever knows targets;
//! - `http`: requests, headers, limits; `page.html`, `page.css`, `page.js`: the page, without anything from elsewhere;
//! - `verdicts`: remembers for a moment what Grist said of an access token.
//!
//! The page proves who looks with the access token that Grist gives to a widget of a document. It is shown to the Grist of
//! the configuration, about the document of the configuration, never to an address that the page names.

mod http;
mod verdicts;

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub(super) use http::{answer, is_ours};
pub use verdicts::Verdicts;

use super::status_board::{RunLine, RunProgress};

/// Shows and does what the widget of a document asks for.
pub trait WidgetSource: Send + Sync {
    /// Lists the origins of the Grist servers whose pages may show the widget.
    fn origins(&self) -> Vec<String>;

    /// Shows how the démarches of a document are, to somebody who may edit it. `document`: its id in the configuration;
    /// `None` where there is one only.
    fn state<'a>(
        &'a self,
        document: Option<&'a str>,
        token: &'a SecretString,
    ) -> BoxFuture<'a, Result<WidgetState, WidgetRefusal>>;

    /// Takes a command, as the person whose token it is.
    fn ask<'a>(
        &'a self,
        document: Option<&'a str>,
        token: &'a SecretString,
        asked: &'a WidgetCommand,
    ) -> BoxFuture<'a, Result<(), WidgetRefusal>>;
}

/// Says why a request of the widget is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WidgetRefusal {
    /// No such document, démarche or command in the configuration.
    Unknown,
    /// Grist does not know the token, or its time is over.
    Token,
    /// The person may not edit the document.
    Rights,
    /// The document has no table of commands yet.
    NoTable,
    /// Too many tokens were shown in a short time.
    TooMany,
    /// Grist does not answer.
    Unavailable,
}

/// Holds a command as the page sends it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct WidgetCommand {
    /// The instance of the démarche.
    pub instance: String,
    /// Its number.
    pub demarche: u32,
    /// The word of the command.
    pub command: String,
}

/// Holds everything that the page shows: numbers, states and instants, nothing of a dossier.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WidgetState {
    /// The present instant of the server.
    pub now: Timestamp,
    /// The démarches of the document.
    pub demarches: Vec<WidgetJob>,
}

/// Shows how a démarche is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WidgetJob {
    /// Its instance.
    pub instance: String,
    /// Its number.
    pub demarche: u32,
    /// Its number and title, as the document shows them; empty before the first look.
    pub title: String,
    /// When the last run that did its work ended.
    pub last_success: Option<Timestamp>,
    /// From when on the data counts as old.
    pub late_from: Option<Timestamp>,
    /// When it is to run next; `None` while it is paused.
    pub next: Option<Timestamp>,
    /// True if it is paused.
    pub paused: bool,
    /// Since when it runs.
    pub running_since: Option<Timestamp>,
    /// The progress of that run.
    pub progress: Option<RunProgress>,
    /// The last runs, newest first.
    pub runs: Vec<RunLine>,
    /// The number of dossiers in quarantine.
    pub quarantine: u64,
    /// The number of intents in the outbox, by the word of their status.
    pub outbox: BTreeMap<&'static str, u64>,
    /// The words and titles of the commands that it takes.
    pub commands: Vec<(&'static str, &'static str)>,
    /// The words of the commands that wait.
    pub waiting: Vec<&'static str>,
    /// The answer to the last commands, as the document says it.
    pub answer: String,
}
