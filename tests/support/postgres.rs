//! Starts a PostgreSQL for the tests: that of `DATABASE_URL_TEST`, or a private cluster in a temporary folder that ends with the
//! test process. Each test has its own database.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read as _, Write as _};
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

/// The server of all tests that do nothing to the server itself.
pub fn shared() -> &'static Url {
    static SHARED: OnceLock<(Url, Option<OwnServer>)> = OnceLock::new();
    let (url, _) = SHARED.get_or_init(|| match std::env::var("DATABASE_URL_TEST") {
        Ok(url) => (url.parse().expect("DATABASE_URL_TEST is an address"), None),
        Err(_) => {
            let server = OwnServer::start(false);
            (server.url.clone(), Some(server))
        }
    });
    url
}

/// A server in a temporary folder, which ends with this value, and with the process however that ends.
pub struct OwnServer {
    pub url: Url,
    bin: PathBuf,
    folder: PathBuf,
    port: u16,
    /// It runs the server; the end of its input is the end of both.
    shell: Child,
}

/// Runs the server until its own input ends; each line of it is an end without ceremony and a new start.
const SHELL: &str = r#"bin=$1 folder=$2 durable=$3 listen=$4 port=$5
serve() {
  "$bin/postgres" -D "$folder/data" -k "$folder" -c listen_addresses="$listen" -p "$port" -c fsync=$durable -c synchronous_commit=$durable \
      -c full_page_writes=$durable -c max_connections=300 -c shared_buffers=64MB -c jit=off >>"$folder/log" 2>&1 </dev/null &
}
serve
while read -r _; do kill -QUIT $!; wait $!; serve; echo again; done
kill -QUIT $! && wait $!
rm -rf "$folder"
"#;

impl OwnServer {
    /// Starts one. `durable`: whether what is committed is flushed, as outside of tests.
    pub fn start(durable: bool) -> Self {
        let (bin, folder) = (programs().expect(HELP), own_folder());
        make_cluster(&bin, &folder);
        Self::run(bin, folder, (durable, "", 5432))
    }

    /// Starts one that listens on this machine, too: its port.
    pub fn start_listening() -> (Self, u16) {
        let (bin, folder) = (programs().expect(HELP), own_folder());
        make_cluster(&bin, &folder);
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        (Self::run(bin, folder, (false, "127.0.0.1,::1", port)), port)
    }

    /// Starts a hot standby of this one: an asynchronous, read-only copy.
    pub fn standby(&self) -> Self {
        let folder = own_folder();
        let made = as_server(self.bin.join("pg_basebackup").as_os_str())
            .args(["-U", "postgres", "-R", "-X", "stream", "-c", "fast", "--no-sync", "-h"])
            .arg(&self.folder)
            .arg("-D")
            .arg(folder.join("data"))
            .current_dir(&folder)
            .output()
            .expect(HELP);
        assert!(made.status.success(), "pg_basebackup said: {}", String::from_utf8_lossy(&made.stderr));
        Self::run(self.bin.clone(), folder, (false, "", 5432))
    }

    /// Its folder, which its account may write.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn run(bin: PathBuf, folder: PathBuf, (durable, listen, port): (bool, &str, u16)) -> Self {
        let shell = as_server(OsStr::new("sh"))
            .args(["-c", SHELL, "sh"])
            .arg(&bin)
            .arg(&folder)
            .args([if durable { "on" } else { "off" }, listen, &port.to_string()])
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let mut url: Url = "postgres:///postgres?user=postgres".parse().expect("an address");
        url.query_pairs_mut().append_pair("host", folder.to_str().expect("a path in UTF-8"));
        if port != 5432 {
            url.query_pairs_mut().append_pair("port", &port.to_string());
        }
        wait_until_ready(&bin, &folder, port);
        Self { url, bin, folder, port, shell }
    }

    /// Ends the server as a power cut does, and starts it again.
    pub fn restart(&mut self) {
        let shell = (self.shell.stdin.as_mut(), self.shell.stdout.as_mut());
        let (Some(input), Some(output)) = shell else { panic!("the shell has pipes") };
        input.write_all(b"again\n").expect("the shell reads");
        let mut answer = [0; 6];
        output.read_exact(&mut answer).expect("the shell answers");
        wait_until_ready(&self.bin, &self.folder, self.port);
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        drop(self.shell.wait());
    }
}

