use super::*;
use crate::world::form::stable_id;
use crate::world::{Demandeur, State};
use crate::{Kind, Scan, Value, World};

/// Everything that a client could read of a dossier.
const WHOLE: &str = "query($n: Int!) { dossier(number: $n) { dateDerniereModification state archived dateExpiration
    labels { name } attestation { checksum } usager { id email } connectionUsager instructeurs { id }
    dateDerniereCorrectionEnAttente messages { correction { dateResolution } }
    demandeur { __typename ... on PersonneMoraleIncomplete { siret } ... on PersonneMorale { siret entreprise { siren } } }
    demarche { revision { id } } groupeInstructeur { label }
    champs { label updatedAt stringValue
      ... on PieceJustificativeChamp { files { filename virusScanResult } }
      ... on CarteChamp { geoAreas { geometry { coordinates } } }
      ... on RNAChamp { rna { title } } } } }";

fn with_state(sandbox: &Sandbox, state: State) -> u32 {
    let dossiers = sandbox.snapshot(DEMARCHE_COMPLETE).dossiers;
    dossiers.values().find(|dossier| dossier.state == state).expect("the world has every state").number
}

#[test]
fn silent_changes_show_and_bear_no_date() {
    let (sandbox, _) = small(Platform::DemarcheNumerique);
    let number = with_state(&sandbox, State::EnConstruction);
    let question = |kind: Kind| {
        let world = sandbox.world();
        let form = world.form_of(world.dossier(number).expect("exists")).expect("has a form");
        form.champ_of(kind).expect("asked").stable_id
    };
    let (files, map, rna) = (question(Kind::PieceJustificative), question(Kind::Carte), question(Kind::Rna));
    {
        let mut world = sandbox.world();
        let now = world.now();
        let file = crate::FileRecord::new("a.pdf", 10, now);
        world.edit(number, files, Value::Files(vec![file])).expect("the question exists");
        let area = crate::Area {
            id: 1,
            description: None,
            source: crate::AreaSource::SelectionUtilisateur,
            geometry: json!({"type": "Point", "coordinates": [1.0, 2.0]}),
        };
        world.edit(number, map, Value::Areas(vec![area])).expect("the question exists");
        let association = Value::Reference { id: "W991234567".to_owned(), known: false };
        world.edit(number, rna, association).expect("the question exists");
        world.set_demandeur(number, Demandeur::PersonneMorale { siret: "90000000000018".to_owned(), enriched: false });
        world.suivre(number, 1, true);
        world.envoyer_message(number, Some(1), "Corrigez.", Some("incorrect"), Vec::new()).expect("it is open");
    }
    type Change = Box<dyn Fn(&mut World)>;
    let ok = |result: Result<(), crate::world::Refused>| result.expect("the change is legal");
    let changes: Vec<(&str, Change)> = vec![
        ("label", Box::new(move |w| drop(w.add_label(number, 10013).or_else(|_| w.remove_label(number, 10013))))),
        ("attestation", Box::new(move |w| w.deliver_attestation(number))),
        ("scan pending", Box::new(move |w| ok(w.scan_files(number, files, Scan::Pending)))),
        ("scan infected", Box::new(move |w| ok(w.scan_files(number, files, Scan::Infected)))),
        ("purge", Box::new(move |w| ok(w.purge_files(number, files)))),
        ("rebase", Box::new(move |w| w.rebase(number, 0))),
        ("demandeur", Box::new(move |w| w.enrich_demandeur(number))),
        ("geometry", Box::new(move |w| ok(w.refine_geometry(number, map)))),
        ("rna", Box::new(move |w| ok(w.resolve_reference(number, rna)))),
        ("expiration", Box::new(move |w| w.set_expiration(number, jiff::Timestamp::UNIX_EPOCH))),
        ("transfer", Box::new(move |w| w.transfer(number, "autre@example.org"))),
        ("account", Box::new(move |w| w.forget_usager(number))),
        ("instructeur", Box::new(move |w| w.remove_instructeur(DEMARCHE_COMPLETE, 1))),
        ("correction", Box::new(move |w| w.resolve_corrections(number))),
    ];
    for (name, change) in changes {
        let before = data(&sandbox, WHOLE, &json!({ "n": number }))["dossier"].clone();
        let date = sandbox.dossier(number).expect("visible").updated_at;
        change(&mut sandbox.world());
        let after = data(&sandbox, WHOLE, &json!({ "n": number }))["dossier"].clone();
        assert_eq!(sandbox.dossier(number).expect("visible").updated_at, date, "{name} bears no date");
        if name == "purge" {
            continue; // the infected file was already out of sight
        }
        assert_ne!(before, after, "{name} shows");
    }
}

