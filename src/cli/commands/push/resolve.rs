//! Settles parked intents as the operator decides.

use super::PushArgs;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::{failed, told};
use crate::cycle::targets::open;
use crate::cycle::{Cycle, CycleError};
use crate::ids::Scope;
use crate::intent::{IntentId, Status};
use crate::sink::{Outbox, with_outbox};

/// An operator's word on intents that are parked.
pub async fn resolve(context: &Context, cycle: &Cycle<'_>, args: &PushArgs) -> Result<Exit, CliError> {
    let sink = open(&cycle.job.target, &context.secrets).await?;
    let ended = with_outbox!(&sink, outbox => resolve_in(context, &cycle.job.scope, outbox, args).await)
        .unwrap_or_else(|| Err(CycleError::NoOutbox.into()));
    sink.close().await?;
    ended
}

async fn resolve_in<O: Outbox>(
    context: &Context,
    scope: &Scope,
    outbox: &O,
    args: &PushArgs,
) -> Result<Exit, CliError> {
    let words = [(&args.retry, Status::Pending), (&args.cancel, Status::Cancelled), (&args.done, Status::Done)];
    let mut exit = Exit::Done;
    outbox.begin(scope).await?;
    for (ids, status) in words {
        for id in ids {
            let id = IntentId::new(id.as_str()).map_err(|error| CliError::Usage {
                message: error.to_string(),
                hint: "take the id from `dn push` or from `dn trail`",
            })?;
            if outbox.resolve(scope, &id, status, jiff::Timestamp::now()).await? {
                // The other ids are settled too, whether or not this can be written.
                told(context, false, &format!("{id}: {}", status.as_str()));
            } else {
                exit = exit.worse(failed(&CliError::Usage {
                    message: format!("`{id}` is unknown, or done already"),
                    hint: "take the id from `dn push` or from `dn trail`",
                }));
            }
        }
    }
    outbox.end(scope).await?;
    Ok(exit)
}
