//! Sends alerts by a command or a webhook, beside the loop and never in its way.

use std::fmt;
use std::process::Stdio;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};
use url::Url;

use super::error::CliError;
use crate::config::{Alerts, ConfigError, Problem, Secrets};
use crate::serve::{Clock, Limits, News, StatusBoard, Told, Trouble, alerts};

/// The time between two looks at the status board when nothing happens: limits are passed by waiting, too.
const LOOK: Duration = Duration::from_secs(30);
/// The deadline of one message.
const PATIENCE: Duration = Duration::from_secs(30);

/// Says who receives alerts, and from which limits on.
#[derive(Clone, Debug)]
pub struct Alarm {
    limits: Limits,
    ways: Vec<Way>,
}

/// One way out.
#[derive(Clone)]
enum Way {
    /// A program with its arguments, which reads the message on its standard input.
    Command(Vec<String>),
    /// An address that takes messages. It is a secret.
    Webhook(reqwest::Client, Url),
}

impl PartialEq for Way {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Command(a), Self::Command(b)) => a == b,
            (Self::Webhook(_, a), Self::Webhook(_, b)) => a == b,
            (Self::Command(_), Self::Webhook(..)) | (Self::Webhook(..), Self::Command(_)) => false,
        }
    }
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Alarm {
    /// Takes the alerts of a configuration; the address of a webhook is read now.
    ///
    /// # Errors
    /// A secret that is not there, or an address that is none.
    pub fn new(settings: &Alerts, secrets: &Secrets) -> Result<Self, CliError> {
        let mut ways: Vec<Way> = settings.command.iter().map(|command| Way::Command(command.value.clone())).collect();
        if let Some(source) = &settings.webhook {
            ways.push(webhook(&secrets.read("the address for alerts", &source.value)?)?);
        }
        Ok(Self { limits: settings.limits(), ways })
    }
}

fn webhook(address: &SecretString) -> Result<Way, CliError> {
    let unfit = |unfit: bearer_http::Unfit| {
        let message = format!("the address for alerts cannot be used: {}", unfit.reason);
        let problem = Problem::new("run.alerts", message);
        CliError::from(ConfigError { file: None, problems: vec![problem] })
    };
    let (url, loopback) = bearer_http::address(address.expose_secret()).map_err(unfit)?;
    let timeouts = bearer_http::Timeouts { connect: PATIENCE, read: None, total: PATIENCE };
    let client = bearer_http::client((&url, loopback), HeaderMap::new(), crate::USER_AGENT, timeouts).map_err(unfit)?;
    Ok(Way::Webhook(client, url))
}

/// Watches the board until it is dropped. What was told is remembered for as long as this lives, by way.
pub async fn watch(board: StatusBoard, clock: Clock, mut alarms: watch::Receiver<Alarm>) {
    let mut told: Vec<(Way, Told)> = Vec::new();
    loop {
        let Alarm { limits, ways } = alarms.borrow_and_update().clone();
        let mut before = std::mem::take(&mut told);
        for way in ways {
            let known = before.iter().position(|(other, _)| *other == way).map(|at| before.swap_remove(at).1);
            told.push((way, known.unwrap_or_default()));
        }
        let now = clock();
        let current = alerts(&board.snapshot(), &board.instances(), &limits, now);
        let mut left = true;
        for (way, told) in &mut told {
            for news in told.news(&current) {
                let message = Message::of(&news, now);
                match way.send(&message).await {
                    Ok(()) => {
                        info!("alert by {}: {}", way.name(), message.text);
                        told.note(news);
                    }
                    Err(reason) => {
                        warn!("the alert could not be sent by {} and is tried again: {reason}", way.name());
                        left = false;
                        break;
                    }
                }
            }
        }
        tokio::select! {
            () = board.changed(), if left => {}
            changed = alarms.changed() => if changed.is_err() { return },
            () = sleep(LOOK) => {}
        }
    }
}

/// The message of an alert. `text` is what chat programs show.
#[derive(Debug, Serialize)]
struct Message {
    version: u32,
    alert: Trouble,
    state: &'static str,
    text: String,
    instance: String,
    demarche: Option<u32>,
    target: Option<String>,
    since: Timestamp,
    at: Timestamp,
}

impl Message {
    fn of(news: &News, at: Timestamp) -> Self {
        let (state, text, incident, alert) = match news {
            News::Begins(incident, alert) => ("begins", alert.words.clone(), incident, alert),
            News::Ends(incident, alert) => ("ends", format!("over: {}", alert.words), incident, alert),
        };
        Self {
            version: 1,
            alert: incident.trouble,
            state,
            text,
            instance: incident.instance.clone(),
            demarche: incident.job.as_ref().map(|job| job.scope.demarche.get()),
            target: incident.job.as_ref().map(|job| job.target.clone()),
            since: alert.since,
            at,
        }
    }
}

impl Way {
    fn name(&self) -> &'static str {
        match self {
            Self::Command(_) => "command",
            Self::Webhook(..) => "webhook",
        }
    }

    /// Sends a message once; the reason when it did not arrive.
    async fn send(&self, message: &Message) -> Result<(), String> {
        match self {
            Self::Command(command) => timeout(PATIENCE, start(command, message))
                .await
                .unwrap_or_else(|_| Err(format!("the command has not ended within {} s", PATIENCE.as_secs()))),
            Self::Webhook(client, url) => match client.post(url.clone()).json(message).send().await {
                Ok(answer) if answer.status().is_success() => Ok(()),
                Ok(answer) => Err(format!("its address answers HTTP {}", answer.status().as_u16())),
                Err(error) => Err(match bearer_http::PermanentFailure::of(&error) {
                    Some(failure) => format!("{failure}; {}", failure.hint()),
                    None => error.without_url().to_string(),
                }),
            },
        }
    }
}

/// Starts a command, gives it the message, and waits for its end. It is killed when nobody waits any more.
async fn start(command: &[String], message: &Message) -> Result<(), String> {
    let (program, arguments) = command.split_first().ok_or("no program is named")?;
    let told = |error: std::io::Error| format!("`{program}`: {error}");
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(told)?;
    let mut text = serde_json::to_vec(message).expect("a message is plain data with text keys");
    text.push(b'\n');
    if let Some(mut input) = child.stdin.take() {
        // A program that does not want to read it is free not to.
        drop(input.write_all(&text).await);
    }
    let status = child.wait().await.map_err(told)?;
    if status.success() { Ok(()) } else { Err(format!("`{program}` ends with {status}")) }
}
