//! Parsing, validation, and what the platform looks for in the text of a document.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use apollo_compiler::ast::OperationType;
use apollo_compiler::collections::HashMap;
use apollo_compiler::executable::{Operation, Selection, SelectionSet};
use apollo_compiler::schema::Implementers;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Name, Schema};
use serde_json::{Value as Json, json};

use crate::Platform;

/// Deepest selection that the platform executes.
const MAX_DEPTH: usize = 15;

const UNKNOWN_CHAMP_DN: &str = "
type NouveauChamp implements Champ { champDescriptorId: String! columns: [Column!]! id: ID! label: String!
  prefilled: Boolean! stringValue: String updatedAt: ISO8601DateTime! }";

const UNKNOWN_CHAMPS_DS: &str = "
type NouveauChamp implements Champ { id: ID! label: String! prefilled: Boolean! stringValue: String
  updatedAt: ISO8601DateTime! }
type NirChamp implements Champ { id: ID! label: String! prefilled: Boolean! stringValue: String
  updatedAt: ISO8601DateTime! }";

/// The stems of descriptors of kinds that no client knows.
const DESCRIPTORS_DN: &[&str] = &["Nouveau"];
const DESCRIPTORS_DS: &[&str] = &["Nouveau", "Nir", "Finess", "Rppsante"];

const DN: &str = include_str!("../../../../graphql/demarche-numerique/schema.graphql");
/// The additions of a current Démarche Numérique.
const NEWER_DN: &str = include_str!("../../../../graphql/demarche-numerique/newer/schema.graphql");
const DS: &str = include_str!("../../../../graphql/demat-social/schema.graphql");

/// The schemas of one platform.
pub(crate) struct Schemas {
    /// The schema for validation.
    pub pinned: Valid<Schema>,
    /// The schema for execution, with types and values that no client knows.
    pub served: Valid<Schema>,
    /// Implementations of the served interfaces, computed once.
    pub implementers: HashMap<Name, Implementers>,
}

impl Schemas {
    /// The schemas of a platform, parsed once per process; `newer` is a Démarche Numérique of today.
    pub fn of(platform: Platform, newer: bool) -> &'static Self {
        static DEMARCHE_NUMERIQUE: LazyLock<Schemas> =
            LazyLock::new(|| Schemas::build(DN, UNKNOWN_CHAMP_DN, DESCRIPTORS_DN));
        static NEWER: LazyLock<Schemas> =
            LazyLock::new(|| Schemas::build(&format!("{DN}\n{NEWER_DN}"), UNKNOWN_CHAMP_DN, DESCRIPTORS_DN));
        static DEMAT_SOCIAL: LazyLock<Schemas> =
            LazyLock::new(|| Schemas::build(DS, UNKNOWN_CHAMPS_DS, DESCRIPTORS_DS));
        match platform {
            Platform::DemarcheNumerique if newer => &NEWER,
            Platform::DemarcheNumerique => &DEMARCHE_NUMERIQUE,
            Platform::DematSocial => &DEMAT_SOCIAL,
        }
    }

    /// Those of a platform whose schema was changed: `change` gets the text of the pinned one.
    pub fn altered(platform: Platform, change: impl FnOnce(&str) -> String) -> Self {
        match platform {
            Platform::DemarcheNumerique => Self::build(&change(DN), UNKNOWN_CHAMP_DN, DESCRIPTORS_DN),
            Platform::DematSocial => Self::build(&change(DS), UNKNOWN_CHAMPS_DS, DESCRIPTORS_DS),
        }
    }

    fn build(sdl: &str, champs: &str, descriptors: &[&str]) -> Self {
        let mut wider = format!("{sdl}\n{champs}\nextend enum TypeDeChamp {{ nouveau_type }}\n");
        for stem in descriptors {
            wider.push_str(&descriptor(stem));
        }
        let parse = |text: &str| match Schema::parse_and_validate(text, "schema.graphql") {
            Ok(schema) => schema,
            Err(invalid) => panic!("the schema is not valid: {}", invalid.errors),
        };
        // A schema that somebody altered may ask more of those types than they have: it is then served as it is.
        let served = Schema::parse_and_validate(&wider, "schema.graphql").unwrap_or_else(|_| parse(sdl));
        let implementers = served.implementers_map();
        Self { pinned: parse(sdl), served, implementers }
    }
}

/// The type of a kind of question that the pinned schema does not have.
fn descriptor(stem: &str) -> String {
    format!(
        "type {stem}ChampDescriptor implements ChampDescriptor {{ champDescriptors: [ChampDescriptor!]
         description: String id: ID! label: String! required: Boolean! type: TypeDeChamp! }}\n"
    )
}

