//! Decisions of a file. What became of them is kept beside it, so that the same file may be pushed again at any time.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::PushArgs;
use super::file::{self, Format};
use super::{Served, place};
use crate::cli::error::CliError;
use crate::cycle::{Cycle, PushOutcome};
use crate::intent::{Intent, IntentId, Status};
use crate::sink::{Backlog, MemoryOutbox, Outbox as _, SqliteSink};

/// Tells a file of decisions from a target.
pub fn is_file(from: &str) -> bool {
    !from.contains(':') && format_of(Path::new(from)).is_some()
}

/// The format, by the end of the name.
fn format_of(file: &Path) -> Option<Format> {
    let end = file.extension()?;
    if end.eq_ignore_ascii_case("csv") {
        Some(Format::Csv)
    } else if end.eq_ignore_ascii_case("json") {
        Some(Format::Json)
    } else {
        None
    }
}

/// Where what became of the intents of a file is kept.
pub fn outbox_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".outbox.db");
    PathBuf::from(name)
}

/// Sends the decisions of a file, or says what would be sent; with the intents of its outbox that nothing will ever send.
pub async fn push(
    cycle: &Cycle<'_>,
    args: &PushArgs,
    file: &Path,
    served: &Served,
) -> Result<(PushOutcome, Vec<Backlog>), CliError> {
    let now = Timestamp::now();
    let asked_at = written_at(file, now);
    let intents = read(file)?;
    let (scope, target) = (&cycle.job.scope, &cycle.job.target);
    let author = args.instructeur.as_deref();
    if args.apply {
        let outbox = SqliteSink::open(&outbox_of(file)).await?;
        let received = outbox.put(scope, &intents, asked_at).await?;
        refuse_taken(&received.taken)?;
        let outcome = cycle.send_from(&outbox, None, author).await;
        let unserved = served.unserved(&outbox, &place(target)).await;
        outbox.close().await?;
        return Ok((outcome, unserved?));
    }
    // A plan writes nothing, not even beside the file.
    let new = MemoryOutbox::default();
    new.put(scope, &intents, asked_at).await?;
    if !outbox_of(file).exists() {
        return Ok((cycle.plan_from(&new, author).await, Vec::new()));
    }
    // What waits beside the file is sent too, with how far it came, whether or not the file still says it.
    let kept = SqliteSink::open_read_only(&outbox_of(file)).await?;
    let outcome = cycle.plan_from(&kept, author).await;
    for Intent { id, .. } in &intents {
        match kept.status(scope, id).await? {
            None => {}
            // Planned just now; to what requires it, it is as good as done.
            Some(Status::Pending) => drop(new.resolve(scope, id, Status::Done, now).await?),
            Some(status) => drop(new.resolve(scope, id, status, now).await?),
        }
    }
    let unserved = served.unserved(&kept, &place(target)).await;
    kept.close().await?;
    Ok((outcome.and(cycle.plan_from(&new, author).await), unserved?))
}

/// Returns the time at which the intents of a file were asked for: its last modification, but not later than now. If the outbox
/// is lost, the platform is searched since then for what was sent. With the present instant it would be sent again.
fn written_at(file: &Path, now: Timestamp) -> Timestamp {
    let written = std::fs::metadata(file).and_then(|metadata| metadata.modified());
    written.ok().and_then(|at| Timestamp::try_from(at).ok()).map_or(now, |at| at.min(now))
}

fn read(file: &Path) -> Result<Vec<Intent>, CliError> {
    let bytes = std::fs::read(file).map_err(|source| CliError::Unreadable {
        what: "the file of intents",
        path: file.to_owned(),
        source,
    })?;
    file::read(&bytes, format_of(file).unwrap_or(Format::Csv)).map_err(|wrong| {
        let lines: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        CliError::Usage {
            message: format!("{} cannot be used: {}", file.display(), lines.join("; ")),
            hint: "correct these lines; nothing was taken from the file",
        }
    })
}

fn refuse_taken(taken: &[IntentId]) -> Result<(), CliError> {
    let Some(first) = taken.first() else { return Ok(()) };
    Err(CliError::Usage {
        message: format!(
            "{} of the file have ids under which something else was asked before: `{first}`{}",
            taken.len(),
            if taken.len() > 1 { "..." } else { "" }
        ),
        hint: "give what is new an id of its own",
    })
}
