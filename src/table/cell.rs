//! Values of cells.

use rust_decimal::Decimal;

use super::row::Cell;
use super::spec::CellKind;

impl Cell {
    /// Builds a text cell; null for a blank text.
    pub(super) fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Null } else { Self::Text(text) }
    }

    /// Builds a text cell, or null.
    pub(super) fn maybe(text: Option<&str>) -> Self {
        text.map_or(Self::Null, Self::text)
    }

    /// Returns the kind of column that this value needs; `None` for null, which fits every kind.
    #[must_use]
    pub fn kind(&self) -> Option<CellKind> {
        Some(match self {
            Self::Null => return None,
            Self::Text(_) => CellKind::Text,
            Self::Integer(_) => CellKind::Integer,
            Self::Decimal(_) => CellKind::Decimal,
            Self::Real(_) => CellKind::Real,
            Self::Boolean(_) => CellKind::Boolean,
            Self::Date(_) => CellKind::Date,
            Self::Datetime(_) => CellKind::Datetime,
            Self::List(_) => CellKind::Choices,
            Self::Json(_) => CellKind::Json,
        })
    }

    /// Converts this value to the kind of a column.
    ///
    /// # Errors
    /// The kind that the column must be widened to, if it cannot hold the value without a loss.
    pub fn coerce(self, kind: CellKind) -> Result<Self, CellKind> {
        Ok(match (self, kind) {
            (Self::Null, _) => Self::Null,
            (cell @ Self::Text(_), CellKind::Text | CellKind::Choice)
            | (cell @ Self::Integer(_), CellKind::Integer)
            | (cell @ Self::Decimal(_), CellKind::Decimal)
            | (cell @ Self::Real(_), CellKind::Real)
            | (cell @ Self::Boolean(_), CellKind::Boolean)
            | (cell @ Self::Date(_), CellKind::Date)
            | (cell @ Self::Datetime(_), CellKind::Datetime)
            | (cell @ Self::List(_), CellKind::Choices)
            | (cell @ Self::Json(_), CellKind::Json) => cell,
            (Self::Integer(number), CellKind::Decimal) => Self::Decimal(Decimal::from(number)),
            (Self::Text(text), CellKind::Choices) => Self::List(vec![text]),
            // The form asks for this identity document as a file; only that it was given is kept.
            (Self::Boolean(given), CellKind::Choices) => Self::List(vec![given.to_string()]),
            (cell, CellKind::Text) => Self::maybe(cell.to_text().as_deref()),
            (cell, _) => return Err(cell.kind().map_or(kind, |needed| kind.widen(needed))),
        })
    }

    /// Writes the value as text: numbers with a point, `true` or `false`, ISO dates, instants in UTC, choices joined by
    /// `, `. `None` for no value.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Text(text) | Self::Json(text) => text.clone(),
            Self::Integer(number) => number.to_string(),
            Self::Decimal(number) => number.to_string(),
            Self::Real(number) => number.to_string(),
            Self::Boolean(truth) => truth.to_string(),
            Self::Date(date) => date.to_string(),
            Self::Datetime(instant) => instant.to_string(),
            Self::List(items) => items.join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wider_column_holds_what_a_narrower_one_held() {
        use CellKind as K;
        let text = |text: &str| Ok(Cell::Text(text.to_owned()));
        let list = |items: &[&str]| Cell::List(items.iter().map(|item| (*item).to_owned()).collect());
        let cases = [
            (Cell::Null, K::Integer, Ok(Cell::Null)),
            (Cell::Integer(12), K::Text, text("12")),
            (Cell::Integer(12), K::Decimal, Ok(Cell::Decimal(Decimal::from(12)))),
            (Cell::Decimal(Decimal::new(12345, 3)), K::Text, text("12.345")),
            (Cell::Decimal(Decimal::new(125, 1)), K::Integer, Err(K::Decimal)),
            (Cell::Boolean(true), K::Text, text("true")),
            (Cell::Date(jiff::civil::date(2025, 1, 3)), K::Text, text("2025-01-03")),
            (Cell::Date(jiff::civil::date(2025, 1, 3)), K::Datetime, Err(K::Text)),
            (list(&["a", "b"]), K::Text, text("a, b")),
            (list(&["a", "b"]), K::Choice, Err(K::Text)),
            (list(&[]), K::Text, Ok(Cell::Null)),
            (Cell::Text("a, b".to_owned()), K::Choices, Ok(list(&["a, b"]))),
            (Cell::Boolean(true), K::Choices, Ok(list(&["true"]))),
            (Cell::Text("douze".to_owned()), K::Integer, Err(K::Text)),
            (Cell::Text("{".to_owned()), K::Json, Err(K::Text)),
        ];
        for (cell, kind, expected) in cases {
            assert_eq!(cell.clone().coerce(kind), expected, "{cell:?} as {kind:?}");
        }
    }
}
