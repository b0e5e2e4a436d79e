//! Sends mutations, each at most once.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::error::MutationError;
use super::kind::{Author, Mutation};
use super::payload::{MutationReceipt, WirePayload};
use super::request;
use crate::api::answer::payload;
use crate::api::client::Client;
use crate::api::error::ApiError;
use crate::api::operation::Request;
use crate::ids::{DossierId, InstructeurId};

impl Client {
    /// Applies a mutation to a dossier, at most once.
    ///
    /// It sends one request, and retries only if that surely had no effect: the connection could not be opened, or the
    /// platform answered 429. A mutation that the platform lacks is not sent at all: [`Mutation::compose`] composes it
    /// from others.
    ///
    /// ```no_run
    /// use demarche_numerique::api::{Author, Mutation, MutationError};
    /// # use demarche_numerique::{Client, Dossier};
    /// # async fn example(client: &Client, dossier: &Dossier, by: &Author) -> Result<(), MutationError> {
    /// match client.apply(&dossier.id, by, &Mutation::PasserEnInstruction).await {
    ///     Ok(receipt) => println!("dossier {}: {:?}", dossier.number, receipt.dossier.map(|mark| mark.state)),
    ///     Err(MutationError::Refused { messages, .. }) => println!("dossier {}: {messages:?}", dossier.number),
    ///     // It may be done: read the dossier again before deciding anything.
    ///     Err(MutationError::Unknown(cause)) => println!("dossier {}: {cause}", dossier.number),
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`MutationError`] distinguishes mutations that were surely not applied from those that may have been.
    pub async fn apply(
        &self,
        dossier: &DossierId,
        by: &Author,
        mutation: &Mutation,
    ) -> Result<MutationReceipt, MutationError> {
        let request = request::of(mutation, self.platform(), dossier, by)?;
        if let Some(what) = self.lacks(mutation).await.map_err(MutationError::NotSent)? {
            return Err(MutationError::NotAvailable { mutation: what, platform: self.platform() });
        }
        let payload = self.mutate(&request, mutation.name()).await?;
        payload.receipt(mutation.name()).ok_or_else(|| MutationError::Unknown(request.partial(None)))
    }

    /// Names the part of a mutation that this platform lacks; `None` if it has all of it. If a mutation is newer than
    /// the pinned schema, the platform's own schema decides: one request, whose answer is kept.
    ///
    /// # Errors
    /// Those of [`introspect`](Self::introspect).
    #[doc(hidden)]
    pub async fn lacks(&self, mutation: &Mutation) -> Result<Option<&'static str>, ApiError> {
        if !mutation.is_available_on(self.platform()) {
            return Ok(Some(mutation.name()));
        }
        let newer = mutation.newer();
        if newer.is_empty() || self.schema_has(newer.iter().map(|newer| newer.fact)) {
            return Ok(None);
        }
        // Read again as long as something is missing: the platform may have been upgraded since.
        self.learn_schema().await?;
        Ok(newer.iter().find(|newer| !self.schema_has([newer.fact])).map(|newer| newer.what))
    }

    /// Returns true if the token may write. Nothing is written: the platform checks the token before it loads the
    /// dossier, so the request archives a dossier that cannot exist (trap 66).
    ///
    /// # Errors
    /// Those of the token, the network and the service, as of any request.
    #[doc(hidden)]
    pub async fn may_write(&self) -> Result<bool, ApiError> {
        let nobody = Author { instructeur: InstructeurId::new(BASE64_STANDARD.encode("Instructeur-0")), silent: true };
        let nothing = DossierId::new(BASE64_STANDARD.encode("Dossier-0"));
        let mutation = Mutation::Archiver;
        let mut request = request::of(&mutation, self.platform(), &nothing, &nobody)
            .expect("both platforms have this mutation, and nothing in it can be unfit");
        request.what = "whether the token may write".to_owned();
        match self.transport().ask(&request, |body| payload::<WirePayload>(&request, body)).await {
            Ok(payload) => Ok(!matches!(payload.accepted(mutation.name()), Err(MutationError::ReadOnlyToken { .. }))),
            // It looked for the dossier, so it had accepted the token.
            Err(ApiError::NotFound { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Sends a mutation, and returns its payload if nothing in it was refused.
    pub(super) async fn mutate(&self, request: &Request, mutation: &'static str) -> Result<WirePayload, MutationError> {
        match self.transport().ask_once(request, |body| payload::<WirePayload>(request, body)).await {
            Ok(payload) => payload.accepted(mutation),
            // The answer does not name what was not found: the dossier, the instructeur, a groupe or a label.
            Err(ApiError::NotFound { what }) => {
                Err(MutationError::of(ApiError::NotFound { what: format!("something that {what} names") }))
            }
            Err(error) => Err(MutationError::of(error)),
        }
    }
}
