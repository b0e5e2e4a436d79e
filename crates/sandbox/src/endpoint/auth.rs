//! Authenticates the caller.

use serde_json::{Value as Json, json};

use crate::Platform;
use crate::graph::Scope;
use crate::time;
use crate::world::World;

/// The token within an `Authorization` header: `Bearer x`, `Bearer token=x` or `Token token=x`.
fn token_of(header: &str) -> Option<&str> {
    let (scheme, rest) = header.split_once(' ')?;
    let rest = rest.trim();
    let named = rest.strip_prefix("token=").map(|text| text.trim_matches('"'));
    match scheme {
        "Bearer" => Some(named.unwrap_or(rest)),
        "Token" => named,
        _ => None,
    }
}

/// Returns the scope of the caller, or the status and the body of the refusal.
pub(super) fn scope(world: &World, header: Option<&str>, stored: bool) -> Result<Scope, (u16, Json)> {
    let young = world.platform == Platform::DemarcheNumerique;
    let token = header.and_then(token_of).and_then(|text| world.tokens.iter().find(|token| token.text == text));
    let Some(token) = token.filter(|token| !token.revoked) else {
        if young && !stored {
            return Err((403, refusal("Without a token, only persisted queries are allowed", "forbidden")));
        }
        return Ok(Scope::Anonymous);
    };
    // Démat Social says these in bare sentences.
    let refused =
        |message: &str, code: &str| if young { refusal(message, code) } else { json!({ "errors": [message] }) };
    let today = time::in_paris(world.now()).date();
    if token.forbidden_network {
        let advice = "Add 127.0.0.1/32 to your allowed adresses in your /profil";
        return Err((403, refused(&format!("Request issued from a forbidden network. {advice}"), "forbidden")));
    }
    if token.expires_on.is_some_and(|last| last < today) {
        return Err((401, refused("Token expired", "unauthorized")));
    }
    Ok(Scope::Token { demarches: token.demarches.clone(), write_access: token.write_access })
}

/// An error outside of any execution.
pub(super) fn refusal(message: &str, code: &str) -> Json {
    json!({"errors": [{"message": message, "extensions": {"code": code}}], "data": null})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_spellings_of_one_token() {
        for (header, expected) in [
            ("Bearer abc", Some("abc")),
            ("Bearer token=abc", Some("abc")),
            ("Token token=\"abc\"", Some("abc")),
            ("Token abc", None),
            ("Basic abc", None),
            ("abc", None),
        ] {
            assert_eq!(token_of(header), expected, "{header}");
        }
    }
}
