//! An action in flat parts, as tables and CSV files have it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::asked::{Action, Edit, Words};
use crate::api::CorrectionReason;
use crate::ids::MessageId;

/// The parts of an action, one a column.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Parts {
    pub action: String,
    pub motivation: Option<String>,
    pub message: Option<String>,
    pub correction: Option<String>,
    pub file: Option<String>,
    /// JSON: an object of values by annotation, or a list of [`Edit`]s.
    pub annotations: Option<String>,
    pub annotation: Option<String>,
    pub groupe: Option<String>,
    pub label: Option<String>,
    pub message_id: Option<String>,
}

impl TryFrom<Parts> for Action {
    type Error = String;

    fn try_from(parts: Parts) -> Result<Self, String> {
        let Parts { action, motivation, message, correction, file, annotations, annotation, groupe, label, message_id } =
            parts;
        let given = |part: Option<String>, name: &str| {
            part.filter(|text| !text.trim().is_empty()).ok_or_else(|| format!("`{name}` is empty"))
        };
        let file = file.filter(|path| !path.trim().is_empty()).map(PathBuf::from);
        Ok(match action.trim() {
            "passer_en_instruction" => Self::PasserEnInstruction,
            "repasser_en_construction" => Self::RepasserEnConstruction,
            "repasser_en_instruction" => Self::RepasserEnInstruction,
            "accepter" => Self::Accepter { motivation: given(motivation, "").ok().map(Words::new), justificatif: file },
            "refuser" => Self::Refuser { motivation: Words::new(given(motivation, "motivation")?), justificatif: file },
            "classer_sans_suite" => {
                Self::ClasserSansSuite { motivation: Words::new(given(motivation, "motivation")?), justificatif: file }
            }
            "archiver" => Self::Archiver,
            "desarchiver" => Self::Desarchiver,
            "message" => Self::Message {
                body: Words::new(given(message, "message")?),
                attachment: file,
                correction: given(correction, "").ok().map(|word| correction_of(&word)).transpose()?,
            },
            "supprimer_message" => Self::SupprimerMessage { message: MessageId::new(given(message_id, "message_id")?) },
            "annotations" => Self::Annotations { edits: edits(&given(annotations, "annotations")?)? },
            "ajouter_ligne" => Self::AjouterLigne { annotation: given(annotation, "annotation")? },
            "changer_groupe" => Self::ChangerGroupe { groupe: given(groupe, "groupe")? },
            "ajouter_label" => Self::Label { label: given(label, "label")?, present: true },
            "supprimer_label" => Self::Label { label: given(label, "label")?, present: false },
            "suivre" => Self::Suivre { follow: true },
            "ne_plus_suivre" => Self::Suivre { follow: false },
            other => return Err(format!("`{other}` is not an action")),
        })
    }
}

impl From<&Action> for Parts {
    fn from(action: &Action) -> Self {
        let text = |words: &Words| Some(words.as_str().to_owned());
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
        let mut parts = Self { action: action.word().to_owned(), ..Self::default() };
        match action {
            Action::Accepter { motivation, justificatif } => {
                parts.motivation = motivation.as_ref().and_then(text);
                parts.file = path(justificatif);
            }
            Action::Refuser { motivation, justificatif } | Action::ClasserSansSuite { motivation, justificatif } => {
                parts.motivation = text(motivation);
                parts.file = path(justificatif);
            }
            Action::Message { body, attachment, correction } => {
                parts.message = text(body);
                parts.file = path(attachment);
                parts.correction = correction.map(|reason| word_of(reason).to_owned());
            }
            Action::SupprimerMessage { message } => parts.message_id = Some(message.as_str().to_owned()),
            Action::Annotations { edits } => {
                parts.annotations = Some(serde_json::to_string(edits).expect("edits are plain data with text keys"));
            }
            Action::AjouterLigne { annotation } => parts.annotation = Some(annotation.clone()),
            Action::ChangerGroupe { groupe } => parts.groupe = Some(groupe.clone()),
            Action::Label { label, .. } => parts.label = Some(label.clone()),
            Action::PasserEnInstruction
            | Action::RepasserEnConstruction
            | Action::RepasserEnInstruction
            | Action::Archiver
            | Action::Desarchiver
            | Action::Suivre { .. } => {}
        }
        parts
    }
}

