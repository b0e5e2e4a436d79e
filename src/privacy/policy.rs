//! Privacy policy: a preset, and more precise rules.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{MASKED, NOT_KEPT};
use crate::demarche::TypeDeChamp;
use crate::fingerprint::Digest;
use crate::ids::DescriptorId;

/// Version of the filter. Raise it if the filter withholds more or less than before under an unchanged policy.
const FILTER_VERSION: u32 = 2;

/// Treatment of a value, from the mildest to the strictest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Treatment {
    /// Kept as it is.
    #[default]
    Include,
    /// Replaced by a keyed digest: equal values have equal digests. Values that nobody compares (messages, opinions,
    /// motivations, maps) are masked instead.
    Pseudonymise,
    /// Replaced by a placeholder, which shows that there is a value.
    Mask,
    /// Not kept.
    Exclude,
}

impl Treatment {
    /// The name used in configuration files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Include => "include",
            Self::Pseudonymise => "pseudonymise",
            Self::Mask => "mask",
            Self::Exclude => "exclude",
        }
    }

    /// Returns true if values stay as they are.
    #[must_use]
    pub fn keeps(self) -> bool {
        self == Self::Include
    }

    /// Returns the placeholder of a value that cannot be a pseudonym; `None` where values are kept.
    #[must_use]
    pub fn marker(self) -> Option<&'static str> {
        match self {
            Self::Include => None,
            Self::Pseudonymise | Self::Mask => Some(MASKED),
            Self::Exclude => Some(NOT_KEPT),
        }
    }
}

impl fmt::Display for Treatment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Part of a dossier that is no champ, under its name in rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DossierPart {
    /// The account that submitted it.
    Usager,
    /// Who asks.
    Demandeur,
    /// Who submits for the demandeur.
    Mandataire,
    /// The agents: followers, claimants of opinions, authors of decisions.
    Instructeurs,
    /// The mailbox.
    Messages,
    /// The opinions.
    Avis,
    /// The motivation of decisions.
    Motivation,
    /// Names and checksums of files, of champs and of everything else.
    PiecesJointes,
    /// The authors of the steps of the history.
    Traitements,
}

impl DossierPart {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Usager,
        Self::Demandeur,
        Self::Mandataire,
        Self::Instructeurs,
        Self::Messages,
        Self::Avis,
        Self::Motivation,
        Self::PiecesJointes,
        Self::Traitements,
    ];

    /// The name used in configuration files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Usager => "usager",
            Self::Demandeur => "demandeur",
            Self::Mandataire => "mandataire",
            Self::Instructeurs => "instructeurs",
            Self::Messages => "messages",
            Self::Avis => "avis",
            Self::Motivation => "motivation",
            Self::PiecesJointes => "pieces-jointes",
            Self::Traitements => "traitements",
        }
    }
}

/// Preset that rules refine. Under every preset signed addresses are never stored, and of an identity document only
/// that it was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Everything is kept but the NIR, which is masked in its champs and wherever else it was typed.
    #[default]
    #[serde(alias = "defaut")]
    Default,
    /// For analysts: persons are pseudonymised, free text, places and opinions are hidden, messages are not kept.
    Strict,
    /// Everything is kept but the NIR, masked in its champs and in answers that are nothing else; free text is kept as
    /// it was written, whatever it holds.
    Integral,
}

/// Rules about what may leave the platform. The most precise rule wins: descriptor, then kind, then preset.
///
/// A rule on a repetition block applies to the questions in it that have none of their own. A question that changed its
/// kind between revisions gets the strictest treatment of its kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Policy {
    /// The preset; [`Preset::Default`] if none is given.
    pub preset: Preset,
    /// Rules by kind: a `type_de_champ` of the platform (`email`, `piece_justificative`...), or a part of the dossier
    /// (`usager`, `messages`, `pieces-jointes`... see [`DossierPart`]).
    pub kinds: BTreeMap<String, Treatment>,
    /// Rules by question.
    pub descriptors: BTreeMap<DescriptorId, Treatment>,
}

/// Errors of a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// No kind of champ and no part of the dossier can have this name.
    #[error("no kind of champ and no part of a dossier is named `{kind}`{}", nearest.as_ref().map(|n| format!(" (did you mean `{n}`?)")).unwrap_or_default())]
    UnknownKind {
        /// The kind as it was written.
        kind: String,
        /// The nearest known name, when one is near.
        nearest: Option<String>,
    },
}

/// Rule for a kind that this version does not know: newer than this version, or misspelt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfamiliarKind {
    /// The kind as it was written.
    pub kind: String,
    /// The nearest known name, when one is near.
    pub nearest: Option<String>,
}

