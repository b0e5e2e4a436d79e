-- An action more. Only the text of the constraint changes, which the rows do not depend on: the table keeps its rows, its
-- indexes, and the views that others made of it. The table that comes and goes tells other connections to look again.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = replace(sql, '''ne_plus_suivre'')', '''ne_plus_suivre'', ''annuler_demande_correction'')')
WHERE type = 'table' AND name = 'dn_status_updates';
PRAGMA writable_schema = RESET;
CREATE TABLE dn_schema_moves (at INTEGER);
DROP TABLE dn_schema_moves;
