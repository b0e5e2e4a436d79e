//! Intents that applications insert as rows, and targets that take in what moved.

use demarche_numerique::intent::{IntentId, Status};
use demarche_numerique::sandbox::world::{Demandeur, State};
use demarche_numerique::sink::{Outbox, Sink, SqliteSink};
use demarche_numerique::sync::{self, Event, Job, PUSH, Settings};
use demarche_numerique::writeback::PushError;
use demarche_numerique::{Dossier, Platform, Report};
use jiff::SignedDuration;
use sqlx::{Connection as _, SqliteConnection};

use super::{PushFixture, accept, intent, message};

impl<O: Outbox + Sink> PushFixture<O> {
    /// A run, or the taking in of dossiers that were just read.
    async fn job<T>(&self, work: impl AsyncFnOnce(&Job<'_, O>) -> T) -> T {
        let sandbox = self.sandbox.clone();
        let clock = move || sandbox.now();
        let events = |_: &Event| {};
        work(&Job {
            client: &self.client,
            sink: &self.outbox,
            scope: self.scope.clone(),
            filter: &self.filter,
            settings: Settings::default(),
            events: &events,
            stop: self.stop.clone(),
            clock: &clock,
        })
        .await
    }

    async fn sync(&self) -> Report {
        let run = self.job(async |job| sync::run(job).await).await;
        assert!(run.error.is_none(), "{:?}", run.error);
        run.report
    }

    async fn take_in(&self) {
        let moved: Vec<Dossier> = std::mem::take(&mut *self.moved.lock().expect("no panic"));
        let taken = self.job(async |job| sync::refresh(job, moved).await).await.expect("a writable target");
        assert!(taken.is_some(), "the target knows the démarche");
    }
}

async fn fixture(folder: &tempfile::TempDir) -> PushFixture<SqliteSink> {
    let sink = SqliteSink::open(&folder.path().join("dossiers.db")).await.expect("a new file");
    PushFixture::with(Platform::DemarcheNumerique, sink).await
}

/// Another program, which knows nothing but SQL.
async fn application(folder: &tempfile::TempDir) -> SqliteConnection {
    let path = folder.path().join("dossiers.db");
    SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.expect("a file that is there")
}

const INSERT: &str = "INSERT INTO dn_status_updates (instance, demarche, number, action, motivation, message) \
                      VALUES ('essai', $1, $2, $3, $4, $5)";

async fn insert(
    application: &mut SqliteConnection,
    demarche: u32,
    number: u32,
    action: &str,
    motivation: Option<&str>,
    message: Option<&str>,
) -> Result<(), sqlx::Error> {
    let query = sqlx::query(INSERT).bind(demarche).bind(number).bind(action).bind(motivation).bind(message);
    query.execute(application).await.map(drop)
}

#[tokio::test]
async fn a_row_that_an_application_inserts_is_done_and_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let fixture = fixture(&folder).await;
    let number = fixture.dossier(State::EnConstruction);
    fixture.sync().await;
    let mut application = application(&folder).await;
    let demarche = fixture.scope.demarche.get();
    insert(&mut application, demarche, number, "accepter", Some("Complet"), None).await.expect("it makes sense");
    insert(&mut application, demarche, number, "message", None, Some("Bravo")).await.expect("it makes sense");
    assert_eq!(fixture.outcomes().await, [Status::Done; 2]);
    let rows: Vec<(String, Option<String>, Option<String>)> =
        sqlx::query_as("SELECT status, before_state, after_state FROM dn_status_updates ORDER BY seq")
            .fetch_all(&mut application)
            .await
            .expect("readable");
    let row = |before: &str, after: &str| ("done".to_owned(), Some(before.to_owned()), Some(after.to_owned()));
    assert_eq!(rows, [row("en_construction", "accepte"), row("accepte", "accepte")]);
    let trail = fixture.outbox.trail(&fixture.scope, None, 100).await.expect("readable");
    let mutations: Vec<&str> = trail.iter().filter_map(|line| line.mutation.as_deref()).collect();
    assert_eq!(
        mutations,
        [
            "dossierPasserEnInstruction",
            "dossierPasserEnInstruction",
            "dossierAccepter",
            "dossierAccepter",
            "dossierEnvoyerMessage",
            "dossierEnvoyerMessage",
        ],
        "each is told before it is sent and when it is answered"
    );
    fixture.assert_settled().await;
}

#[tokio::test]
async fn a_row_that_waits_says_why_in_the_platforms_words() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let fixture = fixture(&folder).await;
    let number = fixture.dossier(State::EnInstruction);
    let siret = "99999999999999".to_owned();
    fixture.sandbox.world().set_demandeur(number, Demandeur::PersonneMorale { siret, enriched: false });
    fixture.ask(&[intent("a", number, accept("Complet"))]).await;
    let mut application = application(&folder).await;
    let row = "SELECT status, reason, words FROM dn_status_updates";
    assert_eq!(fixture.outcomes().await, [Status::Pending]);
    let (status, reason, words): (String, Option<String>, Option<String>) =
        sqlx::query_as(row).fetch_one(&mut application).await.expect("readable");
    assert_eq!((status.as_str(), reason.as_deref()), ("pending", Some("later")));
    assert!(words.is_some_and(|words| words.contains("Veuillez réessayer plus tard.")));
    fixture.sandbox.world().enrich_demandeur(number);
    fixture.sandbox.advance(SignedDuration::from_mins(16));
    assert_eq!(fixture.outcomes().await, [Status::Done]);
    let left: (String, Option<String>, Option<String>) =
        sqlx::query_as(row).fetch_one(&mut application).await.expect("readable");
    assert_eq!(left, ("done".to_owned(), None, None), "nothing is left of it");
    fixture.assert_settled().await;
}

