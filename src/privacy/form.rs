//! Which kinds a descriptor had through all revisions.

use std::collections::HashMap;

use crate::demarche::{Demarche, Descriptor, TypeDeChamp};
use crate::ids::DescriptorId;

/// The kinds of every question of a démarche, in all its revisions.
#[derive(Clone, Debug, Default)]
pub struct FormTypes(HashMap<DescriptorId, Vec<TypeDeChamp>>);

impl FormTypes {
    /// Reads them from all revisions, blocks included.
    #[must_use]
    pub fn of(demarche: &Demarche) -> Self {
        fn walk(list: &[Descriptor], types: &mut HashMap<DescriptorId, Vec<TypeDeChamp>>) {
            for descriptor in list {
                let kinds = types.entry(descriptor.id.clone()).or_default();
                if !kinds.contains(&descriptor.type_de_champ) {
                    kinds.push(descriptor.type_de_champ.clone());
                }
                walk(&descriptor.children, types);
            }
        }
        let mut types = HashMap::new();
        for revision in &demarche.revisions {
            walk(&revision.champs, &mut types);
            walk(&revision.annotations, &mut types);
        }
        Self(types)
    }

    /// The kinds that a question had, oldest first; empty for a question that no revision asks.
    #[must_use]
    pub fn kinds(&self, id: &DescriptorId) -> &[TypeDeChamp] {
        self.0.get(id).map(Vec::as_slice).unwrap_or_default()
    }
}
