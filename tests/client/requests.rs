//! Requests as they are sent: headers, bodies, documents.

use std::path::Path;

use apollo_compiler::{ExecutableDocument, Schema};
use demarche_numerique::api::{Client, Listing, ListingSource, PageSize, SchemaFacts, Since};
use demarche_numerique::dossier::DossierState;
use demarche_numerique::ids::{DossierNumber, GroupeInstructeurNumber, RevisionId};
use demarche_numerique::platform::Platform;
use serde_json::{Value, json};
use wiremock::matchers::{body_partial_json, method};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::support::{DEMARCHE, TOKEN, client, json_answer};

/// Sends every operation of a platform to a server that refuses them all, and gives what it received.
async fn everything_sent(platform: Platform) -> Vec<Request> {
    let server = MockServer::start().await;
    let refused =
        json!({ "data": null, "errors": [{ "message": "not found", "extensions": { "code": "not_found" } }] });
    Mock::given(method("POST")).respond_with(json_answer(&refused)).mount(&server).await;
    let client = client(platform, &server);
    let mut filtered = Listing::all(ListingSource::Demarche(DEMARCHE), Since::Updated(jiff::Timestamp::UNIX_EPOCH));
    filtered.state = Some(DossierState::EnInstruction);
    filtered.archived = Some(false);
    filtered.min_revision = Some(RevisionId::new("Revision-1"));
    let groupe = Listing::all(
        ListingSource::Groupe(GroupeInstructeurNumber::new(7)),
        Since::Created(jiff::Timestamp::UNIX_EPOCH),
    );
    for listing in [&filtered, &groupe] {
        assert!(client.dossiers_page(listing, None, PageSize::ONE).await.is_err());
        assert!(client.light_page(listing, None, PageSize::MAX).await.is_err());
    }
    assert!(client.dossier(DossierNumber::new(5)).await.is_ok());
    assert!(client.demarche(DEMARCHE).await.is_err());
    assert!(client.head(DEMARCHE).await.is_err());
    assert!(client.news(DEMARCHE, Some(jiff::Timestamp::UNIX_EPOCH)).await.is_err());
    assert!(client.pending_deleted_page(DEMARCHE, None).await.is_err());
    assert!(client.deleted_page(DEMARCHE, None, None).await.is_err());
    assert!(client.groupe_instructeur(GroupeInstructeurNumber::new(7)).await.is_err());
    assert!(client.demarche_descriptor(DEMARCHE).await.is_err());
    server.received_requests().await.expect("requests are recorded")
}

