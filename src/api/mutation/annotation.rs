//! Values that an annotation can hold.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::{Deserialize, Serialize};

use super::newer::Newer;
use crate::api::upload::SignedBlobId;
use crate::ids::{ChampId, DossierNumber};

/// Annotation and its new value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnotationEdit {
    /// The annotation; of a row of a repetition, the one whose id carries the row.
    pub annotation: ChampId,
    /// The new value.
    pub value: AnnotationValue,
}

/// `M` or `Mme`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Civilite {
    /// Monsieur.
    M,
    /// Madame.
    Mme,
}

impl Civilite {
    /// Returns the platform's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::M => "M",
            Self::Mme => "Mme",
        }
    }
}

/// New value of an annotation. The variant must be the annotation's own kind: the platform refuses a short text for a
/// long one (docs/platform.md#mutations). Only texts can be emptied, by `""`; no other value can be taken back.
///
/// The last nine are newer than the pinned schema: a client sends them where the platform's own schema has them, and Démat
/// Social has none of them.
///
/// Its JSON form (serde) has the one key of its kind: `{"date": "2026-03-01"}`. `Debug` shows the kind, never the value.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnnotationValue {
    /// A short text.
    Text(String),
    /// A long text.
    Textarea(String),
    /// An e-mail address (Démarche Numérique only).
    Email(String),
    /// A box that is ticked or not.
    Checkbox(bool),
    /// A yes or a no.
    YesNo(bool),
    /// A day.
    Date(Date),
    /// An instant.
    Datetime(Timestamp),
    /// A whole number.
    IntegerNumber(i32),
    /// A decimal number (Démarche Numérique only), of three decimals at most there. It travels as a float: one that a
    /// float does not hold exactly is not sent.
    DecimalNumber(Decimal),
    /// One choice of a list, by its label (Démarche Numérique only).
    DropDownList(String),
    /// Several choices of a list (Démarche Numérique only).
    MultipleDropDownList(Vec<String>),
    /// The number of rows to add to a repetition. Not idempotent: sent twice, it adds twice as many.
    Repetition(u16),
    /// A telephone number.
    Phone(String),
    /// An account number.
    Iban(String),
    /// A text whose format the form prescribes.
    Formatted(String),
    /// A civility.
    Civilite(Civilite),
    /// A country, by its code (ISO 3166-1 alpha-2) or its name.
    Pays(String),
    /// A région, by its code (INSEE) or its name.
    Regions(String),
    /// A département, by its code (INSEE) or its name.
    Departements(String),
    /// Uploaded files to add to those that are there. Not idempotent: sent twice, they are there twice.
    PieceJustificative(Vec<SignedBlobId>),
    /// The number of another dossier.
    DossierLink(DossierNumber),
}

