//! Measures the cost of this process, and starts child processes.

use std::fs::read_to_string;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::time::{ClockId, clock_gettime};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::support::Anyhow;

/// Reads the CPU time of this process, all threads and kernel time included, in milliseconds.
pub fn cpu() -> f64 {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    spent.tv_sec as f64 * 1e3 + spent.tv_nsec as f64 / 1e6
}

/// Reads the peak resident memory of this process, in MiB.
pub fn peak_memory() -> Anyhow<f64> {
    let status = read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc/self/status")?;
    let kibibytes: f64 = line.trim_end_matches("kB").trim().parse()?;
    Ok(kibibytes / 1024.0)
}

/// Reads the load average of the last minute.
pub fn load() -> Anyhow<String> {
    Ok(read_to_string("/proc/loadavg")?.split(' ').next().unwrap_or_default().to_owned())
}

/// Starts this program with other arguments.
pub fn start(arguments: &[&str]) -> Anyhow<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    Ok(command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?)
}

/// Waits for the end of a child and decodes its output, one line of JSON.
pub fn end<T: DeserializeOwned>(child: Child) -> Anyhow<T> {
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err("a child failed; its output is above".into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Requests over HTTP and the bytes of their bodies, as the client sees them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    pub requests: u64,
    /// Writing requests among them.
    pub writes: u64,
    pub sent: u64,
    pub received: u64,
}

/// A child that answers requests until its input ends.
pub struct Server {
    child: Child,
    output: BufReader<ChildStdout>,
    place: String,
}

impl Server {
    /// Starts it; the first line that it says is where it answers.
    pub fn start(arguments: &[&str]) -> Anyhow<Self> {
        let mut child = start(arguments)?;
        let mut output = BufReader::new(child.stdout.take().ok_or("a child without output")?);
        let mut place = String::new();
        output.read_line(&mut place)?;
        Ok(Self { child, output, place: place.trim().to_owned() })
    }

    pub fn place(&self) -> &str {
        &self.place
    }

    /// Returns its traffic since the last call.
    pub fn traffic(&mut self) -> Anyhow<Traffic> {
        self.child.stdin.as_mut().ok_or("a child without input")?.write_all(b"\n")?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

/// For a child that serves: a line of JSON whenever its input has one, until its input ends.
pub async fn tell(mut traffic: impl FnMut() -> Traffic) -> Anyhow<()> {
    use tokio::io::{AsyncBufReadExt as _, BufReader, stdin};
    let mut questions = BufReader::new(stdin()).lines();
    while questions.next_line().await?.is_some() {
        println!("{}", serde_json::to_string(&traffic())?);
    }
    Ok(())
}
