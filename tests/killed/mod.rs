//! The real binary, killed without a warning, again and again.

use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, Sandbox, Server, WorldSpec};
use demarche_numerique::{DemarcheNumber, Platform};
use serde_json::Value;

const KILLS: usize = 20;

fn dn(sandbox: &Sandbox, server: &Server, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dn"));
    command
        .args(arguments)
        .env_clear()
        .env("DN_TOKEN", sandbox.token())
        .env("DN_URL", server.url())
        .env("DN_PLATFORM", Platform::DemarcheNumerique.as_str())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn json(command: &mut Command) -> (i32, Value) {
    let output = command.output().expect("the binary starts");
    let code = output.status.code().unwrap_or(-1);
    let printed = String::from_utf8_lossy(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr);
    (code, serde_json::from_str(&printed).unwrap_or_else(|_| panic!("exit {code}: {printed}{told}")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_killed_twenty_times_ends_with_nothing_missing() {
    let spec = WorldSpec::default().only(&[DEMARCHE_COMPLETE]).dossiers(500);
    let sandbox = Sandbox::new(&spec);
    let server = sandbox.serve_locally().await.expect("a free port on loopback");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let target = format!("sqlite:{}", folder.path().join("dossiers.db").display());
    let demarche = DemarcheNumber::new(DEMARCHE_COMPLETE).to_string();
    let sync = ["sync", "--demarche", &demarche, "--to", &target, "--page-size", "7", "--json"];

    let (killed, whole) = tokio::task::spawn_blocking({
        let (sandbox, sync) = (sandbox.clone(), sync.map(str::to_owned));
        move || {
            let sync: Vec<&str> = sync.iter().map(String::as_str).collect();
            let mut killed = 0;
            for round in 0..KILLS {
                let (tell, told) = mpsc::channel();
                sandbox.on_request(move |request, _| {
                    if request.operation.as_deref() == Some("ListDossiers") {
                        // Nobody listens once the run was killed.
                        let _ = tell.send(());
                    }
                });
                let mut child = dn(&sandbox, &server, &sync).spawn().expect("the binary starts");
                // The request for a page goes out while the page before it is committed: kill there, a little further in
                // each round.
                let pages = 2 + round % 3;
                // The bound is for a run that ends by itself, which fails the test.
                if (0..pages).all(|_| told.recv_timeout(Duration::from_secs(60)).is_ok()) {
                    child.kill().expect("a child of ours");
                    killed += 1;
                }
                child.wait().expect("a child of ours");
                sandbox.clear_hooks();
            }
            let whole = json(&mut dn(&sandbox, &server, &sync));
            let verified =
                json(&mut dn(&sandbox, &server, &["verify", "--demarche", &demarche, "--to", &target, "--json"]));
            let again = json(&mut dn(&sandbox, &server, &sync));
            (killed, [whole, verified, again])
        }
    })
    .await
    .expect("no panic");

    assert_eq!(killed, KILLS, "every run was killed in the middle");
    let [(code, whole), (verified_code, verified), (again_code, again)] = whole;
    assert_eq!((code, verified_code, again_code), (0, 0, 0), "{whole} {verified} {again}");
    assert_eq!(verified["listed"], verified["held"]);
    for difference in ["missing", "stale", "ghost"] {
        assert_eq!(verified[difference], Value::Array(Vec::new()), "{difference}");
    }
    for count in ["inserted", "updated", "deleted", "restored", "rewritten", "rows_written"] {
        assert_eq!(again[count], 0, "{count} of a second run: {again}");
    }
    assert_eq!(verified["listed"].as_u64(), Some(sandbox.snapshot(DEMARCHE_COMPLETE).dossiers.len() as u64));
}
