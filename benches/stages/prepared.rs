//! Prepares a target and makes pages of new dossiers for it.

use std::sync::atomic::{AtomicU32, Ordering};

use demarche_numerique::checkpoint::Checkpoint;
use demarche_numerique::ids::{DossierId, DossierNumber};
use demarche_numerique::plan::{Known, plan};
use demarche_numerique::sandbox::WorldSpec;
use demarche_numerique::sink::{AnySink, Batch, Prepared, Sink as _};

use super::page::{DEMARCHE, RecordedPage, present};
use super::support::{Anyhow, scope};

/// The distance between the numbers of a page. The platform lists dossiers by date, so a page touches all parts of an index
/// by number.
const APART: u32 = 1_000_000;

/// A page of dossiers that are new to the target.
pub struct NewPage {
    numbers: Vec<DossierNumber>,
    batch: Batch,
}

pub struct PreparedTarget {
    sink: AnySink,
    prepared: Prepared,
    pages: AtomicU32,
}

impl PreparedTarget {
    pub async fn new(recorded: &RecordedPage, sink: AnySink) -> Anyhow<Self> {
        let scope = scope(DEMARCHE);
        let tables = recorded.tables(&sink.schema(&scope).await?);
        let prepared = sink.prepare(&scope, &recorded.demarche, tables).await?;
        Ok(Self { sink, prepared, pages: AtomicU32::new(0) })
    }

    /// Numbers the dossiers of the page anew, so that the target has none of them.
    pub fn new_page(&self, recorded: &RecordedPage) -> NewPage {
        let page = self.pages.fetch_add(1, Ordering::Relaxed);
        let mut dossiers = recorded.decode();
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
            plan: plan(&Known::new(), present(recorded.map(dossiers))),
            checkpoint: Checkpoint { watermark, ..Checkpoint::default() },
            quarantine: Vec::new(),
        };
        NewPage { numbers, batch }
    }

    /// Looks the dossiers of a page up.
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
