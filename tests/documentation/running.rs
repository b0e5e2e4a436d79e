//! Runs the commands of console blocks against the sandbox, in the order of the text and in one folder for each text.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use demarche_numerique::sandbox::grist::{Grist, GristServer};
use demarche_numerique::sandbox::world::{Demandeur, State};
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, WorldSpec};
use tokio::process::Command;

use super::console::{Block, Shown, blocks};
use super::{read, texts};
use crate::cli::grist::harness::answered;
use crate::cli::harness::{Ended, Harness, end};
use crate::cli::workers::Worker;

/// The démarche that stands for the reader's.
const DEMARCHE: u32 = DEMARCHE_COMPLETE;

/// Answers to `dn init grist` if the page shows none.
const ANSWERS: [(&str, &str); 4] = [
    ("Which document", "new"),
    ("Name of the new document", "Subventions"),
    ("Number of the démarche", "1001"),
    ("Make this, and copy the dossiers?", "y"),
];

/// Variables that a text sets and that have their values here already.
const SET: [&str; 3] = ["DN_TOKEN", "GRIST_URL", "GRIST_API_KEY"];

struct Reader {
    harness: Harness,
    grist: Grist,
    server: GristServer,
    /// A dossier that waits for a decision.
    dossier: u32,
}

impl Reader {
    async fn new() -> Self {
        let harness = Harness::in_world(&WorldSpec::default().only(&[DEMARCHE]).dossiers(24)).await;
        let dossiers = harness.sandbox.snapshot(DEMARCHE).dossiers;
        let waits = |number: &&u32| {
            let world = harness.sandbox.world();
            let dossier = world.dossier(**number).filter(|dossier| dossier.state == State::EnInstruction);
            // A company of which the register tells nothing yet would have to wait.
            dossier.is_some_and(|dossier| matches!(world.demandeur(dossier), Demandeur::PersonnePhysique { .. }))
        };
        let dossier = *dossiers.keys().find(waits).expect("a dossier under examination");
        let grist = Grist::new();
        let _document = grist.create_document("Suivi");
        let server = grist.serve_locally().await.expect("a free port");
        let reader = Self { harness, grist, server, dossier };
        // The pages assume that the document was synced before.
        let to = format!("grist:{}", reader.document());
        end(&mut reader.command(&["sync", "--demarche", &DEMARCHE.to_string(), "--to", &to])).await.expect(0);
        reader
    }

    /// The document that was made last.
    fn document(&self) -> String {
        self.grist.documents().pop().expect("a document")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.harness.command(args);
        command.env("GRIST_URL", self.server.url()).env("GRIST_API_KEY", Grist::OWNER);
        command.env("TMPDIR", self.harness.path(""));
        command
    }

    /// Replaces a placeholder of the page.
    fn own(&self, before: Option<&String>, word: &str) -> String {
        let is_id = |id: &str| id == "DOCUMENT" || id.len() == 22 && id.chars().all(|c| c.is_ascii_alphanumeric());
        match (before.map(String::as_str), word) {
            (Some("--demarche"), "123") => DEMARCHE.to_string(),
            (Some("--workspace"), "42") => "4".to_owned(),
            (Some("dossier"), "5678") => self.dossier.to_string(),
            (_, "agent@example.org") => "instructeur-1@example.org".to_owned(),
            (_, word) if word.strip_prefix("grist:").is_some_and(is_id) => format!("grist:{}", self.document()),
            _ => word.to_owned(),
        }
    }

