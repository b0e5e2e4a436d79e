//! Canonical form of a dossier: equal for two readings of an unchanged dossier.

use super::Dossier;
use crate::champ::{Champ, ChampValue, File};

impl Dossier {
    /// Writes the document that targets keep: JSON in canonical form. The dossier itself is brought into that form.
    pub fn document(&mut self) -> String {
        self.canonical();
        serde_json::to_string(self).expect("a dossier is plain data with text keys")
    }

    /// Sorts lists that the platform sends in no order, and drops fields that only some readings have, so that two
    /// readings of an unchanged dossier are equal (traps 26 to 28).
    ///
    /// Dropped: dates of update and prefilling marks of champs, which are asked for single dossiers only, and the
    /// members of its groupe, who belong to the démarche. Messages, opinions, history and assignments are sorted by
    /// date, then by id; followers, labels and the files of one owner in an order without meaning.
    pub fn canonical(&mut self) {
        self.instructeurs.sort_unstable_by(|a, b| (&a.id, &a.email).cmp(&(&b.id, &b.email)));
        self.labels.sort_unstable();
        self.groupe_instructeur.instructeurs.clear();
        self.traitements.sort_by(|a, b| (a.date_traitement, &a.id).cmp(&(b.date_traitement, &b.id)));
        self.assignments.sort_unstable();
        self.avis.sort_by(|a, b| (a.date_question, &a.id).cmp(&(b.date_question, &b.id)));
        self.messages.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        self.avis.iter_mut().for_each(|avis| in_order(&mut avis.attachments));
        self.messages.iter_mut().for_each(|message| in_order(&mut message.attachments));
        self.champs.iter_mut().chain(&mut self.annotations).for_each(champ);
    }
}

fn champ(champ: &mut Champ) {
    champ.updated_at = None;
    champ.prefilled = None;
    match &mut champ.value {
        ChampValue::Files(files) => in_order(files),
        ChampValue::Repetition(rows) => rows.iter_mut().flat_map(|row| &mut row.champs).for_each(self::champ),
        _ => {}
    }
}

fn in_order(files: &mut [File]) {
    if files.len() > 1 {
        files.sort_by(|a, b| {
            (a.created_at, &a.filename, &a.checksum, a.byte_size).cmp(&(
                b.created_at,
                &b.filename,
                &b.checksum,
                b.byte_size,
            ))
        });
    }
}
