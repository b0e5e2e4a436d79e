//! Filters one dossier by the policy.

use std::borrow::Cow;

use super::form::FormTypes;
use super::policy::{Policy, PolicyError, Preset, Treatment};
use super::pseudonym::{PseudonymKey, stands_for_a_value};
use super::selection::Selection;
use super::{MASKED, NOT_KEPT, nir, visit};
use crate::champ::{Champ, ChampValue, Withheld};
use crate::demarche::TypeDeChamp;
use crate::dossier::Dossier;
use crate::fingerprint::Digest;
use crate::ids::DescriptorId;

/// Filter that applies a policy to dossiers.
#[derive(Clone, Debug)]
pub struct Filter {
    policy: Policy,
    key: Option<PseudonymKey>,
    selection: Selection,
}

/// Errors of building a filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// A rule pseudonymises, and no key was given.
    #[error("the privacy policy pseudonymises some values, and no pseudonym key was given")]
    MissingKey,
    /// The policy has errors.
    #[error("the privacy policy has {} unknown names", .0.len())]
    Policy(Vec<PolicyError>),
}

impl Filter {
    /// Computes the digest of the filter: of the policy and of the pseudonym key, which it does not reveal. It is
    /// stored with the rows, to detect rows that were filtered otherwise.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let key = self.key().filter(|_| self.policy().needs_key()).map(|key| key.pseudonym("digest", ""));
        Digest::of(format!("{} {}", self.policy().digest(), key.unwrap_or_default()).as_bytes())
    }

    /// Builds a filter of a policy.
    ///
    /// # Errors
    /// [`FilterError::Policy`] with all its errors; [`FilterError::MissingKey`] when it pseudonymises without a key.
    pub fn new(policy: Policy, key: Option<PseudonymKey>) -> Result<Self, FilterError> {
        let problems = policy.problems();
        if !problems.is_empty() {
            return Err(FilterError::Policy(problems));
        }
        if policy.needs_key() && key.is_none() {
            return Err(FilterError::MissingKey);
        }
        Ok(Self { policy, key, selection: Selection::default() })
    }

    /// Restricts the filter to a selection of dossiers.
    #[must_use]
    pub fn only(self, selection: Selection) -> Self {
        Self { selection, ..self }
    }

    /// Returns the selection of dossiers.
    #[must_use]
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn key(&self) -> Option<&PseudonymKey> {
        self.key.as_ref()
    }

    /// Withholds values by the policy, in place. Idempotent. On a stored document, values that a milder policy let
    /// through are withheld now; values that a stricter one withheld do not come back.
    pub fn apply(&self, dossier: &mut Dossier, forms: &FormTypes) {
        self.around(dossier);
        if self.policy.preset != Preset::Integral {
            visit::around(dossier, &mut redact);
        }
        dossier.champs.iter_mut().chain(&mut dossier.annotations).for_each(|champ| self.champ(champ, None, forms));
    }

    fn champ(&self, champ: &mut Champ, block: Option<&DescriptorId>, forms: &FormTypes) {
        if let ChampValue::Repetition(rows) = &mut champ.value {
            champ.columns.clear();
            let block = Some(&champ.descriptor);
            rows.iter_mut().flat_map(|row| &mut row.champs).for_each(|champ| self.champ(champ, block, forms));
            return;
        }
        if let ChampValue::Files(files) = &mut champ.value {
            // Under every policy: anybody who has a signed address can download the file without a token (trap 56).
            self.files(files, Treatment::Include);
        }
        let asked = forms.kinds(&champ.descriptor);
        // A question that was a title in one revision may be a real one in another: only pure titles are skipped (trap
        // 45).
        if !asked.is_empty() && asked.iter().all(TypeDeChamp::is_presentation) {
            return;
        }
        let kinds = kinds_of(asked, &champ.value);
        if kinds.contains(&TypeDeChamp::TitreIdentite) {
            only_that_it_was_given(champ);
        }
        let treatment = self.policy.of_champ(&champ.descriptor, block, &kinds);
        if !treatment.keeps() {
            champ.columns.clear();
            // The text is an answer and goes. The name of the field stays, as it reports that the field could not be
            // read.
            champ.unread.values_mut().for_each(String::clear);
            return self.withhold(&mut champ.value, treatment, &kinds);
        }
        // A NIR is kept only if a rule names the question or the kind.
        let wanted = self.policy.of_descriptor(&champ.descriptor, block).is_some() || kinds.contains(&TypeDeChamp::Nir);
        if !wanted {
            self.scan(champ, &kinds);
        }
    }

    /// Masks a NIR that was typed into an answer to another question.
    fn scan(&self, champ: &mut Champ, kinds: &[TypeDeChamp]) {
        // The digits of an accreditation (number and date) may have a valid NIR key by chance.
        let other_form = |text: &str| kinds.contains(&TypeDeChamp::Cojo) && nir::is_accreditation(text);
        // `as_text` decides about every kind; numbers are the only ones that are no texts and may be a NIR.
        let whole = champ.value.as_text().is_some_and(|text| nir::is_nir(text) && !other_form(text))
            || matches!(&champ.value, ChampValue::Integer(number) if nir::is_nir_number(*number))
            || matches!(&champ.value, ChampValue::Decimal(number) if nir::is_nir(&number.normalize().to_string()));
        if whole {
            champ.columns.clear();
            champ.unread.values_mut().for_each(String::clear);
            champ.value = ChampValue::Withheld(Withheld::Masked);
            return;
        }
        let everywhere = self.policy.preset != Preset::Integral;
        let mut see = |text: &mut String| match () {
            () if other_form(text) => {}
            () if everywhere => redact(text),
            () if nir::is_nir(text) => MASKED.clone_into(text),
            () => {}
        };
        if everywhere && !kinds.contains(&TypeDeChamp::Iban) {
            visit::answer(&mut champ.value, &mut see);
        }
        // A sub-value may hold the account behind a bank statement.
        let columns = champ.columns.iter_mut().flat_map(|column| &mut column.text);
        columns.chain(champ.unread.values_mut()).filter(|text| !nir::is_iban(text)).for_each(see);
    }

    fn withhold(&self, value: &mut ChampValue, treatment: Treatment, kinds: &[TypeDeChamp]) {
        if is_blank(value) {
            return;
        }
        if let ChampValue::Files(files) = value {
            return self.files(files, treatment);
        }
        *value = ChampValue::Withheld(match (&*value, treatment) {
            (_, Treatment::Include) => return,
            (_, Treatment::Exclude) => Withheld::Excluded,
            // A stored document was filtered before: a milder policy cannot bring a value back, and must not claim that
            // there is a masked one.
            (ChampValue::Withheld(Withheld::Excluded), _) => Withheld::Excluded,
            (_, Treatment::Mask) => Withheld::Masked,
            (ChampValue::Withheld(withheld), Treatment::Pseudonymise) => withheld.clone(),
            (value, Treatment::Pseudonymise) => match comparable(value) {
                Some(text) => Withheld::Pseudonym(self.pseudonym(self.domain(kinds), &text)),
                None => Withheld::Masked,
            },
        });
    }

    /// Withholds a text. Without a domain there is nothing to compare it with: it is masked instead of pseudonymised.
    pub(super) fn text(&self, text: &mut String, treatment: Treatment, domain: Option<&str>) {
        if text.trim().is_empty() {
            return;
        }
        *text = match (treatment, domain) {
            (Treatment::Include, _) => return,
            (Treatment::Exclude, _) => NOT_KEPT.to_owned(),
            (Treatment::Mask, _) if text == NOT_KEPT => return,
            (Treatment::Mask, _) => MASKED.to_owned(),
            (Treatment::Pseudonymise, _) if stands_for_a_value(text) => return,
            (Treatment::Pseudonymise, None) => MASKED.to_owned(),
            (Treatment::Pseudonymise, Some(domain)) => self.pseudonym(domain, text),
        };
    }

    /// Returns the domain of pseudonyms for a question: the newest of its kinds that is pseudonymised. The platform
    /// turned some kinds into plain texts in place; their answers stay comparable with earlier ones.
    fn domain<'a>(&self, kinds: &'a [TypeDeChamp]) -> &'a str {
        let pseudonymised = |kind: &&TypeDeChamp| self.policy.of_kind(kind) == Treatment::Pseudonymise;
        let newest = kinds.iter().rev().find(pseudonymised).or(kinds.last());
        newest.map_or(TypeDeChamp::Text.as_str(), TypeDeChamp::as_str)
    }

    fn pseudonym(&self, domain: &str, text: &str) -> String {
        let key = self.key.as_ref().expect("a filter that pseudonymises has a key");
        key.pseudonym(domain, &normal(domain, text))
    }
}

