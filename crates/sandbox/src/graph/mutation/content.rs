//! A given value as the content of an annotation.

use apollo_compiler::response::JsonValue;

use crate::Platform;
use crate::kind::Kind;
use crate::places;
use crate::time;
use crate::value::Value;
use crate::world::form::Question;

/// The change of an annotation.
pub(super) enum Content {
    /// Replace its content.
    Value(Value),
    /// Add that many rows.
    Rows(u32),
    /// Add the files behind these signed ids.
    Files(Vec<String>),
}

/// The reason of a refusal.
pub(super) enum Problem {
    /// The question is of another type.
    WrongType,
    /// The type is right, the value is not; the words are not the platform's own.
    Invalid(String),
}

/// The content that a value given under a key of `AnnotationValueInput` stands for.
///
/// Démat Social saves without looking at the value.
pub(super) fn of(platform: Platform, question: &Question, key: &str, value: &JsonValue) -> Result<Content, Problem> {
    let checked = platform == Platform::DemarcheNumerique;
    let invalid = |why: &str| Problem::Invalid(format!("Le champ « {} » {why}", question.label));
    let options = |chosen: &[String]| {
        let known = chosen.iter().all(|choice| choice.is_empty() || question.options.contains(choice));
        if known || !checked { Ok(()) } else { Err(invalid("doit être dans la liste")) }
    };
    let text = value.as_str();
    let content = match (key, question.kind) {
        ("text", Kind::Text) | ("textarea", Kind::Textarea) => text.map(Value::from),
        ("email", Kind::Email) => {
            if checked && !text.is_some_and(|text| text.is_empty() || is_email(text)) {
                return Err(invalid("n’est pas une adresse électronique"));
            }
            text.map(Value::from)
        }
        ("checkbox", Kind::Checkbox) | ("yesNo", Kind::YesNo) => value.as_bool().map(Value::from),
        ("date", Kind::Date) => text.map(Value::from),
        ("datetime", Kind::Datetime) => text.and_then(time::parse_instant).map(|at| Value::from(time::iso(at))),
        ("integerNumber", Kind::IntegerNumber) => value.as_i64().map(Value::from),
        ("decimalNumber", Kind::DecimalNumber) => {
            let text = value.as_f64().map(|number| number.to_string()).ok_or(Problem::WrongType)?;
            if checked && text.split_once('.').is_some_and(|(_, decimals)| decimals.len() > 3) {
                return Err(invalid("doit comprendre au maximum 3 chiffres après la virgule"));
            }
            Some(Value::from(text))
        }
        ("dropDownList", Kind::DropDownList) => {
            let choice = text.ok_or(Problem::WrongType)?.to_owned();
            options(std::slice::from_ref(&choice))?;
            Some(Value::from(choice))
        }
        ("multipleDropDownList", Kind::MultipleDropDownList) => {
            let items = value.as_array().ok_or(Problem::WrongType)?.iter();
            let chosen: Vec<String> = items.filter_map(JsonValue::as_str).map(str::to_owned).collect();
            options(&chosen)?;
            Some(Value::List(chosen))
        }
        ("phone", Kind::Phone) => {
            if !text.is_some_and(|text| text.is_empty() || is_phone(text)) {
                return Err(invalid("doit être un numéro de téléphone valide"));
            }
            text.map(Value::from)
        }
        ("iban", Kind::Iban) => {
            if !text.is_some_and(|text| text.is_empty() || is_iban(text)) {
                return Err(invalid("n’est pas un IBAN valide"));
            }
            text.map(Value::from)
        }
        ("formatted", Kind::Formatted) | ("civilite", Kind::Civilite) => text.map(Value::from),
        ("pays", Kind::Pays) => Some(Value::from(known(&places::PAYS, text).ok_or_else(|| invalid("est inconnu"))?)),
        ("regions", Kind::Regions) => {
            Some(Value::from(known(&places::REGIONS, text).ok_or_else(|| invalid("est inconnu"))?))
        }
        ("departements", Kind::Departements) => {
            let known = places::DEPARTEMENTS.iter().find(|place| Some(place.0) == text || Some(place.1) == text);
            Some(Value::from(known.ok_or_else(|| invalid("est inconnu"))?.0))
        }
        ("dossierLink", Kind::DossierLink) => {
            if !text.is_some_and(|text| text.is_empty() || text.parse::<u32>().is_ok()) {
                return Err(invalid("doit être un numéro de dossier valide"));
            }
            text.map(Value::from)
        }
        ("pieceJustificative", Kind::PieceJustificative) => {
            let ids = value.as_array().ok_or(Problem::WrongType)?.iter();
            return Ok(Content::Files(ids.filter_map(JsonValue::as_str).map(str::to_owned).collect()));
        }
        ("repetition", Kind::Repetition) => {
            let count = value.as_i64().ok_or(Problem::WrongType)?;
            return Ok(Content::Rows(u32::try_from(count).unwrap_or(0)));
        }
        _ => None,
    };
    content.map(Content::Value).ok_or(Problem::WrongType)
}

/// The code of a place that is named by its code or by its name.
fn known(places: &[(&'static str, &'static str)], text: Option<&str>) -> Option<&'static str> {
    places.iter().find(|place| Some(place.0) == text || Some(place.1) == text).map(|place| place.0)
}

/// As many digits as numbers have somewhere, and nothing but what people write between them.
fn is_phone(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    (6..=15).contains(&digits) && text.chars().all(|c| c.is_ascii_digit() || " +.-()/".contains(c))
}

/// The check digits of ISO 13616: the number, its first four characters put last and letters read as 10 to 35, leaves 1
/// when it is divided by 97.
fn is_iban(text: &str) -> bool {
    let letters: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    if !(15..=34).contains(&letters.len()) {
        return false;
    }
    let turned = letters[4..].iter().chain(&letters[..4]);
    let rest = turned.into_iter().try_fold(0, |rest, letter| {
        let value = letter.to_digit(36)?;
        Some((rest * if value < 10 { 10 } else { 100 } + value) % 97)
    });
    rest == Some(1)
}

/// Something, an at sign, a name with a dot: as little as the platform asks.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.split_once('@') else { return false };
    let dotted = host.split_once('.').is_some_and(|(name, end)| !name.is_empty() && !end.is_empty());
    !local.is_empty() && dotted && !host.contains('@') && !text.contains(char::is_whitespace)
}
