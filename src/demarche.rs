//! Démarches: forms through all revisions, groupes with their instructeurs, labels.

use std::collections::{BTreeMap, BTreeSet};
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
    /// Facts about its questions that earlier readings showed and the platform shows no longer. Empty in an answer of
    /// the platform.
    #[serde(default, skip_serializing_if = "Learned::is_empty")]
    pub learned: Learned,
}

/// Facts about the questions of a démarche from earlier readings. They are kept with the form in the target, as the
/// platform changes forms in place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Learned {
    /// The kinds that a question had and has in no revision any more, oldest first.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub kinds: BTreeMap<DescriptorId, Vec<TypeDeChamp>>,
    /// The sub-values that answers to a question were seen to have, in the order in which they came.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<DescriptorId, Vec<SubColumn>>,
}

/// Sub-value that answers to a question may have. The form does not list them: answers show them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SubColumn {
    /// The platform's id of it.
    pub id: String,
    /// Its label.
    pub label: String,
}

impl Learned {
    /// Returns true if nothing was learned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { kinds, columns } = self;
        kinds.is_empty() && columns.is_empty()
    }

    /// Adds sub-values that answers to a question have. The last label wins.
    pub fn add_columns(&mut self, question: &DescriptorId, seen: impl IntoIterator<Item = SubColumn>) {
        let known = self.columns.entry(question.clone()).or_default();
        for column in seen {
            match known.iter_mut().find(|known| known.id == column.id) {
                Some(known) => *known = column,
                None => known.push(column),
            }
        }
    }
}

/// Properties of a démarche that cost a few fields to read and show that it changed.
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
    /// True if an answer is required.
    pub required: bool,
    /// The kind of champ.
    pub type_de_champ: TypeDeChamp,
    /// The choices of a list, empty if the platform does not send them (lists of the "advanced" mode).
    pub options: Vec<String>,
    /// The questions of a repetition block, in order; empty for every other kind.
    pub children: Vec<Descriptor>,
}

