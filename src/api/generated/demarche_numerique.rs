//! The operations of Démarche Numérique.

use super::{Answered, operations};
use crate::api::mutation::CorrectionReason;
use crate::dossier::DossierState;

type Id = String;
type Iso8601Date = String;
type Iso8601DateTime = String;

operations! {
    "graphql/demarche-numerique/schema.graphql";
    "graphql/demarche-numerique/dossiers.graphql":
        ListLight, ListLightOfGroupe;
    "graphql/demarche-numerique/demarche.graphql":
        ReadDemarche, ReadHead, ReadNews, ReadGroupeInstructeur, ReadDemarcheDescriptor;
    "graphql/demarche-numerique/suppressions.graphql":
        ListPendingDeleted, ListDeleted;
    "graphql/demarche-numerique/mutations.graphql":
        DossierPasserEnInstruction, DossierRepasserEnConstruction, DossierRepasserEnInstruction, DossierAccepter,
        DossierRefuser, DossierClasserSansSuite, DossierArchiver, DossierDesarchiver, DossierEnvoyerMessage,
        DossierSupprimerMessage, DossierChangerGroupeInstructeur, DossierBasculeSuivi, DossierAjouterLabel,
        DossierSupprimerLabel, DossierModifierAnnotationText, DossierModifierAnnotationCheckbox,
        DossierModifierAnnotationDate, DossierModifierAnnotationDatetime, DossierModifierAnnotationIntegerNumber,
        DossierModifierAnnotationDecimalNumber, DossierModifierAnnotationDropDownList,
        DossierModifierAnnotationAjouterLigne, DossierModifierAnnotations, GroupeInstructeurCreer,
        GroupeInstructeurModifier, GroupeInstructeurAjouterInstructeurs, GroupeInstructeurSupprimerInstructeurs,
        DemarcheCloner, CreateDirectUpload;
}
