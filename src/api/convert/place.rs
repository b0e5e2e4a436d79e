//! Places.

use super::Drifts;
use crate::api::wire::{WireAddress, WireCommune, WireGeoArea, WireGeometry, WirePlace, WireRegistration};
use crate::champ::{Address, Commune, GeoArea, Geometry, Parcelle, Place, Registration};

/// A place, unless it has neither code nor name.
pub(super) fn place(wire: WirePlace) -> Option<Place> {
    let place = Place { code: wire.code.unwrap_or_default(), name: wire.name.unwrap_or_default() };
    (!place.code.is_empty() || !place.name.is_empty()).then_some(place)
}

/// A commune, unless nothing names it.
pub(super) fn commune(wire: WireCommune) -> Option<Commune> {
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let commune =
        Commune { code: filled(wire.code), name: wire.name.unwrap_or_default(), postal_code: filled(wire.postal_code) };
    (commune.code.is_some() || commune.postal_code.is_some() || !commune.name.is_empty()).then_some(commune)
}

/// An address.
pub(super) fn address(wire: WireAddress, drift: &mut Drifts) -> Address {
    let kind = wire.kind.unwrap_or_default();
    drift.value("AddressType", &kind, &["", "housenumber", "locality", "municipality", "street"]);
    // The platform writes an unknown code as an empty text (dn-api 6.1).
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

/// An area of a map.
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
        "SelectionUtilisateur" | "" => None,
        other => {
            drift.typename(other);
            None
        }
    };
    let nowhere = || Geometry { kind: String::new(), coordinates: serde_json::Value::Null };
    GeoArea {
        id: wire.id,
        source: wire.source,
        description: wire.description.filter(|text| !text.is_empty()),
        geometry: wire.geometry.map_or_else(nowhere, geometry),
        parcelle,
    }
}

/// What a registration number leads to; `None` when there is no number.
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
    let id = id.filter(|id| !id.is_empty()).or_else(|| number.filter(|number| !number.is_empty()))?;
    Some(Box::new(Registration {
        id,
        title: title.filter(|title| !title.is_empty()),
        address: found.map(|found| Box::new(address(*found, drift))),
        commune: found_commune.and_then(|wire| commune(*wire)),
        departement: departement.and_then(|wire| place(*wire)),
    }))
}
