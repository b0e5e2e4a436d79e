//! The secret part of an address that the platform calls.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The shortest that cannot be guessed.
const SHORTEST: usize = 32;

/// The secret of an instance cannot be a part of an address. It is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnfitPath {
    /// It can be guessed.
    #[error("it is too short: it needs at least {SHORTEST} characters")]
    TooShort,
    /// It would be written in several ways.
    #[error("it has other characters than letters, digits, `-`, `_`, `.` and `~`")]
    Characters,
    /// It would not tell whose call it is.
    #[error("another instance has the same")]
    Shared,
}

/// The secret part of an address. Its digest is kept and not itself.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretPath([u8; 32]);

impl SecretPath {
    /// Takes a secret of at least 32 characters that need no escape in an address.
    ///
    /// # Errors
    /// [`UnfitPath`].
    pub fn new(secret: &SecretString) -> Result<Self, UnfitPath> {
        let secret = secret.expose_secret();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        match secret {
            _ if !secret.bytes().all(fits) => Err(UnfitPath::Characters),
            _ if secret.len() < SHORTEST => Err(UnfitPath::TooShort),
            _ => Ok(Self::of(secret)),
        }
    }

    /// Digests the path of a call. Digests are as long as each other whatever they are of, so a comparison tells nothing of
    /// the length either.
    pub(in crate::serve) fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// Compares both in constant time.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for SecretPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretPath([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_long_and_needs_no_escape_and_is_never_shown() {
        let long = "0123456789abcdef0123456789ABC-_.";
        for (secret, expected) in [
            (long, None),
            (&long[1..], Some(UnfitPath::TooShort)),
            ("", Some(UnfitPath::TooShort)),
            ("0123456789abcdef0123456789abcdef/x", Some(UnfitPath::Characters)),
            ("0123456789abcdef0123456789abcdef%41", Some(UnfitPath::Characters)),
            ("0123456789abcdef 0123456789abcdef", Some(UnfitPath::Characters)),
            ("é123456789abcdef0123456789abcdef", Some(UnfitPath::Characters)),
        ] {
            let found = SecretPath::new(&SecretString::from(secret));
            assert_eq!(found.as_ref().err(), expected.as_ref(), "{secret}");
            if let Some(error) = expected {
                assert!(secret.is_empty() || !error.to_string().contains(secret));
            }
        }
        let path = SecretPath::of(long);
        assert!(path.is(&SecretPath::of(long)) && !path.is(&SecretPath::of(&long[1..])));
        assert_eq!(format!("{path:?}"), "SecretPath([redacted])");
    }
}
