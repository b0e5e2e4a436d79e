//! Composes mutations that a platform lacks from those that it has.

use super::annotation::{AnnotationEdit, AnnotationValue};
use super::error::MutationError;
use super::kind::Mutation;
use crate::platform::Platform;

impl Mutation {
    /// Composes a sequence of mutations with the same effect on this platform; itself alone if the platform has it.
    /// Annotations of a batch become one mutation each, and rows one mutation a row.
    ///
    /// # Errors
    /// [`MutationError::NotAvailable`] if a part of it has no equivalent: then nothing may be sent.
    #[doc(hidden)]
    pub fn compose(self, platform: Platform) -> Result<Vec<Self>, MutationError> {
        if self.is_available_on(platform) {
            return Ok(vec![self]);
        }
        match self {
            Self::ModifierAnnotations { edits } => {
                let singles = edits.into_iter().map(|AnnotationEdit { annotation, value }| {
                    Self::ModifierAnnotation { annotation, value }.compose(platform)
                });
                Ok(singles.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
            }
            Self::ModifierAnnotation { annotation, value: AnnotationValue::Repetition(rows) } => {
                Ok((0..rows).map(|_| Self::AjouterLigne { annotation: annotation.clone() }).collect())
            }
            other => Err(other.not_available(platform)),
        }
    }

    /// Returns the error of a mutation that a platform lacks.
    pub(super) fn not_available(&self, platform: Platform) -> MutationError {
        MutationError::NotAvailable { mutation: self.name(), platform }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ChampId;

    fn edit(id: &str, value: AnnotationValue) -> AnnotationEdit {
        AnnotationEdit { annotation: ChampId::new(id), value }
    }

    #[test]
    fn a_batch_becomes_single_annotations_and_rows_in_its_order() {
        let edits = vec![
            edit("a", AnnotationValue::Text("vu".to_owned())),
            edit("b", AnnotationValue::Repetition(2)),
            edit("c", AnnotationValue::YesNo(true)),
        ];
        let batch = Mutation::ModifierAnnotations { edits };
        let composed = batch.clone().compose(Platform::DematSocial).expect("all of it can be made");
        assert!(composed.iter().all(|one| one.is_available_on(Platform::DematSocial)));
        let names: Vec<_> = composed.iter().map(Mutation::name).collect();
        assert_eq!(
            names,
            [
                "dossierModifierAnnotationText",
                "dossierModifierAnnotationAjouterLigne",
                "dossierModifierAnnotationAjouterLigne",
                "dossierModifierAnnotationCheckbox",
            ]
        );
        assert_eq!(batch.clone().compose(Platform::DemarcheNumerique).expect("it is there"), [batch]);
    }

    #[test]
    fn a_batch_with_one_part_that_cannot_be_made_is_not_made_at_all() {
        let lists = AnnotationValue::MultipleDropDownList(vec!["a".to_owned()]);
        for value in
            [AnnotationValue::Email("a@example.org".to_owned()), AnnotationValue::DecimalNumber(1.into()), lists]
        {
            let edits = vec![edit("a", AnnotationValue::Text("vu".to_owned())), edit("b", value)];
            let error = Mutation::ModifierAnnotations { edits }.compose(Platform::DematSocial);
            let error = error.expect_err("Démat Social has no such annotation");
            assert!(matches!(error, MutationError::NotAvailable { platform: Platform::DematSocial, .. }), "{error}");
        }
    }
}
