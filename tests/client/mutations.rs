//! Requests of mutations, and the errors and receipts of their answers.

use std::path::Path;

use apollo_compiler::{ExecutableDocument, Schema};
use demarche_numerique::api::{
    AnnotationEdit, AnnotationValue, Author, Civilite, CorrectionReason, Mutation, MutationError, NewGroupe,
    ProfileRef, SignedBlobId,
};
use demarche_numerique::dossier::DossierState;
use demarche_numerique::ids::{
    ChampId, DossierId, DossierNumber, GroupeInstructeurId, InstructeurId, LabelId, MessageId, RowId,
};
use demarche_numerique::platform::Platform;
use serde_json::{Value, json};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer};

use super::support::{DEMARCHE, answering, client, json_answer};

/// A text that must be seen on the wire and nowhere else.
const PRIVATE: &str = "Zoé n'a pas joint son relevé";

pub fn dossier() -> DossierId {
    DossierId::new("RG9zc2llci0x")
}

pub fn author() -> Author {
    Author { instructeur: InstructeurId::new("SW5zdHJ1Y3RldXItMQ=="), silent: false }
}

fn annotation(value: AnnotationValue) -> Mutation {
    Mutation::ModifierAnnotation { annotation: ChampId::new("Q2hhbXAtMQ=="), value }
}

/// One value of each kind, and how it is written on the wire.
fn values() -> Vec<(AnnotationValue, Value)> {
    use AnnotationValue as V;
    let instant = "2026-03-01T10:30:00Z".parse().expect("an instant");
    vec![
        (V::Text(PRIVATE.to_owned()), json!({ "text": PRIVATE })),
        (V::Textarea(PRIVATE.to_owned()), json!({ "textarea": PRIVATE })),
        (V::Email("zoe@example.org".to_owned()), json!({ "email": "zoe@example.org" })),
        (V::Checkbox(false), json!({ "checkbox": false })),
        (V::YesNo(true), json!({ "yesNo": true })),
        (V::Date("2026-03-01".parse().expect("a date")), json!({ "date": "2026-03-01" })),
        (V::Datetime(instant), json!({ "datetime": "2026-03-01T10:30:00Z" })),
        (V::IntegerNumber(-3), json!({ "integerNumber": -3 })),
        (V::DecimalNumber("12.345".parse().expect("a decimal")), json!({ "decimalNumber": 12.345 })),
        (V::DropDownList(PRIVATE.to_owned()), json!({ "dropDownList": PRIVATE })),
        (V::MultipleDropDownList(vec![PRIVATE.to_owned()]), json!({ "multipleDropDownList": [PRIVATE] })),
        (V::Repetition(2), json!({ "repetition": 2 })),
        (V::Phone("01 99 00 12 34".to_owned()), json!({ "phone": "01 99 00 12 34" })),
        (V::Iban(PRIVATE.to_owned()), json!({ "iban": PRIVATE })),
        (V::Formatted(PRIVATE.to_owned()), json!({ "formatted": PRIVATE })),
        (V::Civilite(Civilite::Mme), json!({ "civilite": "Mme" })),
        (V::Pays("FR".to_owned()), json!({ "pays": "FR" })),
        (V::Regions("11".to_owned()), json!({ "regions": "11" })),
        (V::Departements("2A".to_owned()), json!({ "departements": "2A" })),
        (V::PieceJustificative(vec![SignedBlobId::new("eyJh")]), json!({ "pieceJustificative": ["eyJh"] })),
        (V::DossierLink(DossierNumber::new(42)), json!({ "dossierLink": "42" })),
    ]
}

