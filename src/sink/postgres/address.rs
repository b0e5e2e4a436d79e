//! Parses the address of a PostgreSQL server, strictly: a parameter that is not known, or whose value is not, is an error.
//!
//! A misspelt `sslmode` would otherwise leave a connection unprotected without a word, and the driver would log the value
//! of a parameter that it does not know. Errors name parameters and never repeat a value: any of them may be a secret.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use url::Url;

/// The reason for which an address is invalid. Contains no value of it, as it may be secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct InvalidAddress {
    /// The reason.
    pub reason: String,
    /// The correction.
    pub hint: Option<String>,
}

/// A checked address. Holds the password: it is not shown.
#[derive(Clone)]
pub struct ServerAddress {
    pub(super) connect: PgConnectOptions,
    /// The schema, where the address names one.
    pub(super) schema: Option<String>,
    /// Time limit for connecting, if the address has one.
    pub(super) connect_timeout: Option<Duration>,
    /// The protection of the connection.
    pub(super) tls: Tls,
}

impl std::fmt::Debug for ServerAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerAddress").finish_non_exhaustive()
    }
}

/// The protection of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tls {
    /// The effective `sslmode`.
    pub mode: &'static str,
    /// The authority besides those of the system.
    pub root: Option<PathBuf>,
    /// The certificate of this client and its key.
    pub client: [Option<PathBuf>; 2],
}

/// The parameters, each with the other spellings that are taken for it.
const PARAMETERS: [(&str, &[&str]); 14] = [
    ("sslmode", &["ssl-mode"]),
    ("sslrootcert", &["ssl-root-cert", "ssl-ca"]),
    ("sslcert", &["ssl-cert"]),
    ("sslkey", &["ssl-key"]),
    ("host", &[]),
    ("hostaddr", &[]),
    ("port", &[]),
    ("dbname", &[]),
    ("user", &[]),
    ("password", &[]),
    ("application_name", &[]),
    ("options", &[]),
    ("connect_timeout", &[]),
    ("schema", &[]),
];

/// The values of `sslmode`.
const MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

const EXAMPLE: &str = "such as postgres://account@host:5432/database?sslmode=verify-full";

impl ServerAddress {
    /// Reads an address as libpq writes it, with one parameter of our own: `schema`. `variable` gives the variables of the
    /// environment that libpq knows (`PGSSLMODE`...), for what the address does not say.
    ///
    /// # Errors
    /// An invalid address; names the parameter.
    pub fn parse(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidAddress> {
        let url = Url::parse(text).map_err(|_| invalid("it is not an address of PostgreSQL").hint(PERCENT))?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(invalid("it does not begin with postgres://").hint(EXAMPLE));
        }
        // The text after an unescaped `#`, `/` or `?` of a password is part of a secret, so it must not be repeated.
        if url.fragment().is_some() || url.path().contains('@') || url.path().trim_start_matches('/').contains('/') {
            return Err(invalid("it is ambiguous: a character of it has a meaning in addresses").hint(PERCENT));
        }
        let mut given = Given::default();
        if let Some(host) = url.host_str().filter(|host| !host.is_empty()) {
            let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
            given.set("host", &decoded("host", host)?)?;
        }
        if let Some(port) = url.port() {
            given.set("port", &port.to_string())?;
        }
        for (key, value) in
            [("user", url.username()), ("password", url.password().unwrap_or_default()), ("dbname", url.path())]
        {
            let value = if key == "dbname" { value.trim_start_matches('/') } else { value };
            if !value.is_empty() {
                given.set(key, &decoded(key, value)?)?;
            }
        }
        for (key, value) in url.query_pairs() {
            given.set(known(&key)?, &value)?;
        }
        given.checked(&variable)
    }
}

const PERCENT: &str = "characters such as # / ? @ : % in a password are written in percent: %23 %2F %3F %40 %3A %25; or keep \
                       the password out of the address, with PGPASSFILE or PGPASSWORD";

