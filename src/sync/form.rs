//! The form of a démarche, and the tables that follow it.

use super::commit::Misfits;
use super::error::SyncError;
use super::event::Event;
use super::run::{Engine, Job, until_stopped};
use crate::demarche::Demarche;
use crate::plan::{Backfill, SchemaPlan, reconcile};
use crate::privacy::{FormTypes, Policy};
use crate::sink::{Prepared, Sink};
use crate::table::naming::NameLimits;
use crate::table::{ColumnKey, Mapper, Spec, infer};

/// The form in force, and what was made of it.
pub(super) struct Form {
    pub(super) demarche: Demarche,
    pub(super) types: FormTypes,
    pub(super) spec: Spec,
    pub(super) prepared: Prepared,
    pub(super) mapper: Mapper,
}

/// The tables that a form asks for under a privacy policy.
pub(super) fn spec_of(policy: &Policy, demarche: &Demarche) -> Spec {
    let mut spec = infer(demarche);
    policy.adjust(&mut spec, &FormTypes::of(demarche));
    spec
}

impl Form {
    /// Makes the tables of the target follow the form.
    pub(super) async fn prepare<S: Sink>(
        job: &Job<'_, S>,
        demarche: Demarche,
        spec: Spec,
    ) -> Result<(Self, SchemaPlan), SyncError> {
        let remembered = job.sink.schema(&job.scope).await?;
        let plan = reconcile(&spec, &remembered, NameLimits::default());
        let prepared = job.sink.prepare(&job.scope, &demarche, plan.clone()).await?;
        let mapper = Mapper::new(prepared.layout());
        let types = FormTypes::of(&demarche);
        Ok((Self { demarche, types, spec, prepared, mapper }, plan))
    }
}

impl<S: Sink> Engine<'_, S> {
    /// Asks for the form again and makes the tables follow it.
    pub(super) async fn fetch_form(&mut self) -> Result<(), SyncError> {
        let demarche = until_stopped(&self.job.stop, self.job.client.demarche(self.job.scope.demarche)).await?;
        self.form_is_fresh = true;
        let spec = spec_of(self.job.filter.policy(), &demarche);
        self.adopt(demarche, spec).await?;
        self.adopt_head((self.job.clock)());
        Ok(())
    }

    /// Makes columns wide enough for values that do not fit.
    pub(super) async fn widen(&mut self, misfits: &Misfits) -> Result<(), SyncError> {
        let mut spec = self.form.spec.clone();
        for ((table, column), kind) in misfits {
            let table = &self.form.prepared.layout().tables[*table];
            let key: &ColumnKey = &table.columns[*column].spec.key;
            let wanted = spec.tables.iter_mut().find(|wanted| wanted.key == table.key);
            let columns = wanted.into_iter().flat_map(|wanted| wanted.columns.iter_mut());
            for column in columns.filter(|column| column.key == *key) {
                column.kind = column.kind.widen(*kind);
            }
        }
        self.adopt(self.form.demarche.clone(), spec).await
    }

    async fn adopt(&mut self, demarche: Demarche, spec: Spec) -> Result<(), SyncError> {
        let (form, plan) = Form::prepare(self.job, demarche, spec).await?;
        self.form = form;
        self.tell_schema(&plan);
        let owes = if self.form.prepared.owes_remap() { Backfill::Everything } else { plan.backfill() };
        self.owed = std::mem::take(&mut self.owed).and(owes);
        // The sink's checkpoint says so since the same transaction.
        if let Some(stored) = &mut self.stored {
            stored.remap |= plan.needs_backfill() || self.form.prepared.owes_remap();
            self.checkpoint.remap |= stored.remap;
        }
        Ok(())
    }

    /// What the target has to tell of itself.
    pub(super) fn tell_notices(&mut self) {
        for notice in self.job.sink.notices() {
            if !self.report.notices.contains(&notice) {
                (self.job.events)(&Event::Notice(notice.clone()));
                self.report.notices.push(notice);
            }
        }
    }

    pub(super) fn tell_schema(&mut self, plan: &SchemaPlan) {
        for change in &plan.changes {
            let words = change.to_string();
            (self.job.events)(&Event::Schema(words.clone()));
            self.report.schema.push(words);
        }
    }
}
