//! Decides about annotations: which values and rows a dossier lacks, and who wrote what is there. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::files::{absent, paths};
use super::lacking::Lacking;
use super::values::{read, shows};
use super::verdict::{Conflict, Doubt, FileSlot, Refusal, Verdict};
use super::{Case, LocalFiles};
use crate::api::{AnnotationEdit, AnnotationValue, Mutation};
use crate::champ::{Champ, ChampValue, RepetitionRow, find};
use crate::demarche::{Demarche, Descriptor, TypeDeChamp};
use crate::dossier::Dossier;
use crate::fingerprint::{Digest, Fingerprint};
use crate::ids::{ChampId, DescriptorId};
use crate::intent::{Action, Answer, Edit, Intent, There, Witness};

impl Case<'_> {
    /// Finds annotations that do not have their values yet.
    ///
    /// # Errors
    /// An annotation that has another value than when it was sent, or that had its value then, was written by somebody
    /// else since.
    pub(super) fn annotate(&self, edits: &[Edit]) -> Result<Lacking, Verdict> {
        let missing = missing(self.demarche, self.dossier, edits, self.files)?;
        let slots = missing.iter().enumerate();
        let slots =
            slots.flat_map(|(at, one)| one.files.iter().map(move |path| (FileSlot::Annotation(at), path.clone())));
        let files: Vec<(FileSlot, PathBuf)> = slots.collect();
        let missing: Vec<AnnotationEdit> = missing.into_iter().map(|one| one.edit).collect();
        let Some(first) = missing.first().cloned() else { return Ok(Lacking::nothing()) };
        let marks: BTreeMap<String, Fingerprint> =
            missing.iter().map(|edit| (edit.annotation.as_str().to_owned(), self.mark(edit))).collect();
        if let Some(last) = &self.progress.last
            && let Some(there) = last.witness.there()
            && !matches!(last.answer, Answer::Refused(_))
        {
            // Somebody wrote since the lost answer: what was wanted then is not sent over it (trap 70).
            if marks.iter().any(|(id, mark)| there.annotations.get(id) != Some(mark)) {
                return Err(Conflict::Rewritten.into());
            }
            // Where the platform has no batch, annotations are sent one by one: the one that is missing now may be the
            // next one, which was never sent.
            let sent_last = |edit: &AnnotationEdit| {
                last.key == "dossierModifierAnnotations" || last.key.ends_with(edit.annotation.as_str())
            };
            if last.answer == Answer::Taken && missing.iter().any(sent_last) {
                return Err(self.no_effect(last).into());
            }
        }
        let batch = Mutation::ModifierAnnotations { edits: missing };
        // Démat Social has no batch: one annotation is sent at a time, and the dossier read again in between.
        let mutation = if batch.is_available_on(self.platform) {
            batch
        } else {
            Mutation::ModifierAnnotation { annotation: first.annotation, value: first.value }
        };
        let witness = There { annotations: marks, ..There::default() };
        Ok(self.candidate(mutation).witnessed_by(witness).with_files(files).into())
    }

    /// Digests an annotation as it is now, with the date of its last change.
    fn mark(&self, edit: &AnnotationEdit) -> Fingerprint {
        let champ = by_id(self.dossier, &edit.annotation);
        let now = champ.map(|champ| (&champ.value, champ.updated_at));
        Digest::of(serde_json::to_string(&now).expect("champs are plain data with text keys").as_bytes())
    }

    /// Finds the row that this intent added, or adds one.
    pub(super) fn add_row(&self, name: &str) -> Result<Lacking, Verdict> {
        let (champ, rows) = repetition(self.dossier, name)?;
        let free = |row: &&RepetitionRow| !self.is_claimed(row.id.as_str());
        let ids = rows.iter().map(|row| row.id.as_str().to_owned()).collect();
        if let Some(last) = self.sent("dossierModifierAnnotationAjouterLigne") {
            let ours = rows.iter().find(|row| self.progress.made.iter().any(|made| made == row.id.as_str()));
            let new = match &last.witness {
                Witness::There(there) => rows.iter().filter(free).find(|row| !there.rows.contains(row.id.as_str())),
                Witness::Rows(before) if rows.len() > *before => rows.last(),
                Witness::Rows(_) | Witness::Messages(_) | Witness::State => None,
            };
            if let Some(row) = ours.or(new) {
                return Ok(Lacking::Nothing(vec![row.id.as_str().to_owned()]));
            }
            if last.answer == Answer::Taken {
                return Err(Doubt::NotSeen.into());
            }
        } else if self.progress.sends == 0 && !self.once {
            // A row has no author and no text: one that came since may be due to this intent or to anybody.
            let since = self.closely_since();
            let came = |row: &&RepetitionRow| row.id.created_at().is_some_and(|at| at >= since);
            let came = rows.iter().filter(free).filter(came).count();
            let same =
                |other: &Intent| matches!(&other.action, Action::AjouterLigne { annotation } if annotation == name);
            if came > self.untraced(same).done {
                return Err(Doubt::SomebodysRow.into());
            }
        }
        let mutation = Mutation::AjouterLigne { annotation: champ.id.clone() };
        Ok(self.candidate(mutation).witnessed_by(There { rows: ids, ..There::default() }).into())
    }
}

