//! Champs.

use jiff::Timestamp;
use jiff::civil::Date;

use super::dossier::{file, morale};
use super::{Drifts, number, place};
use crate::api::wire::{WireChamp, WireColumn};
use crate::champ::{Address, Champ, ChampValue, ColumnValue, Commune, HealthRecord, Row};
use crate::ids::{ChampId, DescriptorId, RowId};

/// Champs, in the platform's order.
pub(super) fn champs(list: Vec<WireChamp>, drift: &mut Drifts) -> Vec<Champ> {
    list.into_iter().map(|wire| champ(wire, drift)).collect()
}

fn champ(mut wire: WireChamp, drift: &mut Drifts) -> Champ {
    let id = ChampId::new(std::mem::take(&mut wire.id));
    // Démat Social does not tell the descriptor: it is in the id (dn-api 6.3).
    let descriptor = match wire.champ_descriptor_id.take() {
        Some(descriptor) => DescriptorId::new(descriptor),
        None => id.descriptor_and_row().0,
    };
    let label = wire.label.take().map(Into::into);
    let updated_at = wire.touched();
    let prefilled = wire.prefilled;
    let columns = wire.columns.take().unwrap_or_default().into_iter().map(column).collect();
    Champ { id, descriptor, label, value: value(wire, drift), updated_at, prefilled, columns }
}

fn column(wire: WireColumn) -> ColumnValue {
    ColumnValue { id: wire.id, label: wire.label, text: wire.string_value.filter(|text| !text.is_empty()) }
}

