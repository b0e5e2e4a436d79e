//! The first signal asks to stop after the commit under way; the second one stops at once.

use super::error::CliError;
use super::printer;
use crate::sync::Stop;

/// Listens to interrupt and termination from now on.
///
/// # Errors
/// When the system does not let the program listen.
pub fn listen() -> Result<Stop, CliError> {
    let stop = Stop::default();
    let asked = stop.clone();
    let mut signals = Signals::new().map_err(|source| CliError::System { what: "listening to signals", source })?;
    tokio::spawn(async move {
        signals.next().await;
        asked.ask();
        printer::tell("stopping after the commit under way; once more stops at once (nothing committed is lost)");
        let code = signals.next().await;
        #[expect(clippy::exit, reason = "the second signal asks for it, and every commit is whole")]
        std::process::exit(code);
    });
    Ok(stop)
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for one, and gives the code with which a shell reports it.
    async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.interrupt.recv() => 130,
            _ = self.terminate.recv() => 143,
        }
    }
}

/// Asks to read the configuration again.
#[cfg(unix)]
pub struct Hangups(tokio::signal::unix::Signal);

#[cfg(unix)]
impl Hangups {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the system does not let the program listen.
    pub fn listen() -> Result<Self, CliError> {
        let signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup());
        signal.map(Self).map_err(|source| CliError::System { what: "listening to signals", source })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// A system without that signal.
#[cfg(not(unix))]
pub struct Hangups;

#[cfg(not(unix))]
impl Hangups {
    /// Listens to nothing.
    ///
    /// # Errors
    /// None.
    pub fn listen() -> Result<Self, CliError> {
        Ok(Self)
    }

    /// Never comes.
    pub async fn next(&mut self) {
        std::future::pending::<()>().await;
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> i32 {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        130
    }
}
