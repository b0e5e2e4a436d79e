//! Adds a geometry column beside the GeoJSON, if PostGIS is installed.

use crate::sink::sql::quoted;
use crate::table::{ColumnKey, LayoutTable, TableKey};

/// The geometry column, which the database computes from the GeoJSON.
pub(super) const COLUMN: &str = "dn_geom";

/// The column with the GeoJSON of a table of areas, by its name.
pub(super) fn source(table: &LayoutTable) -> Option<&str> {
    let is_source = |key: &ColumnKey| matches!(key, ColumnKey::Fixed(name) if name == "geometry");
    let column = table.columns.iter().find(|column| is_source(&column.spec.key))?;
    (table.key == TableKey::GeoZones).then_some(column.name.as_str())
}

/// The statements that add the column and its index; `postgis` is the schema in which the extension lies.
///
/// GeoJSON that PostGIS refuses becomes NULL, as an invalid area must not stop a run.
pub(super) fn statements(table: &str, source: &str, postgis: &str) -> String {
    let (table, source, postgis, column) = (quoted(table), quoted(source), quoted(postgis), quoted(COLUMN));
    format!(
        "CREATE OR REPLACE FUNCTION dn_geometry(geojson jsonb) RETURNS {postgis}.geometry \
         LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $dn$ BEGIN \
         RETURN {postgis}.ST_SetSRID({postgis}.ST_GeomFromGeoJSON(geojson), 4326); \
         EXCEPTION WHEN OTHERS THEN RETURN NULL; END $dn$;\n\
         ALTER TABLE {table} ADD COLUMN {column} {postgis}.geometry(Geometry, 4326) \
         GENERATED ALWAYS AS (dn_geometry({source})) STORED;\n\
         CREATE INDEX ON {table} USING gist ({column})"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_geometry_is_computed_from_the_column_that_holds_the_geojson() {
        let text = statements("demarche_12_geo_zones", "geometry", "public");
        for part in [
            "ALTER TABLE \"demarche_12_geo_zones\" ADD COLUMN \"dn_geom\" \"public\".geometry(Geometry, 4326) \
             GENERATED ALWAYS AS (dn_geometry(\"geometry\")) STORED",
            "\"public\".ST_GeomFromGeoJSON(geojson), 4326)",
            "CREATE INDEX ON \"demarche_12_geo_zones\" USING gist (\"dn_geom\")",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}
