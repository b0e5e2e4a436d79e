//! Converts démarches, their forms, groupes and labels.

use jiff::Timestamp;

use super::Drifts;
use super::dossier::profile;
use crate::api::form::Form;
use crate::api::wire::{
    WireDemarche, WireDescriptor, WireForm, WireGroupe, WireHead, WireLabel, WireNews, WireRevision, WireRevisionHead,
    WireService,
};
use crate::demarche::{
    Demarche, DemarcheHead, Descriptor, GroupeInstructeur, Label, Learned, Revision, RevisionHead, Service, TypeDeChamp,
};
use crate::ids::{DemarcheNumber, DescriptorId, GroupeInstructeurId, GroupeInstructeurNumber, RevisionId};

const STATES: &[&str] = &["brouillon", "close", "depubliee", "publiee"];

/// Converts a démarche with its form through all revisions.
pub(in crate::api) fn demarche(wire: WireDemarche, drift: &mut Drifts) -> Demarche {
    drift.value("DemarcheState", &wire.state, STATES);
    let mut revisions: Vec<Revision> = wire.revisions.into_iter().map(|r| revision(r, drift)).collect();
    revisions.sort_by_key(|revision| revision.date_creation);
    Demarche {
        number: DemarcheNumber::new(wire.number),
        title: wire.title,
        state: wire.state,
        date_derniere_modification: wire.date_derniere_modification.0,
        revisions,
        active_revision: RevisionId::new(wire.active_revision.id),
        groupes_instructeurs: groupes(wire.groupe_instructeurs, drift),
        labels: wire.labels.into_iter().map(label).collect(),
        service: wire.service.map(service),
        learned: Learned::default(),
    }
}

/// The head of a démarche.
pub(in crate::api) fn head(wire: WireHead, drift: &mut Drifts) -> DemarcheHead {
    drift.value("DemarcheState", &wire.state, STATES);
    let mut revisions: Vec<RevisionHead> = wire.revisions.into_iter().map(revision_head).collect();
    revisions.sort_by_key(|revision| revision.date_creation);
    DemarcheHead {
        number: DemarcheNumber::new(wire.number),
        title: wire.title,
        state: wire.state,
        date_derniere_modification: wire.date_derniere_modification.0,
        revisions,
    }
}

/// Converts the head of a démarche from the answer that also lists deletions.
pub(in crate::api) fn news_head(wire: WireNews, drift: &mut Drifts) -> DemarcheHead {
    let WireNews {
        number,
        title,
        state,
        date_derniere_modification,
        revisions,
        pending_deleted_dossiers: _,
        deleted_dossiers: _,
    } = wire;
    head(WireHead { number, title, state, date_derniere_modification, revisions }, drift)
}

/// Converts the public form of a démarche.
pub(in crate::api) fn form(wire: WireForm, drift: &mut Drifts) -> Form {
    drift.value("DemarcheState", &wire.state, STATES);
    Form {
        number: DemarcheNumber::new(wire.number),
        title: wire.title,
        description: wire.description.unwrap_or_default(),
        state: wire.state,
        opendata: wire.opendata,
        date_derniere_modification: wire.date_derniere_modification.map(|instant| instant.0),
        revision: wire.revision.map(|wire| revision(wire, drift)),
        service: wire.service.map(service),
    }
}

fn revision_head(wire: WireRevisionHead) -> RevisionHead {
    RevisionHead {
        id: RevisionId::new(wire.id),
        date_creation: wire.date_creation.0,
        date_publication: wire.date_publication.map(|instant| instant.0),
    }
}

fn revision(wire: WireRevision, drift: &mut Drifts) -> Revision {
    let date_publication = wire.date_publication.map(|instant| instant.0);
    let date_creation = wire.date_creation.map(|instant| instant.0);
    Revision {
        id: RevisionId::new(wire.id),
        date_creation: date_creation.or(date_publication).unwrap_or(Timestamp::UNIX_EPOCH),
        date_publication,
        champs: descriptors(wire.champ_descriptors, drift),
        annotations: descriptors(wire.annotation_descriptors, drift),
    }
}

fn descriptors(list: Vec<WireDescriptor>, drift: &mut Drifts) -> Vec<Descriptor> {
    list.into_iter().map(|wire| descriptor(wire, drift)).collect()
}

fn descriptor(wire: WireDescriptor, drift: &mut Drifts) -> Descriptor {
    let type_de_champ = match (wire.kind.as_deref(), kind_of(&wire.typename)) {
        // Démat Social names the kind in a field, as it has no type of descriptor for some kinds. On Démarche Numérique
        // the type of the descriptor is the kind (docs/platform.md#champs).
        (Some(name), _) => {
            let kind = TypeDeChamp::from(name);
            if let TypeDeChamp::Inconnu(name) = &kind {
                drift.value("TypeDeChamp", name, &[]);
            }
            kind
        }
        (None, Some(kind)) => kind,
        (None, None) => {
            drift.typename(&wire.typename);
            TypeDeChamp::Inconnu(wire.typename)
        }
    };
    Descriptor {
        id: DescriptorId::new(wire.id),
        label: wire.label,
        description: wire.description.filter(|text| !text.is_empty()),
        required: wire.required.unwrap_or(false),
        type_de_champ,
        options: wire.options.unwrap_or_default().into_iter().filter_map(option).collect(),
        children: descriptors(wire.champ_descriptors.unwrap_or_default(), drift),
    }
}