/// Normalises a text, so that values that people would call equal get one pseudonym.
fn normal(domain: &str, text: &str) -> String {
    let text = text.trim();
    match domain {
        "email" | "nom" | "prenom" => text.to_lowercase(),
        "phone" => {
            let number: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
            // People write one number as 06…, +33 6… and 0033 6…: all get one pseudonym.
            match number.strip_prefix("+33").or_else(|| number.strip_prefix("0033")) {
                Some(rest) => format!("0{}", rest.trim_start_matches('0')),
                None => number,
            }
        }
        "iban" => text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_uppercase).collect(),
        "siret" | "siren" => text.chars().filter(|c| !c.is_whitespace()).collect(),
        _ => text.to_owned(),
    }
}

/// Returns the text that a pseudonym is computed from; `None` for a value without a single text.
fn comparable(value: &ChampValue) -> Option<Cow<'_, str>> {
    use ChampValue as V;
    let text = match value {
        V::Integer(number) => Cow::Owned(number.to_string()),
        V::Decimal(number) => Cow::Owned(number.normalize().to_string()),
        V::Date(date) => Cow::Owned(date.to_string()),
        V::Datetime(instant) => Cow::Owned(instant.to_string()),
        V::DossierLink(number) => Cow::Owned(number.to_string()),
        V::LinkedChoice { primary, secondary } => {
            let (primary, secondary) =
                (primary.as_deref().unwrap_or_default(), secondary.as_deref().unwrap_or_default());
            Cow::Owned(format!("{primary} / {secondary}"))
        }
        V::Commune { commune: Some(commune), .. } => Cow::Borrowed(commune.code.as_deref().unwrap_or(&commune.name)),
        V::Departement(place)
        | V::Region(place)
        | V::Pays(place)
        | V::Epci { epci: Some(place), .. }
        | V::Epci { epci: None, departement: Some(place) }
        | V::Commune { commune: None, departement: Some(place) } => {
            Cow::Borrowed(if place.code.is_empty() { place.name.as_str() } else { place.code.as_str() })
        }
        V::Address(address) => Cow::Borrowed(address.label.as_str()),
        V::Choices { values, .. } => Cow::Owned(values.join("\0")),
        V::Text(_)
        | V::Civilite(_)
        | V::EngagementJuridique(_)
        | V::Choice { .. }
        | V::Siret { .. }
        | V::Rna(_)
        | V::Rnf(_)
        | V::Finess(_)
        | V::Rpps(_)
        | V::Unknown { .. } => Cow::Borrowed(value.as_text()?),
        V::Boolean(_)
        | V::Carte(_)
        | V::TitreIdentite { .. }
        | V::Commune { commune: None, departement: None }
        | V::Epci { epci: None, departement: None }
        | V::Repetition(_)
        | V::Files(_)
        | V::Empty
        | V::Presentation
        | V::Withheld(_) => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

fn is_blank(value: &ChampValue) -> bool {
    match value {
        ChampValue::LinkedChoice { primary, secondary } => primary.is_none() && secondary.is_none(),
        // The number may be blank while the record is there.
        ChampValue::Siret { siret, etablissement } => siret.trim().is_empty() && etablissement.is_none(),
        ChampValue::Rna(found) | ChampValue::Rnf(found) => found.is_empty(),
        ChampValue::Finess(record) | ChampValue::Rpps(record) => record.text.trim().is_empty() && record.data.is_none(),
        ChampValue::Text(_)
        | ChampValue::Civilite(_)
        | ChampValue::EngagementJuridique(_)
        | ChampValue::Integer(_)
        | ChampValue::Decimal(_)
        | ChampValue::Boolean(_)
        | ChampValue::Date(_)
        | ChampValue::Datetime(_)
        | ChampValue::Choice { .. }
        | ChampValue::Choices { .. }
        | ChampValue::Commune { .. }
        | ChampValue::Departement(_)
        | ChampValue::Region(_)
        | ChampValue::Pays(_)
        | ChampValue::Epci { .. }
        | ChampValue::Address(_)
        | ChampValue::Carte(_)
        | ChampValue::Repetition(_)
        | ChampValue::Files(_)
        | ChampValue::TitreIdentite { .. }
        | ChampValue::DossierLink(_)
        | ChampValue::Unknown { .. }
        | ChampValue::Empty
        | ChampValue::Presentation
        | ChampValue::Withheld(_) => value.is_empty() || value.as_text().is_some_and(|text| text.trim().is_empty()),
    }
}

/// Lists the kinds that count for a champ. A value may be of a kind that its question no longer has; a question that no
/// revision asks is of an unknown kind, whatever its value.
fn kinds_of<'a>(asked: &'a [TypeDeChamp], value: &ChampValue) -> Cow<'a, [TypeDeChamp]> {
    let unknown = asked.is_empty().then(|| TypeDeChamp::Inconnu(String::new()));
    let implied = implied(value).filter(|kind| !asked.contains(kind));
    match (unknown, implied) {
        (None, None) => Cow::Borrowed(asked),
        (unknown, implied) => Cow::Owned(asked.iter().cloned().chain(unknown).chain(implied).collect()),
    }
}

