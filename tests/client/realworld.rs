//! Payloads of real platforms, read in place if they are at hand: all decode, and no answer is lost.

use std::path::{Path, PathBuf};

use demarche_numerique::champ::{Champ, ChampValue};
use demarche_numerique::demarche::Descriptor;
use demarche_numerique::ids::DossierNumber;
use demarche_numerique::platform::Platform;
use serde_json::{Value, json};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer};

use super::support::{DEMARCHE, answering, client, dossier, json_answer};

/// The folder of the payloads.
fn folder() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = ["../shared/reference/realworld", "../../shared/reference/realworld"].map(|path| root.join(path));
    let found = found.into_iter().find(|path| path.exists());
    if found.is_none() {
        eprintln!("no payloads of the real world at hand: compared nothing");
    }
    found
}

fn payload(folder: &Path, name: &str) -> Value {
    let text = std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The champs that a payload answers, counted flat.
fn answered(champs: &Value) -> usize {
    champs.as_array().into_iter().flatten().fold(0, |count, champ| {
        let filled = |key: &str| match &champ[key] {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
            Value::Bool(_) | Value::Number(_) => true,
        };
        let keys = ["stringValue", "value", "checked", "date", "files", "values", "commune", "address", "data"];
        let typed = champ["__typename"] != "RepetitionChamp";
        count + usize::from(typed && keys.into_iter().any(filled)) + answered(&champ["champs"])
    })
}

fn kept(champs: &[Champ]) -> usize {
    champs.iter().fold(0, |count, champ| match &champ.value {
        ChampValue::Repetition(rows) => count + rows.iter().map(|row| kept(&row.champs)).sum::<usize>(),
        ChampValue::Presentation => count,
        value => count + usize::from(!value.is_empty()),
    })
}

/// Completes a recorded dossier with the fields that its old query did not ask for.
fn completed(recorded: &Value) -> Value {
    let mut whole = dossier(1, json!([]));
    let fields = whole.as_object_mut().expect("an object");
    for (key, value) in recorded.as_object().expect("a dossier is an object") {
        fields.insert(key.clone(), value.clone());
    }
    whole["demarche"] = json!({ "revision": { "id": "Revision-1" } });
    whole["groupeInstructeur"] = json!({ "id": "Groupe-1", "number": 1, "label": "défaut" });
    for (position, step) in whole["traitements"].as_array_mut().into_iter().flatten().enumerate() {
        step["id"] = json!(format!("Traitement-{position}"));
        step["dateTraitement"] = step["processedAt"].clone();
    }
    for champ in whole["champs"].as_array_mut().into_iter().flatten() {
        for (position, row) in champ["rows"].as_array_mut().into_iter().flatten().enumerate() {
            row["id"] = json!(format!("Row-{position}"));
        }
    }
    for list in ["avis", "messages"] {
        for (position, item) in whole[list].as_array_mut().into_iter().flatten().enumerate() {
            item["id"] = json!(format!("{list}-{position}"));
        }
    }
    whole
}

#[tokio::test]
async fn recorded_dossiers_decode_without_losing_an_answer() {
    let Some(folder) = folder() else { return };
    for (platform, name) in [
        (Platform::DematSocial, "demat_social_dossier.json"),
        (Platform::DemarcheNumerique, "imd_dossier_fork_types_scrubbed.json"),
        (Platform::DemarcheNumerique, "imd_dossier_repetition_scrubbed.json"),
    ] {
        let recorded = payload(&folder, name)["data"]["dossier"].clone();
        let server = MockServer::start().await;
        let answer = json!({ "data": { "dossier": completed(&recorded) } });
        Mock::given(method("POST")).respond_with(json_answer(&answer)).mount(&server).await;
        let client = client(platform, &server);
        let found = client.dossier(DossierNumber::new(1)).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let dossier = found.unwrap_or_else(|| panic!("{name}: there is a dossier"));
        assert!(answered(&recorded["champs"]) > 0, "{name} has answers");
        assert_eq!(kept(&dossier.champs), answered(&recorded["champs"]), "{name}: {:#?}", dossier.champs);
        assert_eq!(kept(&dossier.annotations), answered(&recorded["annotations"]), "{name}");
    }
}

#[tokio::test]
async fn a_dossier_of_demat_social_decodes_to_its_typed_values() {
    let Some(folder) = folder() else { return };
    let recorded = payload(&folder, "demat_social_dossier.json")["data"]["dossier"].clone();
    let (_server, client) = answering(json_answer(&json!({ "data": { "dossier": completed(&recorded) } }))).await;
    let dossier = client.dossier(DossierNumber::new(1)).await.expect("an answer").expect("a dossier");
    assert_eq!(dossier.mandataire.and_then(|mandataire| mandataire.prenom).as_deref(), Some("Alex"));
    let value = |label: &str| dossier.champs.iter().find(|c| c.label.as_deref() == Some(label)).map(|c| &c.value);
    let Some(ChampValue::Finess(record)) = value("Établissement") else { panic!("a FINESS record") };
    assert_eq!(record.get("categ_code").as_deref(), Some("355"));
    let Some(ChampValue::Finess(record)) = value("Établissement (saisie libre)") else { panic!("a typed FINESS") };
    assert_eq!((record.text.as_str(), record.data.is_none()), ("Clinique sans numéro", true));
    let Some(ChampValue::Choices { values, text: None }) = value("Conséquences sur l’état de santé") else {
        panic!("several choices")
    };
    assert_eq!(values[1], "B avec, virgule");
    let Some(ChampValue::Address(address)) = value("Adresse (non trouvée)") else { panic!("an address") };
    assert_eq!(address.label, "lieu-dit inconnu");
    let Some(ChampValue::Repetition(rows)) = value("Autres faits") else { panic!("a block") };
    assert_eq!(rows.iter().map(|row| row.champs.len()).collect::<Vec<_>>(), [4, 2]);
    let Some(ChampValue::Files(files)) = value("Fichiers") else { panic!("files") };
    assert_eq!(files[0].created_at, None, "a file without checksum has the date of the question");
}

fn count(descriptors: &[Descriptor]) -> usize {
    descriptors.iter().map(|descriptor| 1 + count(&descriptor.children)).sum()
}

fn unknown(descriptors: &[Descriptor]) -> usize {
    use demarche_numerique::demarche::TypeDeChamp::Inconnu;
    let is_unknown = |d: &Descriptor| usize::from(matches!(d.type_de_champ, Inconnu(_)));
    descriptors.iter().map(|descriptor| is_unknown(descriptor) + unknown(&descriptor.children)).sum()
}

#[tokio::test]
async fn the_forms_of_real_demarches_decode_whole() {
    let Some(folder) = folder() else { return };
    let mut recorded = payload(&folder, "gsl_demarche_revision_346_descriptors.json");
    recorded["activeRevision"]["dateCreation"] = json!("2025-10-31T11:40:04+01:00");
    recorded["revisions"] = json!([recorded["activeRevision"]]);
    recorded["dateDerniereModification"] = json!("2025-12-19T14:45:16+01:00");
    let (_server, client) = answering(json_answer(&json!({ "data": { "demarche": recorded } }))).await;
    let demarche = client.demarche(DEMARCHE).await.expect("a démarche");
    let active = demarche.active().expect("a revision in force");
    assert!(count(&active.champs) + count(&active.annotations) >= 344);
    assert_eq!(unknown(&active.champs) + unknown(&active.annotations), 0);
    assert!(active.champs.iter().any(|descriptor| descriptor.options.len() == 1361));

    for name in ["pitchou_schema_derogation.json", "pitchou_schema_derogation_v2.json"] {
        let answer = json!({ "data": { "demarcheDescriptor": payload(&folder, name) } });
        let (_server, client) = answering(json_answer(&answer)).await;
        let form = client.demarche_descriptor(DEMARCHE).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let revision = form.revision.expect("a revision");
        assert_eq!(unknown(&revision.champs), 0, "{name}");
        assert!(count(&revision.champs) >= 96, "{name}");
    }
}

#[tokio::test]
async fn recorded_errors_are_told_by_what_to_do_about_them() {
    let Some(folder) = folder() else { return };
    let errors = payload(&folder, "dn_errors.json");
    let mut cases: Vec<(&str, Value)> = ["root_not_found", "root_unauthorized", "root_timeout", "root_dossier_hidden"]
        .into_iter()
        .chain(["no_token", "unknown_stored_query", "unknown_operation"])
        .map(|name| (name, errors[name].clone()))
        .collect();
    cases.push(("recorded", payload(&folder, "imd_error_not_found.json")));
    let mut kinds = Vec::new();
    for (name, answer) in cases {
        let (_server, client) = answering(json_answer(&answer)).await;
        let kind = match client.dossier(DossierNumber::new(1)).await {
            Ok(None) => "none".to_owned(),
            Ok(Some(_)) => panic!("{name} is no dossier"),
            Err(error) => error.kind().to_owned(),
        };
        kinds.push(kind);
    }
    let expected = ["none", "out_of_scope", "timeout", "out_of_scope", "token_refused", "rejected", "rejected", "none"];
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn a_recorded_empty_page_has_no_end() {
    let Some(folder) = folder() else { return };
    let (_server, client) = answering(json_answer(&payload(&folder, "demat_social_dossiers_page.json"))).await;
    let listing = super::support::everything();
    let page = client.dossiers_page(&listing, None, demarche_numerique::api::PageSize::MAX).await.expect("a page");
    assert!(page.end.is_none() && page.nodes.is_empty());
}