/// Every mutation of a dossier, with what it must say beside the dossier and the instructeur.
fn everything() -> Vec<(Mutation, Value)> {
    let blob = || Some(SignedBlobId::new("eyJzaWduZWQi"));
    let groupe = GroupeInstructeurId::new("R3JvdXBlLTI=");
    let label = || LabelId::new("TGFiZWwtMQ==");
    let mut all = vec![
        (Mutation::PasserEnInstruction, json!({})),
        (Mutation::RepasserEnConstruction, json!({})),
        (Mutation::RepasserEnInstruction, json!({})),
        (Mutation::Accepter { motivation: None, justificatif: None }, json!({})),
        (
            Mutation::Accepter { motivation: Some(PRIVATE.to_owned()), justificatif: blob() },
            json!({ "motivation": PRIVATE, "justificatif": "eyJzaWduZWQi" }),
        ),
        (
            Mutation::Refuser { motivation: PRIVATE.to_owned(), justificatif: blob() },
            json!({ "motivation": PRIVATE, "justificatif": "eyJzaWduZWQi" }),
        ),
        (
            Mutation::ClasserSansSuite { motivation: PRIVATE.to_owned(), justificatif: None },
            json!({ "motivation": PRIVATE }),
        ),
        (Mutation::Archiver, json!({})),
        (Mutation::Desarchiver, json!({})),
        (
            Mutation::EnvoyerMessage { body: PRIVATE.to_owned(), attachment: None, correction: None },
            json!({ "body": PRIVATE }),
        ),
        (
            Mutation::EnvoyerMessage {
                body: PRIVATE.to_owned(),
                attachment: blob(),
                correction: Some(CorrectionReason::Incomplete),
            },
            json!({ "body": PRIVATE, "attachment": "eyJzaWduZWQi", "correction": "incomplete" }),
        ),
        (
            Mutation::SupprimerMessage { message: MessageId::new("TWVzc2FnZS0x") },
            json!({ "messageId": "TWVzc2FnZS0x" }),
        ),
        (
            Mutation::AnnulerDemandeCorrection { message: MessageId::new("TWVzc2FnZS0x") },
            json!({ "messageId": "TWVzc2FnZS0x" }),
        ),
        (Mutation::ChangerGroupeInstructeur { groupe }, json!({ "groupeInstructeurId": "R3JvdXBlLTI=" })),
        (Mutation::Suivre { follow: false }, json!({ "follow": false })),
        (Mutation::AjouterLabel { label: label() }, json!({ "labelId": "TGFiZWwtMQ==" })),
        (Mutation::SupprimerLabel { label: label() }, json!({ "labelId": "TGFiZWwtMQ==" })),
        (
            Mutation::AjouterLigne { annotation: ChampId::new("Q2hhbXAtMQ==") },
            json!({ "annotationId": "Q2hhbXAtMQ==" }),
        ),
    ];
    let mut edits = Vec::new();
    let mut written = Vec::new();
    for (value, wire) in values() {
        let mutation = annotation(value.clone());
        let said = if mutation.name() == "dossierModifierAnnotations" {
            json!({ "annotations": [{ "id": "Q2hhbXAtMQ==", "value": wire }] })
        } else {
            json!({ "annotationId": "Q2hhbXAtMQ==", "value": wire.as_object().and_then(|one| one.values().next()) })
        };
        all.push((mutation, said));
        edits.push(AnnotationEdit { annotation: ChampId::new("Q2hhbXAtMg=="), value });
        written.push(json!({ "id": "Q2hhbXAtMg==", "value": wire }));
    }
    all.push((Mutation::ModifierAnnotations { edits }, json!({ "annotations": written })));
    all
}

/// The variables of an operation are what its schema accepts, down to the last key.
fn assert_fits(schema: &apollo_compiler::validation::Valid<Schema>, body: &Value) {
    let name = body["operationName"].as_str().expect("a name");
    let query = body["query"].as_str().expect("a query");
    let document = ExecutableDocument::parse_and_validate(schema, query, "query").expect("a valid document");
    let operation = document.operations.get(Some(name)).expect("the named operation is in the document");
    let variables = serde_json::from_value(body["variables"].clone()).expect("an object");
    if let Err(error) = apollo_compiler::request::coerce_variable_values(schema, operation, &variables) {
        panic!("{name}: {error:?}");
    }
    assert!(!body["variables"].to_string().contains("null"), "{name} sends a null");
}

