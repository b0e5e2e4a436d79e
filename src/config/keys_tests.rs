//! The declarations of the keys, the example that follows from them, and what a misspelt key or a wrong type is answered with.

use std::time::Duration;

use super::tests::{EXAMPLE, nothing, parse};
use super::*;
use crate::api::PageSize;

#[test]
fn the_example_follows_from_the_declarations() {
    let command = "cargo run --all-features -- config example > config/example.toml";
    // No `assert_eq`: it would print both texts on one line each.
    let declared = example();
    let differing = declared.lines().zip(EXAMPLE.lines()).find(|(line, shown)| line != shown);
    assert!(declared == EXAMPLE, "config/example.toml is not up to date; write it with `{command}`: {differing:?}");
}

#[test]
fn the_example_loads_and_shows_every_key() {
    let config = parse(EXAMPLE).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(config.demarches.len(), 2);
    for section in keys::sections() {
        for key in &section.keys {
            let shown = EXAMPLE.lines().any(|line| {
                // One of two ways to give a secret is shown, the other beside it in a comment.
                let line = line.trim_start_matches(['#', '[', ' ']);
                line.strip_prefix(key.name).is_some_and(|rest| rest.trim_start().starts_with(['=', '.', ']']))
                    || line.contains(&format!(".{}]", key.name))
            });
            assert!(shown, "`{}` of {} is not in config/example.toml", key.name, section.name);
        }
    }
}

#[test]
fn the_example_shows_the_defaults() {
    let config = parse(EXAMPLE).unwrap_or_else(|error| panic!("{error}"));
    let said = &config.instances["dn"];
    let bare = parse("[instances.dn]\n").unwrap_or_else(|error| panic!("{error}"));
    let instance = resolve_instance(&bare, &Overrides::default(), &nothing).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(said.platform.value, instance.platform.value);
    assert_eq!(said.url.as_ref().map(|url| &url.value), Some(&instance.url.value));
    assert_eq!(said.token.as_ref().map(|token| &token.value), Some(&instance.token.value));
    assert_eq!(said.page_size.value, instance.page_size.value);
    assert_eq!(instance.page_size.value, PageSize::MAX);
    assert_eq!(instance.connect_timeout, Setting::default(Duration::from_secs(10)));
    let Some(TargetEntry::Grist(grist)) = config.targets.get("equipe").map(|target| &target.value) else {
        panic!("the example has a Grist document")
    };
    let (shown, default) = (&grist.options, GristOptions::default());
    assert_eq!(shown.files_max_size.value, default.files_max_size.value);
    assert_eq!(shown.files_types.value, default.files_types.value);
    let key = grist.key.as_ref().map(|key| key.value.clone());
    assert_eq!(key, Some(SecretSource::Variable(defaults::GRIST_KEY_ENV.to_owned())));
    assert_eq!(config.sync.settings(), SyncSettings::default().settings());
    assert_eq!(config.run.schedule(), RunSettings::default().schedule());
}

/// Each section, as a file begins it.
fn beginnings() -> Vec<(String, Vec<keys::Key>)> {
    let mut beginnings = Vec::new();
    for section in keys::sections() {
        match section.name {
            "the top of the file" => beginnings.push((String::new(), section.keys)),
            "[targets.*]" => {
                for kind in &target::TYPES {
                    let header = format!("[targets.a]\ntype = '{}'\n", kind.name());
                    beginnings.push((header, keys::unsaid(kind.declare).1));
                }
                beginnings.push(("[targets.a]\n".to_owned(), section.keys));
            }
            "[sync.retention] deleted and finished" => {
                beginnings.push(("[sync.retention.deleted]\n".to_owned(), section.keys));
            }
            name => beginnings.push((format!("{}\n", name.replace('*', "a")), section.keys)),
        }
    }
    beginnings
}

#[test]
fn a_misspelt_key_of_any_section_is_answered_with_the_right_one() {
    for (header, keys) in beginnings() {
        for key in keys {
            let misspelt = format!("{}x", key.name);
            let error = parse(&format!("{header}{misspelt} = 1\n")).expect_err(&misspelt).to_string();
            let expected = format!("{misspelt}: unknown key (did you mean `{}`?)", key.name);
            assert!(error.contains(&expected), "{header}{error}");
        }
    }
}

#[test]
fn a_value_of_another_type_is_answered_with_the_type_and_an_example() {
    for (header, keys) in beginnings() {
        for key in keys {
            // The type of a target decides which of its other values are read.
            let header = if key.name == "type" { "[targets.a]\n" } else { &header };
            if header == "[targets.a]\n" && key.name != "type" {
                continue;
            }
            let error = parse(&format!("{header}{} = 1979-05-27\n", key.name)).expect_err(key.name).to_string();
            let mine = error
                .lines()
                .find(|line| line.contains(&format!("{}: ", key.name)) && line.contains("expected, not a date"));
            let mine = mine.unwrap_or_else(|| panic!("{header}{}: {error}", key.name));
            let answered = match &key.value {
                Some(_) => ["such as ", "one of: ", "its id, or "].iter().any(|words| mine.contains(words)),
                None => mine.contains("write `["),
            };
            assert!(answered, "{mine}");
        }
    }
}

#[test]
fn every_setting_of_a_demarche_is_shown_with_its_origin() {
    let config = parse(EXAMPLE).unwrap_or_else(|error| panic!("{error}"));
    let demarche = &config.demarches[0];
    let told = demarche.selection.told().into_iter().chain(demarche.sync.told()).chain(demarche.run.told());
    let told: Vec<&str> = told.map(|(key, ..)| key).collect();
    let elsewhere = ["number", "instance", "target", "privacy", "retention"];
    for section in
        keys::sections().into_iter().filter(|section| ["[[demarches]]", "[sync.retention]"].contains(&section.name))
    {
        for key in section.keys.iter().filter(|key| !elsewhere.contains(&key.name)) {
            let nested = format!("retention.{}", key.name);
            assert!(told.contains(&key.name) || told.contains(&nested.as_str()), "`{}` is not shown", key.name);
        }
    }
}
