//! From what the platforms send to what the crate means, without I/O.
//!
//! Whatever this version does not know is kept as text and told as a [`Drift`].

mod champ;
mod demarche;
mod dossier;
mod number;
mod place;

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use super::page::{Drift, Position};
use super::wire::{Odd, Step, WireDeleted, WireDossier, WireLight, WirePosition};
use crate::dossier::{DeletedDossier, Dossier, DossierLight, DossierState};
use crate::ids::DossierNumber;

pub(super) use demarche::{demarche, form, groupe, head, news_head};

/// What the platform sent that this version does not know, each thing once.
#[derive(Debug, Default)]
pub(super) struct Drifts(BTreeSet<Drift>);

impl Drifts {
    /// Notes a type.
    fn typename(&mut self, name: &str) {
        self.0.insert(Drift::Typename(name.to_owned()));
    }

    /// Notes a value of an enumeration, unless it is known.
    fn value(&mut self, enumeration: &'static str, value: &str, known: &[&str]) {
        if !known.contains(&value) {
            self.0.insert(Drift::EnumValue(enumeration, value.to_owned()));
        }
    }

    /// Notes a value that is not what its scalar promises. The value is an answer, and is not told.
    fn scalar(&mut self, scalar: &'static str) {
        self.0.insert(Drift::EnumValue(scalar, "a value of another form".to_owned()));
    }

    /// Notes a number that no number of ours holds. Numbers of dossiers and groupes are no personal data.
    pub(super) fn number(&mut self, of: &'static str, number: &str) {
        self.0.insert(Drift::EnumValue(of, super::answer::cut(number)));
    }

    /// Notes a field whose value was of another form. The value is an answer, and is not told.
    fn odd(&mut self, path: &[Step]) {
        let fields = path.iter().filter_map(|step| match step {
            Step::Field(field) => Some(field.as_str()),
            Step::Position(_) => None,
        });
        let fields: Vec<&str> = fields.collect();
        self.0.insert(Drift::EnumValue("a value of another form at", fields.join(".")));
    }

    /// A state, noted when it is unknown.
    fn state(&mut self, name: &str) -> DossierState {
        let state = DossierState::from(name);
        if let DossierState::Inconnu(name) = &state {
            self.0.insert(Drift::EnumValue("DossierState", name.clone()));
        }
        state
    }

    /// What was noted, sorted.
    pub(super) fn into_vec(self) -> Vec<Drift> {
        self.0.into_iter().collect()
    }
}

/// What a page is made of.
pub(super) trait Node: DeserializeOwned {
    /// What it becomes.
    type Domain;

    /// The number of the dossier that it tells of.
    fn number(&self) -> u32;

    /// Marks a scalar that was of another form and is read as none. What is no dossier has no room for a mark.
    fn mark(&mut self, _odd: Odd) {}

    /// Converts it.
    fn convert(self, drift: &mut Drifts) -> Self::Domain;

    /// Converts it with what was odd in it.
    fn convert_with(mut self, odd: Vec<Odd>, drift: &mut Drifts) -> Self::Domain {
        for odd in odd {
            drift.odd(&odd.path);
            self.mark(odd);
        }
        self.convert(drift)
    }
}

impl Node for WireDossier {
    type Domain = Dossier;

    fn mark(&mut self, odd: Odd) {
        Self::mark(self, &odd.path, odd.text);
    }

    fn number(&self) -> u32 {
        self.number
    }

    fn convert(self, drift: &mut Drifts) -> Dossier {
        dossier::dossier(self, drift)
    }
}

impl Node for WireLight {
    type Domain = DossierLight;

    fn number(&self) -> u32 {
        self.number
    }

    fn convert(self, drift: &mut Drifts) -> DossierLight {
        dossier::light(self, drift)
    }
}

impl Node for WirePosition {
    type Domain = Position;

    fn number(&self) -> u32 {
        self.number
    }

    fn convert(self, _drift: &mut Drifts) -> Position {
        let WirePosition { number, date_derniere_modification } = self;
        Position { number: DossierNumber::new(number), date_derniere_modification: date_derniere_modification.0 }
    }
}

impl Node for WireDeleted {
    type Domain = DeletedDossier;

    fn number(&self) -> u32 {
        self.number
    }

    fn convert(self, drift: &mut Drifts) -> DeletedDossier {
        dossier::deleted(self, drift)
    }
}
