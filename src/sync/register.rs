//! Builds the record of processing from the stored form and the tables of the target. No dossier is read.

use std::collections::BTreeSet;

use serde::Serialize;

use super::error::SyncError;
use super::form::spec_of;
use crate::demarche::Demarche;
use crate::ids::Scope;
use crate::plan::{Retention, reconcile};
use crate::privacy::{FormTypes, Policy, Preset, Selection, Treatment};
use crate::report::REPORT_VERSION;
use crate::sink::Sink;
use crate::table::naming::NameLimits;
use crate::table::{CellKind, ColumnKey, Origin, TableKey};

/// Record of processing of one démarche in one target: the versioned object that `dn register --json` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Register {
    /// The version of this object.
    pub version: u32,
    /// The instance.
    pub instance: String,
    /// The démarche.
    pub demarche: u32,
    /// Its title.
    pub title: String,
    /// The target, without credentials.
    pub target: String,
    /// The preset of the privacy policy.
    pub preset: Preset,
    /// The selection of dossiers; empty if all are kept.
    #[serde(skip_serializing_if = "Selection::is_everything")]
    pub selection: Selection,
    /// The retention periods; empty if everything is kept for ever.
    pub retention: Retention,
    /// The tables, the dossiers first.
    pub tables: Vec<RegisterTable>,
}

/// A table of a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RegisterTable {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its columns, without keys and dates of the synchronisation.
    pub columns: Vec<RegisterColumn>,
}

/// A column of a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RegisterColumn {
    /// Its name.
    pub name: String,
    /// The label of the question, or the title of the fixed column.
    pub title: String,
    /// Its source.
    pub source: ColumnSource,
    /// The kind of the question, in the platform's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_de_champ: Option<String>,
    /// The kind of its cells.
    pub holds: CellKind,
    /// The treatment of its values under the privacy policy.
    pub policy: Treatment,
    /// True if its values stay in an anonymised dossier.
    pub counted: bool,
}

/// Source of the data of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnSource {
    /// The platform has it for every dossier.
    Platform,
    /// An answer of the usager.
    Champ,
    /// A private annotation of the instructeurs.
    Annotation,
    /// A question that the form no longer asks.
    Former,
}

/// Builds the record of a démarche in a target, under a policy and retention periods. Reads only the stored form.
///
/// # Errors
/// If the target never saw the démarche, or cannot be read.
pub async fn register<S: Sink>(
    sink: &S,
    scope: &Scope,
    policy: &Policy,
    retention: &Retention,
) -> Result<Register, SyncError> {
    let Some(form) = sink.form(scope).await? else {
        return Err(SyncError::never_synced(scope, sink.name()));
    };
    let counted = counted(&form);
    let layout = reconcile(&spec_of(policy, &form), &sink.schema(scope).await?, NameLimits::default()).layout;
    let forms = FormTypes::of(&form);
    let tables = layout.tables.into_iter().map(|table| {
        let block = match &table.key {
            TableKey::Block(id) => Some(id.clone()),
            _ => None,
        };
        // Answers to a question that the form no longer asks are filtered all the same.
        let policy_of = |key: &ColumnKey, origin: &Origin, policy_of_column: Treatment| match (origin, key.question()) {
            (Origin::Former, Some(id)) => policy.of_champ(id, block.as_ref(), forms.kinds(id)),
            _ => policy_of_column,
        };
        let columns = table.columns.into_iter().map(|column| {
            let (source, type_de_champ) = match &column.spec.origin {
                Origin::Fixed => (ColumnSource::Platform, None),
                Origin::Champ(kind, _) => (ColumnSource::Champ, Some(kind.as_str().to_owned())),
                Origin::Annotation(kind, _) => (ColumnSource::Annotation, Some(kind.as_str().to_owned())),
                Origin::Former => (ColumnSource::Former, None),
            };
            let policy = policy_of(&column.spec.key, &column.spec.origin, column.spec.policy);
            RegisterColumn {
                policy,
                counted: counted.contains(&(table.key.clone(), column.spec.key)),
                name: column.name,
                title: column.spec.title,
                source,
                type_de_champ,
                holds: column.spec.kind,
            }
        });
        RegisterTable { columns: columns.collect(), name: table.name, title: table.title }
    });
    Ok(Register {
        version: REPORT_VERSION,
        instance: scope.instance.clone(),
        demarche: scope.demarche.get(),
        title: form.title,
        target: sink.name().to_owned(),
        preset: policy.preset,
        selection: sink.checkpoint(scope).await?.map(|checkpoint| checkpoint.selection).unwrap_or_default(),
        retention: *retention,
        tables: tables.collect(),
    })
}

/// Lists the columns that an anonymised dossier keeps. Its followers and its maps go altogether.
fn counted(form: &Demarche) -> BTreeSet<(TableKey, ColumnKey)> {
    let tables = spec_of(&Policy::anonymous(), form).tables.into_iter();
    let tables = tables.filter(|table| !matches!(table.key, TableKey::Instructeurs | TableKey::GeoZones));
    let columns = tables.flat_map(|table| {
        let kept = table.columns.into_iter().filter(|column| column.policy.keeps());
        kept.map(move |column| (table.key.clone(), column.key)).collect::<Vec<_>>()
    });
    columns.collect()
}
