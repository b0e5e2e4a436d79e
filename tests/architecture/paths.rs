//! Reads the paths that a source names: grouped and nested `use`, `use` inside functions, and paths written out.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::sources::root;

/// The words and signs of a source, without comments, texts, numbers, and items of `#[cfg(test)]`.
pub fn tokens(text: &str) -> Vec<String> {
    without_tests(&all_tokens(text))
}

fn all_tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let at = |place: usize| chars.get(place).copied().unwrap_or('\0');
    let mut found = Vec::new();
    let mut place = 0;
    while place < chars.len() {
        let c = at(place);
        if c == '/' && at(place + 1) == '/' {
            while place < chars.len() && at(place) != '\n' {
                place += 1;
            }
        } else if c == '/' && at(place + 1) == '*' {
            let mut depth = 0;
            loop {
                match (at(place), at(place + 1)) {
                    ('/', '*') => (depth, place) = (depth + 1, place + 2),
                    ('*', '/') => (depth, place) = (depth - 1, place + 2),
                    _ => place += 1,
                }
                if depth == 0 || place >= chars.len() {
                    break;
                }
            }
        } else if is_word(c) {
            let start = place;
            while is_word(at(place)) {
                place += 1;
            }
            let word: String = chars[start..place].iter().collect();
            let hashes = (place..).take_while(|place| at(*place) == '#').count();
            if matches!(word.as_str(), "r" | "br" | "cr") && at(place + hashes) == '"' {
                place = end_of_raw_text(&chars, place + hashes + 1, hashes);
            } else if !word.starts_with(|c: char| c.is_ascii_digit()) {
                found.push(word);
            }
        } else if c == '"' {
            place = end_of_text(&chars, place + 1, '"');
        } else if c == '\'' {
            // A character ends with another mark; a lifetime does not.
            if at(place + 1) == '\\' || at(place + 2) == '\'' {
                place = end_of_text(&chars, place + 1, '\'');
            } else {
                place += 1;
                while is_word(at(place)) {
                    place += 1;
                }
            }
        } else if c == ':' && at(place + 1) == ':' {
            found.push("::".to_owned());
            place += 2;
        } else {
            if !c.is_whitespace() {
                found.push(c.to_string());
            }
            place += 1;
        }
    }
    found
}

fn end_of_text(chars: &[char], mut place: usize, mark: char) -> usize {
    while place < chars.len() && chars[place] != mark {
        place += if chars[place] == '\\' { 2 } else { 1 };
    }
    place + 1
}

fn end_of_raw_text(chars: &[char], mut place: usize, hashes: usize) -> usize {
    while place < chars.len() {
        place += 1;
        let closed = (place..place + hashes).all(|place| chars.get(place) == Some(&'#'));
        if chars[place - 1] == '"' && closed {
            break;
        }
    }
    place + hashes
}

fn without_tests(tokens: &[String]) -> Vec<String> {
    let mark = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut place = 0;
    while place < tokens.len() {
        if tokens[place..].iter().take(mark.len()).eq(mark.iter()) {
            place = end_of_item(tokens, place + mark.len());
        } else {
            kept.push(tokens[place].clone());
            place += 1;
        }
    }
    kept
}

/// The place behind an item: behind its `;` or its closing brace, after any further attributes.
fn end_of_item(tokens: &[String], mut place: usize) -> usize {
    let mut depth = 0;
    let is_use = tokens.get(place).is_some_and(|token| token == "use");
    while place < tokens.len() {
        let token = tokens[place].as_str();
        depth += i32::from(["{", "(", "["].contains(&token)) - i32::from(["}", ")", "]"].contains(&token));
        place += 1;
        if depth == 0 && (token == ";" || token == "}" && !is_use) {
            break;
        }
    }
    place
}

/// The paths that a `use` brings, each with the name under which it does.
fn used(tokens: &[String], mut place: usize, before: &[String], found: &mut Vec<(String, Vec<String>)>) -> usize {
    let mut path = before.to_vec();
    let mut name = None;
    while place < tokens.len() {
        match tokens[place].as_str() {
            "::" => place += 1,
            "{" => {
                place += 1;
                while place < tokens.len() && tokens[place] != "}" {
                    place = used(tokens, place, &path, found);
                    place += usize::from(tokens.get(place).is_some_and(|token| token == ","));
                }
                return place + 1;
            }
            "as" => {
                name = tokens.get(place + 1).cloned();
                place += 2;
            }
            ";" | "," | "}" => break,
            "self" if !path.is_empty() => place += 1,
            word => {
                path.push(word.to_owned());
                place += 1;
            }
        }
    }
    let name = name.or_else(|| path.last().cloned()).unwrap_or_default();
    found.push((name, path));
    place
}

