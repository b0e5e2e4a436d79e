//! Places: administrative divisions, addresses, areas on a map.

use serde::{Deserialize, Serialize};

/// A département, région, country or intercommunality: its name and its official code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Territory {
    /// The official code, as text (`01`, `2A`).
    pub code: String,
    /// The name.
    pub name: String,
}

/// A commune.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commune {
    /// The INSEE code. Missing in some old answers, whose commune is nonetheless worth keeping.
    pub code: Option<String>,
    /// The name.
    pub name: String,
    /// The postal code, when one was chosen.
    pub postal_code: Option<String>,
}

/// A postal address in its parts. Any of them may be missing in what the platform has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// The address on one line.
    pub label: String,
    /// `housenumber`, `street`, `locality`, `municipality`, or a kind that this version does not know.
    #[serde(rename = "type")]
    pub kind: String,
    /// Number and street.
    pub street_address: Option<String>,
    /// The number in the street.
    pub street_number: Option<String>,
    /// The street.
    pub street_name: Option<String>,
    /// The postal code.
    pub postal_code: Option<String>,
    /// The commune's name.
    pub city_name: Option<String>,
    /// The commune's INSEE code.
    pub city_code: Option<String>,
    /// The département's name.
    pub department_name: Option<String>,
    /// The département's code.
    pub department_code: Option<String>,
    /// The région's name.
    pub region_name: Option<String>,
    /// The région's code.
    pub region_code: Option<String>,
    /// The country's name (Démarche Numérique only).
    pub country_name: Option<String>,
    /// The country's code (Démarche Numérique only).
    pub country_code: Option<String>,
    /// The point of the address.
    pub geometry: Option<Geometry>,
}

/// A GeoJSON geometry in WGS 84, coordinates as the platform sent them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Geometry {
    /// `Point`, `Polygon`, `MultiPolygon`...
    #[serde(rename = "type")]
    pub kind: String,
    /// The coordinates, longitude first.
    pub coordinates: serde_json::Value,
}

/// One area of a map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GeoArea {
    /// Its id.
    pub id: String,
    /// `selection_utilisateur`, `cadastre`, `rpg`, or a source that this version does not know.
    pub source: String,
    /// The words that the usager put on it.
    pub description: Option<String>,
    /// Its shape.
    pub geometry: Geometry,
    /// The cadastral parcel, for areas taken from the cadastre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parcelle: Option<Parcelle>,
    /// The agricultural plot, for areas taken from the register of plots. Only platforms newer than the pinned schema
    /// have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpg: Option<Rpg>,
}

/// An agricultural plot of the Registre parcellaire graphique.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rpg {
    /// The commune.
    pub commune: Option<String>,
    /// The number of the plot.
    pub numero: Option<String>,
    /// The surface, as the platform writes it.
    pub surface: Option<String>,
}

/// A cadastral parcel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcelle {
    /// The commune's code.
    pub commune: String,
    /// The section.
    pub section: String,
    /// The prefix.
    pub prefixe: String,
    /// The number.
    pub numero: String,
    /// The surface in square metres, as the platform writes it.
    pub surface: String,
}

impl Geometry {
    /// Computes a point for the shape: the mean of its outer positions, as (longitude, latitude) in degrees.
    ///
    /// Good enough to put a pin on a map; not a centroid in the surveyor's sense.
    #[must_use]
    pub fn pin(&self) -> Option<(f64, f64)> {
        fn walk(value: &serde_json::Value, sum: &mut (f64, f64, u32)) {
            let Some(items) = value.as_array() else { return };
            match (items.first().and_then(serde_json::Value::as_f64), items.get(1).and_then(serde_json::Value::as_f64))
            {
                (Some(longitude), Some(latitude)) => {
                    sum.0 += longitude;
                    sum.1 += latitude;
                    sum.2 += 1;
                }
                _ => items.iter().for_each(|item| walk(item, sum)),
            }
        }
        let mut sum = (0.0, 0.0, 0);
        walk(&self.coordinates, &mut sum);
        (sum.2 > 0).then(|| (sum.0 / f64::from(sum.2), sum.1 / f64::from(sum.2)))
    }

    /// Writes the geometry as GeoJSON text.
    #[must_use]
    pub fn to_geojson(&self) -> String {
        format!(r#"{{"type":{},"coordinates":{}}}"#, serde_json::Value::from(self.kind.as_str()), self.coordinates)
    }
}
