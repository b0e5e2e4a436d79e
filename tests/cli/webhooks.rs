//! Checks webhooks of the platform: a call makes `dn run` look sooner, and changes nothing else.

use demarche_numerique::Platform;
use demarche_numerique::sandbox::{DemarcheSpec, FormSpec, WorldSpec};
use sqlx::{Connection as _, SqliteConnection};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::endpoint::{metrics, open};
use super::harness::{DEMARCHE, Harness};

const OTHER: u32 = DEMARCHE + 1;
const SECRET: &str = "0123456789abcdef-of-an-example.org";
const ELSE: &str = "fedcba9876543210-of-an-example.org";

/// Two démarches, of which one is followed; its ticks do not come while the tests run, so what is seen was called for.
async fn harness(dossiers: u32) -> Harness {
    let demarches =
        [DEMARCHE, OTHER].map(|number| DemarcheSpec::new(number, FormSpec::Simple { champs: 3 }, dossiers)).to_vec();
    let harness = Harness::in_world(&WorldSpec { demarches, ..WorldSpec::new(Platform::DemarcheNumerique) }).await;
    harness.write("path", &format!("{SECRET}\n"));
    harness.write("dn.toml", &config("d.db", "webhook-path-file = 'path'"));
    harness
}

fn config(target: &str, instance: &str) -> String {
    format!(
        "[instances.dn]\n{instance}\n[targets.local]\ntype = 'sqlite'\npath = '{target}'\n\
         [run]\nschedule = '0 0 1 1 *'\njitter = '0s'\nlisten = '127.0.0.1:0'\nhint-window = '1s'\n\
         [[demarches]]\nnumber = {DEMARCHE}\n"
    )
}

