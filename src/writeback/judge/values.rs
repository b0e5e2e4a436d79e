//! Reads the value that an annotation should have as its type wants it, and compares it with the present one. Pure.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::text::stored;
use crate::api::{AnnotationValue, Civilite};
use crate::champ::{ChampValue, Territory};
use crate::demarche::{Descriptor, TypeDeChamp};

/// The zone in which people write times.
const ZONE: &str = "Europe/Paris";

/// Reads a value as a type of annotation wants it. The reason of a failure quotes no value.
pub(super) fn read(descriptor: &Descriptor, value: &Json) -> Result<AnnotationValue, String> {
    let text = || match value {
        Json::String(text) => Ok(text.trim().to_owned()),
        Json::Number(number) => Ok(number.to_string()),
        Json::Null => Ok(String::new()),
        _ => Err("a text is expected".to_owned()),
    };
    // A text can be emptied through the API, a date, a number and a box cannot (docs/platform.md#mutations).
    let some = |what: &str| {
        let text = text()?;
        if text.is_empty() {
            Err(format!("{what} is expected; the API cannot empty an annotation of this type"))
        } else {
            Ok(text)
        }
    };
    let choice = |choice: &str| {
        let known = descriptor.options.is_empty() || descriptor.options.iter().any(|option| option == choice);
        if known { Ok(choice.to_owned()) } else { Err("it is not one of the choices of the list".to_owned()) }
    };
    match &descriptor.type_de_champ {
        TypeDeChamp::Text => Ok(AnnotationValue::Text(text()?)),
        TypeDeChamp::Textarea => Ok(AnnotationValue::Textarea(text()?)),
        TypeDeChamp::Email => Ok(AnnotationValue::Email(text()?)),
        TypeDeChamp::Checkbox => boolean(value).map(AnnotationValue::Checkbox),
        TypeDeChamp::YesNo => boolean(value).map(AnnotationValue::YesNo),
        TypeDeChamp::Date => {
            let text = some("a date")?;
            text.parse::<Date>().map(AnnotationValue::Date).map_err(|_| "a date as 2026-01-31 is expected".to_owned())
        }
        TypeDeChamp::Datetime => instant(&some("a date and a time")?).map(AnnotationValue::Datetime),
        TypeDeChamp::IntegerNumber => {
            let number = some("a whole number")?.parse();
            number
                .map(AnnotationValue::IntegerNumber)
                .map_err(|_| "a whole number of at most 2147483647 is expected".to_owned())
        }
        TypeDeChamp::DecimalNumber => {
            let number: Result<Decimal, _> = some("a number")?.replace(',', ".").parse();
            let number = number.map_err(|_| "a number is expected".to_owned())?.normalize();
            if number.scale() > 3 {
                Err("at most 3 decimals are kept".to_owned())
            } else {
                Ok(AnnotationValue::DecimalNumber(number))
            }
        }
        TypeDeChamp::DropDownList => choice(&some("a choice")?).map(AnnotationValue::DropDownList),
        TypeDeChamp::MultipleDropDownList => {
            let items = match value {
                Json::Array(items) => {
                    items.iter().map(|item| item.as_str().ok_or("a list of texts is expected".to_owned())).collect()
                }
                Json::String(text) if !text.trim().is_empty() => Ok(vec![text.trim()]),
                Json::Null | Json::String(_) => Ok(Vec::new()),
                _ => Err("a list of texts is expected".to_owned()),
            };
            let items: Vec<&str> = items?;
            items.into_iter().map(choice).collect::<Result<_, _>>().map(AnnotationValue::MultipleDropDownList)
        }
        TypeDeChamp::Phone => phone(&text()?).map(AnnotationValue::Phone),
        TypeDeChamp::Iban => iban(&text()?).map(AnnotationValue::Iban),
        TypeDeChamp::Formatted => Ok(AnnotationValue::Formatted(text()?)),
        TypeDeChamp::Civilite => match some("M or Mme")?.as_str() {
            "M" | "M." | "Monsieur" => Ok(AnnotationValue::Civilite(Civilite::M)),
            "Mme" | "Mme." | "Madame" => Ok(AnnotationValue::Civilite(Civilite::Mme)),
            _ => Err("M or Mme is expected".to_owned()),
        },
        TypeDeChamp::Pays => some("a country, by its code (FR) or its name").map(AnnotationValue::Pays),
        TypeDeChamp::Regions => some("a région, by its code or its name").map(AnnotationValue::Regions),
        TypeDeChamp::Departements => some("a département, by its code or its name").map(AnnotationValue::Departements),
        TypeDeChamp::DossierLink => {
            let number = some("the number of a dossier")?.parse();
            number.map(AnnotationValue::DossierLink).map_err(|_| "the number of a dossier is expected".to_owned())
        }
        other @ (TypeDeChamp::Aah
        | TypeDeChamp::Address
        | TypeDeChamp::Aeeh
        | TypeDeChamp::AnnuaireEducation
        | TypeDeChamp::Ars
        | TypeDeChamp::Carte
        | TypeDeChamp::Cnaf
        | TypeDeChamp::Cojo
        | TypeDeChamp::Communes
        | TypeDeChamp::Dgfip
        | TypeDeChamp::EngagementJuridique
        | TypeDeChamp::Epci
        | TypeDeChamp::EtudiantBoursier
        | TypeDeChamp::Explication
        | TypeDeChamp::ExpressionReguliere
        | TypeDeChamp::Finess
        | TypeDeChamp::HeaderSection
        | TypeDeChamp::LinkedDropDownList
        | TypeDeChamp::Mesri
        | TypeDeChamp::Nir
        | TypeDeChamp::Number
        | TypeDeChamp::PieceJustificative
        | TypeDeChamp::PoleEmploi
        | TypeDeChamp::PreRempli
        | TypeDeChamp::QuotientFamilial
        | TypeDeChamp::Referentiel
        | TypeDeChamp::Repetition
        | TypeDeChamp::Rna
        | TypeDeChamp::Rnf
        | TypeDeChamp::Rppsante
        | TypeDeChamp::Siret
        | TypeDeChamp::TitreIdentite
        | TypeDeChamp::Inconnu(_)) => Err(format!("the API cannot write annotations of the type {other}")),
    }
}

