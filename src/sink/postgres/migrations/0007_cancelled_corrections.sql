-- An action more.
ALTER TABLE dn_status_updates DROP CONSTRAINT action_is_known;
ALTER TABLE dn_status_updates ADD CONSTRAINT action_is_known CHECK (action IN (
  'passer_en_instruction', 'repasser_en_construction', 'repasser_en_instruction', 'accepter',
  'refuser', 'classer_sans_suite', 'archiver', 'desarchiver', 'message', 'supprimer_message',
  'annotations', 'ajouter_ligne', 'changer_groupe', 'ajouter_label', 'supprimer_label', 'suivre',
  'ne_plus_suivre', 'annuler_demande_correction'));
