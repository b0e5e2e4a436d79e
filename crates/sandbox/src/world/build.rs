//! Builds the initial world.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::demarche::{Demarche, Groupe, Label};
use super::dossier::{Avis, Connection, Correction, Dossier, Extra, Message, Reason, State, Tombstone, Traitement};
use super::form;
use super::state::{Token, World};
use crate::Platform;
use crate::random::Random;
use crate::spec::{DemarcheSpec, FormSpec, WorldSpec};
use crate::value::FileRecord;

const DAY: i64 = 86_400_000_000;

impl World {
    /// The world of a spec.
    #[must_use]
    pub fn new(spec: &WorldSpec) -> Self {
        let mut world = Self {
            platform: spec.platform,
            seed: spec.seed,
            newer: spec.newer,
            now: spec.start,
            demarches: BTreeMap::new(),
            dossiers: HashMap::new(),
            instructeurs: (1..=4).map(|n| (n, format!("instructeur-{n}@example.org"))).collect(),
            tokens: vec![Token::new("default")],
            poison: BTreeMap::new(),
            timeout_after: None,
            maintenance: false,
            hollow: std::collections::BTreeSet::new(),
            rate_limit: spec.rate_limit,
            stamp: None,
            muted: false,
            next_row: 1,
            nonce: 0,
            blobs: BTreeMap::new(),
            audit: Vec::new(),
            webhooks: Vec::new(),
        };
        for demarche in &spec.demarches {
            world.add_demarche(demarche, spec.unknown_kinds);
        }
        world
    }

    fn add_demarche(&mut self, spec: &DemarcheSpec, unknown_kinds: bool) {
        let number = spec.number;
        let kinds = form::Kinds { unknown: unknown_kinds, newer: self.newer };
        let revisions = form::revisions(spec.form, self.platform, kinds, spec.brouillon, number, self.now);
        let groupe = |rank: u32, label: &str, instructeurs: &[u32]| Groupe {
            number: number * 10 + rank,
            label: label.to_owned(),
            closed: false,
            instructeurs: instructeurs.iter().copied().collect(),
        };
        let label =
            |rank: u64, name: &str, color| Label { id: u64::from(number) * 10 + rank, name: name.to_owned(), color };
        let demarche = Demarche {
            number,
            title: format!("Démarche de démonstration {number}"),
            brouillon: spec.brouillon,
            closed_at: None,
            discarded: false,
            opendata: spec.opendata,
            sva: false,
            correction_blocks: false,
            created_at: revisions[0].created_at,
            updated_at: revisions[revisions.len() - 1].created_at,
            revisions,
            groupes: vec![groupe(1, "Défaut", &[1, 2, 3]), groupe(2, "Bretagne", &[2, 4])],
            labels: vec![
                label(1, "À relancer", "yellow_tournesol"),
                label(2, "Urgent", "pink_macaron"),
                label(3, "Complet", "green_bourgeon"),
            ],
            deleted: BTreeMap::new(),
            by_updated: BTreeSet::new(),
            by_depose: BTreeSet::new(),
            hidden: BTreeSet::new(),
            next_dossier: spec.first_dossier(),
            held_form: None,
            rebase_due: None,
        };
        self.demarches.insert(number, demarche);
        self.dossiers.reserve(spec.dossiers as usize);
        for rank in 0..spec.dossiers {
            self.generate(number, rank, spec.form);
        }
        if spec.form == FormSpec::Complete && spec.dossiers > 0 && !spec.brouillon {
            self.generate_tombstones(number);
        }
    }

    /// One more number for a dossier of that démarche.
    pub(super) fn next_number(&mut self, demarche: u32) -> Option<u32> {
        let demarche = self.demarches.get_mut(&demarche)?;
        demarche.next_dossier += 1;
        Some(demarche.next_dossier - 1)
    }

    fn generate(&mut self, demarche: u32, rank: u32, form: FormSpec) {
        let Some(number) = self.next_number(demarche) else { return };
        let mut random = Random::of(&[self.seed, u64::from(number), 0xd0]);
        let micros = |random: &mut Random, max: i64| {
            let bound = u64::try_from(max).unwrap_or(1).max(1);
            SignedDuration::from_micros(i64::try_from(random.below(bound)).unwrap_or(0))
        };
        let depose_at = self.now - micros(&mut random, 400 * DAY) - SignedDuration::from_micros(DAY);
        let states = [
            State::EnConstruction,
            State::EnInstruction,
            State::Accepte,
            State::EnConstruction,
            State::Refuse,
            State::EnInstruction,
            State::SansSuite,
            State::Accepte,
        ];
        let state = states[rank as usize % states.len()];
        let between = |from: Timestamp, random: &mut Random, now: Timestamp| {
            let room = now.duration_since(from).as_micros();
            from + micros(random, i64::try_from(room).unwrap_or(1))
        };
        let en_instruction_at = (state != State::EnConstruction).then(|| between(depose_at, &mut random, self.now));
        let processed_at =
            en_instruction_at.filter(|_| state.is_terminated()).map(|at| between(at, &mut random, self.now));
        let agent = Some(1 + u32::try_from(random.below(3)).unwrap_or(0));
        let mut history = vec![self.traitement("depose", State::EnConstruction, depose_at, None, None)];
        if let Some(at) = en_instruction_at {
            history.push(self.traitement("passe_en_instruction", State::EnInstruction, at, agent, None));
        }
        if let Some(at) = processed_at {
            let (event, motivation) = match state {
                State::Accepte => ("accepte", "Dossier complet"),
                State::Refuse => ("refuse", "Hors du périmètre"),
                _ => ("classe_sans_suite", "Doublon"),
            };
            history.push(self.traitement(event, state, at, agent, Some(motivation.to_owned())));
        }
        let last = processed_at.or(en_instruction_at).unwrap_or(depose_at);
        let updated_at = self.now.min(last + micros(&mut random, 3_600_000_000));
        let Some(record) = self.demarches.get(&demarche) else { return };
        let revision = record.revisions.iter().rposition(|r| r.published_at.is_some_and(|at| at <= depose_at));
        let active = record.active_revision();
        let revision = if state.is_terminated() { revision.unwrap_or(active) } else { active };
        let groupe = record.groupes[usize::from(random.chance(30))].number;
        let extra = (form == FormSpec::Complete)
            .then(|| Box::new(self.generate_extra(demarche, number, state, depose_at, last, agent, &mut random)));
        self.insert(Dossier {
            number,
            demarche,
            revision,
            groupe,
            state,
            archived: state.is_terminated() && random.chance(30),
            updated_at,
            depose_at,
            en_construction_at: depose_at,
            en_instruction_at,
            processed_at,
            champs_at: Some(depose_at),
            annotations_at: None,
            hidden_by_user_at: None,
            hidden_by_administration_at: None,
            hidden_by_expired_at: None,
            hidden_reason: None,
            history,
            extra,
        });
    }

