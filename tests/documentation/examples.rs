//! Runs every example as a process, against the sandbox.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::OnceLock;

use demarche_numerique::sandbox::world::State;
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, DEMARCHE_LARGE, WorldSpec};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use super::{read, root};
use crate::cli::harness::{Ended, Harness, end};
use crate::support::postgres::Database;

/// The examples that a test below runs.
const RUN: [&str; 7] =
    ["decide", "embed_sync", "first_steps", "follow_changes", "read_changed", "scheduled_service", "simulate"];

/// The folder of the examples' programs, which are built when they are not: `cargo test --test main` builds none.
fn programs() -> &'static PathBuf {
    static PROGRAMS: OnceLock<PathBuf> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let mut cargo = std::process::Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--offline", "--locked", "--examples", "--all-features"]).current_dir(root());
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        let status = cargo.status().expect("cargo starts");
        assert!(status.success(), "the examples do not build");
        let tests = std::env::current_exe().expect("this program has a path");
        tests.ancestors().nth(2).expect("target/debug/deps/main").join("examples")
    })
}

fn example(name: &str, args: &[&str]) -> Command {
    assert!(RUN.contains(&name), "{name} is not in the list");
    let mut command = Command::new(programs().join(name));
    command.args(args).env_clear().env("TMPDIR", std::env::temp_dir()).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn each_example_is_run_by_a_test() {
    let entries = std::fs::read_dir(root().join("examples")).expect("the folder").map(|entry| entry.expect("an entry"));
    let found: BTreeSet<String> =
        entries.map(|entry| entry.path().file_stem().unwrap_or_default().to_string_lossy().into_owned()).collect();
    assert_eq!(found, RUN.iter().map(|name| (*name).to_owned()).collect());
}

#[test]
fn the_readme_shows_the_first_example() {
    let (readme, example) = (read("README.md"), read("examples/first_steps.rs"));
    let block = readme.split("```rust\n").nth(1).and_then(|rest| rest.split("```\n").next()).expect("a block of Rust");
    assert!(example.ends_with(block), "README.md and examples/first_steps.rs differ");
    for file in ["README.md", "README.fr.md", "src/lib.rs"] {
        assert!(!read(file).contains("no_run"), "{file} has an example that nobody runs");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_steps_print_an_answer_of_each_dossier() {
    let ended = end(&mut example("first_steps", &[])).await.expect(0);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert!(lines.len() > 5, "{}", ended.stdout);
    assert!(lines.iter().all(|line| line.starts_with("1001000") && line.contains(": Text(")), "{}", ended.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn read_changed_reads_every_dossier_of_a_form_by_label() {
    let harness = Harness::in_world(&WorldSpec::default().only(&[DEMARCHE_COMPLETE]).dossiers(60)).await;
    let on_sandbox = |args: &[&str]| {
        let mut command = example("read_changed", args);
        command.env("DN_TOKEN", harness.sandbox.token()).env("DN_URL", harness.url());
        command
    };
    let all = harness.sandbox.snapshot(DEMARCHE_COMPLETE).dossiers.len();
    let number = DEMARCHE_COMPLETE.to_string();
    let beginning = "2020-01-01T00:00:00Z";
    let ended = end(&mut on_sandbox(&[&number, "Intitulé du projet", beginning])).await.expect(0);
    assert!(ended.stdout.ends_with(&format!("\n{all} dossiers read\n")), "{}", ended.stdout);
    assert!(!ended.stdout.contains("no champ has"), "{}", ended.stdout);
    // A question that a condition hides in some dossiers is absent from them, and the others go on.
    let ended = end(&mut on_sandbox(&[&number, "SIRET de l’entreprise", beginning])).await.expect(0);
    assert!(ended.stdout.ends_with(&format!("\n{all} dossiers read\n")), "{}", ended.stdout);
    assert!(ended.stdout.contains("no champ has"), "{}", ended.stdout);
    // By default the last day, in which nothing happened.
    let ended = end(&mut on_sandbox(&[&number, "Intitulé du projet"])).await.expect(0);
    assert_eq!(ended.stdout, "0 dossiers read\n");
    let ended = end(&mut on_sandbox(&[])).await;
    assert!(ended.code == Some(1) && ended.stderr.contains("usage: read_changed"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn embed_sync_copies_then_finds_nothing_new() {
    let ended = end(&mut example("embed_sync", &[])).await.expect(0);
    let [first, second] = ended.stdout.lines().collect::<Vec<_>>().try_into().expect("two lines");
    assert!(first.starts_with("first run: ") && !first.contains(" 0 inserted"), "{first}");
    assert!(second.starts_with("second run: 0 inserted, 0 updated"), "{second}");
}

#[tokio::test(flavor = "multi_thread")]
async fn scheduled_service_runs_cycles_on_the_jobs_of_a_scheduler() {
    let ended = end(&mut example("scheduled_service", &[])).await.expect(0);
    let [first, second] = ended.stdout.lines().collect::<Vec<_>>().try_into().expect("two lines");
    assert!(first.starts_with("dn/1001 → sqlite:") && !first.contains(" 0 inserted"), "{first}");
    assert!(second.ends_with(": 0 inserted, 0 updated"), "{second}");
}

#[tokio::test(flavor = "multi_thread")]
async fn decide_takes_one_decision() {
    let harness = Harness::in_world(&WorldSpec::default().only(&[DEMARCHE_LARGE]).dossiers(20)).await;
    let state = |number: u32| harness.sandbox.world().dossier(number).map(|dossier| dossier.state);
    let numbers: Vec<u32> = harness.sandbox.snapshot(DEMARCHE_LARGE).dossiers.keys().copied().collect();
    let number = numbers.into_iter().find(|number| state(*number) == Some(State::EnConstruction)).expect("a dossier");
    let instructeur = instructeur(&harness).await;
    let decide = async |word: &str| -> Ended {
        let number = number.to_string();
        let args = [number.as_str(), instructeur.as_str(), word, "Il manque le RIB"];
        let mut command = example("decide", &args);
        end(command.env("DN_TOKEN", harness.sandbox.token()).env("DN_URL", harness.url())).await
    };
    let ended = decide("refuser").await.expect(0);
    assert!(ended.stdout.contains("dossierRefuser is done"), "{}", ended.stdout);
    assert_eq!(state(number), Some(State::Refuse));
    let again = decide("refuser").await.expect(1);
    assert!(again.stderr.contains("nothing was done"), "{}", again.stderr);
}

/// The id of an instructeur, as the platform tells it.
async fn instructeur(harness: &Harness) -> String {
    let schema = harness.dn(&["schema", "--demarche", &DEMARCHE_LARGE.to_string(), "--json"]).await.expect(0).stdout;
    let demarche: demarche_numerique::Demarche = serde_json::from_str(&schema).expect("a démarche");
    demarche.groupes_instructeurs[0].instructeurs[0].id.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn follow_changes_tells_each_line_of_the_feed_once() {
    let (harness, database) = (Harness::with(7).await, Database::new().await);
    let number = DEMARCHE_LARGE.to_string();
    let sync = async || {
        harness.dn(&["sync", "--instance", "dn", "--demarche", &number, "--to", &database.url()]).await.expect(0)
    };
    sync().await;
    let mut seen = BTreeSet::new();
    // It is stopped and started again: what it handled it does not handle again.
    for (round, lines) in [(1, 7), (2, 1)] {
        if round == 2 {
            harness.sandbox.world().submit(DEMARCHE_LARGE).expect("a new dossier");
            sync().await;
        }
        let mut child =
            example("follow_changes", &["dn"]).env("DATABASE_URL", database.url()).spawn().expect("the example starts");
        let mut printed = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        for _ in 0..lines {
            let line = printed.next_line().await.expect("a line").expect("it goes on");
            assert!(line.contains("of dossier"), "{line}");
            assert!(seen.insert(line.clone()), "{line} was told twice");
        }
        // A line is printed before its position is committed; one that is killed in between prints it again.
        let behind = "SELECT 'behind' FROM public.follow_changes WHERE seq < (SELECT max(seq) FROM dn.dn_changes)";
        while !database.column(behind).await.is_empty() {}
        child.kill().await.expect("it ends");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn simulate_lives_a_life() {
    let ended = end(&mut example("simulate", &["--seeds", "2", "--threads", "1"])).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
}
