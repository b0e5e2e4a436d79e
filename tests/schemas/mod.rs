//! The pinned schemas are valid, true to their reference, and every operation file fits its platform.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use apollo_compiler::ast::Directive;
use apollo_compiler::executable::{Selection, SelectionSet};
use apollo_compiler::schema::{ExtendedType, InputValueDefinition};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};

/// Each platform's folder, and the name of its reference file.
const PLATFORMS: [(&str, &str); 2] =
    [("demarche-numerique", "dn-2026-01-15.graphql"), ("demat-social", "demat-social-2026-06-09.graphql")];

/// Types whose mere mention in a document changes what the server answers.
const KEYED_BY_FRAGMENT: [&str; 14] = [
    "YesNoChamp",
    "DropDownListChamp",
    "CommuneChamp",
    "DepartementChamp",
    "RegionChamp",
    "PaysChamp",
    "EpciChamp",
    "AddressChamp",
    "DatetimeChamp",
    "HeaderSectionChamp",
    "ExplicationChamp",
    "RNAChamp",
    "RNFChamp",
    "DateChamp",
];

fn folder(platform: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("graphql").join(platform)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn schema(path: &Path) -> Valid<Schema> {
    Schema::parse_and_validate(read(path), path).unwrap_or_else(|invalid| panic!("{}", invalid.errors))
}

/// Every operation file of a platform, sorted, with its text.
fn operation_files(platform: &str) -> Vec<(PathBuf, String)> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder(platform))
        .expect("the folder of a platform exists")
        .map(|entry| entry.expect("a folder entry is readable").path())
        .filter(|path| path.extension().is_some_and(|e| e == "graphql") && !path.ends_with("schema.graphql"))
        .collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), read(&path))).collect()
}

/// One line for each fact of a schema: a difference between two schemas is a difference between two sets of lines.
fn facts(schema: &Schema) -> BTreeSet<String> {
    let mut facts = BTreeSet::new();
    for (name, definition) in &schema.types {
        if definition.is_built_in() {
            continue;
        }
        let directives: Vec<&Directive> = definition.directives().iter().map(|d| &***d).collect();
        let (kind, fields, interfaces) = match definition {
            ExtendedType::Scalar(_) => ("scalar", None, None),
            ExtendedType::Object(d) => ("type", Some(&d.fields), Some(&d.implements_interfaces)),
            ExtendedType::Interface(d) => ("interface", Some(&d.fields), Some(&d.implements_interfaces)),
            ExtendedType::Union(_) => ("union", None, None),
            ExtendedType::Enum(_) => ("enum", None, None),
            ExtendedType::InputObject(_) => ("input", None, None),
        };
        facts.insert(format!("{kind} {name}{}", marks(&directives)));
        facts.extend(interfaces.into_iter().flatten().map(|interface| format!("{name} implements {}", interface.name)));
        match definition {
            ExtendedType::Object(_) | ExtendedType::Interface(_) => {
                for (field, definition) in fields.into_iter().flatten() {
                    let directives: Vec<&Directive> = definition.directives.iter().map(|d| &**d).collect();
                    facts.insert(format!("{name}.{field}: {}{}", definition.ty, marks(&directives)));
                    for argument in &definition.arguments {
                        facts.insert(format!("{name}.{field}({})", input(argument)));
                    }
                }
            }
            ExtendedType::InputObject(definition) => {
                facts.extend(definition.fields.values().map(|field| format!("{name}.{}", input(field))));
            }
            ExtendedType::Enum(definition) => {
                for (value, definition) in &definition.values {
                    let directives: Vec<&Directive> = definition.directives.iter().map(|d| &**d).collect();
                    facts.insert(format!("{name}::{value}{}", marks(&directives)));
                }
            }
            ExtendedType::Union(definition) => {
                facts.extend(definition.members.iter().map(|member| format!("{name} = {}", member.name)));
            }
            ExtendedType::Scalar(_) => {}
        }
    }
    facts
}

fn input(value: &InputValueDefinition) -> String {
    let directives: Vec<&Directive> = value.directives.iter().map(|d| &**d).collect();
    let default = value.default_value.as_ref().map(|v| format!(" = {v}")).unwrap_or_default();
    format!("{}: {}{default}{}", value.name, value.ty, marks(&directives))
}

fn marks(directives: &[&Directive]) -> String {
    directives.iter().map(|directive| format!(" {directive}")).collect()
}

#[test]
fn both_schemas_are_valid() {
    for (platform, _) in PLATFORMS {
        let schema = schema(&folder(platform).join("schema.graphql"));
        assert!(schema.get_object("Dossier").is_some(), "{platform} has dossiers");
    }
}

#[test]
fn both_schemas_equal_their_reference() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let candidates = [root.join("../shared/reference"), root.join("../../shared/reference")];
    let Some(reference) = candidates.iter().find(|folder| folder.exists()) else {
        eprintln!("no reference schema at hand: compared nothing");
        return;
    };
    for (platform, file) in PLATFORMS {
        let ours = facts(&schema(&folder(platform).join("schema.graphql")));
        let theirs = facts(&schema(&reference.join(file)));
        let missing: Vec<_> = theirs.difference(&ours).collect();
        let invented: Vec<_> = ours.difference(&theirs).collect();
        assert!(
            missing.is_empty() && invented.is_empty(),
            "{platform}\nmissing: {missing:#?}\ninvented: {invented:#?}"
        );
        assert!(ours.len() > 1000, "{platform}: {} facts are too few to be the whole schema", ours.len());
    }
}