/// Converts a choice of a list. The stored query also lists communes and régions by code, which are no choices of the
/// form: `None`.
fn option(value: serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text),
        _ => None,
    }
}

/// Returns the kind of champ that a type of descriptor stands for: the platform has one type for each
/// (docs/platform.md#champs).
fn kind_of(typename: &str) -> Option<TypeDeChamp> {
    Some(match typename.strip_suffix("ChampDescriptor")? {
        "AAH" => TypeDeChamp::Aah,
        "AEEH" => TypeDeChamp::Aeeh,
        "ARS" => TypeDeChamp::Ars,
        "Address" => TypeDeChamp::Address,
        "AnnuaireEducation" => TypeDeChamp::AnnuaireEducation,
        "COJO" => TypeDeChamp::Cojo,
        "Carte" => TypeDeChamp::Carte,
        "Checkbox" => TypeDeChamp::Checkbox,
        "Civilite" => TypeDeChamp::Civilite,
        "Cnaf" => TypeDeChamp::Cnaf,
        "Commune" => TypeDeChamp::Communes,
        "Date" => TypeDeChamp::Date,
        "Datetime" => TypeDeChamp::Datetime,
        "DecimalNumber" => TypeDeChamp::DecimalNumber,
        "Departement" => TypeDeChamp::Departements,
        "Dgfip" => TypeDeChamp::Dgfip,
        "DossierLink" => TypeDeChamp::DossierLink,
        "DropDownList" => TypeDeChamp::DropDownList,
        "Email" => TypeDeChamp::Email,
        "EngagementJuridique" => TypeDeChamp::EngagementJuridique,
        "Epci" => TypeDeChamp::Epci,
        "EtudiantBoursier" => TypeDeChamp::EtudiantBoursier,
        "Explication" => TypeDeChamp::Explication,
        "ExpressionReguliere" => TypeDeChamp::ExpressionReguliere,
        "Finess" => TypeDeChamp::Finess,
        "Formatted" => TypeDeChamp::Formatted,
        "HeaderSection" => TypeDeChamp::HeaderSection,
        "Iban" => TypeDeChamp::Iban,
        "IntegerNumber" => TypeDeChamp::IntegerNumber,
        "LinkedDropDownList" => TypeDeChamp::LinkedDropDownList,
        "Mesri" => TypeDeChamp::Mesri,
        "MultipleDropDownList" => TypeDeChamp::MultipleDropDownList,
        "Nir" => TypeDeChamp::Nir,
        "Number" => TypeDeChamp::Number,
        "Pays" => TypeDeChamp::Pays,
        "Phone" => TypeDeChamp::Phone,
        "PieceJustificative" => TypeDeChamp::PieceJustificative,
        "PoleEmploi" => TypeDeChamp::PoleEmploi,
        "PreRempli" => TypeDeChamp::PreRempli,
        "QuotientFamilial" => TypeDeChamp::QuotientFamilial,
        "RNA" => TypeDeChamp::Rna,
        "RNF" => TypeDeChamp::Rnf,
        "Referentiel" => TypeDeChamp::Referentiel,
        "Region" => TypeDeChamp::Regions,
        "Repetition" => TypeDeChamp::Repetition,
        "Rppsante" => TypeDeChamp::Rppsante,
        "Siret" => TypeDeChamp::Siret,
        "Text" => TypeDeChamp::Text,
        "Textarea" => TypeDeChamp::Textarea,
        "TitreIdentite" => TypeDeChamp::TitreIdentite,
        "YesNo" => TypeDeChamp::YesNo,
        _ => return None,
    })
}

/// Converts a groupe d'instructeurs; with it, the number that it should have if ours cannot hold it.
pub(in crate::api) fn groupe(wire: WireGroupe) -> (GroupeInstructeur, Option<String>) {
    let (number, odd) = match wire.number.0.parse() {
        Ok(number) => (number, None),
        Err(_) => (0, Some(wire.number.0)),
    };
    let groupe = GroupeInstructeur {
        id: GroupeInstructeurId::new(wire.id),
        number: GroupeInstructeurNumber::new(number),
        label: wire.label,
        closed: wire.closed,
        instructeurs: wire.instructeurs.into_iter().map(profile).collect(),
    };
    (groupe, odd)
}

/// Converts the groupes of a démarche. One whose number does not fit is dropped: nothing could refer to it.
fn groupes(list: Vec<WireGroupe>, drift: &mut Drifts) -> Vec<GroupeInstructeur> {
    let known = list.into_iter().map(groupe).filter_map(|(groupe, odd)| match odd {
        Some(number) => {
            // Reported as drift, as nobody could select it by its number.
            drift.number("GroupeInstructeur.number", &number);
            None
        }
        None => Some(groupe),
    });
    known.collect()
}

/// Converts a label.
pub(super) fn label(wire: WireLabel) -> Label {
    Label { id: wire.id, name: wire.name, color: wire.color.unwrap_or_default() }
}

fn service(wire: WireService) -> Service {
    Service {
        id: wire.id,
        nom: wire.nom.unwrap_or_default(),
        organisme: wire.organisme.unwrap_or_default(),
        siret: wire.siret,
    }
}
