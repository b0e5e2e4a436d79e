//! Adds rows to a table of a document, updates them by key, and reads them back with SQL.
//!
//! Runs against an imitation of Grist in this process. Against a real instance, replace the address by that of your document and the key by
//! `std::env::var("GRIST_API_KEY")?`.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use demarche_sandbox::grist::Grist;
use grist_client::{Action, Client, DocId, OnMany, Repeat};
use serde_json::{Map, Value, json};

fn rows(values: &[Value]) -> Vec<Map<String, Value>> {
    values.iter().filter_map(|value| value.as_object().cloned()).collect()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let grist = Grist::new();
    let id = grist.create_document("Suivi");
    grist.person(&id).add_table("Aides", &[("cle", "Text"), ("montant", "Int")]);
    let server = grist.serve(([127, 0, 0, 1], 0).into()).await?;

    let client = Client::builder(server.url()).key(Grist::OWNER).build()?;
    let doc = client.doc(DocId::parse(&id)?);

    // `Repeat::Safe`: an upsert that arrives twice leaves the same rows, so the client may send it again after a lost answer.
    let first = rows(&[json!({ "cle": "A-1", "montant": 12 }), json!({ "cle": "A-2", "montant": 0 })]);
    doc.apply(&Action::upserts("Aides", &["cle"], first, OnMany::First)?, Repeat::Safe).await?;
    let second = rows(&[json!({ "cle": "A-2", "montant": 30 })]);
    doc.apply(&Action::upserts("Aides", &["cle"], second, OnMany::First)?, Repeat::Safe).await?;

    for row in doc.sql("SELECT cle, montant FROM Aides WHERE montant >= ? ORDER BY cle", &[json!(10)]).await? {
        println!("{}", Value::Object(row.into_iter().collect()));
    }
    Ok(())
}