/// Additions to the pinned schema fit it, and the platform's newest schema has them.
#[test]
fn what_is_newer_is_true_to_the_newest_schema() {
    let folder = folder("demarche-numerique");
    let newer = read(&folder.join("newer/schema.graphql"));
    let both = format!("{}\n{newer}", read(&folder.join("schema.graphql")));
    let both = Schema::parse_and_validate(both, "newer").unwrap_or_else(|invalid| panic!("{}", invalid.errors));
    let operations = read(&folder.join("newer/mutations.graphql"));
    if let Err(invalid) = ExecutableDocument::parse_and_validate(&both, operations, "newer") {
        panic!("{}", invalid.errors);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let candidates = [root.join("../shared/reference"), root.join("../../shared/reference")];
    let Some(reference) = candidates.iter().find(|folder| folder.exists()) else {
        eprintln!("no reference schema at hand: compared nothing");
        return;
    };
    let newest = facts(&schema(&reference.join("dn-2026-08-29-branch.graphql")));
    let pinned = facts(&schema(&folder.join("schema.graphql")));
    // The reason of a deprecation is the platform's text, which has no place here.
    let bare = |fact: &str| fact.split(" @deprecated").next().unwrap_or_default().to_owned();
    let newest: BTreeSet<String> = newest.iter().map(|fact| bare(fact)).collect();
    let invented: Vec<_> =
        facts(&both).difference(&pinned).filter(|fact| !newest.contains(&bare(fact))).cloned().collect();
    assert!(invented.is_empty(), "{invented:#?}");
}

#[test]
fn every_operation_file_fits_its_platform() {
    for (platform, _) in PLATFORMS {
        let schema = schema(&folder(platform).join("schema.graphql"));
        for (path, text) in operation_files(platform) {
            if let Err(invalid) = ExecutableDocument::parse_and_validate(&schema, text, &path) {
                panic!("{platform}: {}", invalid.errors);
            }
        }
    }
}

/// Facts that a walk over the selections of a document collects.
#[derive(Default)]
struct Seen {
    type_conditions: BTreeSet<String>,
    fields: BTreeSet<String>,
    /// True if champs are read: the payload of a mutation names the annotations that it wrote, and reads none.
    champs: bool,
    bare_inline_fragments: usize,
}

fn walk(selections: &SelectionSet, seen: &mut Seen) {
    for selection in &selections.selections {
        match selection {
            Selection::Field(field) => {
                seen.fields.insert(field.name.to_string());
                let of_payload = selections.ty.ends_with("Payload");
                seen.champs |= !of_payload && ["champs", "annotations"].contains(&field.name.as_str());
                walk(&field.selection_set, seen);
            }
            Selection::InlineFragment(fragment) => {
                match &fragment.type_condition {
                    Some(name) => drop(seen.type_conditions.insert(name.to_string())),
                    None => seen.bare_inline_fragments += 1,
                }
                walk(&fragment.selection_set, seen);
            }
            Selection::FragmentSpread(_) => {}
        }
    }
}

#[test]
fn every_operation_file_keeps_the_shape_that_the_server_keys_on() {
    for (platform, _) in PLATFORMS {
        let schema = schema(&folder(platform).join("schema.graphql"));
        for (path, text) in operation_files(platform) {
            let file = path.display();
            let document = ExecutableDocument::parse(&schema, text, &path).expect("the document parses");
            let mut seen = Seen::default();
            for operation in document.operations.iter() {
                walk(&operation.selection_set, &mut seen);
                let name = operation.name.as_ref().map_or("anonymous", |name| name.as_str());
                let roots = &operation.selection_set.selections;
                assert_eq!(roots.len(), 1, "{file}: {name} has one root field, so that one failure nulls one thing");
                let root = roots[0].as_field().unwrap_or_else(|| panic!("{file}: {name} starts with a field"));
                assert!(root.alias.is_none(), "{file}: {name} has no alias at its root");
            }
            for fragment in document.fragments.values() {
                seen.type_conditions.insert(fragment.type_condition().to_string());
                walk(&fragment.selection_set, &mut seen);
            }
            assert_eq!(seen.bare_inline_fragments, 0, "{file}: an inline fragment lacks its type condition");
            assert!(!seen.fields.contains("edges"), "{file}: `edges` is one query per dossier on the server");
            if seen.champs {
                let expected = KEYED_BY_FRAGMENT.into_iter().filter(|name| schema.get_object(name).is_some());
                let absent: Vec<_> = expected.filter(|name| !seen.type_conditions.contains(*name)).collect();
                assert!(absent.is_empty(), "{file} selects champs without naming {absent:?}");
            }
            if seen.fields.contains("demandeur") {
                let name = "PersonneMoraleIncomplete";
                assert!(seen.type_conditions.contains(name), "{file} selects the demandeur without naming {name}");
            }
        }
    }
}
