//! Reads the platform's schema and compares it with the pinned one.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::client::Client;
use super::error::ApiError;
#[cfg(feature = "sandbox")]
use super::live_schema::LiveSchema;
use super::operation::{Request, encode};
use crate::platform::Platform;

/// Contents of a schema: its types (`Dossier`), and their fields, keys and values (`Dossier.number`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaFacts(BTreeSet<String>);

/// Difference between a schema and the pinned one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaGap {
    /// Names that this version relies on, or may rely on, and that the platform no longer has.
    pub missing: Vec<String>,
    /// Names that the platform has and this version does not know. Of a new type, only the type.
    pub added: Vec<String>,
}

impl SchemaFacts {
    /// Lists the contents of the pinned schema.
    #[must_use]
    pub fn pinned(platform: Platform) -> Self {
        Self::of_sdl(match platform {
            Platform::DemarcheNumerique => include_str!("../../graphql/demarche-numerique/schema.graphql"),
            Platform::DematSocial => include_str!("../../graphql/demat-social/schema.graphql"),
        })
    }

    /// Parses our own schema files, which have one definition or member a line, members at an indent of two.
    fn of_sdl(sdl: &str) -> Self {
        let name =
            |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default().to_owned();
        let mut facts = BTreeSet::new();
        let mut inside = None;
        for line in sdl.lines() {
            let definition = ["type ", "interface ", "input ", "enum ", "scalar "].into_iter();
            if let Some(rest) = definition.filter_map(|word| line.strip_prefix(word)).next() {
                let type_name = name(rest);
                facts.insert(type_name.clone());
                inside = line.ends_with('{').then_some(type_name);
            } else if line == "}" {
                inside = None;
            } else if let Some(type_name) = &inside
                && let Some(member) = line.strip_prefix("  ")
                && member.starts_with(|c: char| c.is_alphabetic() || c == '_')
            {
                facts.insert(format!("{type_name}.{}", name(member)));
            }
        }
        Self(facts)
    }

    /// Parses the answer to an introspection; `None` if it is none.
    pub(super) fn of_introspection(answer: &Value) -> Option<Self> {
        let types = answer.pointer("/data/__schema/types")?.as_array()?;
        let mut facts = BTreeSet::new();
        for definition in types {
            let type_name = definition.get("name")?.as_str()?;
            if type_name.starts_with("__") || ["Boolean", "Float", "ID", "Int", "String"].contains(&type_name) {
                continue;
            }
            facts.insert(type_name.to_owned());
            for list in ["fields", "inputFields", "enumValues"] {
                for member in definition.get(list).and_then(Value::as_array).into_iter().flatten() {
                    facts.insert(format!("{type_name}.{}", member.get("name")?.as_str()?));
                }
            }
        }
        Some(Self(facts))
    }

    /// Returns true if the schema has a type (`Dossier`) or a member (`Dossier.number`).
    #[must_use]
    pub fn has(&self, fact: &str) -> bool {
        self.0.contains(fact)
    }

    /// Compares a schema with the pinned one.
    #[must_use]
    pub fn against(&self, pinned: &Self) -> SchemaGap {
        let owner = |fact: &str| fact.split_once('.').map(|(owner, _)| owner.to_owned());
        let known = |fact: &&String| owner(fact).is_none_or(|owner| pinned.0.contains(&owner));
        SchemaGap {
            missing: pinned.0.difference(&self.0).cloned().collect(),
            added: self.0.difference(&pinned.0).filter(known).cloned().collect(),
        }
    }

    /// Iterates over the types, and the members as `Type.member`, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl SchemaGap {
    /// Returns true if the schemas are the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.added.is_empty()
    }
}

impl Client {
    /// Reads the platform's schema: by the platform's own stored query, which needs no token, or by a plain one where
    /// there is none of that name.
    ///
    /// # Errors
    /// [`ApiError::Undecodable`] when the answer to the plain query is no introspection; otherwise those of HTTP.
    #[doc(hidden)]
    pub async fn introspect(&self) -> Result<SchemaFacts, ApiError> {
        Ok(SchemaFacts::of_introspection(&self.introspection().await?).unwrap_or_default())
    }

    /// Reads the platform's whole schema, to validate documents against it.
    ///
    /// # Errors
    /// As [`introspect`](Self::introspect).
    #[doc(hidden)]
    #[cfg(feature = "sandbox")]
    pub async fn live_schema(&self) -> Result<LiveSchema, ApiError> {
        LiveSchema::new(self.introspection().await?).ok_or_else(no_schema)
    }

