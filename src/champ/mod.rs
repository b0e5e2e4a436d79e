//! Champs: answers to questions, and the values that they may hold.
//!
//! Values are read from typed fields; the platform's `stringValue` serves for text, exact decimals and display only
//! (docs/platform.md#champs). The typed field also decides whether the answer is [`ChampValue::Empty`], as an empty
//! text and a null text mean different things (trap 52).

mod file;
mod find;
mod personne_morale;
mod place;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use file::File;
pub use find::{ChampNotFound, find};
pub use personne_morale::{Association, Entreprise, PersonneMorale};
pub use place::{Address, Commune, GeoArea, Geometry, Parcelle, Rpg, Territory};

use crate::ids::{ChampId, DescriptorId, DossierNumber, RowId};

/// The answer to one question in one dossier.
///
/// A champ that is absent from a dossier is not applicable there (hidden by a condition, or not asked by the dossier's
/// revision), and its stored cells must be emptied: the platform does not list it again with a null (trap 44).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Champ {
    /// The id of this champ of this dossier.
    pub id: ChampId,
    /// The question it answers.
    pub descriptor: DescriptorId,
    /// The label of the question: from the newest published revision that asks it ([`Labels`](crate::api::Labels)), or from
    /// the dossier's own revision where it was read alone ([`Client::dossier`](crate::Client::dossier)). Not stored with
    /// the dossier.
    #[serde(skip)]
    pub label: Option<Arc<str>>,
    /// The answer.
    pub value: ChampValue,
    /// When the platform last touched the champ; only single dossiers have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// True if the value came from a prefilled form; only single dossiers have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefilled: Option<bool>,
    /// The sub-values that Démarche Numérique exposes as columns, beside the answer itself; asked for on demand only
    /// ([`Client::with_columns`](crate::Client::with_columns)).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ColumnValue>,
    /// The nature of a file, where the form states one: `RIB`, `JUSTIFICATIF_DOMICILE`, or another of the platform's
    /// words. Only platforms newer than the pinned schema state it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nature: Option<String>,
    /// The fields of the answer that could not be decoded. The text is empty if the platform failed to make the field,
    /// and otherwise the value that came in another form than the schema promises.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unread: BTreeMap<String, String>,
}

/// One sub-value of a champ, as Démarche Numérique names and types it. Démat Social has none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnValue {
    /// The column's id.
    pub id: String,
    /// Its label.
    pub label: String,
    /// The value as text, when there is one.
    pub text: Option<String>,
}

/// Value of a champ. One variant a kind; an unanswered champ of any kind is [`Empty`](Self::Empty).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChampValue {
    /// Nothing was answered.
    Empty,
    /// Text of any kind: short, long, e-mail, phone, IBAN, and whatever has no type of its own on the platform.
    Text(String),
    /// A whole number, exact to 64 bits (the API sends it as text, trap 42).
    Integer(i64),
    /// A decimal number, exact (read from the text, as the API's float loses digits, trap 42).
    Decimal(Decimal),
    /// A yes or a no. On Démat Social, and for every checkbox, "not answered" is indistinguishable from `false`
    /// (trap 43).
    Boolean(bool),
    /// A day.
    Date(Date),
    /// An instant.
    Datetime(Timestamp),
    /// `M` or `Mme`.
    Civilite(String),
    /// One choice of a list, by its label. `value` is the platform's internal id where it differs (lists of the
    /// "advanced" mode, trap 51).
    Choice {
        /// The choice as the usager reads it.
        label: String,
        /// The internal id, only where it is not the label.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<String>,
    },
    /// Several choices of a list. Where the platform gives internal ids only ("advanced" mode), `text` holds the joined
    /// labels; it cannot be split, as a label may contain a comma.
    Choices {
        /// The choices, labels or internal ids.
        values: Vec<String>,
        /// The labels joined by the platform, only where `values` are internal ids.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// A choice in a list, and one in the list that the first one opens.
    LinkedChoice {
        /// The first choice.
        primary: Option<String>,
        /// The second choice.
        secondary: Option<String>,
    },
    /// A commune with its département; either may be all that the platform has.
    Commune {
        /// The commune.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commune: Option<Commune>,
        /// Its département.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        departement: Option<Territory>,
    },
    /// A département.
    Departement(Territory),
    /// A région.
    Region(Territory),
    /// A country.
    Pays(Territory),
    /// An intercommunality with its département, which may be all that was chosen.
    Epci {
        /// The intercommunality.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        epci: Option<Territory>,
        /// Its département.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        departement: Option<Territory>,
    },
    /// A postal address in its parts.
    Address(Box<Address>),
    /// A SIRET; the establishment is absent until the State's directory has answered (trap 53).
    Siret {
        /// The number as text: it may begin with zeros. Empty if the answer has only the establishment.
        siret: String,
        /// The establishment it names.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        etablissement: Option<Box<PersonneMorale>>,
    },
    /// An association by its RNA number.
    Rna(Box<Registration>),
    /// A foundation by its RNF number.
    Rnf(Box<Registration>),
    /// Areas drawn or chosen on a map.
    Carte(Vec<GeoArea>),
    /// The rows of a repetition block, in order of creation.
    Repetition(Vec<RepetitionRow>),
    /// Attached files.
    Files(Vec<File>),
    /// An identity document: only that it was given is kept.
    TitreIdentite {
        /// `piece_justificative` or `france_connect`.
        grant_type: String,
    },
    /// Another dossier, by its number.
    DossierLink(DossierNumber),
    /// A legal commitment of the State's accounting, by its number (the amounts are not implemented by the platform).
    EngagementJuridique(String),
    /// A health establishment (Démat Social).
    Finess(HealthRecord),
    /// A health professional (Démat Social).
    Rpps(HealthRecord),
    /// A title or an explanation (trap 45): no answer, no column.
    Presentation,
    /// A kind that this version does not know, kept as text (trap 41).
    Unknown {
        /// The platform's name of the type.
        typename: String,
        /// The value as the platform displays it.
        string_value: Option<String>,
    },
    /// The privacy policy withheld the value: visible as such, never as an absent answer.
    Withheld(Withheld),
}

