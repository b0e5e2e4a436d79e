//! Describes the tables of the outbox, and counts what was put into them.

use serde::{Deserialize, Serialize};

use crate::ids::Scope;
use crate::sink::grist::fault::GristFault;
use crate::sink::grist::shared::Shared;
use crate::sink::grist::state::State;

/// One row an intent, with its seal: the only rows that are trusted.
pub(in crate::sink::grist) const INTENTS: &str = "Dn_intentions";
/// The same for people, who may change it as they like.
pub(in crate::sink::grist) const SENDINGS: &str = "Dn_envois";
/// The trail, line by line, for people too. Each line carries itself, sealed.
pub(in crate::sink::grist) const TRAIL: &str = "Dn_journal";

/// The tables of the outbox, made when the first intent comes. The one that is trusted comes first.
pub(super) const OUTBOX: &[Shared; 3] = &[
    Shared {
        id: INTENTS,
        title: "",
        columns: &[
            ("cle", "Text", ""),
            ("instance", "Text", ""),
            ("demarche", "Text", ""),
            ("numero", "Numeric", ""),
            ("rang", "Numeric", ""),
            ("chaine", "Text", ""),
            ("statut", "Text", ""),
            ("valeur", "Text", ""),
            ("empreinte", "Text", ""),
        ],
    },
    Shared {
        id: SENDINGS,
        title: "Envois",
        columns: &[
            ("demarche", "Text", "Démarche"),
            ("dossier", "Numeric", "Dossier n°"),
            ("action", "Text", "Action"),
            ("statut", "Choice", "Statut"),
            ("reponse", "Text", "Réponse"),
            ("agent", "Text", "Agent"),
            ("demande_le", "DateTime:Europe/Paris", "Demandé le"),
            ("regle_le", "DateTime:Europe/Paris", "Réglé le"),
            ("identifiant", "Text", "Identifiant"),
            ("cle", "Text", ""),
        ],
    },
    Shared {
        id: TRAIL,
        title: "Journal des envois",
        columns: &[
            ("demarche", "Text", "Démarche"),
            ("dossier", "Numeric", "Dossier n°"),
            ("moment", "DateTime:Europe/Paris", "Quand"),
            ("evenement", "Text", "Événement"),
            ("action", "Text", "Action"),
            ("reponse", "Text", "Réponse"),
            ("etat", "Text", "État du dossier"),
            ("agent", "Text", "Agent"),
            ("identifiant", "Text", "Identifiant"),
            ("cle", "Text", ""),
            ("rang", "Numeric", ""),
            ("valeur", "Text", ""),
            ("empreinte", "Text", ""),
        ],
    },
];

/// Finds a table of the outbox by its id.
pub(super) fn of(id: &str) -> &'static Shared {
    OUTBOX.iter().find(|table| table.id == id).expect("the list has every table of the outbox")
}

/// Counts the intents and lines of their trail that a démarche has had: no place is given twice, and a row that is gone is
/// missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sink::grist) struct OutboxCounts {
    pub intents: i64,
    pub lines: i64,
}

impl OutboxCounts {
    /// Names the value in which they are kept.
    pub(super) fn key(scope: &Scope) -> String {
        format!("{scope}/envois")
    }

    /// Reads them.
    pub(in crate::sink::grist) fn of(state: &State, scope: &Scope) -> Result<Self, GristFault> {
        Ok(state.get(&Self::key(scope))?.unwrap_or_default())
    }
}
