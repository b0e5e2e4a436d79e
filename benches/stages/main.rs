//! One page of 100 dossiers through each stage: `cargo bench --bench stages`. See `docs/performance.md`.

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod page;
#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/support/postgres.rs"]
mod postgres;
mod prepared;
#[allow(dead_code, reason = "whole runs use the rest")]
#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use demarche_numerique::plan::{Known, plan};
use demarche_numerique::sandbox::grist::Grist;
use demarche_numerique::sink::postgres::Options;
use demarche_numerique::sink::{AnySink, GristSink, PostgresSink, SqliteSink};
use grist_client::DocId;
use tokio::runtime::Runtime;

use page::{PAGE, RecordedPage};
use postgres::{Database, OwnServer};
use prepared::PreparedTarget;

/// As in `dn`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

criterion_group!(benches, stages);
criterion_main!(benches);

fn stages(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let recorded = runtime.block_on(RecordedPage::new()).expect("a page of the sandbox");
    let mut group = criterion.benchmark_group("page");
    group.throughput(Throughput::Elements(u64::from(PAGE))).sampling_mode(SamplingMode::Flat).sample_size(15);
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_millis(1500));
    pure(&mut group, &recorded);

    let folder = tempfile::tempdir().expect("a folder");
    let file = runtime.block_on(sqlite(folder.path()));
    target(&mut group, &runtime, &recorded, "SQLite, a file", file);
    // The same file where nothing is ever flushed to a disk.
    match tempfile::tempdir_in("/dev/shm") {
        Ok(memory) => {
            let sink = runtime.block_on(sqlite(memory.path()));
            target(&mut group, &runtime, &recorded, "SQLite, in memory", sink);
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
            target(&mut group, &runtime, &recorded, "PostgreSQL", sink.into());
        }
        None => eprintln!("PostgreSQL is left out: its programs are not here (apt-get install postgresql)"),
    }
    let grist = Grist::new();
    let server = runtime.block_on(grist.serve_locally()).expect("a free port");
    let document = DocId::parse(&grist.create_document("Mesure")).expect("an id");
    let client = grist_client::Client::builder(server.url()).key(Grist::OWNER).build().expect("a client");
    let sink = runtime.block_on(GristSink::of(client.doc(document)).open()).expect("an empty document");
    target(&mut group, &runtime, &recorded, "Grist, imitated", sink.into());
    group.finish();
}

/// Measures the stages without a target.
fn pure(group: &mut BenchmarkGroup<'_, WallTime>, recorded: &RecordedPage) {
    let dossiers = recorded.decode();
    group.bench_function("decode, convert", |bencher| bencher.iter(|| recorded.decode()));
    group.bench_function("filter, map", |bencher| {
        bencher.iter_batched(|| dossiers.clone(), |page| recorded.map(page), BatchSize::PerIteration);
    });
    let observed = page::present(recorded.map(dossiers.clone()));
    let held = page::held(&observed);
    for (name, known) in [("plan, all new", Known::new()), ("plan, nothing changed", held)] {
        group.bench_function(name, |bencher| {
            bencher.iter_batched(|| observed.clone(), |page| plan(&known, page), BatchSize::PerIteration);
        });
    }
}

/// Measures the commit and the look-up of a page of new dossiers: each commit finds the earlier ones, as in a first run.
fn target(
    group: &mut BenchmarkGroup<'_, WallTime>,
    runtime: &Runtime,
    recorded: &RecordedPage,
    name: &str,
    sink: AnySink,
) {
    let prepared = runtime.block_on(PreparedTarget::new(recorded, sink)).expect("prepared tables");
    group.bench_function(format!("commit to {name}"), |bencher| {
        bencher.iter_batched(
            || prepared.new_page(recorded),
            |page| {
                runtime.block_on(prepared.commit(&page)).expect("a commit");
                page
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function(format!("look up in {name}"), |bencher| {
        bencher.iter_batched(
            || prepared.new_page(recorded),
            |page| {
                let known = runtime.block_on(prepared.look_up(&page)).expect("an answer");
                (page, known)
            },
            BatchSize::PerIteration,
        );
    });
    runtime.block_on(prepared.close()).expect("a clean end");
}

async fn sqlite(folder: &Path) -> AnySink {
    SqliteSink::open(folder.join("dossiers.db")).await.expect("a new file").into()
}