/// A telephone number, as far as the platform's refusal can be known here: as many digits as numbers have somewhere, and
/// nothing but what people write between them.
fn phone(text: &str) -> Result<String, String> {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let between = |letter: char| letter.is_ascii_digit() || letter.is_whitespace() || "+.-()/".contains(letter);
    if text.is_empty() || (6..=15).contains(&digits) && text.chars().all(between) {
        Ok(text.to_owned())
    } else {
        Err("a telephone number is expected, such as 01 99 00 12 34".to_owned())
    }
}

/// An account number whose check digits are right (ISO 13616): its first four characters put last and letters read as 10
/// to 35, it leaves 1 when divided by 97.
fn iban(text: &str) -> Result<String, String> {
    let number: String = squeezed(text);
    let turned = number.chars().skip(4).chain(number.chars().take(4));
    let rest = turned.into_iter().try_fold(0, |rest, letter| {
        let value = letter.to_digit(36)?;
        Some((rest * if value < 10 { 10 } else { 100 } + value) % 97)
    });
    match rest {
        _ if number.is_empty() => Ok(number),
        Some(1) if (15..=34).contains(&number.len()) => Ok(number),
        _ => Err("an IBAN is expected, and the check digits of this one are wrong".to_owned()),
    }
}

/// Without spaces, and in capitals.
fn squeezed(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).flat_map(char::to_uppercase).collect()
}

/// A telephone number as it is dialled in France: the platform writes it in another way than it was given.
fn dialled(text: &str) -> String {
    let dialled: String = text.chars().filter(|letter| letter.is_ascii_digit() || *letter == '+').collect();
    let national = dialled.strip_prefix("+33").or_else(|| dialled.strip_prefix("0033"));
    national.map(|rest| format!("0{}", rest.trim_start_matches('0'))).unwrap_or(dialled)
}