#[test]
fn a_published_revision_moves_open_dossiers_after_half_a_minute() {
    let (sandbox, _) = small(Platform::DemarcheNumerique);
    let (open, decided) = (with_state(&sandbox, State::EnConstruction), with_state(&sandbox, State::Accepte));
    let kept = sandbox.dossier(decided).expect("visible").revision;
    sandbox.world().publish_revision(DEMARCHE_COMPLETE, |form| {
        form.question_mut(stable_id::RENAMED).expect("still asked").label = "Projet".to_owned();
    });
    let label = |number: u32| {
        let answer =
            data(&sandbox, "query($n: Int!) { dossier(number: $n) { champs { id label } } }", &json!({ "n": number }));
        let champs = answer["dossier"]["champs"].as_array().expect("champs").clone();
        let id = "Q2hhbXAtMTAy"; // base64 of Champ-102
        champs.iter().find(|champ| champ["id"] == id).expect("answered")["label"].clone()
    };
    assert_eq!(label(open), "Intitulé du projet");
    sandbox.advance(jiff::SignedDuration::from_secs(31));
    assert_eq!(label(open), "Projet");
    assert_eq!(sandbox.dossier(decided).expect("visible").revision, kept);
}

#[test]
fn each_transition_keeps_the_dates_that_the_platform_keeps() {
    let (sandbox, _) = small(Platform::DemarcheNumerique);
    let number = with_state(&sandbox, State::EnConstruction);
    let mut world = sandbox.world();
    let refused = world.accepter(number, "", Some(1)).expect_err("it is not in instruction");
    assert_eq!(refused.0, "Le dossier est déjà en construction");
    world.passer_en_instruction(number, Some(1)).expect("legal");
    world.accepter(number, "Bravo", Some(1)).expect("legal");
    assert_eq!(world.dossier(number).expect("exists").motivation(), Some("Bravo"));
    world.archiver(number).expect("legal");
    world.repasser_en_instruction(number, Some(1)).expect("legal");
    let dossier = world.dossier(number).expect("exists");
    assert_eq!((dossier.state, dossier.archived, dossier.motivation()), (State::EnInstruction, false, None));
    assert!(dossier.processed_at.is_some(), "the date of decision stays");
    world.repasser_en_construction(number, Some(1)).expect("legal");
    let dossier = world.dossier(number).expect("exists");
    assert!(dossier.en_instruction_at.is_some() && dossier.en_construction_at > dossier.depose_at);
    let events: Vec<&str> = dossier.history.iter().map(|step| step.event).collect();
    assert_eq!(
        events,
        ["depose", "passe_en_instruction", "accepte", "repasse_en_instruction", "repasse_en_construction"]
    );
}

#[test]
fn a_hidden_question_is_absent_not_null() {
    let (sandbox, numbers) = small(Platform::DemarcheNumerique);
    let shows =
        |sandbox: &Sandbox| sandbox.dossier(numbers[0]).expect("visible").champs.contains_key(&stable_id::SIRET);
    sandbox.world().edit(numbers[0], stable_id::REPRESENTE, true).expect("the question exists");
    assert!(shows(&sandbox));
    sandbox.world().edit(numbers[0], stable_id::REPRESENTE, false).expect("the question exists");
    assert!(!shows(&sandbox));
}
