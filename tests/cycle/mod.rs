//! Whole work cycles in this process: a configuration, the sandbox, a SQLite file. No command is started.

use std::path::Path;

use demarche_numerique::config::{Config, Overrides, Secrets};
use demarche_numerique::cycle::{CycleEnd, CycleError, CycleReport, CycleRunner, ErrorKind, Limiters};
use demarche_numerique::ids::Scope;
use demarche_numerique::intent::{Action, Expected, Intent, IntentId, Status, Words};
use demarche_numerique::sandbox::world::{Demandeur, State};
use demarche_numerique::sandbox::{DEMARCHE_LARGE, Sandbox, Server, WorldSpec};
use demarche_numerique::serve::{JobKey, JobOutcome, JobRunner, StatusBoard};
use demarche_numerique::sink::{Outbox as _, SqliteSink};
use demarche_numerique::sync::Stop;
use demarche_numerique::{DemarcheNumber, DossierNumber};
use jiff::Timestamp;
use tempfile::TempDir;

/// A back office with one démarche: the platform, and a folder for the target.
struct BackOffice {
    sandbox: Sandbox,
    server: Server,
    folder: TempDir,
}

impl BackOffice {
    async fn new(dossiers: u32) -> Self {
        let sandbox = Sandbox::new(&WorldSpec::default().only(&[DEMARCHE_LARGE]).dossiers(dossiers));
        let server = sandbox.serve_locally().await.expect("a free port on loopback");
        Self { sandbox, server, folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// The configuration, with these lines about how the démarche is followed.
    fn config(&self, lines: &str) -> Config {
        let text = format!(
            "[instances.dn]\nurl = \"{}\"\n[targets.local]\ntype = \"sqlite\"\npath = \"d.db\"\n{lines}\n\
             [[demarches]]\nnumber = {DEMARCHE_LARGE}\n",
            self.server.url()
        );
        Config::parse(&self.folder.path().join("service.toml"), &text).unwrap_or_else(|error| panic!("{error}"))
    }

    fn open(&self, lines: &str, token: Option<String>) -> Result<CycleRunner, CycleError> {
        let secrets = Secrets::new(move |name| token.clone().filter(|_| name == "DN_TOKEN"));
        let board = StatusBoard::default();
        CycleRunner::open(&self.config(lines), &Overrides::default(), secrets, &Limiters::default(), &board)
    }

    fn runner(&self, lines: &str) -> CycleRunner {
        self.open(lines, Some(self.sandbox.token())).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The target, held by somebody else.
    async fn target(&self) -> SqliteSink {
        SqliteSink::open(self.folder.path().join("d.db")).await.expect("a target that nobody holds")
    }

    fn scope() -> Scope {
        Scope { instance: "dn".to_owned(), demarche: DemarcheNumber::new(DEMARCHE_LARGE) }
    }
}

fn only_job(runner: &CycleRunner) -> JobKey {
    let planned = runner.planned();
    assert_eq!(planned.len(), 1);
    planned[0].key.clone()
}

async fn cycle(runner: &CycleRunner) -> CycleReport {
    match runner.cycle(&only_job(runner), &Stop::default()).await {
        Ok(CycleEnd::Ran(report)) => {
            assert!(report.run.error.is_none(), "{report:?}");
            *report
        }
        end => panic!("the cycle does not run: {end:?}"),
    }
}

/// Ends a test: one more cycle changes nothing.
async fn assert_quiet(runner: &CycleRunner) {
    let report = cycle(runner).await;
    assert_eq!(report.run.report.rows_written, 0, "{report:?}");
    assert!(report.pushed.is_none_or(|outcome| outcome.pushed.is_none_or(|pushed| pushed.items.is_empty())));
    runner.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_syncs_and_the_next_one_brings_what_moved() {
    let office = BackOffice::new(12).await;
    let runner = office.runner("");
    let first = cycle(&runner).await;
    assert_eq!(first.run.report.counts.inserted, 12, "{first:?}");
    assert!(first.looked.is_none() && first.pushed.is_none() && first.retained.is_none(), "{first:?}");
    office.sandbox.world().submit(DEMARCHE_LARGE).expect("the démarche exists");
    assert_eq!(cycle(&runner).await.run.report.counts.inserted, 1);
    assert_quiet(&runner).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_sends_what_waits_in_the_outbox_if_the_configuration_says_so() {
    let office = BackOffice::new(0).await;
    let number = {
        let mut world = office.sandbox.world();
        let number = world.submit(DEMARCHE_LARGE).expect("the démarche exists");
        let (nom, prenom) = ("Exemple".to_owned(), "Ariane".to_owned());
        world.set_demandeur(number, Demandeur::PersonnePhysique { civilite: None, nom, prenom });
        world.passer_en_instruction(number, Some(1)).expect("legal");
        number
    };
    let silent = office.runner("");
    cycle(&silent).await;
    let intent = Intent {
        id: IntentId::new("a-decision").expect("a short line"),
        dossier: DossierNumber::new(number),
        author: None,
        action: Action::Accepter { motivation: Some(Words::new("Complet")), justificatif: None },
        expected: Expected::default(),
        requires: None,
        silent: false,
        overrule: false,
    };
    let target = office.target().await;
    target.put(&BackOffice::scope(), &[intent], Timestamp::now()).await.expect("a writable outbox");
    target.close().await.expect("it closes");
    let state = || office.sandbox.dossier(number).map(|dossier| dossier.state);
    assert!(cycle(&silent).await.pushed.is_none());
    assert_eq!(state(), Some(State::EnInstruction), "nothing is sent unless the configuration says so");

    let runner = office.runner("[sync]\npush-on-schedule = true\ninstructeur = \"instructeur-1@example.org\"\n");
    let report = cycle(&runner).await;
    let outcome = report.pushed.expect("a push");
    let statuses: Vec<Status> =
        outcome.pushed.iter().flat_map(|pushed| &pushed.items).map(|item| item.status).collect();
    assert!(statuses == [Status::Done] && outcome.error.is_none(), "{outcome:?}");
    assert_eq!(state(), Some(State::Accepte));
    assert_quiet(&runner).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_purges_what_is_over_its_term_once_a_day() {
    let office = BackOffice::new(40).await;
    let runner = office.runner("[sync]\nmax-delete-floor = 1000\n[sync.retention]\nfinished = { purge = \"1 day\" }\n");
    let report = cycle(&runner).await;
    let purged = report.retained.expect("it is time").report.counts.purged;
    assert!(purged > 0, "the world decides some dossiers");
    assert!(cycle(&runner).await.retained.is_none(), "a day has not passed");
    assert_quiet(&runner).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_another_run_holds_is_to_be_tried_again() {
    let office = BackOffice::new(3).await;
    let runner = office.runner("");
    let held = office.target().await;
    let end = runner.cycle(&only_job(&runner), &Stop::default()).await;
    assert!(matches!(end, Ok(CycleEnd::Taken { again }) if !again.is_zero()), "{end:?}");
    held.close().await.expect("it closes");
    assert_eq!(cycle(&runner).await.run.report.counts.inserted, 3);
    assert_quiet(&runner).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_loop_does_what_is_due_and_a_scheduler_what_it_asks_for() {
    let office = BackOffice::new(3).await;
    let runner = office.runner("");
    let planned = &runner.planned()[0];
    let attempt = runner.attempt(planned, None, &Stop::default()).await;
    assert!(matches!(attempt, JobOutcome::Ran(_)), "{attempt:?}");
    let attempt = runner.attempt(planned, None, &Stop::default()).await;
    assert!(matches!(attempt, JobOutcome::NotDue(_)), "it has just run: {attempt:?}");
    assert_quiet(&runner).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_that_is_asked_to_stop_does_not_begin() {
    let office = BackOffice::new(3).await;
    let (runner, stop) = (office.runner(""), Stop::default());
    stop.ask();
    let error = runner.cycle(&only_job(&runner), &stop).await.expect_err("it is stopped");
    assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
    assert!(!Path::new(&office.folder.path().join("d.db")).exists(), "no target was made");
    cycle(&runner).await;
    assert_quiet(&runner).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_a_cycle_from_running_is_said_with_the_next_step() {
    let office = BackOffice::new(3).await;
    let error = office.open("", None).err().expect("there is no token");
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::Configuration, "there is no token in $DN_TOKEN")
    );
    assert!(error.hint().is_some_and(|hint| hint.contains("DN_TOKEN")), "{error:?}");
    // A token that the platform refuses leaves no target behind.
    let runner = office.open("", Some("wrong".to_owned())).expect("a token");
    let error = runner.cycle(&only_job(&runner), &Stop::default()).await.expect_err("the token is wrong");
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert!(!office.folder.path().join("d.db").exists(), "no target was made");
    let stranger = JobKey { target: "sqlite:other.db".to_owned(), ..only_job(&runner) };
    let error = runner.cycle(&stranger, &Stop::default()).await.expect_err("no such job");
    assert!(matches!(error, CycleError::NoJob(key) if key == stranger));
}
