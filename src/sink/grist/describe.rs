//! Describes in French what every column of ours holds, and who may change it. Pure.

use super::shape;
use crate::demarche::Demarche;
use crate::table::{ColumnKey, ColumnSpec, DOCUMENT_ONLY, Origin, TableKey};

/// The sentence for a column that is copied.
pub(super) const COPIED: &str = "Copié de la plateforme : se modifie là-bas, pas ici.";

/// The sentence for a column that is written by the sync itself.
const OURS: &str = "Écrit par la synchronisation : ne pas modifier.";

/// Describes a column of a layout.
pub(super) fn column(table: &TableKey, spec: &ColumnSpec, form: &Demarche) -> String {
    let help = shape::description(spec);
    let what = match (&spec.key, &spec.origin) {
        (ColumnKey::Fixed(name), _) => return fixed_sentence(table, name),
        (_, Origin::Annotation(..)) => "Annotation privée des instructeurs.",
        (ColumnKey::Column(..), _) => "Détail de la réponse, donné par la plateforme.",
        (ColumnKey::Champ(..), Origin::Champ(..)) if super::style::is_of_draft(spec, form) => {
            "Question du brouillon du formulaire."
        }
        (ColumnKey::Champ(..), Origin::Champ(..)) => "Réponse au formulaire.",
        (ColumnKey::Champ(..), Origin::Former | Origin::Fixed) => "",
    };
    let sentences = [help.as_str(), what, COPIED];
    let sentences: Vec<&str> = sentences.into_iter().filter(|sentence| !sentence.is_empty()).collect();
    sentences.join(if help.contains('\n') { "\n" } else { " " })
}

fn fixed_sentence(table: &TableKey, name: &str) -> String {
    let what = fixed(table, name);
    let who = if name == DOCUMENT_ONLY || name == "valeurs_non_lues" { OURS } else { COPIED };
    if what.is_empty() { who.to_owned() } else { format!("{what} {who}") }
}

/// Describes a column that every table of the kind has.
pub(super) fn technical(name: &str) -> &'static str {
    match name {
        shape::NUMBER => "Le numéro du dossier sur la plateforme. Identifie la ligne : ne pas modifier.",
        shape::GONE_REASON => "Pourquoi le dossier n’est plus sur la plateforme. Vide tant qu’elle le montre.",
        shape::GONE_AT => "Depuis quand le dossier n’est plus sur la plateforme. Écrit par la synchronisation.",
        shape::SEEN_AT => "Quand cette version du dossier a été copiée pour la première fois.",
        shape::PARENT => {
            "Le dossier auquel appartient la ligne : une référence à la table des dossiers. Ne pas modifier."
        }
        shape::RANK => "Le rang de la ligne parmi celles du dossier, à partir de 1. Écrit par la synchronisation.",
        shape::KEY => "Identifie la ligne d’une synchronisation à l’autre : ne pas modifier.",
        _ => OURS,
    }
}

