//! Answers made on demand: the same seed, dossier and question always give the same answer.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::form::Question;
use crate::kind::Kind;
use crate::places;
use crate::random::Random;
use crate::value::{Area, AreaSource, FileRecord, RowRecord, Scan, Value};

const PRENOMS: [&str; 8] = ["Zélie", "Anatole", "Maëlle", "Côme", "Éléonore", "Gaël", "Inès", "Loïc"];
const NOMS: [&str; 8] = ["Exemple", "D’Essai", "Modèle", "Du Bac-à-Sable", "Factice", "L’Inventée", "Témoin", "Fictif"];
const WORDS: [&str; 12] =
    ["projet", "école", "forêt", "rivière", "atelier", "été", "façade", "où", "cœur", "naïf", "📎", "“guillemets”"];

/// An invented first and last name.
pub(super) fn name(random: &mut Random) -> (String, String) {
    ((*random.pick(&PRENOMS)).to_owned(), (*random.pick(&NOMS)).to_owned())
}

fn sentence(random: &mut Random, words: u64) -> String {
    let count = 1 + random.below(words);
    let words: Vec<&str> = (0..count).map(|_| *random.pick(&WORDS)).collect();
    words.join(" ")
}

/// A day between 2000 and 2027.
fn day(random: &mut Random) -> Date {
    let year = 2000 + i16::try_from(random.below(28)).unwrap_or(0);
    let month = 1 + i8::try_from(random.below(12)).unwrap_or(0);
    let day = 1 + i8::try_from(random.below(28)).unwrap_or(0);
    Date::constant(year, month, day)
}

/// Fourteen digits whose key is wrong: the number of nobody.
pub(super) fn siret(random: &mut Random) -> String {
    let digits = format!("9{}", random.digits(12));
    let wrong = (0..10u32).find(|last| !luhn(&format!("{digits}{last}"))).unwrap_or(0);
    format!("{digits}{wrong}")
}

fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .chars()
        .rev()
        .filter_map(|digit| digit.to_digit(10))
        .enumerate()
        .map(|(rank, digit)| if rank % 2 == 1 { digit * 2 / 10 + digit * 2 % 10 } else { digit })
        .sum();
    sum.is_multiple_of(10)
}

/// A social security number that is well keyed and cannot exist: born in département 99, commune 000.
fn nir(random: &mut Random) -> String {
    let sex = 1 + random.below(2);
    let body = format!("{sex}{:02}{:02}99000{:03}", random.below(100), 1 + random.below(12), 1 + random.below(999));
    let number: u64 = body.parse().unwrap_or(0);
    format!("{body}{:02}", 97 - number % 97)
}

/// The answer that the dossier `number` gave at `at` to that question.
pub(super) fn value(seed: u64, number: u32, question: &Question, at: Timestamp) -> Value {
    let mut random = Random::of(&[seed, u64::from(number), question.stable_id]);
    answer(&mut random, number, question, at)
}

