//! Follows the change feed of PostgreSQL: each line exactly once, however often this program is stopped.
//!
//! ```text
//! DATABASE_URL=postgres://dn@localhost/dossiers cargo run --example follow_changes -- dn
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::env;
use std::error::Error;

use sqlx::postgres::{PgListener, PgPoolOptions};
use sqlx::{PgPool, Postgres, Transaction};

/// The table of positions is ours: one line for each program that follows.
const POSITIONS: &str = "CREATE TABLE IF NOT EXISTS follow_changes (follower text PRIMARY KEY, seq bigint NOT NULL)";

const ME: &str = "follow_changes";

const PAGE: i64 = 500;

#[derive(sqlx::FromRow)]
struct Change {
    seq: i64,
    instance: String,
    demarche: i64,
    number: i64,
    kind: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let schema = env::args().nth(1).unwrap_or_else(|| "dn".to_owned());
    let pool = PgPoolOptions::new()
        .after_connect(move |connection, _| {
            let schema = schema.clone();
            Box::pin(async move {
                // Our own table in `public`, the tool's tables where they lie.
                let path = sqlx::query("SELECT set_config('search_path', 'public, ' || quote_ident($1), false)");
                path.bind(schema).execute(connection).await.map(drop)
            })
        })
        .connect(&env::var("DATABASE_URL")?)
        .await?;
    sqlx::query(POSITIONS).execute(&pool).await?;
    sqlx::query("INSERT INTO follow_changes VALUES ($1, 0) ON CONFLICT DO NOTHING").bind(ME).execute(&pool).await?;

    // Listening begins before the first look, so nothing falls between the two.
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen("dn_changes").await?;
    loop {
        while follow(&pool).await? > 0 {}
        // A word, or a connection that was lost and found again: in both cases there may be something to read.
        listener.try_recv().await?;
    }
}

/// Handles the next page. The position moves in the same transaction as the work: both are done, or neither.
async fn follow(pool: &PgPool) -> Result<usize, sqlx::Error> {
    let mut tx = pool.begin().await?;
    // The lock keeps a second copy of this program from doing the same work.
    let position: i64 = sqlx::query_scalar("SELECT seq FROM follow_changes WHERE follower = $1 FOR UPDATE")
        .bind(ME)
        .fetch_one(&mut *tx)
        .await?;
    let query = "SELECT seq, instance, demarche, number, kind FROM dn_changes WHERE seq > $1 ORDER BY seq LIMIT $2";
    let page: Vec<Change> = sqlx::query_as(query).bind(position).bind(PAGE).fetch_all(&mut *tx).await?;
    let Some(last) = page.last() else { return Ok(0) };
    let position = last.seq;
    for change in &page {
        handle(&mut tx, change).await?;
    }
    let update = sqlx::query("UPDATE follow_changes SET seq = $2 WHERE follower = $1");
    update.bind(ME).bind(position).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(page.len())
}

/// In your program: whatever is to be done, in this transaction. What lies elsewhere (a mail, a call to another service)
/// is then done at least once; give it `seq` as its key.
async fn handle(_tx: &mut Transaction<'_, Postgres>, change: &Change) -> Result<(), sqlx::Error> {
    let Change { seq, instance, demarche, number, kind } = change;
    println!("{seq}: {kind} of dossier {number} ({instance}/{demarche})");
    Ok(())
}
