//! Maps one answer to cells.

use serde_json::json;

use super::row::Cell;
use super::spec::Part;
use crate::champ::{Address, ChampValue, GeoArea, HealthRecord, PersonneMorale, Registration, Territory, Withheld};
use crate::privacy::{MASKED, NOT_KEPT};

/// Returns a part of an answer. The value decides, not the question's kind when the column was made: an address fills
/// the column of the city even if the question became a text since.
pub(super) fn part(value: &ChampValue, part: Part) -> Cell {
    use ChampValue as V;
    match (value, part) {
        (V::Empty | V::Presentation | V::Repetition(_), _) => Cell::Null,
        (V::Withheld(withheld), part) => Cell::text(match (withheld, part) {
            (Withheld::Pseudonym(pseudonym), Part::Value) => pseudonym,
            (Withheld::Excluded, _) => NOT_KEPT,
            (Withheld::Masked | Withheld::Pseudonym(_), _) => MASKED,
        }),
        (V::Address(address), _) => of_address(address, part),
        (V::Siret { siret, .. }, Part::Value) => Cell::text(siret),
        (V::Siret { etablissement, .. }, _) => {
            etablissement.as_deref().map_or(Cell::Null, |found| of_establishment(found, part))
        }
        (V::Rna(found) | V::Rnf(found), _) => of_registration(found, part),
        (V::Finess(record), _) => of_finess(record, part),
        (V::Rpps(record), _) => of_rpps(record, part),
        (V::Carte(areas), _) => of_areas(areas, part),
        (V::LinkedChoice { primary, .. }, Part::Value) => Cell::maybe(primary.as_deref()),
        (V::LinkedChoice { secondary, .. }, Part::Secondary) => Cell::maybe(secondary.as_deref()),
        (V::Commune { commune, departement }, _) => match part {
            Part::Value | Part::City => Cell::maybe(commune.as_ref().map(|commune| commune.name.as_str())),
            Part::Code | Part::CityCode => Cell::maybe(commune.as_ref().and_then(|commune| commune.code.as_deref())),
            Part::PostalCode => Cell::maybe(commune.as_ref().and_then(|commune| commune.postal_code.as_deref())),
            _ => of_departement(departement.as_ref(), part),
        },
        (V::Epci { epci, departement }, _) => match part {
            Part::Value => Cell::maybe(epci.as_ref().map(|epci| epci.name.as_str())),
            Part::Code => Cell::maybe(epci.as_ref().map(|epci| epci.code.as_str())),
            _ => of_departement(departement.as_ref(), part),
        },
        (V::Departement(place) | V::Region(place) | V::Pays(place), Part::Value) => Cell::text(&place.name),
        (V::Departement(place) | V::Region(place) | V::Pays(place), Part::Code) => Cell::text(&place.code),
        (_, Part::Value) => whole(value),
        _ => Cell::Null,
    }
}

/// Converts an answer that has one part.
fn whole(value: &ChampValue) -> Cell {
    use ChampValue as V;
    match value {
        V::Text(text) | V::Civilite(text) | V::EngagementJuridique(text) => Cell::text(text),
        V::Choice { label, .. } => Cell::text(label),
        V::Choices { values, .. } if values.is_empty() => Cell::Null,
        // The values of an advanced list are internal ids: only the text has the labels (trap 51).
        V::Choices { text: Some(text), .. } => Cell::text(text),
        V::Choices { values, text: None } => Cell::List(values.clone()),
        V::Integer(number) => Cell::Integer(*number),
        V::Decimal(number) => Cell::Decimal(*number),
        V::Boolean(truth) => Cell::Boolean(*truth),
        V::Date(date) => Cell::Date(*date),
        V::Datetime(instant) => Cell::Datetime(*instant),
        V::DossierLink(number) => Cell::Integer(i64::from(number.get())),
        V::Files(files) if files.is_empty() => Cell::Null,
        V::Files(files) => Cell::List(files.iter().map(|file| file.filename.clone()).collect()),
        // Given or not: the platform purges identity documents after the decision, and nothing of them is kept
        // (docs/platform.md#files).
        V::TitreIdentite { .. } => Cell::Boolean(true),
        // A kind that this version does not know is kept as text (trap 41).
        V::Unknown { string_value, .. } => Cell::maybe(string_value.as_deref()),
        // `part` handles answers with several parts.
        V::Empty
        | V::Presentation
        | V::Repetition(_)
        | V::Withheld(_)
        | V::Address(_)
        | V::Siret { .. }
        | V::Rna(_)
        | V::Rnf(_)
        | V::Finess(_)
        | V::Rpps(_)
        | V::Carte(_)
        | V::LinkedChoice { .. }
        | V::Commune { .. }
        | V::Epci { .. }
        | V::Departement(_)
        | V::Region(_)
        | V::Pays(_) => Cell::Null,
    }
}

