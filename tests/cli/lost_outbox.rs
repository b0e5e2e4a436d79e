//! A file of decisions whose outbox was lost: what was sent is found on the platform, and nothing is sent twice.

use std::fs::File;
use std::time::{Duration, SystemTime};

use demarche_numerique::Platform;
use demarche_numerique::sandbox::world::Demandeur;
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, WorldSpec};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::harness::Harness;

const AGENT: &str = "instructeur-1@example.org";

/// A dossier of a person in instruction.
fn open(harness: &Harness) -> u32 {
    let mut world = harness.sandbox.world();
    let number = world.submit(DEMARCHE_COMPLETE).expect("the démarche exists");
    let (nom, prenom) = ("Exemple".to_owned(), "Ariane".to_owned());
    world.set_demandeur(number, Demandeur::PersonnePhysique { civilite: None, nom, prenom });
    world.passer_en_instruction(number, Some(1)).expect("it is in construction");
    number
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_outbox_is_lost_sends_nothing_again() {
    for (platform, name) in Platform::ALL.into_iter().flat_map(|platform| [(platform, "d.csv"), (platform, "d.json")]) {
        let spec = WorldSpec::new(platform).only(&[DEMARCHE_COMPLETE]).dossiers(0);
        let harness = Harness::in_world(&spec).await;
        let (said, decided, added) = (open(&harness), open(&harness), open(&harness));
        let text = match name {
            "d.csv" => format!(
                "id;dossier;action;message;motivation;annotation\nm;{said};message;Voici la suite;;\n\
                 d;{decided};accepter;;Complet;\nr;{added};ajouter_ligne;;;Versements\n"
            ),
            _ => json!([
                { "id": "m", "dossier": said, "action": "message", "message": "Voici la suite" },
                { "id": "d", "dossier": decided, "action": "accepter", "motivation": "Complet" },
                { "id": "r", "dossier": added, "action": "ajouter_ligne", "annotation": "Versements" },
            ])
            .to_string(),
        };
        harness.write(name, &text);
        // What came with the dossiers is older than the file.
        harness.sandbox.advance(SignedDuration::from_hours(7));
        let morning = SystemTime::now() - Duration::from_hours(6);
        let file = File::options().write(true).open(harness.path(name)).expect("the file");
        file.set_modified(morning).expect("its date can be set");
        let demarche = DEMARCHE_COMPLETE.to_string();
        let push = ["push", "--demarche", &demarche, "--from", name, "--as", AGENT, "--apply", "--json"];
        harness.dn(&push).await.expect(0);
        let done: Vec<String> = harness.sandbox.audit().into_iter().map(|entry| entry.mutation).collect();
        assert_eq!(done.len(), 3, "{platform} {name}: {done:?}");

        for end in ["", "-wal", "-shm", ".lock"] {
            let outbox = harness.path(&format!("{name}.outbox.db{end}"));
            if outbox.exists() {
                std::fs::remove_file(outbox).expect("it can be deleted");
            }
        }
        harness.sandbox.advance(SignedDuration::from_hours(5));
        let again: Value = serde_json::from_str(&harness.dn(&push).await.expect(12).stdout).expect("JSON");
        let items = again["items"].as_array().expect("a list").iter();
        let status = |id: &str| items.clone().find(|item| item["id"] == id).map(|item| item["status"].clone());
        assert_eq!(status("m"), Some("already_done".into()), "{platform} {name}");
        assert_eq!(status("d"), Some("already_done".into()), "{platform} {name}");
        assert_eq!(status("r"), Some("ambiguous".into()), "{platform} {name}: rows have no author");
        let after: Vec<String> = harness.sandbox.audit().into_iter().map(|entry| entry.mutation).collect();
        assert_eq!(after, done, "{platform} {name}: nothing was sent twice");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_from_the_future_was_asked_for_now() {
    let spec = WorldSpec::default().only(&[DEMARCHE_COMPLETE]).dossiers(0);
    let harness = Harness::in_world(&spec).await;
    let said = open(&harness);
    harness.write("d.csv", &format!("id;dossier;action;message\nm;{said};message;Voici la suite\n"));
    let file = File::options().write(true).open(harness.path("d.csv")).expect("the file");
    file.set_modified(SystemTime::now() + Duration::from_hours(48)).expect("its date can be set");
    let demarche = DEMARCHE_COMPLETE.to_string();
    let push = ["push", "--demarche", &demarche, "--from", "d.csv", "--as", AGENT, "--apply"];
    harness.dn(&push).await.expect(0);
    std::fs::remove_file(harness.path("d.csv.outbox.db")).expect("it can be deleted");
    assert!(harness.dn(&push).await.expect(0).stdout.contains("already so"));
    assert_eq!(harness.sandbox.audit().len(), 1);
}
