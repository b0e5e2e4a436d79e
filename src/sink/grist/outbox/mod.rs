//! Intents in a document.
//!
//! - `kept`: an intent as `Dn_intentions` keeps it, sealed; `shown`: the same in `Dn_envois` and `Dn_journal`, for people;
//! - `words`: what became of an intent, in French;
//! - `ready`: the three tables, made when the first intent comes;
//! - `ask`: everything that is asked of them; `draft`: what one bundle writes;
//! - `forget`: what retention takes from them;
//! - `contract`: the [`Outbox`](crate::sink::Outbox) of a document.
//!
//! What is believed lies in `Dn_intentions`, which people do not see: one row an intent with all that is needed to go on
//! with it, and its digest. `Dn_envois` is written for people and never read: a line that somebody deletes or edits there
//! changes nothing, and one that is still to be sent comes back. How many intents there were is kept in `Dn_etat`, so that
//! a row of `Dn_intentions` that is gone is missed: then nothing is sent at all, since it may be one that was sent already.

mod ask;
mod contract;
mod draft;
mod forget;
mod kept;
mod ready;
mod shown;
mod words;

pub(in crate::sink::grist) use ask::{ask, of_dossiers};
pub(in crate::sink::grist) use contract::again;
pub(in crate::sink::grist) use draft::{Draft, update};
pub(in crate::sink::grist) use forget::emptied;
pub(in crate::sink::grist) use kept::Line;
pub(in crate::sink::grist) use ready::ready;
pub(in crate::sink::grist) use words::{named as named_action, outcome};