/// The pinned schema, with what is newer where there is something.
fn schema(platform: Platform) -> apollo_compiler::validation::Valid<Schema> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("graphql").join(platform.as_str());
    let mut sdl = std::fs::read_to_string(folder.join("schema.graphql")).expect("the schema");
    sdl.push_str(&std::fs::read_to_string(folder.join("newer/schema.graphql")).unwrap_or_default());
    Schema::parse_and_validate(sdl, "schema.graphql").expect("a valid schema")
}

/// Answer to an introspection of the newest schema, reduced to the parts that a client reads.
fn introspection() -> Value {
    let schema = schema(Platform::DemarcheNumerique);
    let names = |names: Vec<String>| names.into_iter().map(|name| json!({ "name": name })).collect::<Vec<_>>();
    let fields = |fields: &mut dyn Iterator<Item = String>| names(fields.collect());
    let mutations = &schema.get_object("Mutation").expect("mutations").fields;
    let values = &schema.get_input_object("AnnotationValueInput").expect("values").fields;
    json!({ "data": { "__schema": { "types": [
        { "name": "Mutation", "fields": fields(&mut mutations.keys().map(ToString::to_string)) },
        { "name": "AnnotationValueInput", "inputFields": fields(&mut values.keys().map(ToString::to_string)) },
    ] } } })
}

/// A server that refuses every mutation, with a client of it.
async fn refusing(platform: Platform, words: &str) -> (MockServer, demarche_numerique::Client) {
    let server = MockServer::start().await;
    let asks = wiremock::matchers::body_string_contains("IntrospectionQuery");
    Mock::given(asks).respond_with(json_answer(&introspection())).mount(&server).await;
    Mock::given(method("POST")).respond_with(json_answer(&refusal(&[words]))).mount(&server).await;
    let client = client(platform, &server);
    (server, client)
}

/// The answer of a mutation that is refused.
fn refusal(words: &[&str]) -> Value {
    let errors: Vec<_> = words.iter().map(|message| json!({ "message": message })).collect();
    json!({ "data": { "mutation": { "dossier": null, "errors": errors } } })
}

async fn bodies(server: &MockServer) -> Vec<Value> {
    let requests = server.received_requests().await.expect("requests are recorded");
    let bodies = requests.iter().map(|request| request.body_json().expect("JSON"));
    bodies.filter(|body: &Value| body["operationName"] != "IntrospectionQuery").collect()
}

#[tokio::test]
async fn every_mutation_says_on_the_wire_what_it_means_and_fits_its_schema() {
    for platform in Platform::ALL {
        let schema = schema(platform);
        let fields = &schema.get_object("Mutation").expect("mutations").fields;
        for (mutation, said) in everything().into_iter().filter(|(mutation, _)| mutation.is_available_on(platform)) {
            let (server, client) = refusing(platform, "non").await;
            let error = client.apply(&dossier(), &author(), &mutation).await.expect_err("it is refused");
            assert!(matches!(error, MutationError::Refused { .. }), "{mutation:?}: {error:?}");
            let [body] = &bodies(&server).await[..] else { panic!("{mutation:?} is sent once") };
            assert_fits(&schema, body);
            let name = mutation.name();
            assert!(fields.contains_key(name), "{platform} has {name}");
            let operation = body["operationName"].as_str().expect("a name");
            assert!(operation[1..] == name[1..], "{operation} is the operation of {name}");
            // What every input has, where its schema has it.
            let input = schema.get_input_object(&format!("{operation}Input")).expect("an input");
            let mut expected = said.as_object().expect("an object").clone();
            for (key, value) in [("dossierId", "RG9zc2llci0x"), ("instructeurId", "SW5zdHJ1Y3RldXItMQ==")] {
                if input.fields.contains_key(key) {
                    expected.insert(key.to_owned(), json!(value));
                }
            }
            assert_eq!(body["variables"]["input"], Value::Object(expected), "{platform} {mutation:?}");
        }
    }
}

