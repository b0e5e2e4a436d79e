//! Pages of dossiers with corrupted answers: each is refused in words that repeat nothing of it, or every dossier that
//! it shows becomes a row.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock, Mutex};

use demarche_numerique::api::{
    Drift, Exchange, Listing, ListingSource, PageSize, Since, TransportFailure, replay_dossiers,
};
use demarche_numerique::dossier::Dossier;
use demarche_numerique::plan::{Remembered, reconcile};
use demarche_numerique::privacy::{Filter, FormTypes, Policy};
use demarche_numerique::sandbox::{self, DEMARCHE_COMPLETE, Sandbox, WorldSpec};
use demarche_numerique::table::naming::NameLimits;
use demarche_numerique::table::{Layout, Mapper, infer};
use demarche_numerique::{Client, DemarcheNumber, Platform};
use futures_util::future::BoxFuture;
use proptest::prelude::*;
use serde_json::Value;

use super::spoil::{spoiled, spoils};

/// A page of the complete démarche, as it was sent, and what reading it needs.
struct Recorded {
    platform: Platform,
    listing: Listing,
    answer: Value,
    types: FormTypes,
    filter: Filter,
    layout: Layout,
    /// Texts of people that no message may repeat.
    personal: BTreeSet<String>,
}

/// The sandbox, and the last answer that it gave.
#[derive(Debug)]
struct Recorder(Sandbox, Mutex<Vec<u8>>);

impl Exchange for Recorder {
    fn exchange(&self, request: reqwest::Request) -> BoxFuture<'_, Result<reqwest::Response, TransportFailure>> {
        Box::pin(async move {
            let answer = self.0.answer(&sandbox::incoming(&request));
            self.1.lock().expect("no panic under the lock").clone_from(&answer.body);
            sandbox::response(answer)
        })
    }
}

impl Recorded {
    fn new(platform: Platform) -> Self {
        let sandbox = Sandbox::new(&WorldSpec::new(platform).only(&[DEMARCHE_COMPLETE]).dossiers(6));
        let recorder = Arc::new(Recorder(sandbox.clone(), Mutex::default()));
        let client = Client::builder(platform)
            .url("http://localhost/api/v2/graphql")
            .token(sandbox.token())
            .exchange(Arc::clone(&recorder) as Arc<dyn Exchange>)
            .build()
            .expect("a client");
        let number = DemarcheNumber::new(DEMARCHE_COMPLETE);
        let listing = Listing::all(ListingSource::Demarche(number), Since::Beginning);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let demarche = runtime.block_on(client.demarche(number)).expect("a démarche");
        runtime.block_on(client.dossiers_page(&listing, None, PageSize::MAX)).expect("a page");
        let answer = serde_json::from_slice(&recorder.1.lock().expect("no panic under the lock")).expect("JSON");
        let types = FormTypes::of(&demarche);
        let filter = Filter::new(Policy::default(), None).expect("the default policy needs no key");
        let mut spec = infer(&demarche);
        spec.withhold(filter.policy(), &types);
        let layout = reconcile(&spec, &Remembered::default(), NameLimits::default()).layout;
        let mut personal = BTreeSet::new();
        people(&answer, "", &mut personal);
        assert!(personal.len() >= 4, "people answer: {personal:?}");
        Self { platform, listing, answer, types, filter, layout, personal }
    }

    /// Reads a page: what went wrong, or that all of it became rows.
    fn read(&self, body: &[u8]) -> Result<(), TestCaseError> {
        match replay_dossiers(self.platform, &self.listing, body) {
            Ok(page) => {
                // A cursor names a dossier or does not.
                let _ = page.end.map(|cursor| cursor.row());
                page.nodes.into_iter().try_for_each(|dossier| self.map(dossier))
            }
            Err(error) => {
                let told = format!("{error} {error:?}");
                let repeated = self.personal.iter().find(|text| told.contains(*text));
                prop_assert!(repeated.is_none(), "{repeated:?} is repeated");
                Ok(())
            }
        }
    }

    fn map(&self, mut dossier: Dossier) -> Result<(), TestCaseError> {
        let text = serde_json::to_string(&dossier).expect("a dossier is plain data");
        let again: Dossier = serde_json::from_str(&text).expect("what was written is read");
        prop_assert_eq!(&again, &dossier, "a stored document is the dossier");
        let light = dossier.light().digest();
        self.filter.apply(&mut dossier, &self.types);
        let number = dossier.number;
        let row = Mapper::new(&self.layout).row(dossier, light).row;
        prop_assert_eq!(row.number, number);
        Ok(())
    }
}

/// Texts under keys that hold people: their names and addresses.
fn people(tree: &Value, key: &str, found: &mut BTreeSet<String>) {
    match tree {
        Value::Object(fields) => fields.iter().for_each(|(key, field)| people(field, key, found)),
        Value::Array(items) => items.iter().for_each(|item| people(item, key, found)),
        Value::String(text) if ["email", "nom", "prenom"].contains(&key) && text.len() > 4 => {
            found.insert(text.clone());
        }
        _ => {}
    }
}

static RECORDED: LazyLock<[Recorded; 2]> = LazyLock::new(|| Platform::ALL.map(Recorded::new));

#[test]
fn the_recorded_pages_are_good() {
    for recorded in &*RECORDED {
        let body = serde_json::to_vec(&recorded.answer).expect("JSON");
        let page = replay_dossiers(recorded.platform, &recorded.listing, &body).expect("a page");
        assert!(page.nodes.len() >= 3, "{} dossiers", page.nodes.len());
        assert_eq!(page.holes, []);
        // Trap 41: Démat Social sends a type that its schema does not name.
        assert!(page.drift.iter().all(|drift| *drift == Drift::Typename("NirChamp".to_owned())), "{:?}", page.drift);
        recorded.read(&body).expect("rows");
    }
}

proptest! {
    #[test]
    fn a_spoiled_answer_is_refused_in_other_words_or_becomes_rows(second: bool, spoils in spoils()) {
        let recorded = &RECORDED[usize::from(second)];
        let body = serde_json::to_vec(&spoiled(&recorded.answer, &spoils)).expect("JSON");
        recorded.read(&body)?;
    }

    #[test]
    fn an_answer_that_is_cut_or_overwritten_is_refused_in_other_words(
        second: bool,
        at: prop::sample::Index,
        bytes in prop::collection::vec(any::<u8>(), 0..8),
        keep: bool,
    ) {
        let recorded = &RECORDED[usize::from(second)];
        let mut body = serde_json::to_vec(&recorded.answer).expect("JSON");
        let at = at.index(body.len());
        let end = (at + bytes.len()).min(body.len());
        body.splice(at..end, bytes);
        if !keep {
            body.truncate(at);
        }
        recorded.read(&body)?;
    }

    #[test]
    fn whatever_is_sent_is_no_page(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(replay_dossiers(RECORDED[0].platform, &RECORDED[0].listing, &bytes).is_err());
    }
}
