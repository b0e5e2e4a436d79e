//! The real binary on a real PostgreSQL.

use super::desk::{DEMARCHE, Desk, end};
use crate::support::postgres::Database;

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_a_verification_and_a_status() {
    let (desk, database) = (Desk::with(30).await, Database::new().await);
    let (url, number) = (database.url(), DEMARCHE.to_string());
    let job = ["--demarche", number.as_str(), "--to", url.as_str(), "--json"];
    let told = async |command: &str, code: i32| {
        let args: Vec<&str> = [command].into_iter().chain(job).collect();
        let answer = desk.dn(&args).await.expect(code).stdout;
        serde_json::from_str::<serde_json::Value>(&answer).expect("one JSON object")
    };
    assert_eq!(told("sync", 0).await["inserted"], 30);
    let again = told("sync", 0).await;
    assert_eq!((&again["inserted"], &again["rows_written"]), (&0.into(), &0.into()));
    let verified = told("verify", 0).await;
    assert_eq!((verified["listed"].as_u64(), verified["missing"].as_array().map(Vec::len)), (Some(30), Some(0)));
    assert_eq!(told("status", 0).await["alive"], 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_comes_from_the_environment_and_its_password_is_never_shown() {
    let (desk, database) = (Desk::with(3).await, Database::new().await);
    let config = format!(
        "[instances.ici]\n[targets.base]\ntype = 'postgres'\nurl-env = 'BASE'\n[[demarches]]\nnumber = {DEMARCHE}\ntarget = 'base'\n"
    );
    std::fs::write(desk.path("dn.toml"), config).expect("written");
    for (args, code) in [(&["sync"][..], 0), (&["doctor"], 0), (&["status"], 0)] {
        let mut command = desk.command(&[&["--config", "dn.toml"], args].concat());
        end(command.env("BASE", database.url())).await.expect(code);
    }
    let mut command = desk.command(&["--config", "dn.toml", "sync"]);
    let ended = end(command.env("BASE", "postgres://agent:s3cret@127.0.0.1:9/rien")).await;
    assert!(!format!("{ended:?}").contains("s3cret"), "{ended:?}");
    ended.expect(4).says_at_last("postgres:127.0.0.1:9/rien/ici");
    end(&mut desk.command(&["--config", "dn.toml", "sync"])).await.expect(3).says("BASE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_leaves_no_schema_behind() {
    let (desk, database) = (Desk::with(3).await, Database::new().await);
    let (url, number) = (database.url(), DEMARCHE.to_string());
    let mut command = desk.command(&["sync", "--demarche", &number, "--to", &url]);
    end(command.env("DN_TOKEN", "faux")).await.expect(4);
    let query = "SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'";
    let schemas: Vec<String> =
        database.column(query).await.into_iter().filter(|schema| schema != "public").collect();
    assert!(schemas.is_empty(), "{schemas:?}");
}