#[tokio::test]
async fn every_request_has_the_same_pinned_headers() {
    for platform in Platform::ALL {
        for request in everything_sent(platform).await {
            let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
            assert_eq!(header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
            assert_eq!(header("accept-language"), Some("fr"), "texts do not follow the machine's language");
            assert_eq!(header("content-type"), Some("application/json"));
            assert!(header("user-agent").is_some_and(|agent| agent.starts_with("dn/")));
        }
    }
}

#[tokio::test]
async fn every_operation_and_its_variables_fit_the_schema() {
    for platform in Platform::ALL {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("graphql").join(platform.as_str()).join("schema.graphql");
        let sdl = std::fs::read_to_string(&path).expect("the schema is there");
        let schema = Schema::parse_and_validate(sdl, &path).expect("the schema is valid");
        let sent = everything_sent(platform).await;
        assert_eq!(sent.len(), 12);
        for request in sent {
            let body: Value = request.body_json().expect("a JSON body");
            let name = body["operationName"].as_str().expect("a name");
            let query = body["query"].as_str().expect("a query");
            let document = ExecutableDocument::parse_and_validate(&schema, query, "query").expect("a valid document");
            let operation = document.operations.get(Some(name)).expect("the named operation is in the document");
            let variables = body["variables"].as_object().expect("an object of variables").clone();
            for (key, value) in &variables {
                assert!(operation.variables.iter().any(|v| v.name == key.as_str()), "{name} has no variable {key}");
                assert!(!value.is_null(), "{name} sends a null {key}");
            }
            for variable in operation.variables.iter().filter(|v| v.ty.is_non_null()) {
                assert!(variables.contains_key(variable.name.as_str()), "{name} lacks {}", variable.name);
            }
            let both = variables.contains_key("updatedSince") && variables.contains_key("createdSince");
            assert!(!both, "the platform would ignore one of them");
        }
    }
}

#[tokio::test]
async fn the_one_of_input_has_exactly_one_key() {
    for platform in Platform::ALL {
        let sent = everything_sent(platform).await;
        let body: Value = sent.last().expect("a request").body_json().expect("a JSON body");
        assert_eq!(body["variables"], json!({ "demarche": { "number": 1234 } }), "{platform}");
    }
}

#[test]
fn no_document_asks_for_what_harms_or_is_not_kept() {
    for platform in Platform::ALL {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("graphql").join(platform.as_str());
        for file in ["dossiers", "demarche", "suppressions", "mutations"] {
            let text = std::fs::read_to_string(folder.join(format!("{file}.graphql"))).expect("the document is there");
            let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
            for word in ["edges", "DESC", "last", "before", "order", "pdf", "geojson", "byteSizeInt"] {
                assert!(!words.contains(&word), "{platform} {file}: `{word}`");
            }
            assert!(!text.contains("closed:"), "{platform} {file}: the argument `closed` breaks the server");
            assert!(!text.contains("@include") && !text.contains("@skip"), "{platform} {file}: conditional fields");
        }
    }
}

/// A public form, as both ways of asking answer it.
fn form() -> Value {
    json!({ "data": { "demarcheDescriptor": {
        "number": 1234, "title": "Subvention", "description": "", "state": "publiee",
        "dateDerniereModification": "2026-01-15T14:52:35+01:00",
        "revision": { "id": "Revision-1", "datePublication": "2026-01-01T00:00:00+01:00", "champDescriptors": [
            { "__typename": "RepetitionChampDescriptor", "id": "Champ-1", "label": "Lots", "required": false, "champDescriptors": [
                { "__typename": "PaysChampDescriptor", "id": "Champ-2", "label": "Pays", "required": true, "options": [{ "code": "FR", "name": "France" }] }
            ] }
        ] }
    } } })
}

#[tokio::test]
async fn a_public_form_needs_no_token() {
    for (platform, expected) in [
        (Platform::DemarcheNumerique, json!({ "queryId": "ds-query-v2", "operationName": "getDemarcheDescriptor" })),
        (Platform::DematSocial, json!({ "operationName": "ReadDemarcheDescriptor" })),
    ] {
        let server = MockServer::start().await;
        let asked = body_partial_json(expected);
        Mock::given(method("POST")).and(asked).respond_with(json_answer(&form())).mount(&server).await;
        let client = Client::builder(platform).url(server.uri()).build().expect("no token is needed");
        let form = client.demarche_descriptor(DEMARCHE).await.expect("the form is public");
        let children = &form.revision.expect("a revision").champs[0].children;
        assert_eq!(children[0].type_de_champ.as_str(), "pays");
        let request = &server.received_requests().await.expect("recorded")[0];
        assert!(!request.headers.contains_key("authorization"));
    }
}

#[tokio::test]
async fn the_schema_is_read_by_either_introspection() {
    let schema =
        json!({ "data": { "__schema": { "types": [{ "name": "Dossier", "fields": [{ "name": "number" }] }] } } });
    let failed = json!({ "errors": [{ "message": "Internal Server Error", "extensions": { "code": "internal_server_error" } }], "data": null });
    for stored in [true, false] {
        let server = MockServer::start().await;
        let by_id = Mock::given(method("POST")).and(body_partial_json(json!({ "queryId": "introspection" })));
        let template = if stored { json_answer(&schema) } else { ResponseTemplate::new(500).set_body_json(&failed) };
        by_id.respond_with(template).mount(&server).await;
        if !stored {
            Mock::given(method("POST")).respond_with(json_answer(&schema)).mount(&server).await;
        }
        let client = client(Platform::DemarcheNumerique, &server);
        let facts = client.introspect().await.expect("a schema");
        assert_eq!(facts.iter().collect::<Vec<_>>(), ["Dossier", "Dossier.number"]);
        let gap = facts.against(&SchemaFacts::pinned(Platform::DemarcheNumerique));
        assert!(gap.added.is_empty() && gap.missing.iter().any(|fact| fact == "Dossier.champs"));
    }
}

#[tokio::test]
async fn a_raw_answer_is_given_as_it_is() {
    let answer = json!({ "data": { "demarche": { "title": "Subvention" } }, "errors": [{ "message": "en partie" }] });
    let server = MockServer::start().await;
    let asked = body_partial_json(
        json!({ "query": "query Q($n: Int!) { demarche(number: $n) { title } }", "variables": { "n": 1 } }),
    );
    Mock::given(method("POST")).and(asked).respond_with(json_answer(&answer)).mount(&server).await;
    let client = client(Platform::DemarcheNumerique, &server);
    let raw = client.raw("query Q($n: Int!) { demarche(number: $n) { title } }", json!({ "n": 1 })).await;
    assert_eq!(raw.expect("an answer"), answer);
}
