//! What a privacy policy means for tables.

use super::fingerprint::Digest;
use super::fixed;
use super::spec::{CellKind, ColumnKey, Origin, Spec, TableKey};
use crate::privacy::{FormTypes, Policy, Treatment};

/// Raised when the filter itself withholds more or less than before under an unchanged policy.
const FILTER_VERSION: u32 = 1;

impl Policy {
    /// The digest of the policy, to notice that it moved. It does not tell a change of the pseudonym key.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let policy = serde_json::to_vec(&(FILTER_VERSION, self)).expect("a policy is plain data with text keys");
        Digest::of(&policy)
    }

    /// Marks the columns whose values are withheld, and gives them a kind that has room for a marker or a pseudonym:
    /// what was withheld is visible as such, in the target's documentation as in its cells.
    pub fn adjust(&self, spec: &mut Spec, forms: &FormTypes) {
        for table in &mut spec.tables {
            let block = match &table.key {
                TableKey::Block(id) => Some(id),
                _ => None,
            };
            for column in &mut table.columns {
                column.policy = match (&column.key, &column.origin) {
                    (ColumnKey::Fixed(name), _) => {
                        let parts = fixed::governed_by(&table.key, name).iter();
                        parts.map(|part| self.of_part(*part)).max().unwrap_or_default()
                    }
                    (ColumnKey::Champ(..), Origin::Former) => Treatment::Include,
                    (ColumnKey::Champ(id, _), _) => self.of_champ(id, block, forms.kinds(id)),
                };
                if column.policy.keeps() {
                    continue;
                }
                let fixed_list = column.kind == CellKind::Choices && column.origin == Origin::Fixed;
                if !fixed_list {
                    column.kind = CellKind::Text;
                }
                column.options.clear();
            }
        }
    }
}
