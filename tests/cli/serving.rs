//! `dn sandbox`: a platform to work with, until it is told to stop.

use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::desk::{Desk, end};

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_serves_until_it_is_told_to_stop() {
    let desk = Desk::with(1).await;
    let mut child = desk.command(&["sandbox", "--dossiers", "3", "--seed", "2"]).spawn().expect("the binary starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let (mut url, mut token) = (String::new(), String::new());
    while let Some(line) = lines.next_line().await.expect("a line") {
        match line.split_once(' ') {
            Some(("address", rest)) => url = rest.trim().to_owned(),
            Some(("token", rest)) => token = rest.trim().to_owned(),
            _ if line.contains("dn sync --demarche 1001") => break,
            _ => {}
        }
    }
    let args = ["sync", "--demarche", "1001", "--to", "sqlite:s.db", "--json"];
    let mut command = desk.command(&args);
    end(command.env("DN_URL", &url).env("DN_TOKEN", &token)).await.expect(0);
    let pid = child.id().expect("it runs").to_string();
    let asked = std::process::Command::new("kill").args(["-INT", &pid]).status().expect("kill starts");
    assert!(asked.success());
    assert_eq!(child.wait().await.expect("it ends").code(), Some(0));
}
