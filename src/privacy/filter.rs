//! The filter on one dossier.

use std::borrow::Cow;

use super::form::FormTypes;
use super::policy::{Policy, PolicyError, Preset, Treatment};
use super::pseudonym::{PseudonymKey, stands_for_a_value};
use super::selection::Selection;
use super::{MASKED, NOT_KEPT, nir, visit};
use crate::champ::{Champ, ChampValue, Withheld};
use crate::demarche::TypeDeChamp;
use crate::dossier::Dossier;
use crate::ids::DescriptorId;

/// A policy ready for work.
#[derive(Clone, Debug)]
pub struct Filter {
    policy: Policy,
    key: Option<PseudonymKey>,
    selection: Selection,
}

/// Why a policy cannot be put to work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// A rule pseudonymises and there is no key to do it with.
    #[error("the privacy policy pseudonymises some values, and no pseudonym key was given")]
    MissingKey,
    /// The policy itself is wrong.
    #[error("the privacy policy has {} unknown names", .0.len())]
    Policy(Vec<PolicyError>),
}

impl Filter {
    /// Puts a policy to work.
    ///
    /// # Errors
    /// [`FilterError::Policy`] with everything that is wrong with it; [`FilterError::MissingKey`] when it pseudonymises
    /// without a key.
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

    /// The same for some dossiers of a démarche only.
    #[must_use]
    pub fn only(self, selection: Selection) -> Self {
        Self { selection, ..self }
    }

    /// Which dossiers it lets out at all.
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

    /// Withholds what the policy does not let out, in place. A dossier that was already filtered stays as it is; what a
    /// milder policy once let out is withheld, what a stricter one once withheld does not come back.
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
            self.files(files, Treatment::Include);
        }
        let asked = forms.kinds(&champ.descriptor);
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
            // That something could not be read stays told.
            champ.unread.values_mut().for_each(String::clear);
            return self.withhold(&mut champ.value, treatment, &kinds);
        }
        // Only somebody who named the question, or the kind, wants a NIR.
        let wanted = self.policy.of_descriptor(&champ.descriptor, block).is_some() || kinds.contains(&TypeDeChamp::Nir);
        if !wanted {
            self.scan(champ, &kinds);
        }
    }

    /// Masks the NIR that was typed where none was asked.
    fn scan(&self, champ: &mut Champ, kinds: &[TypeDeChamp]) {
        // Of an accreditation the digits of number and date may have the key of a NIR by chance.
        let other_form = |text: &str| kinds.contains(&TypeDeChamp::Cojo) && nir::is_accreditation(text);
        let whole = match &champ.value {
            ChampValue::Integer(number) => nir::is_nir_number(*number),
            ChampValue::Decimal(number) => nir::is_nir(&number.normalize().to_string()),
            value => value.as_text().is_some_and(|text| nir::is_nir(text) && !other_form(text)),
        };
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
        // The account behind a bank statement.
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
            (ChampValue::Withheld(Withheld::Excluded), _) => Withheld::Excluded,
            (_, Treatment::Mask) => Withheld::Masked,
            (ChampValue::Withheld(withheld), Treatment::Pseudonymise) => withheld.clone(),
            (value, Treatment::Pseudonymise) => match comparable(value) {
                Some(text) => Withheld::Pseudonym(self.pseudonym(self.domain(kinds), &text)),
                None => Withheld::Masked,
            },
        });
    }

    /// Withholds a text. Without a domain it is not worth comparing: it is masked where others get a pseudonym.
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

    /// The domain in which the answers to a question are compared: the newest of its kinds that is to be pseudonymised, so
    /// that a question which the platform made a plain text of stays comparable with what it was.
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

/// Equal for what people would call equal.
fn normal(domain: &str, text: &str) -> String {
    let text = text.trim();
    match domain {
        "email" | "nom" | "prenom" => text.to_lowercase(),
        "phone" => {
            let number: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
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

/// What a pseudonym is made of; nothing for what has no single text.
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
        V::Boolean(_) | V::Carte(_) | V::TitreIdentite { .. } => return None,
        other => Cow::Borrowed(other.as_text()?),
    };
    (!text.trim().is_empty()).then_some(text)
}

fn is_blank(value: &ChampValue) -> bool {
    match value {
        ChampValue::LinkedChoice { primary, secondary } => primary.is_none() && secondary.is_none(),
        // Of these the text may be all that is missing.
        ChampValue::Siret { siret, etablissement } => siret.trim().is_empty() && etablissement.is_none(),
        ChampValue::Rna(found) | ChampValue::Rnf(found) => found.is_empty(),
        ChampValue::Finess(record) | ChampValue::Rpps(record) => record.text.trim().is_empty() && record.data.is_none(),
        other => other.is_empty() || other.as_text().is_some_and(|text| text.trim().is_empty()),
    }
}

/// The kinds that count for a champ. A value may be of a kind that its question no longer has; a question that no
/// revision asks is of an unknown kind, whatever its value.
fn kinds_of<'a>(asked: &'a [TypeDeChamp], value: &ChampValue) -> Cow<'a, [TypeDeChamp]> {
    let unknown = asked.is_empty().then(|| TypeDeChamp::Inconnu(String::new()));
    let implied = implied(value).filter(|kind| !asked.contains(kind));
    match (unknown, implied) {
        (None, None) => Cow::Borrowed(asked),
        (unknown, implied) => Cow::Owned(asked.iter().cloned().chain(unknown).chain(implied).collect()),
    }
}

/// The kind that the value itself tells, whatever the form says.
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
        // Of these the form alone tells what they answer.
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

/// Of an identity document nothing but that it was given, whatever the platform shows of it.
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