fn of_address(address: &Address, part: Part) -> Cell {
    match part {
        Part::Value => Cell::text(&address.label),
        Part::Street => Cell::maybe(address.street_address.as_deref()),
        Part::PostalCode => Cell::maybe(address.postal_code.as_deref()),
        Part::City => Cell::maybe(address.city_name.as_deref()),
        Part::CityCode | Part::Code => Cell::maybe(address.city_code.as_deref()),
        Part::Departement => Cell::maybe(address.department_name.as_deref()),
        Part::DepartementCode => Cell::maybe(address.department_code.as_deref()),
        Part::Region => Cell::maybe(address.region_name.as_deref()),
        _ => Cell::Null,
    }
}

fn of_departement(departement: Option<&Territory>, part: Part) -> Cell {
    match part {
        Part::Departement => Cell::maybe(departement.map(|place| place.name.as_str())),
        Part::DepartementCode => Cell::maybe(departement.map(|place| place.code.as_str())),
        _ => Cell::Null,
    }
}

fn of_establishment(found: &PersonneMorale, part: Part) -> Cell {
    match part {
        Part::Name => Cell::maybe(registered_name(found).as_deref()),
        Part::Siren => Cell::maybe(found.entreprise.as_ref().map(|company| company.siren.as_str())),
        Part::Activity => Cell::maybe(found.naf.as_deref()),
        _ => found.address.as_ref().map_or(Cell::Null, |address| of_address(address, part)),
    }
}

/// Returns the name of a company: as registered, as an association, or of its one person.
pub(super) fn registered_name(found: &PersonneMorale) -> Option<String> {
    let filled = |text: &&String| !text.is_empty();
    let company = found.entreprise.as_ref();
    // A company of one person has no raison sociale.
    let registered = company.and_then(|company| company.raison_sociale.as_ref()).filter(filled);
    let association = found.association.as_ref().map(|association| &association.titre).filter(filled);
    registered.or(association).cloned().or_else(|| {
        let company = company?;
        let names = [company.prenom.as_ref(), company.nom.as_ref()];
        let names: Vec<&str> = names.into_iter().flatten().filter(filled).map(String::as_str).collect();
        (!names.is_empty()).then(|| names.join(" "))
    })
}

fn of_registration(found: &Registration, part: Part) -> Cell {
    let address = found.address.as_deref();
    match part {
        Part::Value => Cell::text(&found.id),
        Part::Name => Cell::maybe(found.title.as_deref()),
        Part::City => match (&found.commune, address) {
            (Some(commune), _) => Cell::text(&commune.name),
            (None, Some(address)) => Cell::maybe(address.city_name.as_deref()),
            (None, None) => Cell::Null,
        },
        Part::Departement | Part::DepartementCode if found.departement.is_some() => {
            of_departement(found.departement.as_ref(), part)
        }
        _ => address.map_or(Cell::Null, |address| of_address(address, part)),
    }
}

fn of_finess(record: &HealthRecord, part: Part) -> Cell {
    match part {
        // The keys of the directory vary (docs/platform.md#champs).
        Part::Name => Cell::maybe(record.get("et_rs").or_else(|| record.get("rs")).as_deref()),
        Part::PostalCode => Cell::maybe(record.get("adresse_code_postal").as_deref()),
        // The last line of a postal address: "75001 PARIS".
        Part::City => Cell::maybe(
            record
                .get("adresse_lib_routage")
                .as_deref()
                .map(|line| line.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start()),
        ),
        _ => of_record(record, part),
    }
}

fn of_rpps(record: &HealthRecord, part: Part) -> Cell {
    match part {
        Part::Name => {
            let names = ["prenom_d_exercice", "nom_d_exercice"].map(|key| record.get(key));
            let names: Vec<String> = names.into_iter().flatten().filter(|name| !name.is_empty()).collect();
            Cell::text(names.join(" "))
        }
        Part::PostalCode => Cell::maybe(record.get("code_postal_coord_structure").as_deref()),
        Part::City => Cell::maybe(record.get("libelle_commune_coord_structure").as_deref()),
        _ => of_record(record, part),
    }
}

fn of_record(record: &HealthRecord, part: Part) -> Cell {
    match part {
        Part::Value => Cell::text(&record.text),
        Part::Record => record.data.as_ref().map_or(Cell::Null, |data| Cell::Json(data.to_string())),
        _ => Cell::Null,
    }
}

