//! Keyed digests that stand for values: equal values have equal digests, and nobody without the key can test a guess.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use super::{MASKED, NOT_KEPT};

const PREFIX: &str = "pseudo_";

/// The shortest key, in bytes.
const SHORTEST: usize = 16;

/// The secret under which pseudonyms are made. Whoever has it can test guesses; another key gives other pseudonyms.
#[derive(Clone)]
pub struct PseudonymKey(SecretString);

/// The key is too short to keep guesses out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pseudonym key is too short: it needs at least {SHORTEST} bytes")]
pub struct ShortKey;

impl PseudonymKey {
    /// Takes a key of at least 16 bytes; white space around it does not count.
    ///
    /// # Errors
    /// [`ShortKey`].
    pub fn new(key: &SecretString) -> Result<Self, ShortKey> {
        let key = key.expose_secret().trim();
        if key.len() < SHORTEST { Err(ShortKey) } else { Ok(Self(SecretString::from(key))) }
    }

    /// The pseudonym of a value. Values of two domains never share one.
    pub(crate) fn pseudonym(&self, domain: &str, value: &str) -> String {
        let key = self.0.expose_secret().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.update(domain.as_bytes());
        mac.update(&[0]);
        mac.update(value.as_bytes());
        let mut pseudonym = String::with_capacity(PREFIX.len() + 32);
        pseudonym.push_str(PREFIX);
        for byte in &mac.finalize().into_bytes()[..16] {
            for digit in [byte >> 4, byte & 15] {
                pseudonym.push(char::from_digit(u32::from(digit), 16).expect("four bits are a hexadecimal digit"));
            }
        }
        pseudonym
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey([redacted])")
    }
}

/// Returns true if the text is what the filter left in the place of a value.
pub(super) fn stands_for_a_value(text: &str) -> bool {
    let digits = text.strip_prefix(PREFIX);
    text == MASKED
        || text == NOT_KEPT
        || digits.is_some_and(|d| d.len() == 32 && d.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn key() -> PseudonymKey {
        PseudonymKey::new(&SecretString::from("a key for the tests only")).expect("long enough")
    }

    #[test]
    fn equal_values_of_one_domain_have_equal_pseudonyms() {
        let one = key().pseudonym("email", "camille@example.org");
        assert_eq!(one, key().pseudonym("email", "camille@example.org"));
        assert_ne!(one, key().pseudonym("email", "alex@example.org"));
        assert_ne!(one, key().pseudonym("nom", "camille@example.org"));
        let other = PseudonymKey::new(&SecretString::from("another key for the tests")).expect("long enough");
        assert_ne!(one, other.pseudonym("email", "camille@example.org"));
        assert!(stands_for_a_value(&one) && one.len() == 39, "{one}");
    }

    #[test]
    fn the_key_is_never_shown_and_never_short() {
        assert_eq!(format!("{:?}", key()), "PseudonymKey([redacted])");
        let short = PseudonymKey::new(&SecretString::from("  fifteen bytes..  "));
        assert_eq!(
            short.expect_err("too short").to_string(),
            "the pseudonym key is too short: it needs at least 16 bytes"
        );
    }

    #[test]
    fn what_people_type_is_not_taken_for_a_pseudonym() {
        for text in ["pseudo_", "pseudo_0123", "pseudo_0123456789ABCDEF0123456789ABCDEF", "masqué", ""] {
            assert!(!stands_for_a_value(text), "{text}");
        }
    }
}
