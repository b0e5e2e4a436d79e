//! What an operator decides about intents that are parked.

use super::PushArgs;
use super::no_outbox;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::failed;
use crate::cli::jobs::Prepared;
use crate::cli::printer::answer;
use crate::cli::targets::{open, with_outbox};
use crate::intent::{IntentId, Status};
use crate::sink::Outbox;

/// An operator's word on intents that are parked.
pub async fn resolve(prepared: &Prepared<'_>, args: &PushArgs) -> Result<Exit, CliError> {
    let sink = open(prepared.target).await?;
    let ended =
        with_outbox!(&sink, outbox => resolve_in(prepared, outbox, args).await).unwrap_or_else(|| Err(no_outbox()));
    sink.close().await?;
    ended
}

async fn resolve_in<O: Outbox>(prepared: &Prepared<'_>, outbox: &O, args: &PushArgs) -> Result<Exit, CliError> {
    let words = [(&args.retry, Status::Pending), (&args.cancel, Status::Cancelled), (&args.done, Status::Done)];
    let mut exit = Exit::Done;
    outbox.begin(&prepared.scope).await?;
    for (ids, status) in words {
        for id in ids {
            let id = IntentId::new(id.as_str()).map_err(|error| CliError::Usage {
                message: error.to_string(),
                hint: "take the id from `dn push` or from `dn trail`",
            })?;
            if outbox.resolve(&prepared.scope, &id, status, jiff::Timestamp::now()).await? {
                answer(&format!("{id}: {}", status.as_str()))?;
            } else {
                exit = exit.worse(failed(&CliError::Usage {
                    message: format!("`{id}` is unknown, or done already"),
                    hint: "take the id from `dn push` or from `dn trail`",
                }));
            }
        }
    }
    outbox.end(&prepared.scope).await?;
    Ok(exit)
}
