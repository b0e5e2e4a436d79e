//! The operations as `graphql_client` derives them: query texts and variables. Answers are decoded by `wire`.
//!
//! One type of answer serves both platforms and every operation, so that a page decodes in one pass and a node that does
//! not decode costs one node; the derive's own answer types are replaced by [`Answered`].
//!
//! The derive still writes a type for every fragment that an operation reaches, and for the operations that select
//! champs these types, which nothing would use, are most of the time that the crate takes to compile. Those operations
//! (`ListDossiers`, `ListPositions`, both also of a groupe, and `ReadDossier`) are therefore sent as what they are: other
//! operations of the document of `ListLight`, with the same variables. A test holds the variables that are sent against
//! those that each operation declares; another validates every document.

pub(super) mod demarche_numerique;
pub(super) mod demat_social;

/// Declares operations of one platform, one file at a time.
macro_rules! operations {
    ($schema:tt; $($file:tt: $($name:ident),+;)+) => {
        $($(
            #[derive(graphql_client::GraphQLQuery)]
            #[graphql(
                schema_path = $schema,
                query_path = $file,
                response_type = "Answered",
                normalization = "rust",
                skip_serializing_none,
                extern_enums("DossierState", "CorrectionReason")
            )]
            #[allow(dead_code)]
            pub(in crate::api) struct $name;
        )+)+
    };
}
use operations;

/// Stands for the answer in the derived code.
#[derive(Debug, serde::Deserialize)]
pub(in crate::api) struct Answered {}
