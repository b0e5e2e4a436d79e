//! What a first load, an unchanged run and one changed dossier cost a Grist document, in requests and bytes, against the
//! imitation of Grist: `cargo bench --bench grist_load [-- --dossiers 1000]`. Counts do not depend on the machine.

use std::error::Error;
use std::time::Duration;

use demarche_numerique::api::RateLimiter;
use demarche_numerique::grist::DocId;
use demarche_numerique::privacy::{Filter, Policy};
use demarche_numerique::sandbox::grist::Grist;
use demarche_numerique::sandbox::{DEMARCHE_LARGE, Sandbox, WorldSpec};
use demarche_numerique::sink::{GristSink, Scope};
use demarche_numerique::sync::{self, Job, Settings, Stop};
use demarche_numerique::{Client, DemarcheNumber, Platform};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let dossiers: u32 = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] if !std::env::args().any(|argument| argument == "--bench") => return Ok(()),
        [] => 1_000,
        ["--dossiers", count] => count.parse()?,
        _ => return Err("usage: cargo bench --bench grist_load [-- --dossiers NUMBER]".into()),
    };
    let sandbox = Sandbox::new(&WorldSpec::new(Platform::DemarcheNumerique).only(&[DEMARCHE_LARGE]).dossiers(dossiers));
    let platform = sandbox.serve_locally().await?;
    let limiter = RateLimiter::new(u32::MAX, Duration::from_secs(1));
    let client = Client::builder(Platform::DemarcheNumerique).url(platform.url()).token(sandbox.token());
    let client = client.limiter(limiter).build()?;
    let grist = Grist::new();
    let server = grist.serve_locally().await?;
    let document = DocId::parse(&grist.create_document("Mesure"))?;
    let there = demarche_numerique::grist::Client::builder(server.url()).key(Grist::OWNER).build()?;
    let filter = Filter::new(Policy::default(), None)?;
    println!("{dossiers} dossiers of 30 champs into an empty document\n");
    println!("{:<22} {:>9} {:>7} {:>14} {:>14}", "run", "requests", "writes", "bytes sent", "bytes read");
    for name in ["first load", "nothing changed", "one changed dossier"] {
        if name == "one changed dossier" {
            let numbers = sandbox.world().numbers(DEMARCHE_LARGE);
            let mut world = sandbox.world();
            numbers.into_iter().find(|number| world.archiver(*number).is_ok()).ok_or("no dossier can be archived")?;
        }
        grist.reset_log();
        let sink = GristSink::of(there.doc(document.clone())).open().await?;
        let clock = sandbox.clone();
        let run = sync::run(&Job {
            client: &client,
            sink: &sink,
            scope: Scope { instance: "mesure".to_owned(), demarche: DemarcheNumber::new(DEMARCHE_LARGE) },
            filter: &filter,
            settings: Settings::default(),
            events: &|_| {},
            stop: Stop::default(),
            clock: &move || clock.now(),
        })
        .await;
        if let Some(error) = run.error {
            return Err(error.into());
        }
        sink.close().await?;
        let routes = grist.count_by_route();
        let sum = |of: fn(&demarche_numerique::sandbox::grist::Count) -> u64| routes.values().map(of).sum::<u64>();
        let (requests, writes) = (sum(|c| c.requests as u64), sum(|c| c.writes as u64));
        let (sent, read) = (sum(|c| c.received as u64), sum(|c| c.sent as u64));
        println!("{name:<22} {requests:>9} {writes:>7} {sent:>14} {read:>14}");
    }
    Ok(())
}