fn boolean(value: &Json) -> Result<bool, String> {
    let text = match value {
        Json::Bool(yes) => return Ok(*yes),
        Json::String(text) => text.trim().to_lowercase(),
        Json::Number(number) => number.to_string(),
        _ => String::new(),
    };
    match text.as_str() {
        "oui" | "true" | "vrai" | "1" => Ok(true),
        "non" | "false" | "faux" | "0" => Ok(false),
        _ => Err("`oui` or `non` is expected".to_owned()),
    }
}

/// An instant, or a local time as people write it.
fn instant(text: &str) -> Result<Timestamp, String> {
    let local = || {
        let zone = TimeZone::get(ZONE).ok()?;
        text.parse::<DateTime>().ok()?.to_zoned(zone).ok().map(|zoned| zoned.timestamp())
    };
    let read = text.parse::<Timestamp>().ok().or_else(local);
    read.ok_or_else(|| "a date and a time as 2026-01-31T14:30 are expected".to_owned())
}

/// Tells if a champ has that value. A yes-or-no question without an answer is not a no.
pub(super) fn shows(champ: &ChampValue, value: &AnnotationValue) -> bool {
    use AnnotationValue as V;
    use ChampValue as C;
    /// A text, the same after what the platform makes of it.
    fn same(champ: &ChampValue, to: &str, read: impl Fn(&str) -> String) -> bool {
        match champ {
            ChampValue::Text(now) => read(now) == read(to),
            ChampValue::Empty => to.is_empty(),
            _ => false,
        }
    }
    let named = |place: &Territory, to: &str| place.code.eq_ignore_ascii_case(to) || place.name == to;
    match value {
        V::Text(to) | V::Textarea(to) | V::Email(to) | V::Formatted(to) => same(champ, to, lines),
        V::Phone(to) => same(champ, to, dialled),
        V::Iban(to) => same(champ, to, squeezed),
        V::Checkbox(to) => matches!(champ, C::Boolean(now) if now == to) || *champ == C::Empty && !to,
        V::YesNo(to) => matches!(champ, C::Boolean(now) if now == to),
        V::Date(to) => matches!(champ, C::Date(now) if now == to),
        V::Datetime(to) => matches!(champ, C::Datetime(now) if now == to),
        V::IntegerNumber(to) => matches!(champ, C::Integer(now) if *now == i64::from(*to)),
        V::DecimalNumber(to) => matches!(champ, C::Decimal(now) if now == to),
        V::DropDownList(to) => {
            matches!(champ, C::Choice { label, value } if label == to || value.as_deref() == Some(to))
        }
        V::MultipleDropDownList(to) => match champ {
            C::Choices { values, .. } => values.len() == to.len() && to.iter().all(|choice| values.contains(choice)),
            other => *other == C::Empty && to.is_empty(),
        },
        V::Civilite(to) => matches!(champ, C::Civilite(now) if now == to.as_str()),
        V::Pays(to) => matches!(champ, C::Pays(now) if named(now, to)),
        V::Regions(to) => matches!(champ, C::Region(now) if named(now, to)),
        V::Departements(to) => matches!(champ, C::Departement(now) if named(now, to)),
        V::DossierLink(to) => matches!(champ, C::DossierLink(now) if now == to),
        // They add something each time: what they add is looked for by those who add it.
        V::PieceJustificative(_) | V::Repetition(_) => false,
    }
}

