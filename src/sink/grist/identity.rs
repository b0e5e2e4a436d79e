//! Tells a document from its copies. A copy of a document brings along what waits to be sent, and what is remembered of what
//! was sent; so does a copy that was uploaded elsewhere. The sealed state keeps the id of the document in which it was made,
//! and in another one nothing is sent until an operator says that it takes the place of the first.

use super::GristSink;
use super::bundles::{self, Unit};
use super::fault::GristFault;
use super::session::{DocumentSession, again};
use super::state::{DocumentFormat, FORMAT};
use super::{commit, value};
use crate::sink::{InstanceAddress, SinkError};

/// The full id of the document, whatever address it was opened by.
pub(super) async fn here(session: &DocumentSession) -> Result<String, GristFault> {
    Ok(session.reader.doc.info().await?.id.to_string())
}

/// The document of which this one is a copy; `None` for an original.
async fn original(session: &DocumentSession) -> Result<Option<String>, GristFault> {
    let Some(kept) = session.state.format()?.document else { return Ok(None) };
    let here = here(session).await?;
    Ok((kept != here).then_some(kept))
}

/// Refuses to send from a copy. Asked once, and one request then.
pub(super) async fn check(session: &mut DocumentSession) -> Result<(), GristFault> {
    if session.original {
        return Ok(());
    }
    match original(session).await? {
        Some(of) => Err(GristFault::Copy(of)),
        None => {
            if session.state.format()?.document.is_none() {
                adopt(session).await?;
            }
            session.original = true;
            Ok(())
        }
    }
}

/// Keeps the id of this document as that in which things are sent.
async fn adopt(session: &mut DocumentSession) -> Result<(), GristFault> {
    let mut format = session.state.format()?;
    format.document = Some(here(session).await?);
    keep(session, &format).await
}

async fn keep(session: &mut DocumentSession, format: &DocumentFormat) -> Result<(), GristFault> {
    let values = session.state.changed(vec![(FORMAT.to_owned(), value::write(format))]);
    if values.is_empty() {
        return Ok(());
    }
    let unit = Unit { rows: commit::state(&values), ..Unit::default() };
    for bundle in bundles::bundles(Vec::new(), unit) {
        session.send(&[], &bundle, false).await?;
    }
    session.state.keep(values);
    Ok(())
}

/// Keeps where an instance answers, in the place of `was`: now, or with the first tables.
pub(super) async fn keep_address(
    session: &mut DocumentSession,
    instance: &str,
    address: &InstanceAddress,
    was: Option<&InstanceAddress>,
) -> Result<(), GristFault> {
    let prefix = session.state.prefix(instance)?;
    let mut format = session.state.format()?;
    if format.addresses.get(instance).or_else(|| session.state.addresses.get(instance)) != was {
        return Ok(());
    }
    if !session.state.kept.contains_key(FORMAT) {
        session.state.addresses.insert(instance.to_owned(), address.clone());
        return Ok(());
    }
    format.instances.insert(instance.to_owned(), prefix);
    format.addresses.insert(instance.to_owned(), address.clone());
    keep(session, &format).await
}

impl GristSink {
    /// The id of the document of which this one is a copy, where it is one: nothing is sent from it before
    /// [`adopt`](Self::adopt). At most one request.
    ///
    /// # Errors
    /// Those of a reading.
    pub async fn copied_from(&self) -> Result<Option<String>, SinkError> {
        self.read("a reading of its id", async |session| original(session).await).await
    }

    /// Makes this document the one from which things are sent, where it came into being as a copy of another. It is for the
    /// operator to know that nothing is sent from the other one any more.
    ///
    /// # Errors
    /// [`SinkError::Locked`] when another run took over, and those of a commit.
    pub async fn adopt(&self) -> Result<(), SinkError> {
        let session = &mut *self.session.lock().await;
        let adopted = again!(session, adopt(session));
        self.with_context("the adoption of a copy", adopted)
    }
}