#[tokio::test]
async fn every_mutation_of_the_schema_can_be_said() {
    for platform in Platform::ALL {
        let schema = schema(platform);
        let mut known: Vec<&str> = everything().iter().map(|(mutation, _)| mutation.name()).collect();
        known.extend(["groupeInstructeurCreer", "groupeInstructeurModifier", "groupeInstructeurAjouterInstructeurs"]);
        known.extend(["groupeInstructeurSupprimerInstructeurs", "demarcheCloner", "createDirectUpload"]);
        for name in schema.get_object("Mutation").expect("mutations").fields.keys() {
            assert!(known.contains(&name.as_str()), "{platform} has {name}, which cannot be said");
        }
        // And none is thought available that is not there.
        let fields = &schema.get_object("Mutation").expect("mutations").fields;
        for (mutation, _) in everything() {
            let there = fields.contains_key(mutation.name());
            assert_eq!(mutation.is_available_on(platform), there, "{platform}: {mutation:?}");
        }
    }
}

#[tokio::test]
async fn what_demat_social_lacks_is_not_sent() {
    let (server, client) = refusing(Platform::DematSocial, "non").await;
    let mut lacking = 0;
    for (mutation, _) in everything().into_iter().filter(|(m, _)| !m.is_available_on(Platform::DematSocial)) {
        let error = client.apply(&dossier(), &author(), &mutation).await.expect_err("it is not there");
        let name = mutation.name();
        assert_eq!(error.to_string(), format!("{name} is not available on demat-social"));
        assert!(error.hint().is_some() && error.kind() == "not_available");
        lacking += 1;
    }
    assert_eq!(lacking, 21);
    assert!(bodies(&server).await.is_empty());
}

/// The mutations that a Démarche Numérique of the pinned schema lacks.
#[tokio::test]
async fn what_is_newer_than_the_pinned_schema_is_sent_where_the_platform_has_it_and_nowhere_else() {
    let pinned = {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("graphql/demarche-numerique/schema.graphql");
        Schema::parse_and_validate(std::fs::read_to_string(&path).expect("the schema"), &path).expect("valid")
    };
    let values = &pinned.get_input_object("AnnotationValueInput").expect("values").fields;
    // A platform of the pinned schema: every mutation that it lacks is known to be lacking before it is sent.
    let old = json!({ "data": { "__schema": { "types": [{ "name": "Mutation", "fields": [] }] } } });
    let server = MockServer::start().await;
    let asks = wiremock::matchers::body_string_contains("IntrospectionQuery");
    Mock::given(asks).respond_with(json_answer(&old)).mount(&server).await;
    Mock::given(method("POST")).respond_with(json_answer(&refusal(&["non"]))).mount(&server).await;
    let client = client(Platform::DemarcheNumerique, &server);
    for (mutation, _) in everything() {
        let is_newer = match &mutation {
            Mutation::ModifierAnnotation { value, .. } => !values.contains_key(value.kind()),
            Mutation::ModifierAnnotations { .. } => true,
            other => !pinned.get_object("Mutation").expect("mutations").fields.contains_key(other.name()),
        };
        let before = bodies(&server).await.len();
        let error = client.apply(&dossier(), &author(), &mutation).await.expect_err("refused, or not there");
        let sent = bodies(&server).await.len() - before;
        assert_eq!(matches!(error, MutationError::NotAvailable { .. }), is_newer, "{mutation:?}: {error}");
        assert_eq!(sent, usize::from(!is_newer), "{mutation:?}");
    }
    // The schema is asked for once by a client that found there what it needs.
    let (server, client) = refusing(Platform::DemarcheNumerique, "non").await;
    for _ in 0..3 {
        assert!(client.apply(&dossier(), &author(), &annotation(AnnotationValue::Iban("x".to_owned()))).await.is_err());
    }
    assert_eq!((bodies(&server).await.len(), server.received_requests().await.expect("recorded").len()), (3, 4));
}