/// The answer. Typed fields decide, also about emptiness; a text is read where there is no typed field (trap 52).
fn value(wire: WireChamp, drift: &mut Drifts) -> ChampValue {
    let text = wire.string_value.filter(|text| !text.is_empty());
    match wire.typename.as_str() {
        "TextChamp" => match text.or_else(|| wire.value.and_then(|value| loose(*value))) {
            Some(text) => ChampValue::Text(text),
            None => ChampValue::Empty,
        },
        "IntegerNumberChamp" => match wire.integer_number {
            Some(number) => number::integer(&number.0).map_or_else(
                || {
                    drift.scalar("BigInt");
                    ChampValue::Text(number.0)
                },
                ChampValue::Integer,
            ),
            None => ChampValue::Empty,
        },
        "DecimalNumberChamp" => {
            let float = wire.decimal_number.map(|float| float.0);
            match number::decimal(text.as_deref(), float.as_deref()) {
                Some(decimal) => ChampValue::Decimal(decimal),
                None => text.or(float).map_or(ChampValue::Empty, |text| {
                    drift.scalar("Float");
                    ChampValue::Text(text)
                }),
            }
        }
        "CheckboxChamp" | "YesNoChamp" => {
            let said = wire.checked.or(wire.yes_no).or_else(|| wire.value.as_ref().and_then(|value| value.as_bool()));
            said.map_or(ChampValue::Empty, ChampValue::Boolean)
        }
        "DateChamp" | "DatetimeChamp" => moment(wire.date, wire.datetime, text, drift),
        "CiviliteChamp" => wire.civilite.map_or_else(
            || text.map_or(ChampValue::Empty, ChampValue::Civilite),
            |civilite| {
                drift.value("Civilite", &civilite, &["M", "Mme"]);
                ChampValue::Civilite(civilite)
            },
        ),
        "DropDownListChamp" => choice(wire.choice.filter(|value| !value.is_empty()), text),
        "MultipleDropDownListChamp" => match wire.values {
            Some(values) if !values.is_empty() => {
                // The "advanced" mode gives internal ids, and labels in the joined text only (trap 51).
                let joined = text.filter(|text| *text != values.join(", "));
                ChampValue::Choices { values, text: joined }
            }
            _ => ChampValue::Empty,
        },
        "LinkedDropDownListChamp" => {
            let primary = wire.primary_value.filter(|value| !value.is_empty());
            let secondary = wire.secondary_value.filter(|value| !value.is_empty());
            match (primary, secondary) {
                (None, None) => text.map_or(ChampValue::Empty, ChampValue::Text),
                (primary, secondary) => ChampValue::LinkedChoice { primary, secondary },
            }
        }
        "CommuneChamp" => {
            let typed = |name| Commune { code: None, name, postal_code: None };
            match wire.commune.and_then(|wire| place::commune(*wire)).or_else(|| text.map(typed)) {
                Some(commune) => {
                    ChampValue::Commune { commune, departement: wire.departement.and_then(|wire| place::place(*wire)) }
                }
                None => ChampValue::Empty,
            }
        }
        "DepartementChamp" => {
            or_text(wire.departement.and_then(|wire| place::place(*wire)).map(ChampValue::Departement), text)
        }
        "RegionChamp" => or_text(wire.region.and_then(|wire| place::place(*wire)).map(ChampValue::Region), text),
        "PaysChamp" => or_text(wire.pays.and_then(|wire| place::place(*wire)).map(ChampValue::Pays), text),
        "EpciChamp" => {
            let departement = wire.departement.and_then(|wire| place::place(*wire));
            let epci = wire.epci.and_then(|wire| place::place(*wire));
            or_text(epci.map(|epci| ChampValue::Epci { epci, departement }), text)
        }
        "AddressChamp" => match (wire.address, text) {
            (Some(wire), _) => ChampValue::Address(Box::new(place::address(*wire, drift))),
            // An address that no register knows: only its line is told.
            (None, Some(label)) => ChampValue::Address(Box::new(Address { label, ..Address::default() })),
            (None, None) => ChampValue::Empty,
        },
        "SiretChamp" => {
            let etablissement = wire.etablissement.and_then(|wire| morale(*wire, text.as_deref(), drift));
            match text.or_else(|| etablissement.as_ref().map(|found| found.siret.clone())) {
                Some(siret) => ChampValue::Siret { siret, etablissement: etablissement.map(Box::new) },
                None => ChampValue::Empty,
            }
        }
        "RNAChamp" => place::registration(wire.rna, text, wire.commune, wire.departement, drift)
            .map_or(ChampValue::Empty, ChampValue::Rna),
        "RNFChamp" => place::registration(wire.rnf, text, wire.commune, wire.departement, drift)
            .map_or(ChampValue::Empty, ChampValue::Rnf),
        "CarteChamp" => match wire.geo_areas {
            Some(areas) if !areas.is_empty() => {
                ChampValue::Carte(areas.into_iter().map(|area| place::area(area, drift)).collect())
            }
            _ => ChampValue::Empty,
        },
        "PieceJustificativeChamp" => match wire.files {
            Some(files) if !files.is_empty() => ChampValue::Files(files.into_iter().map(file).collect()),
            _ => ChampValue::Empty,
        },
        "TitreIdentiteChamp" if wire.filled == Some(true) => {
            let grant_type = wire.grant_type.unwrap_or_default();
            drift.value("TitreIdentiteGrantType", &grant_type, &["france_connect", "piece_justificative"]);
            ChampValue::TitreIdentite { grant_type }
        }
        "TitreIdentiteChamp" => ChampValue::Empty,
        "DossierLinkChamp" => match text.as_deref().map(str::parse) {
            Some(Ok(number)) => ChampValue::DossierLink(number),
            _ => text.map_or(ChampValue::Empty, ChampValue::Text),
        },
        "EngagementJuridiqueChamp" => text.map_or(ChampValue::Empty, ChampValue::EngagementJuridique),
        "FinessChamp" => record(text, wire.data.map(|data| *data)).map_or(ChampValue::Empty, ChampValue::Finess),
        "RppsanteChamp" => record(text, wire.data.map(|data| *data)).map_or(ChampValue::Empty, ChampValue::Rpps),
        "HeaderSectionChamp" | "ExplicationChamp" => ChampValue::Presentation,
        "RepetitionChamp" => {
            let rows = match (wire.rows, wire.champs) {
                (Some(rows), _) => rows
                    .into_iter()
                    .map(|row| Row { id: RowId::new(row.id), champs: champs(row.champs, drift) })
                    .collect(),
                (None, Some(flat)) => rows(champs(flat, drift)),
                (None, None) => Vec::new(),
            };
            if rows.is_empty() { ChampValue::Empty } else { ChampValue::Repetition(rows) }
        }
        other => {
            drift.typename(other);
            ChampValue::Unknown {
                typename: other.to_owned(),
                string_value: text.or_else(|| wire.value.and_then(|value| loose(*value))),
            }
        }
    }
}

