//! Runs the binary on a PostgreSQL.

use demarche_numerique::Platform;
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, WorldSpec};

use super::harness::{DEMARCHE, Harness, end};
use crate::support::postgres::Database;

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_a_verification_and_a_status() {
    let (harness, database) = (Harness::with(30).await, Database::new().await);
    let (url, number) = (database.url(), DEMARCHE.to_string());
    let job = ["--demarche", number.as_str(), "--to", url.as_str(), "--json"];
    let told = async |command: &str, code: i32| {
        let args: Vec<&str> = [command].into_iter().chain(job).collect();
        let answer = harness.dn(&args).await.expect(code).stdout;
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
    let (harness, database) = (Harness::with(3).await, Database::new().await);
    let config = format!(
        "[instances.ici]\n[targets.base]\ntype = 'postgres'\nurl-env = 'BASE'\n[[demarches]]\nnumber = {DEMARCHE}\ntarget = 'base'\n"
    );
    std::fs::write(harness.path("dn.toml"), config).expect("written");
    for (args, code) in [(&["sync"][..], 0), (&["doctor"], 0), (&["status"], 0)] {
        let mut command = harness.command(&[&["--config", "dn.toml"], args].concat());
        end(command.env("BASE", database.url())).await.expect(code);
    }
    let mut command = harness.command(&["--config", "dn.toml", "sync"]);
    let ended = end(command.env("BASE", "postgres://agent:s3cret@127.0.0.1:9/rien")).await;
    assert!(!format!("{ended:?}").contains("s3cret"), "{ended:?}");
    ended.expect(6).says_at_last("postgres:127.0.0.1:9/rien/ici");
    end(&mut harness.command(&["--config", "dn.toml", "sync"])).await.expect(3).says("BASE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_leaves_no_schema_behind() {
    let (harness, database) = (Harness::with(3).await, Database::new().await);
    let (url, number) = (database.url(), DEMARCHE.to_string());
    let mut command = harness.command(&["sync", "--demarche", &number, "--to", &url]);
    end(command.env("DN_TOKEN", "faux")).await.expect(4);
    let query = "SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'";
    let schemas: Vec<String> = database.column(query).await.into_iter().filter(|schema| schema != "public").collect();
    assert!(schemas.is_empty(), "{schemas:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_instance_has_a_schema_of_its_own_unless_the_address_names_one() {
    let (harness, database) = (Harness::with(3).await, Database::new().await);
    let number = DEMARCHE.to_string();
    let named = format!("{}&schema=archives", database.url());
    for (instance, url) in [("service-a", &database.url()), ("service-b", &database.url()), ("service-b", &named)] {
        harness.dn(&["sync", "--instance", instance, "--demarche", &number, "--to", url]).await.expect(0);
    }
    let query = "SELECT nspname::text FROM pg_namespace AS n JOIN pg_class AS c ON c.relnamespace = n.oid \
                 WHERE c.relname = 'dn_dossiers' ORDER BY 1";
    assert_eq!(database.column(query).await, ["archives", "service_a", "service_b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_encoding_lacks_a_character_of_the_form_is_a_wrong_configuration() {
    let (harness, database) = (Harness::with(3).await, Database::in_encoding("LATIN1").await);
    let (url, number) = (database.url(), DEMARCHE.to_string());
    for args in [&["sync"][..], &["sync", "--quiet"], &["sync", "--full", "--json"]] {
        let ended = harness.dn(&[args, &["--demarche", &number, "--to", &url]].concat()).await.expect(3);
        for words in ["not in UTF8", "CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0", "createdb -E UTF8"] {
            assert!(ended.stderr.contains(words), "{args:?}: {ended:?}");
        }
    }
    // Nothing was half made: in the right encoding the same command works.
    harness.dn(&["sync", "--demarche", &number, "--to", &Database::new().await.url()]).await.expect(0);
}

/// Skips with a message if PostGIS is not installed (Debian's postgresql-N-postgis-3).
#[tokio::test(flavor = "multi_thread")]
async fn areas_are_geometries_where_postgis_is_installed() {
    let world = WorldSpec::new(Platform::DemarcheNumerique).only(&[DEMARCHE_COMPLETE]).dossiers(40);
    let (harness, database) = (Harness::in_world(&world).await, Database::new().await);
    if database.column("SELECT name::text FROM pg_available_extensions WHERE name = 'postgis'").await.is_empty() {
        eprintln!("PostGIS is not installed here: its geometries are not checked");
        return;
    }
    database.run("CREATE EXTENSION postgis SCHEMA public").await;
    let (number, url) = (DEMARCHE_COMPLETE.to_string(), database.url());
    let args = ["sync", "--instance", "dn", "--demarche", &number, "--to", &url, "--json"];
    harness.dn(&args).await.expect(0);
    let zones = database.column("SELECT number::text FROM dn_dossiers WHERE document::text LIKE '%coordinates%'").await;
    assert!(!zones.is_empty(), "the world has areas");
    let wrong = "SELECT key FROM demarche_1001_geo_zones WHERE dn_geom IS NULL OR public.ST_SRID(dn_geom) <> 4326 \
                 OR NOT public.ST_Equals(dn_geom, public.ST_SetSRID(public.ST_GeomFromGeoJSON(geometry), 4326))";
    assert_eq!(database.column(wrong).await, Vec::<String>::new());
    let count = "SELECT (count(dn_geom) > 0)::text FROM demarche_1001_geo_zones";
    assert_eq!(database.column(count).await, ["true"]);
    let index =
        "SELECT indexdef FROM pg_indexes WHERE tablename = 'demarche_1001_geo_zones' AND indexdef LIKE '%gist%'";
    assert_eq!(database.column(index).await.len(), 1);
    let again = harness.dn(&args).await.expect(0).stdout;
    let again: serde_json::Value = serde_json::from_str(&again).expect("one object");
    assert_eq!((&again["rows_written"], &again["schema"]), (&0.into(), &serde_json::json!([])));
}
