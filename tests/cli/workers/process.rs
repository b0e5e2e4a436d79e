//! Runs `dn run` as a process: reads its log, sends signals.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::cli::harness::Harness;

/// Time limit for a line of the log. Only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running process.
pub struct Worker {
    child: Child,
    log: mpsc::UnboundedReceiver<String>,
    lines: Vec<String>,
}

/// The exit code and the log of a process that ended.
pub struct Stopped {
    pub code: Option<i32>,
    /// Everything that it logged.
    pub lines: Vec<String>,
}

impl Worker {
    /// Starts the binary.
    pub fn start(harness: &Harness, args: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command: Command = harness.command(args);
        command.envs(variables.iter().copied());
        Self::of(command)
    }

    /// Starts a command.
    pub fn of(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the binary starts");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let (sender, log) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, log, lines: Vec::new() }
    }

    /// Waits for the next line with these words.
    pub async fn says(&mut self, words: &str) -> String {
        loop {
            match timeout(PATIENCE, self.log.recv()).await {
                Ok(Some(line)) => {
                    self.lines.push(line.clone());
                    if line.contains(words) {
                        return line;
                    }
                }
                ended => panic!("`{words}` was never said ({ended:?}):\n{}", self.lines.join("\n")),
            }
        }
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let pid = self.id().to_string();
        let sent = std::process::Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill starts");
        assert!(sent.success(), "kill -{name} {pid}");
    }

    /// Kills it without a word.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("it ends");
    }

    /// Asks it to stop, and waits for its end.
    pub async fn stop(mut self) -> Stopped {
        self.signal("TERM");
        let status = timeout(PATIENCE, self.child.wait()).await.expect("it obeys").expect("it ends");
        while let Some(line) = self.log.recv().await {
            self.lines.push(line);
        }
        Stopped { code: status.code(), lines: self.lines }
    }
}
