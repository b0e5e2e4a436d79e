//! Failures of a connection that a retry does not mend.

use std::error::Error;
use std::fmt;

use rustls::CertificateError;

/// Failure of a connection that lasts until somebody changes a setting. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PermanentFailure {
    /// The certificate of the server is signed by an authority that this machine does not know.
    UnknownAuthority,
    /// The certificate of the server is not for this host.
    WrongName,
    /// The certificate of the server has expired, or is not valid yet.
    Expired,
    /// The certificate of the server cannot be used for another reason, or the two find no common way to encrypt.
    Handshake,
    /// The proxy asks for an account and a password (407).
    ProxyAuthentication,
}

impl fmt::Display for PermanentFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownAuthority => "the certificate of the server is signed by an unknown authority",
            Self::WrongName => "the certificate of the server is not for this host",
            Self::Expired => "the certificate of the server has expired or is not valid yet",
            Self::Handshake => "no secure connection is possible",
            Self::ProxyAuthentication => "the proxy asks for an account and a password (HTTP 407)",
        })
    }
}

impl PermanentFailure {
    /// Returns the next step for the operator, if there is one.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::UnknownAuthority => {
                "add the authority (often that of a proxy which reads along) to those of the system, or name a file with \
                 all of them in SSL_CERT_FILE"
            }
            Self::WrongName => "check the host in the address: it must be the one that the certificate names",
            Self::Expired => "set the clock of this machine; if it is right, the server needs a new certificate",
            Self::Handshake => "check the address, and what stands between this machine and the server",
            Self::ProxyAuthentication => {
                "write the account and the password into the address of the proxy: \
                 HTTPS_PROXY=http://account:password@proxy.example.org:3128, or name the host in NO_PROXY"
            }
        }
    }

    /// Finds a lasting cause among the causes of an error of the HTTP client.
    pub fn of(error: &reqwest::Error) -> Option<Self> {
        let mut cause: Option<&(dyn Error + 'static)> = error.source();
        while let Some(error) = cause {
            if let Some(found) = tls_error(error) {
                return Some(Self::of_tls(found));
            }
            // The HTTP client does not expose this error as a type, only as a text.
            if error.to_string().contains("proxy authorization required") {
                return Some(Self::ProxyAuthentication);
            }
            cause = error.source();
        }
        None
    }

    fn of_tls(error: &rustls::Error) -> Self {
        use CertificateError as C;
        match error {
            rustls::Error::InvalidCertificate(C::UnknownIssuer) => Self::UnknownAuthority,
            rustls::Error::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => Self::WrongName,
            rustls::Error::InvalidCertificate(
                C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. },
            ) => Self::Expired,
            // Some verifiers report a self-signed certificate this way.
            rustls::Error::InvalidCertificate(C::Other(_)) => Self::UnknownAuthority,
            _ => Self::Handshake,
        }
    }
}

/// Finds the error of TLS inside an error. Input/output errors wrap it, sometimes twice, and their `source` skips the
/// error that they wrap: look inside each.
fn tls_error<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    match error.downcast_ref::<rustls::Error>() {
        Some(found) => Some(found),
        None => tls_error(error.downcast_ref::<std::io::Error>()?.get_ref()?),
    }
}
