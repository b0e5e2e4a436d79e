//! Translates the words of the platform's API into the French that its own pages show, with colours. Pure.
//!
//! One table of words for every column of ours whose values are such words. A word that is not in it is shown as it came.

use super::memory::ChoiceColour;
use super::shape::GONE_REASON;
use crate::table::TableKey;

/// A word of the API, the words for people, and the colours of both: background and text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub api: &'static str,
    pub french: &'static str,
    fill: &'static str,
    text: &'static str,
}

/// Colours of the State's design system: background and text.
type Tint = (&'static str, &'static str);

const BLUE: Tint = ("#E8EDFF", "#0063CB");
const YELLOW: Tint = ("#FEECC2", "#716043");
const GREEN: Tint = ("#B8FEC9", "#18753C");
const RED: Tint = ("#FFE9E9", "#CE0500");
const GREY: Tint = ("#EEEEEE", "#3A3A3A");
const PURPLE: Tint = ("#FEE7FC", "#6E445A");
const BROWN: Tint = ("#FEEBD0", "#685C48");

const fn word(api: &'static str, french: &'static str, (fill, text): Tint) -> Word {
    Word { api, french, fill, text }
}

/// The states of a dossier.
pub(super) const STATES: &[Word] = &[
    word("en_construction", "En construction", BLUE),
    word("en_instruction", "En instruction", YELLOW),
    word("accepte", "Accepté", GREEN),
    word("refuse", "Refusé", RED),
    word("sans_suite", "Classé sans suite", GREY),
];

const DEMANDEURS: &[Word] =
    &[word("personne_physique", "Personne physique", BLUE), word("personne_morale", "Personne morale", BROWN)];

const CONNECTIONS: &[Word] = &[
    word("password", "Adresse électronique", GREY),
    word("france_connect", "FranceConnect", BLUE),
    word("pro_connect", "ProConnect", BLUE),
    word("deleted", "Compte supprimé", RED),
];

const COMPANY_STATES: &[Word] = &[word("Actif", "En activité", GREEN), word("Ferme", "Fermée", RED)];

/// The bands of INSEE, by which the register of companies counts employees.
const HEADCOUNTS: &[Word] = &[
    word("NN", "Sans salarié", GREY),
    word("00", "0 salarié au 31 décembre", GREY),
    word("01", "1 ou 2 salariés", BLUE),
    word("02", "3 à 5 salariés", BLUE),
    word("03", "6 à 9 salariés", BLUE),
    word("11", "10 à 19 salariés", BLUE),
    word("12", "20 à 49 salariés", BLUE),
    word("21", "50 à 99 salariés", BLUE),
    word("22", "100 à 199 salariés", BLUE),
    word("31", "200 à 249 salariés", BLUE),
    word("32", "250 à 499 salariés", BLUE),
    word("41", "500 à 999 salariés", BLUE),
    word("42", "1 000 à 1 999 salariés", BLUE),
    word("51", "2 000 à 4 999 salariés", BLUE),
    word("52", "5 000 à 9 999 salariés", BLUE),
    word("53", "10 000 salariés et plus", BLUE),
];

const GONE: &[Word] = &[
    word("user_request", "Demande de l’usager", GREY),
    word("instructeur_request", "Demande d’un instructeur", GREY),
    word("manager_request", "Demande de l’administration", GREY),
    word("user_removed", "Compte de l’usager supprimé", GREY),
    word("user_expired", "Compte de l’usager expiré", GREY),
    word("procedure_removed", "Démarche supprimée", GREY),
    word("expired", "Durée de conservation atteinte sur la plateforme", GREY),
    word("missing", "N’est plus sur la plateforme", GREY),
    word("filtered", "Hors de la sélection de ce document", GREY),
    word("retention", "Durée de conservation atteinte dans ce document", GREY),
];