fn answer(random: &mut Random, number: u32, question: &Question, at: Timestamp) -> Value {
    if !question.required && random.chance(12) {
        return Value::Empty;
    }
    let text = match question.born {
        Kind::Text | Kind::Formatted | Kind::ExpressionReguliere => sentence(random, 4),
        Kind::Textarea => format!("{}\n\n{}", sentence(random, 12), sentence(random, 12)),
        Kind::Email => format!("usager-{}@example.org", random.below(10_000)),
        Kind::Phone => format!("019900{}", random.digits(4)),
        Kind::Iban => format!("FR00 {} {} {}", random.digits(4), random.digits(4), random.digits(4)),
        Kind::AnnuaireEducation => format!("099{}Z", random.digits(4)),
        Kind::Cojo => format!("{} – {}", random.digits(6), day(random)),
        Kind::Referentiel => format!("REF-{}", random.digits(5)),
        Kind::Number | Kind::IntegerNumber => random.pick(&["0", "7", "42", "-3", "3400936534933"]).to_string(),
        Kind::DecimalNumber => random.pick(&["0.1", "12.345", "1234567.89", "-0.005", "19.9"]).to_string(),
        Kind::Checkbox
        | Kind::YesNo
        | Kind::QuotientFamilial
        | Kind::Aah
        | Kind::Aeeh
        | Kind::Ars
        | Kind::EtudiantBoursier
        | Kind::PreRempli => random.chance(60).to_string(),
        Kind::Date => day(random).to_string(),
        Kind::Datetime => {
            format!("{}T{:02}:{:02}:00+01:00", day(random), 6 + random.below(16), random.below(60))
        }
        Kind::Civilite => random.pick(&["M", "Mme"]).to_string(),
        Kind::DropDownList => {
            question.options.get(random.below(question.options.len() as u64) as usize).cloned().unwrap_or_default()
        }
        Kind::Communes => random.pick(&places::COMMUNES).0.to_owned(),
        Kind::Departements => random.pick(&places::DEPARTEMENTS).0.to_owned(),
        Kind::Regions => random.pick(&places::REGIONS).0.to_owned(),
        Kind::Pays => random.pick(&places::PAYS).0.to_owned(),
        Kind::DossierLink => (number + 1).to_string(),
        Kind::EngagementJuridique => format!("EJ{}", random.digits(8)),
        Kind::Nir => nir(random),
        Kind::Nouveau => sentence(random, 3),
        Kind::TitreIdentite => "true".to_owned(),
        Kind::Cnaf | Kind::Dgfip | Kind::PoleEmploi | Kind::Mesri | Kind::HeaderSection | Kind::Explication => {
            return Value::Empty;
        }
        Kind::MultipleDropDownList => {
            return Value::List(question.options.iter().filter(|_| random.chance(50)).cloned().collect());
        }
        Kind::LinkedDropDownList => return linked(random, &question.options),
        Kind::Epci => {
            let epci = random.pick(&places::EPCIS);
            return Value::List(vec![epci.0.to_owned(), epci.1.to_owned()]);
        }
        Kind::Siret => return Value::Reference { id: siret(random), known: !random.chance(15) },
        Kind::Rna => return Value::Reference { id: format!("W99{}", random.digits(7)), known: !random.chance(15) },
        Kind::Rnf => return Value::Reference { id: format!("099-FDD-{}-00", random.digits(5)), known: true },
        Kind::Address => {
            let commune = random.pick(&places::COMMUNES);
            let id = format!("{} rue de l’Exemple {} {}", 1 + random.below(120), commune.2, commune.1);
            return Value::Reference { id, known: !random.chance(20) };
        }
        Kind::PieceJustificative => return Value::Files(files(random, question, at)),
        Kind::Carte => return Value::Areas(areas(random, number)),
        Kind::Repetition => return Value::Rows(rows(random, number, question, at)),
        Kind::Finess => return finess(random),
        Kind::Rppsante => return rpps(random),
    };
    Value::Text(text)
}

fn linked(random: &mut Random, options: &[String]) -> Value {
    let mut primary = None;
    let mut pairs = Vec::new();
    for option in options {
        match option.strip_prefix("--").and_then(|rest| rest.strip_suffix("--")) {
            Some(title) => primary = Some(title.to_owned()),
            None => pairs.extend(primary.clone().map(|primary| vec![primary, option.clone()])),
        }
    }
    if pairs.is_empty() { Value::Empty } else { Value::List(random.pick(&pairs).clone()) }
}

fn files(random: &mut Random, question: &Question, at: Timestamp) -> Vec<FileRecord> {
    let count = 1 + random.below(3);
    (0..count)
        .map(|rank| {
            let name = format!("pièce {}-{rank}.{}", question.stable_id, random.pick(&["pdf", "png", "txt"]));
            let mut file = FileRecord::new(&name, 50 + random.below(1500), at);
            file.seed = random.next();
            file.scan = if random.chance(10) { Scan::Pending } else { Scan::Safe };
            file
        })
        .collect()
}

