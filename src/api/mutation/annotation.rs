//! What can be written into an annotation.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::{Deserialize, Serialize};

use crate::ids::ChampId;

/// One annotation and what to write into it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnotationEdit {
    /// The annotation; of a row of a repetition, the one whose id carries the row.
    pub annotation: ChampId,
    /// What to write.
    pub value: AnnotationValue,
}

/// What to write into an annotation. The variant must be the annotation's own kind: the platform refuses a short text
/// for a long one (dn-api 7). Only texts can be emptied, by `""`; no other value can be taken back.
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
    /// So many rows more in a repetition. Sent twice, there are twice as many.
    Repetition(u16),
}

impl AnnotationValue {
    /// The name of its kind, as the platform's inputs have it: `dropDownList`.
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
        }
    }

    /// The platform's mutation for one annotation of this kind; some kinds have none.
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
            Self::Email(_) | Self::MultipleDropDownList(_) | Self::Repetition(_) => None,
        }
    }

    /// Whether it adds something each time.
    pub(super) fn adds_rows(&self) -> bool {
        matches!(self, Self::Repetition(_))
    }
}

impl fmt::Debug for AnnotationValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repetition(rows) => write!(f, "repetition({rows})"),
            other => write!(f, "{}([hidden])", other.kind()),
        }
    }
}

/// A decimal as the float that travels, if the float is that very number (trap 42).
pub(super) fn float(decimal: Decimal) -> Option<f64> {
    let float = decimal.to_f64()?;
    // What a float prints is what JSON carries: the shortest text that gives the same float again.
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
