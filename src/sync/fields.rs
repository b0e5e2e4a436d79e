//! Decides which fields of dossiers are requested beyond the pinned documents. The platform's schema is read once a day for each
//! target. If that fails, dossiers are read as before: no dossier waits for it.

use jiff::{SignedDuration, Timestamp};

use super::error::SyncError;
use super::run::{Engine, until_stopped};
use super::setbacks;
use crate::api::{ApiError, Client, fields_catalogue};
use crate::checkpoint::{Checkpoint, PlatformFields, SideQuestion, Sweep};
use crate::fingerprint::Digest;
use crate::sink::Sink;

const SCHEMA: &str = "the schema of the platform";

/// The time between two readings of the schema.
const ASK_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// Computes the digest of the fields that a client requests beyond the pinned documents; `None` if there are none.
pub(super) async fn digest_of(client: &Client) -> Option<Digest> {
    digest(&client.additions().await)
}

fn digest(additions: &[&'static str]) -> Option<Digest> {
    (!additions.is_empty()).then(|| Digest::of(additions.join("\n").as_bytes()))
}

/// Clones a client so that it reads dossiers as the runs that filled a target, whose checkpoint is `stored`: with the fields of
/// its platform when the schema was last read, or those that were requested if an earlier version did not record them. Sends
/// nothing.
#[must_use]
pub fn client_of(client: &Client, stored: Option<&Checkpoint>) -> Client {
    match stored.map(|stored| (&stored.platform_fields, stored.newer_fields)) {
        Some((Some(fields), _)) => client.with_fields(Some(&fields.has)),
        Some((None, Some(asked))) => {
            let fields = client.fields_asked(|additions| digest(additions) == Some(asked));
            client.with_fields(fields.as_ref())
        }
        Some((None, None)) | None => client.with_fields(None),
    }
}

/// Returns true if the schema is to be read now.
fn is_due(checkpoint: &Checkpoint, catalogue: Digest, now: Timestamp, full: bool) -> bool {
    if checkpoint.setbacks.get(&SideQuestion::Schema).is_some_and(|setback| setback.waits(now)) {
        return full;
    }
    checkpoint.platform_fields.as_ref().is_none_or(|known| {
        // A clock that was set back makes it due as well.
        let fresh = known.at <= now && now.duration_since(known.at) < ASK_EVERY;
        full || !fresh || known.catalogue != catalogue
    })
}

impl<S: Sink> Engine<'_, S> {
    /// Reads the platform's schema if that is due, and requests its fields from now on. If they are others than before,
    /// every dossier is read again.
    pub(super) async fn adopt_fields(&mut self, now: Timestamp) -> Result<(), SyncError> {
        if self.job.client.wants_newer_fields() {
            let catalogue = Digest::of(fields_catalogue().as_bytes());
            if is_due(&self.checkpoint, catalogue, now, self.job.settings.full) {
                self.ask_fields(catalogue, now).await?;
            } else if let Some(setback) = self.checkpoint.setbacks.get(&SideQuestion::Schema) {
                self.notice(setbacks::not_asked(SCHEMA, setback));
            }
        }
        self.follow_fields().await;
        Ok(())
    }

    async fn ask_fields(&mut self, catalogue: Digest, now: Timestamp) -> Result<(), SyncError> {
        self.fields_asked = true;
        let asked = async { Ok(self.job.client.platform_fields(now).await) };
        let answer = until_stopped(&self.job.stop, asked).await?;
        let before = self.checkpoint.setbacks.remove(&SideQuestion::Schema);
        match answer {
            Ok(has) => self.checkpoint.platform_fields = Some(PlatformFields { has, catalogue, at: now }),
            Err(error) => {
                let setback = setbacks::after(before.as_ref(), now);
                let read = match self.checkpoint.newer_fields {
                    Some(_) => "dossiers are read with the newer fields of before",
                    None => "dossiers are read without newer fields",
                };
                self.notice(format!(
                    "{SCHEMA} could not be read ({error}); it is asked for again after {}, and {read} until then",
                    setback.next_try
                ));
                self.checkpoint.setbacks.insert(SideQuestion::Schema, setback);
            }
        }
        Ok(())
    }

    async fn follow_fields(&mut self) {
        self.client = client_of(self.job.client, Some(&self.checkpoint));
        let newer_fields = digest_of(&self.client).await;
        if self.checkpoint.newer_fields != newer_fields {
            if self.checkpoint.watermark.is_some() {
                self.checkpoint.sweep = Some(Sweep::default());
            }
            self.checkpoint.newer_fields = newer_fields;
        }
    }

    /// Reads the schema after the platform rejected a document, once a run, as a field may have been removed. Returns true if
    /// other fields are requested now.
    pub(super) async fn fields_moved(&mut self, error: &SyncError, now: Timestamp) -> Result<bool, SyncError> {
        let rejected = matches!(error, SyncError::Api(ApiError::Rejected { .. }));
        if !rejected || self.fields_asked || !self.job.client.wants_newer_fields() {
            return Ok(false);
        }
        let before = self.checkpoint.newer_fields;
        self.ask_fields(Digest::of(fields_catalogue().as_bytes()), now).await?;
        self.follow_fields().await;
        Ok(self.checkpoint.newer_fields != before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Setback;

    #[test]
    fn the_platform_is_asked_once_a_day_and_less_often_when_it_does_not_tell() {
        let at = |text: &str| -> Timestamp { text.parse().expect("an instant") };
        let (ours, other) = (Digest::of(b"ours"), Digest::of(b"other"));
        let known = |told: &str, catalogue| Checkpoint {
            platform_fields: Some(PlatformFields { has: [].into(), catalogue, at: at(told) }),
            ..Checkpoint::default()
        };
        let setback = Setback { attempts: 2, next_try: at("2026-02-01T12:10:00Z") };
        let failing =
            |checkpoint| Checkpoint { setbacks: [(SideQuestion::Schema, setback.clone())].into(), ..checkpoint };
        let now = at("2026-02-01T12:00:00Z");
        for (case, checkpoint, full, due) in [
            ("a new target", Checkpoint::default(), false, true),
            ("it was told today", known("2026-02-01T00:00:00Z", ours), false, false),
            ("a complete reading asks", known("2026-02-01T00:00:00Z", ours), true, true),
            ("a day is over", known("2026-01-31T12:00:00Z", ours), false, true),
            ("another version has more to ask for", known("2026-02-01T00:00:00Z", other), false, true),
            ("a clock that was set back", known("2026-02-02T00:00:00Z", ours), false, true),
            ("it failed a moment ago", failing(Checkpoint::default()), false, false),
            ("it failed, and what was told is old", failing(known("2026-01-01T00:00:00Z", ours)), false, false),
            ("it failed, and somebody wants all", failing(Checkpoint::default()), true, true),
        ] {
            assert_eq!(is_due(&checkpoint, ours, now, full), due, "{case}");
        }
        assert!(is_due(&failing(Checkpoint::default()), ours, at("2026-02-01T12:10:00Z"), false), "its turn has come");
    }
}
