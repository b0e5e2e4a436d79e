//! The columns of the table of dossiers.

use jiff::Timestamp;

use super::Fixed;
use crate::champ::{Address, Entreprise, PersonneMorale};
use crate::dossier::{Demandeur, Dossier};
use crate::privacy::{DossierPart as Part, Treatment};
use crate::table::mapper::DOCUMENT_ONLY;
use crate::table::row::Cell;
use crate::table::spec::CellKind as K;
use crate::table::value::registered_name;

/// Reads a cell of a dossier.
pub(in crate::table) type DossierReader = fn(&Dossier, Treatment) -> Cell;

/// The columns of the table of dossiers, before those of the form.
pub(in crate::table) const DOSSIER: &[Fixed<DossierReader>] = &[
    Fixed {
        name: "state",
        title: "État",
        kind: K::Choice,
        options: &["en_construction", "en_instruction", "accepte", "refuse", "sans_suite"],
        parts: &[],
        read: |d, _| Cell::text(d.state.as_str()),
    },
    Fixed {
        name: "archived",
        title: "À archiver",
        kind: K::Boolean,
        options: &[],
        parts: &[],
        read: |d, _| Cell::Boolean(d.archived),
    },
    Fixed {
        name: "date_depot",
        title: "Date de dépôt",
        kind: K::Datetime,
        options: &[],
        parts: &[],
        read: |d, _| Cell::Datetime(d.date_depot),
    },
    Fixed {
        name: "date_passage_en_construction",
        title: "Date de passage en construction",
        kind: K::Datetime,
        options: &[],
        parts: &[],
        read: |d, _| Cell::Datetime(d.date_passage_en_construction),
    },
    Fixed {
        name: "date_passage_en_instruction",
        title: "Date de passage en instruction",
        kind: K::Datetime,
        options: &[],
        parts: &[],
        read: |d, _| instant(d.date_passage_en_instruction),
    },
    Fixed {
        // Dates of earlier states stay after a reopening (trap 49): the state decides, not this date.
        name: "date_traitement",
        title: "Date de la décision",
        kind: K::Datetime,
        options: &[],
        parts: &[],
        read: |d, _| instant(d.date_traitement),
    },
    Fixed {
        name: "date_derniere_modification",
        title: "Date de dernière modification",
        kind: K::Datetime,
        options: &[],
        parts: &[],
        read: |d, _| Cell::Datetime(d.date_derniere_modification),
    },
    Fixed {
        name: "date_derniere_modification_champs",
        title: "Date de dernière modification des champs",
        kind: K::Datetime,
        options: &[],
        parts: &[],
        read: |d, _| instant(d.date_derniere_modification_champs),
    },
    Fixed {
        // Annotations that the API writes do not move it (docs/platform.md#dates): it says less than its title.
        name: "date_derniere_modification_annotations",
        title: "Date de dernière modification des annotations",
        kind: K::Datetime,
        options: &[],
        parts: &[],
        read: |d, _| instant(d.date_derniere_modification_annotations),
    },
    Fixed {
        name: "date_derniere_modification_champs_par_instructeur",
        title: "Date de dernière modification des champs par un instructeur",
        kind: K::Datetime,
        options: &[],
        parts: &[],
        read: |d, _| instant(d.date_derniere_modification_champs_par_instructeur),
    },
    Fixed {
        name: "date_accuse_lecture",
        title: "Date de l’accusé de lecture",
        kind: K::Datetime,
        options: &[],
        parts: &[],
        read: |d, _| instant(d.date_accuse_lecture_agreement),
    },
    Fixed {
        // An expired dossier is in neither list of deletions for two weeks (trap 33): this date announces it.
        name: "date_expiration",
        title: "Date d’expiration",
        kind: K::Datetime,
        options: &[],
        parts: &[],
        read: |d, _| instant(d.date_expiration),
    },
    Fixed {
        name: "date_suppression_par_usager",
        title: "Date de suppression par l’usager",
        kind: K::Datetime,
        options: &[],
        parts: &[],
        read: |d, _| instant(d.date_suppression_par_usager),
    },
    Fixed {
        name: "date_suppression_par_administration",
        title: "Date de suppression par l’administration",
        kind: K::Datetime,
        options: &[],
        parts: &[],
        read: |d, _| instant(d.date_suppression_par_administration),
    },
    Fixed {
        name: "date_derniere_correction_en_attente",
        title: "Correction en attente depuis",
        kind: K::Datetime,
        options: &[],
        parts: &[],
        read: |d, _| instant(d.date_derniere_correction_en_attente),
    },
    Fixed {
        name: "date_previsionnelle_decision_sva_svr",
        title: "Date prévisionnelle de décision tacite",
        kind: K::Date,
        options: &[],
        parts: &[],
        read: |d, _| d.date_previsionnelle_decision_sva_svr.map_or(Cell::Null, Cell::Date),
    },
    Fixed {
        name: "date_traitement_sva_svr",
        title: "Date de la décision tacite",
        kind: K::Datetime,
        options: &[],
        parts: &[],
        read: |d, _| instant(d.date_traitement_sva_svr),
    },
    Fixed {
        name: "revision",
        title: "Révision du formulaire",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::text(d.revision.as_str()),
    },
    Fixed {
        // A label can be renamed: the number beside it identifies the groupe.
        name: "groupe_instructeur",
        title: "Groupe instructeur",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::text(&d.groupe_instructeur.label),
    },
    Fixed {
        name: "groupe_instructeur_number",
        title: "Numéro du groupe instructeur",
        kind: K::Integer,
        options: &[],
        parts: &[],
        read: |d, _| Cell::Integer(i64::from(d.groupe_instructeur.number.get())),
    },
    Fixed {
        name: "usager_email",
        title: "E-mail de l’usager",
        kind: K::Text,
        options: &[],
        parts: &[Part::Usager],
        read: |d, _| Cell::text(&d.usager.email),
    },
    Fixed {
        name: "connection_usager",
        title: "Connexion de l’usager",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::text(&d.connection_usager),
    },
    Fixed {
        name: "demandeur_type",
        title: "Type de demandeur",
        kind: K::Choice,
        options: &["personne_physique", "personne_morale"],
        parts: &[],
        read: demandeur_type,
    },
    Fixed {
        name: "demandeur_civilite",
        title: "Civilité du demandeur",
        kind: K::Choice,
        options: &["M", "Mme"],
        parts: &[Part::Demandeur],
        read: |d, t| person(d, t, |person| Cell::maybe(person.civilite)),
    },
    Fixed {
        name: "demandeur_nom",
        title: "Nom du demandeur",
        kind: K::Text,
        options: &[],
        parts: &[Part::Demandeur],
        read: |d, t| person(d, t, |person| Cell::text(person.nom)),
    },
    Fixed {
        name: "demandeur_prenom",
        title: "Prénom du demandeur",
        kind: K::Text,
        options: &[],
        parts: &[Part::Demandeur],
        read: |d, t| person(d, t, |person| Cell::text(person.prenom)),
    },
    Fixed {
        name: "demandeur_date_de_naissance",
        title: "Date de naissance du demandeur",
        kind: K::Date,
        options: &[],
        parts: &[Part::Demandeur],
        read: birth_date,
    },
    Fixed {
        name: "demandeur_email",
        title: "E-mail du demandeur",
        kind: K::Text,
        options: &[],
        parts: &[Part::Demandeur],
        read: |d, t| person(d, t, |person| Cell::maybe(person.email)),
    },
    Fixed {
        // Empty columns of a company beside it mean that the register did not describe it yet (trap 53).
        name: "demandeur_siret",
        title: "SIRET du demandeur",
        kind: K::Text,
        options: &[],
        parts: &[Part::Demandeur],
        read: siret,
    },
    Fixed {
        name: "demandeur_siege_social",
        title: "Siège social",
        kind: K::Boolean,
        options: &[],
        parts: &[Part::Demandeur],
        read: |d, t| establishment(d, t, |found| found.siege_social.map_or(Cell::Null, Cell::Boolean)),
    },
    Fixed {
        name: "demandeur_raison_sociale",
        title: "Raison sociale",
        kind: K::Text,
        options: &[],
        parts: &[Part::Demandeur],
        read: |d, t| establishment(d, t, |found| Cell::maybe(registered_name(found).as_deref())),
    },
    Fixed {
        name: "demandeur_nom_commercial",
        title: "Nom commercial",
        kind: K::Text,
        options: &[],
        parts: &[Part::Demandeur],
        read: |d, t| company(d, t, |company| Cell::maybe(company.nom_commercial.as_deref())),
    },
    Fixed {
        name: "demandeur_siren",
        title: "SIREN",
        kind: K::Text,
        options: &[],
        parts: &[Part::Demandeur],
        read: |d, t| company(d, t, |company| Cell::text(&company.siren)),
    },
    Fixed {
        name: "demandeur_forme_juridique",
        title: "Forme juridique",
        kind: K::Text,
        options: &[],
        parts: &[Part::Demandeur],
        read: |d, t| company(d, t, |company| Cell::maybe(company.forme_juridique.as_deref())),
    },
    Fixed {
        name: "demandeur_forme_juridique_code",
        title: "Code de la forme juridique",
        kind: K::Text,
        options: &[],
        parts: &[Part::Demandeur],
        read: |d, t| company(d, t, |company| Cell::maybe(company.forme_juridique_code.as_deref())),
    },
    Fixed {
        name: "demandeur_etat_administratif",
        title: "État administratif de l’entreprise",
        kind: K::Text,
        options: &[],
        parts: &[Part::Demandeur],
        read: |d, t| company(d, t, |company| Cell::maybe(company.etat_administratif.as_deref())),
    },
    Fixed {
        name: "demandeur_code_effectif",
        title: "Tranche d’effectif",
        kind: K::Text,
        options: &[],
        parts: &[Part::Demandeur],
        read: |d, t| company(d, t, |company| Cell::maybe(company.code_effectif_entreprise.as_deref())),
    },
    Fixed {
        name: "demandeur_date_creation",
        title: "Date de création de l’entreprise",
        kind: K::Date,
        options: &[],
        parts: &[Part::Demandeur],
        read: |d, t| company(d, t, |company| company.date_creation.map_or(Cell::Null, Cell::Date)),
    },
    Fixed {
        name: "demandeur_naf",
        title: "Code NAF",
        kind: K::Text,
        options: &[],
        parts: &[Part::Demandeur],
        read: |d, t| establishment(d, t, |found| Cell::maybe(found.naf.as_deref())),
    },
    Fixed {
        name: "demandeur_libelle_naf",
        title: "Activité",
        kind: K::Text,
        options: &[],
        parts: &[Part::Demandeur],
        read: |d, t| establishment(d, t, |found| Cell::maybe(found.libelle_naf.as_deref())),
    },
    Fixed {
        name: "demandeur_naf_2025",
        title: "Code NAF 2025",
        kind: K::Text,
        options: &[],
        parts: &[Part::Demandeur],
        read: |d, t| establishment(d, t, |found| Cell::maybe(found.naf_2025.as_deref())),
    },
    Fixed {
        name: "demandeur_libelle_naf_2025",
        title: "Activité (NAF 2025)",
        kind: K::Text,
        options: &[],
        parts: &[Part::Demandeur],
        read: |d, t| establishment(d, t, |found| Cell::maybe(found.libelle_naf_2025.as_deref())),
    },
    Fixed {
        name: "demandeur_rna",
        title: "RNA",
        kind: K::Text,
        options: &[],
        parts: &[Part::Demandeur],
        read: |d, t| {
            establishment(d, t, |found| {
                Cell::maybe(found.association.as_ref().map(|association| association.rna.as_str()))
            })
        },
    },
    Fixed {
        name: "demandeur_adresse",
        title: "Adresse",
        kind: K::Text,
        options: &[],
        parts: &[Part::Demandeur],
        read: |d, t| address(d, t, |address| Cell::text(&address.label)),
    },
    Fixed {
        name: "demandeur_code_postal",
        title: "Code postal",
        kind: K::Text,
        options: &[],
        parts: &[Part::Demandeur],
        read: |d, t| address(d, t, |address| Cell::maybe(address.postal_code.as_deref())),
    },
    Fixed {
        name: "demandeur_commune",
        title: "Commune",
        kind: K::Text,
        options: &[],
        parts: &[Part::Demandeur],
        read: |d, t| address(d, t, |address| Cell::maybe(address.city_name.as_deref())),
    },
    Fixed {
        name: "demandeur_code_commune",
        title: "Code commune",
        kind: K::Text,
        options: &[],
        parts: &[Part::Demandeur],
        read: |d, t| address(d, t, |address| Cell::maybe(address.city_code.as_deref())),
    },
    Fixed {
        name: "demandeur_departement",
        title: "Département",
        kind: K::Text,
        options: &[],
        parts: &[Part::Demandeur],
        read: |d, t| address(d, t, |address| Cell::maybe(address.department_name.as_deref())),
    },
    Fixed {
        name: "demandeur_code_departement",
        title: "Code département",
        kind: K::Text,
        options: &[],
        parts: &[Part::Demandeur],
        read: |d, t| address(d, t, |address| Cell::maybe(address.department_code.as_deref())),
    },
    Fixed {
        name: "demandeur_region",
        title: "Région",
        kind: K::Text,
        options: &[],
        parts: &[Part::Demandeur],
        read: |d, t| address(d, t, |address| Cell::maybe(address.region_name.as_deref())),
    },
    Fixed {
        name: "mandataire_prenom",
        title: "Prénom du mandataire",
        kind: K::Text,
        options: &[],
        parts: &[Part::Mandataire],
        read: |d, _| Cell::maybe(d.mandataire.as_ref().and_then(|mandataire| mandataire.prenom.as_deref())),
    },
    Fixed {
        name: "mandataire_nom",
        title: "Nom du mandataire",
        kind: K::Text,
        options: &[],
        parts: &[Part::Mandataire],
        read: |d, _| Cell::maybe(d.mandataire.as_ref().and_then(|mandataire| mandataire.nom.as_deref())),
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
        // It is made in the background after the decision (trap 22), and its file again at each reading (trap 26):
        // only its presence is stable.
        name: "attestation",
        title: "Attestation",
        kind: K::Boolean,
        options: &[],
        parts: &[],
        read: |d, _| Cell::Boolean(d.attestation.is_some()),
    },
    Fixed {
        name: "labels",
        title: "Étiquettes",
        kind: K::Choices,
        options: &[],
        parts: &[],
        read: |d, _| list(d.labels.iter().map(|label| &label.name)),
    },
    Fixed {
        // Members that a groupe loses leave this list without a date that moves (trap 20).
        name: "instructeurs",
        title: "Instructeurs",
        kind: K::Choices,
        options: &[],
        parts: &[Part::Instructeurs],
        read: |d, _| list(d.instructeurs.iter().map(|profile| &profile.email)),
    },
    // The mapper fills it: only the mapper knows which values did not fit.
    Fixed {
        name: DOCUMENT_ONLY,
        title: "Réponses hors colonnes",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |_, _| Cell::Null,
    },
    Fixed {
        name: "valeurs_non_lues",
        title: "Valeurs non lues",
        kind: K::Text,
        options: &[],
        parts: &[],
        read: |d, _| Cell::text(d.unread_fields().join(", ")),
    },
];