const ORIGINS: &[Word] = &[
    word("champ", "Formulaire", BLUE),
    word("annotation", "Annotation privée", BROWN),
    word("message", "Messagerie", PURPLE),
    word("avis", "Avis", YELLOW),
    word("motivation", "Décision", GREY),
    word("attestation", "Attestation", GREEN),
];

const SCANS: &[Word] = &[
    word("safe", "Sans virus", GREEN),
    word("pending", "En cours", YELLOW),
    word("infected", "Virus", RED),
    word("integrity_error", "Fichier abîmé", RED),
];

const CORRECTIONS: &[Word] = &[
    word("incorrect", "Dossier incorrect", YELLOW),
    word("incomplete", "Dossier incomplet", YELLOW),
    word("outdated", "Dossier à mettre à jour", YELLOW),
];

const EVENTS: &[Word] = &[
    word("depose", "Déposé", BLUE),
    word("depose_correction_usager", "Correction déposée par l’usager", BLUE),
    word("depose_correction_instructeur", "Correction déposée par un instructeur", BLUE),
    word("passe_en_instruction", "Passé en instruction", YELLOW),
    word("passe_en_instruction_automatiquement", "Passé en instruction automatiquement", YELLOW),
    word("repasse_en_construction", "Repassé en construction", BLUE),
    word("repasse_en_instruction", "Repassé en instruction", YELLOW),
    word("accepte", "Accepté", GREEN),
    word("accepte_automatiquement", "Accepté automatiquement", GREEN),
    word("refuse", "Refusé", RED),
    word("refuse_automatiquement", "Refusé automatiquement", RED),
    word("classe_sans_suite", "Classé sans suite", GREY),
];

const AREAS: &[Word] = &[
    word("selection_utilisateur", "Dessinée à la main", BLUE),
    word("cadastre", "Parcelle cadastrale", BROWN),
    word("rpg", "Parcelle agricole", GREEN),
];

const ASSIGNMENTS: &[Word] = &[
    word("auto", "Routage automatique", BLUE),
    word("bulk_routing", "Changement du routage", BROWN),
    word("manual", "À la main", YELLOW),
    word("tech", "Opération technique", GREY),
];

/// The words of a column that every table of the kind has; `None` for a column whose values are not words of the API.
pub(super) fn of(table: &TableKey, column: &str) -> Option<&'static [Word]> {
    Some(match (table, column) {
        (TableKey::Dossiers, "state") | (TableKey::Traitements, "state") => STATES,
        (TableKey::Dossiers, "demandeur_type") => DEMANDEURS,
        (TableKey::Dossiers, "connection_usager") => CONNECTIONS,
        (TableKey::Dossiers, "demandeur_etat_administratif") => COMPANY_STATES,
        (TableKey::Dossiers, "demandeur_code_effectif") => HEADCOUNTS,
        (TableKey::Dossiers, GONE_REASON) => GONE,
        (TableKey::PiecesJointes, "origine") => ORIGINS,
        (TableKey::PiecesJointes, "virus_scan_result") => SCANS,
        (TableKey::Messages, "correction_reason") => CORRECTIONS,
        (TableKey::Traitements, "event") => EVENTS,
        (TableKey::GeoZones, "source") => AREAS,
        (TableKey::Affectations, "mode") => ASSIGNMENTS,
        _ => return None,
    })
}

/// Translates a word; one that is not in the table stays as it came.
pub(super) fn french<'a>(words: &'static [Word], api: &'a str) -> &'a str {
    words.iter().find(|word| word.api == api).map_or(api, |word| word.french)
}

/// Lists the French words in their order.
pub(super) fn choices(words: &'static [Word]) -> Vec<String> {
    words.iter().map(|word| word.french.to_owned()).collect()
}

/// Lists the colours of the French words.
pub(super) fn colours(words: &'static [Word]) -> Vec<ChoiceColour> {
    words.iter().map(|word| ChoiceColour::new(word.french, word.fill, word.text)).collect()
}