/// The parameters of an address.
#[derive(Default)]
struct Given(Vec<(&'static str, String)>);

impl Given {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == key).map(|(_, value)| value.as_str())
    }

    fn set(&mut self, key: &'static str, value: &str) -> Result<(), InvalidAddress> {
        if value.contains('\0') {
            return Err(invalid(format!("the value of `{key}` cannot be used")));
        }
        match self.get(key) {
            Some(other) if other != value => Err(invalid(format!("it says `{key}` twice, with different values"))),
            Some(_) => Ok(()),
            None => {
                self.0.push((key, value.to_owned()));
                Ok(())
            }
        }
    }

    fn checked(self, variable: impl Fn(&str) -> Option<String>) -> Result<ServerAddress, InvalidAddress> {
        for key in ["host", "user", "dbname", "port", "sslmode", "schema", "application_name"] {
            if self.get(key) == Some("") {
                return Err(invalid(format!("`{key}` is empty")));
            }
        }
        if self.get("host").is_some_and(|host| host.contains(',')) {
            return Err(
                invalid("it names several hosts").hint("name the one that takes writes, or a name that follows it")
            );
        }
        if let Some(address) = self.get("hostaddr") {
            if self.get("host").is_some() {
                return Err(invalid("it says both `host` and `hostaddr`").hint("keep `host`"));
            }
            address.parse::<IpAddr>().map_err(|_| invalid("`hostaddr` is not a numeric address"))?;
        }
        let port = self.get("port").map(str::to_owned).or_else(|| variable("PGPORT"));
        if port.is_some_and(|port| port.parse::<u16>().ok().is_none_or(|port| port == 0)) {
            return Err(invalid("the port is not a number from 1 to 65535"));
        }
        let connect_timeout = match self.get("connect_timeout") {
            None => None,
            Some(text) => match text.parse::<u64>() {
                Ok(seconds) => Some(seconds).filter(|seconds| *seconds > 0).map(Duration::from_secs),
                Err(_) => return Err(invalid("`connect_timeout` is not a number of seconds")),
            },
        };
        let schema = self.get("schema").map(str::to_owned);
        if let Some(schema) = &schema {
            check_schema(schema)?;
        }
        let tls = self.tls(&variable)?;
        let mut url = Url::parse("postgres:///").expect("a constant");
        for (key, value) in &self.0 {
            match *key {
                "schema" | "connect_timeout" | "sslmode" | "sslrootcert" => {}
                key => drop(url.query_pairs_mut().append_pair(key, value)),
            }
        }
        url.query_pairs_mut().append_pair("sslmode", tls.mode);
        if let Some(root) = tls.root.as_deref().and_then(Path::to_str) {
            url.query_pairs_mut().append_pair("sslrootcert", root);
        }
        let connect = PgConnectOptions::from_url(&url).map_err(|_| invalid("a parameter cannot be used"))?;
        // Binary answers have all digits anyway, and poolers refuse this parameter of the start.
        let application = connect.get_application_name().unwrap_or("dn").to_owned();
        let connect = connect
            .extra_float_digits(None)
            .application_name(&application)
            .statement_cache_capacity(0)
            .disable_statement_logging();
        Ok(ServerAddress { connect, schema, connect_timeout, tls })
    }

    fn tls(&self, variable: impl Fn(&str) -> Option<String>) -> Result<Tls, InvalidAddress> {
        let said = |key: &str, name: &str| self.get(key).map(str::to_owned).or_else(|| variable(name));
        let mode = said("sslmode", "PGSSLMODE");
        let mode = match mode.as_deref() {
            None => "prefer",
            Some(text) => MODES.into_iter().find(|mode| *mode == text).ok_or_else(|| {
                let whose = if self.get("sslmode").is_some() { "`sslmode`" } else { "PGSSLMODE" };
                invalid(format!("the value of {whose} is none of {}", MODES.join(", ")))
            })?,
        };
        let root = said("sslrootcert", "PGSSLROOTCERT").filter(|path| path != "system").map(PathBuf::from);
        let mode = match (mode, &root) {
            // As libpq does: an authority that is named is meant to be used.
            ("require", Some(_)) => "verify-ca",
            ("verify-ca" | "verify-full", _) | (_, None) => mode,
            // Said in the address, for this connection: whoever wrote it believes that the server is verified.
            _ if self.get("sslrootcert").is_some() => {
                return Err(invalid(format!(
                    "`sslrootcert` is not used with `sslmode={mode}`: nothing would be verified"
                ))
                .hint("add sslmode=verify-full"));
            }
            _ => mode,
        };
        let client = [said("sslcert", "PGSSLCERT"), said("sslkey", "PGSSLKEY")].map(|path| path.map(PathBuf::from));
        if client[0].is_some() != client[1].is_some() {
            return Err(invalid("`sslcert` and `sslkey` go together: one of them is missing"));
        }
        Ok(Tls { mode, root, client })
    }
}

