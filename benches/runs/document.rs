//! Serves an imitation of Grist with one empty document, in its own process.

use demarche_numerique::sandbox::grist::Grist;
use demarche_numerique::sink::GristSink;
use grist_client::{Client, DocId};

use super::process::{Traffic, tell};
use super::support::Anyhow;

pub const NAME: &str = "document";

/// Serves until the input ends. The place that it says is the instance and the document.
#[tokio::main]
pub async fn serve() -> Anyhow<()> {
    let grist = Grist::new();
    let server = grist.serve_locally().await?;
    println!("{} {}", server.url(), grist.create_document("Mesure"));
    tell(|| {
        let count = grist.count();
        grist.reset_log();
        Traffic {
            requests: count.requests as u64,
            writes: count.writes as u64,
            sent: count.received as u64,
            received: count.sent as u64,
        }
    })
    .await
}

/// Opens the document at such a place.
pub async fn open(place: &str) -> Anyhow<GristSink> {
    let (url, document) = place.split_once(' ').ok_or("no document")?;
    let client = Client::builder(url).key(Grist::OWNER).build()?;
    Ok(GristSink::of(client.doc(DocId::parse(document)?)).open().await?)
}
