//! The same pages through one stage more each time.

use std::fs::remove_file;
use std::path::Path;

use bytes::Bytes;
use demarche_numerique::api::{Listing, RateLimiter, Since, Source, replay_dossiers};
use demarche_numerique::dossier::Dossier;
use demarche_numerique::plan::{Observation, plan, reconcile};
use demarche_numerique::privacy::{Filter, FormTypes, Policy};
use demarche_numerique::sandbox::WorldSpec;
use demarche_numerique::sink::{Batch, Checkpoint, Prepared, Sink as _, SqliteSink};
use demarche_numerique::table::naming::NameLimits;
use demarche_numerique::table::{Digest, Mapper, Row, infer};
use demarche_numerique::{Client, Demarche, DemarcheNumber, Platform};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::process::Cpu;
use super::{Anyhow, LARGE, replay, scope};

pub const NAME: &str = "stages";

/// Enough pages for a steady figure, few enough to be held in memory.
const PAGES: usize = 200;

/// The least of so many rounds counts: what else the machine does can only add.
const ROUNDS: usize = 3;

/// The CPU of all pages up to and with each stage, in milliseconds.
#[derive(Debug, Serialize, Deserialize)]
pub struct Stages {
    pub dossiers: u64,
    pub bytes: u64,
    pub fetch: f64,
    pub decode: f64,
    pub map: f64,
    pub plan: f64,
    pub commit: f64,
}

#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Until {
    Decode,
    Map,
    Plan,
    Commit,
}

/// A page that was kept.
struct Kept {
    request: Bytes,
    answer: Bytes,
}

/// What every stage needs, made once.
struct Desk {
    demarche: Demarche,
    types: FormTypes,
    filter: Filter,
    listing: Listing,
}

/// Each stage over all pages, some rounds.
#[tokio::main]
pub async fn measure(url: &str, pages: &Path, folder: &Path) -> Anyhow<()> {
    let pages = listed(pages)?;
    let desk = Desk::new(url).await?;
    let bytes = pages.iter().map(|page| page.answer.len() as u64).sum();
    let mut least = [f64::MAX; 5];
    let mut dossiers = 0;
    for _ in 0..ROUNDS {
        let mut costs = vec![fetch(url, &pages).await?];
        for until in [Until::Decode, Until::Map, Until::Plan, Until::Commit] {
            let (cost, count) = desk.through(&pages, until, &folder.join("stages.db")).await?;
            costs.push(cost);
            dossiers = count;
        }
        least.iter_mut().zip(costs).for_each(|(least, cost)| *least = least.min(cost));
    }
    let [fetch, decode, map, plan, commit] = least;
    println!("{}", serde_json::to_string(&Stages { dossiers, bytes, fetch, decode, map, plan, commit })?);
    Ok(())
}

/// The pages of the first run, in order.
fn listed(folder: &Path) -> Anyhow<Vec<Kept>> {
    let mut pages = Vec::new();
    for (request, answer) in replay::kept(folder)? {
        let asked: Value = serde_json::from_slice(&request)?;
        let variables = &asked["variables"];
        let since_ever = variables["updatedSince"].as_str().is_some_and(|since| since.starts_with("1970"));
        if asked["operationName"] == "ListDossiers" && variables["number"] == LARGE && since_ever {
            pages.push(Kept { request: request.into(), answer: std::fs::read(answer)?.into() });
        }
        if pages.len() == PAGES {
            break;
        }
    }
    Ok(pages)
}

/// The first floor: asks for the pages and throws them away.
async fn fetch(url: &str, pages: &[Kept]) -> Anyhow<f64> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let tls = tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
    let http = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build()?;
    let before = Cpu::now()?;
    for page in pages {
        let mut answer = http.post(url).body(page.request.clone()).send().await?.error_for_status()?;
        let mut length = 0;
        while let Some(chunk) = answer.chunk().await? {
            length += chunk.len();
        }
        assert_eq!(length, page.answer.len(), "an answer comes back as it was kept");
    }
    Ok(Cpu::now()?.since(before).total())
}

impl Desk {
    async fn new(url: &str) -> Anyhow<Self> {
        let client = Client::builder(Platform::DemarcheNumerique).url(url).token("replayed".to_owned());
        let number = DemarcheNumber::new(LARGE);
        let demarche = client.limiter(RateLimiter::default()).build()?.demarche(number).await?;
        let types = FormTypes::of(&demarche);
        let listing = Listing::all(Source::Demarche(number), Since::Beginning);
        Ok(Self { demarche, types, filter: Filter::new(Policy::default(), None)?, listing })
    }

    /// What it costs to bring all pages that far, and how many dossiers they hold.
    async fn through(&self, pages: &[Kept], until: Until, path: &Path) -> Anyhow<(f64, u64)> {
        let sink = SqliteSink::open(path).await?;
        let prepared = self.prepare(&sink).await?;
        let mapper = Mapper::new(prepared.layout());
        let mut count = 0;
        let before = Cpu::now()?;
        for page in pages {
            let page = replay_dossiers(Platform::DemarcheNumerique, &self.listing, &page.answer)?;
            count += page.nodes.len() as u64;
            if until < Until::Map {
                continue;
            }
            let rows: Vec<Row> = page.nodes.into_iter().map(|dossier| self.row(&mapper, dossier)).collect();
            if until >= Until::Plan {
                write(&sink, &prepared, rows, until).await?;
            }
        }
        let cost = Cpu::now()?.since(before).total();
        sink.close().await?;
        remove_file(path)?;
        Ok((cost, count))
    }

    fn row(&self, mapper: &Mapper, mut dossier: Dossier) -> Row {
        let light = Digest::of_light(&dossier.light());
        self.filter.apply(&mut dossier, &self.types);
        mapper.row(dossier, light).row
    }

    async fn prepare(&self, sink: &SqliteSink) -> Anyhow<Prepared> {
        let mut spec = infer(&self.demarche);
        self.filter.policy().adjust(&mut spec, &self.types);
        let scope = scope(LARGE);
        let plan = reconcile(&spec, &sink.schema(&scope).await?, NameLimits::default());
        Ok(sink.prepare(&scope, &self.demarche, plan).await?)
    }
}

/// Compares with what is there, and writes it if that is asked for.
async fn write(sink: &SqliteSink, prepared: &Prepared, rows: Vec<Row>, until: Until) -> Anyhow<()> {
    let keys: Vec<_> = rows.iter().map(|row| row.number).collect();
    let watermark = rows.last().map(|row| row.updated_at);
    let known = sink.known(prepared.scope(), &keys).await?;
    let plan = plan(&known, rows.into_iter().map(|row| Observation::Present(Box::new(row))).collect());
    if until == Until::Commit {
        let seen_at = WorldSpec::default().start;
        let checkpoint = Checkpoint { watermark, ..Checkpoint::default() };
        sink.commit(prepared, &Batch { run: "bench".to_owned(), seen_at, plan, checkpoint, quarantine: Vec::new() })
            .await?;
    }
    Ok(())
}
