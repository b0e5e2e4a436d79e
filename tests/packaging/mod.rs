//! Compares the samples in `config/` with the program: commands, exit codes, variables, paths.
//!
//! If `systemd-analyze` and `promtool` are installed, they check the files too; otherwise the test says that it skipped them.

mod container;
mod kubernetes;
pub mod monitoring;
mod systemd;

use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use clap::CommandFactory as _;
use demarche_numerique::cli::Cli;

use crate::support::sources::{read, root};

/// The path of the program in the samples.
const PROGRAM: &str = "/usr/local/bin/dn";

/// A YAML file of the sources, which holds one document.
fn yaml(path: &str) -> serde_json::Value {
    serde_saphyr::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Fails unless the program accepts these arguments.
fn understands<'a>(args: impl IntoIterator<Item = &'a str>) {
    let args: Vec<&str> = args.into_iter().collect();
    let matches = Cli::command().try_get_matches_from(std::iter::once("dn").chain(args.iter().copied()));
    assert!(
        matches.is_ok(),
        "dn {}: {}",
        args.join(" "),
        matches.err().map(|error| error.to_string()).unwrap_or_default()
    );
}

/// Runs a tool at the root of the sources; `None`, and a line that says so, where it is not installed.
fn tool(name: &str, args: &[&str]) -> Option<Output> {
    match Command::new(name).args(args).current_dir(root()).output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            left_out(name);
            None
        }
        Err(error) => panic!("{name}: {error}"),
    }
}

/// Runs a tool, and fails with its output if it finds a fault.
fn judged(name: &str, args: &[&str]) {
    if let Some(output) = tool(name, args) {
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{name} {}:\n{}", args.join(" "), String::from_utf8_lossy(&said));
    }
}

/// The same for a tool that reads its standard input.
pub fn judged_text(name: &str, args: &[&str], text: &str) {
    let started =
        Command::new(name).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => return left_out(name),
        Err(error) => panic!("{name}: {error}"),
    };
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    // promtool has a code of its own for advice about names.
    assert!(output.status.success() && said.trim().is_empty(), "{name} {}:\n{said}\n{text}", args.join(" "));
}

/// Reports that a check was skipped.
fn left_out(name: &str) {
    eprintln!("{name} is not installed here: its checks are left out (Debian has it in `prometheus` or `systemd`)");
}

/// A file in a folder that lives as long as the test, for tools that read files.
fn written(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap_or_else(|error| panic!("{name}: {error}"));
    path
}
