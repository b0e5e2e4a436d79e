//! Splits an action into flat parts, as tables and CSV files have them. Pure.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::asked::{Action, Edit, Words};
use super::strict;
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
        let asked = parts.clone();
        let Parts { action, motivation, message, correction, file, annotations, annotation, groupe, label, message_id } =
            parts;
        let given = |part: Option<String>, name: &str| {
            part.filter(|text| !text.trim().is_empty()).ok_or_else(|| format!("`{name}` is empty"))
        };
        let file = file.filter(|path| !path.trim().is_empty()).map(PathBuf::from);
        let action = match action.trim() {
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
            "annuler_demande_correction" => Self::AnnulerDemandeCorrection,
            // In a file whose columns moved, anything may stand here.
            other if other.chars().count() > 30 => return Err("`action` is not an action".to_owned()),
            other => return Err(format!("`{other}` is not an action")),
        };
        match asked.beside(&action) {
            Some(name) => Err(format!("`{name}` does not go with `{}`", action.word())),
            None => Ok(action),
        }
    }
}

impl Parts {
    /// A part that is filled in and that the action does not take: who wrote it expects something to come of it.
    fn beside(&self, action: &Action) -> Option<&'static str> {
        let taken = Self::from(action);
        let parts = |parts: &Self| {
            let Self {
                action: _,
                motivation,
                message,
                correction,
                file,
                annotations,
                annotation,
                groupe,
                label,
                message_id,
            } = parts.clone();
            [
                ("motivation", motivation),
                ("message", message),
                ("correction", correction),
                ("file", file),
                ("annotations", annotations),
                ("annotation", annotation),
                ("groupe", groupe),
                ("label", label),
                ("message_id", message_id),
            ]
        };
        let filled = |part: &Option<String>| part.as_deref().is_some_and(|text| !text.trim().is_empty());
        let mut both = parts(self).into_iter().zip(parts(&taken));
        both.find(|((_, said), (_, taken))| filled(said) && taken.is_none()).map(|((name, _), _)| name)
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
            | Action::AnnulerDemandeCorrection
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
    let read = strict::value(text).map_err(|error| format!("`annotations`: {}", error.reason))?;
    let edits: Vec<Edit> = match read {
        Json::Object(values) => {
            values.into_iter().map(|(annotation, value)| Edit { annotation, row: None, value }).collect()
        }
        list @ Json::Array(_) => serde_json::from_value(list).map_err(|_| wrong())?,
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => return Err(wrong()),
    };
    if edits.is_empty() {
        return Err("`annotations` is empty".to_owned());
    }
    let twice = edits.iter().enumerate().find(|(at, edit)| {
        edits[..*at].iter().any(|former| former.annotation.trim() == edit.annotation.trim() && former.row == edit.row)
    });
    match twice {
        Some((_, edit)) => Err(format!("`annotations`: `{}` is there twice", edit.annotation.trim())),
        None => Ok(edits),
    }
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
            Action::AnnulerDemandeCorrection,
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

    #[test]
    fn a_part_that_the_action_does_not_take_is_not_passed_over() {
        let motivated = |action: &str| {
            let parts =
                Parts { action: action.to_owned(), motivation: Some("Hors délai".to_owned()), ..Parts::default() };
            Action::try_from(parts)
        };
        assert_eq!(motivated("archiver"), Err("`motivation` does not go with `archiver`".to_owned()));
        assert!(motivated("refuser").is_ok());
        let blank = Parts { action: "archiver".to_owned(), message: Some("  ".to_owned()), ..Parts::default() };
        assert_eq!(Action::try_from(blank), Ok(Action::Archiver));
    }

    #[test]
    fn annotations_with_two_meanings_are_refused() {
        for (text, told) in [
            (r#"{"Avis": "bon", "Avis": "mauvais"}"#, "`annotations`: the key `Avis` is there twice"),
            (
                r#"[{"annotation": "A", "value": 1}, {"annotation": "A ", "value": 2}]"#,
                "`annotations`: `A` is there twice",
            ),
            (r#"[{"annotation": "A", "raw": 2, "value": 1}]"#, "a list of {annotation, row, value}"),
            (r#"[{"annotation": "A", "row": 2}]"#, "a list of {annotation, row, value}"),
            (r#"{"Montant": 12345678901234567.89}"#, "more digits"),
            (r#"{"A": 1} {"A": 2}"#, "trailing"),
            ("{}", "`annotations` is empty"),
            ("\"A\"", "a JSON object"),
        ] {
            let error = edits(text).expect_err(text);
            assert!(error.contains(told), "{text}: {error}");
        }
        let rows = r#"[{"annotation": "A", "row": 1, "value": 1}, {"annotation": "A", "row": 2, "value": 1}]"#;
        assert_eq!(edits(rows).map(|edits| edits.len()), Ok(2));
    }
}
