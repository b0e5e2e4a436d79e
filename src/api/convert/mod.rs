//! Converts wire types of both platforms into domain types. No I/O.
//!
//! Values that this version does not know are kept as text and reported as a [`Drift`].

mod champ;
mod demarche;
mod dossier;
mod number;
mod place;

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use super::page::{Drift, Position};
use super::wire::{Odd, PathStep, WireDeleted, WireDossier, WireLight, WirePosition};
use crate::dossier::{DeletedDossier, Dossier, DossierLight, DossierState};
use crate::ids::DossierNumber;

pub(super) use demarche::{demarche, form, groupe, head, news_head};

/// Values that this version does not know, each once.
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

    /// Notes a value that is not what its scalar promises. The value is personal data, so the note does not contain it.
    fn scalar(&mut self, scalar: &'static str) {
        self.0.insert(Drift::EnumValue(scalar, "a value of another form".to_owned()));
    }

    /// Notes a number that does not fit ours. Numbers of dossiers and groupes are no personal data.
    pub(super) fn number(&mut self, of: &'static str, number: &str) {
        self.0.insert(Drift::EnumValue(of, super::answer::cut(number)));
    }

    /// Notes a field whose value had another form. The value is personal data, so the note does not contain it.
    fn odd(&mut self, path: &[PathStep]) {
        let fields = path.iter().filter_map(|step| match step {
            PathStep::Field(field) => Some(field.as_str()),
            PathStep::Position(_) => None,
        });
        let fields: Vec<&str> = fields.collect();
        self.0.insert(Drift::EnumValue("a value of another form at", fields.join(".")));
    }

    /// Converts a state, and notes it if it is unknown.
    fn state(&mut self, name: &str) -> DossierState {
        let state = DossierState::from(name);
        if let DossierState::Inconnu(name) = &state {
            self.0.insert(Drift::EnumValue("DossierState", name.clone()));
        }
        state
    }

    /// Returns the notes, sorted.
    pub(super) fn into_vec(self) -> Vec<Drift> {
        self.0.into_iter().collect()
    }
}

/// Decodes one node of a page.
pub(super) trait Node: DeserializeOwned {
    /// The type of the crate that the node becomes.
    type Domain;

    /// Returns the number of its dossier.
    fn number(&self) -> u32;

    /// Marks a scalar that had another form and is read as none. Only a dossier can hold a mark.
    fn mark(&mut self, _odd: Odd) {}

    /// Converts it.
    fn convert(self, drift: &mut Drifts) -> Self::Domain;

    /// Converts it with marks on the scalars that had another form.
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