/// Returns the kind that the value itself implies, whatever the form says.
fn implied(value: &ChampValue) -> Option<TypeDeChamp> {
    use ChampValue as V;
    use TypeDeChamp as T;
    Some(match value {
        V::Unknown { typename, .. } if typename.contains("Nir") || typename.contains("NIR") => T::Nir,
        V::Unknown { typename, .. } => T::Inconnu(typename.clone()),
        V::Commune { .. } => T::Communes,
        V::Departement(_) => T::Departements,
        V::Region(_) => T::Regions,
        V::Pays(_) => T::Pays,
        V::Epci { .. } => T::Epci,
        V::Address(_) => T::Address,
        V::Siret { .. } => T::Siret,
        V::Rna(_) => T::Rna,
        V::Rnf(_) => T::Rnf,
        V::Carte(_) => T::Carte,
        V::Files(_) => T::PieceJustificative,
        V::TitreIdentite { .. } => T::TitreIdentite,
        V::Finess(_) => T::Finess,
        V::Rpps(_) => T::Rppsante,
        V::EngagementJuridique(_) => T::EngagementJuridique,
        V::DossierLink(_) => T::DossierLink,
        V::Civilite(_) => T::Civilite,
        V::LinkedChoice { .. } => T::LinkedDropDownList,
        V::Choices { .. } => T::MultipleDropDownList,
        // Only the form knows the kind of these.
        V::Empty
        | V::Text(_)
        | V::Integer(_)
        | V::Decimal(_)
        | V::Boolean(_)
        | V::Date(_)
        | V::Datetime(_)
        | V::Choice { .. }
        | V::Repetition(_)
        | V::Presentation
        | V::Withheld(_) => return None,
    })
}

/// Keeps of an identity document only that it was given, whatever the platform shows of it.
fn only_that_it_was_given(champ: &mut Champ) {
    champ.columns.clear();
    champ.unread.values_mut().for_each(String::clear);
    let kept = matches!(champ.value, ChampValue::TitreIdentite { .. } | ChampValue::Withheld(_));
    if !kept && !is_blank(&champ.value) {
        champ.value = ChampValue::TitreIdentite { grant_type: TypeDeChamp::PieceJustificative.as_str().to_owned() };
    }
}

fn redact(text: &mut String) {
    if stands_for_a_value(text) {
        return;
    }
    if let Some(redacted) = nir::redact(text) {
        *text = redacted;
    }
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
