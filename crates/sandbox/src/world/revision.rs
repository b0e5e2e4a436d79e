//! New versions of the form, and the dossiers that move to them.

use std::sync::Arc;

use jiff::SignedDuration;

use super::form::{Form, Revision};
use super::state::World;

/// Time between a publication and the job that moves the open dossiers.
const REBASE_DELAY: SignedDuration = SignedDuration::from_secs(30);

impl World {
    /// Publishes a new revision: `change` edits the questions of the draft.
    ///
    /// Dossiers that wait for a decision move to it half a minute of virtual time later, without any date.
    pub fn publish_revision(&mut self, demarche: u32, change: impl FnOnce(&mut Form)) {
        let at = self.tick();
        let Some(record) = self.demarches.get_mut(&demarche) else { return };
        let Some(draft) = record.revisions.pop() else { return };
        let mut form = Form::clone(&draft.form);
        change(&mut form);
        let form = Arc::new(form);
        record.revisions.push(Revision { published_at: Some(at), form: Arc::clone(&form), ..draft.clone() });
        record.revisions.push(Revision { number: draft.number + 1, created_at: at, published_at: None, form });
        record.updated_at = at;
        record.rebase_due = Some(at + REBASE_DELAY);
        self.refresh_draft_dossiers(demarche);
    }

    /// The API goes on telling the form as it is now, whatever is published: dossiers answer questions that it does not
    /// tell of, as those that are read while a form is published.
    pub fn hold_form(&mut self, demarche: u32) {
        if let Some(record) = self.demarches.get_mut(&demarche) {
            record.held_form.get_or_insert_with(|| (record.revisions.clone(), record.updated_at));
        }
    }

    /// The API tells the form as it is.
    pub fn release_form(&mut self, demarche: u32) {
        if let Some(record) = self.demarches.get_mut(&demarche) {
            record.held_form = None;
        }
    }

    /// Changes every revision of the form as it is, without a new one: what the platform does when it gives up a kind.
    pub fn change_in_place(&mut self, demarche: u32, change: impl Fn(&mut Form)) {
        let at = self.tick();
        let Some(record) = self.demarches.get_mut(&demarche) else { return };
        for revision in &mut record.revisions {
            let mut form = Form::clone(&revision.form);
            change(&mut form);
            revision.form = Arc::new(form);
        }
        record.updated_at = at;
    }

    /// Dossiers on the draft used to share its rank, which the published revision now has: nothing to move, but the
    /// démarche is no longer a draft once something is published.
    fn refresh_draft_dossiers(&mut self, demarche: u32) {
        if let Some(record) = self.demarches.get_mut(&demarche) {
            record.brouillon = false;
        }
    }

    /// Moves a dossier to another revision, by rank among [`super::Demarche::revisions`]; no date changes.
    pub fn rebase(&mut self, number: u32, revision: usize) {
        self.alter(number, |dossier| dossier.revision = revision);
    }

    /// Runs the jobs that fell due.
    pub(super) fn rebase_due(&mut self) {
        let now = self.now;
        let due: Vec<u32> = self
            .demarches
            .values()
            .filter(|demarche| demarche.rebase_due.is_some_and(|at| at <= now))
            .map(|demarche| demarche.number)
            .collect();
        for demarche in due {
            self.rebase_all(demarche);
        }
    }

    /// Moves every dossier that waits for a decision to the published revision, now.
    pub fn rebase_all(&mut self, demarche: u32) {
        let Some(record) = self.demarches.get_mut(&demarche) else { return };
        record.rebase_due = None;
        let active = record.active_revision();
        for number in self.numbers(demarche) {
            self.alter(number, |dossier| {
                if !dossier.state.is_terminated() {
                    dossier.revision = active;
                }
            });
        }
    }
}
