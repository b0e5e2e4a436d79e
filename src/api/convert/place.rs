//! Converts communes, addresses, areas of maps, and registrations with an address.

use super::Drifts;
use crate::api::wire::{WireAddress, WireCommune, WireGeoArea, WireGeometry, WirePlace, WireRegistration};
use crate::champ::{Address, Commune, GeoArea, Geometry, Parcelle, Registration, Rpg, Territory};

/// Converts a place, unless it has neither code nor name.
pub(super) fn place(wire: WirePlace) -> Option<Territory> {
    let place = Territory { code: wire.code.unwrap_or_default(), name: wire.name.unwrap_or_default() };
    (!place.code.is_empty() || !place.name.is_empty()).then_some(place)
}

/// Converts a place that a champ names. If its name is missing, the champ's text is taken.
pub(super) fn named(wire: Option<Box<WirePlace>>, text: Option<&str>) -> Option<Territory> {
    let place = wire.and_then(|wire| place(*wire))?;
    Some(if place.name.is_empty() { Territory { name: text.unwrap_or_default().to_owned(), ..place } } else { place })
}

/// Converts a commune, unless it has no name.
pub(super) fn commune(wire: WireCommune) -> Option<Commune> {
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let commune =
        Commune { code: filled(wire.code), name: wire.name.unwrap_or_default(), postal_code: filled(wire.postal_code) };
    (commune.code.is_some() || commune.postal_code.is_some() || !commune.name.is_empty()).then_some(commune)
}

/// Converts the address of a champ. The platform sends no address before it is complete, but its line, commune and
/// département in other fields: they are taken instead. `None` if there is nothing.
pub(super) fn answered(
    wire: Option<Box<WireAddress>>,
    text: Option<String>,
    found_commune: Option<Box<WireCommune>>,
    departement: Option<Box<WirePlace>>,
    drift: &mut Drifts,
) -> Option<Address> {
    let mut found = match wire {
        Some(wire) => address(*wire, drift),
        None => {
            let commune = found_commune.and_then(|wire| commune(*wire));
            let departement = departement.and_then(|wire| place(*wire));
            let filled = |text: String| Some(text).filter(|text| !text.is_empty());
            let (department_code, department_name) = departement.map(|place| (place.code, place.name)).unzip();
            Address {
                postal_code: commune.as_ref().and_then(|commune| commune.postal_code.clone()),
                city_code: commune.as_ref().and_then(|commune| commune.code.clone()),
                city_name: commune.and_then(|commune| filled(commune.name)),
                department_code: department_code.and_then(filled),
                department_name: department_name.and_then(filled),
                ..Address::default()
            }
        }
    };
    if found.label.is_empty() {
        found.label = text.unwrap_or_default();
    }
    (found != Address::default()).then_some(found)
}

/// Converts an address.
pub(super) fn address(wire: WireAddress, drift: &mut Drifts) -> Address {
    let kind = wire.kind.unwrap_or_default();
    drift.value("AddressType", &kind, &["", "housenumber", "locality", "municipality", "street"]);
    // The platform writes an unknown code as an empty text (docs/platform.md#champs).
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    Address {
        label: wire.label.unwrap_or_default(),
        kind,
        street_address: filled(wire.street_address),
        street_number: filled(wire.street_number),
        street_name: filled(wire.street_name),
        postal_code: filled(wire.postal_code),
        city_name: filled(wire.city_name),
        city_code: filled(wire.city_code),
        department_name: filled(wire.department_name),
        department_code: filled(wire.department_code),
        region_name: filled(wire.region_name),
        region_code: filled(wire.region_code),
        country_name: filled(wire.country_name),
        country_code: filled(wire.country_code),
        geometry: wire.geometry.map(geometry),
    }
}

fn geometry(wire: WireGeometry) -> Geometry {
    Geometry { kind: wire.kind.unwrap_or_default(), coordinates: wire.coordinates }
}

/// Converts an area of a map.
pub(super) fn area(wire: WireGeoArea, drift: &mut Drifts) -> GeoArea {
    drift.value("GeoAreaSource", &wire.source, &["cadastre", "rpg", "selection_utilisateur"]);
    let parcelle = match wire.typename.as_str() {
        "ParcelleCadastrale" => Some(Parcelle {
            commune: wire.commune.unwrap_or_default(),
            section: wire.section.unwrap_or_default(),
            prefixe: wire.prefixe.unwrap_or_default(),
            numero: wire.numero.unwrap_or_default(),
            surface: wire.surface.map(|surface| surface.0).unwrap_or_default(),
        }),
        "SelectionUtilisateur" | "Rpg" | "" => None,
        other => {
            drift.typename(other);
            None
        }
    };
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let rpg = Rpg {
        commune: filled(wire.rpg_commune),
        numero: filled(wire.rpg_numero),
        surface: wire.rpg_surface.map(|surface| surface.0),
    };
    let nowhere = || Geometry { kind: String::new(), coordinates: serde_json::Value::Null };
    GeoArea {
        id: wire.id,
        source: wire.source,
        description: wire.description.filter(|text| !text.is_empty()),
        geometry: wire.geometry.map_or_else(nowhere, geometry),
        parcelle,
        rpg: (rpg != Rpg::default()).then_some(rpg),
    }
}

/// Converts a registration (RNA, RNF); `None` when there is neither a number nor anything that it leads to.
pub(super) fn registration(
    record: Option<Box<WireRegistration>>,
    number: Option<String>,
    found_commune: Option<Box<WireCommune>>,
    departement: Option<Box<WirePlace>>,
    drift: &mut Drifts,
) -> Option<Box<Registration>> {
    let (id, title, found) = match record.map(|record| *record) {
        Some(record) => (record.id, record.title, record.address),
        None => (None, None, None),
    };
    let id = id.filter(|id| !id.is_empty()).or_else(|| number.filter(|number| !number.is_empty()));
    let registration = Registration {
        id: id.unwrap_or_default(),
        title: title.filter(|title| !title.is_empty()),
        address: found.map(|found| Box::new(address(*found, drift))),
        commune: found_commune.and_then(|wire| commune(*wire)),
        departement: departement.and_then(|wire| place(*wire)),
    };
    (!registration.is_empty()).then(|| Box::new(registration))
}
