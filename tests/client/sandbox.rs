//! Client against the embedded platform, which executes every query.

use std::collections::{BTreeMap, BTreeSet};

use demarche_numerique::api::{
    Client, Drift, Labels, Listing, ListingSource, Page, PageSize, RateLimiter, SchemaFacts, Since,
};
use demarche_numerique::champ::{Champ, ChampValue};
use demarche_numerique::demarche::{Demarche, Descriptor, Revision, TypeDeChamp};
use demarche_numerique::dossier::{Demandeur, Dossier};
use demarche_numerique::ids::{DemarcheNumber, DescriptorId, DossierNumber, RevisionId};
use demarche_numerique::platform::Platform;
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, Sandbox, Server, WorldSpec};

const COMPLETE: DemarcheNumber = DemarcheNumber::new(DEMARCHE_COMPLETE);

pub async fn open(spec: &WorldSpec) -> (Sandbox, Server, Client) {
    let sandbox = Sandbox::new(spec);
    let server = sandbox.serve_locally().await.expect("a port is free");
    let builder = Client::builder(spec.platform.into()).token(sandbox.token()).url(server.url());
    let client = builder.limiter(RateLimiter::new(100_000, std::time::Duration::from_secs(1))).build();
    (sandbox, server, client.expect("the settings are right"))
}

fn spec(platform: Platform) -> WorldSpec {
    WorldSpec { unknown_kinds: true, ..WorldSpec::new(platform).only(&[DEMARCHE_COMPLETE]).dossiers(24) }
}

/// Walks a whole listing, which must have no hole.
async fn walk(client: &Client, listing: &Listing, size: PageSize) -> (Vec<Dossier>, BTreeSet<Drift>) {
    let (mut dossiers, mut drift, mut after) = (Vec::new(), BTreeSet::new(), None);
    loop {
        let page: Page<Dossier> = client.dossiers_page(listing, after.as_ref(), size).await.expect("a page");
        assert!(page.holes.is_empty(), "{:?}", page.holes);
        dossiers.extend(page.nodes);
        drift.extend(page.drift);
        if !page.has_next {
            return (dossiers, drift);
        }
        after = page.end;
    }
}

/// The kind of each question of each revision, rows included: a question may change its kind from one to the next.
fn kinds(demarche: &Demarche) -> BTreeMap<RevisionId, BTreeMap<DescriptorId, TypeDeChamp>> {
    fn learn(list: &[Descriptor], kinds: &mut BTreeMap<DescriptorId, TypeDeChamp>) {
        for descriptor in list {
            kinds.insert(descriptor.id.clone(), descriptor.type_de_champ.clone());
            learn(&descriptor.children, kinds);
        }
    }
    let of = |revision: &Revision| {
        let mut kinds = BTreeMap::new();
        learn(&revision.champs, &mut kinds);
        learn(&revision.annotations, &mut kinds);
        (revision.id.clone(), kinds)
    };
    demarche.revisions.iter().map(of).collect()
}

/// Every champ, those of rows included.
fn flat<'a>(champs: &'a [Champ], out: &mut Vec<&'a Champ>) {
    for champ in champs {
        out.push(champ);
        if let ChampValue::Repetition(rows) = &champ.value {
            rows.iter().for_each(|row| flat(&row.champs, out));
        }
    }
}

