//! One form for what is the same.

use crate::champ::{Champ, ChampValue};
use crate::dossier::{Dossier, File};

impl Dossier {
    /// The text that targets keep of it: JSON, in the one form that all its readings have. Puts the dossier itself in
    /// that form.
    pub fn document(&mut self) -> String {
        self.canonical();
        serde_json::to_string(self).expect("a dossier is plain data with text keys")
    }

    /// Puts in order what the platform gives in none, and drops what only some readings show, so that two readings of
    /// an unchanged dossier are equal (traps 26 to 28).
    ///
    /// Dropped: dates of update and prefilling marks of champs, which are asked for single dossiers only, and the members
    /// of its groupe, who belong to the démarche. The mailbox, opinions, history and passages between groupes are put in
    /// order of date, then of id; followers, labels and the files of one owner in an order without meaning.
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