impl fmt::Display for UnfamiliarKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, nearest } = self;
        write!(f, "the rule for `{kind}` matches no kind of champ that this version knows")?;
        nearest.as_ref().map_or(Ok(()), |nearest| write!(f, " (did you mean `{nearest}`?)"))
    }
}

/// Returns true if the platform may have a kind of this name: it names its kinds in lower case, with underscores.
fn is_identifier(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c == '_';
    name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit())
}

/// Normalises the name of a kind: `QuotientFamilialChampDescriptor` and `quotient_familial` are one kind.
fn bare(name: &str) -> String {
    let stem = name.strip_suffix("ChampDescriptor").or_else(|| name.strip_suffix("Champ")).unwrap_or(name);
    stem.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

impl Policy {
    /// Computes the digest of the policy, to detect a change. It does not cover the pseudonym key.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let policy = serde_json::to_vec(&(FILTER_VERSION, self)).expect("a policy is plain data with text keys");
        Digest::of(&policy)
    }

    /// Lists the rules for kinds that this version does not know. They are kept, as a kind may be newer than this
    /// version.
    #[must_use]
    pub fn unfamiliar(&self) -> Vec<UnfamiliarKind> {
        let unknown = self.kinds.keys().filter(|kind| is_identifier(kind) && !is_known(kind));
        unknown.map(|kind| UnfamiliarKind { kind: kind.clone(), nearest: nearest(kind) }).collect()
    }

    /// Lists the errors of the policy.
    #[must_use]
    pub fn problems(&self) -> Vec<PolicyError> {
        let impossible = self.kinds.keys().filter(|kind| !is_identifier(kind) && !is_known(kind));
        impossible.map(|kind| PolicyError::UnknownKind { kind: kind.clone(), nearest: nearest(kind) }).collect()
    }

    /// Finds the rule for a kind. One that this version does not know matches any of the platform's names for it.
    fn rule(&self, kind: &TypeDeChamp) -> Option<Treatment> {
        let exact = self.kinds.get(kind.as_str()).copied();
        let TypeDeChamp::Inconnu(name) = kind else { return exact };
        if name.is_empty() {
            return exact;
        }
        let wanted = bare(name);
        let alike = self.kinds.iter().filter(|(written, _)| bare(written) == wanted);
        alike.map(|(_, treatment)| *treatment).chain(exact).max()
    }

    /// Returns the treatment of a part of the dossier.
    #[must_use]
    pub fn of_part(&self, part: DossierPart) -> Treatment {
        self.kinds.get(part.as_str()).copied().unwrap_or_else(|| self.preset.of_part(part))
    }

    /// Returns the treatment of the champs of a kind, rules for descriptors aside.
    #[must_use]
    pub fn of_kind(&self, kind: &TypeDeChamp) -> Treatment {
        match (self.rule(kind), kind) {
            (Some(treatment), _) => treatment,
            (None, TypeDeChamp::PieceJustificative) => self.of_part(DossierPart::PiecesJointes),
            (None, _) => self.preset.of_kind(kind),
        }
    }

    /// Returns the treatment of the answers to a question that had these kinds, in this block if it has one.
    #[must_use]
    pub fn of_champ(&self, id: &DescriptorId, block: Option<&DescriptorId>, kinds: &[TypeDeChamp]) -> Treatment {
        if let Some(treatment) = self.of_descriptor(id, block) {
            return treatment;
        }
        let around = block.and_then(|_| self.kinds.get(TypeDeChamp::Repetition.as_str())).copied().unwrap_or_default();
        let of_kind = |kind: &TypeDeChamp| match self.rule(kind) {
            Some(treatment) => treatment,
            None => self.of_kind(kind).max(around),
        };
        kinds.iter().map(of_kind).max().unwrap_or_else(|| of_kind(&TypeDeChamp::Inconnu(String::new())))
    }

    /// Finds the rule that names this question, or its block.
    pub(super) fn of_descriptor(&self, id: &DescriptorId, block: Option<&DescriptorId>) -> Option<Treatment> {
        let rule = self.descriptors.get(id).or_else(|| self.descriptors.get(block?));
        rule.copied()
    }

    /// Returns true if some value may have to be replaced by a keyed digest.
    #[must_use]
    pub fn needs_key(&self) -> bool {
        self.kinds.values().chain(self.descriptors.values()).any(|t| *t == Treatment::Pseudonymise)
            || DossierPart::ALL.into_iter().any(|part| self.of_part(part) == Treatment::Pseudonymise)
            || TypeDeChamp::KNOWN.iter().any(|kind| self.of_kind(kind) == Treatment::Pseudonymise)
    }
}

