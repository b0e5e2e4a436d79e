//! Converts champs of any kind into [`ChampValue`]s.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::Date;

use super::dossier::{file, morale};
use super::{Drifts, number, place};
use crate::api::wire::{WireChamp, WireColumn};
use crate::champ::{Champ, ChampValue, ColumnValue, Commune, HealthRecord, RepetitionRow, Territory};
use crate::ids::{ChampId, DescriptorId, RowId};

/// Converts champs, in the platform's order.
pub(super) fn champs(list: Vec<WireChamp>, drift: &mut Drifts) -> Vec<Champ> {
    list.into_iter().map(|wire| champ(wire, drift)).collect()
}

fn champ(mut wire: WireChamp, drift: &mut Drifts) -> Champ {
    let id = ChampId::new(std::mem::take(&mut wire.id));
    // The schema of Démat Social has no descriptor here: it is part of the id (docs/platform.md#champs).
    let descriptor = match wire.champ_descriptor_id.take() {
        Some(descriptor) => DescriptorId::new(descriptor),
        None => id.descriptor_and_row().0,
    };
    let label = wire.label.take().map(Into::into);
    let updated_at = wire.touched();
    let prefilled = wire.prefilled;
    let unread = std::mem::take(&mut wire.unread);
    let columns = columns(wire.columns.take().unwrap_or_default(), &descriptor);
    let nature = wire.nature.take().filter(|nature| !nature.is_empty() && nature != UNSPECIFIED);
    // The platform turned the kind `titre_identite` into an ordinary file with this nature. Nobody agreed to copy
    // identity documents, so their names and addresses are dropped here, before any other code sees them.
    if nature.as_deref() == Some(IDENTITY) {
        return identity_document(
            Champ {
                id,
                descriptor,
                label,
                value: ChampValue::Empty,
                updated_at,
                prefilled,
                columns: Vec::new(),
                nature,
                unread,
            },
            wire.files.is_some_and(|files| !files.is_empty()),
        );
    }
    let value = value(wire, &id, drift);
    Champ { id, descriptor, label, value, updated_at, prefilled, columns, nature, unread }
}

/// Nature of a file whose form states none.
const UNSPECIFIED: &str = "NON_SPECIFIE";
/// Nature of an identity document: an ordinary file in the form, which is not kept as one.
const IDENTITY: &str = "TITRE_IDENTITE";

/// Keeps of an identity document only that it was given, whatever the platform shows of it.
fn identity_document(champ: Champ, given: bool) -> Champ {
    let value = match given {
        true => ChampValue::TitreIdentite { grant_type: "piece_justificative".to_owned() },
        false => ChampValue::Empty,
    };
    Champ { value, ..champ }
}

/// Converts the sub-values of an answer that hold something. One of them is the answer itself again: its id ends with
/// the number of the question and nothing after it (docs/platform.md#champs).
fn columns(list: Vec<WireColumn>, descriptor: &DescriptorId) -> Vec<ColumnValue> {
    let own = descriptor.stable_id().map(|number| format!("/{number}"));
    let is_answer = |id: &str| {
        let decoded = STANDARD.decode(id).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        decoded.zip(own.as_ref()).is_some_and(|(id, own)| id.ends_with(own.as_str()))
    };
    let filled = |wire: WireColumn| {
        let text = wire.string_value.filter(|text| !text.is_empty())?;
        (!is_answer(&wire.id)).then_some(ColumnValue { id: wire.id, label: wire.label, text: Some(text) })
    };
    list.into_iter().filter_map(filled).collect()
}