/// A document that was looked at once and can be executed many times.
pub(crate) struct Prepared {
    /// The document, or the errors that its validation gives.
    pub document: Result<Valid<ExecutableDocument>, Vec<Json>>,
    /// Types that the text names in a fragment: they decide under which type answers are served.
    pub fragments: HashSet<String>,
    /// Names of the operations that read champs: the costly ones. An unnamed operation is "".
    heavy: HashSet<String>,
    /// `true` if it asks for the schema itself.
    introspects: bool,
    /// Depth of each operation.
    depths: Vec<(String, usize)>,
    /// `true` if an inline fragment has no type condition: the platform crashes on it.
    pub bare_fragment: bool,
    /// The fault of its roots: several of them, or aliases.
    pub root_violations: Vec<String>,
}

impl Prepared {
    /// Parses and validates a document.
    pub fn new(schemas: &Schemas, text: &str) -> Arc<Self> {
        let mut prepared = Self {
            document: Err(Vec::new()),
            fragments: HashSet::new(),
            heavy: HashSet::new(),
            introspects: false,
            depths: Vec::new(),
            bare_fragment: false,
            root_violations: Vec::new(),
        };
        match ExecutableDocument::parse_and_validate(&schemas.pinned, text, "query.graphql") {
            Ok(document) => {
                prepared.look_at(&document);
                prepared.document = Ok(document);
            }
            Err(invalid) => {
                let mut errors: Vec<Json> = invalid.errors.iter().map(|e| validation_error(&e.to_json())).collect();
                // An unknown field may leave its parent without selection: the platform does not say that as well.
                if errors.iter().any(|error| error.get("extensions").is_some()) {
                    errors.retain(|error| error.get("extensions").is_some());
                }
                prepared.document = Err(errors);
            }
        }
        Arc::new(prepared)
    }

    /// Returns `true` if that operation reads champs.
    pub fn reads_champs(&self, operation: &str) -> bool {
        self.heavy.contains(operation)
    }

    /// Makes the platform's message about an operation that is too deep.
    pub fn too_deep(&self, operation: &str) -> Option<String> {
        let (_, depth) = self.depths.iter().find(|(name, depth)| name == operation && *depth > MAX_DEPTH)?;
        (!self.introspects).then(|| format!("Query has depth of {depth}, which exceeds max depth of {MAX_DEPTH}"))
    }

    fn look_at(&mut self, document: &ExecutableDocument) {
        for operation in document.operations.iter() {
            let roots = &operation.selection_set.selections;
            let kind = operation.operation_type;
            if roots.len() > 1 && kind != OperationType::Subscription {
                self.root_violations.push("several root fields in one request".to_owned());
            }
            if roots.iter().filter_map(Selection::as_field).any(|field| field.alias.is_some()) {
                self.root_violations.push("an alias at the root".to_owned());
            }
            let name = operation.name.as_ref().map(ToString::to_string).unwrap_or_default();
            if operation.all_fields(document).any(|field| field.name == "champs") {
                self.heavy.insert(name.clone());
            }
            self.introspects |= operation.root_fields(document).any(|field| field.name == "__schema");
            self.depths.push((name, depth(document, operation)));
            self.walk(&operation.selection_set);
        }
        for fragment in document.fragments.values() {
            self.fragments.insert(fragment.type_condition().to_string());
            self.walk(&fragment.selection_set);
        }
    }

    fn walk(&mut self, selections: &SelectionSet) {
        for selection in &selections.selections {
            match selection {
                Selection::Field(field) => self.walk(&field.selection_set),
                Selection::InlineFragment(fragment) => {
                    match &fragment.type_condition {
                        Some(name) => drop(self.fragments.insert(name.to_string())),
                        None => self.bare_fragment = true,
                    }
                    self.walk(&fragment.selection_set);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }
}

/// One validation error as the platform writes it; only an unknown field has a code.
fn validation_error(error: &apollo_compiler::response::GraphQLError) -> Json {
    let mut json = json!({ "message": error.message });
    if !error.locations.is_empty() {
        json["locations"] = error.locations.iter().map(|at| json!({"line": at.line, "column": at.column})).collect();
    }
    let mut quoted = error.message.split('`').skip(1).step_by(2);
    if error.message.contains("does not have a field")
        && let (Some(typename), Some(field)) = (quoted.next(), quoted.next())
    {
        json["message"] = format!("Field '{field}' doesn't exist on type '{typename}'").into();
        json["extensions"] = json!({"code": "undefinedField", "typeName": typename, "fieldName": field});
    }
    json
}

fn depth(document: &ExecutableDocument, operation: &Operation) -> usize {
    fn below(document: &ExecutableDocument, selections: &SelectionSet) -> usize {
        let depths = selections.selections.iter().map(|selection| match selection {
            Selection::Field(field) => 1 + below(document, &field.selection_set),
            Selection::InlineFragment(fragment) => below(document, &fragment.selection_set),
            Selection::FragmentSpread(spread) => document
                .fragments
                .get(&spread.fragment_name)
                .map_or(0, |fragment| below(document, &fragment.selection_set)),
        });
        depths.max().unwrap_or(0)
    }
    below(document, &operation.selection_set)
}
