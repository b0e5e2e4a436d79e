//! Processes: their cost as the kernel counts it, and the children of this one.

use std::fs::read_to_string;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde::de::DeserializeOwned;

use super::Anyhow;

/// The kernel counts in hundredths of a second, whatever its own tick is.
const TICK_MS: f64 = 10.0;

/// The CPU that this process has taken with all its threads, in milliseconds: for itself, and in the kernel for it.
#[derive(Clone, Copy, Debug)]
pub struct Cpu {
    pub user: f64,
    pub system: f64,
}

impl Cpu {
    /// Until now. The name of the program may hold anything; numbers begin after it.
    pub fn now() -> Anyhow<Self> {
        let stat = read_to_string("/proc/self/stat")?;
        let fields: Vec<&str> = stat.rsplit_once(')').ok_or("no name in /proc/self/stat")?.1.split(' ').collect();
        let ticks = |at: usize| -> Anyhow<f64> { Ok(fields.get(at).ok_or("a short /proc/self/stat")?.parse()?) };
        Ok(Self { user: ticks(12)? * TICK_MS, system: ticks(13)? * TICK_MS })
    }

    pub fn since(self, before: Self) -> Self {
        Self { user: self.user - before.user, system: self.system - before.system }
    }

    pub fn total(self) -> f64 {
        self.user + self.system
    }
}

/// The most memory that this process ever had resident, in MiB.
pub fn peak_memory() -> Anyhow<f64> {
    let status = read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc/self/status")?;
    let kibibytes: f64 = line.trim_end_matches("kB").trim().parse()?;
    Ok(kibibytes / 1024.0)
}

fn child(arguments: &[&str]) -> Anyhow<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    Ok(command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?)
}

/// Runs a child to its end: its answer, JSON on a line.
pub fn answer<T: DeserializeOwned>(arguments: &[&str]) -> Anyhow<T> {
    let output = child(arguments)?.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("{} failed", arguments[0]).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// A child that answers requests until its input ends.
pub struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// Starts it; it says where it listens.
    pub fn start(arguments: &[&str]) -> Anyhow<Self> {
        let mut child = child(arguments)?;
        let mut url = String::new();
        BufReader::new(child.stdout.take().ok_or("a child without output")?).read_line(&mut url)?;
        Ok(Self { child, url: url.trim().to_owned() })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn stop(mut self) -> Anyhow<()> {
        drop(self.child.stdin.take());
        self.child.wait()?;
        Ok(())
    }
}