/// The path of the module that a file is: `src/sink/grist/read.rs` is `crate::sink::grist::read`.
fn module_of(file: &Path) -> Vec<String> {
    let inside = file.strip_prefix(root()).unwrap_or(file).with_extension("");
    let mut parts: Vec<String> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let sources = parts.iter().position(|part| part == "src").map_or(0, |place| place + 1);
    parts.drain(..sources);
    if parts.last().is_some_and(|last| last == "mod" || last == "lib") {
        parts.pop();
    }
    parts.insert(0, "crate".to_owned());
    parts
}

/// A path from the root of its crate.
fn absolute(path: &[String], module: &[String]) -> Vec<String> {
    let mut from = module.to_vec();
    let mut rest = path;
    match path.first().map(String::as_str) {
        Some("self") => rest = &path[1..],
        Some("super") => {}
        _ => return path.to_vec(),
    }
    while rest.first().is_some_and(|part| part == "super") {
        from.pop();
        rest = &rest[1..];
    }
    from.extend(rest.iter().cloned());
    from
}

/// Every path of a source, as `a::b::c` from the root of its crate; names that a `use` brought are written out.
pub fn paths(file: &Path, text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let module = module_of(file);
    let mut brought = Vec::new();
    let mut rest = Vec::new();
    let mut place = 0;
    while place < tokens.len() {
        // `use<'a>` in a type brings nothing.
        if tokens[place] == "use" && tokens.get(place + 1).is_some_and(|next| next != "<") {
            place = used(&tokens, place + 1, &[], &mut brought);
        } else {
            rest.push(tokens[place].as_str());
            place += 1;
        }
    }
    for (_, path) in &mut brought {
        *path = absolute(path, &module);
    }
    let names: BTreeMap<&str, &Vec<String>> = brought.iter().map(|(name, path)| (name.as_str(), path)).collect();
    let mut found: Vec<String> = brought.iter().map(|(_, path)| path.join("::")).collect();
    for written in written_out(&rest) {
        let absolute = match names.get(written[0].as_str()) {
            Some(path) => path.iter().chain(&written[1..]).cloned().collect(),
            None => absolute(&written, &module),
        };
        found.push(absolute.join("::"));
    }
    found
}

/// The paths of two parts or more among tokens.
fn written_out(tokens: &[&str]) -> Vec<Vec<String>> {
    let is_word = |token: &str| token.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let mut found = Vec::new();
    let mut place = 0;
    while place < tokens.len() {
        let mut path = vec![tokens[place].to_owned()];
        let begins = is_word(tokens[place]);
        place += 1;
        while begins && place + 1 < tokens.len() && tokens[place] == "::" && is_word(tokens[place + 1]) {
            path.push(tokens[place + 1].to_owned());
            place += 2;
        }
        if path.len() > 1 {
            found.push(path);
        }
    }
    found
}

#[test]
fn grouped_nested_and_inner_uses_are_read() {
    let text = r#"
        use std::{collections::BTreeMap, time::{self, Duration}};
        use crate::{ids::DossierNumber, sink::{self as target, grist::{GristSink, read}}};
        use super::{super::api::Client, values};
        // use tokio::fs;
        fn a<'a>(text: &'a str) -> impl Iterator<Item = char> + use<'a> {
            use rand::Rng as _;
            let c = ('"', '\'', "std::fs", r"std::net");
            time::Instant::now();
            target::open();
            crate::sync::run::<u8>();
            text.chars()
        }
        #[cfg(test)]
        use std::fs;
        #[cfg(test)]
        mod tests { fn b() { std::env::var("A"); } }
        fn after() { std::process::id() }
    "#;
    let mut found = paths(Path::new("src/plan/retention.rs"), text);
    found.sort();
    let expected = [
        "crate::api::Client",
        "crate::ids::DossierNumber",
        "crate::plan::values",
        "crate::sink",
        "crate::sink::grist::GristSink",
        "crate::sink::grist::read",
        "crate::sink::open",
        "crate::sync::run",
        "rand::Rng",
        "std::collections::BTreeMap",
        "std::process::id",
        "std::time",
        "std::time::Duration",
        "std::time::Instant::now",
    ];
    assert_eq!(found, expected);
}
