//! Mutations of groupes d'instructeurs and of whole démarches.

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

/// Person to add to a groupe, or to remove from one. `Debug` does not show an address.
#[derive(Clone, PartialEq, Eq)]
pub enum ProfileRef {
    /// An instructeur whom the platform knows.
    Id(InstructeurId),
    /// An e-mail address. The platform invites a person whom it does not know.
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

/// Groupe to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGroupe {
    /// Its name, unique in the démarche.
    pub label: String,
    /// True if it takes no dossier.
    pub closed: bool,
    /// Its members.
    pub instructeurs: Vec<ProfileRef>,
}

/// Groupe after a mutation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupeReceipt {
    /// The groupe with its members.
    pub groupe: GroupeInstructeur,
    /// Inputs that the platform ignored: invalid addresses.
    pub warnings: Vec<String>,
}

/// Converts persons into one platform's input: one key each, as a null beside it would be refused (trap 68).
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

/// Converts the number of a démarche into one platform's input.
macro_rules! demarche {
    (dn, $module:ident, $number:expr) => {
        dn::$module::FindDemarcheInput::Number(i64::from($number.get()))
    };
    (ds, $module:ident, $number:expr) => {
        ds::$module::FindDemarcheInput { id: None, number: Some(i64::from($number.get())) }
    };
}

impl Client {
    /// Creates a groupe in a démarche. A second call is refused, as names are unique.
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

    /// Renames a groupe, closes it or opens it again. `None` changes nothing.
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

    /// Adds persons to a groupe.
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

    /// Removes persons from a groupe. They no longer follow its dossiers, which changes no date of these dossiers (trap
    /// 20).
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

    /// Clones a démarche: its form, not its dossiers. Returns the number of the clone, a draft. Not idempotent: a
    /// second call makes a second clone.
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