/// Checks the name of a schema.
pub(super) fn check_schema(schema: &str) -> Result<(), InvalidAddress> {
    let reserved = schema.starts_with("pg_") || schema == "information_schema";
    if schema.is_empty() || schema.len() > 63 || reserved || schema.contains('\0') {
        return Err(invalid("its schema has a name that PostgreSQL does not take"));
    }
    Ok(())
}

/// The parameter that is meant by a word.
fn known(word: &str) -> Result<&'static str, InvalidAddress> {
    let found = PARAMETERS.iter().find(|(name, others)| *name == word || others.contains(&word));
    if let Some((name, _)) = found {
        return Ok(name);
    }
    let plain = word.to_lowercase().replace(['-', '_'], "");
    let scored = PARAMETERS.iter().map(|(name, _)| (strsim::jaro_winkler(&plain, &name.replace('_', "")), *name));
    let near = scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name);
    // A name is shown; but a value may stand where a name should, after an unescaped `&` of a password.
    let is_name = word.len() <= 40 && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    let reason = match is_name {
        true => format!("it has a parameter `{word}` that is not known"),
        false => "it has a parameter that is not known".to_owned(),
    };
    let names = PARAMETERS.map(|(name, _)| name).join(", ");
    Err(invalid(reason).hint(match near {
        Some(near) => format!("did you mean `{near}`? known are {names}"),
        None => format!("known are {names}"),
    }))
}

/// A part of an address without its escapes. The parser of query strings does it.
fn decoded(key: &str, part: &str) -> Result<String, InvalidAddress> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (high, low) = (digit(rest.next()), digit(rest.next()));
        match (high, low) {
            (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
            _ => return Err(invalid(format!("the {key} has a % that is no escape")).hint(PERCENT)),
        }
    }
    String::from_utf8(bytes).map_err(|_| invalid(format!("the {key} is not UTF-8")))
}

fn invalid(reason: impl Into<String>) -> InvalidAddress {
    InvalidAddress { reason: reason.into(), hint: None }
}

impl InvalidAddress {
    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ServerAddress, InvalidAddress> {
        ServerAddress::parse(text, |_| None)
    }

    #[test]
    fn what_an_address_says_reaches_the_driver() {
        let text = "postgresql://l%22ouvrier:s%2F%23cret@base.example.org:5433/dos%2Fsiers?schema=ds&sslmode=verify-full\
                    &application_name=essai&connect_timeout=7";
        let address = parse(text).expect("an address");
        let connect = &address.connect;
        assert_eq!((connect.get_host(), connect.get_port()), ("base.example.org", 5433));
        assert_eq!((connect.get_username(), connect.get_database()), ("l\"ouvrier", Some("dos/siers")));
        assert_eq!((address.schema.as_deref(), address.tls.mode), (Some("ds"), "verify-full"));
        assert_eq!(address.connect_timeout, Some(Duration::from_secs(7)));
        assert_eq!(connect.get_application_name(), Some("essai"));
        let local = parse("postgres:///dossiers?host=/run/postgresql&user=dn&password=secret").expect("an address");
        assert_eq!(local.connect.get_socket(), Some(&PathBuf::from("/run/postgresql")));
        let encoded = parse("postgres://dn@%2Frun%2Fpostgresql/dossiers").expect("an address");
        assert_eq!(encoded.connect.get_socket(), Some(&PathBuf::from("/run/postgresql")));
    }

