//! Decodes answers around optional scalars that are not what the schema promises.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::envelope::{PathStep, Undecoded, decode};
use super::path::steps_at;

/// Most scalars of one answer that may have another form. With more, the schema itself is another one.
const MOST: usize = 200;

/// Scalar that was read as null: its path, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api) struct Odd {
    pub path: Vec<PathStep>,
    pub text: String,
}

/// Decodes a JSON text, and reads as null each optional scalar that has another form than the schema promises. A
/// required scalar still fails: without it the object has no meaning.
pub(in crate::api) fn decode_around<T: DeserializeOwned>(json: &[u8]) -> Result<(T, Vec<Odd>), Undecoded> {
    let first = match decode(json) {
        Ok(decoded) => return Ok((decoded, Vec::new())),
        Err(first) => first,
    };
    let Ok(mut value) = serde_json::from_slice::<Value>(json) else { return Err(first) };
    let mut odd = Vec::new();
    while odd.len() < MOST {
        let Ok(text) = serde_json::to_vec(&value) else { break };
        let error = match serde_json::from_slice::<T>(&text) {
            Ok(decoded) => return Ok((decoded, odd)),
            Err(error) => error,
        };
        let path = steps_at(&text, error.line(), error.column());
        let Some(place) = at(&mut value, &path) else { break };
        let text = match place {
            Value::String(text) => std::mem::take(text),
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => break,
        };
        *place = Value::Null;
        odd.push(Odd { path, text });
    }
    // The first error, on the answer as it came, says more than the last one.
    Err(first)
}

fn at<'v>(value: &'v mut Value, path: &[PathStep]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        PathStep::Field(field) => value.get_mut(field),
        PathStep::Position(position) => value.get_mut(position),
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Node {
        number: u32,
        born: Option<jiff::civil::Date>,
        told: Option<bool>,
        name: Option<String>,
        below: Option<Box<Node>>,
    }

    #[test]
    fn an_optional_scalar_of_another_form_is_left_out_and_kept_as_text() {
        let json = br#"{"number":1,"born":"","told":"oui","name":12,"below":{"number":2,"born":"31/02/1990"}}"#;
        let (node, odd) = decode_around::<Node>(json).expect("all of them are optional");
        let below = Node { number: 2, born: None, told: None, name: None, below: None };
        assert_eq!(node, Node { number: 1, born: None, told: None, name: None, below: Some(Box::new(below)) });
        let mut told: Vec<(String, &str)> = odd
            .iter()
            .map(|odd| {
                let path: Vec<String> = odd.path.iter().map(ToString::to_string).collect();
                (path.join("."), odd.text.as_str())
            })
            .collect();
        told.sort_unstable();
        let expected = [("below.born", "31/02/1990"), ("born", ""), ("name", "12"), ("told", "oui")];
        assert_eq!(told, expected.map(|(path, text)| (path.to_owned(), text)));
    }

    #[test]
    fn a_scalar_that_must_be_there_fails_as_before() {
        let error = decode_around::<Node>(br#"{"number":"secret","born":""}"#).expect_err("it has no number");
        assert_eq!((error.path.as_str(), error.reason.as_str()), ("number", "expected u32"));
        assert!(decode_around::<Node>(b"{").is_err());
    }
}
