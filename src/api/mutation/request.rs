//! Builds the requests of mutations.

use bytes::Bytes;
use serde::Serialize;

use super::annotation::{AnnotationEdit, AnnotationValue, float};
use super::error::MutationError;
use super::kind::{Author, Mutation};
use crate::api::generated::{demarche_numerique as dn, demat_social as ds};
use crate::api::operation::{Body, Request, encode};
use crate::api::upload::SignedBlobId;
use crate::ids::DossierId;
use crate::platform::Platform;

/// The name and the body of an operation of one platform.
macro_rules! sent {
    ($side:ident, $module:ident::$input:ident { $($field:ident $(: $value:expr)?),* $(,)? }) => {
        (
            $side::$module::OPERATION_NAME,
            encode(&Body {
                query: $side::$module::QUERY,
                operation_name: $side::$module::OPERATION_NAME,
                variables: $side::$module::Variables {
                    // No idempotency key: the platform returns this id and does nothing else with it
                    // (docs/platform.md#mutations).
                    input: $side::$module::$input { $($field $(: $value)?,)* client_mutation_id: None },
                },
            }),
        )
    };
}

/// The same for an operation that both platforms have: the two derives make distinct types of equal shape.
macro_rules! sent_to {
    ($platform:expr, $($operation:tt)+) => {
        match $platform {
            Platform::DemarcheNumerique => sent!(dn, $($operation)+),
            Platform::DematSocial => sent!(ds, $($operation)+),
        }
    };
}
pub(super) use {sent, sent_to};

/// Builds the request of a mutation of a dossier.
///
/// # Errors
/// [`MutationError::NotAvailable`] and [`MutationError::Unfit`].
pub(super) fn of(
    mutation: &Mutation,
    platform: Platform,
    dossier: &DossierId,
    by: &Author,
) -> Result<Request, MutationError> {
    if !mutation.is_available_on(platform) {
        return Err(mutation.not_available(platform));
    }
    let (operation, body) = body(mutation, platform, dossier, by)?;
    let what = format!("{} on dossier {dossier}", mutation.name());
    Ok(Request { operation, what, page_size: 0, body })
}

