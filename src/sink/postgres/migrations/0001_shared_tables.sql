CREATE TABLE dn_instances (
  name text PRIMARY KEY,
  prefix text NOT NULL UNIQUE
);
COMMENT ON TABLE dn_instances IS 'The instances of a platform whose dossiers are kept here.';
COMMENT ON COLUMN dn_instances.name IS 'The short name, as configured.';
COMMENT ON COLUMN dn_instances.prefix IS 'What the names of its tables begin with; empty for the first instance.';

CREATE TABLE dn_forms (
  instance text NOT NULL REFERENCES dn_instances (name),
  demarche bigint NOT NULL,
  title text NOT NULL,
  form json NOT NULL,
  PRIMARY KEY (instance, demarche)
);
COMMENT ON TABLE dn_forms IS
  'The form of each démarche through all its revisions, as its tables were last made for it.';
COMMENT ON COLUMN dn_forms.title IS 'The title of the démarche.';
COMMENT ON COLUMN dn_forms.form IS 'All of it.';

CREATE TABLE dn_tables (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  instance text NOT NULL REFERENCES dn_instances (name),
  demarche bigint NOT NULL,
  name text NOT NULL UNIQUE,
  view text NOT NULL UNIQUE,
  holds text NOT NULL,
  descriptor text,
  title text NOT NULL,
  definition text
);
COMMENT ON TABLE dn_tables IS 'The tables that were made for each démarche. Names never change.';
COMMENT ON COLUMN dn_tables.id IS 'In order of creation.';
COMMENT ON COLUMN dn_tables.view IS 'Its readable view.';
COMMENT ON COLUMN dn_tables.holds IS
  'dossiers, pieces_jointes, messages, avis, traitements, geo_zones, instructeurs, labels, block.';
COMMENT ON COLUMN dn_tables.descriptor IS 'For a block, the id of its question.';
COMMENT ON COLUMN dn_tables.title IS 'Its title, in French.';
COMMENT ON COLUMN dn_tables.definition IS 'The statement that made its view.';

CREATE TABLE dn_columns (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  instance text NOT NULL REFERENCES dn_instances (name),
  demarche bigint NOT NULL,
  "table" text NOT NULL REFERENCES dn_tables (name),
  "column" text NOT NULL,
  descriptor text,
  part text NOT NULL,
  title text NOT NULL,
  kind text NOT NULL,
  origin text NOT NULL,
  type_de_champ text,
  since_revision text,
  policy text NOT NULL,
  description text,
  options text[],
  UNIQUE ("table", "column")
);
COMMENT ON TABLE dn_columns IS
  'What each column of those tables is. Names never change; titles follow the form.';
COMMENT ON COLUMN dn_columns.id IS 'In order of creation.';
COMMENT ON COLUMN dn_columns.descriptor IS
  'The id of the question; NULL for what every table of the kind has.';
COMMENT ON COLUMN dn_columns.part IS
  'Which part of the answer (value, code, postal_code...); without a question, which datum.';
COMMENT ON COLUMN dn_columns.title IS 'The question as it is asked now.';
COMMENT ON COLUMN dn_columns.kind IS
  'text, integer, decimal, real, boolean, date, datetime, choice, choices, json.';
COMMENT ON COLUMN dn_columns.origin IS 'fixed, champ, annotation, former (asked no more).';
COMMENT ON COLUMN dn_columns.type_de_champ IS 'The platform''s word.';
COMMENT ON COLUMN dn_columns.since_revision IS 'The id of the revision that first asked.';
COMMENT ON COLUMN dn_columns.policy IS
  'What the privacy policy makes of its values: include, pseudonymise, mask, exclude.';
COMMENT ON COLUMN dn_columns.description IS 'The help text.';
COMMENT ON COLUMN dn_columns.options IS 'The choices.';

CREATE TABLE dn_dossiers (
  instance text NOT NULL,
  demarche bigint NOT NULL,
  number bigint NOT NULL,
  state text NOT NULL,
  fingerprint text NOT NULL,
  light text NOT NULL,
  updated_at timestamptz NOT NULL,
  gone text,
  gone_reason text,
  gone_at timestamptz,
  first_seen timestamptz NOT NULL,
  last_changed timestamptz NOT NULL,
  document json NOT NULL,
  PRIMARY KEY (instance, demarche, number)
);
-- Documents are compressed in a tenth of the time where the server knows how (PostgreSQL 14, built with lz4).
DO $$ BEGIN
  EXECUTE 'ALTER TABLE dn_dossiers ALTER COLUMN document SET COMPRESSION lz4';
EXCEPTION WHEN OTHERS THEN NULL;
END $$;
COMMENT ON TABLE dn_dossiers IS
  'Every dossier that was ever seen, with the document from which its rows are made.';
