//! A PostgreSQL for the tests: that of `DATABASE_URL_TEST`, or a private cluster in a temporary folder that ends with the
//! test process. Each test has a database of its own.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use demarche_numerique::sink::PostgresSink;
use demarche_numerique::sink::postgres::Options;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};
use url::Url;

const HELP: &str = "PostgreSQL is needed by the tests: install it (`apt-get install postgresql`, or any package with initdb and \
                    postgres), or name a server whose account may create databases in DATABASE_URL_TEST";

/// A server that lives as long as the test process.
struct Cluster {
    url: Url,
    /// Its end is the end of the server: the shell that started it reads from this process.
    _shell: Option<Child>,
}

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| match std::env::var("DATABASE_URL_TEST") {
        Ok(url) => Cluster { url: url.parse().expect("DATABASE_URL_TEST is an address"), _shell: None },
        Err(_) => private_cluster(),
    })
}

/// Runs the server until its own input ends, which it does with the test process however that ends.
const SHELL: &str = r#"bin=$1 folder=$2
"$bin/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c fsync=off -c synchronous_commit=off \
    -c full_page_writes=off -c max_connections=300 -c shared_buffers=64MB -c jit=off >"$folder/log" 2>&1 </dev/null &
cat >/dev/null
kill -QUIT $! && wait $!
rm -rf "$folder"
"#;

fn private_cluster() -> Cluster {
    let bin = programs().expect(HELP);
    let folder = tempfile::tempdir().expect("a folder").keep();
    let user = (command("id", ["-u"]) == "0").then(unprivileged_user);
    if let Some((_, uid, gid)) = &user {
        // The server refuses to run as root.
        chown(&folder, Some(*uid), Some(*gid)).expect("root may give folders away");
    }
    let as_user = |program: &OsStr| match &user {
        Some((_, uid, gid)) => {
            let mut command = Command::new("setpriv");
            command.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}")).arg("--clear-groups").arg(program);
            command
        }
        None => Command::new(program),
    };
    let made = as_user(bin.join("initdb").as_os_str())
        .args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "-D"])
        .arg(folder.join("data"))
        .current_dir(&folder)
        .output()
        .expect(HELP);
    assert!(made.status.success(), "{HELP}; initdb said: {}", String::from_utf8_lossy(&made.stderr));
    let shell = as_user(OsStr::new("sh"))
        .args(["-c", SHELL, "sh"])
        .arg(&bin)
        .arg(&folder)
        .current_dir(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell");
    let mut url: Url = "postgres:///postgres?user=postgres".parse().expect("an address");
    url.query_pairs_mut().append_pair("host", folder.to_str().expect("a path in UTF-8"));
    wait_until_ready(&bin, &folder);
    Cluster { url, _shell: Some(shell) }
}

/// `pg_isready` as long as the server needs, and the server's own words when it does not come.
fn wait_until_ready(bin: &Path, folder: &Path) {
    for _ in 0..600 {
        let ready = Command::new(bin.join("pg_isready")).arg("-q").arg("-t1").arg("-h").arg(folder).status();
        if ready.is_ok_and(|status| status.success()) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the server did not start: {}", fs::read_to_string(folder.join("log")).unwrap_or_default());
}

/// The folder with the server's programs: the newest of Debian's, or that of the PATH.
fn programs() -> Option<PathBuf> {
    let complete =
        |folder: &PathBuf| ["initdb", "postgres", "pg_isready"].iter().all(|name| folder.join(name).is_file());
    let debian =
        fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let mut debian: Vec<PathBuf> = debian.filter(complete).collect();
    debian.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian.pop().or_else(|| std::env::split_paths(&path).find(complete))
}

fn unprivileged_user() -> (&'static str, u32, u32) {
    let id = |flag, user| command("id", [flag, user]).parse::<u32>().ok();
    ["postgres", "nobody"]
        .into_iter()
        .find_map(|user| Some((user, id("-u", user)?, id("-g", user)?)))
        .expect("an account that is not root's")
}

fn command<const N: usize>(program: &str, arguments: [&str; N]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

/// A database of one test.
pub struct Database {
    name: String,
}

impl Database {
    /// Creates an empty one.
    pub async fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let database = Self { name: format!("dn_test_{}_{count}", std::process::id()) };
        let create = format!("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'", database.name);
        run_on(&cluster().url, &create).await;
        database
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address.
    pub fn url(&self) -> String {
        url_of(&self.name)
    }

    /// Its address for another account.
    pub fn url_as(&self, role: &str) -> String {
        let mut url: Url = self.url().parse().expect("an address");
        let others: Vec<(String, String)> = url.query_pairs().into_owned().filter(|(key, _)| key != "user").collect();
        url.query_pairs_mut().clear().extend_pairs(others).append_pair("user", role);
        url.into()
    }

    /// A sink on its default schema, with a lease of this many milliseconds.
    pub async fn sink_with_lease(&self, milliseconds: u64) -> PostgresSink {
        let options = Options { lease: Duration::from_millis(milliseconds), ..Options::default() };
        PostgresSink::open(&self.url(), options).await.expect("a schema")
    }

    /// A sink on its default schema.
    pub async fn sink(&self) -> PostgresSink {
        PostgresSink::open(&self.url(), Options::default()).await.expect("a schema")
    }

    /// A connection that sees the default schema.
    pub async fn by_hand(&self) -> PgConnection {
        connect_to(&self.name, "dn").await
    }

    /// Runs statements.
    pub async fn run(&self, statements: &str) {
        let mut connection = self.by_hand().await;
        sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut connection).await.expect(statements);
    }

    /// The texts of a column.
    pub async fn column(&self, query: &str) -> Vec<String> {
        let mut connection = self.by_hand().await;
        sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_all(&mut connection).await.expect(query)
    }

    /// Ends every other connection to it, as a server that restarts does.
    pub async fn cut(&self) {
        self.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
    }
}

/// A connection to the database and the schema that a sink names.
pub async fn connect_by_name(name: &str) -> PgConnection {
    let mut parts = name.rsplit('/');
    let schema = parts.next().expect("a schema");
    connect_to(parts.next().expect("a database"), schema).await
}

async fn connect_to(database: &str, schema: &str) -> PgConnection {
    let mut connection = PgConnection::connect(&url_of(database)).await.expect("a connection");
    let path = format!("SET search_path TO \"{schema}\"; SET client_min_messages TO warning");
    sqlx::raw_sql(AssertSqlSafe(path)).execute(&mut connection).await.expect("a schema");
    connection
}

fn url_of(database: &str) -> String {
    let mut url = cluster().url.clone();
    url.set_path(database);
    url.into()
}

async fn run_on(url: &Url, statement: &str) {
    let mut connection = PgConnection::connect(url.as_str()).await.expect(HELP);
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.expect(statement);
    connection.close().await.expect("a clean end");
}