impl Preset {
    fn of_part(self, part: DossierPart) -> Treatment {
        match (self, part) {
            (Self::Default | Self::Integral, _) => Treatment::Include,
            (Self::Strict, DossierPart::Messages | DossierPart::PiecesJointes) => Treatment::Exclude,
            (Self::Strict, DossierPart::Avis | DossierPart::Motivation) => Treatment::Mask,
            (
                Self::Strict,
                DossierPart::Usager
                | DossierPart::Demandeur
                | DossierPart::Mandataire
                | DossierPart::Instructeurs
                | DossierPart::Traitements,
            ) => Treatment::Pseudonymise,
        }
    }

    fn of_kind(self, kind: &TypeDeChamp) -> Treatment {
        match self {
            Self::Default | Self::Integral if *kind == TypeDeChamp::Nir => Treatment::Mask,
            Self::Default | Self::Integral => Treatment::Include,
            Self::Strict => strict(kind),
        }
    }
}

/// Returns the treatment of a kind under `strict`. Each is decided here by name, so that a kind which is added to the
/// list does not leave in clear before somebody thought about it.
fn strict(kind: &TypeDeChamp) -> Treatment {
    use TypeDeChamp as T;
    match kind {
        // What names a person, and is worth comparing.
        T::Email | T::Phone | T::Iban | T::Rppsante => Treatment::Pseudonymise,
        T::Nir => Treatment::Mask,
        // What may say anything.
        T::Text | T::Textarea | T::Formatted | T::ExpressionReguliere | T::Referentiel | T::Inconnu(_) => {
            Treatment::Mask
        }
        // Addresses and maps show where a person lives.
        T::Address | T::Carte => Treatment::Mask,
        // What the State's registers know of a person: income, allowances, disability, studies, work, identity.
        T::Aah
        | T::Aeeh
        | T::Ars
        | T::Cnaf
        | T::Cojo
        | T::Dgfip
        | T::EtudiantBoursier
        | T::Mesri
        | T::PoleEmploi
        | T::PreRempli
        | T::QuotientFamilial => Treatment::Exclude,
        // What is chosen, measured or dated, places larger than an address, and what public registers know.
        T::AnnuaireEducation
        | T::Checkbox
        | T::Civilite
        | T::Communes
        | T::Date
        | T::Datetime
        | T::DecimalNumber
        | T::Departements
        | T::DossierLink
        | T::DropDownList
        | T::EngagementJuridique
        | T::Epci
        | T::Finess
        | T::IntegerNumber
        | T::LinkedDropDownList
        | T::MultipleDropDownList
        | T::Number
        | T::Pays
        | T::Regions
        | T::Rna
        | T::Rnf
        | T::Siret
        | T::YesNo => Treatment::Include,
        // Only that it was given is kept, in every preset.
        T::TitreIdentite => Treatment::Include,
        // Governed by `pieces-jointes`; by their own questions; never answered.
        T::PieceJustificative | T::Repetition | T::HeaderSection | T::Explication => Treatment::Include,
    }
}

fn known_names() -> impl Iterator<Item = &'static str> {
    TypeDeChamp::KNOWN.iter().map(TypeDeChamp::as_str).chain(DossierPart::ALL.into_iter().map(DossierPart::as_str))
}

fn is_known(name: &str) -> bool {
    known_names().any(|known| known == name)
}

