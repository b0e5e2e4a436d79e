//! The token.

use std::fmt;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use super::error::ApiError;

/// An API token. It shows itself as `[redacted]`, and is wiped from memory when dropped.
#[derive(Clone)]
pub(super) struct Token(SecretString);

impl Token {
    /// Takes a token as people paste it: outer white space is not part of it, nor is a leading `Bearer`.
    pub(super) fn new(token: &SecretString) -> Result<Self, ApiError> {
        let text = token.expose_secret().trim();
        let text = text.strip_prefix("Bearer ").unwrap_or(text).trim_start();
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self(SecretString::from(text)))
        } else {
            let reason = if text.is_empty() { "it is empty" } else { "it holds characters that no token has" };
            Err(ApiError::Settings { setting: "token", reason: reason.to_owned() })
        }
    }

    /// The header. Always spelled the same: the platform counts requests by this very text (dn-api 1.6).
    pub(super) fn header(&self) -> Result<HeaderValue, ApiError> {
        let text = SecretString::from(format!("Bearer {}", self.0.expose_secret()));
        let mut value = HeaderValue::from_str(text.expose_secret())
            .map_err(|_| ApiError::Settings { setting: "token", reason: "it does not fit a header".to_owned() })?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_cleaned_checked_and_never_shown() {
        let token = |text: &str| Token::new(&SecretString::from(text));
        for text in ["c2VjcmV0", " c2VjcmV0\n", "Bearer c2VjcmV0"] {
            let token = token(text).expect(text);
            assert_eq!(token.header().expect("a header").as_bytes(), b"Bearer c2VjcmV0", "{text:?}");
            assert_eq!(format!("{token:?} {:?}", token.header()), "[redacted] Ok(Sensitive)");
        }
        for text in ["", "  ", "c2Vj cmV0", "c2Vj\ncmV0", "secrét"] {
            let error = token(text).expect_err(text);
            assert!(!format!("{error} {error:?}").contains("c2Vj"), "{error}");
        }
    }
}
