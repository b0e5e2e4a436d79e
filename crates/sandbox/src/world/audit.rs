//! The audit of mutations, and the webhooks.

use jiff::Timestamp;

use super::dossier::State;
use super::state::World;
use crate::time;

/// One effect of a mutation that the platform accepted, whether or not its answer arrived.
///
/// A refused mutation is no entry. A batch of annotations is one entry for each annotation that was saved.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// Virtual time, once the effect was there.
    pub at: Timestamp,
    /// The field of `Mutation` that was called, e.g. `dossierAccepter`.
    pub mutation: String,
    /// The dossier that it changed; `None` for groupes and démarches.
    pub dossier: Option<u32>,
    /// Number of the instructeur in whose name it was done, where the mutation takes one.
    pub instructeur: Option<u32>,
    /// `true` if the usager was told by e-mail: `disableNotification` takes nothing else away.
    pub notified: bool,
    /// The effect.
    pub effect: Effect,
}

/// The effect of a mutation.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// The dossier went from one state to another.
    State {
        /// Before.
        from: State,
        /// After.
        to: State,
        /// The motivation of a decision.
        motivation: Option<String>,
        /// MD5 in base64 of the file joined to the decision.
        justificatif: Option<String>,
    },
    /// The dossier was set aside, or taken back.
    Archived(bool),
    /// A message was sent to the usager.
    Message {
        /// Number of its row.
        id: u64,
        /// Its text.
        body: String,
        /// MD5 in base64 of the file joined to it.
        attachment: Option<String>,
        /// The correction that it opened: `None` as well when one was asked for and silently dropped.
        correction: Option<String>,
    },
    /// A message was withdrawn.
    MessageWithdrawn(u64),
    /// A message asks for no correction any more.
    CorrectionCancelled(u64),
    /// The dossier went to another team.
    Groupe {
        /// Number of the team that had it.
        from: u32,
        /// Number of the team that has it.
        to: u32,
    },
    /// The instructeur follows the dossier, or no longer does.
    Follow(bool),
    /// A label was put on the dossier, or taken off.
    Label {
        /// Number of its row.
        id: u64,
        /// `true` if it is on the dossier now.
        on: bool,
    },
    /// An annotation has a new content.
    Annotation {
        /// Stable id of the question.
        stable_id: u64,
        /// ULID of the row, within a repetition.
        row: Option<String>,
        /// The content as text, as the platform's `stringValue` gives it.
        text: String,
    },
    /// Rows were added to a repetition.
    Rows {
        /// Stable id of the repetition.
        stable_id: u64,
        /// ULIDs of the new rows.
        rows: Vec<String>,
    },
    /// Room was made for a file: nothing is attached yet.
    Upload {
        /// Number of the blob.
        blob: u64,
    },
    /// A team was made.
    GroupeCreated(u32),
    /// A team was renamed, opened or closed.
    GroupeChanged(u32),
    /// These instructeurs joined a team.
    InstructeursAdded {
        /// Number of the team.
        groupe: u32,
        /// Their numbers.
        instructeurs: Vec<u32>,
    },
    /// These instructeurs left a team.
    InstructeursRemoved {
        /// Number of the team.
        groupe: u32,
        /// Their numbers.
        instructeurs: Vec<u32>,
    },
    /// A démarche was cloned: the number of the clone.
    Cloned(u32),
}

/// A call that the platform would have made to the address that an administrateur gave: for changes of state only,
/// once, unsigned, whatever becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Number of the démarche.
    pub demarche: u32,
    /// Number of the dossier.
    pub dossier: u32,
    /// The state that it entered.
    pub state: State,
    /// Its last dated change.
    pub updated_at: Timestamp,
}

impl Webhook {
    /// The body of the call, as `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn body(&self) -> String {
        let updated_at = time::in_paris(self.updated_at).strftime("%Y-%m-%d %H:%M:%S %z").to_string();
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("procedure_id", &self.demarche.to_string())
            .append_pair("dossier_id", &self.dossier.to_string())
            .append_pair("state", self.state.as_str())
            .append_pair("updated_at", &updated_at)
            .finish()
    }
}

impl World {
    /// Returns the effects of all mutations, in order.
    #[must_use]
    pub fn audit(&self) -> &[AuditEntry] {
        &self.audit
    }

    /// The calls that the platform would have made since the world exists, in order.
    #[must_use]
    pub fn webhooks(&self) -> &[Webhook] {
        &self.webhooks
    }

    /// The dossier has just changed state: whoever gave an address would be told.
    pub(super) fn call_webhook(&mut self, number: u32) {
        let Some(dossier) = self.dossier(number).filter(|dossier| dossier.state != State::Brouillon) else { return };
        let hook = Webhook {
            demarche: dossier.demarche,
            dossier: number,
            state: dossier.state,
            updated_at: dossier.updated_at,
        };
        self.webhooks.push(hook);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_a_form_in_paris_time() {
        let hook = Webhook {
            demarche: 1234,
            dossier: 5_522_885,
            state: State::Accepte,
            updated_at: "2024-10-17T08:09:33.250Z".parse().expect("a test instant"),
        };
        let body = "procedure_id=1234&dossier_id=5522885&state=accepte&updated_at=2024-10-17+10%3A09%3A33+%2B0200";
        assert_eq!(hook.body(), body);
    }
}
