//! Wire types: flat owned structs that answers of both platforms decode into in one pass.
//!
//! A field is optional if the data may be null, whatever the schema says (docs/platform.md#errors-beside-data), or if
//! only one of the platforms has it.

mod champ;
mod demarche;
mod dossier;
mod envelope;
mod lenient;
mod mark;
mod path;
mod scalar;

pub(super) use champ::{
    WireAddress, WireChamp, WireColumn, WireCommune, WireGeoArea, WireGeometry, WirePlace, WireRegistration,
};
pub(super) use demarche::{
    WireDemarche, WireDescriptor, WireForm, WireGroupe, WireHead, WireLabel, WireNews, WireOwner, WireRevision,
    WireRevisionHead, WireService,
};
pub(super) use dossier::{
    WireAssignment, WireAssociation, WireAvis, WireDeleted, WireDemandeur, WireDossier, WireEntreprise, WireFile,
    WireLight, WireMessage, WireMorale, WirePosition, WireProfile, WireTraitement,
};
pub(super) use envelope::{
    AnyNumbered, Connection, Envelope, GraphqlError, Listed, Numbered, PathStep, Undecoded, decode,
};
pub(super) use lenient::{Odd, decode_around};
pub(super) use scalar::{NumberText, WireInstant};