macro_rules! types_de_champ {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Kind of a champ: the kinds of both platforms, and [`Inconnu`](Self::Inconnu) for newer ones.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum TypeDeChamp {
            $($(#[$doc])* #[doc = concat!("`", $name, "`")] $variant,)*
            /// A kind that this version does not know (trap 41); its champs are kept as text.
            Inconnu(String),
        }

        impl TypeDeChamp {
            /// Every kind that this version knows.
            pub const KNOWN: &[Self] = &[$(Self::$variant),*];

            /// Returns the platform's name of the kind.
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
    /// Démarche Numérique only: the usager lets their allowance for disabled adults be asked for;
    Aah = "aah",
    Address = "address",
    /// Démarche Numérique only: the same for the allowance for the education of a disabled child;
    Aeeh = "aeeh",
    AnnuaireEducation = "annuaire_education",
    /// Démarche Numérique only: the same for the allowance for the start of the school year;
    Ars = "ars",
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
    /// Démarche Numérique only: the same for a student's grant;
    EtudiantBoursier = "etudiant_boursier",
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
    /// Démarche Numérique only: filled with what the State knows of the usager;
    PreRempli = "pre_rempli",
    /// Démarche Numérique only: the same for the family quotient;
    QuotientFamilial = "quotient_familial",
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
    /// Returns true if this is a title or an explanation: listed among the champs, answered by nobody (trap 45).
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
    /// True if it takes no new dossier.
    pub closed: bool,
    /// Its members. Left empty where a dossier only names its groupe.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instructeurs: Vec<Profile>,
}

/// A person known to the platform: an instructeur, an usager, an expert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The id, which contains the role; `<deleted>` for an account that was closed.
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

    /// Returns the label of a question: that of the newest revision which asks it.
    #[must_use]
    pub fn label_of(&self, id: &DescriptorId) -> Option<&str> {
        fn find<'a>(list: &'a [Descriptor], id: &DescriptorId) -> Option<&'a str> {
            list.iter().find_map(|d| if d.id == *id { Some(d.label.as_str()) } else { find(&d.children, id) })
        }
        self.revisions.iter().rev().find_map(|r| find(&r.champs, id).or_else(|| find(&r.annotations, id)))
    }

    /// Keeps facts about questions that an earlier reading had and this one lacks. The platform changes kinds in place,
    /// and a privacy rule for a kind must go on matching questions that were of it.
    pub fn remember(&mut self, earlier: &Self) {
        let now = self.kinds();
        let mut kinds = earlier.learned.kinds.clone();
        for (id, had) in earlier.kinds() {
            let known = kinds.entry(id.clone()).or_default();
            known.extend(had.into_iter().cloned());
        }
        for (id, had) in &self.learned.kinds {
            kinds.entry(id.clone()).or_default().extend(had.iter().cloned());
        }
        for (id, had) in &mut kinds {
            let mut seen = BTreeSet::new();
            let asked = now.get(id);
            had.retain(|kind| asked.is_none_or(|asked| !asked.contains(&kind)) && seen.insert(kind.clone()));
        }
        kinds.retain(|_, had| !had.is_empty());
        self.learned.kinds = kinds;
        let mut columns = earlier.learned.columns.clone();
        std::mem::swap(&mut columns, &mut self.learned.columns);
        for (id, seen) in columns {
            self.learned.add_columns(&id, seen);
        }
    }

    /// Lists the kinds of every question in the revisions, oldest first, each once.
    pub(crate) fn kinds(&self) -> BTreeMap<&DescriptorId, Vec<&TypeDeChamp>> {
        fn walk<'a>(list: &'a [Descriptor], kinds: &mut BTreeMap<&'a DescriptorId, Vec<&'a TypeDeChamp>>) {
            for descriptor in list {
                let of = kinds.entry(&descriptor.id).or_default();
                if !of.contains(&&descriptor.type_de_champ) {
                    of.push(&descriptor.type_de_champ);
                }
                walk(&descriptor.children, kinds);
            }
        }
        let mut kinds = BTreeMap::new();
        for revision in &self.revisions {
            walk(&revision.champs, &mut kinds);
            walk(&revision.annotations, &mut kinds);
        }
        kinds
    }

    /// Reduces this démarche to its head, to compare with a later one.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::samples::{demarche, id, question, revision};

    fn asking(kind: TypeDeChamp) -> Demarche {
        demarche(vec![revision("r1", vec![question(1, "CAF", kind)], Vec::new())])
    }

    #[test]
    fn the_kinds_that_a_question_had_are_remembered_through_any_number_of_changes_in_place() {
        let mut stored = asking(TypeDeChamp::Cnaf);
        for kind in [TypeDeChamp::Text, TypeDeChamp::Textarea, TypeDeChamp::Textarea] {
            let mut fresh = asking(kind);
            fresh.remember(&stored);
            stored = fresh;
        }
        assert_eq!(stored.learned.kinds[&id(1)], [TypeDeChamp::Cnaf, TypeDeChamp::Text]);
        let mut back = asking(TypeDeChamp::Cnaf);
        back.remember(&stored);
        assert_eq!(back.learned.kinds[&id(1)], [TypeDeChamp::Text, TypeDeChamp::Textarea]);
        let mut gone = demarche(vec![revision("r1", Vec::new(), Vec::new())]);
        gone.remember(&back);
        assert_eq!(gone.learned.kinds[&id(1)].len(), 3, "a question that nobody asks any more");
    }

    #[test]
    fn a_form_that_was_stored_by_an_older_version_opens_and_reads_the_same() {
        let form = asking(TypeDeChamp::Text);
        let json = serde_json::to_string(&form).expect("plain data");
        assert!(!json.contains("learned"), "{json}");
        assert_eq!(serde_json::from_str::<Demarche>(&json).ok(), Some(form));
    }
}