    /// Sends an introspection, and returns its answer.
    async fn introspection(&self) -> Result<Value, ApiError> {
        let stored = json!({ "queryId": "introspection", "operationName": "IntrospectionQuery" });
        match self.ask_value(request(&stored)).await {
            Ok(answer) => {
                if SchemaFacts::of_introspection(&answer).is_some() {
                    return Ok(answer);
                }
            }
            // A platform without this stored query answers with a failure (docs/platform.md#statuses-and-bodies).
            Err(ApiError::ServerError { .. } | ApiError::Rejected { .. } | ApiError::TokenRefused { .. }) => {}
            Err(error) => return Err(error),
        }
        let plain = json!({ "operationName": "IntrospectionQuery", "query": INTROSPECTION });
        let answer = self.ask_value(request(&plain)).await?;
        match SchemaFacts::of_introspection(&answer) {
            Some(_) => Ok(answer),
            None => Err(no_schema()),
        }
    }
}

fn no_schema() -> ApiError {
    ApiError::Undecodable {
        what: SCHEMA.to_owned(),
        path: "data.__schema.types".to_owned(),
        reason: "there is no schema".to_owned(),
    }
}

/// Name of the schema in errors.
const SCHEMA: &str = "the schema";

const INTROSPECTION: &str = "query IntrospectionQuery { __schema { queryType { name } mutationType { name } types { \
    kind name fields(includeDeprecated: true) { name args { ...Input } type { ...Type } } inputFields { ...Input } \
    interfaces { name } enumValues(includeDeprecated: true) { name } possibleTypes { name } } } } \
    fragment Input on __InputValue { name type { ...Type } defaultValue } \
    fragment Type on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

fn request(body: &Value) -> Request {
    Request { operation: "IntrospectionQuery", what: SCHEMA.to_owned(), page_size: 0, body: encode(body) }
}

#[cfg(test)]
mod tests {
    use apollo_compiler::Schema;
    use apollo_compiler::schema::ExtendedType;

    use super::*;

    impl SchemaFacts {
        /// Those of a parsed schema.
        pub(in crate::api) fn of_schema(schema: &Schema) -> Self {
            let mut facts = BTreeSet::new();
            for (name, definition) in schema.types.iter().filter(|(_, definition)| !definition.is_built_in()) {
                facts.insert(name.to_string());
                let mut member = |member: &str| {
                    facts.insert(format!("{name}.{member}"));
                };
                match definition {
                    ExtendedType::Object(d) => d.fields.keys().for_each(|field| member(field)),
                    ExtendedType::Interface(d) => d.fields.keys().for_each(|field| member(field)),
                    ExtendedType::InputObject(d) => d.fields.keys().for_each(|field| member(field)),
                    ExtendedType::Enum(d) => d.values.keys().for_each(|value| member(value)),
                    ExtendedType::Scalar(_) | ExtendedType::Union(_) => {}
                }
            }
            Self(facts)
        }
    }

    #[test]
    fn the_line_reader_reads_our_schema_files_whole() {
        for (platform, sdl) in [
            (Platform::DemarcheNumerique, include_str!("../../graphql/demarche-numerique/schema.graphql")),
            (Platform::DematSocial, include_str!("../../graphql/demat-social/schema.graphql")),
        ] {
            let schema = Schema::parse_and_validate(sdl, "schema.graphql").expect("the pinned schema is valid");
            let expected = SchemaFacts::of_schema(&schema).0;
            assert_eq!(SchemaFacts::pinned(platform).0, expected, "{platform}");
        }
    }

    #[test]
    fn a_gap_names_what_is_missing_and_what_is_new() {
        let answer = json!({ "data": { "__schema": { "types": [
            { "name": "Dossier", "fields": [{ "name": "number" }, { "name": "tags" }] },
            { "name": "NirChamp", "fields": [{ "name": "value" }] },
            { "name": "TypeDeChamp", "enumValues": [{ "name": "nir" }] },
            { "name": "String" }, { "name": "__Type", "fields": [] },
        ] } } });
        let live = SchemaFacts::of_introspection(&answer).expect("an introspection");
        let pinned = SchemaFacts::of_sdl("type Dossier {\n  number: Int!\n  state: X!\n}\n\nenum TypeDeChamp {\n}\n");
        let gap = live.against(&pinned);
        assert_eq!(gap.missing, ["Dossier.state"]);
        assert_eq!(gap.added, ["Dossier.tags", "NirChamp", "TypeDeChamp.nir"]);
        assert!(live.against(&live).is_empty());
        assert!(SchemaFacts::of_introspection(&json!({ "data": null })).is_none());
    }
}
