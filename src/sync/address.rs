//! Compares the address of an instance with the one that the target keeps: two instances never share one name.

use super::error::SyncError;
use crate::api::Client;
use crate::ids::Scope;
use crate::sink::{InstanceAddress, Sink};

impl InstanceAddress {
    /// Returns the address of a client.
    #[must_use]
    pub fn of(client: &Client) -> Self {
        let mut url = client.url().clone();
        url.set_query(None);
        url.set_fragment(None);
        // Both fail only for an address without a host, which no client has.
        let _ = (url.set_username(""), url.set_password(None));
        Self { platform: client.platform().as_str().to_owned(), url: url.as_str().trim_end_matches('/').to_owned() }
    }
}

/// Address of an instance, compared with the kept one, to be kept once the platform has answered.
#[must_use]
pub(super) struct AddressCheck {
    found: InstanceAddress,
    kept: Option<InstanceAddress>,
}

/// Compares the address of a client with the one that the target keeps for the instance.
///
/// # Errors
/// [`SyncError::OtherInstance`] if it is another one. A new address of the same platform passes if the operator
/// `accepts` it.
pub(super) async fn check<S: Sink>(
    client: &Client,
    sink: &S,
    scope: &Scope,
    accepts: bool,
) -> Result<AddressCheck, SyncError> {
    let found = InstanceAddress::of(client);
    let kept = sink.instances().await?.into_iter().find(|(name, _)| *name == scope.instance).and_then(|(_, kept)| kept);
    match kept {
        Some(kept) if kept != found && !(accepts && kept.platform == found.platform) => Err(SyncError::OtherInstance {
            instance: scope.instance.clone(),
            target: sink.name().to_owned(),
            kept: Box::new(kept),
            found: Box::new(found),
        }),
        kept => Ok(AddressCheck { found, kept }),
    }
}

/// Refuses a target that keeps dossiers of another instance under the same name. Reads only.
///
/// # Errors
/// [`SyncError::OtherInstance`], or those of the target.
pub async fn check_instance<S: Sink>(client: &Client, sink: &S, scope: &Scope) -> Result<(), SyncError> {
    check(client, sink, scope, false).await.map(drop)
}

impl AddressCheck {
    /// Keeps the address, if it is not kept already.
    pub(super) async fn keep<S: Sink>(self, sink: &S, scope: &Scope) -> Result<(), SyncError> {
        if self.kept.as_ref() != Some(&self.found) {
            sink.keep_address(&scope.instance, &self.found, self.kept.as_ref()).await?;
        }
        Ok(())
    }
}
