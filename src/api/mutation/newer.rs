//! What a mutation needs of a platform that is newer than the pinned schema.

/// Something of the platform's schema that the pinned one lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) struct Newer {
    /// As an introspection names it: `AnnotationValueInput.iban`.
    pub fact: &'static str,
    /// What it is for, as an error names it.
    pub what: &'static str,
}