impl AnnotationValue {
    /// Returns the name of its kind in the platform's inputs: `dropDownList`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Textarea(_) => "textarea",
            Self::Email(_) => "email",
            Self::Checkbox(_) => "checkbox",
            Self::YesNo(_) => "yesNo",
            Self::Date(_) => "date",
            Self::Datetime(_) => "datetime",
            Self::IntegerNumber(_) => "integerNumber",
            Self::DecimalNumber(_) => "decimalNumber",
            Self::DropDownList(_) => "dropDownList",
            Self::MultipleDropDownList(_) => "multipleDropDownList",
            Self::Repetition(_) => "repetition",
            Self::Phone(_) => "phone",
            Self::Iban(_) => "iban",
            Self::Formatted(_) => "formatted",
            Self::Civilite(_) => "civilite",
            Self::Pays(_) => "pays",
            Self::Regions(_) => "regions",
            Self::Departements(_) => "departements",
            Self::PieceJustificative(_) => "pieceJustificative",
            Self::DossierLink(_) => "dossierLink",
        }
    }

    /// Names the facts that the platform's schema must have for it, if the pinned one lacks them.
    pub(super) fn newer(&self) -> Option<Newer> {
        let newer = |fact, what| Some(Newer { fact, what });
        match self {
            Self::Text(_)
            | Self::Textarea(_)
            | Self::Email(_)
            | Self::Checkbox(_)
            | Self::YesNo(_)
            | Self::Date(_)
            | Self::Datetime(_)
            | Self::IntegerNumber(_)
            | Self::DecimalNumber(_)
            | Self::DropDownList(_)
            | Self::MultipleDropDownList(_)
            | Self::Repetition(_) => None,
            Self::Phone(_) => newer("AnnotationValueInput.phone", "writing annotations of the type phone"),
            Self::Iban(_) => newer("AnnotationValueInput.iban", "writing annotations of the type iban"),
            Self::Formatted(_) => newer("AnnotationValueInput.formatted", "writing annotations of the type formatted"),
            Self::Civilite(_) => newer("AnnotationValueInput.civilite", "writing annotations of the type civilite"),
            Self::Pays(_) => newer("AnnotationValueInput.pays", "writing annotations of the type pays"),
            Self::Regions(_) => newer("AnnotationValueInput.regions", "writing annotations of the type regions"),
            Self::Departements(_) => {
                newer("AnnotationValueInput.departements", "writing annotations of the type departements")
            }
            Self::PieceJustificative(_) => {
                newer("AnnotationValueInput.pieceJustificative", "writing annotations of the type piece_justificative")
            }
            Self::DossierLink(_) => {
                newer("AnnotationValueInput.dossierLink", "writing annotations of the type dossier_link")
            }
        }
    }

    /// Returns the platform's mutation for one annotation of this kind; some kinds have none.
    pub(super) fn single_mutation(&self) -> Option<&'static str> {
        match self {
            // These two serve both kinds of text, and both kinds of yes and no.
            Self::Text(_) | Self::Textarea(_) => Some("dossierModifierAnnotationText"),
            Self::Checkbox(_) | Self::YesNo(_) => Some("dossierModifierAnnotationCheckbox"),
            Self::Date(_) => Some("dossierModifierAnnotationDate"),
            Self::Datetime(_) => Some("dossierModifierAnnotationDatetime"),
            Self::IntegerNumber(_) => Some("dossierModifierAnnotationIntegerNumber"),
            Self::DecimalNumber(_) => Some("dossierModifierAnnotationDecimalNumber"),
            Self::DropDownList(_) => Some("dossierModifierAnnotationDropDownList"),
            Self::Email(_)
            | Self::MultipleDropDownList(_)
            | Self::Repetition(_)
            | Self::Phone(_)
            | Self::Iban(_)
            | Self::Formatted(_)
            | Self::Civilite(_)
            | Self::Pays(_)
            | Self::Regions(_)
            | Self::Departements(_)
            | Self::PieceJustificative(_)
            | Self::DossierLink(_) => None,
        }
    }

    /// Returns true if it adds something each time.
    pub(super) fn adds(&self) -> bool {
        matches!(self, Self::Repetition(_) | Self::PieceJustificative(_))
    }
}

impl fmt::Debug for AnnotationValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repetition(rows) => write!(f, "repetition({rows})"),
            Self::PieceJustificative(files) => write!(f, "pieceJustificative({} files)", files.len()),
            other => write!(f, "{}([hidden])", other.kind()),
        }
    }
}

/// Converts a decimal to the float that is sent, if the float is exactly that number (trap 42).
pub(super) fn float(decimal: Decimal) -> Option<f64> {
    let float = decimal.to_f64()?;
    // JSON carries the shortest text that reads back as the same float: compare that text, not the float.
    let carried = float.to_string().parse::<Decimal>().ok()?;
    (carried == decimal).then_some(float)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_travels_only_as_itself() {
        for text in ["0", "-0.001", "12.345", "1234567890.125", "0.1", "99999999999.999"] {
            let decimal: Decimal = text.parse().expect(text);
            assert_eq!(float(decimal).map(|float| float.to_string().parse()), Some(Ok(decimal)), "{text}");
        }
        for text in ["9007199254740993", "1234567890123456.789", "79228162514264337593543950335"] {
            assert_eq!(float(text.parse().expect(text)), None, "{text}");
        }
    }
}
