//! Converts dossiers and all that belongs to one except champs.

use super::{Drifts, champ, demarche, number, place};
use crate::api::wire::{
    NumberText, WireAssignment, WireAssociation, WireAvis, WireDeleted, WireDemandeur, WireDossier, WireEntreprise,
    WireFile, WireInstant, WireLight, WireMessage, WireMorale, WireProfile, WireTraitement,
};
use crate::champ::{Association, Entreprise, File, PersonneMorale};
use crate::demarche::Profile;
use crate::dossier::{
    Assignment, Avis, Correction, DeletedDossier, Demandeur, Dossier, DossierLight, Mandataire, Message, Traitement,
};
use crate::ids::{DossierId, DossierNumber, GroupeInstructeurNumber, RevisionId};

const CONNECTIONS: &[&str] = &["", "deleted", "france_connect", "password"];
const REASONS: &[&str] = &[
    "",
    "expired",
    "instructeur_request",
    "manager_request",
    "procedure_removed",
    "user_expired",
    "user_removed",
    "user_request",
];
const CORRECTIONS: &[&str] = &["incomplete", "incorrect", "outdated"];

fn instant(wire: Option<WireInstant>) -> Option<jiff::Timestamp> {
    wire.map(|instant| instant.0)
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// A dossier.
pub(super) fn dossier(wire: WireDossier, drift: &mut Drifts) -> Dossier {
    let mandataire = mandataire(&wire);
    let mut unread = wire.unread;
    let (groupe_instructeur, odd) = demarche::groupe(wire.groupe_instructeur);
    if let Some(number) = odd {
        drift.number("GroupeInstructeur.number", &number);
        unread.insert("groupeInstructeur.number".to_owned(), number);
    }
    let connection_usager = wire.connection_usager.unwrap_or_default();
    drift.value("ConnectionUsager", &connection_usager, CONNECTIONS);
    Dossier {
        id: DossierId::new(wire.id),
        number: DossierNumber::new(wire.number),
        state: drift.state(&wire.state),
        archived: wire.archived,
        revision: RevisionId::new(wire.demarche.revision.id),
        date_depot: wire.date_depot.0,
        date_passage_en_construction: wire.date_passage_en_construction.0,
        date_passage_en_instruction: instant(wire.date_passage_en_instruction),
        date_traitement: instant(wire.date_traitement),
        date_derniere_modification: wire.date_derniere_modification.0,
        date_derniere_modification_champs: instant(wire.date_derniere_modification_champs),
        date_derniere_modification_annotations: instant(wire.date_derniere_modification_annotations),
        date_derniere_modification_champs_par_instructeur: instant(
            wire.date_derniere_modification_champs_par_instructeur,
        ),
        date_accuse_lecture_agreement: instant(wire.date_accuse_lecture_agreement),
        date_expiration: instant(wire.date_expiration),
        date_suppression_par_usager: instant(wire.date_suppression_par_usager),
        date_suppression_par_administration: instant(wire.date_suppression_par_administration),
        date_derniere_correction_en_attente: instant(wire.date_derniere_correction_en_attente),
        date_previsionnelle_decision_sva_svr: wire.date_previsionnelle_decision_sva_svr,
        date_traitement_sva_svr: instant(wire.date_traitement_sva_svr),
        motivation: filled(wire.motivation),
        motivation_attachment: wire.motivation_attachment.map(file),
        attestation: wire.attestation.map(file),
        usager: profile(wire.usager),
        connection_usager,
        demandeur: demandeur(wire.demandeur, drift),
        mandataire,
        groupe_instructeur,
        instructeurs: wire.instructeurs.into_iter().map(profile).collect(),
        labels: wire.labels.into_iter().map(demarche::label).collect(),
        traitements: wire.traitements.into_iter().map(|step| traitement(step, drift)).collect(),
        assignments: wire.assignments.unwrap_or_default().into_iter().map(assignment).collect(),
        avis: wire.avis.into_iter().map(avis).collect(),
        messages: wire.messages.into_iter().map(|wire| message(wire, drift)).collect(),
        champs: champ::champs(wire.champs, drift),
        annotations: champ::champs(wire.annotations, drift),
        unread,
    }
}

/// Converts the person who submits for another. Démat Social has fields of its own for it, beside those of Démarche
/// Numérique.
fn mandataire(wire: &WireDossier) -> Option<Mandataire> {
    let either = |a: &Option<String>, b: &Option<String>| filled(a.clone()).or_else(|| filled(b.clone()));
    let prenom = either(&wire.prenom_mandataire, &wire.mandataire_first_name);
    let nom = either(&wire.nom_mandataire, &wire.mandataire_last_name);
    let by_third_party = wire.depose_par_un_tiers == Some(true) || wire.for_tiers == Some(true);
    (by_third_party || prenom.is_some() || nom.is_some()).then_some(Mandataire { prenom, nom })
}

/// Converts a dossier of the light listing.
pub(super) fn light(wire: WireLight, drift: &mut Drifts) -> DossierLight {
    let connection_usager = wire.connection_usager.unwrap_or_default();
    drift.value("ConnectionUsager", &connection_usager, CONNECTIONS);
    let mut instructeurs: Vec<String> = wire.instructeurs.into_iter().map(|wire| wire.id).collect();
    let mut labels: Vec<String> = wire.labels.into_iter().map(|wire| wire.id).collect();
    // The platform sends both lists in no order: unsorted, an unchanged dossier would have another digest (trap 28).
    instructeurs.sort_unstable();
    labels.sort_unstable();
    DossierLight {
        number: DossierNumber::new(wire.number),
        state: drift.state(&wire.state),
        archived: wire.archived,
        revision: RevisionId::new(wire.demarche.revision.id),
        date_derniere_modification: wire.date_derniere_modification.0,
        date_expiration: instant(wire.date_expiration),
        date_suppression_par_usager: instant(wire.date_suppression_par_usager),
        date_derniere_correction_en_attente: instant(wire.date_derniere_correction_en_attente),
        attestation: wire.attestation.is_some(),
        usager: wire.usager.id,
        connection_usager,
        groupe_instructeur: wire.groupe_instructeur.id,
        instructeurs,
        labels,
    }
}

/// Converts an entry of a list of deletions.
pub(super) fn deleted(wire: WireDeleted, drift: &mut Drifts) -> DeletedDossier {
    let reason = wire.reason.unwrap_or_default();
    drift.value("DeletedDossierReason", &reason, REASONS);
    DeletedDossier {
        number: DossierNumber::new(wire.number),
        date_suppression: instant(wire.date_supression),
        reason,
        state: drift.state(&wire.state),
    }
}

/// Converts a person.
pub(super) fn profile(wire: WireProfile) -> Profile {
    Profile { id: wire.id, email: wire.email.unwrap_or_default() }
}

/// Converts a file. One that the platform makes on demand has no checksum, and the date of the request (trap 26).
pub(super) fn file(wire: WireFile) -> File {
    let checksum = wire.checksum.unwrap_or_default();
    // Its date is that of the request, so every reading would look like a change (trap 26).
    let created_at = if checksum.is_empty() { None } else { instant(wire.created_at) };
    File {
        filename: wire.filename,
        content_type: wire.content_type.unwrap_or_default(),
        // The platform's `Int` overflows above 2 GiB, and `byteSizeBigInt` comes as a text (trap 42).
        byte_size: wire.byte_size.and_then(|size| size.0.parse().ok()).unwrap_or_default(),
        checksum,
        created_at,
        virus_scan_result: filled(wire.virus_scan_result),
        url: wire.url.and_then(|url| url.parse().ok()),
    }
}

fn demandeur(wire: WireDemandeur, drift: &mut Drifts) -> Demandeur {
    match wire.typename.as_str() {
        "PersonnePhysique" => Demandeur::PersonnePhysique {
            civilite: filled(wire.civilite),
            nom: wire.nom.unwrap_or_default(),
            prenom: wire.prenom.unwrap_or_default(),
            date_de_naissance: wire.date_de_naissance,
            email: filled(wire.email),
        },
        // The State's directory has not answered yet. Without this type the whole dossier would be null (trap 53).
        "PersonneMoraleIncomplete" => Demandeur::PersonneMoraleIncomplete { siret: wire.siret.unwrap_or_default() },
        "PersonneMorale" => {
            let wire = WireMorale {
                siret: wire.siret,
                siege_social: wire.siege_social,
                naf: wire.naf,
                libelle_naf: wire.libelle_naf,
                naf_2025: wire.naf_2025,
                libelle_naf_2025: wire.libelle_naf_2025,
                address: wire.address,
                entreprise: wire.entreprise,
                association: wire.association,
            };
            morale(wire, None, drift).map_or_else(
                || Demandeur::PersonneMoraleIncomplete { siret: String::new() },
                |found| Demandeur::PersonneMorale(Box::new(found)),
            )
        }
        other => {
            drift.typename(other);
            Demandeur::Inconnu { typename: other.to_owned() }
        }
    }
}

/// Converts an establishment. If it has no SIRET, the one beside it is taken. `None` if the record is empty.
pub(super) fn morale(wire: WireMorale, siret: Option<&str>, drift: &mut Drifts) -> Option<PersonneMorale> {
    let found = PersonneMorale {
        siret: filled(wire.siret).unwrap_or_default(),
        siege_social: wire.siege_social,
        naf: filled(wire.naf),
        libelle_naf: filled(wire.libelle_naf),
        naf_2025: filled(wire.naf_2025),
        libelle_naf_2025: filled(wire.libelle_naf_2025),
        address: wire.address.map(|address| place::address(*address, drift)),
        entreprise: wire.entreprise.map(|entreprise| company(*entreprise, drift)),
        association: wire.association.and_then(|association| association_of(*association)),
    };
    let nothing = PersonneMorale::default();
    // `siege_social` alone describes an establishment and names none.
    let is_empty = PersonneMorale { siege_social: None, ..found.clone() } == nothing;
    (!is_empty).then(|| match siret {
        Some(siret) if found.siret.is_empty() => PersonneMorale { siret: siret.to_owned(), ..found },
        _ => found,
    })
}

fn company(wire: WireEntreprise, drift: &mut Drifts) -> Entreprise {
    if let Some(state) = &wire.etat_administratif {
        drift.value("EntrepriseEtatAdministratif", state, &["Actif", "Ferme"]);
    }
    Entreprise {
        siren: wire.siren.unwrap_or_default(),
        raison_sociale: filled(wire.raison_sociale),
        nom_commercial: filled(wire.nom_commercial),
        enseigne: filled(wire.enseigne),
        nom: filled(wire.nom),
        prenom: filled(wire.prenom),
        forme_juridique: filled(wire.forme_juridique),
        forme_juridique_code: filled(wire.forme_juridique_code),
        // The platform writes an unknown capital as -1 (docs/platform.md#champs).
        capital_social: wire.capital_social.and_then(|text| number::integer(&text.0)).filter(|capital| *capital >= 0),
        code_effectif_entreprise: filled(wire.code_effectif_entreprise),
        numero_tva_intracommunautaire: filled(wire.numero_tva_intracommunautaire),
        siret_siege_social: filled(wire.siret_siege_social),
        date_creation: wire.date_creation,
        etat_administratif: filled(wire.etat_administratif),
    }
}

fn association_of(wire: WireAssociation) -> Option<Association> {
    let association = Association {
        rna: wire.rna.unwrap_or_default(),
        titre: wire.titre.unwrap_or_default(),
        objet: filled(wire.objet),
        date_creation: wire.date_creation,
        date_declaration: wire.date_declaration,
        date_publication: wire.date_publication,
    };
    (association != Association::default()).then_some(association)
}

fn traitement(wire: WireTraitement, drift: &mut Drifts) -> Traitement {
    Traitement {
        id: wire.id,
        state: drift.state(&wire.state),
        event: filled(wire.event),
        date_traitement: wire.date_traitement.0,
        email_agent_traitant: filled(wire.email_agent_traitant),
        motivation: filled(wire.motivation),
        revision: wire.revision.map(|revision| RevisionId::new(revision.id)),
        changed_columns: wire.changed_columns.unwrap_or_default().into_iter().filter_map(|one| one.label).collect(),
    }
}

fn assignment(wire: WireAssignment) -> Assignment {
    let number = |number: Option<NumberText>| number?.0.parse().ok().map(GroupeInstructeurNumber::new);
    Assignment {
        assigned_at: instant(wire.assigned_at),
        groupe_instructeur: wire.groupe_instructeur_label.unwrap_or_default(),
        groupe_instructeur_number: number(wire.groupe_instructeur_number),
        previous: filled(wire.previous_groupe_instructeur_label),
        previous_number: number(wire.previous_groupe_instructeur_number),
        mode: wire.mode.unwrap_or_default(),
        assigned_by: filled(wire.assigned_by),
    }
}

/// Converts an opinion. The platform shows a date of answer before there is an answer (trap 50).
fn avis(wire: WireAvis) -> Avis {
    // The platform sends its date of update here, also before there is an answer (trap 50).
    let date_reponse = wire.reponse.as_ref().and(instant(wire.date_reponse));
    Avis {
        id: wire.id,
        question: wire.question.unwrap_or_default(),
        question_label: filled(wire.question_label),
        question_answer: wire.question_answer,
        reponse: wire.reponse,
        date_question: wire.date_question.0,
        date_reponse,
        claimant: wire.claimant.map(profile),
        expert: wire.expert.map(profile),
        attachments: wire.attachments.into_iter().map(file).collect(),
    }
}

fn message(wire: WireMessage, drift: &mut Drifts) -> Message {
    let correction = wire.correction.map(|wire| {
        let reason = wire.reason.unwrap_or_default();
        drift.value("CorrectionReason", &reason, CORRECTIONS);
        Correction { reason, date_resolution: instant(wire.date_resolution) }
    });
    Message {
        id: wire.id,
        email: wire.email.unwrap_or_default(),
        body: wire.body.unwrap_or_default(),
        created_at: wire.created_at.0,
        discarded_at: instant(wire.discarded_at),
        correction,
        attachments: wire.attachments.into_iter().map(file).collect(),
    }
}