fn instant(instant: Option<Timestamp>) -> Cell {
    instant.map_or(Cell::Null, Cell::Datetime)
}

fn list<'a>(items: impl Iterator<Item = &'a String>) -> Cell {
    let items: Vec<String> = items.cloned().collect();
    if items.is_empty() { Cell::Null } else { Cell::List(items) }
}

/// Returns the placeholder of a demandeur whose data stay on the platform, for every column of theirs.
fn withheld(treatment: Treatment) -> Cell {
    Cell::maybe(treatment.marker().or(Treatment::Exclude.marker()))
}

fn demandeur_type(dossier: &Dossier, _: Treatment) -> Cell {
    match &dossier.demandeur {
        Demandeur::PersonnePhysique { .. } => Cell::text("personne_physique"),
        // A company that the register does not describe yet is one all the same (trap 53).
        Demandeur::PersonneMorale(_) | Demandeur::PersonneMoraleIncomplete { .. } => Cell::text("personne_morale"),
        Demandeur::Inconnu { typename } => Cell::text(typename),
        Demandeur::Withheld => withheld(Treatment::Exclude),
    }
}

/// Texts of a person.
struct Person<'a> {
    civilite: Option<&'a str>,
    nom: &'a str,
    prenom: &'a str,
    email: Option<&'a str>,
}

