//! Which document this is. A copy of a document brings along what waits to be sent, and what is remembered of what was sent;
//! so does a copy that was uploaded elsewhere. The sealed state keeps the id of the document in which it was made, and in
//! another one nothing is sent until an operator says that it takes the place of the first.

use super::GristSink;
use super::desk::Desk;
use super::fault::Fault;
use super::split::{self, Unit};
use super::state::{FORMAT, Format};
use super::{commit, value};
use crate::sink::grist::outbox::again;
use crate::sink::{InstanceAddress, SinkError};

/// The full id of the document, whatever address it was opened by.
pub(super) async fn here(desk: &Desk) -> Result<String, Fault> {
    Ok(desk.reader.doc.info().await?.id.to_string())
}

/// The document of which this one is a copy; `None` for an original.
async fn original(desk: &Desk) -> Result<Option<String>, Fault> {
    let Some(kept) = desk.state.format()?.document else { return Ok(None) };
    let here = here(desk).await?;
    Ok((kept != here).then_some(kept))
}

/// Refuses to send from a copy. Asked once, and one request then.
pub(super) async fn check(desk: &mut Desk) -> Result<(), Fault> {
    if desk.original {
        return Ok(());
    }
    match original(desk).await? {
        Some(of) => Err(Fault::Copy(of)),
        None => {
            if desk.state.format()?.document.is_none() {
                adopt(desk).await?;
            }
            desk.original = true;
            Ok(())
        }
    }
}

/// Keeps the id of this document as that in which things are sent.
async fn adopt(desk: &mut Desk) -> Result<(), Fault> {
    let mut format = desk.state.format()?;
    format.document = Some(here(desk).await?);
    keep(desk, &format).await
}

async fn keep(desk: &mut Desk, format: &Format) -> Result<(), Fault> {
    let values = desk.state.changed(vec![(FORMAT.to_owned(), value::write(format))]);
    if values.is_empty() {
        return Ok(());
    }
    let unit = Unit { rows: commit::state(&values), ..Unit::default() };
    for bundle in split::bundles(Vec::new(), unit) {
        desk.send(&[], &bundle, false).await?;
    }
    desk.state.keep(values);
    Ok(())
}

/// Keeps where an instance answers, in the place of `was`: now, or with the first tables.
pub(super) async fn keep_address(
    desk: &mut Desk,
    instance: &str,
    address: &InstanceAddress,
    was: Option<&InstanceAddress>,
) -> Result<(), Fault> {
    let prefix = desk.state.prefix(instance)?;
    let mut format = desk.state.format()?;
    if format.addresses.get(instance).or_else(|| desk.state.addresses.get(instance)) != was {
        return Ok(());
    }
    if !desk.state.kept.contains_key(FORMAT) {
        desk.state.addresses.insert(instance.to_owned(), address.clone());
        return Ok(());
    }
    format.instances.insert(instance.to_owned(), prefix);
    format.addresses.insert(instance.to_owned(), address.clone());
    keep(desk, &format).await
}

impl GristSink {
    /// The id of the document of which this one is a copy, where it is one: nothing is sent from it before
    /// [`adopt`](Self::adopt). At most one request.
    ///
    /// # Errors
    /// Those of a reading.
    pub async fn copied_from(&self) -> Result<Option<String>, SinkError> {
        self.read("a reading of its id", async |desk| original(desk).await).await
    }

    /// Makes this document the one from which things are sent, where it came into being as a copy of another. It is for the
    /// operator to know that nothing is sent from the other one any more.
    ///
    /// # Errors
    /// [`SinkError::Locked`] when another run took over, and those of a commit.
    pub async fn adopt(&self) -> Result<(), SinkError> {
        let desk = &mut *self.desk.lock().await;
        let adopted = again!(desk, adopt(desk));
        self.told("the adoption of a copy", adopted)
    }
}