/// Converts the answer. Typed fields decide, also about emptiness, as an empty text and a null text mean different
/// things (trap 52). The text is read only if there is no typed field.
fn value(wire: WireChamp, id: &ChampId, drift: &mut Drifts) -> ChampValue {
    let text = wire.string_value.filter(|text| !text.is_empty());
    // The type is the one that the fragments of the document asked for, not the question's kind: without its fragment a
    // yes-no question comes as a checkbox, and null as false (trap 40).
    match wire.typename.as_str() {
        "TextChamp" => match text.or_else(|| wire.value.and_then(|value| loose(*value))) {
            Some(text) => ChampValue::Text(text),
            None => ChampValue::Empty,
        },
        // A `BigInt` comes as a text and may have more than 64 bits: then the digits are kept as a text (trap 42).
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
        // The field is a double and loses digits; the text has them all (trap 42).
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
        // Démat Social, and every checkbox, sends false for "not answered". No field tells the two apart (trap 43).
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
            _ => text.map_or(ChampValue::Empty, ChampValue::Text),
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
            let departement = wire.departement.and_then(|wire| place::place(*wire));
            let commune = wire.commune.and_then(|wire| place::commune(*wire)).map(|mut commune| {
                if commune.name.is_empty() {
                    commune.name = text.clone().unwrap_or_default();
                }
                commune
            });
            let typed = |name| Commune { code: None, name, postal_code: None };
            match (commune.or_else(|| text.map(typed)), departement) {
                (None, None) => ChampValue::Empty,
                (commune, departement) => ChampValue::Commune { commune, departement },
            }
        }
        "DepartementChamp" => {
            or_text(place::named(wire.departement, text.as_deref()).map(ChampValue::Departement), text)
        }
        "RegionChamp" => or_text(place::named(wire.region, text.as_deref()).map(ChampValue::Region), text),
        "PaysChamp" => or_text(place::named(wire.pays, text.as_deref()).map(ChampValue::Pays), text),
        "EpciChamp" => {
            let departement = wire.departement.and_then(|wire| place::place(*wire));
            match (place::named(wire.epci, text.as_deref()), departement) {
                // The usager chooses the département first: until the second choice it is the whole answer.
                (None, Some(departement)) => {
                    let epci = text.map(|name| Territory { code: String::new(), name });
                    ChampValue::Epci { epci, departement: Some(departement) }
                }
                (epci, departement) => {
                    or_text(epci.map(|epci| ChampValue::Epci { epci: Some(epci), departement }), text)
                }
            }
        }
        "AddressChamp" => place::answered(wire.address, text, wire.commune, wire.departement, drift)
            .map_or(ChampValue::Empty, |address| ChampValue::Address(Box::new(address))),
        "SiretChamp" => {
            let etablissement = wire.etablissement.and_then(|wire| morale(*wire, text.as_deref(), drift));
            match (text.or_else(|| etablissement.as_ref().map(|found| found.siret.clone())), etablissement) {
                (None, None) => ChampValue::Empty,
                (siret, etablissement) => {
                    ChampValue::Siret { siret: siret.unwrap_or_default(), etablissement: etablissement.map(Box::new) }
                }
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
        // A file that is there has the text null, and an empty champ has the text `""`: only the list of files decides
        // (trap 52).
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
        // The linked dossier is null if the token does not cover it; its number is always in the text (trap 6).
        "DossierLinkChamp" => match text.as_deref().map(str::parse) {
            Some(Ok(number)) => ChampValue::DossierLink(number),
            _ => text.map_or(ChampValue::Empty, ChampValue::Text),
        },
        "EngagementJuridiqueChamp" => text.map_or(ChampValue::Empty, ChampValue::EngagementJuridique),
        "FinessChamp" => record(text, wire.data.map(|data| *data)).map_or(ChampValue::Empty, ChampValue::Finess),
        "RppsanteChamp" => record(text, wire.data.map(|data| *data)).map_or(ChampValue::Empty, ChampValue::Rpps),
        // The platform lists titles and explanations among the answers (trap 45).
        "HeaderSectionChamp" | "ExplicationChamp" => ChampValue::Presentation,
        "RepetitionChamp" => {
            let rows = match (wire.rows, wire.champs) {
                (Some(rows), _) => rows
                    .into_iter()
                    .map(|row| RepetitionRow { id: RowId::new(row.id), champs: champs(row.champs, drift) })
                    .collect(),
                // Démat Social has no `rows`: the champs of all rows come in one list.
                (None, Some(flat)) => rows(id, champs(flat, drift)),
                (None, None) => Vec::new(),
            };
            if rows.is_empty() { ChampValue::Empty } else { ChampValue::Repetition(rows) }
        }
        other => {
            // A newer platform may send types that this version does not know. Refusing them would lose the dossier
            // (trap 41).
            drift.typename(other);
            ChampValue::Unknown {
                typename: other.to_owned(),
                string_value: text.or_else(|| wire.value.and_then(|value| loose(*value))),
            }
        }
    }
}

/// Returns the typed value, or the platform's text if the typed field is null: no answer is lost.
fn or_text(typed: Option<ChampValue>, text: Option<String>) -> ChampValue {
    typed.or_else(|| text.map(ChampValue::Text)).unwrap_or(ChampValue::Empty)
}

/// Writes any JSON value as text.
fn loose(value: serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text).filter(|text| !text.is_empty()),
        other => Some(other.to_string()),
    }
}

