//! A module whose header says "Pure" has no `async`, no clock, no randomness and no I/O. Only the header decides.

use std::path::{Path, PathBuf};

use super::paths::{paths, tokens};
use crate::support::sources::{files, read, root};

/// Lists what a pure module does not name, with everything below it.
const IMPURE: &[&str] = &[
    // The clock.
    "std::time::Instant",
    "std::time::SystemTime",
    "jiff::Zoned::now",
    "jiff::tz::TimeZone::system",
    // Randomness.
    "rand",
    "std::hash::RandomState",
    "std::collections::hash_map::RandomState",
    // I/O, threads and what waits for them.
    "std::env",
    "std::fs",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "axum",
    "bearer_http::body",
    "bearer_http::client",
    "futures_util",
    "hyper",
    "hyper_util",
    "reqwest",
    "sqlx",
    "tokio",
    "tracing",
    // The modules of this package that do these things.
    "crate::api::Client",
    "crate::api::client",
    "crate::api::transport",
    "crate::cli::ask",
    "crate::cli::context",
    "crate::cli::printer",
    "crate::cli::terminal",
    "crate::cycle",
    "crate::sandbox",
    "crate::telemetry",
    "crate::sync::run",
    "crate::writeback::push",
    "crate::sink::AnySink",
    "crate::sink::Sink",
    "crate::sink::Outbox",
];

/// Tells if a file is the unit tests of another.
pub fn is_unit_test(path: &Path) -> bool {
    path.file_stem().is_some_and(|name| name == "tests" || name.to_string_lossy().ends_with("_tests"))
}

/// Tells if the header of a source has the word "Pure".
fn says_pure(text: &str) -> bool {
    let header = text.lines().take_while(|line| line.starts_with("//!"));
    let mut words = header.flat_map(|line| line.split(|c: char| !c.is_alphanumeric()));
    words.any(|word| word == "Pure")
}

/// Every file whose own header, or that of a module around it, says "Pure".
fn pure_files() -> Vec<PathBuf> {
    let all = files(&["src", "crates"], "rs");
    let pure: Vec<&PathBuf> = all.iter().filter(|path| says_pure(&read(path))).collect();
    // `a/mod.rs` and `a.rs` speak for everything in the folder `a`.
    let folder_of = |path: &Path| {
        let is_mod = path.file_name().is_some_and(|name| name == "mod.rs");
        if is_mod { path.parent().expect("a folder").to_owned() } else { path.with_extension("") }
    };
    let folders: Vec<PathBuf> = pure.iter().map(|path| folder_of(path)).collect();
    let is_pure = |path: &&PathBuf| pure.contains(path) || folders.iter().any(|folder| path.starts_with(folder));
    all.iter().filter(is_pure).filter(|path| !is_unit_test(path)).cloned().collect()
}

/// Finds what a source has that a pure one does not have.
fn impurities(file: &Path, text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let mut found: Vec<String> =
        tokens.iter().filter(|token| *token == "async" || *token == "await").cloned().collect();
    // Whatever its receiver: a clock that is a parameter is read all the same.
    found.extend(tokens.windows(3).filter(|three| *three == [".", "now", "("]).map(|_| ".now()".to_owned()));
    let is_impure = |path: &String| {
        let below =
            |impure: &&str| path.strip_prefix(*impure).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
        path.ends_with("::now") || IMPURE.iter().any(below)
    };
    found.extend(paths(file, text).into_iter().filter(is_impure));
    found
}

#[test]
fn a_module_that_says_pure_is_pure() {
    let files = pure_files();
    assert!(files.len() > 90, "{} pure sources", files.len());
    let impure = files.iter().map(|path| (path.strip_prefix(root()).unwrap_or(path), impurities(path, &read(path))));
    let impure: Vec<_> = impure.filter(|(_, found)| !found.is_empty()).collect();
    assert!(impure.is_empty(), "their headers say that they are pure, and they have: {impure:#?}");
}

/// A header that calls an item pure sends the reader to a file, which says so itself.
#[test]
fn what_decides_says_that_it_is_pure() {
    let pure = pure_files();
    for folder in ["src/intent", "src/plan", "src/privacy", "src/table", "src/writeback/judge"] {
        for path in files(&[folder], "rs").into_iter().filter(|path| !is_unit_test(path)) {
            assert!(pure.contains(&path), "{}: neither its header nor that of {folder} says Pure", path.display());
        }
    }
    for name in ["src/api/disposition.rs", "src/observe/watermark.rs", "src/serve/due.rs", "src/sink/compare.rs"] {
        assert!(pure.contains(&root().join(name)), "the header of {name} no longer says Pure");
    }
}

#[test]
fn impurities_are_found_in_any_form() {
    let file = Path::new("src/plan/retention.rs");
    for (text, expected) in [
        ("use std::{collections::BTreeMap, fs::{self, File}};", &["std::fs", "std::fs::File"][..]),
        ("fn a() { use jiff::Timestamp as T; T::now(); }", &["jiff::Timestamp::now"]),
        ("use jiff::{Timestamp, tz::TimeZone}; fn a() { Timestamp::now(); }", &["jiff::Timestamp::now"]),
        ("use std::time; fn a() { time::Instant::now(); }", &["std::time::Instant::now"]),
        ("fn a(clock: &dyn Clock) { clock.now(); }", &[".now()"]),
        ("use super::super::api::{self, Client};", &["crate::api::Client"]),
        ("async fn a() { b().await }", &["async", "await"]),
        ("use std::time::Duration; // std::fs\nfn a() -> &'static str { \"rand::random\" }", &[]),
        ("#[cfg(test)]\nmod tests { use std::fs; }", &[]),
    ] {
        assert_eq!(impurities(file, text), expected, "{text}");
    }
}
