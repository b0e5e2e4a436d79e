//! Privacy policy from the platform to the target.

use std::collections::{BTreeMap, BTreeSet};

use demarche_numerique::Platform;
use demarche_numerique::privacy::{Filter, Policy, Preset, PseudonymKey, Treatment};
use demarche_numerique::sandbox::world::form::stable_id;
use demarche_numerique::sandbox::world::{Demandeur, State};
use demarche_numerique::sandbox::{Kind, Scan, Value, WorldSpec};
use demarche_numerique::sink::SqliteSink;
use secrecy::SecretString;

use super::lab::Lab;
use super::survey::{Database, descriptor, occurs, question};

async fn lab(platform: Platform, base: &Database) -> Lab<SqliteSink> {
    Lab::with_sink(WorldSpec::new(platform).only(&[1001]).dossiers(24), 1001, base.sink().await).await
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn filter(policy: Policy) -> Filter {
    let key = PseudonymKey::new(&SecretString::from("une clef pour les essais")).expect("long enough");
    Filter::new(policy, Some(key)).expect("a sound policy")
}

fn strict() -> Filter {
    filter(Policy { preset: Preset::Strict, ..Policy::default() })
}

/// The answers to a question, by dossier.
fn answers(lab: &Lab<SqliteSink>, stable_id: u64) -> BTreeMap<u32, String> {
    let world = lab.sandbox.world();
    let text = |number| match world.value(number, stable_id) {
        Some(Value::Text(text)) => Some((number, text)),
        _ => None,
    };
    world.numbers(1001).into_iter().filter_map(text).collect()
}

/// Values of the world that name people, or that people wrote.
fn personal(lab: &Lab<SqliteSink>) -> BTreeSet<String> {
    let kinds = [Kind::Email, Kind::Phone, Kind::Iban, Kind::Nir];
    let known = Kind::all(lab.client.platform());
    let mut found: BTreeSet<String> = BTreeSet::new();
    for kind in kinds.into_iter().filter(|kind| known.contains(kind)) {
        found.extend(answers(lab, question(lab.client.platform(), kind)).into_values());
    }
    let world = lab.sandbox.world();
    for number in world.numbers(1001) {
        let dossier = world.dossier(number).expect("a dossier");
        found.insert(world.usager(dossier).0);
        match world.demandeur(dossier) {
            Demandeur::PersonnePhysique { nom, prenom, .. } => found.extend([nom, prenom]),
            Demandeur::PersonneMorale { siret, .. } => drop(found.insert(siret)),
        }
        let extra = dossier.extra.as_deref();
        for message in extra.into_iter().flat_map(|extra| &extra.messages) {
            found.insert(message.body.clone());
        }
    }
    // The platform's own sentence is nobody's, and one of the names is also in that of every invented company.
    found.remove("Exemple");
    found.retain(|text| text.len() > 3 && text != "<p>Votre dossier a bien été déposé.</p>");
    found
}

/// Counts the occurrences of some bytes in others.
fn count(haystack: &[u8], needle: &str) -> usize {
    haystack.windows(needle.len()).filter(|window| *window == needle.as_bytes()).count()
}

#[tokio::test]
async fn no_nir_and_no_signed_address_is_anywhere_in_the_file() {
    let base = Database::new();
    let lab = lab(Platform::DematSocial, &base).await;
    let nirs = answers(&lab, question(Platform::DematSocial, Kind::Nir));
    let nir = nirs.values().next().expect("somebody gave one").clone();
    let spaced = format!("{} {} {} {} {}", &nir[..1], &nir[1..3], &nir[3..5], &nir[5..13], &nir[13..]);
    let number = lab.in_state(State::EnConstruction)[0];
    lab.change(|world| {
        world.edit(number, stable_id::RENAMED, format!("mon numéro est {spaced}")).expect("it is asked");
        world.edit(number, stable_id::FIRST_ANNOTATION, nir.as_str()).expect("it is asked");
        world.envoyer_message(number, Some(1), &format!("<p>{nir}</p>"), None, Vec::new()).expect("it is open");
    });
    lab.run().await;
    lab.wait(2);
    lab.run().await;
    lab.assert_exact().await;
    for closed in [false, true] {
        let bytes = base.bytes();
        assert!(nirs.len() > 10 && nirs.values().all(|nir| !occurs(&bytes, nir)), "closed: {closed}");
        assert!(!occurs(&bytes, &spaced) && !occurs(&bytes, &nir[5..13]), "closed: {closed}");
        // The address of the API is kept, to tell two instances apart; no other of that host is.
        let (api, origin) = (lab.client.url().as_str(), lab.client.url().origin().ascii_serialization());
        assert!(!occurs(&bytes, "/files/"), "closed: {closed}");
        assert_eq!(count(&bytes, &origin), count(&bytes, api), "closed: {closed}");
        assert!(occurs(&bytes, "[masqué]"), "closed: {closed}");
    }
    lab.sink.close().await.expect("a clean end");
    let bytes = base.bytes();
    assert!(nirs.values().all(|nir| !occurs(&bytes, nir)) && !occurs(&bytes, "/files/"));
    assert_eq!(base.cell(1001, number, stable_id::RENAMED).await, text("mon numéro est [masqué]"));
}

#[tokio::test]
async fn of_an_identity_document_only_that_it_was_given_is_kept() {
    for platform in Platform::ALL {
        let base = Database::new();
        let lab = lab(platform, &base).await;
        lab.run().await;
        let identity = question(platform, Kind::TitreIdentite);
        let column = base.column(1001, identity).await;
        let cells = base.list(&format!("SELECT DISTINCT \"{column}\" FROM demarche_1001_dossiers")).await;
        assert!(cells.contains(&text("1")), "{platform}");
        assert!(cells.iter().flatten().all(|cell| cell == "1"), "{platform}: {cells:?}");
        let files = format!(
            "SELECT count(*) FROM demarche_1001_pieces_jointes WHERE descriptor_id = '{}'",
            descriptor(identity).as_str()
        );
        assert_eq!(base.one(&files).await, text("0"));
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn a_stricter_policy_withholds_everything_stored_at_once_and_a_milder_one_reads_again() {
    let base = Database::new();
    let mut lab = lab(Platform::DemarcheNumerique, &base).await;
    lab.run().await;
    let known = personal(&lab);
    let shown = |known: &BTreeSet<String>, bytes: &[u8]| known.iter().filter(|v| occurs(bytes, v)).cloned().collect();
    let before: Vec<String> = shown(&known, &base.bytes());
    assert!(before.len() > 20, "{before:?}");

    // Even a run that comes to nothing withholds first.
    lab.filter = strict();
    lab.remap().await;
    let email = question(Platform::DemarcheNumerique, Kind::Email);
    for (number, _) in answers(&lab, email) {
        let cell = base.cell(1001, number, email).await;
        assert!(cell.as_deref().is_none_or(|cell| cell.starts_with("pseudo_")), "{cell:?}");
    }
    let report = lab.run().await;
    assert!(report.sweep, "everything is read again: {report:?}");
    lab.assert_exact().await;
    let dump = format!("{:?}", base.dump().await);
    let left: Vec<String> = shown(&known, dump.as_bytes());
    assert_eq!(left, [""; 0], "in the tables");
    lab.sink.close().await.expect("a clean end");
    let left: Vec<String> = shown(&known, &base.bytes());
    assert_eq!(left, [""; 0], "in the bytes of the file");

    lab.sink = base.sink().await;
    lab.filter = Filter::new(Policy::default(), None).expect("a sound policy");
    let report = lab.run().await;
    assert!(report.sweep, "{report:?}");
    lab.assert_exact().await;
    let column = base.column(1001, email).await;
    let left = format!("SELECT count(*) FROM demarche_1001_dossiers WHERE \"{column}\" LIKE 'pseudo%'");
    assert_eq!(base.one(&left).await, text("0"));
}

#[tokio::test]
async fn what_is_withheld_says_so_in_cells_titles_and_the_list_of_columns() {
    let base = Database::new();
    let mut lab = lab(Platform::DemarcheNumerique, &base).await;
    let platform = Platform::DemarcheNumerique;
    let kinds = [("email", Treatment::Mask), ("phone", Treatment::Exclude), ("iban", Treatment::Pseudonymise)];
    let kinds = kinds.into_iter().map(|(kind, treatment)| (kind.to_owned(), treatment)).collect();
    lab.filter = filter(Policy { kinds, ..Policy::default() });
    let number = lab.in_state(State::EnConstruction)[0];
    let ids = [Kind::Email, Kind::Phone, Kind::Iban].map(|kind| question(platform, kind));
    lab.change(|world| {
        for (id, value) in ids.into_iter().zip(["a@example.org", "0199001234", "FR0012345678"]) {
            world.edit(number, id, value).expect("it is asked");
        }
    });
    lab.run().await;
    assert_eq!(base.cell(1001, number, ids[0]).await, text("[masqué]"));
    assert_eq!(base.cell(1001, number, ids[1]).await, text("[non conservé]"));
    assert!(base.cell(1001, number, ids[2]).await.is_some_and(|cell| cell.starts_with("pseudo_")));
    for (id, policy) in ids.into_iter().zip(["mask", "exclude", "pseudonymise"]) {
        let query = format!("SELECT policy FROM dn_columns WHERE descriptor = '{}'", descriptor(id).as_str());
        assert_eq!(base.one(&query).await, text(policy));
    }
    let view = format!("SELECT \"Champ email (masqué)\" FROM vue_1001_dossiers WHERE \"Dossier n°\" = {number}");
    assert_eq!(base.one(&view).await, text("[masqué]"));
    lab.assert_exact().await;
}

#[tokio::test]
async fn equal_values_have_equal_pseudonyms_wherever_they_stand() {
    let base = Database::new();
    let mut lab = lab(Platform::DemarcheNumerique, &base).await;
    lab.filter = strict();
    let numbers = lab.in_state(State::EnConstruction);
    let email = question(Platform::DemarcheNumerique, Kind::Email);
    let account = lab.sandbox.dossier(numbers[0]).expect("a dossier").usager;
    lab.change(|world| {
        world.edit(numbers[0], email, account.as_str()).expect("it is asked");
        world.edit(numbers[1], email, format!(" {} ", account.to_uppercase())).expect("it is asked");
        world.edit(numbers[2], email, "autre@example.org").expect("it is asked");
    });
    lab.run().await;
    let cell = async |number: u32| base.cell(1001, number, email).await.expect("a pseudonym");
    let usager = format!("SELECT usager_email FROM demarche_1001_dossiers WHERE number = {}", numbers[0]);
    assert!(cell(numbers[0]).await.starts_with("pseudo_"));
    assert_eq!(Some(cell(numbers[0]).await), base.one(&usager).await);
    assert_eq!(cell(numbers[0]).await, cell(numbers[1]).await);
    assert_ne!(cell(numbers[0]).await, cell(numbers[2]).await);
    lab.assert_exact().await;
}

#[tokio::test]
async fn a_remap_restores_cells_from_documents_without_a_request_and_twice_is_once() {
    let base = Database::new();
    let mut lab = lab(Platform::DemarcheNumerique, &base).await;
    lab.filter = strict();
    lab.run().await;
    lab.change(|world| {
        let number = world.numbers(1001)[0];
        world.delete_without_trace(number);
    });
    lab.reconcile().await;
    let before = base.dump().await;
    lab.sink.close().await.expect("a clean end");
    let columns = "SELECT group_concat('\"' || name || '\" = NULL', ', ') FROM pragma_table_info('demarche_1001_dossiers') \
                   WHERE \"notnull\" = 0 AND pk = 0 AND name NOT LIKE 'dn_%'";
    let columns = base.one(columns).await.expect("columns");
    base.run(&format!("UPDATE demarche_1001_dossiers SET {columns}")).await;
    base.run("DELETE FROM demarche_1001_pieces_jointes; DELETE FROM demarche_1001_messages").await;
    assert!(base.dump().await != before);

    lab.sink = base.sink().await;
    lab.sandbox.reset_log();
    let report = lab.remap().await;
    assert_eq!(lab.sandbox.requests().len(), 0);
    assert_eq!((report.requests, report.counts.rewritten), (0, 24), "{report:?}");
    assert!(base.dump().await == before, "the same content, and no event");
    lab.remap().await;
    assert!(base.dump().await == before, "twice is once");
    lab.assert_exact().await;
}

#[tokio::test]
async fn events_reports_and_the_history_of_runs_hold_no_value() {
    for platform in Platform::ALL {
        let base = Database::new();
        let spec = WorldSpec { unknown_kinds: true, ..WorldSpec::new(platform).only(&[1001]).dossiers(24) };
        let lab = Lab::with_sink(spec, 1001, base.sink().await).await;
        let numbers = lab.in_state(State::EnConstruction);
        let whole = question(platform, Kind::IntegerNumber);
        let files = question(platform, Kind::PieceJustificative);
        let mut reports = vec![lab.run().await];
        lab.change(|world| {
            world.edit(numbers[0], whole, "12345678901234567890123").expect("it is asked");
            world.poison(numbers[1], demarche_numerique::sandbox::world::Poison::NullNode);
            world.touch(numbers[1]);
            world.scan_files(numbers[2], files, Scan::Safe).expect("it is asked");
            world.delete_by_user(numbers[2]).expect("it is open");
        });
        reports.push(lab.run().await);
        assert_eq!(lab.quarantine().await.len(), 1);
        lab.change(|world| world.heal(numbers[1]));
        lab.wait(25);
        reports.push(lab.run().await);
        let mut told: Vec<String> = lab.events.lock().expect("no panic").clone();
        assert!(told.len() > 8, "{told:?}");
        told.extend(reports.iter().map(|report| serde_json::to_string(report).expect("plain data")));
        told.extend(reports.iter().map(|report| format!("{report:?}")));
        told.extend(base.list("SELECT report FROM dn_runs").await.into_iter().flatten());
        let told = told.join("\n");
        let mut known = personal(&lab);
        known.insert("12345678901234567890123".to_owned());
        known.insert("@example.org".to_owned());
        let leaked: Vec<&String> = known.iter().filter(|value| told.contains(value.as_str())).collect();
        assert!(known.len() > 20 && leaked.is_empty(), "{platform}: {leaked:?}");
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn a_question_that_the_platform_changes_in_place_keeps_the_strictest_treatment_of_what_it_was() {
    for platform in Platform::ALL {
        let base = Database::new();
        let mut lab = lab(platform, &base).await;
        let exclude = [("cnaf".to_owned(), Treatment::Exclude)].into();
        lab.filter = filter(Policy { kinds: exclude, ..Policy::default() });
        let cnaf = question(platform, Kind::Cnaf);
        let numbers = lab.in_state(State::EnConstruction);
        lab.change(|world| world.edit(numbers[0], cnaf, "1234567A")).expect("it is asked");
        lab.run().await;
        assert_eq!(base.cell(1001, numbers[0], cnaf).await, text("[non conservé]"), "{platform}");

        // What the platform did with the kinds that it gave up: identifiers in clear, in a plain text.
        lab.change(|world| {
            world.change_in_place(1001, |form| {
                form.question_mut(cnaf).expect("it is asked").kind = Kind::Text;
            });
            world.edit(numbers[1], cnaf, "7654321B").expect("it is asked");
        });
        lab.run().await;
        for number in &numbers[..2] {
            assert_eq!(base.cell(1001, *number, cnaf).await, text("[non conservé]"), "{platform} {number}");
        }
        let column = base.column(1001, cnaf).await;
        let told = format!("SELECT policy FROM dn_columns WHERE \"column\" = '{column}'");
        assert_eq!(base.one(&told).await, text("exclude"), "{platform}");

        // It is remembered with the form in the target, through other runs, a re-reading and a remap.
        lab.change(|world| {
            world.change_in_place(1001, |form| {
                form.question_mut(cnaf).expect("it is asked").kind = Kind::Textarea;
            });
        });
        lab.settings.full = true;
        lab.run().await;
        lab.remap().await;
        for number in &numbers[..2] {
            assert_eq!(base.cell(1001, *number, cnaf).await, text("[non conservé]"), "{platform} {number}");
        }
        let bytes = base.bytes();
        assert!(!occurs(&bytes, "1234567A") && !occurs(&bytes, "7654321B"), "{platform}");
    }
}

#[tokio::test]
async fn a_kind_that_becomes_stricter_withholds_what_is_stored_already() {
    let base = Database::new();
    let mut lab = lab(Platform::DemarcheNumerique, &base).await;
    let exclude = [("iban".to_owned(), Treatment::Exclude)].into();
    lab.filter = filter(Policy { kinds: exclude, ..Policy::default() });
    let asked = question(Platform::DemarcheNumerique, Kind::Text);
    let number = lab.in_state(State::EnConstruction)[0];
    lab.change(|world| world.edit(number, asked, "un secret de plus")).expect("it is asked");
    lab.run().await;
    assert_eq!(base.cell(1001, number, asked).await, text("un secret de plus"));
    lab.change(|world| {
        world.change_in_place(1001, |form| form.question_mut(asked).expect("it is asked").kind = Kind::Iban);
    });
    lab.run().await;
    assert_eq!(base.cell(1001, number, asked).await, text("[non conservé]"), "without reading it again");
}