/// Trace that the privacy filter leaves in the place of a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withheld {
    /// The value is not kept at all.
    Excluded,
    /// The value is hidden; a placeholder shows that there is one.
    Masked,
    /// The value is replaced by a keyed digest: equal values have equal digests.
    Pseudonym(String),
}

/// Record behind the registration number of an association or a foundation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Registration {
    /// The number (RNA or RNF). Empty if the answer has only the record.
    pub id: String,
    /// The registered name.
    pub title: Option<String>,
    /// The registered address.
    pub address: Option<Box<Address>>,
    /// The commune of the address, as the platform gives it beside.
    pub commune: Option<Commune>,
    /// Its département.
    pub departement: Option<Territory>,
}

impl Registration {
    /// Returns true if there is neither a number nor a record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { id, title, address, commune, departement } = self;
        id.trim().is_empty() && title.is_none() && address.is_none() && commune.is_none() && departement.is_none()
    }
}

/// A FINESS or RPPS record: the number, and the directory's data, whose keys and JSON types vary (docs/platform.md#champs).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HealthRecord {
    /// The number, or the free text typed where none was found.
    pub text: String,
    /// The directory's record as it came.
    pub data: Option<serde_json::Value>,
}

impl HealthRecord {
    /// Returns a value of the record as text, whatever its JSON type: `355` and `"355"` are the same code.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<String> {
        match self.data.as_ref()?.get(key)? {
            serde_json::Value::Null => None,
            serde_json::Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }
}

/// One row of a repetition block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RepetitionRow {
    /// Its id, unique in the dossier and never used again after the row is removed.
    pub id: RowId,
    /// Its champs.
    pub champs: Vec<Champ>,
}

impl ChampValue {
    /// Returns true if nothing was answered. `false`, `0` and a withheld value are answers.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Empty | Self::Presentation => true,
            Self::Files(files) => files.is_empty(),
            Self::Carte(areas) => areas.is_empty(),
            Self::Repetition(rows) => rows.is_empty(),
            Self::Choices { values, .. } => values.is_empty(),
            Self::Unknown { string_value, .. } => string_value.as_deref().unwrap_or_default().is_empty(),
            Self::Text(_)
            | Self::Civilite(_)
            | Self::EngagementJuridique(_)
            | Self::Integer(_)
            | Self::Decimal(_)
            | Self::Boolean(_)
            | Self::Date(_)
            | Self::Datetime(_)
            | Self::Choice { .. }
            | Self::LinkedChoice { .. }
            | Self::Commune { .. }
            | Self::Departement(_)
            | Self::Region(_)
            | Self::Pays(_)
            | Self::Epci { .. }
            | Self::Address(_)
            | Self::Siret { .. }
            | Self::Rna(_)
            | Self::Rnf(_)
            | Self::TitreIdentite { .. }
            | Self::DossierLink(_)
            | Self::Finess(_)
            | Self::Rpps(_)
            | Self::Withheld(_) => false,
        }
    }

    /// Returns the text of a text champ, of a choice, or of an unknown kind.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Civilite(text) | Self::EngagementJuridique(text) => Some(text),
            Self::Choice { label, .. } => Some(label),
            Self::Siret { siret, .. } => Some(siret),
            Self::Rna(registration) | Self::Rnf(registration) => Some(&registration.id),
            Self::Finess(record) | Self::Rpps(record) => Some(&record.text),
            Self::Unknown { string_value, .. } => string_value.as_deref(),
            Self::Integer(_)
            | Self::Decimal(_)
            | Self::Boolean(_)
            | Self::Date(_)
            | Self::Datetime(_)
            | Self::Choices { .. }
            | Self::LinkedChoice { .. }
            | Self::Commune { .. }
            | Self::Departement(_)
            | Self::Region(_)
            | Self::Pays(_)
            | Self::Epci { .. }
            | Self::Address(_)
            | Self::Carte(_)
            | Self::Repetition(_)
            | Self::Files(_)
            | Self::TitreIdentite { .. }
            | Self::DossierLink(_)
            | Self::Empty
            | Self::Presentation
            | Self::Withheld(_) => None,
        }
    }
}
