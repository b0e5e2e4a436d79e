//! The configuration for the runs to come. It names where secrets are, and holds none.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use toml::Value;

use crate::cli::error::CliError;
use crate::config::{Config, GristTarget, Instance, SecretSource, defaults};
use crate::ids::DemarcheNumber;

/// Holds the settings of the first sync.
pub struct Kept<'a> {
    /// The configuration that was read, whose names are not to be taken twice.
    pub config: &'a Config,
    pub instance: &'a Instance,
    pub demarche: DemarcheNumber,
    pub target: &'a GristTarget,
    /// The name of the privacy policy, unless it is the default.
    pub policy: Option<&'a str>,
}

impl Kept<'_> {
    /// The tables to keep: a whole file, or what to add to the one that was read.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if !self.config.instances.contains_key(&self.instance.name) {
            text.push_str(&format!("[instances.{}]\n", self.instance.name));
            line(&mut text, "platform", self.instance.platform.value.as_str());
            line(&mut text, "url", self.instance.url.value.as_str());
            secret(&mut text, &self.instance.token.value, "token-env", "token-file");
            text.push('\n');
        }
        let name = self.name();
        text.push_str(&format!("[targets.{name}]\n"));
        line(&mut text, "type", "grist");
        line(&mut text, "url", self.target.url.value.as_str());
        line(&mut text, "document", self.target.document.as_str());
        secret(&mut text, &self.target.key.value, "key-env", "key-file");
        text.push_str("\n[[demarches]]\n");
        text.push_str(&format!("number = {}\n", self.demarche));
        line(&mut text, "instance", &self.instance.name);
        line(&mut text, "target", &name);
        if let Some(policy) = self.policy {
            line(&mut text, "privacy", policy);
        }
        text
    }

    /// A name that no target has.
    fn name(&self) -> String {
        let free = |name: &String| !self.config.targets.contains_key(name);
        let numbered = (2..).map(|number| format!("grist-{number}"));
        std::iter::once("grist".to_owned()).chain(numbered).find(free).expect("numbers do not end")
    }
}

fn line(text: &mut String, key: &str, value: &str) {
    text.push_str(&format!("{key} = {}\n", Value::from(value)));
}

fn secret(text: &mut String, source: &SecretSource, variable_key: &str, file_key: &str) {
    match source {
        SecretSource::Variable(name) => line(text, variable_key, name),
        SecretSource::File(path) => {
            let whole = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            line(text, file_key, &whole.display().to_string());
        }
    }
}

/// The variables that the next run finds its secrets in.
pub fn variables(kept: &Kept<'_>) -> Vec<String> {
    let named = [&kept.instance.token.value, &kept.target.key.value].into_iter().filter_map(|source| match source {
        SecretSource::Variable(name) => Some(name.clone()),
        SecretSource::File(_) => None,
    });
    named.filter(|name| crate::cli::context::variable(name).is_none()).collect()
}

/// Refuses a file that is there, before anything else is done.
pub fn check_free(path: &Path) -> Result<(), CliError> {
    if path.exists() {
        let message = format!("--write: {} exists already", path.display());
        return Err(CliError::Usage { message, hint: "name another file, or leave it out and add what is printed" });
    }
    Ok(())
}

/// Writes a file that is not there.
pub fn write(path: &PathBuf, text: &str) -> Result<(), CliError> {
    let written = std::fs::File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| CliError::Unwritable { path: path.clone(), source })
}

/// Names the command for the next runs.
pub fn next(path: Option<&Path>) -> String {
    let file = path.map_or_else(|| "FILE".to_owned(), |path| path.display().to_string());
    format!("from now on: dn --config {file} sync   (or the variable {})", defaults::CONFIG_ENV)
}