fn of_areas(areas: &[GeoArea], part: Part) -> Cell {
    if areas.is_empty() {
        return Cell::Null;
    }
    let mean = |axis: fn((f64, f64)) -> f64| {
        let pins: Vec<f64> = areas.iter().filter_map(|area| area.geometry.pin()).map(axis).collect();
        let count = u32::try_from(pins.len()).unwrap_or(u32::MAX);
        if pins.is_empty() { Cell::Null } else { Cell::Real(pins.iter().sum::<f64>() / f64::from(count)) }
    };
    match part {
        Part::Value => Cell::Json(feature_collection(areas)),
        Part::Longitude => mean(|pin| pin.0),
        Part::Latitude => mean(|pin| pin.1),
        _ => Cell::Null,
    }
}

/// Writes the areas of a map as a GeoJSON FeatureCollection.
fn feature_collection(areas: &[GeoArea]) -> String {
    let features: Vec<serde_json::Value> = areas
        .iter()
        .map(|area| {
            json!({
                "type": "Feature",
                "id": area.id,
                "geometry": area.geometry,
                "properties": { "source": area.source, "description": area.description, "parcelle": area.parcelle },
            })
        })
        .collect();
    json!({ "type": "FeatureCollection", "features": features }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::champ::Commune;
    use crate::ids::DossierNumber;

    #[test]
    fn an_answer_fills_the_parts_that_it_has() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let commune = ChampValue::Commune {
            commune: Some(Commune {
                code: Some("01004".into()),
                name: "Ambérieu".into(),
                postal_code: Some("01500".into()),
            }),
            departement: Some(Territory { code: "01".into(), name: "Ain".into() }),
        };
        let finess = ChampValue::Finess(HealthRecord {
            text: "010000000".into(),
            data: Some(
                json!({ "et_rs": "Clinique", "adresse_code_postal": 1500, "adresse_lib_routage": "01500 AMBERIEU" }),
            ),
        });
        let ain = Some(Territory { code: "01".into(), name: "Ain".into() });
        let epci = ChampValue::Epci { epci: None, departement: ain };
        let cases = [
            (&epci, Part::Value, Cell::Null),
            (&epci, Part::Code, Cell::Null),
            (&epci, Part::Departement, text("Ain")),
            (&epci, Part::DepartementCode, text("01")),
            (&commune, Part::Value, text("Ambérieu")),
            (&commune, Part::Code, text("01004")),
            (&commune, Part::PostalCode, text("01500")),
            (&commune, Part::Departement, text("Ain")),
            (&commune, Part::DepartementCode, text("01")),
            (&commune, Part::Street, Cell::Null),
            (&finess, Part::Value, text("010000000")),
            (&finess, Part::Name, text("Clinique")),
            (&finess, Part::PostalCode, text("1500")),
            (&finess, Part::City, text("AMBERIEU")),
            (&ChampValue::DossierLink(DossierNumber::new(7)), Part::Value, Cell::Integer(7)),
            (&ChampValue::TitreIdentite { grant_type: "x".into() }, Part::Value, Cell::Boolean(true)),
            (&ChampValue::Text(String::new()), Part::Value, Cell::Null),
            (&ChampValue::Boolean(false), Part::Value, Cell::Boolean(false)),
            (&ChampValue::Withheld(Withheld::Pseudonym("p".into())), Part::Value, text("p")),
            (&ChampValue::Withheld(Withheld::Pseudonym("p".into())), Part::Code, text(MASKED)),
            (&ChampValue::Withheld(Withheld::Excluded), Part::City, text(NOT_KEPT)),
        ];
        for (value, asked, expected) in cases {
            assert_eq!(part(value, asked), expected, "{value:?} {asked:?}");
        }
    }

    #[test]
    fn choices_of_an_advanced_list_are_shown_by_their_labels() {
        let plain = ChampValue::Choices { values: vec!["a".into(), "b, c".into()], text: None };
        assert_eq!(part(&plain, Part::Value), Cell::List(vec!["a".into(), "b, c".into()]));
        let advanced = ChampValue::Choices { values: vec!["17".into()], text: Some("Abricot".into()) };
        assert_eq!(part(&advanced, Part::Value), Cell::Text("Abricot".into()));
    }

    #[test]
    fn a_map_is_a_feature_collection_with_a_pin() {
        let area = |x: f64| GeoArea {
            id: "a".into(),
            source: "cadastre".into(),
            description: None,
            geometry: crate::champ::Geometry { kind: "Point".into(), coordinates: json!([x, 45.0]) },
            parcelle: None,
            rpg: None,
        };
        let carte = ChampValue::Carte(vec![area(1.0), area(3.0)]);
        assert_eq!(part(&carte, Part::Longitude), Cell::Real(2.0));
        assert_eq!(part(&carte, Part::Latitude), Cell::Real(45.0));
        let Cell::Json(geojson) = part(&carte, Part::Value) else { panic!("a map is JSON") };
        let geojson: serde_json::Value = serde_json::from_str(&geojson).expect("valid JSON");
        assert_eq!(geojson["features"][1]["geometry"]["coordinates"], json!([3.0, 45.0]));
    }
}