/// Holds an edit that the dossier does not show yet.
#[derive(Clone, Debug, PartialEq)]
struct Missing {
    /// The edit. Files go into it once they are uploaded.
    pub edit: AnnotationEdit,
    /// The files to upload.
    pub files: Vec<PathBuf>,
}

/// Lists the files of this machine that edits name.
pub(in crate::writeback) fn files_of(demarche: &Demarche, dossier: &Dossier, edits: &[Edit]) -> Vec<PathBuf> {
    let named = edits.iter().filter_map(|edit| {
        let champ = champ_of(dossier, edit).ok()?;
        let descriptor = descriptor(demarche, dossier, &champ.descriptor)?;
        let is_file = descriptor.type_de_champ == TypeDeChamp::PieceJustificative;
        is_file.then(|| paths(&edit.value).unwrap_or_default())
    });
    named.flatten().collect()
}

/// Finds the edits that the dossier does not show yet.
fn missing(
    demarche: &Demarche,
    dossier: &Dossier,
    edits: &[Edit],
    files: &LocalFiles,
) -> Result<Vec<Missing>, Refusal> {
    let mut missing = Vec::new();
    let mut named = BTreeSet::new();
    for edit in edits {
        let refuse = |reason: String| Refusal::Value { annotation: edit.annotation.clone(), reason };
        let champ = champ_of(dossier, edit)?;
        if !named.insert(champ.id.as_str()) {
            return Err(refuse("it is named twice, once by its label and once by its id".to_owned()));
        }
        let descriptor = descriptor(demarche, dossier, &champ.descriptor);
        let descriptor = descriptor.ok_or_else(|| refuse("the form does not tell its type".to_owned()))?;
        let (value, files) = if descriptor.type_de_champ == TypeDeChamp::PieceJustificative {
            let paths = paths(&edit.value).map_err(refuse)?;
            let absent = absent(&champ.value, paths, files)?;
            if absent.is_empty() {
                continue;
            }
            // Filled when they are sent: a signed id is valid for an hour (trap 67).
            (AnnotationValue::PieceJustificative(Vec::new()), absent)
        } else {
            (read(descriptor, &edit.value).map_err(refuse)?, Vec::new())
        };
        if !shows(&champ.value, &value) {
            missing.push(Missing { edit: AnnotationEdit { annotation: champ.id.clone(), value }, files });
        }
    }
    Ok(missing)
}

fn champ_of<'d>(dossier: &'d Dossier, edit: &Edit) -> Result<&'d Champ, Refusal> {
    match edit.row {
        None => dossier.annotation(&edit.annotation).map_err(|error| Refusal::Unknown(error.to_string())),
        Some(row) => in_row(dossier, &edit.annotation, row),
    }
}

/// Finds an annotation by the platform's id, inside a repetition or not.
fn by_id<'d>(dossier: &'d Dossier, id: &ChampId) -> Option<&'d Champ> {
    let nested = dossier.annotations.iter().flat_map(|champ| match &champ.value {
        ChampValue::Repetition(rows) => rows.as_slice(),
        _ => &[],
    });
    dossier.annotations.iter().chain(nested.flat_map(|row| &row.champs)).find(|champ| champ.id == *id)
}

/// Finds a repetition of annotations, with its rows.
fn repetition<'d>(dossier: &'d Dossier, name: &str) -> Result<(&'d Champ, &'d [RepetitionRow]), Refusal> {
    let champ = dossier.annotation(name).map_err(|error| Refusal::Unknown(error.to_string()))?;
    match &champ.value {
        ChampValue::Repetition(rows) => Ok((champ, rows)),
        ChampValue::Empty => Ok((champ, &[])),
        _ => Err(Refusal::Unknown(format!("`{name}` is not a repetition"))),
    }
}

fn in_row<'d>(dossier: &'d Dossier, name: &str, row: usize) -> Result<&'d Champ, Refusal> {
    let rows = dossier.annotations.iter().filter_map(|champ| match &champ.value {
        ChampValue::Repetition(rows) => rows.get(row.checked_sub(1)?),
        _ => None,
    });
    let mut found: Vec<&Champ> = rows.filter_map(|row| find(&row.champs, name).ok()).collect();
    match (found.pop(), found.is_empty()) {
        (Some(champ), true) => Ok(champ),
        (Some(_), false) => Err(Refusal::Unknown(format!("several repetitions have `{name}`: name it by its id"))),
        (None, _) => Err(Refusal::Unknown(format!("no repetition has `{name}` in row {row}"))),
    }
}

fn descriptor<'d>(demarche: &'d Demarche, dossier: &Dossier, id: &DescriptorId) -> Option<&'d Descriptor> {
    let revision = demarche.revisions.iter().find(|revision| revision.id == dossier.revision)?;
    let roots = revision.annotations.iter();
    roots.flat_map(|root| std::iter::once(root).chain(&root.children)).find(|descriptor| descriptor.id == *id)
}
