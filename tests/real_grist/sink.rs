//! The contract of targets, each part of it in a document of its own.

use demarche_numerique::grist::Access;
use demarche_numerique::sink::GristSink;

use super::client;
use crate::contracts::sink::check;

#[tokio::test]
async fn the_contract_holds() {
    let Some(client) = client() else { return };
    let folders = client.workspaces("current").await.expect("folders");
    let folder = folders.iter().find(|folder| folder.access > Access::Viewer).expect("a folder to write to").id;
    check(async |part| {
        println!("{part}");
        let id = client.create_doc(folder, &format!("dn: {part}")).await.expect("a new document");
        GristSink::of(client.doc(id)).open().await.expect("a document")
    })
    .await;
}
