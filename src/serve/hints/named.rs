//! Reads the two numbers in the body of a call. Pure.

use serde_json::Value;
use url::form_urlencoded;

use crate::ids::{DemarcheNumber, DossierNumber};

/// The démarche and the dossier that a body names: `procedure_id` and `dossier_id` of a form, as the platform sends it
/// (docs/platform.md#webhooks), or of a JSON object. `None` for anything else. What else it tells, the state first of all, is not looked at:
/// whoever wants to know asks the platform.
#[must_use]
pub fn named(body: &[u8]) -> Option<(DemarcheNumber, DossierNumber)> {
    let text = std::str::from_utf8(body).ok()?.trim();
    let field = |name: &str| match text.starts_with('{') {
        true => in_object(text, name),
        false => in_form(text, name),
    };
    Some((field("procedure_id")?.parse().ok()?, field("dossier_id")?.parse().ok()?))
}

fn in_form(text: &str, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(text.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn in_object(text: &str, name: &str) -> Option<String> {
    match serde_json::from_str::<Value>(text).ok()?.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_and_an_object_name_a_demarche_and_a_dossier_and_nothing_else_does() {
        let form = "procedure_id=1234&dossier_id=5522885&state=accepte&updated_at=2024-10-17+10%3A09%3A33+%2B0200";
        for (body, expected) in [
            (form, true),
            ("dossier_id=5522885&procedure_id=1234", true),
            ("\r\n{\"procedure_id\": 1234, \"dossier_id\": \"5522885\", \"state\": []}\n", true),
            ("procedure_id=1234", false),
            ("procedure_id=1234&dossier_id=0", false),
            ("procedure_id=1234&dossier_id=-5", false),
            ("procedure_id=1234&dossier_id=99999999999", false),
            ("procedure_id=1234&dossier_id=5522885%20OR%201", false),
            ("{\"procedure_id\": 1234.5, \"dossier_id\": 5522885}", false),
            ("{\"procedure_id\": 1234, \"dossier_id\": [5522885]}", false),
            ("{\"procedure_id\": 1234, \"dossier_id\": 5522885", false),
            ("[{\"procedure_id\": 1234, \"dossier_id\": 5522885}]", false),
            ("", false),
            ("bonjour", false),
        ] {
            let numbers = (DemarcheNumber::new(1234), DossierNumber::new(5_522_885));
            assert_eq!(named(body.as_bytes()), expected.then_some(numbers), "{body}");
        }
        assert_eq!(named(b"procedure_id=1234&dossier_id=\xff"), None);
    }
}
