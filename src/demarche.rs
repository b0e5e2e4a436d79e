//! A démarche: its form through all revisions, the people who treat its dossiers, its labels.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{DemarcheNumber, DescriptorId, GroupeInstructeurId, GroupeInstructeurNumber, RevisionId};

/// A démarche as the token sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demarche {
    /// Its number.
    pub number: DemarcheNumber,
    /// Its title.
    pub title: String,
    /// `brouillon`, `publiee`, `close`, `depubliee`, or a state that this version does not know.
    pub state: String,
    /// When anything of the démarche itself last changed (title, form, groups); dossiers do not count.
    pub date_derniere_modification: Timestamp,
    /// Every revision, oldest first, the draft included.
    pub revisions: Vec<Revision>,
    /// The revision in force: the published one, or the draft of a démarche that was never published.
    pub active_revision: RevisionId,
    /// The groupes d'instructeurs with their members.
    pub groupes_instructeurs: Vec<GroupeInstructeur>,
    /// The labels that may be put on its dossiers. Empty on Démat Social, whose schema has none.
    pub labels: Vec<Label>,
    /// The service that answers for it.
    pub service: Option<Service>,
}

/// What changes of a démarche can be noticed for the price of a few fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemarcheHead {
    /// Its number.
    pub number: DemarcheNumber,
    /// Its title.
    pub title: String,
    /// `brouillon`, `publiee`, `close`, `depubliee`, or a state that this version does not know.
    pub state: String,
    /// When anything of the démarche itself last changed.
    pub date_derniere_modification: Timestamp,
    /// The ids and dates of its revisions, oldest first.
    pub revisions: Vec<RevisionHead>,
}

/// The identity and dates of a revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevisionHead {
    /// Its id.
    pub id: RevisionId,
    /// When it was begun.
    pub date_creation: Timestamp,
    /// When it was published; `None` for a draft.
    pub date_publication: Option<Timestamp>,
}

/// One version of the form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Its id.
    pub id: RevisionId,
    /// When it was begun.
    pub date_creation: Timestamp,
    /// When it was published; `None` for a draft.
    pub date_publication: Option<Timestamp>,
    /// The questions asked to the usager, in order.
    pub champs: Vec<Descriptor>,
    /// The private annotations of the instructeurs, in order.
    pub annotations: Vec<Descriptor>,
}

/// A question of the form in one revision. The same id may have another label, type or options in another revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptor {
    /// Its id, the same in every revision and in every clone of the démarche.
    pub id: DescriptorId,
    /// The question as the usager reads it. Several questions may have the same label.
    pub label: String,
    /// The help text under the question.
    pub description: Option<String>,
    /// Whether an answer is required.
    pub required: bool,
    /// The kind of champ.
    pub type_de_champ: TypeDeChamp,
    /// The choices of a list, empty when the platform does not tell them (lists of the "advanced" mode).
    pub options: Vec<String>,
    /// The questions of a repetition block, in order; empty for every other kind.
    pub children: Vec<Descriptor>,
}

macro_rules! types_de_champ {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// The kind of a champ: the union of both platforms' lists, and what neither knew when this was written.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum TypeDeChamp {
            $($(#[$doc])* #[doc = concat!("`", $name, "`")] $variant,)*
            /// A kind that this version does not know (trap 41); its champs are kept as text.
            Inconnu(String),
        }

        impl TypeDeChamp {
            /// Every kind that this version knows.
            pub const KNOWN: &[Self] = &[$(Self::$variant),*];

            /// The platform's own name of the kind.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Inconnu(name) => name,
                }
            }
        }

        impl From<&str> for TypeDeChamp {
            fn from(name: &str) -> Self {
                match name {
                    $($name => Self::$variant,)*
                    other => Self::Inconnu(other.to_owned()),
                }
            }
        }
    };
}

