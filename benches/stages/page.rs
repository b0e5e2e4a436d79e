//! Records a page of the sandbox, and decodes and maps it.

use bytes::Bytes;
use demarche_numerique::api::{Listing, ListingSource, PageSize, Since, replay_dossiers};
use demarche_numerique::dossier::Dossier;
use demarche_numerique::plan::{Known, KnownDossier, Observation, Remembered, SchemaPlan, reconcile};
use demarche_numerique::privacy::{Filter, FormTypes, Policy};
use demarche_numerique::sandbox::DEMARCHE_LARGE;
use demarche_numerique::table::naming::NameLimits;
use demarche_numerique::table::{Mapper, Row, infer};
use demarche_numerique::{Demarche, DemarcheNumber, Platform};

use super::support::recorder::{Recorder, kept};
use super::support::{Anyhow, client};

/// Dossiers of the page.
pub const PAGE: u32 = 100;

/// Their démarche.
pub const DEMARCHE: u32 = DEMARCHE_LARGE;

/// A recorded page with the form, filter and mapper for it.
pub struct RecordedPage {
    pub demarche: Demarche,
    types: FormTypes,
    filter: Filter,
    mapper: Mapper,
    listing: Listing,
    answer: Bytes,
}

impl RecordedPage {
    /// Reads a form and a page from the sandbox, and records the page as it was sent.
    pub async fn new() -> Anyhow<Self> {
        let folder = tempfile::tempdir()?;
        let (recorder, url) = Recorder::start(DEMARCHE, PAGE, folder.path()).await?;
        let token = recorder.sandbox().token();
        let number = DemarcheNumber::new(DEMARCHE);
        let listing = Listing::all(ListingSource::Demarche(number), Since::Beginning);
        let demarche = client(&format!("{url}/form/api/v2/graphql"), &token)?.demarche(number).await?;
        let there = client(&format!("{url}/page/api/v2/graphql"), &token)?;
        there.dossiers_page(&listing, None, PageSize::MAX).await?;
        let page = kept(&folder.path().join("page"))?.pop().ok_or("no page was asked for")?;
        let answer = std::fs::read(page.answer)?.into();
        let types = FormTypes::of(&demarche);
        let filter = Filter::new(Policy::default(), None)?;
        let mapper = Mapper::new(&tables(&demarche, &filter, &types, &Remembered::default()).layout);
        Ok(Self { demarche, types, filter, mapper, listing, answer })
    }

    /// Decodes the recorded answer.
    pub fn decode(&self) -> Vec<Dossier> {
        let page = replay_dossiers(Platform::DemarcheNumerique, &self.listing, &self.answer);
        page.expect("a page that was sent can be read").nodes
    }

    /// Filters dossiers and maps them to rows.
    pub fn map(&self, dossiers: Vec<Dossier>) -> Vec<Row> {
        let row = |mut dossier: Dossier| {
            let light = dossier.light().digest();
            self.filter.apply(&mut dossier, &self.types);
            self.mapper.row(dossier, light).row
        };
        dossiers.into_iter().map(row).collect()
    }

    /// Plans the tables for such rows.
    pub fn tables(&self, remembered: &Remembered) -> SchemaPlan {
        tables(&self.demarche, &self.filter, &self.types, remembered)
    }
}

fn tables(demarche: &Demarche, filter: &Filter, types: &FormTypes, remembered: &Remembered) -> SchemaPlan {
    let mut spec = infer(demarche);
    spec.withhold(filter.policy(), types);
    reconcile(&spec, remembered, NameLimits::default())
}

/// Makes an observation of each row.
pub fn present(rows: Vec<Row>) -> Vec<Observation> {
    rows.into_iter().map(|row| Observation::Present(Box::new(row))).collect()
}

/// Makes the answer of a target that holds all of them.
pub fn held(observed: &[Observation]) -> Known {
    let held = observed.iter().filter_map(|observation| match observation {
        Observation::Present(row) => {
            Some((row.number, KnownDossier { fingerprint: row.fingerprint, light: row.light, gone: None }))
        }
        Observation::Gone(..) => None,
    });
    held.collect()
}
