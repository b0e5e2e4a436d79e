//! Mutations: changes of a dossier, a groupe or a démarche.
//!
//! [`Mutation`] is a value: it can be stored, compared, shown (without what is private in it), asked whether a platform
//! has it, and composed from what a platform has. [`Client::apply`](super::Client::apply) sends one.
//!
//! The platform does not recognise a mutation that it has seen before (trap 59). Nothing is therefore sent twice,
//! unless the first request surely had no effect: the connection could not be opened, or the answer was a 429. A lost
//! answer is [`MutationError::Unknown`], and the dossier must be read again before anything else is decided.

mod annotation;
mod apply;
mod compose;
mod error;
mod groupe;
mod kind;
mod newer;
mod payload;
mod request;

pub use annotation::{AnnotationEdit, AnnotationValue, Civilite};
pub use error::MutationError;
pub use groupe::{GroupeReceipt, NewGroupe, ProfileRef};
pub use kind::{Author, CorrectionReason, Mutation};
pub use payload::{DossierMark, MessageMark, MutationReceipt};
