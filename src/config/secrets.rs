//! Reads secrets from where the settings say that they are. The only part of the configuration that reads anything: the files
//! that hold a secret. The variables of the environment are given by the caller.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use secrecy::SecretString;

use super::values::SecretSource;

type Variables = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Looks secrets up in variables and files. Clones are handles on the same variables.
#[derive(Clone)]
pub struct Secrets(Arc<Variables>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

impl Secrets {
    /// Looks variables up with this function, such as `|name| std::env::var(name).ok()`.
    pub fn new(variables: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(variables))
    }

    /// Gives a variable, if it is set to something.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    /// Reads a secret: a variable, or the first line of a file. Outer white space is not part of it.
    ///
    /// `what` names it in the error.
    ///
    /// # Errors
    /// A file that cannot be read, a variable or a first line that is empty.
    pub fn read(&self, what: &'static str, source: &SecretSource) -> Result<SecretString, SecretError> {
        let text = match source {
            SecretSource::Variable(name) => self.variable(name).unwrap_or_default(),
            SecretSource::File(path) => std::fs::read_to_string(path)
                .map_err(|source| SecretError::Unreadable { path: path.clone(), source })?,
        };
        match text.lines().next().map(str::trim) {
            Some(secret) if !secret.is_empty() => Ok(SecretString::from(secret)),
            _ => Err(SecretError::Absent { what, place: source.clone() }),
        }
    }
}

/// A secret that could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The file that holds it cannot be read.
    #[error("the file of a secret {} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The variable is not set, or the first line of the file is empty.
    #[error("there is no {what} in {place}")]
    Absent {
        /// Which secret.
        what: &'static str,
        /// The variable or the file.
        place: SecretSource,
    },
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_secret_is_the_first_line_without_outer_white_space() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("a writable folder");
            SecretSource::File(path)
        };
        let secrets = Secrets::new(|name| (name == "SET").then(|| " s3cret \nmore".to_owned()));
        for (source, expected) in [
            (SecretSource::Variable("SET".to_owned()), Some("s3cret")),
            (SecretSource::Variable("UNSET".to_owned()), None),
            (file("windows", "s3cret\r\n"), Some("s3cret")),
            (file("empty line", "\ns3cret\n"), None),
        ] {
            let read = secrets.read("token", &source).ok().map(|secret| secret.expose_secret().to_owned());
            assert_eq!(read.as_deref(), expected, "{source}");
        }
        let absent = secrets.read("token", &SecretSource::File(folder.path().join("none"))).expect_err("no file");
        assert!(matches!(absent, SecretError::Unreadable { .. }), "{absent}");
    }
}
