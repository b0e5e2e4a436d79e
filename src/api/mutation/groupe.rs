//! Groupes d'instructeurs and whole démarches.

use std::fmt;

use bytes::Bytes;

use super::error::MutationError;
use super::payload::WirePayload;
use super::request::{sent, sent_to};
use crate::api::client::Client;
use crate::api::convert;
use crate::api::generated::{demarche_numerique as dn, demat_social as ds};
use crate::api::operation::{Body, Request, encode};
use crate::demarche::GroupeInstructeur;
use crate::ids::{DemarcheNumber, GroupeInstructeurId, InstructeurId};
use crate::platform::Platform;

/// A person to put into a groupe, or to take out of one. `Debug` does not show an address.
#[derive(Clone, PartialEq, Eq)]
pub enum ProfileRef {
    /// An instructeur whom the platform knows.
    Id(InstructeurId),
    /// An e-mail address. The platform invites whoever it does not know.
    Email(String),
}

impl fmt::Debug for ProfileRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => f.debug_tuple("Id").field(id).finish(),
            Self::Email(_) => f.write_str("Email([hidden])"),
        }
    }
}

/// A groupe to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGroupe {
    /// Its name, unique in the démarche.
    pub label: String,
    /// Whether it takes no dossier.
    pub closed: bool,
    /// Its members.
    pub instructeurs: Vec<ProfileRef>,
}

/// A groupe as it was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupeReceipt {
    /// The groupe with its members.
    pub groupe: GroupeInstructeur,
    /// What the platform did not like and passed over: addresses that are none.
    pub warnings: Vec<String>,
}

/// The persons as one platform's input wants them: one key each (trap 68), by the type on the younger platform.
macro_rules! profiles {
    (dn, $module:ident, $profiles:expr) => {
        $profiles
            .iter()
            .map(|profile| match profile {
                ProfileRef::Id(id) => dn::$module::ProfileInput::Id(id.as_str().to_owned()),
                ProfileRef::Email(email) => dn::$module::ProfileInput::Email(email.clone()),
            })
            .collect()
    };
    (ds, $module:ident, $profiles:expr) => {
        $profiles
            .iter()
            .map(|profile| match profile {
                ProfileRef::Id(id) => ds::$module::ProfileInput { id: Some(id.as_str().to_owned()), email: None },
                ProfileRef::Email(email) => ds::$module::ProfileInput { id: None, email: Some(email.clone()) },
            })
            .collect()
    };
}

/// A démarche by its number, as one platform's input wants it.
macro_rules! demarche {
    (dn, $module:ident, $number:expr) => {
        dn::$module::FindDemarcheInput::Number(i64::from($number.get()))
    };
    (ds, $module:ident, $number:expr) => {
        ds::$module::FindDemarcheInput { id: None, number: Some(i64::from($number.get())) }
    };
}

impl Client {
    /// Makes a groupe in a démarche. Done twice, the second is refused: a name is there once.
    ///
    /// The platform looks for the démarche among all those of the token's owner, whatever the token is limited to
    /// (docs/platform.md#tokens).
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn groupe_instructeur_creer(
        &self,
        demarche: DemarcheNumber,
        new: &NewGroupe,
    ) -> Result<GroupeReceipt, MutationError> {
        macro_rules! of {
            ($side:ident) => {
                sent!(
                    $side,
                    groupe_instructeur_creer::GroupeInstructeurCreerInput {
                        demarche: demarche!($side, groupe_instructeur_creer, demarche),
                        groupe_instructeur: $side::groupe_instructeur_creer::GroupeInstructeurAttributes {
                            label: new.label.clone(),
                            closed: Some(new.closed),
                            instructeurs: Some(profiles!($side, groupe_instructeur_creer, new.instructeurs)),
                        },
                    }
                )
            };
        }
        let sent = match self.platform() {
            Platform::DemarcheNumerique => of!(dn),
            Platform::DematSocial => of!(ds),
        };
        self.change_groupe("groupeInstructeurCreer", format!("démarche {demarche}"), sent).await
    }

