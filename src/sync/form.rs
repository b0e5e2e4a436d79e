//! Reads the form of a démarche, and makes the tables of the target follow it.

use super::error::SyncError;
use super::event::Event;
use super::run::{Engine, Job, until_stopped};
use crate::api::ApiError;
use crate::demarche::Demarche;
use crate::plan::{Backfill, Remembered, SchemaPlan, reconcile};
use crate::privacy::{FormTypes, Policy};
use crate::sink::{Prepared, Sink, SinkError};
use crate::table::naming::NameLimits;
use crate::table::{ColumnKey, DOCUMENT_ONLY, Mapper, Spec, TableKey, infer};

/// The number of dossiers that a notice names.
const NAMED: usize = 10;

/// Form in force, with its tables and its mapper.
pub(super) struct MappedForm {
    pub(super) demarche: Demarche,
    pub(super) types: FormTypes,
    pub(super) prepared: Prepared,
    pub(super) mapper: Mapper,
}

/// Infers the tables of a form under a privacy policy.
pub(super) fn spec_of(policy: &Policy, demarche: &Demarche) -> Spec {
    let mut spec = infer(demarche);
    spec.withhold(policy, &FormTypes::of(demarche));
    spec
}

/// Returns true if some column is withheld more strictly than before: stored documents must be filtered again.
pub(super) fn is_stricter(now: &Spec, before: &Spec) -> bool {
    now.tables.iter().any(|table| {
        let Some(was) = before.tables.iter().find(|was| was.key == table.key) else { return false };
        table
            .columns
            .iter()
            .any(|column| was.columns.iter().any(|was| was.key == column.key && was.policy < column.policy))
    })
}

impl MappedForm {
    /// Makes the tables of the target follow the form. A column whose type the target cannot change (a view or an index
    /// of somebody else depends on it) keeps it, and a notice is returned: values that do not fit stay in the
    /// documents.
    pub(super) async fn prepare<S: Sink>(
        job: &Job<'_, S>,
        demarche: Demarche,
        spec: &Spec,
    ) -> Result<(Self, SchemaPlan, Vec<String>), SyncError> {
        let remembered = job.sink.schema(&job.scope).await?;
        let plan = reconcile(spec, &remembered, NameLimits::default());
        let (prepared, plan, kept) = match job.sink.prepare(&job.scope, &demarche, plan.clone()).await {
            Ok(prepared) => (prepared, plan, Vec::new()),
            Err(error @ (SinkError::Refused { .. } | SinkError::CannotHold { .. })) => {
                let widened = plan.widened();
                if widened.is_empty() {
                    return Err(error.into());
                }
                prepare_without(job, &demarche, spec, &remembered, &widened).await?
            }
            Err(error) => return Err(error.into()),
        };
        let mapper = Mapper::of(spec, prepared.layout());
        let types = FormTypes::of(&demarche);
        Ok((Self { demarche, types, prepared, mapper }, plan, kept))
    }
}