types_de_champ! {
    Address = "address",
    AnnuaireEducation = "annuaire_education",
    Carte = "carte",
    Checkbox = "checkbox",
    Civilite = "civilite",
    Cnaf = "cnaf",
    Cojo = "cojo",
    Communes = "communes",
    Date = "date",
    Datetime = "datetime",
    DecimalNumber = "decimal_number",
    Departements = "departements",
    Dgfip = "dgfip",
    DossierLink = "dossier_link",
    DropDownList = "drop_down_list",
    Email = "email",
    EngagementJuridique = "engagement_juridique",
    Epci = "epci",
    Explication = "explication",
    /// Démat Social only;
    ExpressionReguliere = "expression_reguliere",
    /// Démat Social only;
    Finess = "finess",
    /// Démarche Numérique only;
    Formatted = "formatted",
    HeaderSection = "header_section",
    Iban = "iban",
    IntegerNumber = "integer_number",
    LinkedDropDownList = "linked_drop_down_list",
    Mesri = "mesri",
    MultipleDropDownList = "multiple_drop_down_list",
    /// Démat Social only;
    Nir = "nir",
    Number = "number",
    Pays = "pays",
    Phone = "phone",
    PieceJustificative = "piece_justificative",
    PoleEmploi = "pole_emploi",
    /// Démarche Numérique only;
    Referentiel = "referentiel",
    Regions = "regions",
    Repetition = "repetition",
    Rna = "rna",
    Rnf = "rnf",
    /// Démat Social only;
    Rppsante = "rppsante",
    Siret = "siret",
    Text = "text",
    Textarea = "textarea",
    TitreIdentite = "titre_identite",
    YesNo = "yes_no",
}

impl TypeDeChamp {
    /// Whether this is a title or an explanation: listed among the champs, answered by nobody (trap 45).
    #[must_use]
    pub fn is_presentation(&self) -> bool {
        matches!(self, Self::HeaderSection | Self::Explication)
    }
}

impl fmt::Display for TypeDeChamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for TypeDeChamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for TypeDeChamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Ok(Self::from(name.as_ref()))
    }
}

/// A groupe d'instructeurs and its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupeInstructeur {
    /// Its id.
    pub id: GroupeInstructeurId,
    /// Its number.
    pub number: GroupeInstructeurNumber,
    /// Its name.
    pub label: String,
    /// Whether it takes no new dossier.
    pub closed: bool,
    /// Its members. Left empty where a dossier only names its groupe.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instructeurs: Vec<Profile>,
}

/// A person known to the platform: an instructeur, an usager, an expert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The id, which tells the role; `<deleted>` for an account that was closed.
    pub id: String,
    /// The e-mail address. Personal data: never in a log.
    pub email: String,
}

/// A label that instructeurs put on dossiers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Label {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its colour, a name of the State's design system such as `green_menthe`.
    pub color: String,
}

/// The service in charge of a démarche.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its id.
    pub id: String,
    /// Its name.
    pub nom: String,
    /// The organisation it belongs to.
    pub organisme: String,
    /// Its SIRET.
    pub siret: Option<String>,
}

impl Demarche {
    /// The revision in force.
    #[must_use]
    pub fn active(&self) -> Option<&Revision> {
        self.revisions.iter().find(|revision| revision.id == self.active_revision)
    }

    /// The label of a question: that of the newest revision which asks it.
    #[must_use]
    pub fn label_of(&self, id: &DescriptorId) -> Option<&str> {
        fn find<'a>(list: &'a [Descriptor], id: &DescriptorId) -> Option<&'a str> {
            list.iter().find_map(|d| if d.id == *id { Some(d.label.as_str()) } else { find(&d.children, id) })
        }
        self.revisions.iter().rev().find_map(|r| find(&r.champs, id).or_else(|| find(&r.annotations, id)))
    }

    /// The light form of this démarche, to compare with what the platform shows later.
    #[must_use]
    pub fn head(&self) -> DemarcheHead {
        DemarcheHead {
            number: self.number,
            title: self.title.clone(),
            state: self.state.clone(),
            date_derniere_modification: self.date_derniere_modification,
            revisions: self
                .revisions
                .iter()
                .map(|r| RevisionHead {
                    id: r.id.clone(),
                    date_creation: r.date_creation,
                    date_publication: r.date_publication,
                })
                .collect(),
        }
    }
}
