//! Resolves the files and tests that the pages for developers name.

use crate::support::sources::{files, read, root};

/// The pages that send a developer to a file.
const PAGES: [&str; 4] = ["ARCHITECTURE.md", "CONTRIBUTING.md", "docs/STYLE.md", "docs/releasing.md"];

/// The folders in which files of this project lie.
const FOLDERS: [&str; 10] =
    [".github/", "benches/", "config/", "crates/", "docs/", "examples/", "graphql/", "scripts/", "src/", "tests/"];

/// The text in code marks, block by block, without fenced blocks.
fn code(page: &str) -> Vec<String> {
    let mut outside = String::new();
    let mut fenced = false;
    for line in page.lines() {
        match line.trim_start().starts_with("```") {
            true => fenced = !fenced,
            false if !fenced => outside.extend([line, "\n"]),
            false => {}
        }
    }
    outside.split("\n\n").flat_map(|block| block.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// Recognises a path under one of the folders of this project; `NAME` is a placeholder for a name to choose.
fn is_path(word: &str) -> bool {
    FOLDERS.iter().any(|folder| word.starts_with(folder))
        && !word.contains(['*', ' ', '…', '<'])
        && !word.contains("NAME")
}

#[test]
fn every_file_that_the_pages_for_developers_name_exists() {
    let mut named = 0;
    for page in PAGES {
        for word in code(&read(page)).iter().filter(|word| is_path(word)) {
            named += 1;
            let file = word.split('#').next().unwrap_or_default();
            assert!(root().join(file).exists(), "{page} names {word}, which does not exist");
        }
    }
    assert!(named > 40, "{named} files are named");
}

#[test]
fn every_test_that_a_recipe_names_exists() {
    let text: String = files(&["tests", "src"], "rs").iter().map(read).collect();
    let page = read("CONTRIBUTING.md");
    let is_name = |word: &&String| word.len() > 20 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let names = code(&page);
    let names: Vec<&String> = names.iter().filter(is_name).collect();
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        assert!(text.contains(&format!("fn {name}(")), "no test is called {name}");
    }
}
