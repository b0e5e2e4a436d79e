//! Columns of the child tables of a dossier.

use jiff::Timestamp;

use super::Fixed;
use crate::champ::GeoArea;
use crate::demarche::{Label, Profile};
use crate::dossier::{Assignment, Avis, Message, PlacedFile, Traitement};
use crate::ids::{DescriptorId, GroupeInstructeurNumber, RevisionId};
use crate::privacy::{DossierPart as Part, Treatment};
use crate::table::row::Cell;
use crate::table::spec::CellKind as K;

/// Area of a map with its champ.
pub(in crate::table) struct GeoRow<'a> {
    pub(in crate::table) champ: &'a str,
    pub(in crate::table) descriptor: &'a DescriptorId,
    pub(in crate::table) area: &'a GeoArea,
}

/// Reads a cell of a file.
pub(in crate::table) type FileReader = fn(&PlacedFile<'_>, Treatment) -> Cell;
/// Reads a cell of a message.
pub(in crate::table) type MessageReader = fn(&Message, Treatment) -> Cell;
/// Reads a cell of an opinion.
pub(in crate::table) type AvisReader = fn(&Avis, Treatment) -> Cell;
/// Reads a cell of a step of the history.
pub(in crate::table) type TraitementReader = fn(&Traitement, Treatment) -> Cell;
/// Reads a cell of a passage between groupes.
pub(in crate::table) type AffectationReader = fn(&Assignment, Treatment) -> Cell;
/// Reads a cell of an area.
pub(in crate::table) type GeoReader = fn(&GeoRow<'_>, Treatment) -> Cell;
/// Reads a cell of a follower.
pub(in crate::table) type InstructeurReader = fn(&Profile, Treatment) -> Cell;
/// Reads a cell of a label.
pub(in crate::table) type LabelReader = fn(&Label, Treatment) -> Cell;

/// The columns of the table of files.
pub(in crate::table) const FILES: &[Fixed<FileReader>] = &[
    Fixed {
        name: "origine",
        title: "Origine",
        kind: K::Choice,
        // Files have no id, so their origin and its id stand for one.
        options: &["champ", "annotation", "message", "avis", "motivation", "attestation"],
        parts: &[],
        read: |d, _| Cell::text(d.origin),
    },
    Fixed {
        name: "origine_id",
        title: "Identifiant du champ, du message ou de l’avis",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::text(d.owner),
    },
    Fixed {
        name: "descriptor_id",
        title: "Identifiant de la question",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::maybe(d.descriptor.map(DescriptorId::as_str)),
    },
    Fixed {
        name: "filename",
        title: "Nom du fichier",
        kind: K::Text,
        options: &[],
        parts: &[Part::PiecesJointes],
        read: |d, _| Cell::text(&d.file.filename),
    },
    Fixed {
        name: "content_type",
        title: "Type de fichier",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::text(&d.file.content_type),
    },
    Fixed {
        name: "byte_size",
        title: "Taille en octets",
        kind: K::Integer,
        options: &[],
        parts: &[],
        read: |d, _| i64::try_from(d.file.byte_size).map_or(Cell::Null, Cell::Integer),
    },
    Fixed {
        // Files have no id: name, digest and date identify one (docs/platform.md#files). A file made on demand has no
        // digest (trap 26).
        name: "checksum",
        title: "Empreinte MD5",
        kind: K::Text,
        options: &[],
        parts: &[Part::PiecesJointes],
        read: |d, _| Cell::text(&d.file.checksum),
    },
    Fixed {
        name: "created_at",
        title: "Date de dépôt du fichier",
        kind: K::Datetime,
        options: &[],
        parts: &[],
        read: |d, _| instant(d.file.created_at),
    },
    Fixed {
        // `pending` until the scan ends, which moves no date (trap 23). Démat Social does not have it.
        name: "virus_scan_result",
        title: "Analyse antivirus",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::maybe(d.file.virus_scan_result.as_deref()),
    },
    Fixed {
        name: "nature",
        title: "Nature de la pièce",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::maybe(d.nature),
    },
];

/// The columns of the table of messages. A deleted message keeps its row, without a body (trap 50).
pub(in crate::table) const MESSAGES: &[Fixed<MessageReader>] = &[
    Fixed {
        name: "email",
        title: "Expéditeur",
        kind: K::Text,
        options: &[],
        parts: &[Part::Messages],
        read: |d, _| Cell::text(&d.email),
    },
    Fixed {
        name: "body",
        title: "Message",
        kind: K::Text,
        options: &[],
        parts: &[Part::Messages],
        read: |d, _| Cell::text(&d.body),
    },
    Fixed {
        name: "created_at",
        title: "Date d’envoi",
        kind: K::Datetime,
        options: &[],
        parts: &[],
        read: |d, _| Cell::Datetime(d.created_at),
    },
    Fixed {
        name: "discarded_at",
        title: "Date de suppression",
        kind: K::Datetime,
        options: &[],
        parts: &[],
        read: |d, _| instant(d.discarded_at),
    },
    Fixed {
        name: "correction_reason",
        title: "Correction demandée",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::maybe(d.correction.as_ref().map(|correction| correction.reason.as_str())),
    },
    Fixed {
        name: "correction_date_resolution",
        title: "Date de la correction",
        kind: K::Datetime,
        options: &[],
        parts: &[],
        read: |d, _| instant(d.correction.as_ref().and_then(|correction| correction.date_resolution)),
    },
    Fixed {
        name: "attachments",
        title: "Nombre de pièces jointes",
        kind: K::Integer,
        options: &[],
        parts: &[],
        read: |d, _| count(d.attachments.len()),
    },
];

/// The columns of the table of opinions.
pub(in crate::table) const AVIS: &[Fixed<AvisReader>] = &[
    Fixed {
        name: "question",
        title: "Question",
        kind: K::Text,
        options: &[],
        parts: &[Part::Avis],
        read: |d, _| Cell::text(&d.question),
    },
    Fixed {
        name: "question_label",
        title: "Question fermée",
        kind: K::Text,
        options: &[],
        parts: &[Part::Avis],
        read: |d, _| Cell::maybe(d.question_label.as_deref()),
    },
    Fixed {
        name: "question_answer",
        title: "Réponse à la question fermée",
        kind: K::Boolean,
        options: &[],
        parts: &[Part::Avis],
        read: closed_answer,
    },
    Fixed {
        name: "reponse",
        title: "Réponse",
        kind: K::Text,
        options: &[],
        parts: &[Part::Avis],
        read: |d, _| Cell::maybe(d.reponse.as_deref()),
    },
    Fixed {
        name: "date_question",
        title: "Date de la question",
        kind: K::Datetime,
        options: &[],
        parts: &[],
        read: |d, _| Cell::Datetime(d.date_question),
    },
    Fixed {
        name: "date_reponse",
        title: "Date de la réponse",
        kind: K::Datetime,
        options: &[],
        parts: &[],
        read: |d, _| instant(d.date_reponse),
    },
    Fixed {
        name: "claimant_email",
        title: "Demandeur de l’avis",
        kind: K::Text,
        options: &[],
        parts: &[Part::Avis, Part::Instructeurs],
        read: |d, _| Cell::maybe(d.claimant.as_ref().map(|profile| profile.email.as_str())),
    },
    Fixed {
        name: "expert_email",
        title: "Expert",
        kind: K::Text,
        options: &[],
        parts: &[Part::Avis],
        read: |d, _| Cell::maybe(d.expert.as_ref().map(|profile| profile.email.as_str())),
    },
    Fixed {
        name: "attachments",
        title: "Nombre de pièces jointes",
        kind: K::Integer,
        options: &[],
        parts: &[],
        read: |d, _| count(d.attachments.len()),
    },
];

/// The columns of the table of the history.
pub(in crate::table) const TRAITEMENTS: &[Fixed<TraitementReader>] = &[
    Fixed {
        name: "state",
        title: "État",
        kind: K::Choice,
        options: &["en_construction", "en_instruction", "accepte", "refuse", "sans_suite"],
        parts: &[],
        read: |d, _| Cell::text(d.state.as_str()),
    },
    Fixed {
        name: "event",
        title: "Événement",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::maybe(d.event.as_deref()),
    },
    Fixed {
        name: "date_traitement",
        title: "Date",
        kind: K::Datetime,
        options: &[],
        parts: &[],
        read: |d, _| Cell::Datetime(d.date_traitement),
    },
    Fixed {
        name: "email_agent_traitant",
        title: "Agent",
        kind: K::Text,
        options: &[],
        parts: &[Part::Traitements, Part::Instructeurs],
        read: |d, _| Cell::maybe(d.email_agent_traitant.as_deref()),
    },
    Fixed {
        name: "motivation",
        title: "Motivation",
        kind: K::Text,
        options: &[],
        parts: &[Part::Motivation],
        read: |d, _| Cell::maybe(d.motivation.as_deref()),
    },
    Fixed {
        name: "revision",
        title: "Révision du formulaire",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::maybe(d.revision.as_ref().map(RevisionId::as_str)),
    },
    Fixed {
        name: "changed_columns",
        title: "Champs modifiés",
        kind: K::Choices,
        options: &[],
        parts: &[],
        read: |d, _| list(&d.changed_columns),
    },
];

/// The columns of the table of areas.
pub(in crate::table) const GEO_ZONES: &[Fixed<GeoReader>] = &[
    Fixed {
        name: "champ_id",
        title: "Identifiant du champ",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::text(d.champ),
    },
    Fixed {
        name: "descriptor_id",
        title: "Identifiant de la question",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::text(d.descriptor.as_str()),
    },
    Fixed {
        name: "area_id",
        title: "Identifiant de la zone",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::text(&d.area.id),
    },
    Fixed {
        name: "source",
        title: "Source",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::text(&d.area.source),
    },
    Fixed {
        name: "description",
        title: "Description",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::maybe(d.area.description.as_deref()),
    },
    Fixed {
        name: "geometry",
        title: "Géométrie (GeoJSON)",
        kind: K::Json,
        options: &[],
        parts: &[],
        read: |d, _| Cell::Json(d.area.geometry.to_geojson()),
    },
    Fixed {
        name: "longitude",
        title: "Longitude",
        kind: K::Real,
        options: &[],
        parts: &[],
        read: |d, _| d.area.geometry.pin().map_or(Cell::Null, |pin| Cell::Real(pin.0)),
    },
    Fixed {
        name: "latitude",
        title: "Latitude",
        kind: K::Real,
        options: &[],
        parts: &[],
        read: |d, _| d.area.geometry.pin().map_or(Cell::Null, |pin| Cell::Real(pin.1)),
    },
    Fixed {
        name: "parcelle_commune",
        title: "Commune de la parcelle",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::maybe(d.area.parcelle.as_ref().map(|parcelle| parcelle.commune.as_str())),
    },
    Fixed {
        name: "parcelle_section",
        title: "Section de la parcelle",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::maybe(d.area.parcelle.as_ref().map(|parcelle| parcelle.section.as_str())),
    },
    Fixed {
        name: "parcelle_prefixe",
        title: "Préfixe de la parcelle",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::maybe(d.area.parcelle.as_ref().map(|parcelle| parcelle.prefixe.as_str())),
    },
    Fixed {
        name: "parcelle_numero",
        title: "Numéro de la parcelle",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::maybe(d.area.parcelle.as_ref().map(|parcelle| parcelle.numero.as_str())),
    },
    Fixed {
        name: "parcelle_surface",
        title: "Surface de la parcelle",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::maybe(d.area.parcelle.as_ref().map(|parcelle| parcelle.surface.as_str())),
    },
    Fixed {
        name: "rpg_commune",
        title: "Commune de la parcelle agricole",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::maybe(d.area.rpg.as_ref().and_then(|rpg| rpg.commune.as_deref())),
    },
    Fixed {
        name: "rpg_numero",
        title: "Numéro de la parcelle agricole",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::maybe(d.area.rpg.as_ref().and_then(|rpg| rpg.numero.as_deref())),
    },
    Fixed {
        name: "rpg_surface",
        title: "Surface de la parcelle agricole",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::maybe(d.area.rpg.as_ref().and_then(|rpg| rpg.surface.as_deref())),
    },
];

/// The columns of the table of followers.
pub(in crate::table) const INSTRUCTEURS: &[Fixed<InstructeurReader>] = &[
    Fixed {
        name: "instructeur_id",
        title: "Identifiant",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::text(&d.id),
    },
    Fixed {
        name: "email",
        title: "E-mail",
        kind: K::Text,
        options: &[],
        parts: &[Part::Instructeurs],
        read: |d, _| Cell::text(&d.email),
    },
];

/// The columns of the table of labels.
pub(in crate::table) const LABELS: &[Fixed<LabelReader>] = &[
    Fixed {
        name: "label_id",
        title: "Identifiant",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::text(&d.id),
    },
    Fixed {
        name: "name",
        title: "Étiquette",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::text(&d.name),
    },
    Fixed {
        name: "color",
        title: "Couleur",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::text(&d.color),
    },
];

/// The columns of the table of passages between groupes.
pub(in crate::table) const AFFECTATIONS: &[Fixed<AffectationReader>] = &[
    Fixed {
        name: "assigned_at",
        title: "Date",
        kind: K::Datetime,
        options: &[],
        parts: &[],
        read: |d, _| instant(d.assigned_at),
    },
    Fixed {
        name: "groupe_instructeur",
        title: "Groupe instructeur",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::text(&d.groupe_instructeur),
    },
    Fixed {
        name: "groupe_instructeur_number",
        title: "Numéro du groupe instructeur",
        kind: K::Integer,
        options: &[],
        parts: &[],
        read: |d, _| number(d.groupe_instructeur_number),
    },
    Fixed {
        name: "groupe_precedent",
        title: "Groupe précédent",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::maybe(d.previous.as_deref()),
    },
    Fixed {
        name: "groupe_precedent_number",
        title: "Numéro du groupe précédent",
        kind: K::Integer,
        options: &[],
        parts: &[],
        read: |d, _| number(d.previous_number),
    },
    Fixed {
        name: "mode",
        title: "Origine",
        kind: K::Choice,
        options: &["auto", "bulk_routing", "manual", "tech"],
        parts: &[],
        read: |d, _| Cell::text(&d.mode),
    },
    Fixed {
        name: "email_agent",
        title: "Agent",
        kind: K::Text,
        options: &[],
        parts: &[Part::Traitements, Part::Instructeurs],
        read: |d, _| Cell::maybe(d.assigned_by.as_deref()),
    },
];

fn number(number: Option<GroupeInstructeurNumber>) -> Cell {
    number.map_or(Cell::Null, |number| Cell::Integer(i64::from(number.get())))
}

fn list(items: &[String]) -> Cell {
    if items.is_empty() { Cell::Null } else { Cell::List(items.to_vec()) }
}

fn instant(instant: Option<Timestamp>) -> Cell {
    instant.map_or(Cell::Null, Cell::Datetime)
}

fn count(count: usize) -> Cell {
    i64::try_from(count).map_or(Cell::Null, Cell::Integer)
}

/// Returns the cell of a yes-or-no answer. A Boolean cannot hold a placeholder, so the column shows its treatment, if a
/// question was asked.
fn closed_answer(avis: &Avis, treatment: Treatment) -> Cell {
    match (avis.question_answer, &avis.question_label) {
        (Some(answer), _) => Cell::Boolean(answer),
        (None, Some(_)) => Cell::maybe(treatment.marker()),
        (None, None) => Cell::Null,
    }
}
