//! Checks `config/container`.

use std::fs;
use std::path::{Path, PathBuf};

use super::{PROGRAM, read, root, understands};

const FILE: &str = "config/container/Containerfile";

/// The instructions: a word in capitals, and the rest of the line and of those that go on from it.
fn instructions() -> Vec<(String, String)> {
    let text = read(FILE);
    let lines: Vec<_> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let joined = lines.join("\n").replace("\\\n", " ");
    let split = |line: &str| {
        let (word, rest) = line.split_once(' ').unwrap_or_else(|| panic!("{line}"));
        (word.to_owned(), rest.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    joined.lines().filter(|line| !line.is_empty()).map(split).collect()
}

/// Reads an instruction of the last stage, which becomes the image.
pub(super) fn last_stage(word: &str) -> Vec<String> {
    let all = instructions();
    let start = all.iter().rposition(|(word, _)| word == "FROM").expect("there is a stage");
    all.into_iter().skip(start).filter(|(found, _)| found == word).map(|(_, rest)| rest).collect()
}

/// Lists the copied sources, and their places in the build folder.
fn copied() -> Vec<(String, String)> {
    let copies = instructions().into_iter().filter(|(word, rest)| word == "COPY" && !rest.starts_with("--from"));
    let pairs = copies.flat_map(|(_, rest)| {
        let mut words: Vec<_> = rest.split(' ').map(str::to_owned).collect();
        let to = words.pop().expect("a place to copy to");
        words
            .into_iter()
            .map(move |from| (from.clone(), if to == "./" { from } else { to.clone() }))
            .collect::<Vec<_>>()
    });
    pairs.collect()
}

fn array(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    entries.flat_map(|entry| files(&entry.expect("an entry of a readable folder").path())).collect()
}

#[test]
fn what_the_image_is_built_from_is_all_that_the_build_asks_for() {
    let copied: Vec<_> = copied().into_iter().map(|(from, to)| (root().join(&from), from, to)).collect();
    for (path, from, to) in &copied {
        assert_eq!(from, to, "the build finds it at the same place");
        assert!(path.exists(), "{from}");
    }
    let has = |path: &Path| path.is_file() && copied.iter().any(|(copied, ..)| path.starts_with(copied));
    // Every target that the manifest names must be there, built or not.
    let manifest: toml::Table = read("Cargo.toml").parse().expect("a manifest");
    for (kind, folder) in [("bench", "benches"), ("example", "examples")] {
        for target in manifest[kind].as_array().expect("some of them") {
            let name = target["name"].as_str().expect("a name");
            let places = [format!("{folder}/{name}.rs"), format!("{folder}/{name}/main.rs")];
            assert!(places.iter().any(|place| has(&root().join(place))), "{kind} {name}");
        }
    }
    // So must every file that the sources include.
    for source in files(&root().join("src")).iter().filter(|path| path.extension().is_some_and(|end| end == "rs")) {
        let text = fs::read_to_string(source).expect("a readable source");
        for name in text.split("include_str!(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let included = source.parent().expect("it has a folder").join(name);
            let included = included.canonicalize().unwrap_or_else(|error| panic!("{}: {error}", included.display()));
            // The README is tested, not built.
            assert!(has(&included) || name == "../README.md", "{} includes {name}", source.display());
        }
    }
}

#[test]
fn the_list_of_what_is_sent_to_the_build_and_the_list_of_what_is_copied_are_one() {
    let text = read(".containerignore");
    let lines: Vec<_> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert_eq!(lines.first(), Some(&"*"));
    let mut sent: Vec<_> = lines[1..].iter().map(|line| line.trim_start_matches('!').to_owned()).collect();
    let mut wanted: Vec<_> = copied().into_iter().map(|(from, _)| from).collect();
    sent.sort();
    wanted.sort();
    assert_eq!(sent, wanted);
}

#[test]
fn the_image_holds_the_program_the_certificates_and_nobody_that_is_root() {
    assert_eq!(last_stage("FROM"), ["scratch"]);
    let user = last_stage("USER").pop().expect("a user");
    let (account, group) = user.split_once(':').expect("an account and a group");
    assert!([account, group].iter().all(|number| number.parse::<u32>().is_ok_and(|number| number > 0)), "{user}");
    let state = last_stage("WORKDIR").pop().expect("a folder");
    assert!(last_stage("COPY").iter().any(|copy| copy.starts_with(&format!("--from=build --chown={user} "))));
    assert!(last_stage("COPY").iter().any(|copy| copy.ends_with(&state)));

    let build: Vec<_> = instructions().into_iter().filter(|(word, _)| word == "RUN").map(|(_, rest)| rest).collect();
    let build = build.join("\n");
    for word in ["--bin dn ", "--locked", "-unknown-linux-musl", "/etc/ssl/certs/ca-certificates.crt"] {
        assert!(build.contains(word), "{word}");
    }
    assert!(build.contains(&format!("/image{PROGRAM}")));
    assert_eq!(array(&last_stage("ENTRYPOINT").concat()), [PROGRAM]);
    understands(array(&last_stage("CMD").concat()).iter().map(String::as_str));
    // A command that tells the health of the program would have to be one of its commands.
    assert_eq!(last_stage("HEALTHCHECK"), [""; 0]);
}

#[test]
fn the_image_says_what_it_is() {
    let labels = last_stage("LABEL").concat();
    for (name, value) in [("title", "dn"), ("version", env!("CARGO_PKG_VERSION")), ("licenses", "MIT OR Apache-2.0")] {
        assert!(labels.contains(&format!("org.opencontainers.image.{name}=\"{value}\"")), "{name}: {labels}");
    }
}

#[test]
fn bases_are_pinned_by_their_major_version_and_name_no_registry() {
    let bases: Vec<_> = instructions().into_iter().filter(|(word, _)| word == "FROM").map(|(_, rest)| rest).collect();
    for base in bases.iter().map(|rest| rest.split(' ').next().unwrap_or_default()).filter(|base| *base != "scratch") {
        let (name, version) = base.split_once(':').unwrap_or_else(|| panic!("{base} has no version"));
        assert!(!name.contains(['.', '/']), "{base}");
        assert!(version.starts_with(|digit: char| digit.is_ascii_digit()), "{base}");
    }
}
