//! Validates the documents of this version against the platform's present schema.

use std::fmt::Write as _;

use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use serde_json::Value;

use super::introspect::SchemaFacts;
use crate::platform::Platform;

/// Types that GraphQL itself defines.
const BUILT_IN: [&str; 5] = ["Boolean", "Float", "ID", "Int", "String"];

/// Schema of a platform, as introspection answers it.
#[derive(Clone, Debug)]
pub struct LiveSchema(Value);

/// Documents of this version that a platform would not accept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rejections {
    /// Documents that read: no sync works, or none of one kind.
    pub reading: Vec<String>,
    /// Documents that write: decisions of the back office cannot be sent.
    pub writing: Vec<String>,
}

impl LiveSchema {
    /// Wraps the answer to an introspection; `None` if it is none.
    pub(super) fn new(answer: Value) -> Option<Self> {
        SchemaFacts::of_introspection(&answer)?;
        Some(Self(answer))
    }

    /// Lists the names of the schema.
    #[must_use]
    pub fn facts(&self) -> SchemaFacts {
        SchemaFacts::of_introspection(&self.0).unwrap_or_default()
    }

    /// Validates every document of this version against it, as the platform does with each request. A missing name that
    /// no document uses makes no difference.
    ///
    /// # Errors
    /// The reason for which the answer makes no schema, in words.
    pub fn rejections(&self, platform: Platform) -> Result<Rejections, String> {
        let schema = self.schema()?;
        let [dossiers, demarche, suppressions, mutations] = match platform {
            Platform::DemarcheNumerique => [
                include_str!("../../graphql/demarche-numerique/dossiers.graphql"),
                include_str!("../../graphql/demarche-numerique/demarche.graphql"),
                include_str!("../../graphql/demarche-numerique/suppressions.graphql"),
                include_str!("../../graphql/demarche-numerique/mutations.graphql"),
            ],
            Platform::DematSocial => [
                include_str!("../../graphql/demat-social/dossiers.graphql"),
                include_str!("../../graphql/demat-social/demarche.graphql"),
                include_str!("../../graphql/demat-social/suppressions.graphql"),
                include_str!("../../graphql/demat-social/mutations.graphql"),
            ],
        };
        let mut rejections = Rejections { writing: errors(&schema, mutations), ..Rejections::default() };
        for document in [dossiers, demarche, suppressions] {
            rejections.reading.extend(errors(&schema, document));
        }
        for list in [&mut rejections.reading, &mut rejections.writing] {
            list.sort_unstable();
            list.dedup();
        }
        Ok(rejections)
    }

    fn schema(&self) -> Result<Valid<Schema>, String> {
        let text = sdl(&self.0).ok_or("its answer does not tell the types of fields")?;
        // A platform may serve a schema that breaks the specification of GraphQL. Only errors in our documents matter
        // here.
        match Schema::parse(text, "the platform's schema") {
            Ok(schema) => Ok(Valid::assume_valid(schema)),
            Err(invalid) => Err(invalid.errors.iter().next().map(|error| error.to_string()).unwrap_or_default()),
        }
    }
}

fn errors(schema: &Valid<Schema>, document: &str) -> Vec<String> {
    match ExecutableDocument::parse_and_validate(schema, document, "document.graphql") {
        Ok(_) => Vec::new(),
        Err(invalid) => {
            let mut messages: Vec<String> = invalid.errors.iter().map(|error| error.to_json().message).collect();
            // A missing name makes its fragment, its variable or its parent unused. Those errors are consequences: drop
            // them.
            let is_cause = |message: &String| {
                ["does not have a field", "cannot find type", "is not supported by", "is required"]
                    .iter()
                    .any(|words| message.contains(words))
            };
            if messages.iter().any(is_cause) {
                messages.retain(is_cause);
            }
            messages
        }
    }
}

/// Writes the schema as text; `None` if the answer does not hold all of it.
fn sdl(answer: &Value) -> Option<String> {
    let schema = answer.pointer("/data/__schema")?;
    let mut text = String::new();
    let roots = [("query", "queryType"), ("mutation", "mutationType"), ("subscription", "subscriptionType")];
    let roots = roots.iter().filter_map(|(word, key)| Some((word, schema.get(key)?.get("name")?.as_str()?)));
    let roots: String = roots.map(|(word, name)| format!(" {word}: {name}")).collect();
    if !roots.is_empty() {
        let _ = writeln!(text, "schema {{{roots} }}");
    }
    for definition in schema.get("types")?.as_array()? {
        let name = definition.get("name")?.as_str()?;
        if name.starts_with("__") || BUILT_IN.contains(&name) {
            continue;
        }
        match definition.get("kind")?.as_str()? {
            "SCALAR" => writeln!(text, "scalar {name}"),
            "OBJECT" => writeln!(text, "type {name}{} {{ {} }}", interfaces(definition), fields(definition)?),
            "INTERFACE" => writeln!(text, "interface {name}{} {{ {} }}", interfaces(definition), fields(definition)?),
            "UNION" => writeln!(text, "union {name} = {}", names(definition, "possibleTypes").join(" | ")),
            "ENUM" => writeln!(text, "enum {name} {{ {} }}", names(definition, "enumValues").join(" ")),
            "INPUT_OBJECT" => writeln!(text, "input {name} {{ {} }}", inputs(definition, "inputFields")?),
            _ => Ok(()),
        }
        .ok()?;
    }
    Some(text)
}

fn interfaces(definition: &Value) -> String {
    match names(definition, "interfaces") {
        none if none.is_empty() => String::new(),
        some => format!(" implements {}", some.join(" & ")),
    }
}

fn fields(definition: &Value) -> Option<String> {
    let mut text = String::new();
    for field in definition.get("fields")?.as_array()? {
        let arguments = match inputs(field, "args")? {
            none if none.is_empty() => none,
            some => format!("({some})"),
        };
        text.push_str(&format!("{}{arguments}: {} ", field.get("name")?.as_str()?, reference(field.get("type")?)?));
    }
    Some(text)
}

fn inputs(owner: &Value, key: &str) -> Option<String> {
    let mut text = String::new();
    for input in owner.get(key)?.as_array()? {
        let default = input.get("defaultValue").and_then(Value::as_str).map(|value| format!(" = {value}"));
        let (name, kind) = (input.get("name")?.as_str()?, reference(input.get("type")?)?);
        text.push_str(&format!("{name}: {kind}{} ", default.unwrap_or_default()));
    }
    Some(text)
}

fn names<'v>(owner: &'v Value, key: &str) -> Vec<&'v str> {
    let list = owner.get(key).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|entry| entry.get("name")?.as_str()).collect()
}

/// Writes a type reference: `[Dossier!]!`.
fn reference(kind: &Value) -> Option<String> {
    let inner = || reference(kind.get("ofType")?);
    match kind.get("kind")?.as_str()? {
        "NON_NULL" => Some(format!("{}!", inner()?)),
        "LIST" => Some(format!("[{}]", inner()?)),
        _ => kind.get("name")?.as_str().map(str::to_owned),
    }
}
