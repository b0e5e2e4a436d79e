//! Layers depend on each other one way only.

mod names;
mod paths;
mod purity;
mod references;
mod words;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use self::paths::paths;
use self::purity::is_unit_test;
use crate::support::sources::{files, read, root};

/// Lists the layers that a layer may use.
const ARROWS: &[(&str, &[&str])] = &[
    ("ids", &[]),
    ("platform", &[]),
    ("fingerprint", &[]),
    ("demarche", &["ids"]),
    ("champ", &["ids"]),
    ("dossier", &["champ", "demarche", "fingerprint", "ids"]),
    ("privacy", &["champ", "demarche", "dossier", "fingerprint", "ids"]),
    ("table", &["champ", "demarche", "dossier", "fingerprint", "ids", "privacy"]),
    ("plan", &["dossier", "fingerprint", "ids", "privacy", "table"]),
    ("checkpoint", &["demarche", "fingerprint", "ids", "privacy"]),
    ("report", &["ids", "plan"]),
    ("api", &["champ", "demarche", "dossier", "ids", "platform"]),
    ("observe", &["api", "checkpoint", "demarche", "dossier", "fingerprint", "ids", "privacy"]),
    ("intent", &["api", "dossier", "fingerprint", "ids"]),
    (
        "sink",
        &["checkpoint", "demarche", "dossier", "fingerprint", "ids", "intent", "plan", "privacy", "report", "table"],
    ),
    (
        "sync",
        &[
            "api",
            "checkpoint",
            "demarche",
            "dossier",
            "fingerprint",
            "ids",
            "observe",
            "plan",
            "privacy",
            "report",
            "sink",
            "table",
        ],
    ),
    (
        "writeback",
        &["api", "champ", "demarche", "dossier", "fingerprint", "ids", "intent", "platform", "privacy", "sink", "sync"],
    ),
    ("serve", &["api", "ids", "report", "sink", "sync"]),
    ("config", &["api", "demarche", "ids", "observe", "plan", "platform", "privacy", "serve", "sink", "sync"]),
    (
        "cycle",
        &[
            "api",
            "config",
            "dossier",
            "ids",
            "intent",
            "plan",
            "privacy",
            "report",
            "serve",
            "sink",
            "sync",
            "writeback",
        ],
    ),
];

/// Every arrow leads to a line above its own: so there is no circle.
#[test]
fn the_table_of_arrows_has_no_circle() {
    for (place, (layer, allowed)) in ARROWS.iter().enumerate() {
        for used in *allowed {
            let above = ARROWS[..place].iter().any(|(name, _)| name == used);
            assert!(above, "{layer} may use {used}, which does not stand above it");
        }
    }
}

/// An arrow that nobody uses is taken away from the table.
#[test]
fn every_arrow_of_the_table_is_used() {
    for (layer, allowed) in ARROWS {
        let layers: BTreeSet<String> = layer_files(layer).iter().flat_map(|path| layers_used(path)).collect();
        for used in *allowed {
            assert!(layers.contains(*used), "{layer} does not use {used}: the table allows it");
        }
    }
}

fn layer_files(layer: &str) -> Vec<PathBuf> {
    let folder = format!("src/{layer}");
    if root().join(&folder).is_dir() { files(&[&folder], "rs") } else { vec![root().join(format!("{folder}.rs"))] }
}

/// The modules at the root of the package that a file uses; unit tests use what they like.
fn layers_used(path: &Path) -> BTreeSet<String> {
    if is_unit_test(path) {
        return BTreeSet::new();
    }
    let paths = paths(path, &read(path));
    paths
        .iter()
        .filter_map(|path| path.split("::").skip_while(|part| *part != "crate").nth(1))
        .map(str::to_owned)
        .collect()
}

#[test]
fn no_arrow_points_back() {
    for (layer, allowed) in ARROWS {
        for path in layer_files(layer) {
            for target in layers_used(&path) {
                let known =
                    ARROWS.iter().any(|(name, _)| *name == target) || ["cli", "sandbox"].contains(&target.as_str());
                assert!(
                    !known || target == *layer || allowed.contains(&target.as_str()),
                    "{} uses crate::{target}, which {layer} may not",
                    path.display()
                );
            }
        }
    }
}