/// Returns true if a value has the type of a question of this kind.
fn fits(platform: Platform, kind: &TypeDeChamp, value: &ChampValue) -> bool {
    use ChampValue as V;
    use TypeDeChamp as T;
    let old = platform == Platform::DematSocial;
    match kind {
        T::IntegerNumber | T::Number => matches!(value, V::Integer(_)),
        T::DecimalNumber => matches!(value, V::Decimal(_)),
        T::Checkbox | T::YesNo => matches!(value, V::Boolean(_)),
        T::Date => matches!(value, V::Date(_)),
        T::Datetime => matches!(value, V::Datetime(_)),
        T::Civilite => matches!(value, V::Civilite(_)),
        T::DropDownList if !old => matches!(value, V::Choice { .. }),
        T::MultipleDropDownList => matches!(value, V::Choices { .. }),
        T::LinkedDropDownList => matches!(value, V::LinkedChoice { .. }),
        T::Communes => matches!(value, V::Commune { .. }),
        T::Departements => matches!(value, V::Departement(_)),
        T::Regions => matches!(value, V::Region(_)),
        T::Pays => matches!(value, V::Pays(_)),
        T::Epci => matches!(value, V::Epci { .. }),
        T::Address => matches!(value, V::Address(_)),
        T::Siret => matches!(value, V::Siret { .. }),
        T::Rna => matches!(value, V::Rna(_)),
        T::Rnf => matches!(value, V::Rnf(_)),
        T::Carte => matches!(value, V::Carte(_)),
        T::Repetition => matches!(value, V::Repetition(_)),
        T::PieceJustificative => matches!(value, V::Files(_)),
        T::TitreIdentite => matches!(value, V::TitreIdentite { .. }),
        T::DossierLink => matches!(value, V::DossierLink(_)),
        T::EngagementJuridique => matches!(value, V::EngagementJuridique(_)),
        T::Finess => matches!(value, V::Finess(_)),
        T::Rppsante => matches!(value, V::Rpps(_)),
        T::HeaderSection | T::Explication if !old => matches!(value, V::Presentation),
        T::Nir | T::Inconnu(_) => matches!(value, V::Unknown { .. }),
        _ => matches!(value, V::Text(_)),
    }
}

#[tokio::test]
async fn every_kind_of_champ_of_both_platforms_decodes_to_its_typed_value() {
    for platform in Platform::ALL {
        let (sandbox, _server, client) = open(&spec(platform).dossiers(60)).await;
        let kinds = kinds(&client.demarche(COMPLETE).await.expect("the démarche"));
        let listing = Listing::all(ListingSource::Demarche(COMPLETE), Since::Beginning);
        let (dossiers, drift) = walk(&client, &listing, PageSize::MAX).await;
        assert_eq!(dossiers.len(), sandbox.snapshot(DEMARCHE_COMPLETE).dossiers.len(), "{platform}");
        let mut seen: BTreeMap<TypeDeChamp, u32> = BTreeMap::new();
        for dossier in &dossiers {
            let mut champs = Vec::new();
            flat(&dossier.champs, &mut champs);
            flat(&dossier.annotations, &mut champs);
            for champ in champs {
                let kind = kinds[&dossier.revision].get(&champ.descriptor).unwrap_or_else(|| {
                    panic!(
                        "{platform}: champ {} answers {}, which its revision does not ask",
                        champ.id, champ.descriptor
                    )
                });
                if champ.value != ChampValue::Empty {
                    assert!(fits(platform, kind, &champ.value), "{platform}: {kind} decodes to {:?}", champ.value);
                    *seen.entry(kind.clone()).or_default() += 1;
                }
            }
        }
        let unseen: BTreeSet<_> =
            kinds.values().flat_map(BTreeMap::values).filter(|kind| !seen.contains_key(kind)).collect();
        let silent = |kind: &&&TypeDeChamp| {
            !matches!(kind, TypeDeChamp::Cnaf | TypeDeChamp::Dgfip | TypeDeChamp::PoleEmploi | TypeDeChamp::Mesri)
                && !kind.is_presentation()
        };
        let unseen: Vec<_> = unseen.iter().filter(silent).collect();
        assert!(unseen.is_empty(), "{platform}: never answered: {unseen:?}");
        assert!(drift.iter().all(|drift| matches!(drift, Drift::Typename(_))), "{platform}: {drift:?}");
        assert!(sandbox.violations().is_empty(), "{platform}: {:?}", sandbox.violations());
    }
}

