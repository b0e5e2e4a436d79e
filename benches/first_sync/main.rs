//! What a first sync costs: `cargo bench --bench first_sync [-- --dossiers 100000]`. See `docs/performance.md`.
//!
//! Four processes of this one binary, so that each is measured alone: one lets the sandbox answer the requests of real
//! runs and keeps the answers in a temporary folder, one serves what was kept, one is a run that is measured, and this
//! one starts them and prints.

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/support/postgres.rs"]
mod postgres;
mod process;
mod record;
mod replay;
mod run;
mod stages;
mod table;

use std::error::Error;
use std::path::Path;

use demarche_numerique::ids::DemarcheNumber;
use demarche_numerique::sandbox::DEMARCHE_LARGE;
use demarche_numerique::sink::Scope;

/// As in `dn`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Anyhow<T> = Result<T, Box<dyn Error>>;

/// How many dossiers, unless said otherwise.
const DOSSIERS: u32 = 20_000;

/// How many champs each of them has.
const CHAMPS: u32 = 30;

/// The démarche of the whole size, and the one of a quarter of it.
const LARGE: u32 = DEMARCHE_LARGE;
const QUARTER: u32 = DEMARCHE_LARGE + 1;

fn main() -> Anyhow<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] if !std::env::args().any(|argument| argument == "--bench") => {
            println!("nothing is measured without optimisations: cargo bench --bench first_sync");
            Ok(())
        }
        [] => all(DOSSIERS),
        ["--dossiers", count] => all(count.parse()?),
        [record::NAME, folder, count] => record::record(Path::new(folder), count.parse()?),
        [replay::NAME, folder] => replay::serve(Path::new(folder)),
        [run::NAME, url, folder, number] => run::measure(url, Path::new(folder), number.parse()?),
        [run::POSTGRES, url, database, number] => run::measure_postgres(url, database, number.parse()?),
        [stages::NAME, url, folder, pages] => stages::measure(url, Path::new(pages), Path::new(folder)),
        _ => Err("usage: cargo bench --bench first_sync [-- --dossiers NUMBER]".into()),
    }
}

/// Everything, in order.
fn all(dossiers: u32) -> Anyhow<()> {
    let folder = tempfile::tempdir()?;
    let pages = folder.path().join("pages");
    std::fs::create_dir(&pages)?;
    let text = |path: &Path| path.to_str().map(str::to_owned).ok_or("the temporary folder has a name that is no text");
    let (pages, place) = (text(&pages)?, text(folder.path())?);
    eprintln!("the sandbox answers for {} dossiers of {CHAMPS} champs; this takes a while", dossiers + dossiers / 4);
    process::answer::<()>(&[record::NAME, &pages, &dossiers.to_string()])?;
    let server = process::Server::start(&[replay::NAME, &pages])?;
    eprintln!("runs of a quarter and of the whole");
    let quarter = process::answer(&[run::NAME, server.url(), &place, &QUARTER.to_string()])?;
    let whole = process::answer(&[run::NAME, server.url(), &place, &LARGE.to_string()])?;
    let beside = beside(server.url())?;
    eprintln!("stage by stage");
    let stages = process::answer(&[stages::NAME, server.url(), &place, &pages])?;
    print!("{}{}", table::render(&quarter, &whole, &stages), table::beside(&whole, &beside));
    server.stop()
}

/// Runs of the whole into PostgreSQL and into SQLite in turn, three of each: the dossiers and the milliseconds.
fn beside(url: &str) -> Anyhow<Beside> {
    let cluster = postgres::OwnServer::start(true);
    let runtime = tokio::runtime::Runtime::new()?;
    let (mut postgres, mut sqlite) = (Vec::new(), Vec::new());
    for round in 0..3 {
        eprintln!("PostgreSQL and SQLite, round {}", round + 1);
        let database = runtime.block_on(postgres::Database::on(&cluster.url));
        let (_, milliseconds): (u64, f64) =
            process::answer(&[run::POSTGRES, url, &database.url(), &LARGE.to_string()])?;
        postgres.push(milliseconds);
        let folder = tempfile::tempdir()?;
        let place = folder.path().to_str().ok_or("the temporary folder has a name that is no text")?;
        let measure: run::Measure = process::answer(&[run::NAME, url, place, &LARGE.to_string()])?;
        sqlite.push(measure.wall_ms);
    }
    Ok(Beside { postgres, sqlite })
}

/// The milliseconds of first loads of the whole.
struct Beside {
    postgres: Vec<f64>,
    sqlite: Vec<f64>,
}

/// Which dossiers.
fn scope(demarche: u32) -> Scope {
    Scope { instance: "bench".to_owned(), demarche: DemarcheNumber::new(demarche) }
}
