//! Classifies errors of PostgreSQL by the action that they call for.

use std::io::ErrorKind;

use crate::sink::SinkError;

/// Converts an error of the driver. PostgreSQL's messages may quote values (class 22): those are not shown.
pub(super) fn classify(error: &sqlx::Error, target: String, action: &'static str) -> SinkError {
    // The words of an opening do not fit what is said of a pause.
    let during = if action.starts_with("to be") { "an opening" } else { action };
    let lost = |reason: String, hint| SinkError::Unavailable { target: target.clone(), action: during, reason, hint };
    let strange =
        |reason: String, hint| SinkError::Unusable { target: target.clone(), action: "reached", reason, hint };
    let (code, words) = match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            let detail = obstacle(error.as_ref()).filter(|_| matches!(&*code, "2BP01" | "0A000"));
            let words = [Some(error.message()), detail].into_iter().flatten().collect::<Vec<_>>().join(": ");
            (code, words)
        }
        sqlx::Error::Io(error) => {
            if let Some(hint) = certificate(error) {
                return strange(format!("no secure connection ({error})"), Some(hint));
            }
            if error.kind() == ErrorKind::PermissionDenied {
                return strange(format!("the connection is not allowed ({error})"), Some(SOCKET));
            }
            return lost(format!("the connection was lost ({error})"), network(error));
        }
        sqlx::Error::Tls(error) => return strange(format!("no secure connection ({error})"), Some(NO_TLS)),
        sqlx::Error::Protocol(error) => {
            return strange(format!("the server does not speak as PostgreSQL does ({error})"), None);
        }
        sqlx::Error::BeginFailed | sqlx::Error::WorkerCrashed => {
            return lost("the connection was lost".to_owned(), None);
        }
        sqlx::Error::Configuration(_) => {
            let reason = "a setting of its address is not one of PostgreSQL's".to_owned();
            return SinkError::Unusable { target, action: "opened", reason, hint: None };
        }
        sqlx::Error::ColumnDecode { index, .. } => {
            return SinkError::Altered { target, reason: format!("a value of column {index} cannot be read") };
        }
        other => return SinkError::Refused { target, action, reason: other.to_string(), hint: None },
    };
    let unusable = |action| SinkError::Unusable {
        target: target.clone(),
        action,
        reason: format!("{words} ({code})"),
        hint: None,
    };
    let cannot = |reason| SinkError::CannotHold { target: target.clone(), action, reason, too_wide: code == "54000" };
    match (&*code, code.get(..2).unwrap_or_default()) {
        ("42501" | "3F000", _) => unusable("written"),
        ("42P01" | "42703" | "42883", _) => SinkError::Altered { target, reason: words },
        // Not `Locked`, which is said of another run.
        ("55P03" | "40P01" | "40001", _) => lost(format!("another program uses the same tables ({words})"), None),
        ("57014", _) => unusable("written"),
        // Beginning to write on a replica is not supported (0A000), as after a failover in the middle of a run.
        (code @ ("25006" | "0A000"), _) if code == "25006" || words.contains("recovery") => {
            let reason = format!("{words} ({code})");
            SinkError::Unusable { target, action: "written", reason, hint: Some(READ_ONLY) }
        }
        ("25P03", _) => lost("this program was away for too long in the middle of a transaction".to_owned(), None),
        // Limits on connections, which others give back.
        ("53300" | "53400", _) => lost(format!("{words} ({code})"), Some(CONNECTIONS)),
        (_, "28" | "3D") => unusable("opened"),
        (_, "53" | "58") => unusable("written"),
        (_, "08") => match refusal_of_pooler(&words) {
            Some(hint) => strange(format!("{words} ({code})"), Some(hint)),
            None if words.contains("no more connections allowed") => {
                lost(format!("{words} ({code})"), Some(CONNECTIONS))
            }
            None => lost(format!("{words} ({code})"), None),
        },
        (_, "57") => lost(format!("{words} ({code})"), None),
        (_, "XX") => SinkError::Foreign { target, reason: format!("it is damaged ({code})") },
        // Of a batch it is a value of one dossier, which is set aside; of anything else no run can do without it.
        ("22P05", _) if action != "a commit" => SinkError::Encoding { target, action, code: code.into_owned() },
        ("22P05" | "22021", _) => cannot(format!("its encoding has no place for a character ({code})")),
        (_, "22") => cannot(format!("a value is not one of its type ({code})")),
        // The words of a limit and of a constraint name tables, columns and sizes; values are in the detail, which is not shown.
        (_, "23" | "54") => cannot(format!("{words} ({code})")),
        // Those of a trigger are somebody else's, and may quote a value.
        ("P0001", _) | (_, "44") => cannot(format!("a rule that somebody added refuses it ({code})")),
        _ => SinkError::Refused { target, action, reason: words, hint: None },
    }
}

const READ_ONLY: &str = "name the primary in the address: this server, or this account, only reads";

const SOCKET: &str = "let this account use the socket of the server, or name a host in the address";

const NO_TLS: &str = "the server offers no TLS, or not as the address asks for it: check `sslmode`, `sslrootcert`, `sslcert` and \
                      `sslkey`, and `ssl` on the server";

