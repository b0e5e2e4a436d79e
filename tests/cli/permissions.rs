//! Checks that files with personal data are readable by their owner only, whatever the umask.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use demarche_numerique::sink::SqliteSink;
use sqlx::{Connection as _, Executor as _};

use super::harness::{DEMARCHE, Harness, end};

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn new_files_are_for_their_owner_alone_and_old_ones_keep_what_they_have() {
    let harness = Harness::with(3).await;
    let number = DEMARCHE.to_string();
    let sync = ["sync", "--demarche", &number, "--to", "sqlite:d.db"];
    end(&mut harness.command_under("umask 0", &sync)).await.expect(0);
    for name in ["d.db", "d.db.lock"] {
        assert_eq!(mode(&harness.path(name)), 0o600, "{name}");
    }
    let dossier = *harness.sandbox.snapshot(DEMARCHE).dossiers.keys().next().expect("a dossier");
    harness.write("decisions.csv", &format!("id;dossier;action;message\nq1;{dossier};message;Bonjour\n"));
    let push =
        ["push", "--demarche", &number, "--from", "decisions.csv", "--apply", "--as", "instructeur-1@example.org"];
    let pushed = end(&mut harness.command_under("umask 0", &push)).await;
    let mut made: Vec<String> = fs::read_dir(harness.path(""))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name != "decisions.csv")
        .collect();
    made.sort();
    assert!(made.iter().any(|name| name == "decisions.csv.outbox.db"), "{made:?}: {}", pushed.stderr);
    for name in &made {
        assert_eq!(mode(&harness.path(name)), 0o600, "{name}");
    }
    // Analysts of a group were let in by hand: that stays, and what lies beside follows.
    fs::set_permissions(harness.path("d.db"), Permissions::from_mode(0o640)).expect("it is ours");
    fs::remove_file(harness.path("d.db.lock")).expect("it is ours");
    end(&mut harness.command_under("umask 0", &sync)).await.expect(0);
    for name in ["d.db", "d.db.lock"] {
        assert_eq!(mode(&harness.path(name)), 0o640, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_a_database_is_as_private_as_the_database() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("d.db");
    let sink = SqliteSink::open(&path).await.expect("a new database");
    // Something is written beside it, and stays in the log for as long as the database is open.
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.expect("a second connection");
    connection.execute("CREATE TABLE note (text TEXT)").await.expect("a table");
    let seen: Vec<u32> =
        ["", "-wal", "-shm", ".lock"].iter().map(|end| mode(Path::new(&format!("{}{end}", path.display())))).collect();
    assert_eq!(seen, [0o600; 4]);
    connection.close().await.expect("closed");
    sink.close().await.expect("closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_who_else_may_read() {
    let harness = Harness::with(1).await;
    harness.on_target("sync", &[]).await.expect(0);
    // The folder of a test is for its owner alone, which is enough; this one lets everybody pass.
    let shared = harness.path("shared");
    fs::create_dir(&shared).expect("a folder");
    fs::copy(harness.path("d.db"), shared.join("d.db")).expect("a copy");
    harness.write("shared/token", &format!("{}\n", harness.sandbox.token()));
    for folder in [harness.path("").as_path(), &shared] {
        fs::set_permissions(folder, Permissions::from_mode(0o755)).expect("it is ours");
    }
    let number = DEMARCHE.to_string();
    for (mode, warns) in [(0o600, false), (0o640, false), (0o644, true)] {
        for name in ["d.db", "token"] {
            fs::set_permissions(shared.join(name), Permissions::from_mode(mode)).expect("it is ours");
        }
        let mut command = harness.command(&["doctor", "--demarche", &number, "--to", "sqlite:shared/d.db"]);
        command.env_remove("DN_TOKEN").env("DN_TOKEN_FILE", "shared/token");
        let told = end(&mut command).await.expect(0).stdout;
        for what in ["target", "token"] {
            let line = format!("warn  {what}: every account of this machine may read");
            assert_eq!(told.contains(&line), warns, "{mode:o}: {told}");
        }
        if warns {
            assert!(
                told.contains("shared/d.db (mode 644)") && told.contains("hint: take the right from them"),
                "{told}"
            );
        }
    }
    fs::set_permissions(&shared, Permissions::from_mode(0o700)).expect("it is ours");
    let told = harness.dn(&["doctor", "--demarche", &number, "--to", "sqlite:shared/d.db"]).await.expect(0).stdout;
    assert!(!told.contains("every account of this machine"), "nobody can pass: {told}");
}
