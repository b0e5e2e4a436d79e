//! Checks `dn sandbox`: it serves until it gets a signal.

use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::harness::{Harness, end};

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_serves_until_it_is_told_to_stop() {
    let harness = Harness::with(1).await;
    let mut child = harness.command(&["sandbox", "--dossiers", "3", "--seed", "2"]).spawn().expect("the binary starts");
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
    let mut command = harness.command(&args);
    end(command.env("DN_URL", &url).env("DN_TOKEN", &token)).await.expect(0);
    let pid = child.id().expect("it runs").to_string();
    let asked = std::process::Command::new("kill").args(["-INT", &pid]).status().expect("kill starts");
    assert!(asked.success());
    assert_eq!(child.wait().await.expect("it ends").code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imitation_of_grist_is_served_beside_it_when_asked() {
    let harness = Harness::with(1).await;
    let mut child = harness.command(&["sandbox", "--dossiers", "3", "--grist"]).spawn().expect("the binary starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut told = std::collections::BTreeMap::new();
    while let Some(line) = lines.next_line().await.expect("a line") {
        if line.ends_with("dn init grist") {
            break;
        }
        if let Some((what, rest)) = line.split_once(' ') {
            told.insert(what.to_owned(), rest.trim().to_owned());
        }
    }
    let to = format!("grist:{}", told["document"]);
    let mut command = harness.command(&["sync", "--demarche", "1001", "--to", &to]);
    command.env("DN_URL", &told["address"]).env("DN_TOKEN", &told["token"]);
    end(command.env("GRIST_URL", &told["Grist"]).env("GRIST_API_KEY", &told["key"])).await.expect(0);
    let pid = child.id().expect("it runs").to_string();
    let asked = std::process::Command::new("kill").args(["-INT", &pid]).status().expect("kill starts");
    assert!(asked.success());
    assert_eq!(child.wait().await.expect("it ends").code(), Some(0));
}
