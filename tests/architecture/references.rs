//! References resolve: sections of a page, numbers of traps, links between documents.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::sources::{files, read, root};

/// All documents: those at the root and below its folders.
fn documents() -> Vec<PathBuf> {
    let at_root = fs::read_dir(root()).expect("the repository");
    let at_root = at_root.map(|entry| entry.expect("an entry").path());
    let mut found: Vec<PathBuf> =
        at_root.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect();
    found.extend(files(&["docs", "config", "examples", "crates", "graphql", ".github"], "md"));
    found
}

fn sources() -> Vec<PathBuf> {
    files(&["src", "tests", "examples", "benches", "crates"], "rs")
}

/// The anchors of a document's headings, as forges make them.
fn anchors(document: &str) -> BTreeSet<String> {
    let mut in_code = false;
    let mut anchors = BTreeSet::new();
    for line in document.lines() {
        if line.starts_with("```") {
            in_code = !in_code;
        }
        let Some(title) = line.strip_prefix('#').filter(|_| !in_code) else { continue };
        let title = title.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-' || *c == '_');
        anchors.insert(kept.map(|c| if c == ' ' { '-' } else { c }).collect());
    }
    anchors
}

/// The numbers of the traps that a page lists.
fn traps(page: &str) -> BTreeSet<u32> {
    let text = read(page);
    text.lines().filter_map(|line| line.strip_prefix("| ")?.split(' ').next()?.parse().ok()).collect()
}

/// A text in which a comment that goes on in the next line is one line.
fn joined(text: &str) -> String {
    let lines = text.lines().map(|line| line.trim_start().trim_start_matches(['/', '!']).trim());
    lines.collect::<Vec<_>>().join(" ")
}

#[test]
fn every_section_of_a_page_that_is_named_exists() {
    let mut named = 0;
    for path in sources().into_iter().chain(documents()) {
        let text = read(&path);
        for rest in text.split("docs/").skip(1) {
            let length = rest.find(|c: char| !(c.is_alphanumeric() || "-_.#".contains(c))).unwrap_or(rest.len());
            let reference = rest[..length].trim_end_matches('.');
            let (page, anchor) = reference.split_once('#').unwrap_or((reference, ""));
            // `NAME.md` stands for any page, in instructions.
            if !page.ends_with(".md") || page == "NAME.md" {
                continue;
            }
            named += 1;
            let target = root().join("docs").join(page);
            assert!(target.exists(), "{}: there is no docs/{page}", path.display());
            let known = anchor.is_empty() || anchors(&read(&target)).contains(anchor);
            assert!(known, "{}: docs/{page} has no section #{anchor}", path.display());
        }
    }
    assert!(named > 80, "{named} references to pages");
}

#[test]
fn every_relative_link_of_a_document_leads_somewhere() {
    let mut followed = 0;
    for path in documents() {
        let text = read(&path);
        for rest in text.split("](").skip(1) {
            let link = rest.split(')').next().unwrap_or_default();
            if link.contains("://") || link.starts_with("mailto:") || link.contains(' ') {
                continue;
            }
            followed += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let folder = path.parent().expect("a folder");
            let target = if file.is_empty() { path.clone() } else { folder.join(file) };
            assert!(target.exists(), "{}: the link {link} leads nowhere", path.display());
            let known = anchor.is_empty() || anchors(&read(&target)).contains(anchor);
            assert!(known, "{}: the link {link} names no section", path.display());
        }
    }
    assert!(followed > 60, "{followed} links");
}

/// Tells if a file is about Grist, so that a trap in it is one of Grist's unless it says otherwise.
fn is_about_grist(path: &Path) -> bool {
    let parts = path.strip_prefix(root()).unwrap_or(path);
    parts.to_string_lossy().contains("grist")
}

#[test]
fn every_trap_that_is_cited_is_listed() {
    let platform = traps("docs/traps.md");
    let grist = traps("docs/grist-traps.md");
    assert_eq!((platform.len(), grist.len()), (71, 42));
    let mut cited = 0;
    for path in sources().into_iter().chain(documents()) {
        let name = path.strip_prefix(root()).expect("a file of the repository").to_owned();
        if name.ends_with("traps.md") || name.starts_with("tests/architecture") {
            continue;
        }
        let text = joined(&read(&path));
        for word in ["trap ", "traps "] {
            for (at, _) in text.match_indices(word) {
                let of_grist = text[..at].ends_with("Grist ");
                let rest = &text[at + word.len()..];
                let end = rest.find(|c: char| !(c.is_ascii_digit() || " ,andto".contains(c))).unwrap_or(rest.len());
                let numbers = rest[..end].split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok());
                let numbers: Vec<u32> =
                    if rest.starts_with(|c: char| c.is_ascii_digit()) { numbers.collect() } else { vec![] };
                for number in numbers {
                    cited += 1;
                    let listed = if of_grist { &grist } else { &platform };
                    assert!(listed.contains(&number), "{}: no trap {number} is listed", name.display());
                    assert!(
                        of_grist || !is_about_grist(&path),
                        "{}: trap {number}: write “Grist trap {number}”, or move it where the platform's traps belong",
                        name.display()
                    );
                }
            }
        }
    }
    assert!(cited > 150, "{cited} citations");
}

#[test]
fn no_reference_leads_out_of_the_repository() {
    for path in sources().into_iter().chain(documents()) {
        if path.starts_with(root().join("tests/architecture")) {
            continue;
        }
        let text = joined(&read(&path));
        for gone in ["dn-api", "reference §", "the reference (§"] {
            assert!(!text.contains(gone), "{} cites {gone}: name a section of docs/platform.md", path.display());
        }
    }
}

#[test]
fn every_mutation_of_the_simulation_applies() {
    for patch in files(&["tests/simulation/mutations"], "patch") {
        let output =
            std::process::Command::new("git").args(["apply", "--check"]).arg(&patch).current_dir(root()).output();
        let output = output.expect("git, which scripts/mutations needs too");
        let why = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} does not apply: {why}", patch.display());
    }
}
