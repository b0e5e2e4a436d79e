//! Checks addresses that a secret may be sent to.

use url::{Host, Url};

use super::Unfit;

/// Parses an address that a secret may be sent to: `https`, or `http` to a loopback address. Returns also true if it is
/// a loopback address.
///
/// # Errors
/// The reason, under the name `url`. The address is not quoted: a password may be in it.
pub fn address(text: &str) -> Result<(Url, bool), Unfit> {
    let wrong = |reason: String| Unfit { setting: "url", reason };
    let url: Url = text.trim().parse().map_err(|error: url::ParseError| wrong(format!("it is not a URL: {error}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it holds a user name or a password: the token has its own setting".to_owned()));
    }
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return Err(wrong("it names no host".to_owned())),
    };
    match url.scheme() {
        "https" => Ok((url, loopback)),
        "http" if loopback => Ok((url, loopback)),
        "http" => Err(wrong("http would send the token in clear: use https".to_owned())),
        other => Err(wrong(format!("`{other}` is not https"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_sent_in_clear_to_this_machine_only() {
        for text in ["https://example.org/graphql", "http://localhost:80/", "http://127.0.0.9:1/x", "http://[::1]:3/"] {
            assert!(address(text).is_ok(), "{text}");
        }
        for text in [
            "http://example.org/graphql",
            "http://localhost.example.org/",
            "http://10.0.0.1/",
            "ftp://localhost/",
            "https://user:secret@example.org/",
            "example.org",
            "",
        ] {
            let unfit = address(text).expect_err(text);
            assert_eq!(unfit.setting, "url", "{text}");
            assert!(!unfit.reason.contains("secret"), "{unfit:?}");
        }
    }
}
