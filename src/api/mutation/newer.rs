//! Requirements of a mutation that is newer than the pinned schema.

/// Name in the platform's schema that the pinned one lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) struct Newer {
    /// The name in the schema: `AnnotationValueInput.iban`.
    pub fact: &'static str,
    /// The purpose, as an error names it.
    pub what: &'static str,
}
