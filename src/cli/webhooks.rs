//! The secret paths of webhooks, from where the configuration says that they are.

use std::collections::BTreeMap;

use super::context::read_secret;
use super::error::CliError;
use crate::config::SecretSource;
use crate::serve::hints::{SecretPath, UnfitPath};

/// What the secret part of the address that webhooks call is named in messages.
pub const WEBHOOK_PATH: &str = "webhook path";

/// The secret paths of instances.
#[derive(Debug, Default)]
pub struct Paths {
    /// Those that can be used, by the names of their instances.
    pub known: BTreeMap<String, SecretPath>,
    /// Why the others cannot be read here.
    pub absent: Vec<CliError>,
}

/// Reads the secret paths of instances and checks them.
///
/// # Errors
/// One that can be guessed, that is no part of an address, or that two instances have.
pub fn read<'a>(places: impl IntoIterator<Item = (&'a str, &'a SecretSource)>) -> Result<Paths, CliError> {
    let mut paths = Paths::default();
    for (instance, place) in places {
        let unfit = |source| CliError::WebhookPath { instance: instance.to_owned(), place: place.clone(), source };
        match read_secret(WEBHOOK_PATH, place) {
            Ok(secret) => {
                let path = SecretPath::new(&secret).map_err(unfit)?;
                if paths.known.values().any(|other| *other == path) {
                    return Err(unfit(UnfitPath::Shared));
                }
                paths.known.insert(instance.to_owned(), path);
            }
            Err(error) => paths.absent.push(error),
        }
    }
    Ok(paths)
}
