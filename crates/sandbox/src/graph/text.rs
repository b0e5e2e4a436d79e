//! Answers as text (`stringValue`).

use crate::kind::Kind;
use crate::places;
use crate::time::{self, Language};
use crate::value::Value;

/// The text of an answer: `""` when nothing was answered, `"false"` for an unanswered checkbox, null for filled files
/// and maps.
pub(crate) fn string_value(kind: Kind, value: &Value, language: Language) -> Option<String> {
    if value.is_empty() || !fits(kind, value) {
        return Some(if kind == Kind::Checkbox { "false".to_owned() } else { String::new() });
    }
    let text = match value {
        Value::Files(_) | Value::Areas(_) => return None,
        Value::Rows(_) | Value::Empty => String::new(),
        Value::List(items) => match kind {
            Kind::LinkedDropDownList => items.join(" / "),
            Kind::Epci => {
                items.get(1).and_then(|code| places::epci(code)).map_or(String::new(), |epci| epci.2.to_owned())
            }
            _ => items.join(", "),
        },
        Value::Text(text) | Value::Reference { id: text, .. } | Value::Data { text, .. } => match kind {
            Kind::TitreIdentite => return None,
            Kind::Date => text.parse().map_or(String::new(), |date| time::day_in_words(date, language)),
            Kind::Datetime => {
                time::parse_instant(text).map_or(String::new(), |at| time::instant_in_words(at, language))
            }
            Kind::Phone => phone(text),
            Kind::Iban => text.split_whitespace().collect(),
            Kind::Departements => {
                places::departement(text).map_or(text.clone(), |(code, name, _)| format!("{code} - {name}"))
            }
            Kind::Communes => {
                places::commune(text).map_or(text.clone(), |commune| format!("{} ({})", commune.1, commune.2))
            }
            Kind::Pays => places::pays(text).map_or(text.clone(), |pays| pays.1.to_owned()),
            Kind::Regions => places::region(text).map_or(text.clone(), |region| region.1.to_owned()),
            _ => text.clone(),
        },
    };
    Some(text)
}

/// Returns `true` if a content can be read as an answer to that kind of question; a change of kind by a new revision empties
/// what does not fit.
pub(crate) fn fits(kind: Kind, value: &Value) -> bool {
    match (kind, value) {
        (_, Value::Empty)
        | (Kind::PieceJustificative, Value::Files(_))
        | (Kind::Carte, Value::Areas(_))
        | (Kind::Repetition, Value::Rows(_))
        | (Kind::Finess | Kind::Rppsante, Value::Data { .. })
        | (Kind::Siret | Kind::Rna | Kind::Rnf | Kind::Address, Value::Reference { .. })
        | (Kind::MultipleDropDownList | Kind::LinkedDropDownList | Kind::Epci, Value::List(_)) => true,
        (Kind::IntegerNumber | Kind::Number, Value::Text(text)) => text.parse::<i128>().is_ok(),
        (Kind::DecimalNumber, Value::Text(text)) => text.parse::<f64>().is_ok(),
        (Kind::Checkbox | Kind::YesNo, Value::Text(text)) => text == "true" || text == "false",
        (Kind::Date, Value::Text(text)) => text.parse::<jiff::civil::Date>().is_ok(),
        (Kind::Datetime, Value::Text(text)) => time::parse_instant(text).is_some(),
        (
            Kind::PieceJustificative
            | Kind::Carte
            | Kind::Repetition
            | Kind::MultipleDropDownList
            | Kind::LinkedDropDownList
            | Kind::Epci
            | Kind::Siret
            | Kind::Rna
            | Kind::Rnf
            | Kind::Address,
            Value::Text(_),
        ) => false,
        (_, Value::Text(_)) => true,
        _ => false,
    }
}

/// `01 99 00 12 34`.
fn phone(text: &str) -> String {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_digit).collect();
    if digits.len() != 10 {
        return text.to_owned();
    }
    digits.chunks(2).map(|pair| pair.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_text() {
        let text = |text: &str| Value::Text(text.to_owned());
        for (kind, value, expected) in [
            (Kind::Text, Value::Empty, Some("")),
            (Kind::Checkbox, Value::Empty, Some("false")),
            (Kind::YesNo, Value::Empty, Some("")),
            (Kind::Date, text("2019-07-10"), Some("10 juillet 2019")),
            (Kind::Datetime, text("2019-07-10T14:05:00+02:00"), Some("10 juillet 2019 14:05")),
            (Kind::Communes, text("75056"), Some("Paris (75001)")),
            (Kind::Departements, text("75"), Some("75 - Paris")),
            (Kind::Pays, text("CI"), Some("Côte d’Ivoire")),
            (Kind::Phone, text("0199001234"), Some("01 99 00 12 34")),
            (Kind::Iban, text("FR00 1234 5678"), Some("FR0012345678")),
            (Kind::MultipleDropDownList, Value::List(vec!["a, b".into(), "c".into()]), Some("a, b, c")),
            (Kind::LinkedDropDownList, Value::List(vec!["a".into(), "b".into()]), Some("a / b")),
            (Kind::PieceJustificative, Value::Files(Vec::new()), Some("")),
            (
                Kind::PieceJustificative,
                Value::Files(vec![crate::FileRecord::new("a.txt", 1, jiff::Timestamp::UNIX_EPOCH)]),
                None,
            ),
            (Kind::IntegerNumber, text("many"), Some("")),
            (Kind::Text, text("42"), Some("42")),
        ] {
            assert_eq!(string_value(kind, &value, Language::French).as_deref(), expected, "{kind:?} {value:?}");
        }
    }
}
