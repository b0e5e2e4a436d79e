//! A mock platform that answers as a test says.

use std::time::Duration;

use demarche_numerique::api::{Client, Listing, ListingSource, Since};
use demarche_numerique::ids::DemarcheNumber;
use demarche_numerique::platform::Platform;
use serde_json::{Value, json};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// The token of every test. It must never be seen again.
pub const TOKEN: &str = "c2VjcmV0LW9mLXRlc3Rz";

/// A client of a server, with waits cut a thousand times.
pub fn client(platform: Platform, server: &MockServer) -> Client {
    Client::builder(platform)
        .token(TOKEN)
        .url(format!("{}/api/v2/graphql", server.uri()))
        .retry_base(Duration::from_micros(500))
        .build()
        .expect("the settings are right")
}

/// A server that answers everything the same way, and a client of it.
pub async fn answering(template: ResponseTemplate) -> (MockServer, Client) {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(template).mount(&server).await;
    let client = client(Platform::DemarcheNumerique, &server);
    (server, client)
}

/// A JSON answer with status 200.
pub fn json_answer(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

/// The démarche of every test.
pub const DEMARCHE: DemarcheNumber = DemarcheNumber::new(1234);

/// Everything of the démarche.
pub fn everything() -> Listing {
    Listing::all(ListingSource::Demarche(DEMARCHE), Since::Beginning)
}

/// A dossier as the platform sends it, with these champs.
pub fn dossier(number: u32, champs: Value) -> Value {
    json!({
        "id": format!("Dossier-{number}"),
        "number": number,
        "state": "en_construction",
        "archived": false,
        "dateDepot": "2026-01-10T09:00:00+01:00",
        "datePassageEnConstruction": "2026-01-10T09:00:00+01:00",
        "datePassageEnInstruction": null,
        "dateTraitement": null,
        "dateDerniereModification": "2026-01-15T14:52:35+01:00",
        "dateExpiration": null,
        "motivation": null,
        "connectionUsager": "password",
        "demarche": { "revision": { "id": "Revision-1" } },
        "usager": { "id": "User-1", "email": "usager@example.org" },
        "demandeur": { "__typename": "PersonnePhysique", "civilite": "Mme", "nom": "Exemple", "prenom": "Zoé" },
        "groupeInstructeur": { "id": "Groupe-1", "number": 1, "label": "défaut", "closed": false },
        "instructeurs": [], "labels": [], "traitements": [], "avis": [], "messages": [],
        "champs": champs,
        "annotations": []
    })
}

/// A page as the platform sends it, with these nodes and errors.
pub fn page(nodes: Vec<Value>, errors: Value) -> Value {
    let mut answer = json!({ "data": { "demarche": { "dossiers": {
        "pageInfo": { "hasNextPage": !nodes.is_empty(), "endCursor": "MjAyNi0wMS0xNVQxNDo1MjozNS4xMjM0NTYwMDBaOzEyMzQ" },
        "nodes": nodes,
    } } } });
    if !errors.is_null() {
        answer["errors"] = errors;
    }
    answer
}
