//! Starts a PgBouncer before the PostgreSQL of the tests. It ends when its value is dropped, and when the test process dies.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use url::Url;

use super::postgres::{Database, as_server, own_folder, programs, wait_until_ready};

const HELP: &str = "PgBouncer is needed by the tests: install it (`apt-get install pgbouncer`)";

/// Nobody else listens in its folder.
const PORT: u16 = 6432;

/// Runs PgBouncer until its own input ends.
const SHELL: &str = r#""$1" -q "$2/pgbouncer.ini" </dev/null >>"$2/log" 2>&1 &
read -r _
kill -TERM $! && wait $!
rm -rf "$2"
"#;

/// A running PgBouncer.
pub struct PgBouncer {
    folder: PathBuf,
    shell: Child,
}

impl PgBouncer {
    /// Starts one before the server of a database, in a mode (`session`, `transaction`, `statement`), with so many
    /// connections to the server at most, and more lines of settings.
    pub fn before(database: &Database, mode: &str, size: u32, more: &str) -> Self {
        let (program, folder) = (program().expect(HELP), own_folder());
        let server = database.server();
        let said = |key: &str| server.query_pairs().find(|(name, _)| name == key).map(|(_, value)| value.into_owned());
        let host = said("host").or_else(|| server.host_str().map(str::to_owned)).expect("a host");
        let port = said("port").or_else(|| server.port().map(|port| port.to_string())).unwrap_or("5432".to_owned());
        let user = said("user").unwrap_or_else(|| server.username().to_owned());
        let password = server.password().map(|password| format!(" password={password}")).unwrap_or_default();
        let settings = format!(
            "[databases]\n{} = host={host} port={port} user={user}{password}\n[pgbouncer]\npool_mode = {mode}\n\
             listen_port = {PORT}\nlisten_addr =\nunix_socket_dir = {}\nauth_type = trust\n\
             auth_file = {}\ndefault_pool_size = {size}\nmax_client_conn = 100\n{more}\n",
            database.name(),
            folder.display(),
            folder.join("users").display()
        );
        fs::write(folder.join("users"), format!("\"{user}\" \"\"\n")).expect("a folder that can be written");
        fs::write(folder.join("pgbouncer.ini"), settings).expect("a folder that can be written");
        let shell = as_server(OsStr::new("sh"))
            .args(["-c", SHELL, "sh"])
            .arg(program)
            .arg(&folder)
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        wait_until_ready(&programs().expect(HELP), &folder, PORT);
        Self { folder, shell }
    }

    /// The address of a database behind it.
    pub fn url(&self, database: &Database) -> String {
        self.url_of(database.name(), database)
    }

    /// The address of any database behind it, there or not.
    pub fn url_of(&self, name: &str, database: &Database) -> String {
        let server = database.server();
        let user = server.query_pairs().find(|(name, _)| name == "user").map(|(_, user)| user.into_owned());
        let mut url: Url = format!("postgres:///{name}").parse().expect("an address");
        url.query_pairs_mut()
            .append_pair("host", self.folder.to_str().expect("a path in UTF-8"))
            .append_pair("port", &PORT.to_string())
            .append_pair("user", &user.unwrap_or_else(|| server.username().to_owned()));
        url.into()
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        drop(self.shell.wait());
    }
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    folders.map(|folder: PathBuf| folder.join("pgbouncer")).find(|program: &PathBuf| Path::is_file(program))
}