/// Finds the colours of a label by the platform's name of its colour; grey for one that is not known.
pub(super) fn label_colours(color: &str) -> (&'static str, &'static str) {
    // The API writes the names with underscores, the pages of the platform with hyphens.
    match color.replace('-', "_").as_str() {
        "beige_gris_galet" => ("#F9F6F2", "#6A6156"),
        "blue_ecume" => ("#F4F6FE", "#2F4077"),
        "brown_cafe_creme" => ("#FBF6ED", "#685C48"),
        "green_bourgeon" => ("#E6FEDA", "#447049"),
        "green_emeraude" => ("#E3FDEB", "#297254"),
        "green_menthe" => ("#DFFDF7", "#37635F"),
        "green_tilleul_verveine" => ("#FEF7DA", "#66673D"),
        "pink_macaron" => ("#FEF4F2", "#8D533E"),
        "purple_glycine" => ("#FEF3FD", "#6E445A"),
        "yellow_tournesol" => ("#FEF6E3", "#716043"),
        _ => GREY,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::demarche::{Demarche, Learned};
    use crate::dossier::DossierState;
    use crate::ids::{DemarcheNumber, RevisionId};
    use crate::table::{ColumnKey, infer};

    /// The tables of a démarche without questions.
    fn spec() -> crate::table::Spec {
        infer(&Demarche {
            number: DemarcheNumber::new(1),
            title: String::new(),
            state: "publiee".to_owned(),
            date_derniere_modification: jiff::Timestamp::UNIX_EPOCH,
            revisions: Vec::new(),
            active_revision: RevisionId::new("r"),
            groupes_instructeurs: Vec::new(),
            labels: Vec::new(),
            service: None,
            learned: Learned::default(),
        })
    }

    #[test]
    fn no_two_words_of_a_column_look_alike() {
        let tables = spec().tables;
        let mut translated = 0;
        for table in &tables {
            let names = table.columns.iter().filter_map(|column| match &column.key {
                ColumnKey::Fixed(name) => Some(name.as_str()),
                ColumnKey::Champ(..) | ColumnKey::Column(..) => None,
            });
            for (name, words) in names.chain([GONE_REASON]).filter_map(|name| Some((name, of(&table.key, name)?))) {
                let french: BTreeSet<&str> = words.iter().map(|word| word.french).collect();
                let api: BTreeSet<&str> = words.iter().map(|word| word.api).collect();
                assert_eq!((french.len(), api.len()), (words.len(), words.len()), "{name}");
                translated += 1;
            }
        }
        assert_eq!(translated, 13, "a column of the table of words is not one of ours any more");
    }

    #[test]
    fn every_choice_that_a_column_has_beforehand_is_translated() {
        for table in spec().tables {
            for column in table.columns.iter().filter(|column| !column.options.is_empty()) {
                let ColumnKey::Fixed(name) = &column.key else { continue };
                // The platform writes these two as people do.
                if name == "demandeur_civilite" {
                    continue;
                }
                let words = of(&table.key, name).unwrap_or_else(|| panic!("{name} has no words"));
                for option in &column.options {
                    assert_ne!(french(words, option), option, "{name}");
                }
            }
        }
    }

    #[test]
    fn every_state_has_a_word_and_an_unknown_one_stays_as_it_came() {
        use DossierState::{Accepte, EnConstruction, EnInstruction, Refuse, SansSuite};
        for state in [EnConstruction, EnInstruction, Accepte, Refuse, SansSuite] {
            assert_ne!(french(STATES, state.as_str()), state.as_str());
        }
        assert_eq!(french(STATES, "en_attente"), "en_attente");
    }

    #[test]
    fn a_label_has_its_colours_whichever_way_the_platform_writes_them() {
        assert_eq!(label_colours("green-bourgeon"), label_colours("green_bourgeon"));
        assert_ne!(label_colours("green_bourgeon"), label_colours("rouge"));
    }
}