    /// Renames a groupe, closes it or opens it again. `None` leaves as it is.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn groupe_instructeur_modifier(
        &self,
        groupe: &GroupeInstructeurId,
        label: Option<&str>,
        closed: Option<bool>,
    ) -> Result<GroupeReceipt, MutationError> {
        let sent = sent_to!(
            self.platform(),
            groupe_instructeur_modifier::GroupeInstructeurModifierInput {
                groupe_instructeur_id: groupe.as_str().to_owned(),
                label: label.map(str::to_owned),
                closed,
            }
        );
        self.change_groupe("groupeInstructeurModifier", format!("groupe {groupe}"), sent).await
    }

    /// Puts persons into a groupe.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn groupe_instructeur_ajouter_instructeurs(
        &self,
        groupe: &GroupeInstructeurId,
        instructeurs: &[ProfileRef],
    ) -> Result<GroupeReceipt, MutationError> {
        macro_rules! of {
            ($side:ident) => {
                sent!(
                    $side,
                    groupe_instructeur_ajouter_instructeurs::GroupeInstructeurAjouterInstructeursInput {
                        groupe_instructeur_id: groupe.as_str().to_owned(),
                        instructeurs: profiles!($side, groupe_instructeur_ajouter_instructeurs, instructeurs),
                    }
                )
            };
        }
        let sent = match self.platform() {
            Platform::DemarcheNumerique => of!(dn),
            Platform::DematSocial => of!(ds),
        };
        self.change_groupe("groupeInstructeurAjouterInstructeurs", format!("groupe {groupe}"), sent).await
    }

    /// Takes persons out of a groupe. They no longer follow its dossiers, which moves no date (trap 20).
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn groupe_instructeur_supprimer_instructeurs(
        &self,
        groupe: &GroupeInstructeurId,
        instructeurs: &[ProfileRef],
    ) -> Result<GroupeReceipt, MutationError> {
        macro_rules! of {
            ($side:ident) => {
                sent!(
                    $side,
                    groupe_instructeur_supprimer_instructeurs::GroupeInstructeurSupprimerInstructeursInput {
                        groupe_instructeur_id: groupe.as_str().to_owned(),
                        instructeurs: profiles!($side, groupe_instructeur_supprimer_instructeurs, instructeurs),
                    }
                )
            };
        }
        let sent = match self.platform() {
            Platform::DemarcheNumerique => of!(dn),
            Platform::DematSocial => of!(ds),
        };
        self.change_groupe("groupeInstructeurSupprimerInstructeurs", format!("groupe {groupe}"), sent).await
    }

    /// Copies a démarche: its form, not its dossiers. The number of the copy, a draft. Done twice, there are two.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn demarche_cloner(
        &self,
        demarche: DemarcheNumber,
        title: Option<&str>,
    ) -> Result<DemarcheNumber, MutationError> {
        macro_rules! of {
            ($side:ident) => {
                sent!(
                    $side,
                    demarche_cloner::DemarcheClonerInput {
                        demarche: demarche!($side, demarche_cloner, demarche),
                        title: title.map(str::to_owned),
                    }
                )
            };
        }
        let sent = match self.platform() {
            Platform::DemarcheNumerique => of!(dn),
            Platform::DematSocial => of!(ds),
        };
        let (request, payload) = self.change("demarcheCloner", format!("démarche {demarche}"), sent).await?;
        let clone = payload.demarche.ok_or_else(|| MutationError::Unknown(request.partial(None)))?;
        Ok(DemarcheNumber::new(clone.number))
    }

    async fn change_groupe(
        &self,
        mutation: &'static str,
        on: String,
        sent: (&'static str, Bytes),
    ) -> Result<GroupeReceipt, MutationError> {
        let (request, mut payload) = self.change(mutation, on, sent).await?;
        let warnings = payload.warnings();
        let groupe = payload.groupe_instructeur.ok_or_else(|| MutationError::Unknown(request.partial(None)))?;
        Ok(GroupeReceipt { groupe: convert::groupe(groupe).0, warnings })
    }

    async fn change(
        &self,
        mutation: &'static str,
        on: String,
        (operation, body): (&'static str, Bytes),
    ) -> Result<(Request, WirePayload), MutationError> {
        let request = Request { operation, what: format!("{mutation} on {on}"), page_size: 0, body };
        let payload = self.mutate(&request, mutation).await?;
        Ok((request, payload))
    }
}
