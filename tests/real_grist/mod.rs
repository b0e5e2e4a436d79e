//! The contract on a real Grist, when `GRIST_URL` and `GRIST_API_KEY` name one. Every part of it makes a document of its
//! own in the folder `GRIST_WORKSPACE` (its number; by default the first one where the key may write).

use std::env;

use demarche_numerique::grist::{Access, Client, Doc};
use demarche_numerique::sink::GristSink;

use crate::contracts::sink::check;

/// The instance to test on.
struct Real {
    client: Client,
    workspace: i64,
}

impl Real {
    /// `None`, and a line that says so, without an instance.
    async fn named() -> Option<Self> {
        let (Ok(url), Ok(key)) = (env::var("GRIST_URL"), env::var("GRIST_API_KEY")) else {
            println!("no real Grist: set GRIST_URL and GRIST_API_KEY to test on one");
            return None;
        };
        let client = Client::builder(url).key(key).build().expect("a client");
        let workspace = match env::var("GRIST_WORKSPACE") {
            Ok(number) => number.parse().expect("GRIST_WORKSPACE is a number"),
            Err(_) => {
                let folders = client.workspaces("current").await.expect("folders");
                folders.iter().find(|folder| folder.access > Access::Viewer).expect("a folder to write in").id
            }
        };
        Some(Self { client, workspace })
    }

    async fn doc(&self, name: &str) -> Doc {
        self.client.doc(self.client.create_doc(self.workspace, name).await.expect("a document"))
    }
}

#[tokio::test]
async fn the_contract_holds_on_a_real_grist() {
    let Some(real) = Real::named().await else { return };
    check(async |part| {
        println!("{part}");
        GristSink::of(real.doc(part).await).open().await.expect("a document")
    })
    .await;
}
