CREATE TABLE dn_status_updates (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text NOT NULL DEFAULT gen_random_uuid()::text,
  instance text NOT NULL,
  demarche bigint NOT NULL,
  number bigint NOT NULL,
  action text NOT NULL,
  author text,
  motivation text,
  message text,
  correction text,
  file text,
  annotations jsonb,
  annotation text,
  groupe text,
  label text,
  message_id text,
  expected_state text,
  expected_fingerprint text,
  requires text,
  silent boolean NOT NULL DEFAULT false,
  overrule boolean NOT NULL DEFAULT false,
  asked_by text DEFAULT current_user,
  asked_at timestamptz NOT NULL DEFAULT now(),
  status text NOT NULL DEFAULT 'pending',
  reason text,
  words text,
  settled_at timestamptz,
  before_state text,
  before_fingerprint text,
  after_state text,
  after_fingerprint text,
  progress jsonb,
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
);
CREATE INDEX dn_status_updates_pending ON dn_status_updates (instance, demarche, seq) WHERE status = 'pending';
CREATE INDEX dn_status_updates_of_dossier ON dn_status_updates (instance, demarche, number);
COMMENT ON TABLE dn_status_updates IS
  'What the back office wants done on the platform. Any application adds lines; "dn push" does them.';
COMMENT ON COLUMN dn_status_updates.seq IS 'The order in which they are taken.';
COMMENT ON COLUMN dn_status_updates.id IS 'Its name: asking twice under one name is asking once.';
COMMENT ON COLUMN dn_status_updates.number IS 'The dossier.';
COMMENT ON COLUMN dn_status_updates.action IS 'What is wanted.';
COMMENT ON COLUMN dn_status_updates.author IS 'In whose name: the e-mail address or the id of an instructeur; NULL for the one of the settings.';
COMMENT ON COLUMN dn_status_updates.motivation IS 'Accepter, refuser, classer_sans_suite: why; the usager reads it.';
COMMENT ON COLUMN dn_status_updates.message IS 'Message: what it says.';
COMMENT ON COLUMN dn_status_updates.correction IS 'Message: the correction that it asks for (incorrect, incomplete, outdated).';
COMMENT ON COLUMN dn_status_updates.file IS 'A file to join, by its path on the machine that sends.';
COMMENT ON COLUMN dn_status_updates.annotations IS 'Annotations: the values by label or id, as a JSON object, or a list of {annotation, row, value}.';
COMMENT ON COLUMN dn_status_updates.annotation IS 'Ajouter_ligne: the repetition.';
COMMENT ON COLUMN dn_status_updates.groupe IS 'Changer_groupe: the number or the label of the groupe.';
COMMENT ON COLUMN dn_status_updates.label IS 'Ajouter_label, supprimer_label: which.';
COMMENT ON COLUMN dn_status_updates.message_id IS 'Supprimer_message: which.';
COMMENT ON COLUMN dn_status_updates.expected_state IS 'The state that the person saw; another one is a conflict.';
COMMENT ON COLUMN dn_status_updates.expected_fingerprint IS 'The fingerprint that the person saw (dn_dossiers.fingerprint).';
COMMENT ON COLUMN dn_status_updates.requires IS 'The id of an intent without which this one is not sent.';
COMMENT ON COLUMN dn_status_updates.silent IS 'Whether the platform is asked to send no e-mail.';
COMMENT ON COLUMN dn_status_updates.overrule IS 'An operator''s word that another decision may be overwritten.';
COMMENT ON COLUMN dn_status_updates.asked_by IS 'Who asked, for the trail.';
COMMENT ON COLUMN dn_status_updates.asked_at IS 'When.';
COMMENT ON COLUMN dn_status_updates.status IS 'Pending, done, already_done, refused, conflict, ambiguous, cancelled.';
COMMENT ON COLUMN dn_status_updates.reason IS 'A stable word for why.';
COMMENT ON COLUMN dn_status_updates.words IS 'Why, for people: the platform''s own words where it said something.';
COMMENT ON COLUMN dn_status_updates.settled_at IS 'When it ended.';
COMMENT ON COLUMN dn_status_updates.before_state IS 'The dossier before anything was sent.';
COMMENT ON COLUMN dn_status_updates.after_state IS 'The dossier as it was read last.';
COMMENT ON COLUMN dn_status_updates.progress IS 'How far it came; the sender''s own.';

CREATE TABLE dn_status_trail (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL,
  instance text NOT NULL,
  demarche bigint NOT NULL,
  id text NOT NULL,
  number bigint NOT NULL,
  happening text NOT NULL,
  action text NOT NULL,
  author text,
  mutation text,
  words text,
  state text,
  fingerprint text
);
CREATE INDEX dn_status_trail_of_demarche ON dn_status_trail (instance, demarche, seq);
COMMENT ON TABLE dn_status_trail IS
  'What happened to each line of dn_status_updates: what was sent when, and what came back. Lines are added, never changed.';
COMMENT ON COLUMN dn_status_trail.id IS 'The line of dn_status_updates.';
COMMENT ON COLUMN dn_status_trail.number IS 'The dossier.';
COMMENT ON COLUMN dn_status_trail.happening IS 'asked, sending, answered, put_off, settled, resolved.';
COMMENT ON COLUMN dn_status_trail.author IS 'In whose name.';
COMMENT ON COLUMN dn_status_trail.mutation IS 'What was sent.';
COMMENT ON COLUMN dn_status_trail.words IS 'What came back.';
COMMENT ON COLUMN dn_status_trail.state IS 'The state of the dossier then.';
COMMENT ON COLUMN dn_status_trail.fingerprint IS 'Its fingerprint then.';
