//! Runs behind PgBouncer: no state of a run may stay in a session of the server, which other clients get.

use demarche_numerique::sink::postgres::{Options, Pooler};
use demarche_numerique::sink::{PostgresSink, Sink, SinkError};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Row as _};

use super::super::world::*;
use super::filled;
use crate::support::pgbouncer::PgBouncer;
use crate::support::postgres::Database;

async fn open(url: &str, schema: &str) -> PostgresSink {
    PostgresSink::open(&format!("{url}&schema={schema}"), Options::default()).await.expect(schema)
}

/// A client of the pooler that is none of ours.
async fn other_client(url: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().expect("an address");
    options.extra_float_digits(None).connect().await.expect("a connection")
}

async fn column(client: &mut PgConnection, query: &'static str) -> Vec<String> {
    let rows = sqlx::raw_sql(query).fetch_all(client).await.expect(query);
    rows.iter().map(|row| row.get::<String, _>(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_behind_a_transaction_pooler_keep_to_their_schemas_and_leave_nothing_behind() {
    let database = Database::new().await;
    let bouncer = PgBouncer::before(&database, "transaction", 2, "");
    let url = bouncer.url(&database);
    // What another client left in a session: a table of ours by its name.
    let mut other = other_client(&url).await;
    sqlx::raw_sql("CREATE TEMP TABLE dn_instances (nothing text)").execute(&mut other).await.expect("a table");
    let mut runs = tokio::task::JoinSet::new();
    for (schema, count) in [("un", 5), ("deux", 8)] {
        let url = url.clone();
        runs.spawn(async move {
            let sink = open(&url, schema).await;
            let prepared = prepare(&sink, &scope()).await;
            for second in 1..=count {
                let first = second * 10;
                let changes = vec![insert(first, schema), insert(first + 1, schema)];
                sink.commit(&prepared, &batch(i64::from(second), changes)).await.expect("a commit");
            }
            assert_eq!(sink.totals(&scope()).await.expect("an answer").alive, u64::from(count) * 2);
            sink.check().await.expect("a sound schema");
            sink.close().await.expect("a clean end");
        });
    }
    runs.join_all().await;
    for (schema, count) in [("un", "10"), ("deux", "16")] {
        let query = format!("SELECT count(*)::text FROM {schema}.demarche_12_dossiers WHERE nom = '{schema}'");
        assert_eq!(database.column(&query).await, [count]);
        let query = format!("SELECT last::text FROM {schema}.dn_feed");
        assert_eq!(database.column(&query).await, [count]);
    }
    // Both sessions of the server, held at once so that they are two.
    let mut one = other_client(&url).await;
    sqlx::raw_sql("BEGIN").execute(&mut one).await.expect("a transaction");
    for client in [&mut one, &mut other] {
        // What the pooler itself follows for each of its clients.
        let settings = "SELECT name || ' = ' || setting FROM pg_settings WHERE source = 'session' AND name NOT IN \
                        ('client_encoding', 'DateStyle', 'TimeZone', 'application_name', 'standard_conforming_strings')";
        assert_eq!(column(client, settings).await, [""; 0]);
        assert_eq!(column(client, "SELECT name FROM pg_prepared_statements").await, [""; 0]);
        assert_eq!(column(client, "SELECT locktype FROM pg_locks WHERE locktype = 'advisory'").await, [""; 0]);
        assert_eq!(column(client, "SELECT pg_listening_channels()").await, [""; 0]);
    }
}

#[tokio::test]
async fn a_session_pooler_is_as_good_as_none_and_both_are_told() {
    let database = Database::new().await;
    for (mode, expected) in [("session", Pooler::Present), ("transaction", Pooler::Transaction)] {
        let bouncer = PgBouncer::before(&database, mode, 6, "");
        let sink = open(&bouncer.url(&database), mode).await;
        let prepared = filled(&sink).await;
        sink.commit(&prepared, &batch(2, vec![update(1, "UN"), delete(2)])).await.expect("a commit");
        sink.check().await.expect("a sound schema");
        sink.close().await.expect("a clean end");
        let facts = PostgresSink::facts(&bouncer.url(&database), Options::default()).await.expect("an answer");
        assert_eq!(facts.pooler, expected, "{mode}");
    }
    let facts = PostgresSink::facts(&database.url(), Options::default()).await.expect("an answer");
    assert_eq!((facts.pooler, facts.encoding.as_str(), facts.obstacle), (Pooler::None, "UTF8", None));
    assert!(facts.connections.0 > 0 && facts.connections.1 > facts.connections.0, "{:?}", facts.connections);
}

#[tokio::test]
async fn what_a_pooler_refuses_for_good_is_told_with_what_to_do() {
    let database = Database::new().await;
    let bouncer = PgBouncer::before(&database, "statement", 4, "");
    let options = format!("{}&options=-c%20geqo%3Doff", bouncer.url(&database));
    for (url, said, to_do) in [
        (bouncer.url(&database), "transaction blocks not allowed", "use session or transaction pooling"),
        (bouncer.url_of("nowhere", &database), "no such database", "the pooler has none of this name"),
        (options, "unsupported startup parameter", "take `options` out of the address"),
    ] {
        let error = PostgresSink::open(&url, Options::default()).await.expect_err(said);
        assert!(matches!(&error, SinkError::Unusable { reason, .. } if reason.contains(said)), "{error:?}");
        assert!(error.hint().is_some_and(|hint| hint.contains(to_do)), "{:?}", error.hint());
    }
}

#[tokio::test]
async fn a_limit_on_connections_is_told_as_passing() {
    let database = Database::new().await;
    let bouncer = PgBouncer::before(&database, "transaction", 4, "max_client_conn = 1");
    let first = other_client(&bouncer.url(&database)).await;
    let role = format!("seul_{}", database.name());
    database.run(&format!("CREATE ROLE {role} LOGIN CONNECTION LIMIT 0")).await;
    for url in [bouncer.url(&database), database.url_as(&role)] {
        let error = PostgresSink::open(&url, Options::default()).await.expect_err("no connection is left");
        assert!(matches!(error, SinkError::Unavailable { .. }), "{error:?}");
        assert!(error.hint().is_some_and(|hint| hint.contains("a run takes five connections")), "{:?}", error.hint());
    }
    drop(first);
}