fn word_of(reason: CorrectionReason) -> &'static str {
    match reason {
        CorrectionReason::Incorrect => "incorrect",
        CorrectionReason::Incomplete => "incomplete",
        CorrectionReason::Outdated => "outdated",
    }
}

fn correction_of(word: &str) -> Result<CorrectionReason, String> {
    match word.trim() {
        "incorrect" => Ok(CorrectionReason::Incorrect),
        "incomplete" => Ok(CorrectionReason::Incomplete),
        "outdated" => Ok(CorrectionReason::Outdated),
        _ => Err("`correction` is incorrect, incomplete or outdated".to_owned()),
    }
}

fn edits(text: &str) -> Result<Vec<Edit>, String> {
    let wrong =
        || "`annotations` is a JSON object of values by annotation, or a list of {annotation, row, value}".to_owned();
    let edits: Vec<Edit> = match serde_json::from_str(text).map_err(|_| wrong())? {
        Json::Object(values) => {
            values.into_iter().map(|(annotation, value)| Edit { annotation, row: None, value }).collect()
        }
        list @ Json::Array(_) => serde_json::from_value(list).map_err(|_| wrong())?,
        _ => return Err(wrong()),
    };
    if edits.is_empty() { Err("`annotations` is empty".to_owned()) } else { Ok(edits) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_survives_its_parts() {
        let words = |text: &str| Words::new(text);
        let edits = vec![
            Edit { annotation: "Avis".to_owned(), row: None, value: "bon".into() },
            Edit { annotation: "Montant".to_owned(), row: Some(2), value: 12.into() },
        ];
        let actions = [
            Action::PasserEnInstruction,
            Action::RepasserEnConstruction,
            Action::RepasserEnInstruction,
            Action::Accepter { motivation: None, justificatif: None },
            Action::Refuser { motivation: words("Hors délai"), justificatif: Some(PathBuf::from("a.pdf")) },
            Action::ClasserSansSuite { motivation: words("Doublon"), justificatif: None },
            Action::Archiver,
            Action::Desarchiver,
            Action::Message { body: words("Bonjour"), attachment: None, correction: Some(CorrectionReason::Outdated) },
            Action::SupprimerMessage { message: MessageId::new("m") },
            Action::Annotations { edits },
            Action::AjouterLigne { annotation: "Visites".to_owned() },
            Action::ChangerGroupe { groupe: "Nord".to_owned() },
            Action::Label { label: "urgent".to_owned(), present: true },
            Action::Label { label: "urgent".to_owned(), present: false },
            Action::Suivre { follow: true },
            Action::Suivre { follow: false },
        ];
        assert_eq!(actions.each_ref().map(Action::word), Action::WORDS);
        for action in actions {
            assert_eq!(Action::try_from(Parts::from(&action)), Ok(action));
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let parts = |action: &str| Parts { action: action.to_owned(), ..Parts::default() };
        for (action, part) in [("refuser", "motivation"), ("message", "message"), ("annotations", "annotations")] {
            let error = Action::try_from(parts(action)).expect_err("a part is missing");
            assert!(error.contains(part), "{action}: {error}");
        }
        assert!(Action::try_from(parts("exploser")).is_err());
        let object = Parts { annotations: Some(r#"{"Avis": "bon"}"#.to_owned()), ..parts("annotations") };
        let edits = vec![Edit { annotation: "Avis".to_owned(), row: None, value: "bon".into() }];
        assert_eq!(Action::try_from(object), Ok(Action::Annotations { edits }));
    }
}