#[tokio::test]
async fn pages_of_any_size_tell_the_truth() {
    for platform in Platform::ALL {
        let (sandbox, _server, client) = open(&WorldSpec::new(platform).only(&[DEMARCHE_COMPLETE]).dossiers(24)).await;
        let truth = sandbox.snapshot(DEMARCHE_COMPLETE).dossiers;
        for (since, size) in [(Since::Beginning, 7), (Since::Created(jiff::Timestamp::UNIX_EPOCH), 100)] {
            let listing = Listing::all(ListingSource::Demarche(COMPLETE), since);
            let (dossiers, _) = walk(&client, &listing, PageSize::new(size).expect("a size")).await;
            assert_eq!(dossiers.len(), truth.len());
            for dossier in &dossiers {
                let expected = &truth[&dossier.number.get()];
                assert_eq!(dossier.state.as_str(), expected.state.as_str());
                assert_eq!(dossier.motivation, expected.motivation);
                assert_eq!(dossier.messages.len(), expected.messages);
                assert_eq!(dossier.usager.email, expected.usager);
                assert_eq!(dossier.date_derniere_modification.as_second(), expected.updated_at.as_second());
                assert_eq!(dossier.champs.len(), expected.champs.len());
                assert_eq!(dossier.annotations.len(), expected.annotations.len());
            }
        }
    }
}

#[tokio::test]
async fn the_light_listing_shows_what_the_full_one_would() {
    for platform in Platform::ALL {
        let (_sandbox, _server, client) = open(&spec(platform)).await;
        let listing = Listing::all(ListingSource::Demarche(COMPLETE), Since::Beginning);
        let (dossiers, _) = walk(&client, &listing, PageSize::MAX).await;
        let light = client.light_page(&listing, None, PageSize::MAX).await.expect("a page").nodes;
        assert_eq!(light, dossiers.iter().map(Dossier::light).collect::<Vec<_>>(), "{platform}");
    }
}

#[tokio::test]
async fn one_dossier_is_the_listed_one_with_labels_dates_and_addresses() {
    for platform in Platform::ALL {
        let (_sandbox, _server, client) = open(&spec(platform)).await;
        let labels = Labels::of(&client.demarche(COMPLETE).await.expect("the démarche"));
        let listing = Listing::all(ListingSource::Demarche(COMPLETE), Since::Beginning);
        let (dossiers, _) = walk(&client, &listing, PageSize::MAX).await;
        let mut addresses = 0;
        for mut listed in dossiers.into_iter().take(12) {
            let read = client.dossier(listed.number).await.expect("an answer").expect("a dossier");
            labels.fill(&mut listed);
            let (mut one, mut other) = (Vec::new(), Vec::new());
            flat(&listed.champs, &mut one);
            flat(&read.champs, &mut other);
            assert_eq!(one.len(), other.len());
            for (one, other) in one.iter().zip(&other) {
                assert!(one.label.is_some() && other.label.is_some());
                assert!(other.updated_at.is_some() && other.prefilled.is_some());
                if let ChampValue::Files(files) = &other.value {
                    addresses += files.iter().filter(|file| file.url.is_some()).count();
                }
            }
            let stored = |dossier: &Dossier| {
                let mut bare = dossier.clone();
                let mut champs: Vec<&mut Champ> = bare.champs.iter_mut().chain(&mut bare.annotations).collect();
                while let Some(champ) = champs.pop() {
                    (champ.updated_at, champ.prefilled) = (None, None);
                    champ.columns.clear();
                    if let ChampValue::Repetition(rows) = &mut champ.value {
                        champs.extend(rows.iter_mut().flat_map(|row| &mut row.champs));
                    }
                }
                serde_json::to_value(bare).expect("a dossier serializes")
            };
            assert_eq!(stored(&listed), stored(&read), "{platform}: both readings keep the same");
        }
        assert!(addresses > 0, "{platform}: files have addresses");
        assert_eq!(client.dossier(DossierNumber::new(999_999_999)).await.expect("an answer"), None);
    }
}

