//! Adds fields to the documents that a platform may have beyond the pinned schema, and sub-values of champs.
//!
//! The documents in `graphql/` ask for nothing that the pinned schema does not have. What came later is added to their
//! text where the schema of the platform shows it, so that one document serves every state of a platform.

use std::collections::BTreeSet;

use super::introspect::SchemaFacts;

/// Selection that is added if a schema has every name that it needs.
struct Addition {
    /// The names that the schema must have, as [`SchemaFacts`] lists them.
    needs: &'static [&'static str],
    /// The fragment that gets the fields.
    fragment: &'static str,
    /// The fields that are added. Selections of one field in one fragment are merged.
    selection: &'static str,
}

const NEWER: &[Addition] = &[
    Addition {
        needs: &["Dossier.dateAccuseLectureAgreement"],
        fragment: "DossierFields",
        selection: "dateAccuseLectureAgreement",
    },
    Addition {
        needs: &["Dossier.dateDerniereModificationChampsParInstructeur"],
        fragment: "DossierFields",
        selection: "dateDerniereModificationChampsParInstructeur",
    },
    Addition {
        needs: &[
            "Dossier.assignments",
            "DossierAssignment.assignedAt",
            "DossierAssignment.assignedBy",
            "DossierAssignment.groupeInstructeurLabel",
            "DossierAssignment.groupeInstructeurNumber",
            "DossierAssignment.mode",
            "DossierAssignment.previousGroupeInstructeurLabel",
            "DossierAssignment.previousGroupeInstructeurNumber",
        ],
        fragment: "DossierFields",
        selection: "assignments { assignedAt assignedBy groupeInstructeurLabel groupeInstructeurNumber mode \
                    previousGroupeInstructeurLabel previousGroupeInstructeurNumber }",
    },
    Addition {
        needs: &["Traitement.revision"],
        fragment: "DossierFields",
        selection: "traitements { revision { id } }",
    },
    Addition {
        needs: &["Traitement.changedColumns", "Column.label"],
        fragment: "DossierFields",
        selection: "traitements { changedColumns { label } }",
    },
    Addition {
        needs: &["PieceJustificativeChamp.nature"],
        fragment: "ChampFields",
        selection: "... on PieceJustificativeChamp { nature }",
    },
    Addition {
        needs: &["PersonneMorale.naf2025", "PersonneMorale.libelleNaf2025"],
        fragment: "PersonneMoraleFields",
        selection: "naf2025 libelleNaf2025",
    },
    // Aliased: the fields of a cadastral parcel have the same names and other types, which one selection may not merge.
    Addition {
        needs: &["Rpg.commune", "Rpg.numero", "Rpg.surface"],
        fragment: "ChampFields",
        selection: "... on CarteChamp { geoAreas { ... on Rpg { rpgCommune: commune rpgNumero: numero \
                    rpgSurface: surface } } }",
    },
];

const COLUMNS: Addition = Addition {
    needs: &["Champ.columns", "Column.id", "Column.label", "Column.stringValue"],
    fragment: "ChampFields",
    selection: "columns { __typename id label stringValue }",
};

impl Addition {
    /// Returns the name under which a target remembers whether the platform has it.
    fn name(&self) -> &'static str {
        self.needs[0]
    }

    fn is_possible(&self, schema: &SchemaFacts) -> bool {
        self.needs.iter().all(|fact| schema.has(fact))
    }
}

/// Returns all additions that this version knows, as one text. A target whose platform was read with another text reads the
/// schema again.
pub(crate) fn catalogue() -> String {
    let lines = NEWER
        .iter()
        .chain([&COLUMNS])
        .map(|addition| format!("{}\n{}\n{}\n", addition.needs.join(" "), addition.fragment, addition.selection));
    lines.collect()
}

/// Additions to the documents of one platform.
#[derive(Debug, Default)]
pub(super) struct Additions(Vec<(&'static str, &'static str)>);

impl Additions {
    /// Selects the additions that a schema allows: newer fields if they were enabled, sub-values if they are wanted.
    pub(super) fn allowed(by: &SchemaFacts, newer: bool, columns: bool) -> Self {
        Self::chosen(newer, columns, |addition| addition.is_possible(by))
    }

    /// Selects the additions that a platform with these fields allows.
    pub(super) fn of(fields: &BTreeSet<String>, columns: bool) -> Self {
        Self::chosen(true, columns, |addition| fields.contains(addition.name()))
    }

    fn chosen(newer: bool, columns: bool, has: impl Fn(&Addition) -> bool) -> Self {
        let newer = NEWER.iter().filter(|_| newer);
        let wanted = newer.chain(std::iter::once(&COLUMNS).filter(|_| columns));
        Self(wanted.filter(|addition| has(addition)).map(|addition| (addition.fragment, addition.selection)).collect())
    }

    /// Lists the names of all additions that a schema allows.
    pub(super) fn possible(schema: &SchemaFacts) -> BTreeSet<String> {
        let possible = NEWER.iter().chain([&COLUMNS]).filter(|addition| addition.is_possible(schema));
        possible.map(|addition| addition.name().to_owned()).collect()
    }