/// Builds the operation of a mutation that the platform has.
fn body(
    mutation: &Mutation,
    platform: Platform,
    dossier: &DossierId,
    by: &Author,
) -> Result<(&'static str, Bytes), MutationError> {
    let dossier_id = dossier.as_str().to_owned();
    let instructeur_id = by.instructeur.as_str().to_owned();
    let disable_notification = by.silent.then_some(true);
    let blob = |blob: &Option<SignedBlobId>| blob.as_ref().map(|blob| blob.as_str().to_owned());
    /// Builds a change of state without other inputs.
    macro_rules! passage {
        ($operation:ident::$input:ident) => {
            sent_to!(platform, $operation::$input { dossier_id, instructeur_id, disable_notification })
        };
    }
    /// Builds a decision.
    macro_rules! decision {
        ($operation:ident::$input:ident, $motivation:expr, $justificatif:expr) => {
            sent_to!(
                platform,
                $operation::$input {
                    dossier_id,
                    instructeur_id,
                    disable_notification,
                    motivation: $motivation.clone(),
                    justificatif: blob($justificatif),
                }
            )
        };
    }
    Ok(match mutation {
        Mutation::PasserEnInstruction => passage!(dossier_passer_en_instruction::DossierPasserEnInstructionInput),
        Mutation::RepasserEnConstruction => {
            passage!(dossier_repasser_en_construction::DossierRepasserEnConstructionInput)
        }
        Mutation::RepasserEnInstruction => passage!(dossier_repasser_en_instruction::DossierRepasserEnInstructionInput),
        Mutation::Accepter { motivation, justificatif } => {
            decision!(dossier_accepter::DossierAccepterInput, motivation, justificatif)
        }
        Mutation::Refuser { motivation, justificatif } => {
            decision!(dossier_refuser::DossierRefuserInput, motivation, justificatif)
        }
        Mutation::ClasserSansSuite { motivation, justificatif } => {
            decision!(dossier_classer_sans_suite::DossierClasserSansSuiteInput, motivation, justificatif)
        }
        Mutation::Archiver => {
            sent_to!(platform, dossier_archiver::DossierArchiverInput { dossier_id, instructeur_id })
        }
        Mutation::Desarchiver => {
            sent!(dn, dossier_desarchiver::DossierDesarchiverInput { dossier_id, instructeur_id })
        }
        Mutation::EnvoyerMessage { body, attachment, correction } => {
            sent_to!(
                platform,
                dossier_envoyer_message::DossierEnvoyerMessageInput {
                    dossier_id,
                    instructeur_id,
                    body: body.clone(),
                    attachment: blob(attachment),
                    correction: *correction,
                }
            )
        }
        Mutation::SupprimerMessage { message } => {
            sent!(
                dn,
                dossier_supprimer_message::DossierSupprimerMessageInput {
                    instructeur_id,
                    message_id: message.as_str().to_owned(),
                }
            )
        }
        Mutation::AnnulerDemandeCorrection { message } => {
            let input = CancelInput { instructeur_id: &instructeur_id, message_id: message.as_str() };
            let operation_name = "DossierAnnulerDemandeCorrection";
            // Not derived: the pinned schema does not have this mutation, and validation at compile time would refuse
            // it.
            (operation_name, encode(&Body { query: NEWER, operation_name, variables: Variables { input } }))
        }
        Mutation::ChangerGroupeInstructeur { groupe } => {
            sent_to!(
                platform,
                dossier_changer_groupe_instructeur::DossierChangerGroupeInstructeurInput {
                    dossier_id,
                    groupe_instructeur_id: groupe.as_str().to_owned(),
                }
            )
        }
        Mutation::Suivre { follow } => {
            sent!(dn, dossier_bascule_suivi::DossierBasculeSuiviInput { dossier_id, instructeur_id, follow: *follow })
        }
        Mutation::AjouterLabel { label } => {
            sent!(
                dn,
                dossier_ajouter_label::DossierAjouterLabelInput { dossier_id, label_id: label.as_str().to_owned() }
            )
        }
        Mutation::SupprimerLabel { label } => {
            sent!(
                dn,
                dossier_supprimer_label::DossierSupprimerLabelInput { dossier_id, label_id: label.as_str().to_owned() }
            )
        }
        Mutation::ModifierAnnotation { annotation, value } => {
            let annotation_id = annotation.as_str().to_owned();
            /// Builds the mutation of one annotation, on both platforms or on Démarche Numérique alone.
            macro_rules! single {
                ($operation:ident::$input:ident, $value:expr) => {
                    sent_to!(platform, $operation::$input { dossier_id, instructeur_id, annotation_id, value: $value })
                };
                (dn: $operation:ident::$input:ident, $value:expr) => {
                    sent!(dn, $operation::$input { dossier_id, instructeur_id, annotation_id, value: $value })
                };
            }
            match value {
                AnnotationValue::Text(text) | AnnotationValue::Textarea(text) => {
                    single!(dossier_modifier_annotation_text::DossierModifierAnnotationTextInput, text.clone())
                }
                AnnotationValue::Checkbox(yes) | AnnotationValue::YesNo(yes) => {
                    single!(dossier_modifier_annotation_checkbox::DossierModifierAnnotationCheckboxInput, *yes)
                }
                AnnotationValue::Date(date) => {
                    single!(dossier_modifier_annotation_date::DossierModifierAnnotationDateInput, date.to_string())
                }
                AnnotationValue::Datetime(instant) => single!(
                    dossier_modifier_annotation_datetime::DossierModifierAnnotationDatetimeInput,
                    instant.to_string()
                ),
                AnnotationValue::IntegerNumber(number) => single!(
                    dossier_modifier_annotation_integer_number::DossierModifierAnnotationIntegerNumberInput,
                    i64::from(*number)
                ),
                AnnotationValue::DecimalNumber(decimal) => {
                    let value = float(*decimal).ok_or_else(|| too_long(mutation))?;
                    single!(dn: dossier_modifier_annotation_decimal_number::DossierModifierAnnotationDecimalNumberInput, value)
                }
                AnnotationValue::DropDownList(choice) => single!(
                    dn: dossier_modifier_annotation_drop_down_list::DossierModifierAnnotationDropDownListInput,
                    choice.clone()
                ),
                AnnotationValue::Email(_)
                | AnnotationValue::MultipleDropDownList(_)
                | AnnotationValue::Repetition(_)
                | AnnotationValue::Phone(_)
                | AnnotationValue::Iban(_)
                | AnnotationValue::Formatted(_)
                | AnnotationValue::Civilite(_)
                | AnnotationValue::Pays(_)
                | AnnotationValue::Regions(_)
                | AnnotationValue::Departements(_)
                | AnnotationValue::PieceJustificative(_)
                | AnnotationValue::DossierLink(_) => {
                    let edit = AnnotationInput { id: annotation.as_str(), value: input(mutation, value)? };
                    batch(&dossier_id, &instructeur_id, vec![edit])
                }
            }
        }
        Mutation::ModifierAnnotations { edits } => {
            let edits = edits.iter().map(|AnnotationEdit { annotation, value }| {
                Ok(AnnotationInput { id: annotation.as_str(), value: input(mutation, value)? })
            });
            batch(&dossier_id, &instructeur_id, edits.collect::<Result<_, _>>()?)
        }
        Mutation::AjouterLigne { annotation } => {
            sent_to!(
                platform,
                dossier_modifier_annotation_ajouter_ligne::DossierModifierAnnotationAjouterLigneInput {
                    dossier_id,
                    instructeur_id,
                    annotation_id: annotation.as_str().to_owned(),
                }
            )
        }
    })
}

