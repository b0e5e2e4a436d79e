//! Reads and checks the secret paths that the webhooks of instances call.

use std::collections::BTreeMap;

use super::error::CycleError;
use crate::config::{SecretSource, Secrets};
use crate::serve::hints::{SecretPath, UnfitPath};

/// Names the secret part of the address that webhooks call in messages.
pub const WEBHOOK_PATH: &str = "webhook path";

/// Holds the secret paths of instances.
#[derive(Debug, Default)]
pub struct WebhookPaths {
    /// The paths that can be used, by the names of their instances.
    pub known: BTreeMap<String, SecretPath>,
    /// Why the others cannot be read here.
    pub absent: Vec<CycleError>,
}

/// Reads the secret paths of instances and checks them.
///
/// # Errors
/// One that can be guessed, that is no part of an address, or that two instances have.
pub fn read<'a>(
    places: impl IntoIterator<Item = (&'a str, &'a SecretSource)>,
    secrets: &Secrets,
) -> Result<WebhookPaths, CycleError> {
    let mut paths = WebhookPaths::default();
    for (instance, place) in places {
        let unfit = |source| CycleError::WebhookPath { instance: instance.to_owned(), place: place.clone(), source };
        match secrets.read(WEBHOOK_PATH, place) {
            Ok(secret) => {
                let path = SecretPath::new(&secret).map_err(unfit)?;
                if paths.known.values().any(|other| *other == path) {
                    return Err(unfit(UnfitPath::Shared));
                }
                paths.known.insert(instance.to_owned(), path);
            }
            Err(error) => paths.absent.push(error.into()),
        }
    }
    Ok(paths)
}
