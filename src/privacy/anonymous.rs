//! Reduces a dossier to what may be counted and does not identify a person.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::NOT_KEPT;
use super::filter::Filter;
use super::form::FormTypes;
use super::policy::{DossierPart, Policy, Preset, Treatment};
use crate::champ::{Champ, ChampValue};
use crate::demarche::{Demarche, Descriptor, Profile, TypeDeChamp};
use crate::dossier::{Demandeur, Dossier};
use crate::ids::DescriptorId;

/// Placeholder of the usager's id in an anonymised dossier.
pub const ANONYMOUS: &str = "anonyme";

/// Kinds whose answers are counted: they are chosen or measured, not written.
const COUNTED: [TypeDeChamp; 11] = [
    TypeDeChamp::YesNo,
    TypeDeChamp::Checkbox,
    TypeDeChamp::DropDownList,
    TypeDeChamp::MultipleDropDownList,
    TypeDeChamp::LinkedDropDownList,
    TypeDeChamp::IntegerNumber,
    TypeDeChamp::DecimalNumber,
    TypeDeChamp::Number,
    TypeDeChamp::Departements,
    TypeDeChamp::Regions,
    TypeDeChamp::Pays,
];

impl Policy {
    /// Returns the policy of anonymisation: answers that are counted stay, all others and everything about people go.
    #[must_use]
    pub fn anonymous() -> Self {
        let kept = |kind: &TypeDeChamp| COUNTED.contains(kind) || *kind == TypeDeChamp::Repetition;
        let kinds = TypeDeChamp::KNOWN.iter().map(|kind| match kept(kind) {
            true => (kind.as_str().to_owned(), Treatment::Include),
            false => (kind.as_str().to_owned(), Treatment::Exclude),
        });
        let parts = DossierPart::ALL.map(|part| (part.as_str().to_owned(), Treatment::Exclude));
        // Kinds that this version does not know are masked by the preset.
        Self { preset: Preset::Strict, kinds: kinds.chain(parts).collect(), descriptors: BTreeMap::new() }
    }
}

/// Anonymises dossiers: removes what may identify a person, and keeps what is counted: state, dates, groupe, revision,
/// labels, steps, whether the demandeur is a person or a company, and the answers that were chosen from a list of the
/// form, are a number, a yes or a no, or a département, région or country. Messages, opinions and their files stay as
/// rows without content.
#[derive(Clone, Debug)]
pub struct Anonymiser {
    filter: Filter,
    forms: FormTypes,
    options: HashMap<DescriptorId, BTreeSet<String>>,
}

impl Anonymiser {
    /// Builds an anonymiser for the dossiers of a démarche.
    #[must_use]
    pub fn new(demarche: &Demarche) -> Self {
        fn walk(descriptors: &[Descriptor], options: &mut HashMap<DescriptorId, BTreeSet<String>>) {
            for descriptor in descriptors {
                let listed: &mut BTreeSet<String> = options.entry(descriptor.id.clone()).or_default();
                for option in &descriptor.options {
                    listed.insert(option.clone());
                    // The platform writes the first choices of a linked list as `--Fruits--`.
                    listed.extend(option.strip_prefix("--").and_then(|o| o.strip_suffix("--")).map(str::to_owned));
                }
                walk(&descriptor.children, options);
            }
        }
        let mut options = HashMap::new();
        for revision in &demarche.revisions {
            walk(&revision.champs, &mut options);
            walk(&revision.annotations, &mut options);
        }
        let filter = Filter::new(Policy::anonymous(), None).expect("it names known kinds and makes no pseudonym");
        Self { filter, forms: FormTypes::of(demarche), options }
    }

    /// Anonymises a dossier in place. Idempotent.
    pub fn apply(&self, dossier: &mut Dossier) {
        let demandeur = kind_of(&dossier.demandeur);
        self.filter.apply(dossier, &self.forms);
        dossier.demandeur = demandeur;
        // An opaque id names nobody, but it links all dossiers of one person.
        let Profile { id, email: _ } = &mut dossier.usager;
        ANONYMOUS.clone_into(id);
        dossier.instructeurs.clear();
        dossier.groupe_instructeur.instructeurs.clear();
        dossier.mandataire = None;
        dossier.unread.clear();
        for avis in &mut dossier.avis {
            avis.claimant.iter_mut().chain(&mut avis.expert).for_each(|profile| ANONYMOUS.clone_into(&mut profile.id));
        }
        dossier.champs.iter_mut().chain(&mut dossier.annotations).for_each(|champ| self.champ(champ));
    }

    fn champ(&self, champ: &mut Champ) {
        if let ChampValue::Repetition(rows) = &mut champ.value {
            return rows.iter_mut().flat_map(|row| &mut row.champs).for_each(|champ| self.champ(champ));
        }
        champ.columns.clear();
        champ.unread.clear();
        if !self.is_counted(champ) {
            // Empty rather than a placeholder, which columns of numbers and dates cannot hold.
            champ.value = ChampValue::Empty;
        }
    }

    /// Returns true if an answer that the policy let through is one of those that are counted. An "other" choice was
    /// written by hand.
    fn is_counted(&self, champ: &Champ) -> bool {
        use ChampValue as V;
        let listed = |choice: &String| self.options.get(&champ.descriptor).is_some_and(|all| all.contains(choice));
        match &champ.value {
            V::Integer(_) | V::Decimal(_) | V::Boolean(_) | V::Departement(_) | V::Region(_) | V::Pays(_) => true,
            V::Presentation | V::Empty => true,
            V::Choice { label, value: _ } => listed(label),
            V::Choices { values, text: None } => values.iter().all(listed),
            V::LinkedChoice { primary, secondary } => primary.iter().chain(secondary).all(listed),
            V::Text(_)
            | V::Civilite(_)
            | V::Date(_)
            | V::Datetime(_)
            | V::Choices { values: _, text: Some(_) }
            | V::Commune { .. }
            | V::Epci { .. }
            | V::Address(_)
            | V::Siret { .. }
            | V::Rna(_)
            | V::Rnf(_)
            | V::Carte(_)
            | V::Repetition(_)
            | V::Files(_)
            | V::TitreIdentite { .. }
            | V::DossierLink(_)
            | V::EngagementJuridique(_)
            | V::Finess(_)
            | V::Rpps(_)
            | V::Unknown { .. }
            | V::Withheld(_) => false,
        }
    }
}

/// Reduces a demandeur to its kind: a person or a company.
fn kind_of(demandeur: &Demandeur) -> Demandeur {
    let word = || NOT_KEPT.to_owned();
    match demandeur {
        Demandeur::PersonnePhysique { .. } => Demandeur::PersonnePhysique {
            civilite: None,
            nom: word(),
            prenom: word(),
            date_de_naissance: None,
            email: None,
        },
        Demandeur::PersonneMorale(_) | Demandeur::PersonneMoraleIncomplete { .. } => {
            Demandeur::PersonneMoraleIncomplete { siret: word() }
        }
        Demandeur::Inconnu { typename } => Demandeur::Inconnu { typename: typename.clone() },
        Demandeur::Withheld => Demandeur::Withheld,
    }
}

#[cfg(test)]
#[path = "anonymous_tests.rs"]
mod tests;
