CREATE TABLE dn_status_updates (
  -- What the back office wants done on the platform. Any application adds lines; `dn push` does them.
  seq INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order in which they are taken
  id TEXT NOT NULL DEFAULT (lower(hex(randomblob(8)))),  -- its name: asking twice under one name is asking once
  instance TEXT NOT NULL,
  demarche INTEGER NOT NULL,
  number INTEGER NOT NULL,  -- the dossier
  action TEXT NOT NULL,  -- what is wanted
  author TEXT,  -- in whose name: the e-mail address or the id of an instructeur; NULL for the one of the settings
  motivation TEXT,  -- accepter, refuser, classer_sans_suite: why; the usager reads it
  message TEXT,  -- message: what it says
  correction TEXT,  -- message: the correction that it asks for (incorrect, incomplete, outdated)
  file TEXT,  -- a file to join, by its path on the machine that sends
  annotations TEXT CHECK (annotations IS NULL OR json_valid(annotations)),  -- annotations: the values by label or id, as a JSON object, or a list of {annotation, row, value}
  annotation TEXT,  -- ajouter_ligne: the repetition
  groupe TEXT,  -- changer_groupe: the number or the label of the groupe
  label TEXT,  -- ajouter_label, supprimer_label: which
  message_id TEXT,  -- supprimer_message: which
  expected_state TEXT,  -- the state that the person saw; another one is a conflict
  expected_fingerprint TEXT,  -- the fingerprint that the person saw (dn_dossiers.fingerprint)
  requires TEXT,  -- the id of an intent without which this one is not sent
  silent INTEGER NOT NULL DEFAULT 0 CHECK (silent IN (0, 1)),  -- whether the platform is asked to send no e-mail
  overrule INTEGER NOT NULL DEFAULT 0 CHECK (overrule IN (0, 1)),  -- an operator's word that another decision may be overwritten
  asked_by TEXT,  -- who asked, for the trail
  asked_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),  -- when
  status TEXT NOT NULL DEFAULT 'pending',  -- pending, done, already_done, refused, conflict, ambiguous, cancelled
  reason TEXT,  -- a stable word for why
  words TEXT,  -- why, for people: the platform's own words where it said something
  settled_at TEXT,  -- when it ended
  before_state TEXT,  -- the dossier before anything was sent
  before_fingerprint TEXT,
  after_state TEXT,  -- the dossier as it was read last
  after_fingerprint TEXT,
  progress TEXT,  -- how far it came; the sender's own
  UNIQUE (instance, demarche, id),
  CONSTRAINT id_is_short CHECK (length(id) BETWEEN 1 AND 200),
  CONSTRAINT number_is_positive CHECK (number > 0),
  CONSTRAINT action_is_known CHECK (action IN (
    'passer_en_instruction', 'repasser_en_construction', 'repasser_en_instruction', 'accepter',
    'refuser', 'classer_sans_suite', 'archiver', 'desarchiver', 'message', 'supprimer_message',
    'annotations', 'ajouter_ligne', 'changer_groupe', 'ajouter_label', 'supprimer_label', 'suivre',
    'ne_plus_suivre')),
  CONSTRAINT a_refusal_has_a_motivation CHECK (action NOT IN ('refuser', 'classer_sans_suite') OR trim(coalesce(motivation, '')) <> ''),
  CONSTRAINT motivation_is_of_a_decision CHECK (motivation IS NULL OR action IN ('accepter', 'refuser', 'classer_sans_suite')),
  CONSTRAINT message_is_of_a_message CHECK ((action = 'message') = (message IS NOT NULL)),
  CONSTRAINT message_is_not_empty CHECK (message IS NULL OR trim(message) <> ''),
  CONSTRAINT correction_is_of_a_message CHECK (correction IS NULL OR (action = 'message' AND correction IN ('incorrect', 'incomplete', 'outdated'))),
  CONSTRAINT file_is_of_a_decision_or_message CHECK (file IS NULL OR action IN ('accepter', 'refuser', 'classer_sans_suite', 'message')),
  CONSTRAINT annotations_are_of_annotations CHECK ((action = 'annotations') = (annotations IS NOT NULL)),
  CONSTRAINT annotation_is_of_ajouter_ligne CHECK ((action = 'ajouter_ligne') = (annotation IS NOT NULL)),
  CONSTRAINT groupe_is_of_changer_groupe CHECK ((action = 'changer_groupe') = (groupe IS NOT NULL)),
  CONSTRAINT label_is_of_labels CHECK ((action IN ('ajouter_label', 'supprimer_label')) = (label IS NOT NULL)),
  CONSTRAINT message_id_is_of_supprimer_message CHECK ((action = 'supprimer_message') = (message_id IS NOT NULL)),
  CONSTRAINT expected_state_is_known CHECK (expected_state IS NULL OR expected_state IN (
    'en_construction', 'en_instruction', 'accepte', 'refuse', 'sans_suite')),
  CONSTRAINT expected_fingerprint_is_one CHECK (expected_fingerprint IS NULL OR length(expected_fingerprint) = 32),
  CONSTRAINT requires_another CHECK (requires IS NULL OR requires <> id),
  CONSTRAINT status_is_known CHECK (status IN ('pending', 'done', 'already_done', 'refused', 'conflict', 'ambiguous', 'cancelled'))
) STRICT;
CREATE INDEX dn_status_updates_pending ON dn_status_updates (instance, demarche, seq) WHERE status = 'pending';
CREATE INDEX dn_status_updates_of_dossier ON dn_status_updates (instance, demarche, number);

CREATE TABLE dn_status_trail (
  -- What happened to each of them: who asked, what was sent when, what the platform answered. Lines are added, never changed.
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  instance TEXT NOT NULL,
  demarche INTEGER NOT NULL,
  id TEXT NOT NULL,             -- the line of dn_status_updates
  number INTEGER NOT NULL,      -- the dossier
  happening TEXT NOT NULL,      -- asked, sending, answered, put_off, settled, resolved
  action TEXT NOT NULL,
  author TEXT,                  -- in whose name
  mutation TEXT,                -- what was sent
  words TEXT,                   -- what came back
  state TEXT,                   -- the dossier then
  fingerprint TEXT
) STRICT;
CREATE INDEX dn_status_trail_of_demarche ON dn_status_trail (instance, demarche, seq);
