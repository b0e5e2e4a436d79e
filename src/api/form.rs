//! Public form of a démarche.

use jiff::Timestamp;

use crate::demarche::{Revision, Service};
use crate::ids::DemarcheNumber;

/// Public form of a démarche that is open data. Reading it needs no token and shows no dossier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// The number of the démarche.
    pub number: DemarcheNumber,
    /// Its title.
    pub title: String,
    /// Its purpose, in Markdown.
    pub description: String,
    /// `brouillon`, `publiee`, `close`, `depubliee`, or a state that this version does not know.
    pub state: String,
    /// True if the form is open data; `None` if the platform does not state it.
    pub opendata: Option<bool>,
    /// When anything of the démarche itself last changed.
    pub date_derniere_modification: Option<Timestamp>,
    /// The revision in force. Its annotations are shown for open data only.
    pub revision: Option<Revision>,
    /// The service that answers for it.
    pub service: Option<Service>,
}
