//! Applies a privacy policy to the specification of tables.

use super::fixed;
use super::spec::{CellKind, ColumnKey, Origin, Spec, TableKey};
use crate::privacy::{FormTypes, Policy, Treatment};

impl Spec {
    /// Marks the columns whose values are withheld, and gives them a kind that can hold a placeholder or a pseudonym: a
    /// withheld value is visible as such, in the target's documentation and in its cells.
    pub fn withhold(&mut self, policy: &Policy, forms: &FormTypes) {
        for table in &mut self.tables {
            let block = match &table.key {
                TableKey::Block(id) => Some(id),
                _ => None,
            };
            for column in &mut table.columns {
                column.policy = match (&column.key, &column.origin) {
                    (ColumnKey::Fixed(name), _) => {
                        let parts = fixed::governed_by(&table.key, name).iter();
                        parts.map(|part| policy.of_part(*part)).max().unwrap_or_default()
                    }
                    (ColumnKey::Champ(..) | ColumnKey::Column(..), Origin::Former) => Treatment::Include,
                    (ColumnKey::Champ(id, _) | ColumnKey::Column(id, _), _) => {
                        policy.of_champ(id, block, forms.kinds(id))
                    }
                };
                if column.policy.keeps() {
                    continue;
                }
                // A list of texts holds a placeholder as it is; a date or a number cannot hold `[masqué]`.
                let fixed_list = column.kind == CellKind::Choices && column.origin == Origin::Fixed;
                if !fixed_list {
                    column.kind = CellKind::Text;
                }
                column.options.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::champ::ChampValue;
    use crate::demarche::TypeDeChamp as T;
    use crate::fingerprint::Digest;
    use crate::plan::{Remembered, reconcile};
    use crate::privacy::samples::{champ, demarche, dossier, id, question, revision};
    use crate::privacy::{Filter, Preset, PseudonymKey};
    use crate::table::naming::NameLimits;
    use crate::table::{Cell, Mapper, infer};

    fn key(key: &str) -> Option<PseudonymKey> {
        PseudonymKey::new(&SecretString::from(key)).ok()
    }

    #[test]
    fn what_is_withheld_is_visible_in_every_column_that_it_leaves() {
        let demarche = demarche(vec![revision(
            "r1",
            vec![question(1, "Siège", T::Address), question(2, "Âge", T::IntegerNumber), question(3, "Ville", T::Text)],
            Vec::new(),
        )]);
        let forms = FormTypes::of(&demarche);
        let descriptors = [(id(1), Treatment::Mask), (id(2), Treatment::Exclude)].into();
        let kinds = [("demandeur".to_owned(), Treatment::Pseudonymise), ("avis".to_owned(), Treatment::Exclude)].into();
        let policy = Policy { preset: Preset::Default, kinds, descriptors };
        let mut spec = infer(&demarche);
        spec.withhold(&policy, &forms);
        let layout = reconcile(&spec, &Remembered::default(), NameLimits::default()).layout;

        let mut dossier = dossier(vec![
            champ(1, ChampValue::Address(Box::default())),
            champ(2, ChampValue::Integer(34)),
            champ(3, ChampValue::Text("Ambérieu".into())),
        ]);
        Filter::new(policy, key("a key for the tests only")).expect("a sound policy").apply(&mut dossier, &forms);
        let mapped = Mapper::new(&layout).row(dossier, Digest::of(b""));
        assert_eq!((mapped.misfits.as_slice(), mapped.unknown.as_slice()), (&[][..], &[][..]));
        let shown = |table: usize, cells: &[Cell], name: &str| {
            let column =
                layout.tables[table].columns.iter().position(|column| column.name == name).expect("the column");
            (cells[column].to_text().unwrap_or_default(), layout.tables[table].columns[column].spec.policy)
        };
        let cases = [
            ("siege", "[masqué]", Treatment::Mask),
            ("siege_code_postal", "[masqué]", Treatment::Mask),
            ("age", "[non conservé]", Treatment::Exclude),
            ("ville", "Ambérieu", Treatment::Include),
            ("demandeur_date_de_naissance", "[masqué]", Treatment::Pseudonymise),
            ("demandeur_siret", "", Treatment::Pseudonymise),
            ("usager_email", "Usagere@example.org", Treatment::Include),
        ];
        for (name, text, policy) in cases {
            assert_eq!(shown(0, &mapped.row.cells, name), (text.to_owned(), policy), "{name}");
        }
        let avis = layout.position(&TableKey::Avis).expect("the table");
        let row = mapped.row.children.iter().find(|row| row.table == avis).expect("the opinion");
        for name in ["question_answer", "reponse", "claimant_email"] {
            assert_eq!(shown(avis, &row.cells, name), ("[non conservé]".to_owned(), Treatment::Exclude), "{name}");
        }
    }
}
