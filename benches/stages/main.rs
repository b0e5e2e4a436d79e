//! One page of 100 dossiers through each stage: `cargo bench --bench stages`. See `docs/performance.md`.

mod desk;
#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/support/postgres.rs"]
mod postgres;
#[allow(dead_code, reason = "whole runs use the rest")]
#[path = "../support/mod.rs"]
mod support;
mod vault;

use std::path::Path;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use demarche_numerique::grist::{self, DocId};
use demarche_numerique::plan::{Known, plan};
use demarche_numerique::sandbox::grist::Grist;
use demarche_numerique::sink::postgres::Options;
use demarche_numerique::sink::{AnySink, GristSink, PostgresSink, SqliteSink};
use tokio::runtime::Runtime;

use desk::{Desk, PAGE};
use postgres::{Database, OwnServer};
use vault::Vault;

/// As in `dn`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

criterion_group!(benches, stages);
criterion_main!(benches);

fn stages(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let desk = runtime.block_on(Desk::new()).expect("a page of the sandbox");
    let mut group = criterion.benchmark_group("page");
    group.throughput(Throughput::Elements(u64::from(PAGE))).sampling_mode(SamplingMode::Flat).sample_size(15);
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_millis(1500));
    pure(&mut group, &desk);

    let folder = tempfile::tempdir().expect("a folder");
    let file = runtime.block_on(sqlite(folder.path()));
    target(&mut group, &runtime, &desk, "SQLite, a file", file);
    // The same file where nothing is ever flushed to a disk.
    match tempfile::tempdir_in("/dev/shm") {
        Ok(memory) => {
            let sink = runtime.block_on(sqlite(memory.path()));
            target(&mut group, &runtime, &desk, "SQLite, in memory", sink);
        }
        Err(_) => eprintln!("SQLite in memory is left out: there is no /dev/shm"),
    }
    match postgres::programs() {
        Some(_) => {
            let cluster = OwnServer::start(true);
            let sink = runtime.block_on(async {
                let database = Database::on(&cluster.url).await;
                PostgresSink::open(&database.url(), Options::default()).await.expect("a schema")
            });
            target(&mut group, &runtime, &desk, "PostgreSQL", sink.into());
        }
        None => eprintln!("PostgreSQL is left out: its programs are not here (apt-get install postgresql)"),
    }
    let grist = Grist::new();
    let server = runtime.block_on(grist.serve_locally()).expect("a free port");
    let document = DocId::parse(&grist.create_document("Mesure")).expect("an id");
    let client = grist::Client::builder(server.url()).key(Grist::OWNER).build().expect("a client");
    let sink = runtime.block_on(GristSink::of(client.doc(document)).open()).expect("an empty document");
    target(&mut group, &runtime, &desk, "Grist, imitated", sink.into());
    group.finish();
}

/// What needs no target.
fn pure(group: &mut BenchmarkGroup<'_, WallTime>, desk: &Desk) {
    let dossiers = desk.decode();
    group.bench_function("decode, convert", |bencher| bencher.iter(|| desk.decode()));
    group.bench_function("filter, map", |bencher| {
        bencher.iter_batched(|| dossiers.clone(), |page| desk.map(page), BatchSize::PerIteration);
    });
    let observed = desk::present(desk.map(dossiers.clone()));
    let held = desk::held(&observed);
    for (name, known) in [("plan, all new", Known::new()), ("plan, nothing changed", held)] {
        group.bench_function(name, |bencher| {
            bencher.iter_batched(|| observed.clone(), |page| plan(&known, page), BatchSize::PerIteration);
        });
    }
}

/// What a target does for a page of new dossiers: every commit finds those before it, as in a first run.
fn target(group: &mut BenchmarkGroup<'_, WallTime>, runtime: &Runtime, desk: &Desk, name: &str, sink: AnySink) {
    let vault = runtime.block_on(Vault::new(desk, sink)).expect("prepared tables");
    group.bench_function(format!("commit to {name}"), |bencher| {
        bencher.iter_batched(
            || vault.new_page(desk),
            |page| {
                runtime.block_on(vault.commit(&page)).expect("a commit");
                page
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function(format!("look up in {name}"), |bencher| {
        bencher.iter_batched(
            || vault.new_page(desk),
            |page| {
                let known = runtime.block_on(vault.look_up(&page)).expect("an answer");
                (page, known)
            },
            BatchSize::PerIteration,
        );
    });
    runtime.block_on(vault.close()).expect("a clean end");
}

async fn sqlite(folder: &Path) -> AnySink {
    SqliteSink::open(folder.join("dossiers.db")).await.expect("a new file").into()
}