    #[allow(clippy::too_many_arguments)]
    fn generate_extra(
        &mut self,
        demarche: u32,
        number: u32,
        state: State,
        depose_at: Timestamp,
        last: Timestamp,
        agent: Option<u32>,
        random: &mut Random,
    ) -> Extra {
        let mut extra = Extra::default();
        let mut message = |email: String, body: &str, at, instructeur| Message {
            id: self.row(),
            email,
            body: body.to_owned(),
            created_at: at,
            discarded_at: None,
            attachments: Vec::new(),
            correction: None,
            instructeur,
        };
        extra.messages.push(message(
            "contact@example.org".to_owned(),
            "<p>Votre dossier a bien été déposé.</p>",
            depose_at,
            None,
        ));
        if random.chance(50) {
            let author = agent.unwrap_or(1);
            let mut written = message(
                format!("instructeur-{author}@example.org"),
                "<p>Bonjour, il manque une pièce.</p>",
                last,
                Some(author),
            );
            if state == State::EnConstruction {
                written.correction = Some(Correction { reason: "incomplete".to_owned(), resolved_at: None });
            } else {
                written.attachments.push(FileRecord::new("modèle.pdf", 640, last));
            }
            extra.messages.push(written);
        }
        if state != State::EnConstruction && random.chance(50) {
            let answered = random.chance(50);
            extra.avis.push(Avis {
                id: self.row(),
                question: "Que pensez-vous de ce projet ?".to_owned(),
                reponse: answered.then(|| "Favorable.".to_owned()),
                question_label: Some("Favorable ?".to_owned()),
                question_answer: answered.then_some(true),
                asked_at: last,
                updated_at: last,
                expert: "expert-1@example.org".to_owned(),
                claimant: agent,
                attachments: Vec::new(),
            });
        }
        if random.chance(30) {
            extra.labels.insert(u64::from(demarche) * 10 + 1 + random.below(3));
        }
        if state == State::Accepte {
            extra.attestation = Some(FileRecord::new("attestation.pdf", 2048, last));
        }
        if state.is_terminated() && random.chance(30) {
            extra.justificatif = Some(FileRecord::new("justificatif.pdf", 512, last));
        }
        if state != State::EnConstruction {
            extra.instructeurs.extend(agent);
        }
        if random.chance(15) {
            extra.mandataire = Some(("Mandataire".to_owned(), "Ariane".to_owned()));
        }
        if number.is_multiple_of(17) && state == State::EnInstruction {
            extra.connection = Some(Connection::Deleted);
        }
        extra
    }

    /// Some dossiers that are already on their way out, and some that are gone.
    fn generate_tombstones(&mut self, demarche: u32) {
        let Some(record) = self.demarches.get(&demarche) else { return };
        let groupe = record.groupes[0].number;
        let reasons = [Reason::UserRequest, Reason::Expired, Reason::InstructeurRequest];
        for (rank, reason) in reasons.into_iter().enumerate() {
            let Some(number) = self.next_number(demarche) else { return };
            let days = 20 + 40 * i64::try_from(rank).unwrap_or(0);
            let deleted_at = self.now - SignedDuration::from_hours(24 * days);
            let row = u32::try_from(rank).unwrap_or(0) + 1;
            let state = if reason == Reason::UserRequest { State::EnConstruction } else { State::Accepte };
            let tombstone = Tombstone { row, number, state, groupe, reason, deleted_at };
            if let Some(record) = self.demarches.get_mut(&demarche) {
                record.deleted.insert((deleted_at, row), tombstone);
            }
        }
    }

    pub(super) fn traitement(
        &mut self,
        event: &'static str,
        state: State,
        at: Timestamp,
        agent: Option<u32>,
        motivation: Option<String>,
    ) -> Traitement {
        Traitement { id: self.row(), event, state, at, agent, motivation }
    }

    /// Time for which a dossier hidden by its usager is kept.
    pub(super) fn grace(&self) -> SignedDuration {
        match self.platform {
            Platform::DemarcheNumerique => SignedDuration::from_hours(14 * 24),
            Platform::DematSocial => SignedDuration::from_hours(7 * 24),
        }
    }
}