/// A typed value, or the platform's text where the typed field is null: nothing that was answered is lost.
fn or_text(typed: Option<ChampValue>, text: Option<String>) -> ChampValue {
    typed.or_else(|| text.map(ChampValue::Text)).unwrap_or(ChampValue::Empty)
}

/// Any JSON value as text.
fn loose(value: serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text).filter(|text| !text.is_empty()),
        other => Some(other.to_string()),
    }
}

/// One choice: what the usager reads is the text, the value may be an internal id (trap 51).
fn choice(value: Option<String>, text: Option<String>) -> ChampValue {
    match (value, text) {
        (None, None) => ChampValue::Empty,
        (Some(label), None) | (None, Some(label)) => ChampValue::Choice { label, value: None },
        (Some(value), Some(label)) => {
            let value = Some(value).filter(|value| *value != label);
            ChampValue::Choice { label, value }
        }
    }
}

/// A day or an instant. One that cannot be read stays text.
fn moment(date: Option<String>, datetime: Option<String>, text: Option<String>, drift: &mut Drifts) -> ChampValue {
    if let Some(datetime) = datetime.filter(|datetime| !datetime.is_empty()) {
        return datetime.parse::<Timestamp>().map_or_else(
            |_| {
                drift.scalar("ISO8601DateTime");
                ChampValue::Text(datetime.clone())
            },
            ChampValue::Datetime,
        );
    }
    if let Some(date) = date.filter(|date| !date.is_empty()) {
        return date.parse::<Date>().map_or_else(
            |_| {
                drift.scalar("ISO8601Date");
                ChampValue::Text(date.clone())
            },
            ChampValue::Date,
        );
    }
    text.map_or(ChampValue::Empty, ChampValue::Text)
}

/// A directory's record, unless there is neither text nor data.
fn record(text: Option<String>, data: Option<serde_json::Value>) -> Option<HealthRecord> {
    let data = data.filter(|data| !data.is_null());
    (text.is_some() || data.is_some()).then(|| HealthRecord { text: text.unwrap_or_default(), data })
}

/// The rows of a block whose champs come flat: each champ names its row in its id.
fn rows(flat: Vec<Champ>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for champ in flat {
        // A champ of a block always names a row; one of another shape is kept in a row of its own rather than lost.
        let id = champ.id.descriptor_and_row().1.unwrap_or_else(|| RowId::new(champ.id.as_str()));
        match rows.iter_mut().find(|row| row.id == id) {
            Some(row) => row.champs.push(champ),
            None => rows.push(Row { id, champs: vec![champ] }),
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decoded(champ: serde_json::Value) -> ChampValue {
        let wire = serde_json::from_value(champ).expect("a champ of the wire");
        value(wire, &mut Drifts::default())
    }

    #[test]
    fn trap_51_the_label_of_an_advanced_choice_comes_from_the_text() {
        let choice = |value: &str, text: &str| {
            decoded(json!({ "__typename": "DropDownListChamp", "id": "a", "choice": value, "stringValue": text }))
        };
        let label = |label: &str, value: Option<&str>| ChampValue::Choice {
            label: label.to_owned(),
            value: value.map(str::to_owned),
        };
        assert_eq!(choice("17", "Abricot"), label("Abricot", Some("17")));
        assert_eq!(choice("Abricot", "Abricot"), label("Abricot", None));
        assert_eq!(choice("", ""), ChampValue::Empty);
        let choices = |values: &[&str], text: &str| {
            decoded(json!({
                "__typename": "MultipleDropDownListChamp", "id": "a", "values": values, "stringValue": text
            }))
        };
        assert_eq!(
            choices(&["17", "18"], "Abricot, Banane, mûre"),
            ChampValue::Choices {
                values: vec!["17".to_owned(), "18".to_owned()],
                text: Some("Abricot, Banane, mûre".to_owned())
            }
        );
        assert_eq!(
            choices(&["Abricot", "Banane, mûre"], "Abricot, Banane, mûre"),
            ChampValue::Choices { values: vec!["Abricot".to_owned(), "Banane, mûre".to_owned()], text: None }
        );
    }
}
