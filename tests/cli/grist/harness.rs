//! Runs the binary against a sandbox and an imitation of Grist.

use std::process::Stdio;

use demarche_numerique::sandbox::grist::{Grist, GristServer, Row};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::cli::harness::{DEMARCHE, Ended, Harness, end};

/// The table of dossiers of the démarche.
pub const DOSSIERS: &str = "Demarche_1003_dossiers";

pub struct GristHarness {
    pub base: Harness,
    pub grist: Grist,
    server: GristServer,
    /// An empty document.
    pub document: String,
}

impl GristHarness {
    /// A démarche of so many dossiers, and a document.
    pub async fn with(dossiers: u32) -> Self {
        let base = Harness::with(dossiers).await;
        let grist = Grist::new();
        let document = grist.create_document("Suivi");
        let server = grist.serve_locally().await.expect("a free port");
        Self { base, grist, server, document }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The binary with the address and the key of Grist in its environment.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.base.command(args);
        command.env("GRIST_URL", self.url()).env("GRIST_API_KEY", Grist::OWNER);
        command.env("XDG_CACHE_HOME", self.base.path("cache"));
        command
    }

    pub async fn dn(&self, args: &[&str]) -> Ended {
        end(&mut self.command(args)).await
    }

    /// `dn COMMAND --demarche N --to grist:DOCUMENT` with more flags.
    pub fn on_document(&self, command: &str, more: &[&str]) -> Command {
        let (number, to) = (DEMARCHE.to_string(), format!("grist:{}", self.document));
        let mut args = vec![command, "--demarche", &number, "--to", &to];
        args.extend(more);
        self.command(&args)
    }

    /// Runs it.
    pub async fn run(&self, command: &str, more: &[&str]) -> Ended {
        end(&mut self.on_document(command, more)).await
    }

    /// `dn init grist` with these flags, and these lines on its standard input.
    pub async fn init(&self, args: &[&str], answers: &str) -> Ended {
        let mut command = self.command(&["init", "grist"]);
        answered(command.args(args), answers).await
    }

    /// The number of the last action: it grows with every bundle, those that change nothing included.
    pub fn state(&self) -> u64 {
        self.grist.state_number(&self.document)
    }

    /// The rows of the table of dossiers, by id.
    pub fn dossiers(&self) -> Vec<Row> {
        self.grist.rows(&self.document, DOSSIERS)
    }

    /// Fails if a dossier has two rows, or none.
    #[track_caller]
    pub fn expect_each_dossier_once(&self) {
        let mut numbers: Vec<String> = self.dossiers().iter().map(|row| row.cell("number").to_string()).collect();
        let all = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), all, "a dossier is there twice");
        assert_eq!(all, self.base.sandbox.snapshot(DEMARCHE).dossiers.len());
    }
}

/// Runs a command that reads its answers.
pub async fn answered(command: &mut Command, answers: &str) -> Ended {
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // Whoever needs no answer does not read them.
    let _unread = stdin.write_all(answers.as_bytes()).await;
    drop(stdin);
    let output = child.wait_with_output().await.expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("outputs are UTF-8");
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}
