//! Collects the kinds that a descriptor had, in all revisions and before.

use std::collections::HashMap;

use crate::demarche::{Demarche, TypeDeChamp};
use crate::ids::DescriptorId;

/// Kinds that every question of a démarche ever had: in all its revisions, and before the platform changed it in place.
#[derive(Clone, Debug, Default)]
pub struct FormTypes(HashMap<DescriptorId, Vec<TypeDeChamp>>);

impl FormTypes {
    /// Collects the kinds from earlier facts and from all revisions, blocks included.
    #[must_use]
    pub fn of(demarche: &Demarche) -> Self {
        let mut types: HashMap<DescriptorId, Vec<TypeDeChamp>> =
            demarche.learned.kinds.iter().map(|(id, kinds)| (id.clone(), kinds.clone())).collect();
        let asked = demarche.kinds();
        // No revision asks this question: its present kind is unknown.
        for (id, kinds) in &mut types {
            if !asked.contains_key(id) {
                kinds.push(TypeDeChamp::Inconnu(String::new()));
            }
        }
        for (id, kinds) in asked {
            let of = types.entry(id.clone()).or_default();
            for kind in kinds {
                if !of.contains(kind) {
                    of.push(kind.clone());
                }
            }
        }
        Self(types)
    }

    /// Returns the kinds that a question had, oldest first; empty for an unknown question.
    #[must_use]
    pub fn kinds(&self, id: &DescriptorId) -> &[TypeDeChamp] {
        self.0.get(id).map(Vec::as_slice).unwrap_or_default()
    }
}