/// Converts one choice. The usager reads the text; the value may be an internal id (trap 51).
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

/// Converts a day or an instant. One that cannot be parsed stays text.
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

/// Converts a record of a directory, unless there is neither text nor data.
fn record(text: Option<String>, data: Option<serde_json::Value>) -> Option<HealthRecord> {
    let data = data.filter(|data| !data.is_null());
    (text.is_some() || data.is_some()).then(|| HealthRecord { text: text.unwrap_or_default(), data })
}

/// Groups the champs of a block that come flat, row after row. A champ names its row in its id. Where none does (old
/// answers give the champs of every row the same ids), a champ that comes again begins the next row.
fn rows(block: &ChampId, flat: Vec<Champ>) -> Vec<RepetitionRow> {
    let mut rows: Vec<(Option<RowId>, Vec<Champ>)> = Vec::new();
    for champ in flat {
        let named = champ.id.descriptor_and_row().1;
        match rows.iter_mut().rev().find(|(name, _)| *name == named) {
            Some((_, champs)) if champs.iter().all(|other| other.id != champ.id) => champs.push(champ),
            _ => rows.push((named, vec![champ])),
        }
    }
    let mut seen: HashMap<Option<RowId>, usize> = HashMap::new();
    let rows = rows.into_iter().map(|(name, champs)| {
        let rank = seen.entry(name.clone()).or_default();
        *rank += 1;
        let id = match (name, *rank) {
            (Some(id), 1) => id,
            (Some(id), rank) => RowId::new(format!("{id}~{rank}")),
            (None, rank) => RowId::new(format!("{block}~{rank}")),
        };
        RepetitionRow { id, champs }
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::champ::{Address, PersonneMorale, Registration};

    fn decoded(champ: serde_json::Value) -> ChampValue {
        let wire = serde_json::from_value(champ).expect("a champ of the wire");
        value(wire, &ChampId::new("block"), &mut Drifts::default())
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

    fn place(code: &str, name: &str) -> Territory {
        Territory { code: code.to_owned(), name: name.to_owned() }
    }

    #[test]
    fn what_is_partly_there_of_a_composite_answer_is_kept() {
        let ain = || Some(place("01", "Ain"));
        let departement = json!({ "code": "01", "name": "Ain" });
        let commune = Commune { code: Some("01004".into()), name: "Ambérieu".into(), postal_code: None };
        let registration = |id: &str| {
            let (id, commune) = (id.to_owned(), Some(commune.clone()));
            Registration { id, title: None, address: None, commune, departement: ain() }
        };
        let cases = [
            (
                json!({ "__typename": "EpciChamp", "epci": null, "departement": departement, "stringValue": "" }),
                ChampValue::Epci { epci: None, departement: ain() },
            ),
            (
                json!({ "__typename": "EpciChamp", "departement": departement, "stringValue": "CC du Fictif" }),
                ChampValue::Epci { epci: Some(place("", "CC du Fictif")), departement: ain() },
            ),
            (
                json!({ "__typename": "CommuneChamp", "commune": null, "departement": departement, "stringValue": "" }),
                ChampValue::Commune { commune: None, departement: ain() },
            ),
            (
                json!({ "__typename": "PaysChamp", "pays": { "code": "FR", "name": null }, "stringValue": "France" }),
                ChampValue::Pays(place("FR", "France")),
            ),
            (
                json!({ "__typename": "RegionChamp", "region": { "code": null, "name": "Bretagne" } }),
                ChampValue::Region(place("", "Bretagne")),
            ),
            (
                json!({ "__typename": "RNAChamp", "rna": null, "stringValue": "", "departement": departement,
                    "commune": { "code": "01004", "name": "Ambérieu" } }),
                ChampValue::Rna(Box::new(registration(""))),
            ),
            (
                json!({ "__typename": "RNFChamp", "rnf": { "id": "" }, "departement": departement,
                    "commune": { "code": "01004", "name": "Ambérieu" } }),
                ChampValue::Rnf(Box::new(registration(""))),
            ),
            (
                json!({ "__typename": "AddressChamp", "address": null, "stringValue": "3 rue Fictive",
                    "commune": { "code": "01004", "name": "Ambérieu", "postalCode": "01500" },
                    "departement": departement }),
                ChampValue::Address(Box::new(Address {
                    label: "3 rue Fictive".into(),
                    postal_code: Some("01500".into()),
                    city_code: Some("01004".into()),
                    city_name: Some("Ambérieu".into()),
                    department_code: Some("01".into()),
                    department_name: Some("Ain".into()),
                    ..Address::default()
                })),
            ),
            (
                json!({ "__typename": "AddressChamp", "address": { "cityName": "Ambérieu" }, "stringValue": "3 rue" }),
                ChampValue::Address(Box::new(Address {
                    label: "3 rue".into(),
                    city_name: Some("Ambérieu".into()),
                    ..Address::default()
                })),
            ),
            (json!({ "__typename": "AddressChamp", "address": { "label": "" } }), ChampValue::Empty),
            (
                json!({ "__typename": "SiretChamp", "etablissement": { "libelleNaf": "Culture" }, "stringValue": "" }),
                ChampValue::Siret {
                    siret: String::new(),
                    etablissement: Some(Box::new(PersonneMorale {
                        libelle_naf: Some("Culture".into()),
                        ..PersonneMorale::default()
                    })),
                },
            ),
            (json!({ "__typename": "SiretChamp", "etablissement": { "siegeSocial": true } }), ChampValue::Empty),
            (
                json!({ "__typename": "MultipleDropDownListChamp", "values": [], "stringValue": "Lundi" }),
                ChampValue::Text("Lundi".into()),
            ),
        ];
        for (mut champ, expected) in cases {
            champ["id"] = json!("a");
            assert_eq!(decoded(champ.clone()), expected, "{champ}");
        }
    }

    /// The rows that flat champs make: the id of each, and the texts in it.
    fn flat(champs: &[(&str, &str)]) -> Vec<(String, String)> {
        let text = |(id, text): &(&str, &str)| json!({ "__typename": "TextChamp", "id": id, "stringValue": text });
        let champs: Vec<serde_json::Value> = champs.iter().map(text).collect();
        let ChampValue::Repetition(rows) =
            decoded(json!({ "__typename": "RepetitionChamp", "id": "block", "champs": champs }))
        else {
            panic!("a block")
        };
        let texts =
            |row: &RepetitionRow| row.champs.iter().filter_map(|champ| champ.value.as_text()).collect::<String>();
        rows.iter().map(|row| (row.id.to_string(), texts(row))).collect()
    }

    #[test]
    fn a_champ_that_comes_again_in_a_flat_block_begins_another_row() {
        let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(id, texts)| ((*id).to_owned(), (*texts).to_owned())).collect()
        };
        // Ids that name no row.
        assert_eq!(
            flat(&[("Q2hhbXAtMQ==", "a"), ("Q2hhbXAtMg==", "b"), ("Q2hhbXAtMQ==", "c"), ("Q2hhbXAtMg==", "d")]),
            pairs(&[("block~1", "ab"), ("block~2", "cd")])
        );
        // A champ that a condition hides in one row.
        assert_eq!(
            flat(&[("x", "a"), ("y", "b"), ("x", "c"), ("x", "d"), ("y", "e")]),
            pairs(&[("block~1", "ab"), ("block~2", "c"), ("block~3", "de")])
        );
        // Ids that name their row, in any order; one that comes again all the same is not lost among the others.
        let id = |champ: u32, row: &str| STANDARD.encode(format!("Champ-{champ}|{row}"));
        let row = |row: &str| STANDARD.encode(format!("Row-{row}"));
        let (a1, b1, a2, b2) = (id(1, "r1"), id(2, "r1"), id(1, "r2"), id(2, "r2"));
        assert_eq!(
            flat(&[(&a1, "a"), (&a2, "c"), (&b1, "b"), (&b2, "d"), (&a1, "e")]),
            pairs(&[(&row("r1"), "ab"), (&row("r2"), "cd"), (&format!("{}~2", row("r1")), "e")])
        );
    }

    #[test]
    fn an_identity_document_is_given_or_not_also_where_the_form_asks_for_it_as_a_file() {
        let read = |files: serde_json::Value, nature: &str| {
            let columns = json!([{ "id": "x", "label": "Numéro", "stringValue": "12AB34567" }]);
            let wire = json!({ "__typename": "PieceJustificativeChamp", "id": "Q2hhbXAtMQ==", "files": files,
                "nature": nature, "stringValue": "passeport.pdf", "columns": columns });
            champ(serde_json::from_value(wire).expect("a champ of the wire"), &mut Drifts::default())
        };
        let file = json!([{ "filename": "passeport.pdf", "checksum": "md5", "url": "https://example.org/secret" }]);
        let given = read(file.clone(), "TITRE_IDENTITE");
        assert!(matches!(given.value, ChampValue::TitreIdentite { .. }), "{given:?}");
        let shown = format!("{given:?}");
        assert!(!shown.contains("passeport") && !shown.contains("12AB") && !shown.contains("md5"), "{shown}");
        let missing = read(json!([]), "TITRE_IDENTITE");
        assert_eq!((missing.value.is_empty(), missing.columns.len()), (true, 0));
        let other = read(file.clone(), "RIB");
        assert_eq!((other.nature.as_deref(), other.columns.len()), (Some("RIB"), 1));
        assert!(matches!(other.value, ChampValue::Files(_)));
        assert_eq!(read(file, "NON_SPECIFIE").nature, None);
    }

    #[test]
    fn the_column_that_is_the_answer_itself_is_left_out() {
        let id = |path: &str| STANDARD.encode(format!("Column-type_de_champ/{path}"));
        let column = |path: &str, text: &str| json!({ "id": id(path), "label": "l", "stringValue": text });
        let wire = json!({ "__typename": "TextChamp", "id": STANDARD.encode("Champ-30"), "stringValue": "true",
            "champDescriptorId": STANDARD.encode("Champ-30"),
            "columns": [column("30", "true"), column("30-valeur", "1234"), column("30-vide", ""), column("130", "x")] });
        let read = champ(serde_json::from_value(wire).expect("a champ of the wire"), &mut Drifts::default());
        let kept: Vec<Option<&str>> = read.columns.iter().map(|column| column.text.as_deref()).collect();
        assert_eq!(kept, [Some("1234"), Some("x")]);
    }
}