#[tokio::test]
async fn nonsense_is_refused_when_it_is_inserted() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let fixture = fixture(&folder).await;
    fixture.sync().await;
    let mut application = application(&folder).await;
    let cases = [
        ("refuser", None, None, "a_refusal_has_a_motivation"),
        ("refuser", Some("  "), None, "a_refusal_has_a_motivation"),
        ("exploser", None, None, "action_is_known"),
        ("message", None, None, "message_is_of_a_message"),
        ("message", None, Some(" "), "message_is_not_empty"),
        ("archiver", Some("x"), None, "motivation_is_of_a_decision"),
        ("annotations", None, None, "annotations_are_of_annotations"),
    ];
    for (action, motivation, message, constraint) in cases {
        let error = insert(&mut application, 1, 1, action, motivation, message).await.expect_err("it makes no sense");
        assert!(error.to_string().contains(constraint), "{action}: {error}");
    }
}

#[tokio::test]
async fn what_we_did_ourselves_does_not_come_back_as_news() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let fixture = fixture(&folder).await;
    let number = fixture.dossier(State::EnConstruction);
    fixture.sync().await;
    fixture.ask(&[intent("a", number, accept("Complet")), intent("b", number, message("Bravo"))]).await;
    assert_eq!(fixture.outcomes().await, [Status::Done; 2]);
    fixture.take_in().await;
    fixture.sandbox.advance(SignedDuration::from_mins(1));
    let run = fixture.sync().await;
    assert_eq!((run.counts.updated, run.counts.inserted), (0, 0), "{run:?}");
    let mut application = application(&folder).await;
    let feed: Vec<(String, String)> = sqlx::query_as("SELECT kind, run FROM dn_changes ORDER BY seq")
        .fetch_all(&mut application)
        .await
        .expect("readable");
    let own: Vec<bool> = feed.iter().map(|(_, run)| run.starts_with(PUSH)).collect();
    assert_eq!(own, [false, true], "the feed tells what we did, and that it was us: {feed:?}");
    assert_eq!(fixture.outbox.runs(&fixture.scope, 10).await.expect("readable").len(), 2, "a push is no run");
}

#[tokio::test]
async fn an_old_file_gets_its_outbox_and_keeps_its_dossiers() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("dossiers.db");
    {
        let fixture = fixture(&folder).await;
        fixture.dossier(State::EnConstruction);
        fixture.sync().await;
        fixture.outbox.close().await.expect("it closes");
    }
    // As the first version left it.
    let mut connection = SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.expect("the file");
    for statement in [
        "DROP TABLE dn_status_updates",
        "DROP TABLE dn_status_trail",
        "DROP INDEX dn_dossiers_gone",
        "ALTER TABLE dn_dossiers DROP COLUMN row_counts",
        "ALTER TABLE dn_instances DROP COLUMN platform",
        "ALTER TABLE dn_instances DROP COLUMN url",
        "PRAGMA user_version = 1",
    ] {
        sqlx::raw_sql(statement).execute(&mut connection).await.expect("a valid statement");
    }
    connection.close().await.expect("it closes");
    let error = SqliteSink::open_read_only(&path).await.expect_err("it may not be changed");
    assert!(error.to_string().contains("older version"), "{error}");
    let sink = SqliteSink::open(&path).await.expect("it is brought to this version");
    let fixture = PushFixture::with(Platform::DemarcheNumerique, sink).await;
    let id = IntentId::new("a").expect("a short line");
    assert_eq!(fixture.outbox.status(&fixture.scope, &id).await.expect("readable"), None);
    assert_eq!(fixture.outbox.totals(&fixture.scope).await.expect("readable").alive, 1);
}

#[tokio::test]
async fn an_outbox_that_cannot_be_written_stops_everything_before_anything_is_sent() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let fixture = fixture(&folder).await;
    let number = fixture.dossier(State::EnInstruction);
    fixture.ask(&[intent("a", number, message("Bonjour"))]).await;
    let PushFixture { outbox, .. } = fixture;
    outbox.close().await.expect("it closes");
    let sink = SqliteSink::open_read_only(&folder.path().join("dossiers.db")).await.expect("readable");
    let fixture = PushFixture::with(Platform::DemarcheNumerique, sink).await;
    let error = fixture.push().await.expect_err("it cannot be written");
    assert!(matches!(error, PushError::Outbox(_)), "{error:?}");
    assert_eq!(fixture.done(), [""; 0]);
}
