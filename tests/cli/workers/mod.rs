//! Runs several processes of `dn run` on one PostgreSQL: work is shared, dead workers are replaced, stale ones cannot write.

mod crashing;
mod hints;
mod process;
mod sharing;

use demarche_numerique::Platform;
use demarche_numerique::sandbox::{DemarcheSpec, FormSpec, WorldSpec};

pub use process::Worker;

use super::harness::{Harness, end};
use crate::support::postgres::Database;

/// The first of the démarches of these tests.
const FIRST: u32 = 1100;

/// A platform with many démarches, and a database.
struct Cluster {
    harness: Harness,
    database: Database,
    demarches: Vec<u32>,
}

impl Cluster {
    /// So many démarches of so many dossiers, all due now and then at New Year, in pages of ten, with a lease of this length.
    async fn new(demarches: u32, dossiers: u32, lease: &str) -> Self {
        Self::with(Database::new().await, demarches, dossiers, lease).await
    }

    /// The same in this database.
    async fn with(database: Database, demarches: u32, dossiers: u32, lease: &str) -> Self {
        let demarches: Vec<u32> = (FIRST..FIRST + demarches).collect();
        let spec = |number: &u32| DemarcheSpec::new(*number, FormSpec::Simple { champs: 3 }, dossiers);
        let world = WorldSpec {
            demarches: demarches.iter().map(spec).collect(),
            ..WorldSpec::new(Platform::DemarcheNumerique)
        };
        let harness = Harness::in_world(&world).await;
        let mut config = format!(
            "[instances.dn]\npage-size = 10\n[targets.base]\ntype = 'postgres'\nurl-env = 'BASE'\nlease = '{lease}'\n\
             [run]\nschedule = '0 0 1 1 *'\n"
        );
        for number in &demarches {
            config.push_str(&format!("[[demarches]]\nnumber = {number}\n"));
        }
        harness.write("dn.toml", &config);
        Self { harness, database, demarches }
    }

    /// Starts one more process.
    fn worker(&self) -> Worker {
        let url = self.database.url();
        Worker::start(&self.harness, &["--config", "dn.toml", "run"], &[("BASE", url.as_str())])
    }

    /// Waits until a question to the database is answered with yes. The server waits between two answers.
    async fn until(&self, question: &str) {
        let query = format!("SELECT ({question})::text FROM pg_sleep(0.05)");
        for _ in 0..1200 {
            if self.database.column(&query).await == ["true"] {
                return;
            }
        }
        let runs = self.database.column("SELECT demarche || ' ' || outcome FROM dn_runs ORDER BY seq").await;
        panic!("the answer never was yes: {question}; runs: {runs:?}");
    }

    async fn until_all_are_done(&self) {
        let count = self.demarches.len();
        self.until(&format!("(SELECT count(DISTINCT demarche) FROM dn_runs WHERE outcome = 'done') = {count}")).await;
    }

    /// Every démarche is what the platform shows, and the feed tells each dossier once.
    async fn is_exact(&self) {
        let mut verify = self.harness.command(&["--config", "dn.toml", "verify"]);
        end(verify.env("BASE", self.database.url())).await.expect(0);
        let twice = "SELECT demarche || '/' || number FROM dn_changes GROUP BY demarche, number HAVING count(*) > 1";
        assert_eq!(self.database.column(twice).await, Vec::<String>::new());
    }
}
