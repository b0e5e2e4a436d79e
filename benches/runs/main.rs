//! Whole runs: `cargo bench --bench runs [-- 1000 10000]`. See `docs/performance.md`.
//!
//! Starts processes of this binary, so that each is measured alone: some record the answers of the sandbox to real runs in a
//! temporary folder, one replays them, one imitates Grist, and each measured run has its own.

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod aims;
mod document;
#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/support/postgres.rs"]
mod postgres;
mod process;
mod record;
mod replay;
mod results;
mod run;
mod run_kind;
mod size;
#[path = "../support/mod.rs"]
mod support;
mod table;
mod target;

use std::path::Path;
use std::time::Instant;

use process::Server;
use results::Results;
use size::Size;
use support::Anyhow;
use target::{Servers, Target, text};

/// As in `dn`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Anyhow<()> {
    let (flags, arguments): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|argument| argument == "--bench");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [record::NAME, folder, number, dossiers] => {
            record::record(Path::new(folder), number.parse()?, dossiers.parse()?)
        }
        [replay::NAME, folder] => replay::serve(Path::new(folder)),
        [document::NAME] => document::serve(),
        [run::NAME, target, place, url, number] => run::measure(target.parse()?, place, url, number.parse()?),
        _ if flags.is_empty() => {
            println!("nothing is measured without optimisations: cargo bench --bench runs");
            Ok(())
        }
        _ => all(&size::chosen(&arguments)?),
    }
}

/// Everything, in order.
fn all(sizes: &[Size]) -> Anyhow<()> {
    let (begun, load) = (Instant::now(), process::load()?);
    let folder = tempfile::tempdir()?;
    let dossiers: u32 = sizes.iter().map(|size| size.dossiers).sum();
    eprintln!("the sandbox answers for {dossiers} dossiers; this takes about a minute for a hundred thousand");
    let place = |size: &Size| folder.path().join(size.demarche.to_string());
    let recorders = sizes.iter().map(|size| {
        let (number, dossiers) = (size.demarche.to_string(), size.dossiers.to_string());
        process::start(&[record::NAME, text(&place(size))?, &number, &dossiers])
    });
    for recorder in recorders.collect::<Anyhow<Vec<_>>>()? {
        process::end::<()>(recorder)?;
    }
    let mut replay = Server::start(&[replay::NAME, text(folder.path())?])?;
    let servers = Servers::start()?;
    let mut results = Results::default();
    for size in sizes {
        for round in 1..=size.rounds {
            eprintln!("{}, round {round} of {}", size.title(), size.rounds);
            for target in size.targets {
                runs(size, *target, &servers, &place(size), &mut replay, &mut results)?;
            }
        }
    }
    print!("{}", table::render(sizes, &results));
    print!("{}", aims::render(sizes, &results));
    let cores = std::thread::available_parallelism()?;
    let seconds = begun.elapsed().as_secs();
    println!("\n{cores} cores; load {load} at the beginning, {} at the end; {seconds} s in all", process::load()?);
    Ok(())
}

/// The runs of one size into an empty target, one after the other.
fn runs(
    size: &Size,
    target: Target,
    servers: &Servers,
    pages: &Path,
    replay: &mut Server,
    results: &mut Results,
) -> Anyhow<()> {
    let Some(mut place) = servers.place(target, pages)? else { return Ok(()) };
    for kind in size.kinds {
        let url = replay::address(replay.place(), *kind, size.wait);
        let child = [run::NAME, &target.to_string(), &place.address(*kind)?, &url, &size.demarche.to_string()]
            .map(str::to_owned);
        let measure = process::end(process::start(&child.each_ref().map(String::as_str))?)?;
        results.add((size.demarche, *kind, target), measure, replay.traffic()?, place.traffic()?);
    }
    Ok(())
}
