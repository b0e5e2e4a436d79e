-- Every run counts what is gone: without this it would read every dossier to do so.
CREATE INDEX IF NOT EXISTS dn_dossiers_gone ON dn_dossiers (instance, demarche) WHERE gone IS NOT NULL;