fn too_long(mutation: &Mutation) -> MutationError {
    MutationError::Unfit {
        mutation: mutation.name(),
        reason: "a decimal number has more digits than the platform would keep",
    }
}

/// Operations that the pinned schema lacks.
const NEWER: &str = include_str!("../../../graphql/demarche-numerique/newer/mutations.graphql");

#[derive(Serialize)]
struct Variables<I> {
    input: I,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CancelInput<'a> {
    instructeur_id: &'a str,
    message_id: &'a str,
}

/// Input of a batch of annotations. Not derived from the pinned schema, as it has newer kinds too.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchInput<'a> {
    dossier_id: &'a str,
    instructeur_id: &'a str,
    annotations: Vec<AnnotationInput<'a>>,
}

#[derive(Serialize)]
struct AnnotationInput<'a> {
    id: &'a str,
    value: ValueInput<'a>,
}

/// Value of an annotation. The input is a `@oneOf`: a null beside its one key would be refused, so exactly one key is
/// sent (trap 68).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum ValueInput<'a> {
    Text(&'a str),
    Textarea(&'a str),
    Email(&'a str),
    Checkbox(bool),
    YesNo(bool),
    Date(String),
    Datetime(String),
    IntegerNumber(i32),
    DecimalNumber(f64),
    DropDownList(&'a str),
    MultipleDropDownList(&'a [String]),
    Repetition(u16),
    Phone(&'a str),
    Iban(&'a str),
    Formatted(&'a str),
    Civilite(&'static str),
    Pays(&'a str),
    Regions(&'a str),
    Departements(&'a str),
    PieceJustificative(&'a [SignedBlobId]),
    DossierLink(String),
}

fn batch(dossier_id: &str, instructeur_id: &str, annotations: Vec<AnnotationInput<'_>>) -> (&'static str, Bytes) {
    let operation_name = dn::dossier_modifier_annotations::OPERATION_NAME;
    let variables = Variables { input: BatchInput { dossier_id, instructeur_id, annotations } };
    (operation_name, encode(&Body { query: dn::dossier_modifier_annotations::QUERY, operation_name, variables }))
}

fn input<'a>(mutation: &Mutation, value: &'a AnnotationValue) -> Result<ValueInput<'a>, MutationError> {
    use ValueInput as Input;
    Ok(match value {
        AnnotationValue::Text(text) => Input::Text(text),
        AnnotationValue::Textarea(text) => Input::Textarea(text),
        AnnotationValue::Email(address) => Input::Email(address),
        AnnotationValue::Checkbox(yes) => Input::Checkbox(*yes),
        AnnotationValue::YesNo(yes) => Input::YesNo(*yes),
        AnnotationValue::Date(date) => Input::Date(date.to_string()),
        AnnotationValue::Datetime(instant) => Input::Datetime(instant.to_string()),
        AnnotationValue::IntegerNumber(number) => Input::IntegerNumber(*number),
        AnnotationValue::DecimalNumber(decimal) => {
            Input::DecimalNumber(float(*decimal).ok_or_else(|| too_long(mutation))?)
        }
        AnnotationValue::DropDownList(choice) => Input::DropDownList(choice),
        AnnotationValue::MultipleDropDownList(choices) => Input::MultipleDropDownList(choices),
        AnnotationValue::Repetition(rows) => Input::Repetition(*rows),
        AnnotationValue::Phone(number) => Input::Phone(number),
        AnnotationValue::Iban(number) => Input::Iban(number),
        AnnotationValue::Formatted(text) => Input::Formatted(text),
        AnnotationValue::Civilite(civilite) => Input::Civilite(civilite.as_str()),
        AnnotationValue::Pays(place) => Input::Pays(place),
        AnnotationValue::Regions(place) => Input::Regions(place),
        AnnotationValue::Departements(place) => Input::Departements(place),
        AnnotationValue::PieceJustificative(files) => Input::PieceJustificative(files),
        AnnotationValue::DossierLink(number) => Input::DossierLink(number.to_string()),
    })
}
