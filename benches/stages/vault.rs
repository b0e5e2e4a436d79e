//! A target with prepared tables, and new pages for it.

use std::sync::atomic::{AtomicU32, Ordering};

use demarche_numerique::checkpoint::Checkpoint;
use demarche_numerique::ids::{DossierId, DossierNumber};
use demarche_numerique::plan::{Known, plan};
use demarche_numerique::sandbox::WorldSpec;
use demarche_numerique::sink::{AnySink, Batch, Prepared, Sink as _};

use super::desk::{DEMARCHE, Desk, present};
use super::support::{Anyhow, scope};

/// How far from each other the numbers of a page lie: dossiers are listed by date, and so each page touches all ends of an
/// index by number.
const APART: u32 = 1_000_000;

/// A page of dossiers that the target does not hold.
pub struct NewPage {
    numbers: Vec<DossierNumber>,
    batch: Batch,
}

pub struct Vault {
    sink: AnySink,
    prepared: Prepared,
    pages: AtomicU32,
}

impl Vault {
    pub async fn new(desk: &Desk, sink: AnySink) -> Anyhow<Self> {
        let scope = scope(DEMARCHE);
        let tables = desk.tables(&sink.schema(&scope).await?);
        let prepared = sink.prepare(&scope, &desk.demarche, tables).await?;
        Ok(Self { sink, prepared, pages: AtomicU32::new(0) })
    }

    /// The page under numbers that the target has not seen.
    pub fn new_page(&self, desk: &Desk) -> NewPage {
        let page = self.pages.fetch_add(1, Ordering::Relaxed);
        let mut dossiers = desk.decode();
        for (rank, dossier) in (1..).zip(&mut dossiers) {
            let number = rank * APART + page;
            dossier.number = DossierNumber::new(number);
            dossier.id = DossierId::new(format!("Dossier-{number}"));
        }
        let watermark = dossiers.iter().map(|dossier| dossier.date_derniere_modification).max();
        let numbers = dossiers.iter().map(|dossier| dossier.number).collect();
        let batch = Batch {
            run: "bench".to_owned(),
            seen_at: WorldSpec::default().start,
            plan: plan(&Known::new(), present(desk.map(dossiers))),
            checkpoint: Checkpoint { watermark, ..Checkpoint::default() },
            quarantine: Vec::new(),
        };
        NewPage { numbers, batch }
    }

    /// Asks what is held of the dossiers of a page.
    pub async fn look_up(&self, page: &NewPage) -> Anyhow<Known> {
        Ok(self.sink.known(self.prepared.scope(), &page.numbers).await?)
    }

    pub async fn commit(&self, page: &NewPage) -> Anyhow<()> {
        self.sink.commit(&self.prepared, &page.batch).await?;
        Ok(())
    }

    pub async fn close(self) -> Anyhow<()> {
        Ok(self.sink.close().await?)
    }
}
