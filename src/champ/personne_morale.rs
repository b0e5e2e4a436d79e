//! Companies, associations and administrations, as the State's directory records them.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Address;

/// An establishment in the State's directory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PersonneMorale {
    /// Its SIRET: text, it may begin with zeros. Empty if the platform sends the rest without it.
    pub siret: String,
    /// True if it is the head office.
    pub siege_social: Option<bool>,
    /// Its activity code.
    pub naf: Option<String>,
    /// Its activity in words.
    pub libelle_naf: Option<String>,
    /// Its activity code in the nomenclature of 2025. Only platforms newer than the pinned schema have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub naf_2025: Option<String>,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub libelle_naf_2025: Option<String>,
    /// Its address.
    pub address: Option<Address>,
    /// The company it belongs to.
    pub entreprise: Option<Entreprise>,
    /// The association it is.
    pub association: Option<Association>,
}

/// The company behind an establishment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entreprise {
    /// Its SIREN: text.
    pub siren: String,
    /// Its registered name.
    pub raison_sociale: Option<String>,
    /// The name it trades under.
    pub nom_commercial: Option<String>,
    /// The name on the shop sign.
    pub enseigne: Option<String>,
    /// Family name, for one-person companies.
    pub nom: Option<String>,
    /// First name, for one-person companies.
    pub prenom: Option<String>,
    /// Its legal form.
    pub forme_juridique: Option<String>,
    /// The code of its legal form.
    pub forme_juridique_code: Option<String>,
    /// Its capital in euros; `None` when unknown (which the platform writes `-1`).
    pub capital_social: Option<i64>,
    /// The code of its size in employees.
    pub code_effectif_entreprise: Option<String>,
    /// Its VAT number.
    pub numero_tva_intracommunautaire: Option<String>,
    /// The SIRET of its head office.
    pub siret_siege_social: Option<String>,
    /// When it was founded.
    pub date_creation: Option<Date>,
    /// `Actif`, `Ferme`, or another word.
    pub etat_administratif: Option<String>,
}

/// The association behind an establishment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Association {
    /// Its RNA number.
    pub rna: String,
    /// Its name.
    pub titre: String,
    /// Its purpose.
    pub objet: Option<String>,
    /// When it was founded.
    pub date_creation: Option<Date>,
    /// When it was declared.
    pub date_declaration: Option<Date>,
    /// When it was published in the official gazette.
    pub date_publication: Option<Date>,
}