    async fn run(&self, place: &str, shown: &Shown) {
        let words: Vec<String> = match shown.words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["cargo", "run", "--release", "--", rest @ ..] => rest.iter().map(|word| (*word).to_owned()).collect(),
            ["dn", rest @ ..] => rest.iter().map(|word| (*word).to_owned()).collect(),
            ["export", variables @ ..] => {
                for variable in variables {
                    let name = variable.split('=').next().unwrap_or_default();
                    assert!(SET.contains(&name), "{place}: nobody knows a value for {name}");
                }
                return;
            }
            other => panic!("{place}: `{}` cannot be run here, and the block does not say why", other.join(" ")),
        };
        let own = |(at, word): (usize, &String)| self.own(at.checked_sub(1).map(|before| &words[before]), word);
        let args: Vec<String> = words.iter().enumerate().map(own).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        if args.windows(2).any(|pair| pair == ["--config", "dn.toml"]) && !self.harness.path("dn.toml").exists() {
            self.harness.write(
                "dn.toml",
                &format!(
                    "[instances.dn]\n[targets.here]\ntype = 'sqlite'\npath = 'dossiers.db'\n[run]\nschedule = '1s'\njitter = '0s'\n\
                     [[demarches]]\nnumber = {DEMARCHE}\n"
                ),
            );
        }
        if args[0] == "run" {
            let mut worker = Worker::of(self.command(&args));
            worker.says(&format!("run of démarche {DEMARCHE} ends: done")).await;
            assert_eq!(worker.stop().await.code, Some(0), "{place}");
            return;
        }
        let answers: String = answers(&shown.lines).map(|answer| answer + "\n").collect();
        let ended = answered(&mut self.command(&args), &answers).await;
        assert_eq!(ended.code, Some(0), "{place}: dn {}\n{}{}", args.join(" "), ended.stdout, ended.stderr);
        prints(place, &shown.lines, &ended);
    }
}

/// The answers that a text shows after questions, or those of a reader who is shown none.
fn answers(lines: &[String]) -> impl Iterator<Item = String> {
    ANSWERS.iter().map(|(question, usual)| {
        let shown = lines.iter().find(|line| line.starts_with(question));
        let answer = shown.and_then(|line| line.rsplit_once(": ")).map_or(*usual, |(_, answer)| answer);
        answer.to_owned()
    })
}

/// Fails unless the output contains the lines that the page shows. Counts, dates, times, addresses and ids are the reader's own; `…` stands
/// for lines that are left out.
fn prints(place: &str, lines: &[String], ended: &Ended) {
    let plain = |text: &str| {
        text.chars().filter(|c| !c.is_ascii_digit() && !c.is_whitespace() && *c != 's').collect::<String>()
    };
    let printed: Vec<String> = ended.stdout.lines().chain(ended.stderr.lines()).map(plain).collect();
    for line in lines {
        let own =
            ["document: ", "example / ", "Address of Grist", "API key of Grist", "démarche ", "…", "  …", "    1  "];
        let question = ANSWERS.iter().map(|(question, _)| *question).find(|question| line.starts_with(question));
        if own.iter().any(|start| line.starts_with(start)) {
            continue;
        }
        let wanted = plain(question.unwrap_or(line));
        let is_there = printed.iter().any(|printed| match question {
            Some(_) => printed.starts_with(&wanted),
            None => *printed == wanted,
        });
        assert!(is_there, "{place} shows `{line}`, which is not in:\n{}{}", ended.stdout, ended.stderr);
    }
}

fn blocks_of(file: &str) -> Vec<Block> {
    blocks(file, &read(file))
}

/// Texts whose blocks were run, and how many commands.
static TEXTS: OnceLock<Vec<String>> = OnceLock::new();

fn with_commands() -> &'static [String] {
    let runs = |file: &String| blocks_of(file).iter().any(|block| block.not_run.is_none());
    TEXTS.get_or_init(|| texts().into_iter().filter(runs).collect())
}

async fn run(file: &str) {
    let reader = Reader::new().await;
    for block in blocks_of(file).iter().filter(|block| block.not_run.is_none()) {
        for shown in &block.commands {
            reader.run(&block.place, shown).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_readme_work() {
    run("README.md").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_french_readme_work() {
    run("README.fr.md").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_every_other_text_work() {
    for file in with_commands().iter().filter(|file| !file.starts_with("README")) {
        run(file).await;
    }
}

#[test]
fn every_block_that_is_not_run_says_why() {
    let mut counted = BTreeMap::new();
    for file in texts() {
        for block in blocks_of(&file) {
            if let Some(reason) = block.not_run {
                assert!(reason.split_whitespace().count() > 3, "{}: `{reason}` is no reason", block.place);
                *counted.entry(file.clone()).or_insert(0) += 1;
            }
        }
    }
    let counted: Vec<(&str, i32)> = counted.iter().map(|(file, count)| (file.as_str(), *count)).collect();
    let expected = [
        ("README.fr.md", 2),
        ("README.md", 2),
        ("docs/grist.md", 2),
        ("docs/operations.md", 5),
        ("docs/signals.md", 1),
    ];
    assert_eq!(counted, expected, "one more block that is not run, or one less: say so here");
}
