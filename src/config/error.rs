//! Reports everything that is wrong in a configuration at once.

use std::fmt;
use std::path::PathBuf;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line and column, from 1; columns count characters. `None` for what does not come from a file.
    pub at: Option<(usize, usize)>,
    /// The path of the key: `instances.dn.url`; the name of a flag or of a variable; empty for the file as a whole.
    pub key: String,
    /// The fault. Never holds the value of a secret.
    pub message: String,
    /// The key that was probably meant, or the next step.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem that has no place in a file.
    #[must_use]
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { at: None, key: key.into(), message: message.into(), hint: None }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// The configuration cannot be used.
#[derive(Debug)]
pub struct ConfigError {
    /// The file, when there is one.
    pub file: Option<PathBuf>,
    /// Everything that is wrong, in the order of the file. Never empty.
    pub problems: Vec<Problem>,
}

impl ConfigError {
    /// One problem that has no place in a file.
    #[must_use]
    pub fn one(problem: Problem) -> Self {
        Self { file: None, problems: vec![problem] }
    }
}

impl fmt::Display for ConfigError {
    /// One line a problem: `dn.toml:3:1: instances.dn.urll: unknown key (did you mean `url`?)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Problem { at, key, message, hint }) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            if let Some(file) = &self.file {
                write!(f, "{}:", file.display())?;
                if let Some((line, column)) = at {
                    write!(f, "{line}:{column}:")?;
                }
                f.write_str(" ")?;
            }
            if !key.is_empty() {
                write!(f, "{key}: ")?;
            }
            f.write_str(message)?;
            if let Some(hint) = hint {
                write!(f, " ({hint})")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