fn nearest(name: &str) -> Option<String> {
    let scored = known_names().map(|known| (strsim::jaro_winkler(name, known), known));
    let near = scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0));
    near.map(|(_, known)| known.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(id: &str) -> DescriptorId {
        DescriptorId::new(id)
    }

    fn policy(kinds: &[(&str, Treatment)], descriptors: &[(&str, Treatment)]) -> Policy {
        Policy {
            preset: Preset::Default,
            kinds: kinds.iter().map(|(kind, t)| ((*kind).to_owned(), *t)).collect(),
            descriptors: descriptors.iter().map(|(d, t)| (id(d), *t)).collect(),
        }
    }

    #[test]
    fn the_most_precise_rule_wins() {
        use Treatment::{Exclude, Include, Mask, Pseudonymise};
        let email = [TypeDeChamp::Email];
        let cases = [
            ("preset alone", policy(&[], &[]), None, Include),
            ("kind", policy(&[("email", Mask)], &[]), None, Mask),
            ("descriptor over kind", policy(&[("email", Mask)], &[("a", Include)]), None, Include),
            ("block descriptor over kind", policy(&[("email", Mask)], &[("b", Exclude)]), Some("b"), Exclude),
            ("own descriptor over block", policy(&[], &[("a", Pseudonymise), ("b", Exclude)]), Some("b"), Pseudonymise),
            ("block kind", policy(&[("repetition", Exclude)], &[]), Some("b"), Exclude),
            ("own kind over block kind", policy(&[("repetition", Exclude), ("email", Mask)], &[]), Some("b"), Mask),
        ];
        for (case, policy, block, expected) in cases {
            assert_eq!(policy.of_champ(&id("a"), block.map(id).as_ref(), &email), expected, "{case}");
        }
    }

    #[test]
    fn a_question_that_changed_its_kind_gets_the_strictest_treatment() {
        let policy = policy(&[("email", Treatment::Mask)], &[]);
        assert_eq!(policy.of_champ(&id("a"), None, &[TypeDeChamp::Text, TypeDeChamp::Email]), Treatment::Mask);
    }

    #[test]
    fn files_of_champs_follow_the_part_unless_their_kind_has_a_rule() {
        let part = policy(&[("pieces-jointes", Treatment::Exclude)], &[]);
        assert_eq!(part.of_kind(&TypeDeChamp::PieceJustificative), Treatment::Exclude);
        let both = policy(&[("pieces-jointes", Treatment::Exclude), ("piece_justificative", Treatment::Include)], &[]);
        assert_eq!(both.of_kind(&TypeDeChamp::PieceJustificative), Treatment::Include);
    }

    #[test]
    fn the_nir_is_masked_in_every_preset() {
        for preset in [Preset::Default, Preset::Strict, Preset::Integral] {
            let policy = Policy { preset, ..Policy::default() };
            assert_eq!(policy.of_kind(&TypeDeChamp::Nir), Treatment::Mask, "{preset:?}");
        }
    }

    #[test]
    fn any_identifier_is_a_kind_and_one_that_is_not_known_is_told_with_the_nearest_name() {
        let policy =
            policy(&[("emails", Treatment::Mask), ("piece-jointes", Treatment::Mask), ("zzz", Treatment::Mask)], &[]);
        let told: Vec<String> = policy.unfamiliar().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "the rule for `emails` matches no kind of champ that this version knows (did you mean `email`?)",
                "the rule for `zzz` matches no kind of champ that this version knows",
            ]
        );
        let problems: Vec<String> = policy.problems().iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            ["no kind of champ and no part of a dossier is named `piece-jointes` (did you mean `pieces-jointes`?)"]
        );
        for kind in TypeDeChamp::KNOWN {
            assert!(is_identifier(kind.as_str()), "{kind}");
        }
    }

    #[test]
    fn a_rule_for_a_kind_that_is_not_known_matches_every_name_that_the_platform_has_for_it() {
        let policy = policy(&[("titre_de_sejour", Treatment::Exclude)], &[]);
        for name in ["titre_de_sejour", "TitreDeSejourChampDescriptor", "TitreDeSejourChamp"] {
            assert_eq!(policy.of_kind(&TypeDeChamp::Inconnu(name.to_owned())), Treatment::Exclude, "{name}");
        }
        assert_eq!(policy.of_kind(&TypeDeChamp::Inconnu("TitreChamp".to_owned())), Treatment::Include);
    }

    #[test]
    fn what_the_registers_of_the_state_know_of_a_person_is_not_kept_by_strict() {
        let policy = Policy { preset: Preset::Strict, ..Policy::default() };
        for kind in ["quotient_familial", "aah", "aeeh", "ars", "etudiant_boursier", "pre_rempli", "cnaf"] {
            let kind = TypeDeChamp::from(kind);
            assert!(!matches!(kind, TypeDeChamp::Inconnu(_)), "{kind} is known");
            assert_eq!(policy.of_kind(&kind), Treatment::Exclude, "{kind}");
        }
    }

    #[test]
    fn only_pseudonyms_need_a_key() {
        assert!(!Policy::default().needs_key());
        assert!(Policy { preset: Preset::Strict, ..Policy::default() }.needs_key());
        assert!(policy(&[], &[("a", Treatment::Pseudonymise)]).needs_key());
    }

    #[test]
    fn a_policy_is_read_from_kebab_case_and_refuses_typos() {
        let read = |json: &str| serde_json::from_str::<Policy>(json);
        let read_policy =
            read(r#"{"preset":"defaut","kinds":{"email":"pseudonymise"},"descriptors":{"Q2hhbXAtMQ==":"exclude"}}"#);
        assert_eq!(
            read_policy.ok(),
            Some(policy(&[("email", Treatment::Pseudonymise)], &[("Q2hhbXAtMQ==", Treatment::Exclude)]))
        );
        assert!(read(r#"{"presets":"strict"}"#).is_err());
        assert!(read(r#"{"kinds":{"email":"hide"}}"#).is_err());
    }
}