/// Prepares the tables with the changes of types that the target accepts, one by one.
async fn prepare_without<S: Sink>(
    job: &Job<'_, S>,
    demarche: &Demarche,
    spec: &Spec,
    remembered: &Remembered,
    widened: &[(TableKey, ColumnKey)],
) -> Result<(Prepared, SchemaPlan, Vec<String>), SyncError> {
    let keeping = |kept: &[(TableKey, ColumnKey)]| {
        let mut remaining = spec.clone();
        let columns = remaining.tables.iter_mut().flat_map(|table| {
            let key = table.key.clone();
            table.columns.iter_mut().map(move |column| (key.clone(), column))
        });
        for (table, column) in columns {
            let known = remembered.tables.iter().find(|known| known.key == table);
            let known = known.and_then(|known| known.columns.iter().find(|known| known.key == column.key));
            if let Some(known) = known
                && kept.iter().any(|(key, name)| *key == table && *name == column.key)
            {
                column.kind = known.kind;
            }
        }
        reconcile(&remaining, remembered, NameLimits::default())
    };
    let mut kept = widened.to_vec();
    let mut plan = keeping(&kept);
    let mut prepared = job.sink.prepare(&job.scope, demarche, plan.clone()).await?;
    let mut words = Vec::new();
    for column in widened {
        let others: Vec<_> = kept.iter().filter(|kept| *kept != column).cloned().collect();
        let wider = keeping(&others);
        match job.sink.prepare(&job.scope, demarche, wider.clone()).await {
            Ok(done) => (prepared, plan, kept) = (done, wider, others),
            Err(error @ (SinkError::Refused { .. } | SinkError::CannotHold { .. })) => {
                let name = remembered.tables.iter().find(|table| table.key == column.0).and_then(|table| {
                    let known = table.columns.iter().find(|known| known.key == column.1)?;
                    Some(format!("{}.{}", table.name, known.name))
                });
                words.push(format!(
                    "column {} keeps its type, as the target does not let it change ({error}): answers that do not fit are \
                     kept in the documents alone, and are named in `{DOCUMENT_ONLY}`",
                    name.unwrap_or_default()
                ));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok((prepared, plan, words))
}

impl<S: Sink> Engine<'_, S> {
    /// Reads the form again and makes the tables follow it.
    pub(super) async fn fetch_form(&mut self) -> Result<(), SyncError> {
        self.form_is_fresh = true;
        // A side request: dossiers do not wait for the form, as their answers are in the documents.
        let asked = self.job.client.aside();
        let mut demarche = match until_stopped(&self.job.stop, asked.demarche(self.job.scope.demarche)).await {
            Err(SyncError::Api(error)) if error.may_be_of_this_question() => {
                self.tell_late_form(&error);
                return Ok(());
            }
            demarche => demarche?,
        };
        // The platform changes kinds in place and serves sub-values in answers only: what was learned stays known.
        demarche.remember(&self.form.demarche);
        let spec = spec_of(self.job.filter.policy(), &demarche);
        self.adopt(demarche, spec).await?;
        self.adopt_head((self.job.clock)());
        Ok(())
    }

    /// Creates columns for sub-values that have none.
    pub(super) async fn place_columns(&mut self) -> Result<(), SyncError> {
        let mut demarche = self.form.demarche.clone();
        for (question, columns) in std::mem::take(&mut self.unplaced) {
            demarche.learned.add_columns(&question, columns);
        }
        let spec = spec_of(self.job.filter.policy(), &demarche);
        self.adopt(demarche, spec).await
    }

    async fn adopt(&mut self, demarche: Demarche, spec: Spec) -> Result<(), SyncError> {
        let stricter = is_stricter(&spec, &spec_of(self.job.filter.policy(), &self.form.demarche));
        let (form, plan, kept) = MappedForm::prepare(self.job, demarche, &spec).await?;
        self.form = form;
        kept.into_iter().for_each(|words| self.notice(words));
        self.tell_schema(&plan);
        let everything = self.form.prepared.owes_remap() || stricter;
        let owes = if everything { Backfill::Everything } else { plan.backfill() };
        self.owed = std::mem::take(&mut self.owed).and(owes);
        // The sink stored this checkpoint in the same transaction.
        if let Some(stored) = &mut self.stored {
            stored.remap |= plan.needs_backfill() || self.form.prepared.owes_remap() || stricter;
            self.checkpoint.remap |= stored.remap;
        }
        Ok(())
    }

    /// Reports the notices of the target.
    pub(super) fn tell_notices(&mut self) {
        for notice in self.job.sink.notices() {
            self.notice(notice);
        }
    }

    /// Reports the columns that could not hold values, with the dossiers.
    pub(super) fn tell_misfits(&mut self) {
        for (column, numbers) in std::mem::take(&mut self.misfits) {
            let named: Vec<String> = numbers.iter().take(NAMED).map(ToString::to_string).collect();
            let more = if numbers.len() > NAMED { "…" } else { "" };
            self.notice(format!(
                "{} dossiers hold a value that does not fit column {column}: it is kept in their documents alone, and \
                 `{DOCUMENT_ONLY}` says so ({}{more})",
                numbers.len(),
                named.join(", ")
            ));
        }
    }

    /// Reports a notice, once a run.
    pub(super) fn notice(&mut self, notice: String) {
        if !self.report.notices.contains(&notice) {
            (self.job.events)(&Event::Notice(notice.clone()));
            self.report.notices.push(notice);
        }
    }

    pub(super) fn tell_late_form(&mut self, error: &ApiError) {
        self.notice(format!(
            "the form could not be read ({error}): answers to its new questions are kept in the documents, and reach their \
             columns once it can be"
        ));
    }

    pub(super) fn tell_schema(&mut self, plan: &SchemaPlan) {
        for change in &plan.changes {
            let words = change.to_string();
            (self.job.events)(&Event::Schema(words.clone()));
            self.report.schema.push(words);
        }
    }
}