COMMENT ON COLUMN dn_dossiers.fingerprint IS 'The digest of the document: what "the same" means.';
COMMENT ON COLUMN dn_dossiers.light IS 'The digest of what the complete listing shows.';
COMMENT ON COLUMN dn_dossiers.updated_at IS 'When the platform says it last moved.';
COMMENT ON COLUMN dn_dossiers.gone IS 'NULL while it is there; pending, deleted, missing.';
COMMENT ON COLUMN dn_dossiers.gone_reason IS 'The platform''s word for why.';
COMMENT ON COLUMN dn_dossiers.gone_at IS 'When, by the platform''s date.';
COMMENT ON COLUMN dn_dossiers.first_seen IS 'When it was first seen.';
COMMENT ON COLUMN dn_dossiers.last_changed IS 'When this version or this tombstone was first seen.';
COMMENT ON COLUMN dn_dossiers.document IS 'The filtered dossier. Kept byte for byte: not jsonb.';

CREATE TABLE dn_changes (
  seq bigint PRIMARY KEY,
  instance text NOT NULL,
  demarche bigint NOT NULL,
  number bigint NOT NULL,
  kind text NOT NULL,
  seen_at timestamptz NOT NULL,
  before text,
  after text,
  run text NOT NULL
);
CREATE INDEX dn_changes_of_demarche ON dn_changes (instance, demarche, seq);
COMMENT ON TABLE dn_changes IS
  'What changed, in the order in which it was committed. Lines are added, never changed: follow it by seq, which has no gaps.';
COMMENT ON COLUMN dn_changes.kind IS 'insert, update, delete, restore, rewrite.';
COMMENT ON COLUMN dn_changes.seen_at IS 'When it was seen.';
COMMENT ON COLUMN dn_changes.before IS 'The fingerprint before; NULL for insert.';
COMMENT ON COLUMN dn_changes.after IS 'The fingerprint after; NULL for delete.';
COMMENT ON COLUMN dn_changes.run IS 'The run that saw it.';

CREATE TABLE dn_feed (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  last bigint NOT NULL
);
INSERT INTO dn_feed (last) VALUES (0);
COMMENT ON TABLE dn_feed IS
  'The last number of dn_changes. Its one row is locked from the numbering of lines to the end of their transaction: lines are committed in the order of their numbers.';

CREATE TABLE dn_checkpoints (
  instance text NOT NULL,
  demarche bigint NOT NULL,
  watermark timestamptz,
  checkpoint json NOT NULL,
  PRIMARY KEY (instance, demarche)
);
COMMENT ON TABLE dn_checkpoints IS
  'Where the reading of each démarche stands. Written with the rows, in the same transaction.';
COMMENT ON COLUMN dn_checkpoints.watermark IS
  'Every change up to this date of the platform is stored, or in quarantine.';
COMMENT ON COLUMN dn_checkpoints.checkpoint IS 'All of it.';

CREATE TABLE dn_quarantine (
  instance text NOT NULL,
  demarche bigint NOT NULL,
  number bigint NOT NULL,
  reason text NOT NULL,
  message text NOT NULL,
  since timestamptz NOT NULL,
  attempts bigint NOT NULL,
  next_try timestamptz NOT NULL,
  PRIMARY KEY (instance, demarche, number)
);
COMMENT ON TABLE dn_quarantine IS 'Dossiers that could not be read; later runs try again.';
COMMENT ON COLUMN dn_quarantine.reason IS 'A stable word: invalid_null, timeout, undecodable...';
COMMENT ON COLUMN dn_quarantine.message IS 'What happened.';
COMMENT ON COLUMN dn_quarantine.attempts IS 'How many runs tried.';

CREATE TABLE dn_runs (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  instance text NOT NULL,
  demarche bigint NOT NULL,
  id text NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz NOT NULL,
  outcome text NOT NULL,
  report json NOT NULL,
  UNIQUE (instance, demarche, id)
);
COMMENT ON TABLE dn_runs IS 'The history of runs.';
COMMENT ON COLUMN dn_runs.outcome IS 'done, quarantine, interrupted, failed.';
COMMENT ON COLUMN dn_runs.report IS 'What "dn sync --json" printed.';

CREATE TABLE dn_leases (
  instance text NOT NULL,
  demarche bigint NOT NULL,
  holder text,
  token bigint NOT NULL,
  since timestamptz NOT NULL,
  seen timestamptz NOT NULL,
  until timestamptz NOT NULL,
  PRIMARY KEY (instance, demarche)
);
COMMENT ON TABLE dn_leases IS
  'Who works on which démarche. A commit is refused unless its token is the one that stands here.';
COMMENT ON COLUMN dn_leases.holder IS 'Host and process; NULL once the lease was given back.';
COMMENT ON COLUMN dn_leases.token IS 'Grows each time that the lease is taken.';
COMMENT ON COLUMN dn_leases.since IS 'When it was taken.';
COMMENT ON COLUMN dn_leases.seen IS 'The last sign of life of its holder.';
COMMENT ON COLUMN dn_leases.until IS 'When it may be taken by another, by the clock of this server.';
