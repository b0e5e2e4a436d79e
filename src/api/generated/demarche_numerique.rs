//! The operations of Démarche Numérique.

use super::{Answered, operations};
use crate::dossier::DossierState;

type Id = String;
type Iso8601DateTime = String;

operations! {
    "graphql/demarche-numerique/schema.graphql";
    "graphql/demarche-numerique/dossiers.graphql":
        ListLight, ListLightOfGroupe;
    "graphql/demarche-numerique/demarche.graphql":
        ReadDemarche, ReadHead, ReadNews, ReadGroupeInstructeur, ReadDemarcheDescriptor;
    "graphql/demarche-numerique/suppressions.graphql":
        ListPendingDeleted, ListDeleted;
}
