//! Runs the binary in a temporary folder against a sandbox.

use std::path::PathBuf;
use std::process::Stdio;

use demarche_numerique::Platform;
use demarche_numerique::sandbox::{DEMARCHE_LARGE, Sandbox, Server, WorldSpec};
use tempfile::TempDir;
use tokio::process::Command;

/// A démarche of the sandbox with few champs.
pub const DEMARCHE: u32 = DEMARCHE_LARGE;

/// Exit code and output of a command.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// Checks the code, and shows everything when it is another one.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Checks that the error says this, and that there is a hint.
    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(self.stderr.contains(words), "`{words}` is not in:\n{}", self.stderr);
        assert!(self.stderr.starts_with("error: "), "no error line:\n{}", self.stderr);
        assert!(self.stderr.contains("hint: ") || self.stderr.contains('('), "no hint:\n{}", self.stderr);
        self
    }
}

impl Ended {
    /// The same for a command that told other things before the error.
    #[track_caller]
    pub fn says_at_last(self, words: &str) -> Self {
        let error = self.stderr.find("error: ").unwrap_or_else(|| panic!("no error line:\n{}", self.stderr));
        Self { stderr: self.stderr[error..].to_owned(), ..self }.says(words)
    }
}

/// A sandbox and a temporary folder in which commands run.
pub struct Harness {
    platform: Platform,
    pub sandbox: Sandbox,
    server: Server,
    folder: TempDir,
}

impl Harness {
    /// A platform with one démarche of so many dossiers, and an empty folder.
    pub async fn with(dossiers: u32) -> Self {
        Self::on(Platform::DemarcheNumerique, dossiers).await
    }

    /// The same on one of the two platforms.
    pub async fn on(platform: Platform, dossiers: u32) -> Self {
        Self::in_world(&WorldSpec::new(platform).only(&[DEMARCHE]).dossiers(dossiers)).await
    }

    /// A world of one's own, and an empty folder.
    pub async fn in_world(spec: &WorldSpec) -> Self {
        let (platform, sandbox) = (spec.platform.into(), Sandbox::new(spec));
        let server = sandbox.serve_locally().await.expect("a free port");
        Self { platform, sandbox, server, folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub fn url(&self) -> String {
        self.server.url().to_string()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The binary in the folder, with an environment that holds the address and the token and nothing else.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dn"));
        command.args(args).current_dir(self.folder.path()).env_clear();
        command.env("DN_URL", self.url()).env("DN_TOKEN", self.sandbox.token()).env("TZ", "UTC");
        command.env("DN_PLATFORM", self.platform.as_str());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// The same, started by a shell that says something first: `umask 0`, `ulimit -n 128`.
    #[cfg(unix)]
    pub fn command_under(&self, first: &str, args: &[&str]) -> Command {
        let binary = self.command(args);
        let script = format!("{first}; exec \"$0\" \"$@\"");
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_dn")]).args(args).current_dir(self.folder.path()).env_clear();
        shell.envs(binary.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        shell
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("the folder can be written");
    }

    pub async fn dn(&self, args: &[&str]) -> Ended {
        end(&mut self.command(args)).await
    }

    /// `dn COMMAND --demarche N --to sqlite:d.db` with more flags.
    pub async fn on_target(&self, command: &str, more: &[&str]) -> Ended {
        let number = DEMARCHE.to_string();
        let mut args = vec![command, "--demarche", &number, "--to", "sqlite:d.db"];
        args.extend(more);
        self.dn(&args).await
    }
}

pub async fn end(command: &mut Command) -> Ended {
    let output = command.output().await.expect("the binary starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("outputs are UTF-8");
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}