#[tokio::test]
async fn a_silent_author_asks_for_no_e_mail_where_there_is_one() {
    let silent = Author { silent: true, ..author() };
    for platform in Platform::ALL {
        let schema = schema(platform);
        for (mutation, _) in everything().into_iter().filter(|(mutation, _)| mutation.is_available_on(platform)) {
            let (server, client) = refusing(platform, "non").await;
            assert!(client.apply(&dossier(), &silent, &mutation).await.is_err());
            let body = &bodies(&server).await[0];
            let operation = body["operationName"].as_str().expect("a name");
            let input = schema.get_input_object(&format!("{operation}Input")).expect("an input");
            let there = input.fields.contains_key("disableNotification");
            let said = &body["variables"]["input"]["disableNotification"];
            assert_eq!(*said, if there { json!(true) } else { Value::Null }, "{platform} {operation}");
        }
    }
}

#[tokio::test]
async fn a_decimal_that_a_float_would_change_is_not_sent() {
    let (server, client) = refusing(Platform::DemarcheNumerique, "non").await;
    let value = AnnotationValue::DecimalNumber("12345678901234567.891".parse().expect("a decimal"));
    let batch = Mutation::ModifierAnnotations {
        edits: vec![AnnotationEdit { annotation: ChampId::new("Q2hhbXAtMQ=="), value: value.clone() }],
    };
    for mutation in [annotation(value), batch] {
        let error = client.apply(&dossier(), &author(), &mutation).await.expect_err("it does not fit");
        assert!(matches!(error, MutationError::Unfit { .. }), "{error}");
        assert!(!format!("{error} {error:?}").contains("12345678901234567"));
    }
    assert!(bodies(&server).await.is_empty());
}

/// A mark of a dossier, as the platform answers it.
fn mark(state: &str) -> Value {
    json!({ "number": 1, "state": state, "archived": false, "dateDerniereModification": "2026-03-01T11:30:00+01:00" })
}

#[tokio::test]
async fn a_receipt_tells_what_was_done() {
    // Démat Social sends an empty list where there is no refusal.
    for errors in [json!(null), json!([])] {
        let done = json!({ "data": { "dossierAccepter": { "dossier": mark("accepte"), "errors": errors } } });
        let (_server, client) = answering(json_answer(&done)).await;
        let mutation = Mutation::Accepter { motivation: None, justificatif: None };
        let receipt = client.apply(&dossier(), &author(), &mutation).await.expect("it is done");
        assert_eq!(receipt.mutation, "dossierAccepter");
        let mark = receipt.dossier.expect("the dossier");
        assert_eq!((mark.number.get(), &mark.state, mark.archived), (1, &DossierState::Accepte, false));
        assert_eq!(mark.date_derniere_modification.to_string(), "2026-03-01T10:30:00Z");
    }
    let sent = json!({ "message": { "id": "TWVzc2FnZS0x", "createdAt": "2026-03-01T11:30:00+01:00" }, "errors": null });
    let (_server, client) = answering(json_answer(&json!({ "data": { "dossierEnvoyerMessage": sent } }))).await;
    let mutation = Mutation::EnvoyerMessage { body: PRIVATE.to_owned(), attachment: None, correction: None };
    let receipt = client.apply(&dossier(), &author(), &mutation).await.expect("it is sent");
    assert_eq!(receipt.message.expect("the message").id, MessageId::new("TWVzc2FnZS0x"));

    let row = json!({ "annotation": { "id": "Q2hhbXAtMQ==", "rows": [{ "id": "Um93LTE=" }, { "id": "Um93LTI=" }] } });
    let (_server, client) =
        answering(json_answer(&json!({ "data": { "dossierModifierAnnotationAjouterLigne": row } }))).await;
    let mutation = Mutation::AjouterLigne { annotation: ChampId::new("Q2hhbXAtMQ==") };
    let receipt = client.apply(&dossier(), &author(), &mutation).await.expect("it is added");
    assert_eq!(receipt.annotations, [ChampId::new("Q2hhbXAtMQ==")]);
    assert_eq!(receipt.rows.last(), Some(&RowId::new("Um93LTI=")));
}

