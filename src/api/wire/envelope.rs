//! Decodes the envelope of every answer: `data`, `errors`, connections.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::path::path_at;

/// Whole answer to an operation with one root field.
#[derive(Debug, Deserialize)]
pub(in crate::api) struct Envelope<T> {
    /// `None` if the key is absent, as for a rejected operation; `Some(None)` if it is null.
    #[serde(default = "Option::default", deserialize_with = "present", bound = "T: Deserialize<'de>")]
    pub data: Option<Option<Root<T>>>,
    /// The errors beside the data.
    #[serde(default)]
    pub errors: Option<Vec<GraphqlError>>,
}

fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<Root<T>>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// The one root field, whatever its name: every operation has one, and a test says so.
#[derive(Debug)]
pub(in crate::api) struct Root<T> {
    pub root: Option<T>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Root<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for One<T> {
            type Value = Root<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Root<T>, A::Error> {
                let first = map.next_entry::<IgnoredAny, Option<T>>()?;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Root { root: first.and_then(|(_, root)| root) })
            }
        }
        deserializer.deserialize_map(One(PhantomData))
    }
}

/// One entry of `errors`.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "ErrorForm")]
pub(in crate::api) struct GraphqlError {
    /// The platform's message, in French or English: to show, never to parse.
    pub message: String,
    /// The path of the error, if the platform states it.
    pub path: Option<Vec<PathStep>>,
    /// The code and the id of the exception.
    pub extensions: Option<Extensions>,
}

/// Forms of an error: GraphQL's, and the bare text that Démat Social sends when it refuses a token
/// (docs/platform.md#statuses-and-bodies).
#[derive(Deserialize)]
#[serde(untagged)]
enum ErrorForm {
    Sentence(String),
    Object {
        #[serde(default)]
        message: String,
        path: Option<Vec<PathStep>>,
        extensions: Option<Extensions>,
    },
}

impl From<ErrorForm> for GraphqlError {
    fn from(form: ErrorForm) -> Self {
        match form {
            ErrorForm::Sentence(message) => Self { message, path: None, extensions: None },
            ErrorForm::Object { message, path, extensions } => Self { message, path, extensions },
        }
    }
}

impl GraphqlError {
    /// Returns the code, if there is one.
    pub fn code(&self) -> Option<&str> {
        self.extensions.as_ref()?.code.as_deref()
    }
}

/// The machine's part of an error.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::api) struct Extensions {
    pub code: Option<String>,
    pub exception_id: Option<String>,
}

/// One step of an error's path.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(in crate::api) enum PathStep {
    Position(usize),
    Field(String),
}

impl fmt::Display for PathStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Position(position) => write!(f, "{position}"),
            Self::Field(field) => f.write_str(field),
        }
    }
}

/// Object with a list of dossiers.
#[derive(Debug, Deserialize)]
pub(in crate::api) struct Listed<T> {
    // One type for three listings: what walks them does not depend on the name of the field.
    #[serde(alias = "pendingDeletedDossiers", alias = "deletedDossiers")]
    pub dossiers: Option<Connection<T>>,
}

/// A page.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Connection<T> {
    pub page_info: Option<PageInfo>,
    // A dossier on which the platform fails is null here, in an HTTP 200 (trap 2).
    pub nodes: Option<Vec<Option<T>>>,
}

/// Where a page ends.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct PageInfo {
    // It comes from another query than the nodes, so it may promise a page that is empty (trap 15).
    pub has_next_page: bool,
    pub end_cursor: Option<String>,
}

/// The number of a dossier of which nothing else can be read.
#[derive(Debug, Deserialize)]
pub(in crate::api) struct Numbered {
    pub number: u32,
}

/// Dossier with its number as it came, also if ours cannot hold it.
#[derive(Debug, Deserialize)]
pub(in crate::api) struct AnyNumbered {
    pub number: serde_json::Number,
}

/// Error of decoding, with the path and the reason. It never quotes a value, as values are personal data.
#[derive(Debug)]
pub(in crate::api) struct Undecoded {
    pub path: String,
    pub reason: String,
}

/// Decodes a JSON text. Its UTF-8 is validated once as a whole, which spares a validation of each string.
pub(in crate::api) fn decode<T: DeserializeOwned>(json: &[u8]) -> Result<T, Undecoded> {
    let decoded = str::from_utf8(json).map_or_else(|_| serde_json::from_slice(json), serde_json::from_str);
    decoded.map_err(|error| {
        let path = path_at(json, error.line(), error.column());
        let reason = match error.classify() {
            serde_json::error::Category::Eof => "the answer ends too early".to_owned(),
            serde_json::error::Category::Data => unquoted(&error.to_string()),
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => {
                "the answer is not JSON".to_owned()
            }
        };
        Undecoded { path, reason }
    })
}

/// Rewrites a decoder's message without the value that it found: `missing field` and `expected` are the schema's words.
fn unquoted(message: &str) -> String {
    if let Some(field) = message.strip_prefix("missing field ") {
        let field = field.split(" at line").next().unwrap_or_default();
        return format!("the field {field} is missing");
    }
    match message.rsplit_once("expected ").filter(|_| message.starts_with("invalid ")) {
        Some((_, expected)) => format!("expected {}", expected.split(" at line").next().unwrap_or_default()),
        None => "the value is not of the expected type".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_data_and_null_data_are_told_apart() {
        let data = |json: &str| decode::<Envelope<Numbered>>(json.as_bytes()).expect(json).data;
        assert!(data(r#"{"errors":[]}"#).is_none());
        assert!(matches!(data(r#"{"data":null,"errors":[]}"#), Some(None)));
        assert!(matches!(data(r#"{"data":{"dossier":null}}"#), Some(Some(Root { root: None }))));
        let root = data(r#"{"data":{"dossier":{"number":4}}}"#).flatten().and_then(|root| root.root);
        assert_eq!(root.map(|numbered| numbered.number), Some(4));
    }

    #[test]
    fn a_decoding_error_tells_where_and_never_what() {
        let error = decode::<Numbered>(br#"{"number":"Jeanne Exemple, expected home"}"#).expect_err("not a number");
        assert_eq!(error.path, "number");
        assert_eq!(error.reason, "expected u32");
        let error = decode::<Numbered>(b"{}").expect_err("nothing");
        assert_eq!(error.reason, "the field `number` is missing");
        assert_eq!(decode::<Numbered>(b"<html>").expect_err("a page").reason, "the answer is not JSON");
        assert_eq!(decode::<Numbered>(b"{\"number\":").expect_err("cut").reason, "the answer ends too early");
    }

    #[test]
    fn a_number_is_read_to_its_last_digit() {
        for number in ["2.3660229562308004e300", "48.856613999999998", "-2.3522219000000006"] {
            let read: f64 = decode(number.as_bytes()).expect(number);
            assert_eq!(Some(read), number.parse().ok());
        }
    }
}
