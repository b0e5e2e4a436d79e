//! Invented démarches and dossiers for tests.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use crate::champ::{Champ, ChampValue, File, RepetitionRow};
use crate::demarche::{Demarche, Descriptor, GroupeInstructeur, Label, Learned, Profile, Revision, TypeDeChamp};
use crate::dossier::{Assignment, Avis, Demandeur, Dossier, DossierState, Mandataire, Message, Traitement};
use crate::ids::{
    ChampId, DemarcheNumber, DescriptorId, DossierId, DossierNumber, GroupeInstructeurId, GroupeInstructeurNumber,
    RevisionId, RowId,
};

pub(crate) fn id(number: u32) -> DescriptorId {
    DescriptorId::new(STANDARD.encode(format!("Champ-{number}")))
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

pub(crate) fn question(number: u32, label: &str, kind: TypeDeChamp) -> Descriptor {
    Descriptor {
        id: id(number),
        label: label.to_owned(),
        description: None,
        required: false,
        type_de_champ: kind,
        options: Vec::new(),
        children: Vec::new(),
    }
}

pub(crate) fn block(number: u32, label: &str, children: Vec<Descriptor>) -> Descriptor {
    Descriptor { children, ..question(number, label, TypeDeChamp::Repetition) }
}

/// A revision; published unless its name begins with `draft`.
pub(crate) fn revision(name: &str, champs: Vec<Descriptor>, annotations: Vec<Descriptor>) -> Revision {
    let date = at("2025-01-01T00:00:00Z");
    let date_publication = (!name.starts_with("draft")).then_some(date);
    Revision { id: RevisionId::new(name), date_creation: date, date_publication, champs, annotations }
}

/// A démarche with these revisions, oldest first; the last published one is in force.
pub(crate) fn demarche(revisions: Vec<Revision>) -> Demarche {
    let published = revisions.iter().rev().find(|revision| revision.date_publication.is_some());
    let active = published.or(revisions.last()).expect("a revision");
    Demarche {
        number: DemarcheNumber::new(123),
        title: "Aide au logement".to_owned(),
        state: "publiee".to_owned(),
        date_derniere_modification: at("2025-01-01T00:00:00Z"),
        active_revision: active.id.clone(),
        revisions,
        groupes_instructeurs: Vec::new(),
        labels: Vec::new(),
        service: None,
        learned: Learned::default(),
    }
}

pub(crate) fn champ(number: u32, value: ChampValue) -> Champ {
    Champ {
        id: ChampId::new(id(number).as_str()),
        descriptor: id(number),
        label: None,
        value,
        updated_at: None,
        prefilled: None,
        columns: Vec::new(),
        nature: None,
        unread: BTreeMap::new(),
    }
}

pub(crate) fn rows(ids: &[&str], champs: impl Fn(usize) -> Vec<Champ>) -> ChampValue {
    let row = |(index, id): (usize, &&str)| RepetitionRow { id: RowId::new(*id), champs: champs(index) };
    ChampValue::Repetition(ids.iter().enumerate().map(row).collect())
}

pub(crate) fn file(name: &str) -> File {
    File {
        filename: name.to_owned(),
        content_type: "application/pdf".to_owned(),
        byte_size: 1200,
        checksum: format!("md5 of {name}"),
        created_at: Some(at("2025-02-01T08:00:00Z")),
        virus_scan_result: Some("pending".to_owned()),
        url: None,
    }
}

fn profile(id: &str, email: &str) -> Profile {
    Profile { id: id.to_owned(), email: email.to_owned() }
}

/// A dossier with these champs, and one of everything around them.
pub(crate) fn dossier(champs: Vec<Champ>) -> Dossier {
    let date = at("2025-03-01T08:00:00Z");
    Dossier {
        id: DossierId::new("RG9zc2llci03"),
        number: DossierNumber::new(7),
        state: DossierState::EnInstruction,
        archived: false,
        revision: RevisionId::new("r1"),
        date_depot: date,
        date_passage_en_construction: date,
        date_passage_en_instruction: Some(date),
        date_traitement: None,
        date_derniere_modification: date,
        date_derniere_modification_champs: None,
        date_derniere_modification_annotations: None,
        date_derniere_modification_champs_par_instructeur: Some(date),
        date_accuse_lecture_agreement: Some(date),
        date_expiration: None,
        date_suppression_par_usager: None,
        date_suppression_par_administration: None,
        date_derniere_correction_en_attente: None,
        date_previsionnelle_decision_sva_svr: None,
        date_traitement_sva_svr: None,
        motivation: Some("Dossier complet".to_owned()),
        motivation_attachment: Some(file("decision.pdf")),
        attestation: Some(file("attestation.pdf")),
        usager: profile("u1", "Usagere@example.org"),
        connection_usager: "password".to_owned(),
        demandeur: Demandeur::PersonnePhysique {
            civilite: Some("Mme".to_owned()),
            nom: "Fictive".to_owned(),
            prenom: "Camille".to_owned(),
            date_de_naissance: Some(jiff::civil::date(1990, 5, 17)),
            email: Some("camille@example.org".to_owned()),
        },
        mandataire: Some(Mandataire { prenom: Some("Alex".to_owned()), nom: Some("Fictif".to_owned()) }),
        groupe_instructeur: GroupeInstructeur {
            id: GroupeInstructeurId::new("g1"),
            number: GroupeInstructeurNumber::new(1),
            label: "défaut".to_owned(),
            closed: false,
            instructeurs: vec![profile("i1", "agent.un@example.org")],
        },
        instructeurs: vec![profile("i2", "agent.deux@example.org"), profile("i1", "agent.un@example.org")],
        labels: vec![
            Label { id: "l2".to_owned(), name: "Urgent".to_owned(), color: "rose".to_owned() },
            Label { id: "l1".to_owned(), name: "À relire".to_owned(), color: "green_menthe".to_owned() },
        ],
        traitements: vec![Traitement {
            id: "t1".to_owned(),
            state: DossierState::EnInstruction,
            event: None,
            date_traitement: date,
            email_agent_traitant: Some("agent.un@example.org".to_owned()),
            motivation: None,
            revision: None,
            changed_columns: Vec::new(),
        }],
        assignments: vec![Assignment {
            assigned_at: Some(date),
            groupe_instructeur: "défaut".to_owned(),
            groupe_instructeur_number: Some(GroupeInstructeurNumber::new(1)),
            previous: None,
            previous_number: None,
            mode: "manual".to_owned(),
            assigned_by: Some("agent.un@example.org".to_owned()),
        }],
        avis: vec![Avis {
            id: "a1".to_owned(),
            question: "Qu’en pensez-vous ?".to_owned(),
            question_label: Some("Favorable ?".to_owned()),
            question_answer: Some(true),
            reponse: Some("Favorable".to_owned()),
            date_question: date,
            date_reponse: Some(date),
            claimant: Some(profile("i1", "agent.un@example.org")),
            expert: Some(profile("e1", "experte@example.org")),
            attachments: vec![file("avis.pdf")],
        }],
        messages: vec![Message {
            id: "m1".to_owned(),
            email: "usagere@example.org".to_owned(),
            body: "<p>Bonjour</p>".to_owned(),
            created_at: date,
            discarded_at: None,
            correction: None,
            attachments: vec![file("message.pdf")],
        }],
        champs,
        annotations: Vec::new(),
        unread: BTreeMap::new(),
    }
}
