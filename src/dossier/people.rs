//! Demandeurs: persons, companies, and those who submit for them.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::champ::PersonneMorale;

/// Person or company that asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Demandeur {
    /// A person.
    PersonnePhysique {
        /// `M` or `Mme`.
        civilite: Option<String>,
        /// Family name.
        nom: String,
        /// First name.
        prenom: String,
        /// Date of birth, when the form asks for it.
        date_de_naissance: Option<Date>,
        /// The e-mail address of the demandeur when somebody else submits.
        email: Option<String>,
    },
    /// A company, an association, an administration.
    PersonneMorale(Box<PersonneMorale>),
    /// A company whose record could not be read in the State's directory yet (trap 53).
    PersonneMoraleIncomplete {
        /// Its SIRET.
        siret: String,
    },
    /// A kind that this version does not know.
    Inconnu {
        /// The platform's name of the type.
        typename: String,
    },
    /// The privacy policy withheld the demandeur.
    Withheld,
}

/// The person who submits for the demandeur.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mandataire {
    /// First name.
    pub prenom: Option<String>,
    /// Family name.
    pub nom: Option<String>,
}
