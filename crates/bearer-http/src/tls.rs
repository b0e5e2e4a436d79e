//! Configures TLS: rustls with `ring`, the certificates that the machine trusts, no global state.

use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use super::Unfit;

/// Builds the settings of one client. Without `trusting` no authority is trusted: for addresses that need no TLS, on
/// machines that may have no certificates.
pub(super) fn config(trusting: bool) -> Result<ClientConfig, Unfit> {
    let unfit = |error: rustls::Error| Unfit { setting: "TLS", reason: error.to_string() };
    let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().map_err(unfit)?;
    let mut config = if trusting {
        let verifier: Arc<dyn ServerCertVerifier> = Arc::new(Verifier::new(provider).map_err(unfit)?);
        builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
    } else {
        builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
