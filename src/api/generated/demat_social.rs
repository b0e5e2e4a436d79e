//! The operations of Démat Social.

use super::{Answered, operations};
use crate::api::mutation::CorrectionReason;
use crate::dossier::DossierState;

type Id = String;
type Iso8601Date = String;
type Iso8601DateTime = String;

operations! {
    "graphql/demat-social/schema.graphql";
    "graphql/demat-social/dossiers.graphql":
        ListLight, ListLightOfGroupe;
    "graphql/demat-social/demarche.graphql":
        ReadDemarche, ReadHead, ReadNews, ReadGroupeInstructeur, ReadDemarcheDescriptor;
    "graphql/demat-social/suppressions.graphql":
        ListPendingDeleted, ListDeleted;
    "graphql/demat-social/mutations.graphql":
        DossierPasserEnInstruction, DossierRepasserEnConstruction, DossierRepasserEnInstruction, DossierAccepter,
        DossierRefuser, DossierClasserSansSuite, DossierArchiver, DossierEnvoyerMessage,
        DossierChangerGroupeInstructeur, DossierModifierAnnotationText, DossierModifierAnnotationCheckbox,
        DossierModifierAnnotationDate, DossierModifierAnnotationDatetime, DossierModifierAnnotationIntegerNumber,
        DossierModifierAnnotationAjouterLigne, GroupeInstructeurCreer, GroupeInstructeurModifier,
        GroupeInstructeurAjouterInstructeurs, GroupeInstructeurSupprimerInstructeurs, DemarcheCloner,
        CreateDirectUpload;
}
