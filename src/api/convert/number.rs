//! Parses numbers without losing a digit (trap 42).

use rust_decimal::Decimal;

/// Parses a whole number of 64 bits.
pub(super) fn integer(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// Parses an exact decimal: from the platform's text if it agrees with the float, otherwise from the float.
///
/// The API's float loses digits, its text does not. But the text may be written for people (`1 234,5`), and only the
/// float shows which separator was meant. A text with more digits than a decimal holds gives `None`: the caller keeps
/// the text, rather than the digits that the float has of it.
pub(super) fn decimal(text: Option<&str>, float: Option<&str>) -> Option<Decimal> {
    // A number with more digits than a decimal holds: the double beside it would be another number (trap 42).
    if text.is_some_and(|text| is_number(text) && plain(text).is_none()) {
        return None;
    }
    let float = float.and_then(plain);
    match (text.and_then(written), float) {
        (Some(exact), Some(float)) if agree(exact, float) => Some(exact),
        (_, Some(float)) => Some(float),
        (exact, None) => exact,
    }
    .map(|decimal| decimal.normalize())
}

/// Returns true if the text has the form in which programs write numbers: digits and a point.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Parses a number as programs write it.
fn plain(text: &str) -> Option<Decimal> {
    Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok()
}

/// Parses a number as programs or French people write it: spaces between thousands, a comma or a point before decimals.
/// A separator that comes more than once, or before the other one, stands between thousands.
fn written(text: &str) -> Option<Decimal> {
    let text: String = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{202f}')).collect();
    let separators = |c: char| text.matches(c).count();
    let last = text.rfind([',', '.']).and_then(|at| text[at..].chars().next());
    let decimal_mark = last.filter(|mark| separators(*mark) == 1);
    let plainly: String = text
        .chars()
        .filter_map(|c| match c {
            ',' | '.' if Some(c) == decimal_mark => Some('.'),
            ',' | '.' => None,
            other => Some(other),
        })
        .collect();
    plain(&plainly)
}

/// Returns true if the exact number may have been rounded to this float.
fn agree(exact: Decimal, float: Decimal) -> bool {
    let grain = exact.abs().max(float.abs()) / Decimal::from(1_000_000_000_000_i64);
    exact.checked_sub(float).is_some_and(|difference| difference.abs() <= grain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimals_are_exact_however_they_are_written() {
        let rows: &[(Option<&str>, Option<&str>, Option<&str>)] = &[
            (Some("12.345"), Some("12.345"), Some("12.345")),
            (Some("256888.00"), Some("256888"), Some("256888")),
            (Some("1 234,5"), Some("1234.5"), Some("1234.5")),
            (Some("1\u{202f}234\u{a0}567,25"), Some("1234567.25"), Some("1234567.25")),
            (Some("1.234.567,5"), Some("1234567.5"), Some("1234567.5")),
            (Some("1,234"), Some("1234"), Some("1234")),
            (Some("1,234"), Some("1.234"), Some("1.234")),
            (Some("0.0"), Some("0"), Some("0")),
            (Some("-0,5"), Some("-0.5"), Some("-0.5")),
            (Some("123456789012345.678901"), Some("123456789012345.67"), Some("123456789012345.678901")),
            (Some(""), Some("0.1"), Some("0.1")),
            (None, Some("1e3"), Some("1000")),
            (Some("12.5"), None, Some("12.5")),
            (Some("beaucoup"), None, None),
            (Some(""), None, None),
            (None, Some("1e300"), None),
            (Some("-79228162514264337593543950335"), Some("7e28"), Some("70000000000000000000000000000")),
            (Some("123456789012345678901234567890.5"), Some("1.2345678901234568e29"), None),
            (Some("0.12345678901234567890123456789012"), Some("0.12345678901234568"), None),
        ];
        for (text, float, expected) in rows {
            let decimal = decimal(*text, *float).map(|d| d.to_string());
            assert_eq!(decimal.as_deref(), *expected, "{text:?} {float:?}");
        }
    }

    #[test]
    fn integers_beyond_64_bits_are_not_integers() {
        assert_eq!(integer("3400936534933"), Some(3_400_936_534_933));
        assert_eq!(integer("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(integer("9223372036854775808"), None);
        assert_eq!(integer("1.5"), None);
    }

    proptest! {
        #[test]
        fn a_decimal_written_exactly_is_read_exactly(mantissa in -1_000_000_000_000_000_i64..1_000_000_000_000_000, scale in 0_u32..8) {
            let exact = Decimal::new(mantissa, scale);
            let float = exact.to_string().parse::<f64>().expect("a decimal reads as a float").to_string();
            prop_assert_eq!(decimal(Some(&exact.to_string()), Some(&float)), Some(exact.normalize()));
            let french = exact.to_string().replace('.', ",");
            prop_assert_eq!(decimal(Some(&french), Some(&float)), Some(exact.normalize()));
        }

        #[test]
        fn every_64_bit_integer_comes_back(number: i64) {
            prop_assert_eq!(integer(&number.to_string()), Some(number));
        }

        #[test]
        fn no_text_breaks_the_reader(text in "\\PC*", float in "\\PC*") {
            let _ = decimal(Some(&text), Some(&float));
        }
    }
}