    #[test]
    fn an_ipv6_address_is_given_to_the_driver_without_its_brackets() {
        let address = parse("postgres://dn@[::1]:5433/dossiers").expect("an address");
        assert_eq!((address.connect.get_host(), address.connect.get_port()), ("::1", 5433));
        let address = parse("postgres:///dossiers?hostaddr=2001:db8::1").expect("an address");
        assert_eq!(address.connect.get_host(), "2001:db8::1");
    }

    #[test]
    fn what_is_not_known_is_refused_by_name_and_no_value_is_repeated() {
        for (text, said, hint) in [
            ("postgres://h/d?sslMode=verify-full", "`sslMode`", "`sslmode`"),
            ("postgres://h/d?sslmod=s3cret", "`sslmod`", "`sslmode`"),
            ("postgres://h/d?sslpassword=s3cret", "`sslpassword`", "known are"),
            ("postgres://h/d?SSLROOTCERT=/s3cret", "`SSLROOTCERT`", "`sslrootcert`"),
            ("postgres://h/d?channel_binding=s3cret", "`channel_binding`", "known are"),
            ("postgres://h/d?password=a&s3cret!=x", "a parameter that is not known", "known are"),
            ("postgres://h/d?sslmode=s3cret", "the value of `sslmode`", ""),
            ("postgres://h/d?sslmode=Verify-Full", "the value of `sslmode`", ""),
            ("postgres://h/d?sslmode=", "`sslmode` is empty", ""),
            ("postgres://h/d?sslmode=require&sslmode=disable", "`sslmode` twice", ""),
            ("postgres://h/d?sslrootcert=/s3cret.pem", "`sslrootcert` is not used", "verify-full"),
            ("postgres://h/d?sslmode=verify-full&sslcert=/s3cret.pem", "`sslcert` and `sslkey`", ""),
            ("postgres://h/d?port=s3cret", "the port", ""),
            ("postgres://h/d?connect_timeout=s3cret", "`connect_timeout`", ""),
            ("postgres://h/d?hostaddr=s3cret", "both `host` and `hostaddr`", ""),
            ("postgres:///d?hostaddr=s3cret", "`hostaddr`", ""),
            ("postgres://h/d?schema=pg_s3cret", "its schema", ""),
            ("postgres://u:s3cret%zz@h/d", "the password has a %", "%25"),
            ("postgres://u:12/s3cret@h/d", "ambiguous", "%2F"),
            ("postgres://u:pa#s3cret@h/d", "", "%23"),
            ("postgres://u:1#s3cret@h/d", "ambiguous", "%23"),
            ("postgres://u:s3cret@one,two/d", "several hosts", "one that takes writes"),
            ("sqlite:s3cret", "postgres://", "such as"),
            ("postgres://dn:s3cret@[/x", "not an address", "%"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.reason.contains(said), "{text}: {error:?}");
            assert!(error.hint.as_deref().unwrap_or_default().contains(hint), "{text}: {error:?}");
            assert!(!format!("{error:?}").contains("s3cret") && !format!("{error:?}").contains("12/"), "{error:?}");
        }
    }

    #[test]
    fn an_authority_that_is_named_is_used() {
        let mode = |text: &str| parse(text).expect(text).tls.mode;
        assert_eq!(mode("postgres://h/d"), "prefer");
        assert_eq!(mode("postgres://h/d?sslmode=require"), "require");
        assert_eq!(mode("postgres://h/d?sslmode=require&sslrootcert=/ca.pem"), "verify-ca");
        assert_eq!(mode("postgres://h/d?ssl-mode=verify-full&ssl-ca=/ca.pem"), "verify-full");
        let system = parse("postgres://h/d?sslmode=verify-full&sslrootcert=system").expect("an address");
        assert_eq!(system.tls.root, None);
        let env = |name: &str| (name == "PGSSLMODE").then(|| "verify_full".to_owned());
        let error = ServerAddress::parse("postgres://h/d", env).expect_err("a wrong variable");
        assert!(error.reason.contains("PGSSLMODE"), "{error}");
    }
}
