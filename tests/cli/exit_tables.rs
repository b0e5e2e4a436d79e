//! Compares the tables of exit codes in both READMEs and docs/operations.md with the enum.

use std::collections::BTreeSet;
use std::path::Path;

use demarche_numerique::cli::Exit;

/// The codes in the first column of the table under a header.
fn codes(file: &str, header: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut lines = text.lines().skip_while(|line| !line.starts_with(header)).skip(2).peekable();
    assert!(lines.peek().is_some(), "{file} has no table `{header}`");
    let rows = lines.take_while(|line| line.starts_with('|'));
    let first = rows.filter_map(|line| line.split('|').nth(1).map(str::to_owned));
    first
        .flat_map(|cell| cell.split(',').map(|code| code.trim().parse().expect("a code")).collect::<Vec<_>>())
        .collect()
}

#[test]
fn every_table_has_every_code_once_and_in_order() {
    let known: Vec<u8> = Exit::ALL.iter().map(|(exit, _)| exit.code()).collect();
    for (file, header) in
        [("README.md", "| exit code |"), ("README.fr.md", "| code de sortie |"), ("docs/operations.md", "| code | who")]
    {
        assert_eq!(codes(file, header), known, "{file}");
    }
}

/// Codes that texts name elsewhere exist too.
#[test]
fn no_text_names_a_code_that_there_is_not() {
    let known: BTreeSet<u8> = Exit::ALL.iter().map(|(exit, _)| exit.code()).chain([130, 143]).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(root.join("docs")).expect("the folder").map(|entry| entry.expect("an entry").path());
    for path in docs.chain([root.join("README.md"), root.join("README.fr.md")]) {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        for words in ["exit code ", "ends with code ", "code de sortie "] {
            for (at, _) in text.match_indices(words) {
                let digits: String = text[at + words.len()..].chars().take_while(char::is_ascii_digit).collect();
                if let Ok(code) = digits.parse() {
                    assert!(known.contains(&code), "{}: {words}{code}", path.display());
                }
            }
        }
    }
}