#[tokio::test]
async fn demandeurs_of_every_kind_come_through() {
    let (_sandbox, _server, client) = open(&spec(Platform::DemarcheNumerique)).await;
    let listing = Listing::all(ListingSource::Demarche(COMPLETE), Since::Beginning);
    let (dossiers, _) = walk(&client, &listing, PageSize::MAX).await;
    let count = |is: fn(&Demandeur) -> bool| dossiers.iter().filter(|dossier| is(&dossier.demandeur)).count();
    assert!(count(|d| matches!(d, Demandeur::PersonnePhysique { .. })) > 0);
    assert!(count(|d| matches!(d, Demandeur::PersonneMorale(_))) > 0);
    assert_eq!(count(|d| matches!(d, Demandeur::Inconnu { .. })), 0);
}

#[tokio::test]
async fn news_lists_and_groupes_tell_the_truth() {
    for platform in Platform::ALL {
        let (sandbox, _server, client) = open(&spec(platform)).await;
        let truth = sandbox.snapshot(DEMARCHE_COMPLETE);
        let news = client.news(COMPLETE, None).await.expect("the news");
        let demarche = client.demarche(COMPLETE).await.expect("the démarche");
        assert_eq!(news.head, demarche.head());
        let numbers = |page: &Page<_>| -> BTreeSet<u32> {
            page.nodes.iter().map(|gone: &demarche_numerique::dossier::DeletedDossier| gone.number.get()).collect()
        };
        assert_eq!(numbers(&news.pending.expect("listed")), truth.pending.keys().copied().collect());
        assert_eq!(numbers(&news.deleted.expect("listed")), truth.deleted.keys().copied().collect());
        let mut total = 0;
        for groupe in &demarche.groupes_instructeurs {
            assert_eq!(client.groupe_instructeur(groupe.number).await.expect("a groupe"), *groupe);
            let listing = Listing::all(ListingSource::Groupe(groupe.number), Since::Beginning);
            let (dossiers, _) = walk(&client, &listing, PageSize::MAX).await;
            assert!(dossiers.iter().all(|dossier| dossier.groupe_instructeur.number == groupe.number));
            total += dossiers.len();
        }
        assert_eq!(total, truth.dossiers.len(), "{platform}");
    }
}

#[tokio::test]
async fn the_sandbox_has_the_pinned_schema_and_a_public_form() {
    for platform in Platform::ALL {
        let (_sandbox, server, client) = open(&WorldSpec::new(platform).only(&[DEMARCHE_COMPLETE])).await;
        let facts = client.introspect().await.expect("a schema");
        let gap = facts.against(&SchemaFacts::pinned(platform));
        assert!(gap.missing.is_empty(), "{platform}: {gap:?}");
        // The sandbox serves a kind of champ that no platform has, and names the types that the schema of Démat Social
        // leaves unsaid.
        let own = ["Nouveau", "Nir", "FinessChampDescriptor", "RppsanteChampDescriptor", "TypeDeChamp.nouveau_type"];
        assert!(gap.added.iter().all(|fact| own.iter().any(|own| fact.starts_with(own))), "{platform}: {gap:?}");
        let form = client.demarche_descriptor(COMPLETE).await.expect("the form");
        if platform == Platform::DemarcheNumerique {
            // Without a token it answers its own stored queries only, which the sandbox does not have.
            continue;
        }
        let anonymous = Client::builder(platform).url(server.url()).build().expect("no token is needed");
        let public = anonymous.demarche_descriptor(COMPLETE).await.expect("the form is open data");
        let labels = |form: &demarche_numerique::api::Form| -> Vec<String> {
            form.revision.iter().flat_map(|r| &r.champs).map(|champ| champ.label.clone()).collect()
        };
        assert!(!labels(&form).is_empty());
        assert_eq!(labels(&form), labels(&public), "{platform}");
    }
}