#[tokio::test]
async fn a_batch_that_is_applied_in_part_tells_which_part() {
    let part = json!({ "data": { "dossierModifierAnnotations": {
        "annotations": [{ "__typename": "TextChamp", "id": "Q2hhbXAtMQ==" }],
        "errors": [{ "message": "L‘annotation \"Q2hhbXAtMg==\" n’est pas de type attendu" }],
    } } });
    let (_server, client) = answering(json_answer(&part)).await;
    let edit = |id: &str, value| AnnotationEdit { annotation: ChampId::new(id), value };
    let edits = vec![
        edit("Q2hhbXAtMQ==", AnnotationValue::Text("vu".to_owned())),
        edit("Q2hhbXAtMg==", AnnotationValue::Text("vu".to_owned())),
    ];
    let error = client.apply(&dossier(), &author(), &Mutation::ModifierAnnotations { edits }).await;
    let Err(MutationError::Refused { messages, applied, .. }) = error else { panic!("{error:?}") };
    assert_eq!(messages, ["L‘annotation \"Q2hhbXAtMg==\" n’est pas de type attendu"]);
    assert_eq!(applied, [ChampId::new("Q2hhbXAtMQ==")]);
}

#[tokio::test]
async fn a_refusal_keeps_the_words_of_the_platform() {
    let words = [
        "Le dossier est déjà en instruction",
        "L’instructeur n’a pas les droits d’accès à ce dossier",
        "Le champ « Votre message » ne peut être vide",
    ];
    for platform in Platform::ALL {
        let (server, _) = answering(json_answer(&refusal(&words))).await;
        let client = client(platform, &server);
        let mutation = Mutation::Refuser { motivation: PRIVATE.to_owned(), justificatif: None };
        let error = client.apply(&dossier(), &author(), &mutation).await.expect_err("it is refused");
        assert!(error.hint().is_some() && error.kind() == "refused");
        assert_eq!(error.to_string(), format!("the platform refused dossierRefuser: {}", words.join(" · ")));
        let MutationError::Refused { messages, applied, mutation } = error else { panic!("{error}") };
        assert_eq!((&messages[..], applied.len(), mutation), (&words.map(str::to_owned)[..], 0, "dossierRefuser"));
    }
}

#[tokio::test]
async fn a_token_that_may_only_read_is_named_as_such_and_can_be_told_beforehand() {
    let words = "Le jeton utilisé est configuré seulement en lecture";
    for platform in Platform::ALL {
        let (_server, reader) = refusing(platform, words).await;
        let error = reader.apply(&dossier(), &author(), &Mutation::Archiver).await.expect_err("it may only read");
        assert!(matches!(error, MutationError::ReadOnlyToken { mutation: "dossierArchiver" }), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("right to write")));
        assert!(!reader.may_write().await.expect("an answer"));

        let unknown = json!({
            "errors": [{ "message": "DossierArchiverPayload not found", "path": ["dossierArchiver"], "extensions": { "code": "not_found" } }],
            "data": { "dossierArchiver": null },
        });
        let (server, _) = answering(json_answer(&unknown)).await;
        assert!(client(platform, &server).may_write().await.expect("an answer"));
        let body = &bodies(&server).await[0];
        assert_eq!(body["variables"]["input"]["dossierId"], json!("RG9zc2llci0w"), "no dossier has the number 0");
    }
}

#[test]
fn nothing_private_is_shown_and_everything_can_be_stored() {
    for (mutation, _) in everything() {
        let shown = format!("{mutation:?}");
        assert!(shown.starts_with(mutation.name()), "{shown}");
        assert!(!shown.contains("Zoé") && !shown.contains("zoe@") && !shown.contains("eyJ"), "{shown}");
        let stored = serde_json::to_string(&mutation).expect("it is stored");
        assert_eq!(serde_json::from_str::<Mutation>(&stored).expect("it is read again"), mutation, "{stored}");
    }
    let stored = r#"{"refuser":{"motivation":"non","justificatf":null}}"#;
    assert!(serde_json::from_str::<Mutation>(stored).is_err(), "a key that is misspelled is not passed over");
}

