//! Holds a token or a key, from the setting to the header.

use std::fmt;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use super::Unfit;

/// Token or key. `Debug` shows `[redacted]`, and the memory is wiped on drop.
#[derive(Clone)]
pub struct Secret {
    name: &'static str,
    text: SecretString,
}

impl Secret {
    /// Parses a secret as people paste it: drops outer white space and a leading `Bearer`. `name` is its name in
    /// errors.
    ///
    /// # Errors
    /// When it is empty, or does not fit a header.
    pub fn new(name: &'static str, secret: &SecretString) -> Result<Self, Unfit> {
        let text = secret.expose_secret().trim();
        let text = text.strip_prefix("Bearer ").unwrap_or(text).trim_start();
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self { name, text: SecretString::from(text) })
        } else {
            let reason = if text.is_empty() {
                "it is empty".to_owned()
            } else {
                format!("it holds characters that no {name} has")
            };
            Err(Unfit { setting: name, reason })
        }
    }

    /// Returns the header. Always spelled the same: Démarche Numérique counts requests by this text, and another
    /// spelling would be another count (docs/platform.md#rate-limits).
    ///
    /// # Errors
    /// None in practice: [`new`](Self::new) refuses what does not fit a header.
    pub fn header(&self) -> Result<HeaderValue, Unfit> {
        let text = SecretString::from(format!("Bearer {}", self.text.expose_secret()));
        let mut value = HeaderValue::from_str(text.expose_secret())
            .map_err(|_| Unfit { setting: self.name, reason: "it does not fit a header".to_owned() })?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_cleaned_checked_and_never_shown() {
        let secret = |text: &str| Secret::new("token", &SecretString::from(text));
        for text in ["c2VjcmV0", " c2VjcmV0\n", "Bearer c2VjcmV0"] {
            let secret = secret(text).expect(text);
            assert_eq!(secret.header().expect("a header").as_bytes(), b"Bearer c2VjcmV0", "{text:?}");
            assert_eq!(format!("{secret:?} {:?}", secret.header()), "[redacted] Ok(Sensitive)");
        }
        for text in ["", "  ", "c2Vj cmV0", "c2Vj\ncmV0", "secrét"] {
            let unfit = secret(text).expect_err(text);
            assert!(!format!("{unfit:?}").contains("c2Vj"), "{unfit:?}");
        }
    }
}
