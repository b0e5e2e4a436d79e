//! Where a setting comes from.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Who said so. In order of precedence: a flag wins over the environment, which wins over the file, which wins over the
/// default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingOrigin {
    /// A flag of the command line: `--url`.
    Flag(&'static str),
    /// A variable of the environment: `DN_URL`.
    Environment(String),
    /// The configuration file.
    File {
        /// Its path.
        path: Arc<PathBuf>,
        /// The line, from 1.
        line: usize,
    },
    /// Nobody: the default holds.
    Default,
}

impl fmt::Display for SettingOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::Environment(variable) => write!(f, "${variable}"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value and who gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value in force.
    pub value: T,
    /// Where it comes from.
    pub origin: SettingOrigin,
}

impl<T> Setting<T> {
    /// A value that nobody gave.
    pub fn default(value: T) -> Self {
        Self { value, origin: SettingOrigin::Default }
    }

    /// The same origin for a value made of this one.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Setting<U> {
        Setting { value: f(self.value), origin: self.origin }
    }
}
