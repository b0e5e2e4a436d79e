-- Every run counts what is gone: without this it would read every dossier to do so.
CREATE INDEX IF NOT EXISTS dn_dossiers_gone ON dn_dossiers (instance, demarche) WHERE gone IS NOT NULL;
COMMENT ON COLUMN dn_dossiers.gone IS
  'NULL while it is there; pending, deleted, missing; retention once nothing of it is kept.';
COMMENT ON COLUMN dn_changes.kind IS 'insert, update, delete, restore, rewrite, anonymise, purge.';
