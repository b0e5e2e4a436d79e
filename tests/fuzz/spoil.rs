//! Corrupts JSON in a few places.

use proptest::prelude::*;
use serde_json::{Value, json};

/// Corruption of one node of a tree.
#[derive(Clone, Debug)]
pub enum Spoil {
    /// It is another value.
    Replace(Value),
    /// It is not there.
    Remove,
    /// It is there twice (in a list), or under another name as well (in an object).
    Double,
    /// Its text is cut, or its number has one digit less.
    Cut,
    /// It is called otherwise.
    Rename(String),
}

/// Nodes by their place, counted in the order of the text, and what is done to each.
pub fn spoils() -> impl Strategy<Value = Vec<(prop::sample::Index, Spoil)>> {
    let values = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,12}".prop_map(Value::String),
        Just(json!([])),
        Just(json!({})),
        Just(json!([null, 1, "x", [], {}])),
        prop_oneof![
            Just("2026-02-30T25:61:00+99:00"),
            Just("-292277022657-01-27T08:29:52Z"),
            Just("9999-12-31T23:59:60Z"),
            Just("RG9zc2llci0"),
            Just("Q2hhbXAtMTIzfDQ1Ng=="),
            Just("\u{0}\u{feff}\u{202e}"),
            Just("1e999999"),
        ]
        .prop_map(|text| json!(text)),
    ];
    let spoil = prop_oneof![
        4 => values.prop_map(Spoil::Replace),
        2 => Just(Spoil::Remove),
        1 => Just(Spoil::Double),
        1 => Just(Spoil::Cut),
        1 => "[a-zA-Z_]{1,12}".prop_map(Spoil::Rename),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), spoil), 1..6)
}

/// The tree with these things done to it.
pub fn spoiled(tree: &Value, spoils: &[(prop::sample::Index, Spoil)]) -> Value {
    let mut tree = tree.clone();
    for (at, spoil) in spoils {
        let mut left = at.index(count(&tree));
        change(&mut tree, &mut left, spoil);
    }
    tree
}

/// Counts the nodes below this one.
fn count(tree: &Value) -> usize {
    match tree {
        Value::Array(items) => items.iter().map(|item| 1 + count(item)).sum::<usize>().max(1),
        Value::Object(fields) => fields.values().map(|field| 1 + count(field)).sum::<usize>().max(1),
        _ => 1,
    }
}

/// Goes to the node and changes it there: whether it was found.
fn change(tree: &mut Value, left: &mut usize, spoil: &Spoil) -> bool {
    match tree {
        Value::Array(items) => {
            for at in 0..items.len() {
                if *left == 0 {
                    match spoil {
                        Spoil::Replace(value) => items[at] = value.clone(),
                        Spoil::Remove => drop(items.remove(at)),
                        Spoil::Double => items.insert(at, items[at].clone()),
                        Spoil::Cut | Spoil::Rename(_) => cut(&mut items[at]),
                    }
                    return true;
                }
                *left -= 1;
                if change(&mut items[at], left, spoil) {
                    return true;
                }
            }
            false
        }
        Value::Object(fields) => {
            let names: Vec<String> = fields.keys().cloned().collect();
            for name in names {
                if *left == 0 {
                    match spoil {
                        Spoil::Replace(value) => drop(fields.insert(name, value.clone())),
                        Spoil::Remove => drop(fields.remove(&name)),
                        Spoil::Double => drop(fields.insert(format!("{name}2"), fields[&name].clone())),
                        Spoil::Cut => cut(&mut fields[&name]),
                        Spoil::Rename(other) => {
                            let value = fields.remove(&name).unwrap_or_default();
                            fields.insert(other.clone(), value);
                        }
                    }
                    return true;
                }
                *left -= 1;
                if fields.get_mut(&name).is_some_and(|field| change(field, left, spoil)) {
                    return true;
                }
            }
            false
        }
        _ => false,
    }
}

fn cut(value: &mut Value) {
    *value = match value {
        Value::String(text) => Value::String(text.chars().take(text.chars().count() / 2).collect()),
        Value::Number(number) => json!(number.as_i64().unwrap_or_default() / 10),
        _ => Value::Null,
    };
}
