//! Reads values in the format of Python's `marshal` module. Grist stores a cell so where its column of SQLite would keep it
//! as something else: an alternative text among numbers, and every cell that was converted to another type, until the cell
//! is written again. `/records` decodes them, `/sql` gives the bytes.
//!
//! Written by Grist's web process in version 2, so neither references nor interned texts occur.

use serde_json::{Map, Number, Value};

/// The deepest nesting that is read: no cell of Grist comes near it.
const DEEPEST: usize = 16;

/// Decodes one value; `None` for anything that is not exactly one.
pub(crate) fn decode(bytes: &[u8]) -> Option<Value> {
    let mut input = Input(bytes);
    let value = input.value(DEEPEST)?;
    input.0.is_empty().then_some(value)
}

/// The same from hexadecimal digits, as SQLite's `hex` writes them.
pub fn decode_hex(digits: &str) -> Option<Value> {
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok().filter(|_| pair.len() == 2);
    decode(&pairs.map(byte).collect::<Option<Vec<u8>>>()?)
}

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn take(&mut self, length: usize) -> Option<&[u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(i32::from_le_bytes(self.array()?)).ok()
    }

    fn text(&mut self, length: usize) -> Option<String> {
        String::from_utf8(self.take(length)?.to_vec()).ok()
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        let depth = depth.checked_sub(1)?;
        let [code] = self.array()?;
        Some(match code {
            b'N' => Value::Null,
            b'F' => false.into(),
            b'T' => true.into(),
            b'i' => i32::from_le_bytes(self.array()?).into(),
            b'I' => i64::from_le_bytes(self.array()?).into(),
            b'g' => number(f64::from_le_bytes(self.array()?)),
            b'f' => {
                let [length] = self.array()?;
                number(self.text(usize::from(length))?.parse().ok()?)
            }
            b'u' | b's' => {
                let length = self.length()?;
                self.text(length)?.into()
            }
            b'[' | b'(' => {
                let length = self.length()?;
                let mut items = Vec::new();
                for _ in 0..length {
                    items.push(self.value(depth)?);
                }
                items.into()
            }
            b'{' => {
                let mut members = Map::new();
                while self.0.first() != Some(&b'0') {
                    let Value::String(name) = self.value(depth)? else { return None };
                    members.insert(name, self.value(depth)?);
                }
                self.take(1)?;
                members.into()
            }
            _ => return None,
        })
    }
}

/// A number as Grist's answers have it: whole ones without a fraction, nothing for what JSON has no number for.
fn number(real: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2⁵³")]
    if real.fract() == 0.0 && real.abs() < 9e15 {
        return (real as i64).into();
    }
    Number::from_f64(real).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_value_is_decoded() {
        for (hex, expected) in [
            ("4E", json!(null)),
            ("54", json!(true)),
            ("46", json!(false)),
            ("6904E7AA3B", json!(1_001_056_004)),
            ("69FFFFFFFF", json!(-1)),
            ("490000000001000000", json!(4_294_967_296_i64)),
            ("670000000000002840", json!(12)),
            ("679A99999999992840", json!(12.3)),
            ("67000000000000F07F", json!(null)),
            ("6603312E35", json!(1.5)),
            ("7503000000313225", json!("12%")),
            ("5B0200000075010000004C6905000000", json!(["L", 5])),
            ("7B750100000061690100000030", json!({ "a": 1 })),
        ] {
            assert_eq!(decode_hex(hex), Some(expected), "{hex}");
        }
    }

    #[test]
    fn what_is_cut_has_a_rest_or_lies_too_deep_is_nothing() {
        let wrong =
            ["", "6", "zz", "69000000", "4E4E", "5B01000000", "7B7501000000", "75FFFFFFFF", "75030000003132C2", "3F"];
        for hex in wrong {
            assert_eq!(decode_hex(hex), None, "{hex}");
        }
        assert_eq!(decode_hex(&"5B01000000".repeat(DEEPEST + 1)), None);
    }
}
