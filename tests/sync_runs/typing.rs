//! Section E of the traps: types of answers.

use demarche_numerique::champ::Withheld;
use demarche_numerique::sandbox::world::form::stable_id;
use demarche_numerique::sandbox::world::{Demandeur, Poison, State};
use demarche_numerique::sandbox::{FileRecord, Kind, Value, WorldSpec};
use demarche_numerique::{ChampValue, Platform};
use jiff::Timestamp;
use serde_json::Value as Json;

use super::lab::Lab;
use super::survey::{Database, answer, question};

fn spec(platform: Platform, dossiers: u32) -> WorldSpec {
    WorldSpec::new(platform).only(&[1001]).dossiers(dossiers)
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[tokio::test]
async fn trap_41_kinds_that_nobody_knows_arrive_as_text_and_are_told() {
    for platform in Platform::ALL {
        let base = Database::new();
        let spec = WorldSpec { unknown_kinds: true, ..spec(platform, 16) };
        let lab = Lab::with_sink(spec, 1001, base.sink().await).await;
        let numbers = lab.in_state(State::EnConstruction);
        let unknown = question(platform, Kind::Nouveau);
        lab.change(|world| world.edit(numbers[0], unknown, "inédit")).expect("it is asked");
        let report = lab.run().await;
        assert!(report.drift.contains(&"type NouveauChamp".to_owned()), "{platform}: {:?}", report.drift);
        assert_eq!(base.cell(1001, numbers[0], unknown).await, text("inédit"));
        let told = lab.events.lock().expect("no panic").iter().filter(|e| e.contains("NouveauChamp")).count();
        assert_eq!(told, 1, "{platform}: told once");
        if platform == Platform::DematSocial {
            assert!(report.drift.contains(&"type NirChamp".to_owned()), "{:?}", report.drift);
            let nir = question(platform, Kind::Nir);
            for (number, truth) in lab.sandbox.snapshot(1001).dossiers {
                let given = truth.champs[&nir].as_deref().is_some_and(|text| !text.is_empty());
                let expected = given.then(|| "[masqué]".to_owned());
                assert_eq!(base.cell(1001, number, nir).await, expected, "dossier {number}");
            }
        }
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_42_numbers_are_exact() {
    for platform in Platform::ALL {
        let base = Database::new();
        let lab = Lab::with_sink(spec(platform, 32), 1001, base.sink().await).await;
        let numbers = lab.in_state(State::EnConstruction);
        let (whole, decimal) = (question(platform, Kind::IntegerNumber), question(platform, Kind::DecimalNumber));
        let cases = [
            ("3400936534933", "12.345", "12.345"),
            ("0", "0", "0"),
            ("-9223372036854775808", "0.0", "0"),
            ("9223372036854775807", "-0.005", "-0.005"),
            ("7", "1234567890123456.789", "1234567890123456.789"),
            ("42", "", ""),
        ];
        for (number, (an_integer, a_decimal, _)) in numbers.iter().zip(cases) {
            lab.change(|world| {
                world.edit(*number, whole, an_integer).expect("it is asked");
                world.edit(*number, decimal, a_decimal).expect("it is asked");
            });
        }
        let files = question(platform, Kind::PieceJustificative);
        let film = Value::Files(vec![FileRecord::new("film.mp4", 2_700_000_000, lab.sandbox.now())]);
        lab.change(|world| world.edit(numbers[0], files, film)).expect("it is asked");
        lab.run().await;
        for (number, (an_integer, _, a_decimal)) in numbers.iter().zip(cases) {
            assert_eq!(base.cell(1001, *number, whole).await, text(an_integer), "{platform}");
            let expected = text(a_decimal).filter(|text| !text.is_empty());
            assert_eq!(base.cell(1001, *number, decimal).await, expected, "{platform}");
        }
        let size = "SELECT byte_size FROM demarche_1001_pieces_jointes WHERE filename = 'film.mp4'";
        // Démat Social has no other size than that of 32 bits.
        if platform == Platform::DemarcheNumerique {
            assert_eq!(base.one(size).await, text("2700000000"));
        }
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_42_an_answer_that_does_not_fit_stays_in_the_document_and_the_column_keeps_its_type() {
    let base = Database::new();
    let platform = Platform::DemarcheNumerique;
    let lab = Lab::with_sink(spec(platform, 32), 1001, base.sink().await).await;
    lab.run().await;
    let number = lab.in_state(State::EnConstruction)[0];
    let (whole, decimal) = (question(platform, Kind::IntegerNumber), question(platform, Kind::DecimalNumber));
    let answers = [(whole, "170141183460469231731687303715884105727"), (decimal, "123456789012345678901234567890.5")];
    lab.change(|world| answers.map(|(id, answer)| world.edit(number, id, answer).expect("it is asked")));
    let report = lab.run().await;
    assert_eq!((report.counts.updated, report.counts.rewritten), (1, 0), "{report:?}");
    assert_eq!(report.schema, Vec::<String>::new(), "one answer changes no table");
    let document = lab.documents(&lab.sink).await.remove(&number).expect("it is there");
    let mark = format!("SELECT hors_colonnes FROM demarche_1001_dossiers WHERE number = {number}");
    let mark = base.one(&mark).await.expect("a mark");
    for (id, answer) in answers {
        assert_eq!(base.cell(1001, number, id).await, None, "{answer}");
        assert!(document.contains(answer), "the document keeps {answer}");
        let column = base.column(1001, id).await;
        assert!(mark.split(", ").any(|named| named == column), "{column} in {mark}");
        assert!(report.notices.iter().any(|notice| notice.contains(&column)), "{column}: {:?}", report.notices);
    }
    for (other, truth) in lab.sandbox.snapshot(1001).dossiers.into_iter().filter(|(other, _)| *other != number) {
        let expected = truth.champs[&whole].clone().filter(|text| !text.is_empty());
        assert_eq!(base.cell(1001, other, whole).await, expected, "dossier {other}");
    }
    lab.assert_exact().await;
    // Answered anew, it is in its column, and the mark goes.
    lab.change(|world| {
        for (id, answer) in [(whole, "12"), (decimal, "1.5")] {
            world.edit(number, id, answer).expect("it is asked");
        }
    });
    lab.run().await;
    assert_eq!(base.cell(1001, number, whole).await, text("12"));
    assert_eq!(
        base.one(&format!("SELECT hors_colonnes FROM demarche_1001_dossiers WHERE number = {number}")).await,
        None
    );
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_43_an_unanswered_checkbox_is_a_no_and_so_is_a_yes_no_of_demat_social() {
    for platform in Platform::ALL {
        let lab = Lab::new(platform, 16).await;
        let number = lab.in_state(State::EnConstruction)[0];
        let (checkbox, yes_no) = (question(platform, Kind::Checkbox), question(platform, Kind::YesNo));
        for id in [checkbox, yes_no] {
            lab.change(|world| world.edit(number, id, Value::Empty)).expect("it is asked");
        }
        lab.run().await;
        let dossier = lab.dossier(number).await;
        assert_eq!(answer(&dossier, checkbox), Some(&ChampValue::Boolean(false)), "{platform}");
        let expected = match platform {
            Platform::DematSocial => ChampValue::Boolean(false),
            _ => ChampValue::Empty,
        };
        assert_eq!(answer(&dossier, yes_no), Some(&expected), "{platform}");
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_44_an_answer_that_a_condition_hides_goes() {
    for platform in Platform::ALL {
        let base = Database::new();
        let lab = Lab::with_sink(spec(platform, 16), 1001, base.sink().await).await;
        let number = lab.in_state(State::EnConstruction)[0];
        let siret = || Value::Reference { id: "90000000000018".to_owned(), known: true };
        lab.change(|world| {
            world.edit(number, stable_id::REPRESENTE, true).expect("it is asked");
            world.edit(number, stable_id::SIRET, siret()).expect("it is asked");
        });
        lab.run().await;
        assert_eq!(base.cell(1001, number, stable_id::SIRET).await, text("90000000000018"));
        let columns = format!(
            "SELECT \"column\" FROM dn_columns WHERE descriptor = '{}'",
            super::survey::descriptor(stable_id::SIRET).as_str()
        );
        let columns: Vec<String> = base.list(&columns).await.into_iter().flatten().collect();
        let filled = columns.iter().map(|column| format!("(\"{column}\" IS NOT NULL)")).collect::<Vec<_>>().join(" + ");
        let filled = format!("SELECT {filled} FROM demarche_1001_dossiers WHERE number = {number}");
        assert_ne!(base.one(&filled).await, text("1"), "{platform}: the parts are filled as well");
        lab.change(|world| world.edit(number, stable_id::REPRESENTE, false)).expect("it is asked");
        lab.run().await;
        assert_eq!(base.one(&filled).await, text("0"), "{platform}");
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_45_titles_and_explanations_have_no_column() {
    for platform in Platform::ALL {
        let base = Database::new();
        let lab = Lab::with_sink(spec(platform, 8), 1001, base.sink().await).await;
        let report = lab.run().await;
        for kind in [Kind::HeaderSection, Kind::Explication] {
            let id = super::survey::descriptor(question(platform, kind));
            let query = format!("SELECT count(*) FROM dn_columns WHERE descriptor = '{}'", id.as_str());
            assert_eq!(base.one(&query).await, text("0"), "{platform}");
        }
        assert!(!lab.events.lock().expect("no panic").iter().any(|event| event.contains("UnknownDescriptor")));
        assert_eq!(report.counts.inserted, 8);
        lab.assert_exact().await;
    }
}

/// Every value under a key that names a beginning, anywhere in the variables of a request.
fn beginnings(variables: &Json, found: &mut Vec<String>) {
    match variables {
        Json::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Json::String(text) if key.to_lowercase().contains("since") => found.push(text.clone()),
                    other => beginnings(other, found),
                }
            }
        }
        Json::Array(items) => items.iter().for_each(|item| beginnings(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn trap_48_changes_in_the_night_when_the_hour_changes_arrive_in_order() {
    for day in ["2025-10-26", "2026-03-29"] {
        let at = |time: &str| format!("{day}T{time}Z").parse::<Timestamp>().expect("an instant");
        let base = Database::new();
        let platform = Platform::DemarcheNumerique;
        let spec = WorldSpec { start: at("00:10:00"), ..spec(platform, 16) };
        let lab = Lab::with_sink(spec, 1001, base.sink().await).await;
        let numbers = lab.in_state(State::EnConstruction);
        lab.run().await;
        let moment = question(platform, Kind::Datetime);
        // On the first of these days both are 02:30 in Paris; on the second the clock jumps between them.
        for (number, time) in numbers.iter().zip(["00:30:00", "01:30:00"]) {
            lab.change(|world| {
                world.set_now(at(time));
                let local = jiff::tz::TimeZone::get("Europe/Paris").expect("a zone").to_datetime(at(time));
                let offset = jiff::tz::TimeZone::get("Europe/Paris").expect("a zone").to_offset(at(time));
                let written = format!("{local}{}", offset_of(offset));
                world.edit(*number, moment, written).expect("it is asked");
            });
            let report = lab.run().await;
            assert_eq!(report.counts.updated, 1, "{day} {time}: {report:?}");
            assert_eq!(report.watermark, Some(at(time)), "{day}");
            assert_eq!(base.cell(1001, *number, moment).await, Some(at(time).to_string()), "{day}");
            let date = format!("SELECT date_derniere_modification FROM demarche_1001_dossiers WHERE number = {number}");
            assert_eq!(base.one(&date).await, Some(at(time).to_string()), "{day}");
        }
        let mut since = Vec::new();
        lab.sandbox.requests().iter().for_each(|request| beginnings(&request.variables, &mut since));
        assert!(!since.is_empty() && since.iter().all(|at| at.ends_with('Z')), "{since:?}");
        lab.assert_exact().await;
    }
}

/// `+02:00`.
fn offset_of(offset: jiff::tz::Offset) -> String {
    format!("+{:02}:00", offset.seconds() / 3600)
}

#[tokio::test]
async fn trap_49_a_reopened_dossier_is_open_whatever_its_dates_say() {
    for platform in Platform::ALL {
        let lab = Lab::new(platform, 16).await;
        let number = lab.in_state(State::Accepte)[0];
        lab.run().await;
        lab.change(|world| world.repasser_en_instruction(number, Some(1))).expect("it is decided");
        lab.run().await;
        let dossier = lab.dossier(number).await;
        assert_eq!(dossier.state.as_str(), "en_instruction");
        assert!(dossier.date_traitement.is_some(), "the date of the decision stays");
        assert_eq!((dossier.motivation, dossier.attestation), (None, None));
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_50_an_opinion_is_dated_once_it_is_given_and_a_withdrawn_message_is_empty() {
    for platform in Platform::ALL {
        let lab = Lab::new(platform, 16).await;
        let number = lab.in_state(State::EnInstruction)[0];
        let (asked, given, sent) = lab.change(|world| {
            let asked = world.demander_avis(number, Some(1), "Et vous ?").expect("it is open");
            let given = world.demander_avis(number, Some(1), "Et toi ?").expect("it is open");
            world.rendre_avis(number, given, "Favorable.").expect("it was asked");
            let sent =
                world.envoyer_message(number, Some(1), "<p>Un secret.</p>", None, Vec::new()).expect("it is open");
            (asked, given, sent)
        });
        assert_ne!(asked, given);
        lab.run().await;
        let dossier = lab.dossier(number).await;
        let avis = |question: &str| dossier.avis.iter().find(|avis| avis.question == question).expect("it was asked");
        assert_eq!((&avis("Et vous ?").reponse, avis("Et vous ?").date_reponse), (&None, None), "{platform}");
        assert!(avis("Et toi ?").date_reponse.is_some(), "{platform}");
        assert!(dossier.messages.iter().any(|message| message.body == "<p>Votre dossier a bien été déposé.</p>"));
        lab.change(|world| world.supprimer_message(number, sent)).expect("an instructeur wrote it");
        lab.run().await;
        let dossier = lab.dossier(number).await;
        let withdrawn: Vec<_> = dossier.messages.iter().filter(|message| message.body.is_empty()).collect();
        assert_eq!(withdrawn.len(), 1, "{platform}");
        assert_eq!(withdrawn[0].discarded_at.is_some(), platform == Platform::DemarcheNumerique);
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_52_typed_fields_tell_whether_something_was_answered() {
    for platform in Platform::ALL {
        let lab = Lab::new(platform, 16).await;
        let numbers = lab.in_state(State::EnConstruction);
        let (emptied, filled) = (numbers[0], numbers[1]);
        let files = question(platform, Kind::PieceJustificative);
        let questions: Vec<u64> = {
            let world = lab.sandbox.world();
            let form = world.form_of(world.dossier(emptied).expect("a dossier")).expect("a form");
            form.champs.iter().chain(&form.annotations).map(|question| question.stable_id).collect()
        };
        lab.change(|world| {
            for id in &questions {
                world.edit(emptied, *id, Value::Empty).expect("it is asked");
            }
            let file = FileRecord::new("a.pdf", 12, world.now());
            world.edit(filled, files, Value::Files(vec![file])).expect("it is asked");
        });
        assert_eq!(lab.sandbox.dossier(filled).expect("a dossier").champs[&files], None, "a file has no text");
        lab.run().await;
        let dossier = lab.dossier(emptied).await;
        for champ in dossier.champs.iter().chain(&dossier.annotations) {
            let empty =
                champ.value.is_empty() || matches!(champ.value, ChampValue::Presentation | ChampValue::Boolean(false));
            assert!(empty, "{platform}: {champ:?}");
        }
        let dossier = lab.dossier(filled).await;
        assert!(matches!(answer(&dossier, files), Some(ChampValue::Files(files)) if files.len() == 1), "{platform}");
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_53_a_company_that_the_register_does_not_describe_costs_no_dossier() {
    for platform in Platform::ALL {
        let base = Database::new();
        let lab = Lab::with_sink(spec(platform, 16), 1001, base.sink().await).await;
        let number = lab.in_state(State::EnConstruction)[0];
        let company = Demandeur::PersonneMorale { siret: "90000000000018".to_owned(), enriched: false };
        lab.change(|world| {
            world.touch(number);
            world.set_demandeur(number, company);
        });
        lab.run().await;
        let query = format!(
            "SELECT demandeur_type, demandeur_siret, demandeur_raison_sociale FROM demarche_1001_dossiers \
             WHERE number = {number}"
        );
        let expected = [text("personne_morale"), text("90000000000018"), None];
        assert_eq!(base.ask(&query).await, [expected], "{platform}");
        assert_eq!(lab.quarantine().await, []);
        lab.change(|world| world.enrich_demandeur(number));
        lab.run().await;
        assert!(base.ask(&query).await[0][2].is_some(), "{platform}");
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn a_withheld_answer_is_never_taken_for_an_absent_one() {
    let lab = Lab::new(Platform::DematSocial, 16).await;
    let number = lab.in_state(State::EnConstruction)[0];
    let nir = question(Platform::DematSocial, Kind::Nir);
    lab.change(|world| world.edit(number, nir, "tout autre chose")).expect("it is asked");
    lab.run().await;
    let masked = ChampValue::Withheld(Withheld::Masked);
    assert_eq!(answer(&lab.dossier(number).await, nir), Some(&masked));
    lab.change(|world| world.edit(number, nir, Value::Empty)).expect("it is asked");
    lab.run().await;
    assert!(answer(&lab.dossier(number).await, nir).is_some_and(ChampValue::is_empty));
    lab.assert_exact().await;
}

#[tokio::test]
async fn a_null_for_good_below_a_champ_costs_that_answer_and_not_the_dossier() {
    for platform in Platform::ALL {
        let base = Database::new();
        let lab = Lab::with_sink(spec(platform, 16), 1001, base.sink().await).await;
        let siret = question(platform, Kind::Siret);
        let number = lab.in_state(State::EnConstruction)[0];
        lab.change(|world| {
            let given = Value::Reference { id: "90000000000018".to_owned(), known: true };
            world.edit(number, siret, given).expect("it is asked");
            world.poison(number, Poison::NullAnswer);
        });
        let report = lab.run().await;
        assert_eq!((report.quarantined.len(), report.counts.inserted), (0, 16), "{platform}: {report:?}");
        assert_eq!(base.cell(1001, number, siret).await, text("90000000000018"), "{platform}");
        let marked = format!("SELECT valeurs_non_lues FROM demarche_1001_dossiers WHERE number = {number}");
        let mark = base.one(&marked).await.expect("it is marked");
        assert!(mark.contains("libelleNaf") || mark.contains("etablissement"), "{platform}: {mark}");
        assert!(report.unread.keys().any(|unread| unread.get() == number), "{platform}: {report:?}");
        lab.assert_exact().await;

        lab.change(|world| {
            world.heal(number);
            world.edit(number, siret, Value::Reference { id: "90000000000018".to_owned(), known: true })
        })
        .expect("it is asked");
        lab.run().await;
        assert_eq!(base.one(&marked).await, None, "{platform}: the mark goes with its cause");
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn a_date_that_is_none_costs_itself_and_is_kept_as_text() {
    for platform in Platform::ALL {
        let base = Database::new();
        let lab = Lab::with_sink(spec(platform, 16), 1001, base.sink().await).await;
        let numbers = lab.in_state(State::EnConstruction);
        lab.change(|world| {
            for (number, born) in numbers.iter().zip(["", "31/02/1990"]) {
                world.set_birth_date(*number, born);
            }
        });
        let report = lab.run().await;
        assert_eq!((report.quarantined.len(), report.counts.inserted), (0, 16), "{platform}: {report:?}");
        assert_eq!(report.unread.len(), 2, "{platform}: {report:?}");
        let kept = lab.dossier(numbers[1]).await;
        let field = "demandeur.dateDeNaissance";
        assert_eq!(kept.unread.get(field).map(String::as_str), Some("31/02/1990"), "{platform}");
        let marked = format!("SELECT valeurs_non_lues FROM demarche_1001_dossiers WHERE number = {}", numbers[0]);
        assert_eq!(base.one(&marked).await, text(field), "{platform}");
        lab.assert_exact().await;
    }
}
