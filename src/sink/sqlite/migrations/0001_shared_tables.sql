CREATE TABLE dn_instances (
  -- The instances of a platform whose dossiers are kept here.
  name TEXT PRIMARY KEY,        -- the short name, as configured
  prefix TEXT NOT NULL UNIQUE   -- what the names of its tables begin with; empty for the first instance
) STRICT;

CREATE TABLE dn_forms (
  -- The form of each démarche through all its revisions, as its tables were last made for it.
  instance TEXT NOT NULL REFERENCES dn_instances (name),
  demarche INTEGER NOT NULL,
  title TEXT NOT NULL,          -- the title of the démarche
  form TEXT NOT NULL,           -- all of it, as JSON
  PRIMARY KEY (instance, demarche)
) STRICT, WITHOUT ROWID;

CREATE TABLE dn_tables (
  -- The tables that were made for each démarche. Names never change.
  id INTEGER PRIMARY KEY,       -- in order of creation
  instance TEXT NOT NULL REFERENCES dn_instances (name),
  demarche INTEGER NOT NULL,    -- the number of the démarche
  name TEXT NOT NULL UNIQUE,    -- the table
  view TEXT NOT NULL UNIQUE,    -- its readable view
  holds TEXT NOT NULL,          -- dossiers, pieces_jointes, messages, avis, traitements, geo_zones, instructeurs, labels, block
  descriptor TEXT,              -- for a block, the id of its question
  title TEXT NOT NULL           -- its title, in French
) STRICT;

CREATE TABLE dn_columns (
  -- What each column of those tables is. Names never change; titles follow the form.
  id INTEGER PRIMARY KEY,       -- in order of creation
  instance TEXT NOT NULL REFERENCES dn_instances (name),
  demarche INTEGER NOT NULL,
  "table" TEXT NOT NULL REFERENCES dn_tables (name),
  "column" TEXT NOT NULL,
  descriptor TEXT,              -- the id of the question; NULL for what every table of the kind has
  part TEXT NOT NULL,           -- which part of the answer (value, code, postal_code...); without a question, which datum
  title TEXT NOT NULL,          -- the question as it is asked now
  kind TEXT NOT NULL,           -- text, integer, decimal, real, boolean, date, datetime, choice, choices, json
  origin TEXT NOT NULL,         -- fixed, champ, annotation, former (asked no more)
  type_de_champ TEXT,           -- the platform's word
  since_revision TEXT,          -- the id of the revision that first asked
  policy TEXT NOT NULL,         -- what the privacy policy makes of its values: include, pseudonymise, mask, exclude
  description TEXT,             -- the help text
  options TEXT,                 -- the choices, as a JSON array
  UNIQUE ("table", "column")
) STRICT;

CREATE TABLE dn_dossiers (
  -- Every dossier that was ever seen, with the document from which its rows are made.
  instance TEXT NOT NULL,
  demarche INTEGER NOT NULL,
  number INTEGER NOT NULL,
  state TEXT NOT NULL,
  fingerprint TEXT NOT NULL,    -- the digest of the document: what "the same" means
  light TEXT NOT NULL,          -- the digest of what the complete listing shows
  updated_at TEXT NOT NULL,     -- when the platform says it last moved
  gone TEXT,                    -- NULL while it is there; pending, deleted, missing, retention
  gone_reason TEXT,             -- the platform's word for why
  gone_at TEXT,                 -- when, by the platform's date
  first_seen TEXT NOT NULL,     -- when it was first seen
  last_changed TEXT NOT NULL,   -- when this version or this tombstone was first seen
  document TEXT NOT NULL,       -- the filtered dossier, as JSON
  PRIMARY KEY (instance, demarche, number)
) STRICT;

CREATE TABLE dn_changes (
  -- What changed, in the order in which it was stored. Lines are added, never changed: follow it by `seq`.
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  instance TEXT NOT NULL,
  demarche INTEGER NOT NULL,
  number INTEGER NOT NULL,
  kind TEXT NOT NULL,           -- insert, update, delete, restore, rewrite, anonymise, purge
  seen_at TEXT NOT NULL,        -- when it was seen
  before TEXT,                  -- the fingerprint before; NULL for insert
  after TEXT,                   -- the fingerprint after; NULL for delete
  run TEXT NOT NULL             -- the run that saw it
) STRICT;

CREATE TABLE dn_checkpoints (
  -- Where the reading of each démarche stands. Written with the rows, in the same transaction.
  instance TEXT NOT NULL,
  demarche INTEGER NOT NULL,
  watermark TEXT,               -- every change up to this date of the platform is stored, or in quarantine
  checkpoint TEXT NOT NULL,     -- all of it, as JSON
  PRIMARY KEY (instance, demarche)
) STRICT, WITHOUT ROWID;

CREATE TABLE dn_quarantine (
  -- Dossiers that could not be read; later runs try again.
  instance TEXT NOT NULL,
  demarche INTEGER NOT NULL,
  number INTEGER NOT NULL,
  reason TEXT NOT NULL,         -- a stable word: invalid_null, timeout, undecodable...
  message TEXT NOT NULL,        -- what happened
  since TEXT NOT NULL,
  attempts INTEGER NOT NULL,    -- how many runs tried
  next_try TEXT NOT NULL,
  PRIMARY KEY (instance, demarche, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE dn_runs (
  -- The history of runs.
  seq INTEGER PRIMARY KEY,
  instance TEXT NOT NULL,
  demarche INTEGER NOT NULL,
  id TEXT NOT NULL,             -- the run
  started_at TEXT NOT NULL,
  ended_at TEXT NOT NULL,
  outcome TEXT NOT NULL,        -- done, quarantine, interrupted, failed
  report TEXT NOT NULL,         -- what `dn sync --json` printed
  UNIQUE (instance, demarche, id)
) STRICT;
