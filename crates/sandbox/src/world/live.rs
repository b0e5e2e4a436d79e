//! The world lives: changes of every kind, at random and repeatable.

use jiff::SignedDuration;

use super::dossier::State;
use super::state::World;
use crate::kind::Kind;
use crate::random::Random;
use crate::value::{Scan, Value};

impl World {
    /// Does `changes` random things to random dossiers of that démarche, a few seconds to a few hours apart, silent
    /// ones included. The same world, count and seed give the same result; refused changes count as changes.
    pub fn live(&mut self, demarche: u32, changes: u32, seed: u64) {
        let mut random = Random::of(&[seed, u64::from(demarche), 0x11fe]);
        for _ in 0..changes {
            let pause = SignedDuration::from_millis(i64::try_from(random.below(3_600_000)).unwrap_or(0));
            self.advance(if random.chance(50) { pause } else { SignedDuration::ZERO });
            self.random_change(demarche, &mut random);
        }
    }

    fn random_change(&mut self, demarche: u32, random: &mut Random) {
        let numbers = self.numbers(demarche);
        if numbers.is_empty() || random.chance(8) {
            self.submit(demarche);
            return;
        }
        let number = *random.pick(&numbers);
        let agent = Some(1 + u32::try_from(random.below(3)).unwrap_or(0));
        let state = self.dossier(number).map(|dossier| dossier.state);
        match random.below(20) {
            0..=5 => self.random_edit(number, random),
            6..=8 => self.random_step(number, agent, random),
            9 => ignore_refusal(self.envoyer_message(number, agent, "<p>Où en êtes-vous ?</p>", None, Vec::new())),
            10 => {
                let (demarche, label) = (u64::from(demarche), 1 + random.below(3));
                if self.add_label(number, demarche * 10 + label).is_err() {
                    ignore_refusal(self.remove_label(number, demarche * 10 + label));
                }
            }
            11 => ignore_refusal(self.delete_by_user(number)),
            12 => ignore_refusal(self.delete_by_administration(number)),
            13 if random.chance(30) => ignore_refusal(self.expire(number)),
            14 => ignore_refusal(self.restore(number)),
            15 => self.touch(number),
            16 => ignore_refusal(self.archiver(number)),
            17 if state == Some(State::Accepte) => self.deliver_attestation(number),
            18 => self.enrich_demandeur(number),
            19 if random.chance(20) => self.delete_without_trace(number),
            _ => self.random_scan(number),
        }
    }

    fn random_edit(&mut self, number: u32, random: &mut Random) {
        let Some(form) = self.dossier(number).and_then(|dossier| self.form_of(dossier)) else { return };
        let texts = [Kind::Text, Kind::Textarea, Kind::IntegerNumber];
        let questions = form.champs.iter().chain(&form.annotations).filter(|question| texts.contains(&question.kind));
        let ids: Vec<u64> = questions.map(|question| question.stable_id).collect();
        if !ids.is_empty() {
            let value = Value::Text(random.below(100_000).to_string());
            ignore_refusal(self.edit(number, *random.pick(&ids), value));
        }
    }

    fn random_step(&mut self, number: u32, agent: Option<u32>, random: &mut Random) {
        ignore_refusal(match self.dossier(number).map(|dossier| dossier.state) {
            Some(State::EnConstruction) => self.passer_en_instruction(number, agent),
            Some(State::EnInstruction) if random.chance(60) => self.accepter(number, "Complet", agent),
            Some(State::EnInstruction) if random.chance(50) => self.refuser(number, "Incomplet", agent),
            Some(State::EnInstruction) => self.repasser_en_construction(number, agent),
            Some(State::Brouillon) => self.submit_brouillon(number),
            Some(_) => self.repasser_en_instruction(number, agent),
            None => Ok(()),
        });
    }

    fn random_scan(&mut self, number: u32) {
        let form = self.dossier(number).and_then(|dossier| self.form_of(dossier));
        let files = form.and_then(|form| form.champ_of(Kind::PieceJustificative)).map(|question| question.stable_id);
        if let Some(stable_id) = files {
            ignore_refusal(self.scan_files(number, stable_id, Scan::Safe));
        }
    }
}

/// A random change may well be illegal in the state it finds: that is part of life.
fn ignore_refusal<T>(result: Result<T, super::edit::Refused>) {
    drop(result);
}