#[test]
fn only_messages_rows_and_files_are_there_twice_when_they_are_sent_twice() {
    let rows =
        |rows| AnnotationEdit { annotation: ChampId::new("Q2hhbXAtMQ=="), value: AnnotationValue::Repetition(rows) };
    let batch = Mutation::ModifierAnnotations { edits: vec![rows(1)] };
    assert!(!batch.is_idempotent() && !annotation(AnnotationValue::Repetition(1)).is_idempotent());
    for (mutation, _) in everything() {
        let adds = matches!(mutation, Mutation::EnvoyerMessage { .. } | Mutation::AjouterLigne { .. })
            || format!("{mutation:?}").contains("repetition(")
            || format!("{mutation:?}").contains("pieceJustificative(");
        assert_eq!(mutation.is_idempotent(), !adds, "{mutation:?}");
    }
}

#[tokio::test]
async fn groupes_are_made_changed_and_filled() {
    let members = [ProfileRef::Id(author().instructeur), ProfileRef::Email("zoe@example.org".to_owned())];
    let wire = json!([{ "id": "SW5zdHJ1Y3RldXItMQ==" }, { "email": "zoe@example.org" }]);
    let id = GroupeInstructeurId::new("R3JvdXBlLTI=");
    let answer = json!({ "data": { "groupe": {
        "groupeInstructeur": { "id": "R3JvdXBlLTI=", "number": 2, "label": "Nord", "closed": false, "instructeurs": [] },
        "errors": [], "warnings": [{ "message": "une adresse n’est pas valide" }],
    } } });
    for platform in Platform::ALL {
        let schema = schema(platform);
        let (server, _) = answering(json_answer(&answer)).await;
        let client = client(platform, &server);
        let new = NewGroupe { label: "Nord".to_owned(), closed: false, instructeurs: members.to_vec() };
        assert!(!format!("{new:?}").contains("zoe"), "{new:?}");
        let made = client.groupe_instructeur_creer(DEMARCHE, &new).await.expect("it is made");
        assert_eq!((made.groupe.number.get(), made.warnings.len()), (2, 1));
        client.groupe_instructeur_modifier(&id, Some("Sud"), None).await.expect("it is renamed");
        client.groupe_instructeur_ajouter_instructeurs(&id, &members).await.expect("they are in");
        client.groupe_instructeur_supprimer_instructeurs(&id, &members).await.expect("they are out");
        let said: Vec<Value> = bodies(&server).await.into_iter().inspect(|body| assert_fits(&schema, body)).collect();
        let inputs: Vec<&Value> = said.iter().map(|body| &body["variables"]["input"]).collect();
        assert_eq!(
            inputs,
            [
                &json!({ "demarche": { "number": 1234 },
                    "groupeInstructeur": { "label": "Nord", "closed": false, "instructeurs": wire } }),
                &json!({ "label": "Sud", "groupeInstructeurId": "R3JvdXBlLTI=" }),
                &json!({ "groupeInstructeurId": "R3JvdXBlLTI=", "instructeurs": wire }),
                &json!({ "groupeInstructeurId": "R3JvdXBlLTI=", "instructeurs": wire }),
            ]
        );
    }
}

#[tokio::test]
async fn a_demarche_is_cloned_and_a_refusal_is_told() {
    for platform in Platform::ALL {
        let done = json!({ "data": { "demarcheCloner": { "demarche": { "number": 77 }, "errors": null } } });
        let (server, _) = answering(json_answer(&done)).await;
        let number = client(platform, &server).demarche_cloner(DEMARCHE, Some("Copie")).await.expect("it is cloned");
        assert_eq!(number.get(), 77);
        let body = &bodies(&server).await[0];
        assert_fits(&schema(platform), body);
        assert_eq!(body["variables"]["input"], json!({ "demarche": { "number": 1234 }, "title": "Copie" }));

        let (_server, client) = refusing(platform, "La démarche \"1234\" ne peut pas être clonée.").await;
        let error = client.demarche_cloner(DEMARCHE, None).await.expect_err("it is refused");
        assert!(matches!(&error, MutationError::Refused { mutation: "demarcheCloner", .. }), "{error}");
    }
}
