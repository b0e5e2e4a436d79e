//! Runs against a real Grist, on demand: `DN_REAL_GRIST=1` with `GRIST_URL` and `GRIST_API_KEY`, the key of an account that may
//! create documents. Each test creates its own document, named `dn: …`, and leaves it there. The address and the key alone are
//! not enough: an operator has them in the environment, and no test may write to a production instance by accident. The
//! traps of `grist_traps` run there too, under a module of this name.

mod client;
mod decisions;
mod sink;

use std::time::Duration;

use grist_client::{Access, Client, Doc, DocId};

/// The address and the key of the real instance; `None`, and a line that says so, where none is named.
pub fn named() -> Option<(String, String)> {
    let wanted = std::env::var("DN_REAL_GRIST").is_ok_and(|wanted| wanted == "1");
    let named = |name: &str| std::env::var(name).ok().filter(|value| wanted && !value.is_empty());
    let (Some(url), Some(key)) = (named("GRIST_URL"), named("GRIST_API_KEY")) else {
        println!("skipped: no real Grist is named (DN_REAL_GRIST=1, GRIST_URL, GRIST_API_KEY)");
        return None;
    };
    Some((url, key))
}

/// A client of the real instance.
fn client() -> Option<Client> {
    let (url, key) = named()?;
    let builder = Client::builder(url).key(key).retry_base(Duration::from_millis(50));
    Some(builder.build().expect("the named instance is an address"))
}

/// A new document in the first folder to write to: the folder and the document.
pub async fn make(client: &Client, name: &str) -> (i64, DocId) {
    let folders = client.workspaces("current").await.expect("folders");
    let folder = folders.iter().find(|folder| folder.access > Access::Viewer).expect("a folder to write to").id;
    (folder, client.create_doc(folder, &format!("dn: {name}")).await.expect("a new document"))
}

/// A new document of the real instance, and its client.
async fn document(name: &str) -> Option<(Client, Doc)> {
    let client = client()?;
    let (_, id) = make(&client, name).await;
    let doc = client.doc(id);
    Some((client, doc))
}