/// Calls a path of the endpoint as the platform does, and returns the status.
pub(super) async fn call(endpoint: &str, path: &str, body: &str) -> u16 {
    let mut line = TcpStream::connect(endpoint).await.expect("the endpoint accepts a connection");
    let head = format!(
        "POST /webhooks/{path} HTTP/1.1\r\nHost: {endpoint}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    line.write_all(format!("{head}{body}").as_bytes()).await.expect("it listens");
    let mut answer = String::new();
    line.read_to_string(&mut answer).await.expect("it answers");
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

/// Reads the target: every dossier, with its state, its fingerprint and its document.
async fn shown(harness: &Harness, target: &str) -> Vec<(i64, String, String, String)> {
    let query = "SELECT number, state, fingerprint, document FROM dn_dossiers WHERE gone IS NULL ORDER BY number";
    rows(harness, target, query).await
}

async fn rows<R>(harness: &Harness, target: &str, query: &'static str) -> Vec<R>
where
    R: for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> + Send + Unpin,
{
    let address = format!("sqlite:{}", harness.path(target).display());
    let mut reader = SqliteConnection::connect(&address).await.expect("the target");
    let rows = sqlx::query_as(query).fetch_all(&mut reader).await.expect("a query of ours");
    reader.close().await.expect("it closes");
    rows
}

/// The dossiers that were read alone, in order.
fn readings(harness: &Harness) -> Vec<u32> {
    let requests = harness.sandbox.requests();
    let alone = requests.iter().filter(|request| request.operation.as_deref() == Some("ReadDossier"));
    alone.filter_map(|request| request.variables["number"].as_u64()?.try_into().ok()).collect()
}

fn ends() -> String {
    format!("run of démarche {DEMARCHE} ends: done")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_brings_what_changed_long_before_the_next_tick() {
    let harness = harness(5).await;
    let (mut worker, endpoint) = open(&harness).await;
    worker.says(&ends()).await;
    let number = harness.sandbox.world().submit(DEMARCHE).expect("the démarche exists");
    harness.sandbox.world().passer_en_instruction(number, Some(1)).expect("legal");
    for hook in harness.sandbox.webhooks() {
        assert_eq!(call(&endpoint, SECRET, &hook.body()).await, 204);
    }
    worker.says("webhooks named dossiers").await;
    worker.says(&ends()).await;
    assert_eq!(worker.stop().await.code, Some(0));
    let found = shown(&harness, "d.db").await;
    assert!(found.iter().any(|(n, state, ..)| (*n, state.as_str()) == (number.into(), "en_instruction")), "{found:?}");
    // Two calls, one reading; the run that followed found nothing more.
    let changes: Vec<(i64, String)> = rows(&harness, "d.db", "SELECT number, run FROM dn_changes ORDER BY seq").await;
    assert_eq!(changes.len(), 6, "{changes:?}");
    assert!(changes[5].0 == i64::from(number) && changes[5].1.starts_with("hint-"), "{changes:?}");
    assert_eq!(readings(&harness), [number]);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_lost_doubled_reordered_and_forged_leave_the_same_as_none() {
    let harness = harness(30).await;
    harness.write("off.toml", &config("off.db", ""));
    harness.dn(&["--config", "off.toml", "sync"]).await.expect(0);
    let (mut worker, endpoint) = open(&harness).await;
    worker.says(&ends()).await;
    let foreign = harness.sandbox.world().numbers(OTHER)[0];
    let mut told = 0;
    for round in 0..4 {
        harness.sandbox.live(DEMARCHE, 40, round);
        harness.sandbox.live(OTHER, 10, round);
        let hooks = harness.sandbox.webhooks();
        let mut calls: Vec<String> = Vec::new();
        for (rank, hook) in hooks[told..].iter().enumerate().filter(|(rank, _)| rank % 3 != 1) {
            calls.extend(vec![hook.body(); 1 + rank % 2]);
        }
        told = hooks.len();
        calls.reverse();
        calls.extend([
            format!("procedure_id={DEMARCHE}&dossier_id={foreign}&state=accepte"),
            format!("procedure_id={DEMARCHE}&dossier_id=999999999"),
            format!("{{\"procedure_id\": {DEMARCHE}, \"dossier_id\": {foreign}}}"),
            format!("procedure_id={OTHER}&dossier_id={foreign}"),
            "procedure_id=1&dossier_id=1".to_owned(),
            "state=accepte".to_owned(),
        ]);
        for body in &calls {
            assert_eq!(call(&endpoint, SECRET, body).await, 204);
        }
        worker.says("webhooks named dossiers").await;
        worker.says(&ends()).await;
    }
    let early = shown(&harness, "d.db").await;
    assert_ne!(early, shown(&harness, "off.db").await, "calls brought something");
    let told = metrics(&endpoint).await;
    assert!(told["dn_hints_total{instance=\"dn\",outcome=\"unknown\"}"] >= 8.0, "{told:?}");
    assert_eq!(worker.stop().await.code, Some(0));
    for file in ["off.toml", "dn.toml"] {
        harness.dn(&["--config", file, "sync", "--full", "--allow-deletes"]).await.expect(0);
        harness.dn(&["--config", file, "verify", "--repair", "--allow-deletes"]).await;
        harness.dn(&["--config", file, "verify"]).await.expect(0);
    }
    assert_eq!(shown(&harness, "d.db").await, shown(&harness, "off.db").await);
    // No dossier of the other démarche came in, not even with a tombstone.
    let strangers: Vec<(i64,)> = rows(&harness, "d.db", "SELECT DISTINCT demarche FROM dn_dossiers").await;
    assert_eq!(strangers, [(DEMARCHE.into(),)]);
    assert_eq!(harness.sandbox.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_know_the_path_finds_nothing_and_the_path_is_nowhere_told() {
    let harness = harness(1).await;
    let (mut worker, endpoint) = open(&harness).await;
    worker.says(&ends()).await;
    let body = format!("procedure_id={DEMARCHE}&dossier_id=1");
    for path in ["", ELSE, &SECRET[1..], &format!("{SECRET}x"), &format!("{SECRET}/"), &SECRET.to_uppercase()] {
        assert_eq!(call(&endpoint, path, &body).await, 404, "{path}");
    }
    assert_eq!(super::endpoint::ask(&endpoint, &format!("GET /webhooks/{SECRET}")).await.0, 404);
    assert_eq!(call(&endpoint, SECRET, &"x".repeat(8 * 1024)).await, 204);
    assert_eq!(call(&endpoint, SECRET, &"x".repeat(8 * 1024 + 1)).await, 413);
    assert_eq!(call(&endpoint, &format!("{SECRET}?from=dn"), "").await, 204);
    let told = metrics(&endpoint).await;
    let counted = ["accepted", "unknown", "ignored", "limited"]
        .map(|outcome| told[&format!("dn_hints_total{{instance=\"dn\",outcome=\"{outcome}\"}}")]);
    assert_eq!(counted, [0.0, 0.0, 3.0, 0.0]);
    // Another secret, without a restart.
    harness.write("path", ELSE);
    worker.signal("HUP");
    worker.says("the configuration was read again").await;
    assert_eq!((call(&endpoint, SECRET, &body).await, call(&endpoint, ELSE, &body).await), (404, 204));
    let ended = worker.stop().await;
    assert!(ended.lines.iter().all(|line| !line.contains(SECRET) && !line.contains(ELSE)), "{:?}", ended.lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_can_be_guessed_is_refused_before_anything_listens() {
    let harness = harness(1).await;
    for (secret, words) in [("too-short-to-be-secret", "at least 32"), ("0123456789abcdef/0123456789abcdef", "letters")]
    {
        harness.write("path", secret);
        for command in [&["config", "check"][..], &["run"]] {
            let ended = harness.dn(&[&["--config", "dn.toml"], command].concat()).await.expect(3);
            assert!(!ended.stderr.contains(secret), "{}", ended.stderr);
            assert!(ended.stderr.contains(words), "{}", ended.stderr);
            ended.says("the webhook path of dn in").says("openssl rand");
        }
    }
    harness.write("path", SECRET);
    let checked = harness.dn(&["--config", "dn.toml", "config", "check"]).await.expect(0);
    assert!(!checked.stdout.contains("not checked"), "{}", checked.stdout);
    // Whoever writes the file need not be able to read the secret; whoever runs it must.
    harness.write("dn.toml", &config("d.db", "webhook-path-env = 'NOWHERE'"));
    let checked = harness.dn(&["--config", "dn.toml", "config", "check"]).await.expect(0);
    assert!(checked.stdout.contains("not checked: there is no webhook path in $NOWHERE"), "{}", checked.stdout);
    harness.dn(&["--config", "dn.toml", "run"]).await.expect(3).says("there is no webhook path in $NOWHERE");
    // Two instances with one secret would not tell whose call it is.
    harness.write("path", SECRET);
    let twice = "token-env = 'DN_TOKEN'\nwebhook-path-file = 'path'\n";
    let text = config("d.db", &format!("{twice}[instances.ds]\n{twice}")) + "instance = 'dn'\n";
    harness.write("dn.toml", &text);
    harness.dn(&["--config", "dn.toml", "config", "check"]).await.expect(3).says("another instance has the same");
}