/// `pg_isready` as long as the server needs, and the server's own words when it does not come.
pub fn wait_until_ready(bin: &Path, folder: &Path, port: u16) {
    for _ in 0..600 {
        let port = format!("-p{port}");
        let ready = Command::new(bin.join("pg_isready")).args(["-q", "-t1", &port, "-h"]).arg(folder).status();
        if ready.is_ok_and(|status| status.success()) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the server did not start: {}", fs::read_to_string(folder.join("log")).unwrap_or_default());
}

/// The account of servers, where this process is root's: they refuse to run as root.
fn account() -> Option<(u32, u32)> {
    static ACCOUNT: OnceLock<Option<(u32, u32)>> = OnceLock::new();
    *ACCOUNT.get_or_init(|| (command("id", ["-u"]) == "0").then(unprivileged_user).map(|(_, uid, gid)| (uid, gid)))
}

/// A temporary folder that belongs to the account of servers. It stays.
pub fn own_folder() -> PathBuf {
    let folder = tempfile::tempdir().expect("a folder").keep();
    give(&folder);
    folder
}

/// Gives a file or a folder to the account of servers.
pub fn give(path: &Path) {
    if let Some((uid, gid)) = account() {
        chown(path, Some(uid), Some(gid)).expect("root may give files away");
    }
}

/// A program that the account of servers runs.
pub fn as_server(program: &OsStr) -> Command {
    match account() {
        Some((uid, gid)) => {
            let mut command = Command::new("setpriv");
            let account = [format!("--reuid={uid}"), format!("--regid={gid}"), "--clear-groups".to_owned()];
            command.args(account).arg(program);
            command
        }
        None => Command::new(program),
    }
}

fn make_cluster(bin: &Path, folder: &Path) {
    let made = as_server(bin.join("initdb").as_os_str())
        .args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "-D"])
        .arg(folder.join("data"))
        .current_dir(folder)
        .output()
        .expect(HELP);
    assert!(made.status.success(), "{HELP}; initdb said: {}", String::from_utf8_lossy(&made.stderr));
}

/// The folder with the server's programs: the newest of Debian's, or that of the PATH.
pub fn programs() -> Option<PathBuf> {
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
    server: Url,
}

impl Database {
    /// Creates an empty one.
    pub async fn new() -> Self {
        Self::on(shared()).await
    }

    /// Creates an empty one in an encoding.
    pub async fn in_encoding(encoding: &str) -> Self {
        Self::made(shared(), &format!("ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'")).await
    }

    /// Creates an empty one on another server.
    pub async fn on(server: &Url) -> Self {
        Self::made(server, "ENCODING 'UTF8'").await
    }

    async fn made(server: &Url, options: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let database = Self { name: format!("dn_test_{}_{count}", std::process::id()), server: server.clone() };
        let create = format!("CREATE DATABASE {} TEMPLATE template0 {options}", database.name);
        run_on(server, &create).await;
        database
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address.
    pub fn url(&self) -> String {
        url_of(&self.server, &self.name)
    }

    /// The server on which it lies.
    pub fn server(&self) -> &Url {
        &self.server
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
        connect_to(&self.server, &self.name, "dn").await
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
    connect_to(shared(), parts.next().expect("a database"), schema).await
}

async fn connect_to(server: &Url, database: &str, schema: &str) -> PgConnection {
    let mut connection = PgConnection::connect(&url_of(server, database)).await.expect("a connection");
    let path = format!("SET search_path TO \"{schema}\"; SET client_min_messages TO warning");
    sqlx::raw_sql(AssertSqlSafe(path)).execute(&mut connection).await.expect("a schema");
    connection
}

fn url_of(server: &Url, database: &str) -> String {
    let mut url = server.clone();
    url.set_path(database);
    url.into()
}

async fn run_on(url: &Url, statement: &str) {
    let mut connection = PgConnection::connect(url.as_str()).await.expect(HELP);
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.expect(statement);
    connection.close().await.expect("a clean end");
}
