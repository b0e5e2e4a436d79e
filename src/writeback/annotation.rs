//! The value that an annotation should have, as its type wants it, and whether it has it already.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::text::stored;
use super::verdict::Refusal;
use crate::api::{AnnotationEdit, AnnotationValue};
use crate::champ::{Champ, ChampValue, Row, find};
use crate::demarche::{Demarche, Descriptor, TypeDeChamp};
use crate::dossier::Dossier;
use crate::ids::{ChampId, DescriptorId};
use crate::intent::Edit;

/// In which zone people write times.
const ZONE: &str = "Europe/Paris";

/// The edits that the dossier does not show yet.
pub(super) fn missing(demarche: &Demarche, dossier: &Dossier, edits: &[Edit]) -> Result<Vec<AnnotationEdit>, Refusal> {
    let mut missing = Vec::new();
    for edit in edits {
        let refuse = |reason: String| Refusal::Value { annotation: edit.annotation.clone(), reason };
        let champ = match edit.row {
            None => dossier.annotation(&edit.annotation).map_err(|error| Refusal::Unknown(error.to_string()))?,
            Some(row) => in_row(dossier, &edit.annotation, row)?,
        };
        let descriptor = descriptor(demarche, dossier, &champ.descriptor);
        let descriptor = descriptor.ok_or_else(|| refuse("the form does not tell its type".to_owned()))?;
        let value = read(descriptor, &edit.value).map_err(refuse)?;
        if !shows(&champ.value, &value) {
            missing.push(AnnotationEdit { annotation: champ.id.clone(), value });
        }
    }
    Ok(missing)
}

/// An annotation by the platform's id, inside a repetition or not.
pub(super) fn by_id<'d>(dossier: &'d Dossier, id: &ChampId) -> Option<&'d Champ> {
    let nested = dossier.annotations.iter().flat_map(|champ| match &champ.value {
        ChampValue::Repetition(rows) => rows.as_slice(),
        _ => &[],
    });
    dossier.annotations.iter().chain(nested.flat_map(|row| &row.champs)).find(|champ| champ.id == *id)
}

/// A repetition of annotations and its rows.
pub(super) fn repetition<'d>(dossier: &'d Dossier, name: &str) -> Result<(&'d Champ, &'d [Row]), Refusal> {
    let champ = dossier.annotation(name).map_err(|error| Refusal::Unknown(error.to_string()))?;
    match &champ.value {
        ChampValue::Repetition(rows) => Ok((champ, rows)),
        ChampValue::Empty => Ok((champ, &[])),
        _ => Err(Refusal::Unknown(format!("`{name}` is not a repetition"))),
    }
}

fn in_row<'d>(dossier: &'d Dossier, name: &str, row: usize) -> Result<&'d Champ, Refusal> {
    let rows = dossier.annotations.iter().filter_map(|champ| match &champ.value {
        ChampValue::Repetition(rows) => rows.get(row.checked_sub(1)?),
        _ => None,
    });
    let mut found: Vec<&Champ> = rows.filter_map(|row| find(&row.champs, name).ok()).collect();
    match (found.pop(), found.is_empty()) {
        (Some(champ), true) => Ok(champ),
        (Some(_), false) => Err(Refusal::Unknown(format!("several repetitions have `{name}`: name it by its id"))),
        (None, _) => Err(Refusal::Unknown(format!("no repetition has `{name}` in row {row}"))),
    }
}

fn descriptor<'d>(demarche: &'d Demarche, dossier: &Dossier, id: &DescriptorId) -> Option<&'d Descriptor> {
    let revision = demarche.revisions.iter().find(|revision| revision.id == dossier.revision)?;
    let roots = revision.annotations.iter();
    roots.flat_map(|root| std::iter::once(root).chain(&root.children)).find(|descriptor| descriptor.id == *id)
}

/// Reads a value as a type of annotation wants it. The reason of a failure quotes no value.
fn read(descriptor: &Descriptor, value: &Json) -> Result<AnnotationValue, String> {
    let text = || match value {
        Json::String(text) => Ok(text.trim().to_owned()),
        Json::Number(number) => Ok(number.to_string()),
        Json::Null => Ok(String::new()),
        _ => Err("a text is expected".to_owned()),
    };
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
        other => Err(format!("the API cannot write annotations of the type {other}")),
    }
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

/// Whether a champ has that value. A yes-or-no that nobody answered is not a no.
fn shows(champ: &ChampValue, value: &AnnotationValue) -> bool {
    match (champ, value) {
        (
            ChampValue::Text(now),
            AnnotationValue::Text(to) | AnnotationValue::Textarea(to) | AnnotationValue::Email(to),
        ) => lines(now) == lines(to),
        (ChampValue::Empty, AnnotationValue::Text(to) | AnnotationValue::Textarea(to) | AnnotationValue::Email(to)) => {
            to.is_empty()
        }
        (ChampValue::Empty, AnnotationValue::MultipleDropDownList(to)) => to.is_empty(),
        (ChampValue::Boolean(now), AnnotationValue::Checkbox(to) | AnnotationValue::YesNo(to)) => now == to,
        (ChampValue::Empty, AnnotationValue::Checkbox(to)) => !to,
        (ChampValue::Date(now), AnnotationValue::Date(to)) => now == to,
        (ChampValue::Datetime(now), AnnotationValue::Datetime(to)) => now == to,
        (ChampValue::Integer(now), AnnotationValue::IntegerNumber(to)) => *now == i64::from(*to),
        (ChampValue::Decimal(now), AnnotationValue::DecimalNumber(to)) => now == to,
        (ChampValue::Choice { label, value: id }, AnnotationValue::DropDownList(to)) => {
            label == to || id.as_deref() == Some(to)
        }
        (ChampValue::Choices { values, .. }, AnnotationValue::MultipleDropDownList(to)) => {
            values.len() == to.len() && to.iter().all(|choice| values.contains(choice))
        }
        _ => false,
    }
}

fn lines(text: &str) -> String {
    stored(text).trim().replace("\r\n", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

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
    }
}