    /// Lists every set of fields that a platform may have.
    pub(super) fn choices() -> impl Iterator<Item = BTreeSet<String>> {
        let all: Vec<&Addition> = NEWER.iter().chain([&COLUMNS]).collect();
        (0..1_u32 << all.len()).map(move |bits| {
            let chosen = all.iter().enumerate().filter(|(index, _)| (bits >> index) & 1 == 1);
            chosen.map(|(_, addition)| addition.name().to_owned()).collect()
        })
    }

    /// Returns the document with the additions.
    pub(super) fn applied_to(&self, document: &str) -> String {
        let mut text = document.to_owned();
        for (fragment, selection) in &self.0 {
            let head = format!("fragment {fragment} on ");
            let Some(begin) = text.find(&head) else { continue };
            let Some(brace) = text[begin..].find('{') else { continue };
            text.insert_str(begin + brace + 1, &format!("\n  {selection}"));
        }
        text
    }

    /// Lists the additions, sorted: two readings that ask the same compare equal.
    pub(super) fn asked(&self) -> Vec<&'static str> {
        let mut asked: Vec<&'static str> = self.0.iter().map(|(_, selection)| *selection).collect();
        asked.sort_unstable();
        asked
    }
}

#[cfg(test)]
mod tests {
    use apollo_compiler::{ExecutableDocument, Schema};

    use super::*;
    use crate::api::generated::{demarche_numerique as dn, demat_social as ds};
    use crate::platform::Platform;

    fn document(platform: Platform) -> &'static str {
        match platform {
            Platform::DemarcheNumerique => dn::list_light::QUERY,
            Platform::DematSocial => ds::list_light::QUERY,
        }
    }

    fn sdl(platform: Platform) -> &'static str {
        match platform {
            Platform::DemarcheNumerique => include_str!("../../graphql/demarche-numerique/schema.graphql"),
            Platform::DematSocial => include_str!("../../graphql/demat-social/schema.graphql"),
        }
    }

    fn validates(sdl: &str, text: &str) {
        let schema = Schema::parse_and_validate(sdl, "schema.graphql").expect("a valid schema");
        if let Err(invalid) = ExecutableDocument::parse_and_validate(&schema, text, "dossiers.graphql") {
            panic!("{}", invalid.errors);
        }
    }

    #[test]
    fn nothing_is_added_that_the_pinned_schema_does_not_have() {
        for platform in Platform::ALL {
            let pinned = SchemaFacts::pinned(platform);
            assert_eq!(Additions::default().applied_to(document(platform)), document(platform));
            let all = Additions::allowed(&pinned, true, true);
            validates(sdl(platform), &all.applied_to(document(platform)));
            let columns = all.applied_to(document(platform)).contains("columns {");
            assert_eq!(columns, platform == Platform::DemarcheNumerique, "{platform}");
        }
    }

    #[test]
    fn what_a_platform_has_is_remembered_by_names_that_lead_to_the_same_document() {
        let platform = Platform::DemarcheNumerique;
        let later =
            format!("{}\n{}", sdl(platform), include_str!("../../graphql/demarche-numerique/newer/schema.graphql"));
        let schema = Schema::parse_and_validate(later, "schema.graphql").expect("a valid schema");
        let facts = SchemaFacts::of_schema(&schema);
        let fields = Additions::possible(&facts);
        assert_eq!(fields.len(), NEWER.len() + 1, "two of them have one name");
        for columns in [false, true] {
            let allowed = Additions::allowed(&facts, true, columns).asked();
            assert_eq!(Additions::of(&fields, columns).asked(), allowed);
            let found = Additions::choices().find(|fields| Additions::of(fields, columns).asked() == allowed);
            assert_eq!(found.map(|fields| Additions::of(&fields, columns).asked()), Some(allowed));
        }
        assert_eq!(Additions::choices().count(), 1 << (NEWER.len() + 1));
    }

    #[test]
    fn everything_is_asked_of_a_later_platform() {
        let platform = Platform::DemarcheNumerique;
        let later =
            format!("{}\n{}", sdl(platform), include_str!("../../graphql/demarche-numerique/newer/schema.graphql"));
        let schema = Schema::parse_and_validate(later.clone(), "schema.graphql").expect("a valid schema");
        let facts = SchemaFacts::of_schema(&schema);
        let all = Additions::allowed(&facts, true, true);
        assert_eq!(all.0.len(), NEWER.len() + 1, "{:?}", all.asked());
        validates(&later, &all.applied_to(document(platform)));
    }

    #[test]
    fn the_documents_fit_the_newest_schema_that_is_at_hand() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let name = "shared/reference/dn-2026-08-29-branch.graphql";
        let found = ["..", "../.."].iter().map(|up| root.join(up).join(name)).find(|path| path.exists());
        let Some(path) = found else { return eprintln!("no newer schema at hand: compared nothing") };
        let sdl = std::fs::read_to_string(path).expect("a readable schema");
        let schema = Schema::parse_and_validate(sdl.clone(), "schema.graphql").expect("a valid schema");
        let all = Additions::allowed(&SchemaFacts::of_schema(&schema), true, true);
        assert_eq!(all.0.len(), NEWER.len() + 1, "{:?}", all.asked());
        validates(&sdl, &all.applied_to(document(Platform::DemarcheNumerique)));
    }
}
