-- How many rows each dossier was written with: what the daily comparison counts. NULL for what an older version wrote.
ALTER TABLE dn_dossiers ADD COLUMN row_counts TEXT;

-- Where the instance answers, so that two of them never share one name.
ALTER TABLE dn_instances ADD COLUMN platform TEXT;
ALTER TABLE dn_instances ADD COLUMN url TEXT;