fn person(dossier: &Dossier, treatment: Treatment, read: fn(Person<'_>) -> Cell) -> Cell {
    match &dossier.demandeur {
        Demandeur::PersonnePhysique { civilite, nom, prenom, date_de_naissance: _, email } => {
            read(Person { civilite: civilite.as_deref(), nom, prenom, email: email.as_deref() })
        }
        Demandeur::Withheld => withheld(treatment),
        Demandeur::PersonneMorale(_) | Demandeur::PersonneMoraleIncomplete { .. } | Demandeur::Inconnu { .. } => {
            Cell::Null
        }
    }
}

/// Returns the cell of a date of birth. A date cannot hold a placeholder, so the column shows its treatment.
fn birth_date(dossier: &Dossier, treatment: Treatment) -> Cell {
    match &dossier.demandeur {
        Demandeur::PersonnePhysique { date_de_naissance: Some(date), .. } => Cell::Date(*date),
        Demandeur::PersonnePhysique { date_de_naissance: None, .. } => Cell::maybe(treatment.marker()),
        Demandeur::Withheld => withheld(treatment),
        Demandeur::PersonneMorale(_) | Demandeur::PersonneMoraleIncomplete { .. } | Demandeur::Inconnu { .. } => {
            Cell::Null
        }
    }
}

fn siret(dossier: &Dossier, treatment: Treatment) -> Cell {
    match &dossier.demandeur {
        Demandeur::PersonneMorale(found) => Cell::text(&found.siret),
        Demandeur::PersonneMoraleIncomplete { siret } => Cell::text(siret),
        Demandeur::Withheld => withheld(treatment),
        Demandeur::PersonnePhysique { .. } | Demandeur::Inconnu { .. } => Cell::Null,
    }
}

fn establishment(dossier: &Dossier, treatment: Treatment, read: fn(&PersonneMorale) -> Cell) -> Cell {
    match &dossier.demandeur {
        Demandeur::PersonneMorale(found) => read(found),
        Demandeur::Withheld => withheld(treatment),
        Demandeur::PersonnePhysique { .. } | Demandeur::PersonneMoraleIncomplete { .. } | Demandeur::Inconnu { .. } => {
            Cell::Null
        }
    }
}

fn company(dossier: &Dossier, treatment: Treatment, read: fn(&Entreprise) -> Cell) -> Cell {
    match &dossier.demandeur {
        Demandeur::PersonneMorale(found) => found.entreprise.as_ref().map_or(Cell::Null, read),
        _ => establishment(dossier, treatment, |_| Cell::Null),
    }
}

fn address(dossier: &Dossier, treatment: Treatment, read: fn(&Address) -> Cell) -> Cell {
    match &dossier.demandeur {
        // Pseudonymisation removes the address of a company: the column shows that.
        Demandeur::PersonneMorale(found) => match &found.address {
            Some(address) => read(address),
            None => Cell::maybe(treatment.marker()),
        },
        _ => establishment(dossier, treatment, |_| Cell::Null),
    }
}
