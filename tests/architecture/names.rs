//! One name, one meaning: a type that is visible beyond its file is declared once in a crate.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::sources::{files, read, root};

/// The sources of each crate, the imitations excepted.
const CRATES: &[&str] = &["src", "crates/bearer-http/src", "crates/grist-client/src"];

/// The names of types that a source declares `pub`, `pub(crate)`, `pub(super)` or `pub(in …)`.
fn declared(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in text.lines().map(str::trim) {
        let Some(rest) = line.strip_prefix("pub") else { continue };
        let rest = match rest.strip_prefix('(') {
            Some(scoped) => scoped.split_once(')').map_or("", |(_, rest)| rest),
            None => rest,
        };
        let mut words = rest.split_whitespace();
        if !matches!(words.next(), Some("struct" | "enum" | "trait" | "type" | "union")) {
            continue;
        }
        let name = words.next().unwrap_or_default();
        // A macro's own names begin with `$`.
        let length = name.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(name.len());
        if length > 0 {
            found.insert(name[..length].to_owned());
        }
    }
    found
}

/// By name, the files of a crate that declare it.
fn declarations(sources_of: &str) -> BTreeMap<String, Vec<String>> {
    let src = root().join(sources_of);
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in files(&[sources_of], "rs") {
        let name = path.strip_prefix(&src).expect("a file of the sources");
        for declared in declared(&read(&path)) {
            found.entry(declared).or_default().push(name.display().to_string());
        }
    }
    found
}

#[test]
fn a_type_name_is_declared_once() {
    for (name, files) in CRATES.iter().flat_map(|sources| declarations(sources)) {
        assert!(files.len() == 1, "`{name}` has several meanings, in {files:?}: rename all but one");
    }
}

#[test]
fn declarations_of_any_visibility_are_found() {
    let text =
        "pub struct A;\npub(crate) enum B {}\n    pub(in crate::sink) trait C<'a> {}\nstruct D;\npub fn e() {}\n";
    assert_eq!(declared(text).into_iter().collect::<Vec<_>>(), ["A", "B", "C"]);
}
