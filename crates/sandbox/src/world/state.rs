//! The world itself: records, indexes, clock, tokens.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use jiff::{SignedDuration, Timestamp};

use super::audit::{AuditEntry, Webhook};
use super::blob::Blob;
use super::demarche::Demarche;
use super::dossier::{Connection, Demandeur, Dossier, Edit, Extra};
use super::form::{Form, Question};
use super::generate;
use crate::Platform;
use crate::random::Random;
use crate::value::Value;

/// Time that passes between two changes unless someone advances the clock: many fit into one second.
const TICK: SignedDuration = SignedDuration::from_micros(137);

/// The way in which a dossier makes the platform fail until it is healed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poison {
    /// Any answer that reads its champs is HTTP 500, whatever else is on the page.
    Crash,
    /// Its node is null as soon as its champs are read, with an `invalid_null` error in the platform's form.
    NullNode,
    /// The register's data about the establishments in its champs has a null that the schema forbids: each reads as
    /// null, with an `invalid_null` error in the platform's form. The rest of the dossier is served.
    NullAnswer,
    /// Reading its champs exceeds the time allowed: its node is null with a `timeout` error.
    Timeout,
    /// It is listed, its node is null as soon as its champs are read, and asked for alone it is not found.
    Unfindable,
}

/// A token of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The text in the header.
    pub text: String,
    /// Démarches that it sees; `None` is all of them.
    pub demarches: Option<BTreeSet<u32>>,
    /// `true` if it may write.
    pub write_access: bool,
    /// Last day on which it works, end of day included.
    pub expires_on: Option<jiff::civil::Date>,
    /// `true` if the caller's network is refused.
    pub forbidden_network: bool,
    /// `true` if it was revoked.
    pub revoked: bool,
}

impl Token {
    /// A token that sees and does everything, made of a name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut random =
            Random::of(&[name.bytes().fold(7, |hash: u64, byte| hash.wrapping_mul(131) ^ u64::from(byte))]);
        let uuid = format!("{:08x}-0000-4000-8000-{:012x}", random.next() >> 32, random.next() >> 16);
        let secret = format!("{:016x}{:016x}", random.next(), random.next());
        Self {
            text: URL_SAFE.encode(format!("{uuid};{secret}")),
            demarches: None,
            write_access: true,
            expires_on: None,
            forbidden_network: false,
            revoked: false,
        }
    }
}

/// Everything that the platform knows. See the methods for what can happen to it.
pub struct World {
    /// Which platform it imitates.
    pub platform: Platform,
    /// Its specification.
    pub seed: u64,
    /// `true` if it is a Démarche Numérique of today, with what is in `graphql/demarche-numerique/newer`.
    pub newer: bool,
    /// The virtual clock.
    pub(crate) now: Timestamp,
    pub(crate) demarches: BTreeMap<u32, Demarche>,
    pub(crate) dossiers: HashMap<u32, Dossier>,
    pub(crate) instructeurs: BTreeMap<u32, String>,
    /// Tokens known to the platform; the first one is the default one.
    pub tokens: Vec<Token>,
    /// Dossiers that make it fail.
    pub poison: BTreeMap<u32, Poison>,
    /// A page that reads the champs of more dossiers than this times out after that many nodes.
    pub timeout_after: Option<usize>,
    /// `true` if every answer is the maintenance page.
    pub maintenance: bool,
    /// Mutations that answer with success and do nothing, as annotations do now and then.
    pub hollow: BTreeSet<String>,
    /// POST requests allowed per minute and per header value.
    pub rate_limit: Option<u32>,
    /// The date given to changes while a late commit is applied.
    pub(super) stamp: Option<Timestamp>,
    /// `true` if changes leave dates alone.
    pub(super) muted: bool,
    pub(super) next_row: u64,
    /// Counter that makes each signed address differ.
    pub(crate) nonce: u64,
    /// Files announced, sent and attached, by number.
    pub(super) blobs: BTreeMap<u64, Blob>,
    /// The audit.
    pub(crate) audit: Vec<AuditEntry>,
    /// Calls that the platform would have made.
    pub(super) webhooks: Vec<Webhook>,
}