fn areas(random: &mut Random, number: u32) -> Vec<Area> {
    let longitude = 2.0 + f64::from(u32::try_from(random.below(1000)).unwrap_or(0)) / 10_000.0;
    let latitude = 47.0 + f64::from(u32::try_from(random.below(1000)).unwrap_or(0)) / 10_000.0;
    let ring = json!([[
        [longitude, latitude],
        [longitude + 0.01, latitude],
        [longitude, latitude + 0.01],
        [longitude, latitude]
    ]]);
    let drawn = Area {
        id: u64::from(number) * 10,
        description: Some("Zone d’étude".to_owned()),
        source: AreaSource::SelectionUtilisateur,
        geometry: json!({"type": "Point", "coordinates": [longitude, latitude]}),
    };
    let parcel = Area {
        id: u64::from(number) * 10 + 1,
        description: None,
        source: AreaSource::Cadastre {
            commune: "35238".to_owned(),
            section: "AB".to_owned(),
            numero: random.digits(2),
        },
        geometry: json!({"type": "Polygon", "coordinates": ring}),
    };
    if random.chance(50) { vec![drawn, parcel] } else { vec![drawn] }
}

/// Rows are made while a draft is written, before it is submitted.
fn rows(random: &mut Random, number: u32, question: &Question, at: Timestamp) -> Vec<RowRecord> {
    let made = at - SignedDuration::from_hours(1);
    let count = random.below(4);
    (0..count)
        .map(|rank| {
            let champs = question.children.iter().map(|child| (child.stable_id, answer(random, number, child, at)));
            let champs = champs.collect();
            RowRecord::new(made, u64::from(number) * 100 + rank, champs)
        })
        .collect()
}

fn finess(random: &mut Random) -> Value {
    let finess = format!("99{}", random.digits(7));
    if random.chance(25) {
        return Value::Data { text: "établissement introuvable".to_owned(), data: serde_json::Value::Null };
    }
    let category = 300 + random.below(100);
    let data = json!({
        "finess": finess,
        "et_finess": finess,
        "rs": "EHPAD DE L’EXEMPLE",
        "et_rs": "EHPAD DE L’EXEMPLE",
        "adresse_code_postal": if random.chance(50) { json!(99001) } else { json!("99001") },
        "adresse_lib_routage": "99001 VILLE-FICTIVE",
        "tutelle": null,
        "categ_code": if random.chance(50) { json!(category) } else { json!(category.to_string()) },
        "categ_lib": "Maison de retraite",
    });
    Value::Data { text: finess, data }
}

fn rpps(random: &mut Random) -> Value {
    let number = format!("1000{}", random.digits(7));
    let (prenom, nom) = name(random);
    let data = json!({
        "identifiant_pp": if random.chance(50) { json!(number) } else { json!(number.parse::<u64>().unwrap_or(0)) },
        "code_civilite": "MME",
        "nom_d_exercice": nom,
        "prenom_d_exercice": prenom,
        "libelle_profession": "Médecin",
        "code_postal_coord_structure": if random.chance(50) { json!("99001") } else { json!(99001) },
        "libelle_commune_coord_structure": "VILLE-FICTIVE",
    });
    Value::Data { text: number, data }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invented_numbers_belong_to_nobody() {
        let mut random = Random::of(&[3]);
        for _ in 0..200 {
            let siret = siret(&mut random);
            assert_eq!(siret.len(), 14);
            assert!(!luhn(&siret), "{siret} has a valid key");
            let nir = nir(&mut random);
            assert_eq!(nir.len(), 15);
            assert_eq!(&nir[5..10], "99000", "{nir} names a real place");
            let (body, key) = nir.split_at(13);
            assert_eq!(body.parse::<u64>().expect("digits") % 97 + key.parse::<u64>().expect("digits"), 97, "{nir}");
        }
    }

    #[test]
    fn the_same_question_always_gets_the_same_answer() {
        let at = Timestamp::UNIX_EPOCH;
        let question = Question::new(5, Kind::Textarea, "Pourquoi ?");
        assert_eq!(value(1, 9, &question, at), value(1, 9, &question, at));
        assert_ne!(value(1, 9, &question, at), value(2, 9, &question, at));
    }
}