/// Which features of a document may use which. The core, all files beside these folders, uses none: they register with it.
const GRIST_FEATURES: &[(&str, &[&str])] =
    &[("files", &[]), ("outbox", &[]), ("decisions", &["outbox"]), ("commands", &[])];

/// The files of `sink/grist` that put core and features together.
const GRIST_ROOTS: &[&str] = &["mod.rs", "open.rs"];

#[test]
fn features_of_a_document_register_with_its_core() {
    let grist = root().join("src/sink/grist");
    for path in files(&["src/sink/grist"], "rs") {
        let name = path.strip_prefix(&grist).expect("a file of the folder");
        if GRIST_ROOTS.iter().any(|root| name == Path::new(root)) {
            continue;
        }
        let own = name.parent().and_then(Path::to_str).unwrap_or_default();
        let allowed =
            GRIST_FEATURES.iter().find(|(feature, _)| *feature == own).map_or(&[][..], |(_, allowed)| *allowed);
        let paths = if is_unit_test(&path) { vec![] } else { paths(&path, &read(&path)) };
        for (feature, _) in GRIST_FEATURES {
            let module = format!("crate::sink::grist::{feature}");
            let uses = paths
                .iter()
                .any(|path| path.strip_prefix(&module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::")));
            assert!(
                !uses || own == *feature || allowed.contains(feature),
                "{} uses {feature}, which is not below it",
                path.display()
            );
        }
    }
}

/// A library in `crates/` knows nothing of the client, the engine and the command.
#[test]
fn the_libraries_know_nothing_of_the_root_package() {
    let files = files(&["crates"], "rs");
    assert!(files.len() > 100, "{} sources", files.len());
    for path in files {
        let text = read(&path);
        assert!(!text.contains("demarche_numerique::"), "{} uses the root package", path.display());
    }
}

#[test]
fn files_stay_small() {
    for path in files(&["src", "crates", "tests", "examples", "benches"], "rs") {
        let lines = read(&path).lines().count();
        assert!(lines <= 700, "{} has {lines} lines: split it by concern", path.display());
    }
}

/// The names of tests on a page: long sentences, where other words in code marks are short, or have a capital, a dot or a
/// colon.
fn named_tests(page: &str) -> Vec<&str> {
    let is_name = |word: &&str| {
        word.len() > 20 && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    page.split('`').skip(1).step_by(2).filter(is_name).collect()
}

/// The text of all sources under some folders.
fn text_of(folders: &[&str]) -> String {
    files(folders, "rs").iter().map(read).collect()
}

#[test]
fn every_test_that_the_pages_of_traps_name_exists() {
    let code = text_of(&["src", "crates", "tests"]);
    for (page, at_least) in [("docs/traps.md", 80), ("docs/grist-traps.md", 75)] {
        let text = read(page);
        let names = named_tests(&text);
        assert!(names.len() > at_least, "{page} names {} tests", names.len());
        for name in names {
            assert!(code.contains(&format!("fn {name}(")), "no test is called {name}");
        }
    }
}

#[test]
fn each_trap_of_grist_has_a_test_that_runs_on_a_real_one() {
    let page = read("docs/grist-traps.md");
    let code = text_of(&["tests/grist_traps"]);
    let alone = code.split_once("real_traps!(\n").and_then(|(_, rest)| rest.split_once(");"));
    let (alone, _) = alone.expect("a list of tests that run on a real one alone");
    for trap in 1..=42 {
        let row = page.lines().find(|line| line.starts_with(&format!("| {trap} |")));
        let names = named_tests(row.unwrap_or_else(|| panic!("no line tells of trap {trap}")));
        let own = names.iter().filter(|name| name.starts_with(&format!("trap_{trap}_")));
        // Those that a list of `traps!` or `real_traps!` has.
        let runs =
            |name: &&&str| code.contains(&format!("\n    {name},\n")) && code.contains(&format!("fn {name}(fixture"));
        assert!(own.clone().any(|name| runs(&name)), "trap {trap} has no test of its own among {names:?}");
        let alone = own.clone().any(|name| alone.contains(*name));
        assert_eq!(row.is_some_and(|row| row.contains('†')), alone, "whether trap {trap} is shown on a real one alone");
    }
}