/// Describes a column that a table of a layout always has; empty if its title says everything.
fn fixed(table: &TableKey, name: &str) -> &'static str {
    match table {
        TableKey::Dossiers => dossier(name),
        TableKey::PiecesJointes => match name {
            "origine" => "Où le fichier a été déposé.",
            "origine_id" | "descriptor_id" => "Un identifiant de la plateforme, pour les programmes.",
            "content_type" => "Le type du fichier, comme « application/pdf ».",
            "checksum" => "Deux fichiers de même empreinte ont le même contenu.",
            "virus_scan_result" => "Ce qu’a dit l’antivirus de la plateforme.",
            "nature" => "Ce que le formulaire demande à cet endroit, s’il le précise.",
            _ => "",
        },
        TableKey::Messages => match name {
            "email" => {
                "Qui a écrit : l’usager, un instructeur, ou l’adresse de la plateforme pour ses messages automatiques."
            }
            "body" => "Le texte du message. Il se lit sans mise en forme ; l’original est sur la plateforme.",
            "discarded_at" => "Un message supprimé garde sa ligne, sans son texte.",
            "correction_reason" => "Pourquoi l’instructeur a demandé une correction avec ce message.",
            "correction_date_resolution" => "Quand l’usager a répondu à la demande de correction.",
            _ => "",
        },
        TableKey::Avis => match name {
            "question_label" | "question_answer" => "La question à laquelle l’expert répond par oui ou par non.",
            "claimant_email" => "L’instructeur qui a demandé l’avis.",
            "expert_email" => "La personne dont l’avis est demandé.",
            _ => "",
        },
        TableKey::Traitements => match name {
            "state" => "L’état du dossier après cette étape.",
            "event" => "Ce qui a été fait. Vide sur Démat Social, qui ne le dit pas.",
            "email_agent_traitant" => "L’agent qui l’a fait ; vide pour l’usager et pour ce qui est automatique.",
            "motivation" => "La raison que l’usager a lue.",
            "changed_columns" => "Les questions dont la réponse a changé à cette étape.",
            "revision" => "Un identifiant de la plateforme, pour les programmes.",
            _ => "",
        },
        TableKey::GeoZones => match name {
            "champ_id" | "descriptor_id" | "area_id" => "Un identifiant de la plateforme, pour les programmes.",
            "source" => "Comment la zone a été choisie.",
            "geometry" => "Le tracé, pour un outil de cartographie.",
            "longitude" | "latitude" => "Un point de la zone, pour le widget « Carte ».",
            _ => "",
        },
        TableKey::Instructeurs => match name {
            "instructeur_id" => "Un identifiant de la plateforme, pour les programmes.",
            "email" => "Un instructeur qui suit le dossier.",
            _ => "",
        },
        TableKey::Labels => match name {
            "label_id" => "Un identifiant de la plateforme, pour les programmes.",
            "name" => "Une étiquette posée sur le dossier.",
            "color" => "La couleur de l’étiquette, comme la plateforme la nomme.",
            _ => "",
        },
        TableKey::Affectations => match name {
            "groupe_instructeur" => "Le groupe qui a reçu le dossier.",
            "groupe_precedent" => "Le groupe qui l’avait avant.",
            "mode" => "Comment le groupe a été choisi.",
            "email_agent" => "L’agent qui l’a choisi ; vide pour ce qui est automatique.",
            _ => "",
        },
        TableKey::Block(_) => "",
    }
}

fn dossier(name: &str) -> &'static str {
    match name {
        "state" => "L’état du dossier sur la plateforme.",
        "archived" => "Coché quand un instructeur a archivé le dossier.",
        "date_derniere_modification" => "Le dernier changement du dossier, de quelque nature qu’il soit.",
        "date_derniere_modification_champs" => "La dernière modification d’une réponse au formulaire.",
        "date_derniere_modification_annotations" => "La dernière modification d’une annotation privée.",
        "date_expiration" => "Quand la plateforme supprimera le dossier, si elle le prévoit.",
        "date_derniere_correction_en_attente" => {
            "Depuis quand l’usager doit corriger son dossier ; vide s’il ne le doit pas."
        }
        "date_previsionnelle_decision_sva_svr" => "Quand le silence vaudra décision, si la démarche le prévoit.",
        "revision" => "La version du formulaire à laquelle le dossier répond, pour les programmes.",
        "groupe_instructeur" => "Le groupe d’instructeurs qui a le dossier.",
        "groupe_instructeur_number" => "Le numéro de ce groupe sur la plateforme.",
        "usager_email" => "L’adresse du compte qui a déposé le dossier.",
        "connection_usager" => "Comment l’usager se connecte à la plateforme.",
        "demandeur_type" => "Une personne, ou une entreprise, association ou administration.",
        "demandeur_siret" | "demandeur_siren" | "demandeur_rna" | "demandeur_naf" | "demandeur_naf_2025" => {
            "Un texte, avec ses zéros."
        }
        "demandeur_code_postal" | "demandeur_code_commune" | "demandeur_code_departement" => {
            "Un texte, avec ses zéros."
        }
        "demandeur_siege_social" => "« Oui » si l’établissement est le siège de l’entreprise.",
        "demandeur_code_effectif" => "Le nombre de salariés, tel que l’INSEE le compte.",
        "demandeur_etat_administratif" => "Ce qu’en dit le registre des entreprises.",
        "motivation" => "La raison de la décision, que l’usager a lue.",
        "attestation" => "Coché quand la plateforme a délivré une attestation.",
        "labels" => "Les étiquettes que les instructeurs ont posées.",
        "instructeurs" => "Les instructeurs qui suivent le dossier.",
        DOCUMENT_ONLY => "Les colonnes qui ne peuvent pas contenir leur réponse ; elle se lit sur la plateforme.",
        "valeurs_non_lues" => "Ce que la plateforme n’a pas su donner de ce dossier.",
        _ => "",
    }
}
