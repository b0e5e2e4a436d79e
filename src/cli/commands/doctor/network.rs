//! Tells by which way the platform and Grist are reached, and what the token may do there.

use url::Url;

use super::diagnosis::Diagnosis;
use crate::api::Client;
use crate::cli::context::variable;
use crate::cycle::targets::CheckOutcome;

impl Diagnosis {
    /// The proxy and the certificates, as the environment says them.
    pub(super) fn network(&mut self) {
        self.add(CheckOutcome::Ok, "proxy", proxy(variable), None);
        match certificates(variable) {
            Ok(found) => self.add(CheckOutcome::Ok, "certificates", found, None),
            Err(found) => {
                let hint = "let SSL_CERT_FILE name a file that this account may read, or unset it";
                self.add(CheckOutcome::Warn, "certificates", found, Some(hint));
            }
        }
    }

    /// Checks that the token may write, which decisions need and syncs do not.
    pub(super) async fn rights(&mut self, client: &Client) {
        let found = match client.may_write().await {
            Ok(true) => "the token may write: decisions can be sent",
            Ok(false) => "the token may only read: enough to sync, `dn push` needs one that may write",
            Err(error) => {
                let found = format!("whether it may write is not known: {error}");
                return self.add(CheckOutcome::Warn, "token", found, error.hint());
            }
        };
        self.add(CheckOutcome::Ok, "token", found, None);
    }
}

/// The proxy, without the account and the password that its address may hold. An address of this very machine is reached
/// without any.
fn proxy(variable: impl Fn(&str) -> Option<String>) -> String {
    let first = |names: [&'static str; 2]| names.into_iter().find_map(|name| Some((name, variable(name)?)));
    let said = first(["HTTPS_PROXY", "https_proxy"]).or_else(|| first(["ALL_PROXY", "all_proxy"]));
    let Some((name, address)) = said else { return "none".to_owned() };
    let parsed = Url::parse(&address).or_else(|_| Url::parse(&format!("http://{address}")));
    let shown = match parsed.ok().filter(Url::has_host) {
        Some(url) => {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
        }
        None => "an address that cannot be read".to_owned(),
    };
    let but = first(["NO_PROXY", "no_proxy"]);
    let but = but.map(|(name, hosts)| format!("; not for {hosts} ({name})")).unwrap_or_default();
    format!("{shown} ({name}){but}")
}

/// The certificates that are trusted.
fn certificates(variable: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    match (variable("SSL_CERT_FILE"), variable("SSL_CERT_DIR")) {
        (Some(file), _) => match std::fs::File::open(&file) {
            Ok(_) => Ok(format!("those of {file} (SSL_CERT_FILE)")),
            Err(error) => Err(format!("SSL_CERT_FILE names {file}, which cannot be read: {error}")),
        },
        (None, Some(folder)) => Ok(format!("those in {folder} (SSL_CERT_DIR)")),
        (None, None) => Ok("those that the system trusts".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxy_is_told_without_its_password() {
        let told = |set: &[(&str, &str)]| {
            proxy(|name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(told(&[]), "none");
        let set = [("HTTPS_PROXY", "http://agent:s3cret@proxy.example.org:3128"), ("NO_PROXY", "localhost")];
        assert_eq!(told(&set), "http://proxy.example.org:3128 (HTTPS_PROXY); not for localhost (NO_PROXY)");
        assert!(told(&[("all_proxy", "proxy.example.org:3128")]).ends_with("(all_proxy)"));
        assert!(!told(&[("https_proxy", "agent:s3cret@proxy")]).contains("s3cret"));
    }
}
