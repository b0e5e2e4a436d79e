//! Makes certificates with OpenSSL, and serves one over TLS.

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

const HELP: &str = "OpenSSL is needed by the tests: install it (`apt-get install openssl`)";

/// An authority that nobody knows but who is told of it.
pub struct Authority {
    folder: TempDir,
}

/// A certificate and its key, as files.
pub struct Certificate {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    pub fn new() -> Self {
        let authority = Self { folder: tempfile::tempdir().expect("a folder") };
        authority.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -days 2 \
             -subj /CN=Essai",
        );
        authority
    }

    /// The file with its own certificate.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A certificate for a host. Negative days make one that has expired.
    pub fn certificate(&self, host: &str, days: i32) -> Certificate {
        fs::write(self.folder.path().join("ext"), format!("subjectAltName=DNS:{host}\nbasicConstraints=CA:FALSE\n"))
            .expect("a folder that can be written");
        let name = format!("{host}{days}");
        self.openssl(&format!(
            "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {name}.key -out {name}.csr -subj /CN={host}"
        ));
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out {name}.pem -days {days} -extfile ext"
        ));
        let file = |end: &str| self.folder.path().join(format!("{name}.{end}"));
        Certificate { certificate: file("pem"), key: file("key") }
    }

    fn openssl(&self, arguments: &str) {
        let made = Command::new("openssl").args(arguments.split(' ')).current_dir(self.folder.path()).output();
        let made = made.expect(HELP);
        assert!(made.status.success(), "openssl said: {}", String::from_utf8_lossy(&made.stderr));
    }
}

/// A server on this machine that shows a certificate and says nothing else: its port.
pub fn show(certificate: &Certificate) -> u16 {
    let chain = CertificateDer::from_pem_file(&certificate.certificate).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(&certificate.key).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocols")
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .expect("a certificate with its key");
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").expect("a free port"));
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut connection = rustls::ServerConnection::new(Arc::clone(&config)).expect("a connection");
            drop(connection.complete_io(&mut stream));
            // The client's last words.
            drop(stream.read(&mut [0; 1024]));
        }
    });
    port
}