const CONNECTIONS: &str = "run the same command again later; a run takes five connections: raise `max_connections`, the \
                           limit of the account or that of the pooler, or let fewer programs run at once";

/// Returns the next step for an invalid certificate; `None` for any other error.
fn certificate(error: &std::io::Error) -> Option<&'static str> {
    use rustls::CertificateError as C;
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    Some(match error {
        rustls::Error::InvalidCertificate(
            C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. },
        ) => "let the certificate of the server be renewed, or set the clock of this machine",
        rustls::Error::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => {
            "name the server in the address as its certificate does"
        }
        rustls::Error::InvalidCertificate(_) => {
            "name the authority that signed the certificate of the server: `sslrootcert=/path/ca.pem` in the address"
        }
        rustls::Error::AlertReceived(_) => {
            "the server refuses the handshake: it may ask for a certificate of this client (`sslcert`, `sslkey`)"
        }
        _ => NO_TLS,
    })
}

/// Returns the next step if a server cannot be reached.
fn network(error: &std::io::Error) -> Option<&'static str> {
    // What the resolver says has no kind of its own.
    error.to_string().contains("failed to lookup address").then_some(
        "check the name of the host in the address, and that this machine can resolve it; then run the same command again",
    )
}

/// Returns the next step for a permanent refusal of PgBouncer, found by its message, as nearly all of its errors have one code.
fn refusal_of_pooler(words: &str) -> Option<&'static str> {
    // What passes, in words that hold others below: the pooler repeats what the server said.
    const PASSING: [&str; 5] = ["no more connections allowed", "too many", "starting up", "shutting down", "recovery"];
    if PASSING.iter().any(|passing| words.contains(passing)) {
        return None;
    }
    const SERVER: &str = "use session or transaction pooling, or name the server's own port in the address";
    [
        ("transaction blocks not allowed", SERVER),
        ("prepared statement", SERVER),
        (
            "unsupported startup parameter",
            "take `options` out of the address (and PGOPTIONS), or name the server's own port",
        ),
        ("no such database", "check the name of the database: the pooler has none of this name in its configuration"),
        ("no such user", "check the account: the pooler does not know it"),
        ("is disabled", "let the pooler's administrator enable the database"),
        ("not allowed", "let the pooler's administrator allow this account and this address"),
        ("SSL required", "add sslmode=verify-full to the address: the pooler asks for TLS"),
        ("TLS connection required", "add sslmode=verify-full to the address: the pooler asks for TLS"),
        ("TLS client certificate required", "name a certificate of this client: `sslcert` and `sslkey` in the address"),
        ("login failed", "check the account and the password, those that the pooler uses for the server included"),
        ("password authentication failed", "check the account and the password, in the pooler too"),
    ]
    .into_iter()
    .find(|(start, _)| words.contains(start))
    .map(|(_, hint)| hint)
}

/// Recognises an object that others depend on, so that it cannot be dropped.
pub(super) fn is_needed(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "2BP01")
}

/// Returns the names of the views that prevent a change of a table.
fn obstacle(error: &dyn sqlx::error::DatabaseError) -> Option<&str> {
    error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>()?.detail()
}

/// Recognises a missing right. A schema that the account may not use is reported as absent (3F000).
pub(super) fn is_right_missing(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| matches!(&*code, "42501" | "3F000"))
}

/// Recognises a pooler that refuses a startup parameter.
pub(super) fn refuses_parameter(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.message().contains("startup parameter"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pooler_says_lasts_or_passes() {
        for words in [
            "no such database: dossiers",
            "no such user: dn",
            "unsupported startup parameter: options",
            "SSL required",
            "transaction blocks not allowed in statement pooling mode",
            "database \"dossiers\" is disabled",
            "not allowed",
            "server login failed: FATAL password authentication failed",
        ] {
            assert!(refusal_of_pooler(words).is_some(), "{words}");
        }
        for words in [
            "query_wait_timeout",
            "client_login_timeout",
            "no more connections allowed (max_client_conn)",
            "pgbouncer cannot connect to server",
            "connect timeout",
            "server conn crashed?",
            "server login failed: FATAL the database system is starting up",
            "server login failed: FATAL sorry, too many clients already",
        ] {
            assert_eq!(refusal_of_pooler(words), None, "{words}");
        }
    }

    #[test]
    fn a_certificate_lasts_and_a_network_passes() {
        use rustls::CertificateError::{Expired, NotValidForName, UnknownIssuer};
        let classified = |error: std::io::Error| classify(&sqlx::Error::Io(error), "t".to_owned(), "to be opened");
        for (error, to_do) in
            [(Expired, "renewed"), (NotValidForName, "as its certificate does"), (UnknownIssuer, "sslrootcert=")]
        {
            let error =
                classified(std::io::Error::new(ErrorKind::InvalidData, rustls::Error::InvalidCertificate(error)));
            assert!(matches!(&error, SinkError::Unusable { .. }), "{error:?}");
            assert!(error.hint().is_some_and(|hint| hint.contains(to_do)), "{:?}", error.hint());
        }
        for kind in [ErrorKind::ConnectionRefused, ErrorKind::TimedOut, ErrorKind::NotFound, ErrorKind::UnexpectedEof] {
            assert!(matches!(classified(kind.into()), SinkError::Unavailable { .. }), "{kind}");
        }
    }
}