impl World {
    /// The virtual time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Lets virtual time pass, then does what the platform does by night: purges, expiries, rebases that fell due.
    pub fn advance(&mut self, by: SignedDuration) {
        self.now += by;
        self.run_due();
    }

    /// Puts the clock at an instant, even in the past.
    pub fn set_now(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// The instant of the next change: a little later than the last one, or the date of the late commit under way.
    pub(super) fn tick(&mut self) -> Timestamp {
        if let Some(stamp) = self.stamp {
            return stamp;
        }
        self.now += TICK;
        self.now
    }

    pub(super) fn row(&mut self) -> u64 {
        self.next_row += 1;
        self.next_row
    }

    /// A démarche, thrown away or not.
    #[must_use]
    pub fn demarche(&self, number: u32) -> Option<&Demarche> {
        self.demarches.get(&number)
    }

    /// A démarche, to change its settings; dossiers have their own methods.
    pub fn demarche_mut(&mut self, number: u32) -> Option<&mut Demarche> {
        self.demarches.get_mut(&number)
    }

    /// Numbers of the démarches.
    #[must_use]
    pub fn demarches(&self) -> Vec<u32> {
        self.demarches.keys().copied().collect()
    }

    /// A dossier, visible or not; `None` once it is gone for good.
    #[must_use]
    pub fn dossier(&self, number: u32) -> Option<&Dossier> {
        self.dossiers.get(&number)
    }

    /// The address of an instructeur.
    #[must_use]
    pub fn instructeur(&self, number: u32) -> Option<&str> {
        self.instructeurs.get(&number).map(String::as_str)
    }

    /// Adds a token and gives the text for the header.
    pub fn add_token(&mut self, token: Token) -> String {
        let text = token.text.clone();
        self.tokens.push(token);
        text
    }

    /// The default token, to expire it, narrow it or make it read-only.
    pub fn token_mut(&mut self) -> &mut Token {
        &mut self.tokens[0]
    }

    /// Takes a démarche away from the default token, as when its administrateur loses it.
    pub fn remove_from_scope(&mut self, demarche: u32) {
        let all: BTreeSet<u32> = self.demarches.keys().copied().collect();
        self.token_mut().demarches.get_or_insert(all).remove(&demarche);
    }

    /// Gives a démarche back to the default token.
    pub fn restore_to_scope(&mut self, demarche: u32) {
        if let Some(numbers) = &mut self.token_mut().demarches {
            numbers.insert(demarche);
        }
    }

    /// Makes a dossier fail, until [`World::heal`].
    pub fn poison(&mut self, dossier: u32, poison: Poison) {
        self.poison.insert(dossier, poison);
    }

    /// Ends what [`World::poison`] started.
    pub fn heal(&mut self, dossier: u32) {
        self.poison.remove(&dossier);
    }

    /// Changes a record and keeps the indexes true.
    pub(super) fn alter<R>(&mut self, number: u32, change: impl FnOnce(&mut Dossier) -> R) -> Option<R> {
        let dossier = self.dossiers.get_mut(&number)?;
        let (updated, depose) = (dossier.updated_at, dossier.depose_at);
        let result = change(dossier);
        let demarche = self.demarches.get_mut(&dossier.demarche)?;
        if dossier.updated_at != updated {
            demarche.by_updated.remove(&(updated, number));
            demarche.by_updated.insert((dossier.updated_at, number));
        }
        if dossier.depose_at != depose {
            demarche.by_depose.remove(&(depose, number));
            demarche.by_depose.insert((dossier.depose_at, number));
        }
        let hidden = [dossier.hidden_by_user_at, dossier.hidden_by_administration_at, dossier.hidden_by_expired_at];
        if hidden.iter().any(Option::is_some) {
            demarche.hidden.insert(number);
        } else {
            demarche.hidden.remove(&number);
        }
        Some(result)
    }

    /// Adds a record.
    pub(super) fn insert(&mut self, dossier: Dossier) {
        if let Some(demarche) = self.demarches.get_mut(&dossier.demarche) {
            demarche.by_updated.insert((dossier.updated_at, dossier.number));
            demarche.by_depose.insert((dossier.depose_at, dossier.number));
            self.dossiers.insert(dossier.number, dossier);
        }
    }

    /// Makes a dossier what it was.
    pub(crate) fn put_back(&mut self, before: Dossier) {
        self.alter(before.number, |dossier| *dossier = before);
    }

    /// Removes a record.
    pub(super) fn remove(&mut self, number: u32) -> Option<Dossier> {
        let dossier = self.dossiers.remove(&number)?;
        if let Some(demarche) = self.demarches.get_mut(&dossier.demarche) {
            demarche.by_updated.remove(&(dossier.updated_at, number));
            demarche.by_depose.remove(&(dossier.depose_at, number));
            demarche.hidden.remove(&number);
        }
        Some(dossier)
    }

    /// The questions that a dossier answers: those of its own revision.
    #[must_use]
    pub fn form_of(&self, dossier: &Dossier) -> Option<&Form> {
        let demarche = self.demarches.get(&dossier.demarche)?;
        demarche.revisions.get(dossier.revision).map(|revision| &*revision.form)
    }

    /// The answer of a dossier, given since or generated, and when it last changed.
    #[must_use]
    pub fn answer(&self, dossier: &Dossier, question: &Question) -> (Value, Timestamp) {
        match dossier.extra.as_ref().and_then(|extra| extra.edits.get(&question.stable_id)) {
            Some(Edit { value, at }) => (value.clone(), *at),
            None => (generate::value(self.seed, dossier.number, question, dossier.depose_at), dossier.depose_at),
        }
    }

    /// Returns `true` if the condition of a question lets it show.
    #[must_use]
    pub fn is_shown(&self, dossier: &Dossier, question: &Question) -> bool {
        let Some(condition) = question.shown_if else { return true };
        let Some(asked) = self.form_of(dossier).and_then(|form| form.question(condition)) else { return true };
        self.answer(dossier, asked).0.text() == Some("true")
    }

    /// Returns the demandeur of that dossier.
    #[must_use]
    pub fn demandeur(&self, dossier: &Dossier) -> Demandeur {
        if let Some(demandeur) = dossier.extra.as_ref().and_then(|extra| extra.demandeur.clone()) {
            return demandeur;
        }
        let mut random = Random::of(&[self.seed, u64::from(dossier.number), 0xde]);
        if random.chance(60) {
            let (prenom, nom) = generate::name(&mut random);
            let civilite = Some(*random.pick(&["M", "Mme"]));
            Demandeur::PersonnePhysique { civilite, nom, prenom }
        } else {
            let siret = generate::siret(&mut random);
            Demandeur::PersonneMorale { siret, enriched: !random.chance(20) }
        }
    }

    /// The address and the account of the usager.
    #[must_use]
    pub fn usager(&self, dossier: &Dossier) -> (String, Connection) {
        let extra = dossier.extra.as_deref();
        let email = extra.and_then(|extra| extra.usager.clone());
        let email = email.unwrap_or_else(|| format!("usager-{}@example.org", dossier.number % 5000));
        let generated = if dossier.number.is_multiple_of(4) { Connection::FranceConnect } else { Connection::Password };
        (email, extra.and_then(|extra| extra.connection).unwrap_or(generated))
    }

    /// Returns rare properties, empty for most dossiers.
    pub(crate) fn extra(dossier: &Dossier) -> &Extra {
        static NONE: std::sync::LazyLock<Extra> = std::sync::LazyLock::new(Extra::default);
        dossier.extra.as_deref().unwrap_or(&NONE)
    }
}
