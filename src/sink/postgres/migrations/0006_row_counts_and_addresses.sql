ALTER TABLE dn_dossiers ADD COLUMN IF NOT EXISTS row_counts json;
COMMENT ON COLUMN dn_dossiers.row_counts IS
  'How many rows of each child table it was written with, by name; NULL for what an older version wrote.';

ALTER TABLE dn_instances ADD COLUMN IF NOT EXISTS platform text, ADD COLUMN IF NOT EXISTS url text;
COMMENT ON COLUMN dn_instances.platform IS 'Demarche-numerique or demat-social.';
COMMENT ON COLUMN dn_instances.url IS 'Where it answers: two instances never share one name.';
