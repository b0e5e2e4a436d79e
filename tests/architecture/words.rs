//! First lines of docs, and words that no module is called by.

use std::path::{Path, PathBuf};

use crate::support::sources::{files, read, root};

/// Words of a house that was: no module, type or text is called by them.
const PICTURES: &[&str] =
    &["watchtower", "the gate", "the vault", "the desk", "the workshop", "the conductor", "ROOM "];

/// The files of `src` and of the libraries, with their path.
fn library_sources() -> Vec<(PathBuf, String)> {
    let inside = |path: &Path| path.strip_prefix(root()).expect("a file of the repository").to_owned();
    let found = files(&["src", "crates"], "rs").into_iter().map(|path| (inside(&path), read(&path)));
    // The examples and tests of a library are no part of it.
    found.filter(|(name, _)| name.starts_with("src") || name.iter().nth(2).is_some_and(|part| part == "src")).collect()
}

/// The first lines of doc comments that begin with a question word.
fn questions(text: &str) -> Vec<(usize, &str)> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_doc = |line: &str| line.starts_with("///") || line.starts_with("//!");
    let begins = |at: &usize| *at == 0 || !is_doc(lines[*at - 1]);
    let asks = |at: &usize| {
        let words = lines[*at].trim_start_matches(['/', '!']).trim_start();
        ["What ", "How ", "Whether "].iter().any(|question| words.starts_with(question))
    };
    let found = (0..lines.len()).filter(|at| is_doc(lines[*at])).filter(begins).filter(asks);
    found.map(|at| (at + 1, lines[at])).collect()
}

#[test]
fn no_doc_comment_begins_with_a_question_word() {
    let own = files(&["tests", "examples", "benches"], "rs").into_iter().map(|path| (path.clone(), read(&path)));
    for (name, text) in library_sources().into_iter().chain(own) {
        let found = questions(&text);
        assert!(found.is_empty(), "{}: begin with a verb and its object: {found:?}", name.display());
    }
}

#[test]
fn question_words_are_found_at_the_beginning_alone() {
    let text =
        "/// Whether it is.\n/// More.\nfn a() {}\n/// Reads it.\n/// What is more, it is cut here.\nfn b() {}\n";
    assert_eq!(questions(text), [(1, "/// Whether it is.")]);
}

/// Terms of the field, each with the file that implements it.
const TERMS: &[(&str, &str)] = &[
    ("rate limit", "src/api/rate_limit.rs"),
    ("backoff", "src/api/disposition.rs"),
    ("retry", "src/api/disposition.rs"),
    ("lease", "src/sink/postgres/lease.rs"),
    ("fencing", "src/sink/postgres/lease.rs"),
    ("permit", "src/sink/postgres/permits/budget.rs"),
];

/// `git grep -c` lists it first, and its header says so.
#[test]
fn a_search_for_a_term_finds_the_file_that_implements_it() {
    let sources: Vec<(PathBuf, String)> =
        library_sources().into_iter().filter(|(name, _)| name.starts_with("src")).collect();
    for (term, file) in TERMS {
        let text = read(file).to_lowercase();
        let mut header = text.lines().take_while(|line| line.starts_with("//!"));
        assert!(header.any(|line| line.contains(term)), "the header of {file} does not say `{term}`");
        let lines_of = |text: &str| text.to_lowercase().lines().filter(|line| line.contains(term)).count();
        let most = sources.iter().max_by_key(|(_, text)| lines_of(text)).expect("sources");
        assert!(lines_of(&most.1) <= lines_of(&text), "{} says `{term}` more often than {file}", most.0.display());
    }
}

#[test]
fn no_source_speaks_of_a_house() {
    for (name, text) in library_sources() {
        for picture in PICTURES {
            assert!(!text.contains(picture), "{} says `{picture}`", name.display());
        }
    }
}
