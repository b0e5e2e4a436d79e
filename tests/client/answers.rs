//! Decoding of answers: complete, partial, malformed.

use demarche_numerique::api::{ApiError, Client, Drift, ListingSource, Page, PageSize, Since};
use demarche_numerique::champ::ChampValue;
use demarche_numerique::dossier::Dossier;
use demarche_numerique::ids::{DossierNumber, GroupeInstructeurNumber};
use demarche_numerique::platform::Platform;
use serde_json::{Value, json};
use wiremock::matchers::{body_partial_json, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::support::{DEMARCHE, answering, client, dossier, everything, json_answer, page};

/// A champ of text.
fn text(stable_id: u32, value: &str) -> Value {
    json!({ "__typename": "TextChamp", "id": format!("Champ-{stable_id}"), "stringValue": value })
}

async fn read(answer: Value) -> Result<Page<Dossier>, ApiError> {
    let (_server, client) = answering(json_answer(&answer)).await;
    client.dossiers_page(&everything(), None, PageSize::MAX).await
}

fn numbers(page: &Page<Dossier>) -> Vec<u32> {
    page.nodes.iter().map(|dossier| dossier.number.get()).collect()
}

#[tokio::test]
async fn a_null_node_is_a_hole_wherever_it_is() {
    let good = |number| dossier(number, json!([text(1, "oui")]));
    for (nodes, holes, found) in [
        (vec![Value::Null, good(2), good(3)], vec![0], vec![2, 3]),
        (vec![good(1), Value::Null, good(3)], vec![1], vec![1, 3]),
        (vec![good(1), good(2), Value::Null], vec![2], vec![1, 2]),
        (vec![Value::Null, Value::Null], vec![0, 1], vec![]),
    ] {
        let errors = json!([{ "message": "Cannot return null for non-nullable field Commune.code" }]);
        let page = read(page(nodes, errors)).await.expect("the page as such is good");
        assert_eq!(page.holes.iter().map(|hole| hole.position).collect::<Vec<_>>(), holes);
        assert_eq!(numbers(&page), found);
        assert!(page.holes.iter().all(|hole| hole.reason == "partial" && hole.message.contains("Commune.code")));
    }
}

#[tokio::test]
async fn a_null_node_without_any_error_is_a_hole_too() {
    let page = read(page(vec![dossier(1, json!([])), Value::Null], Value::Null)).await.expect("a page");
    assert_eq!(page.holes[0].reason, "null_node");
}

#[tokio::test]
async fn the_tail_of_a_time_out_is_holes_that_say_so() {
    let errors = json!([
        { "message": "Timeout on Dossier.champs", "path": ["demarche", "dossiers", "nodes", 1, "champs"], "extensions": { "code": "timeout" } },
        { "message": "Timeout on Dossier.id", "path": ["demarche", "dossiers", "nodes", 2, "id"] },
    ]);
    let page = read(page(vec![dossier(1, json!([])), Value::Null, Value::Null], errors)).await.expect("a page");
    let holes: Vec<_> = page.holes.iter().map(|hole| (hole.position, hole.reason.as_str())).collect();
    assert_eq!(holes, [(1, "timeout"), (2, "timeout")]);
}

#[tokio::test]
async fn a_dossier_beside_an_error_is_a_hole_that_names_it() {
    let errors = json!([{ "message": "Timeout on Dossier.attestation", "path": ["demarche", "dossiers", "nodes", 0, "attestation"] }]);
    let page = read(page(vec![dossier(7, json!([])), dossier(8, json!([]))], errors)).await.expect("a page");
    assert_eq!(page.holes[0].number, Some(DossierNumber::new(7)));
    assert_eq!(numbers(&page), [8]);
}

#[tokio::test]
async fn champs_that_are_null_make_a_hole_and_not_an_empty_dossier() {
    let mut broken = dossier(7, json!([]));
    broken["champs"] = Value::Null;
    let page = read(page(vec![dossier(6, json!([])), broken], Value::Null)).await.expect("a page");
    assert_eq!(numbers(&page), [6]);
    let hole = &page.holes[0];
    assert_eq!((hole.position, hole.number, hole.reason.as_str()), (1, Some(DossierNumber::new(7)), "undecodable"));
    assert_eq!(hole.message, "expected a sequence at `champs`");
}

#[tokio::test]
async fn one_node_that_does_not_decode_costs_one_node_and_shows_no_value() {
    let mut broken = dossier(2, json!([text(1, "Jeanne Exemple")]));
    broken["champs"][0]["stringValue"] = json!({ "nom": "Jeanne Exemple" });
    let page =
        read(page(vec![dossier(1, json!([])), broken, dossier(3, json!([]))], Value::Null)).await.expect("a page");
    assert_eq!(numbers(&page), [1, 3]);
    let hole = format!("{:?}", page.holes);
    assert!(hole.contains("champs[0].stringValue") && !hole.contains("Jeanne"), "{hole}");
}

#[tokio::test]
async fn errors_that_cannot_be_placed_fail_the_page() {
    let errors = json!([{ "message": "Cannot return null for non-nullable field X.y" }]);
    let error = read(page(vec![dossier(1, json!([]))], errors.clone())).await.expect_err("nothing explains the error");
    assert!(matches!(error, ApiError::Partial { .. }), "{error}");
    for nodes in [Value::Null, json!([])] {
        let mut answer = page(vec![], errors.clone());
        answer["data"]["demarche"]["dossiers"]["nodes"] = nodes;
        assert!(matches!(read(answer).await, Err(ApiError::Partial { .. })));
    }
    let answer = json!({ "data": { "demarche": { "dossiers": null } }, "errors": errors });
    assert!(matches!(read(answer).await, Err(ApiError::Partial { .. })));
    let answer = json!({ "data": { "demarche": null }, "errors": [{ "message": "Timeout on Query.demarche", "extensions": { "code": "timeout" } }] });
    assert!(matches!(read(answer).await, Err(ApiError::Partial { code: Some(code), .. }) if code == "timeout"));
}

#[tokio::test]
async fn a_link_to_a_dossier_out_of_scope_is_no_failure() {
    let link = json!({ "__typename": "DossierLinkChamp", "id": "Champ-9", "stringValue": "4321" });
    let errors = json!([{
        "message": "An object of type Dossier was hidden due to permissions",
        "path": ["demarche", "dossiers", "nodes", 0, "champs", 0, "dossier"],
        "extensions": { "code": "unauthorized" }
    }]);
    let page = read(page(vec![dossier(1, json!([link]))], errors)).await.expect("a good page");
    assert!(page.holes.is_empty());
    assert_eq!(page.nodes[0].champs[0].value, ChampValue::DossierLink(DossierNumber::new(4321)));
}

#[tokio::test]
async fn an_unauthorized_root_is_never_an_empty_list() {
    let answer = json!({ "data": null, "errors": [{ "message": "An object of type Demarche was hidden due to permissions", "path": ["demarche"], "extensions": { "code": "unauthorized" } }] });
    let (_server, client) = answering(json_answer(&answer)).await;
    assert!(matches!(client.dossiers_page(&everything(), None, PageSize::MAX).await, Err(ApiError::OutOfScope { .. })));
    assert!(matches!(client.dossier(DossierNumber::new(5)).await, Err(ApiError::OutOfScope { .. })));
    assert!(matches!(client.news(DEMARCHE, None).await, Err(ApiError::OutOfScope { .. })));
}

#[tokio::test]
async fn an_unknown_dossier_is_none_and_an_unknown_demarche_an_error() {
    let answer =
        json!({ "data": null, "errors": [{ "message": "Dossier not found", "extensions": { "code": "not_found" } }] });
    let (_server, client) = answering(json_answer(&answer)).await;
    assert_eq!(client.dossier(DossierNumber::new(5)).await.expect("an answer"), None);
    assert!(matches!(client.demarche(DEMARCHE).await, Err(ApiError::NotFound { .. })));
}

#[tokio::test]
async fn an_empty_page_has_no_end() {
    let answer = json!({ "data": { "demarche": { "dossiers": { "pageInfo": { "hasNextPage": false, "endCursor": null }, "nodes": [] } } } });
    let page = read(answer).await.expect("a page");
    assert!(page.end.is_none() && !page.has_next && page.nodes.is_empty());
}

#[tokio::test]
async fn a_cursor_serves_its_own_listing_only() {
    let answer = page(vec![dossier(1, json!([]))], Value::Null);
    let (_server, client) = answering(json_answer(&answer)).await;
    let listing = everything();
    let first = client.dossiers_page(&listing, None, PageSize::MAX).await.expect("a page");
    let cursor = first.end.as_ref();
    assert!(client.dossiers_page(&listing, cursor, PageSize::ONE).await.is_ok(), "another size is the same listing");
    let mut others = vec![listing.clone(), listing.clone(), listing.clone()];
    others[0].since = Since::Created(jiff::Timestamp::UNIX_EPOCH);
    others[1].archived = Some(false);
    others[2].source = ListingSource::Groupe(GroupeInstructeurNumber::new(1234));
    for other in others {
        let refused = client.dossiers_page(&other, cursor, PageSize::MAX).await;
        assert!(matches!(refused, Err(ApiError::ForeignCursor { .. })), "{other:?}");
    }
    assert!(matches!(client.pending_deleted_page(DEMARCHE, cursor).await, Err(ApiError::ForeignCursor { .. })));
    assert_eq!(client.stats().requests, 2, "a foreign cursor is not sent");
}

#[tokio::test]
async fn trap_9_a_cursor_of_another_shape_goes_back_as_it_came() {
    let mut answer = page(vec![dossier(1, json!([]))], Value::Null);
    answer["data"]["demarche"]["dossiers"]["pageInfo"]["endCursor"] = json!("MTAw");
    let (server, client) = answering(json_answer(&answer)).await;
    let first = client.dossiers_page(&everything(), None, PageSize::MAX).await.expect("a page");
    let end = first.end.expect("a cursor");
    assert_eq!(end.row(), None, "it names no dossier");
    // It came from this very walk, so nothing can have corrupted it: the platform may change its shape any day.
    client.dossiers_page(&everything(), Some(&end), PageSize::MAX).await.expect("the next page");
    let asked: Value = server.received_requests().await.expect("recorded")[1].body_json().expect("JSON");
    assert_eq!(asked["variables"]["after"], "MTAw");
}

#[tokio::test]
async fn what_is_not_known_is_kept_as_text_and_told_once() {
    let nir = |id: u32| json!({ "__typename": "NirChamp", "id": format!("Champ-{id}"), "stringValue": "masqué" });
    let mut strange = dossier(1, json!([nir(1), nir(2)]));
    strange["state"] = json!("en_pause");
    strange["demandeur"] = json!({ "__typename": "PersonneVirtuelle" });
    let page = read(page(vec![strange], Value::Null)).await.expect("a page");
    assert_eq!(
        page.drift,
        [
            Drift::Typename("NirChamp".into()),
            Drift::Typename("PersonneVirtuelle".into()),
            Drift::EnumValue("DossierState", "en_pause".into()),
        ]
    );
    assert_eq!(page.nodes[0].state.as_str(), "en_pause");
    let kept = ChampValue::Unknown { typename: "NirChamp".into(), string_value: Some("masqué".into()) };
    assert_eq!(page.nodes[0].champs[1].value, kept);
}

#[tokio::test]
async fn a_page_of_the_other_platform_groups_flat_champs_into_rows() {
    let child = |id: &str, value: &str| json!({ "__typename": "TextChamp", "id": id, "stringValue": value });
    // base64 of `Champ-30021|01HXROW1`, `Champ-30022|01HXROW1` and `Champ-30021|01HXROW2`.
    let flat = json!([
        child("Q2hhbXAtMzAwMjF8MDFIWFJPVzE=", "a"),
        child("Q2hhbXAtMzAwMjJ8MDFIWFJPVzE=", "b"),
        child("Q2hhbXAtMzAwMjF8MDFIWFJPVzI=", "c"),
    ]);
    let block =
        json!({ "__typename": "RepetitionChamp", "id": "Q2hhbXAtMzAwMjA=", "stringValue": null, "champs": flat });
    let server = MockServer::start().await;
    let answer = page(vec![dossier(1, json!([block]))], Value::Null);
    Mock::given(method("POST")).respond_with(json_answer(&answer)).mount(&server).await;
    let client = client(Platform::DematSocial, &server);
    let page = client.dossiers_page(&everything(), None, PageSize::MAX).await.expect("a page");
    let ChampValue::Repetition(rows) = &page.nodes[0].champs[0].value else { panic!("{:?}", page.nodes[0].champs) };
    let shape: Vec<Vec<&str>> =
        rows.iter().map(|row| row.champs.iter().filter_map(|champ| champ.value.as_text()).collect()).collect();
    assert_eq!(shape, [vec!["a", "b"], vec!["c"]]);
    assert_eq!(rows[0].champs[0].descriptor, rows[1].champs[0].descriptor);
    assert_eq!(rows[0].champs[0].descriptor.stable_id(), Some(30021));
}

/// A server whose answers depend on the operation's name.
async fn by_operation(answers: &[(&str, ResponseTemplate)]) -> (MockServer, Client) {
    let server = MockServer::start().await;
    for (operation, template) in answers {
        let asked = body_partial_json(json!({ "operationName": operation }));
        Mock::given(method("POST")).and(asked).respond_with(template.clone()).mount(&server).await;
    }
    let client = client(Platform::DemarcheNumerique, &server);
    (server, client)
}

#[tokio::test]
async fn news_survive_a_list_that_the_platform_cannot_make() {
    let head = json!({
        "number": 1234, "title": "Subvention", "state": "publiee",
        "dateDerniereModification": "2026-01-15T14:52:35+01:00",
        "revisions": [{ "id": "Revision-1", "dateCreation": "2026-01-01T00:00:00+01:00", "datePublication": null }]
    });
    let gone = json!({ "pageInfo": { "hasNextPage": false, "endCursor": null }, "nodes": [
        { "number": 900, "dateSupression": "2026-01-02T00:00:00+01:00", "reason": "user_request", "state": "en_construction" }
    ] });
    let failed = || {
        ResponseTemplate::new(500).set_body_json(json!({ "errors": [{ "message": "Internal Server Error", "extensions": { "code": "internal_server_error" } }], "data": null }))
    };
    let (_server, client) = by_operation(&[
        ("ReadNews", failed()),
        ("ReadHead", json_answer(&json!({ "data": { "demarche": head } }))),
        ("ListPendingDeleted", failed()),
        ("ListDeleted", json_answer(&json!({ "data": { "demarche": { "deletedDossiers": gone } } }))),
    ])
    .await;
    let news = client.news(DEMARCHE, None).await.expect("the head is readable");
    assert_eq!(news.head.revisions.len(), 1);
    assert!(news.pending.is_none());
    assert_eq!(news.deleted.expect("the list is readable").nodes[0].number, DossierNumber::new(900));

    let mut whole = head.clone();
    whole["deletedDossiers"] = gone.clone();
    whole["pendingDeletedDossiers"] = gone;
    let (_server, client) = by_operation(&[("ReadNews", json_answer(&json!({ "data": { "demarche": whole } })))]).await;
    let news = client.news(DEMARCHE, None).await.expect("one request is enough");
    assert_eq!(client.stats().requests, 1);
    assert_eq!(news.pending.expect("listed").nodes.len(), 1);
}

#[tokio::test]
async fn an_optional_scalar_of_another_form_costs_nothing_but_itself_and_is_kept_as_text() {
    let mut odd = dossier(1, json!([text(1, "oui")]));
    odd["demandeur"]["dateDeNaissance"] = json!("");
    odd["dateExpiration"] = json!("31/02/2027");
    odd["deposeParUnTiers"] = json!("non");
    let file = json!({ "filename": "a.pdf", "checksum": "md5", "createdAt": "", "byteSize": false });
    odd["champs"][0] = json!({ "__typename": "PieceJustificativeChamp", "id": "Champ-1", "files": [file] });
    odd["messages"] = json!([{ "id": "m1", "createdAt": "2026-01-10T09:00:00+01:00", "discardedAt": "hier" }]);
    let page = read(page(vec![odd, dossier(2, json!([]))], Value::Null)).await.expect("a page");
    assert_eq!((numbers(&page), page.holes.len()), (vec![1, 2], 0));
    let read = &page.nodes[0];
    let unread: Vec<(&str, &str)> = read.unread.iter().map(|(field, text)| (field.as_str(), text.as_str())).collect();
    assert_eq!(
        unread,
        [
            ("dateExpiration", "31/02/2027"),
            ("demandeur.dateDeNaissance", ""),
            ("deposeParUnTiers", "non"),
            ("messages.m1.discardedAt", "hier"),
        ]
    );
    let champ: Vec<&str> = read.champs[0].unread.keys().map(String::as_str).collect();
    assert_eq!(champ, ["files.0.byteSize", "files.0.createdAt"]);
    let ChampValue::Files(files) = &read.champs[0].value else { panic!("{:?}", read.champs[0]) };
    assert_eq!((files[0].filename.as_str(), files[0].created_at), ("a.pdf", None));
    let told = format!("{:?}", page.drift);
    assert!(told.contains("demandeur.dateDeNaissance") && !told.contains("31/02"), "{told}");
    let stored = serde_json::to_string(read).expect("plain data");
    assert_eq!(serde_json::from_str::<Dossier>(&stored).ok().as_ref(), Some(read), "it is stored with the dossier");
}

#[tokio::test]
async fn a_dossier_or_a_groupe_whose_number_cannot_be_held_stops_nothing_and_is_told() {
    for number in [json!(5_000_000_000_u64), json!(-3)] {
        let mut beyond = dossier(1, json!([]));
        beyond["number"] = number.clone();
        let page = read(page(vec![beyond, dossier(2, json!([]))], Value::Null)).await.expect("a page");
        assert_eq!((numbers(&page), page.holes.len()), (vec![2], 0));
        assert_eq!(page.drift, [Drift::EnumValue("Dossier.number", number.to_string())]);
    }
    let mut far = dossier(1, json!([]));
    far["groupeInstructeur"]["number"] = json!(5_000_000_000_u64);
    let page = read(page(vec![far], Value::Null)).await.expect("a page");
    assert_eq!(page.nodes[0].unread.get("groupeInstructeur.number").map(String::as_str), Some("5000000000"));
}

/// The answer for one dossier, with an establishment that an error emptied.
fn emptied(error: Value) -> Value {
    let siret =
        json!({ "__typename": "SiretChamp", "id": "Champ-2", "stringValue": "90000000000018", "etablissement": null });
    let mut dossier = dossier(7, json!([text(1, "oui"), siret]));
    dossier["demarche"]["number"] = json!(1234);
    json!({ "data": { "dossier": dossier }, "errors": [error] })
}

#[tokio::test]
async fn a_null_for_good_below_a_champ_costs_that_answer_after_some_tries() {
    let path = json!(["dossier", "champs", 1, "etablissement", "libelleNaf"]);
    let message = "Cannot return null for non-nullable field PersonneMorale.libelleNaf";
    let placed = json!({ "message": message, "path": path, "extensions": { "code": "invalid_null" } });
    // The other platform tells neither the code nor the place.
    for (error, field) in
        [(placed, "etablissement.libelleNaf"), (json!({ "message": message }), "PersonneMorale.libelleNaf")]
    {
        let (_server, client) = answering(json_answer(&emptied(error))).await;
        let dossier = client.dossier(DossierNumber::new(7)).await.expect("worth having").expect("it is there");
        assert_eq!(client.stats().requests, 3, "tried again before it is believed");
        assert_eq!(dossier.champs[0].value, ChampValue::Text("oui".into()));
        assert_eq!(dossier.champs[1].value.as_text(), Some("90000000000018"));
        let marked = dossier.champs[1].unread.contains_key(field) || dossier.unread.contains_key(field);
        assert!(marked, "{field}: {dossier:?}");
    }
}

#[tokio::test]
async fn an_error_that_may_pass_or_that_hides_more_than_an_answer_is_not_believed() {
    let path = json!(["dossier", "champs", 1, "etablissement"]);
    for error in [
        json!({ "message": "Timeout on SiretChamp.etablissement", "path": path, "extensions": { "code": "timeout" } }),
        json!({ "message": "Cannot return null for non-nullable field File.filename" }),
        json!({ "message": "Cannot return null for non-nullable field File.url", "path": ["dossier", "attestation"],
            "extensions": { "code": "invalid_null" } }),
    ] {
        let (_server, client) = answering(json_answer(&emptied(error.clone()))).await;
        let refused = client.dossier(DossierNumber::new(7)).await;
        assert!(matches!(refused, Err(ApiError::Partial { .. })), "{error}");
    }
}