fn lines(text: &str) -> String {
    stored(text).trim().replace("\r\n", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DescriptorId;

    fn descriptor(kind: &str, options: &[&str]) -> Descriptor {
        Descriptor {
            id: DescriptorId::new("Q2hhbXAtMQ=="),
            label: "Avis".to_owned(),
            description: None,
            required: false,
            type_de_champ: TypeDeChamp::from(kind),
            options: options.iter().map(|option| (*option).to_owned()).collect(),
            children: Vec::new(),
        }
    }

    #[test]
    fn a_value_is_read_as_the_type_wants_it() {
        let date = Date::constant(2026, 3, 29);
        let rows: Vec<(&str, Json, Result<AnnotationValue, &str>)> = vec![
            ("text", "  bon ".into(), Ok(AnnotationValue::Text("bon".into()))),
            ("text", Json::Null, Ok(AnnotationValue::Text(String::new()))),
            ("checkbox", "Oui".into(), Ok(AnnotationValue::Checkbox(true))),
            ("yes_no", false.into(), Ok(AnnotationValue::YesNo(false))),
            ("yes_no", "peut-être".into(), Err("`oui` or `non`")),
            ("date", "2026-03-29".into(), Ok(AnnotationValue::Date(date))),
            ("date", "".into(), Err("cannot empty")),
            ("integer_number", 12.into(), Ok(AnnotationValue::IntegerNumber(12))),
            ("integer_number", "2147483648".into(), Err("at most 2147483647")),
            ("decimal_number", "12,50".into(), Ok(AnnotationValue::DecimalNumber(Decimal::new(125, 1)))),
            ("decimal_number", "1.2345".into(), Err("3 decimals")),
            ("drop_down_list", "B".into(), Ok(AnnotationValue::DropDownList("B".into()))),
            ("drop_down_list", "C".into(), Err("not one of the choices")),
            (
                "multiple_drop_down_list",
                serde_json::json!(["A"]),
                Ok(AnnotationValue::MultipleDropDownList(vec!["A".into()])),
            ),
            ("siret", "123".into(), Err("cannot write annotations of the type siret")),
            ("phone", "+33 1 99 00 12 34".into(), Ok(AnnotationValue::Phone("+33 1 99 00 12 34".into()))),
            ("phone", "demain".into(), Err("a telephone number is expected")),
            ("phone", "12".into(), Err("a telephone number is expected")),
            ("iban", "gb82 WEST 1234 5698 7654 32".into(), Ok(AnnotationValue::Iban("GB82WEST12345698765432".into()))),
            ("iban", "GB83 WEST 1234 5698 7654 32".into(), Err("check digits")),
            ("iban", "é".into(), Err("check digits")),
            ("formatted", "AB-12".into(), Ok(AnnotationValue::Formatted("AB-12".into()))),
            ("civilite", "Madame".into(), Ok(AnnotationValue::Civilite(Civilite::Mme))),
            ("civilite", "Dr".into(), Err("M or Mme")),
            ("pays", "".into(), Err("cannot empty")),
            ("departements", "2A".into(), Ok(AnnotationValue::Departements("2A".into()))),
            ("dossier_link", 12.into(), Ok(AnnotationValue::DossierLink(crate::ids::DossierNumber::new(12)))),
            ("dossier_link", "douze".into(), Err("the number of a dossier")),
        ];
        for (kind, value, expected) in rows {
            match (read(&descriptor(kind, &["A", "B"]), &value), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{kind}"),
                (Err(found), Err(part)) => assert!(found.contains(part), "{kind}: {found}"),
                (found, expected) => panic!("{kind} {value}: {found:?} is not {expected:?}"),
            }
        }
    }

    #[test]
    fn a_local_time_is_that_of_paris() {
        assert_eq!(instant("2026-07-01T14:30"), instant("2026-07-01T12:30:00Z"));
        assert!(instant("demain").is_err());
    }

    #[test]
    fn what_is_there_already_is_not_written_again() {
        let text = |text: &str| AnnotationValue::Textarea(text.to_owned());
        assert!(shows(&ChampValue::Text("a\r\nb\n".into()), &text("a\nb")));
        assert!(shows(&ChampValue::Empty, &text("")));
        assert!(!shows(&ChampValue::Empty, &AnnotationValue::YesNo(false)), "no answer is not a no");
        assert!(shows(&ChampValue::Integer(3), &AnnotationValue::IntegerNumber(3)));
        assert!(shows(&ChampValue::Text("01 99 00 12 34".into()), &AnnotationValue::Phone("+33199001234".into())));
        assert!(!shows(&ChampValue::Text("01 99 00 12 34".into()), &AnnotationValue::Phone("+32199001234".into())));
        assert!(shows(&ChampValue::Text("GB82 WEST 1234".into()), &AnnotationValue::Iban("GB82WEST1234".into())));
        let place = Territory { code: "2A".into(), name: "Corse-du-Sud".into() };
        for to in ["2a", "Corse-du-Sud"] {
            assert!(shows(&ChampValue::Departement(place.clone()), &AnnotationValue::Departements(to.into())));
        }
        assert!(!shows(&ChampValue::Departement(place), &AnnotationValue::Departements("2B".into())));
    }
}
