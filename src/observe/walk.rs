//! Walks through a listing to its end, around dossiers and pages that fail.

use std::collections::BTreeSet;

use futures_util::Stream;
use futures_util::stream::try_unfold;
use jiff::Timestamp;

use super::paging::Cursors;
use crate::api::{
    ApiError, Attempt, Client, Cursor, Disposition, Drift, Hole, Labeller, Listing, ListingSource, PAGE_AIM, Page,
    PageSize, Since, disposition,
};
use crate::dossier::Dossier;
use crate::ids::{DemarcheNumber, DossierNumber};

/// Reason of a dossier that is listed, and not found by its number.
pub const LISTED_NOT_FOUND: &str = "listed_not_found";

/// Most unreadable dossiers of a page that are read one by one. With more, the page is halved.
const MOST_HOLES: usize = 10;

/// Walk through a listing, forward, in ascending order: a dossier that moves during the walk comes again at its end
/// (trap 11).
///
/// A page that the platform cannot serve is halved down to the dossier at fault, as one dossier may break every page it
/// is in (traps 2 to 5). That dossier is reported as [`Unread`] and the walk goes on. Every dossier that the platform
/// lists is in a [`WalkStep`], read or unread, or the walk ends with an error.
#[derive(Debug)]
pub struct Walk {
    client: Client,
    listing: Listing,
    most: PageSize,
    position: Position,
    /// Adds the labels of questions, if they are wanted.
    labeller: Option<Labeller>,
    cursors: Cursors,
}

#[derive(Clone, Debug)]
enum Position {
    At { after: Option<Cursor>, size: PageSize },
    Done,
}

/// Dossiers of one page.
#[derive(Clone, Debug, Default)]
pub struct WalkStep {
    /// The dossiers, in the platform's order.
    pub dossiers: Vec<Dossier>,
    /// The dossiers that could not be read.
    pub unread: Vec<Unread>,
    /// The newest `dateDerniereModification` on the page: the date that the walk reached.
    pub reached: Option<Timestamp>,
    /// Values of the platform that this version does not know.
    pub drift: Vec<Drift>,
    /// True for the last page.
    pub last: bool,
}

/// A dossier that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The number.
    pub number: DossierNumber,
    /// The reason, a stable word.
    pub reason: String,
    /// The error, without personal data.
    pub message: String,
}

impl Walk {
    /// Starts a walk at the beginning of a listing, with pages of at most `most`.
    #[must_use]
    pub fn new(client: &Client, listing: Listing, most: PageSize) -> Self {
        Self {
            client: client.clone(),
            listing,
            most,
            position: Position::At { after: None, size: most },
            labeller: None,
            cursors: Cursors::default(),
        }
    }

    /// Adds the labels of questions to its dossiers ([`Dossier::champ`]), for one more request: the form is read with
    /// the first page, and again if it changes.
    #[must_use]
    pub fn with_labels(self) -> Self {
        Self { labeller: Some(Labeller::new(&self.client, self.listing.source)), ..self }
    }

    /// Reads the next page; `None` after the last one. After an error the next call reads the same page again.
    ///
    /// # Errors
    /// Errors that concern more than one dossier: the token, the address, the schema, an outage.
    pub async fn next(&mut self) -> Result<Option<WalkStep>, ApiError> {
        let before = self.labeller.is_some().then(|| (self.position.clone(), self.cursors.clone()));
        let mut step = self.read().await?;
        if let (Some(labeller), Some(step)) = (&mut self.labeller, &mut step)
            && let Err(error) = labeller.fill(&mut step.dossiers).await
        {
            // The labels failed and the page was not returned: read it again next time.
            if let Some(before) = before {
                (self.position, self.cursors) = before;
            }
            return Err(error);
        }
        Ok(step)
    }

    async fn read(&mut self) -> Result<Option<WalkStep>, ApiError> {
        loop {
            let Position::At { after, size } = &self.position else { return Ok(None) };
            let (after, size) = (after.clone(), *size);
            match self.client.dossiers_page(&self.listing, after.as_ref(), size).await {
                Ok(page) if page.holes.len() > MOST_HOLES && size > PageSize::ONE => self.shrink(after, size),
                Ok(page) => match self.fill(&page, after.as_ref(), size).await? {
                    Some(unread) => {
                        let (mut step, read_again) = unread;
                        let (end, has_next) = (page.end, page.has_next);
                        let fits = PageSize::within(PAGE_AIM, page.nodes.len() + page.holes.len(), page.bytes);
                        // Only dates on the page itself: a dossier that was read on its own may have moved far ahead of
                        // the walk, and the watermark would pass over others.
                        step.reached = page.nodes.iter().map(|dossier| dossier.date_derniere_modification).max();
                        step.dossiers = page.nodes;
                        step.dossiers.extend(read_again);
                        step.drift.extend(page.drift);
                        step.last = self.go_on(end, has_next, size.doubled().min(fits))?;
                        return Ok(Some(step));
                    }
                    None => self.shrink(after, size),
                },
                Err(error) => match verdict(&error, size) {
                    Disposition::ShrinkPage => self.shrink(after, size),
                    Disposition::Quarantine => return self.set_aside(error, after).await.map(Some),
                    Disposition::Retry { .. } | Disposition::Stop => return Err(error),
                },
            }
        }
    }

    fn shrink(&mut self, after: Option<Cursor>, size: PageSize) {
        self.position = Position::At { after, size: size.halved() };
    }

    /// Reads the holes of a page one by one, and returns the dossiers read and unread. `None` if the page does not show
    /// which dossiers they are: it must be halved first.
    async fn fill(
        &self,
        page: &Page<Dossier>,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Option<(WalkStep, Vec<Dossier>)>, ApiError> {
        let mut step = WalkStep::default();
        let mut read_again = Vec::new();
        if page.holes.is_empty() {
            return Ok(Some((step, read_again)));
        }
        let mut missing: BTreeSet<DossierNumber> = page.holes.iter().filter_map(|hole| hole.number).collect();
        if missing.len() < page.holes.len() {
            match self.client.positions_page(&self.listing, after, size).await {
                Ok(positions) if positions.holes.is_empty() => {
                    let read: BTreeSet<DossierNumber> = page.nodes.iter().map(|dossier| dossier.number).collect();
                    missing.extend(
                        positions.nodes.iter().map(|position| position.number).filter(|number| !read.contains(number)),
                    );
                }
                Ok(_) | Err(_) if size > PageSize::ONE => return Ok(None),
                // Not even the number of this dossier can be read. Its cursor ends with the row's id, which is the
                // number (docs/platform.md#paging).
                Ok(_) | Err(_) => match page.end.as_ref().and_then(Cursor::row) {
                    Some(number) => _ = missing.insert(number),
                    None => return Err(unidentified(&page.holes)),
                },
            }
        }
        for number in missing {
            match self.client.dossier(number).await {
                Ok(Some(dossier)) => read_again.push(dossier),
                Ok(None) => step.unread.extend(self.not_found(number, after, size).await?),
                Err(error) => step.unread.push(unread(number, error)?),
            }
        }
        Ok(Some((step, read_again)))
    }

    /// Reports the one dossier of a page that fails as a whole as unread, by its position alone.
    async fn set_aside(&mut self, error: ApiError, after: Option<Cursor>) -> Result<WalkStep, ApiError> {
        let positions = self.client.positions_page(&self.listing, after.as_ref(), PageSize::ONE).await?;
        let number = positions
            .nodes
            .first()
            .map(|position| position.number)
            .or_else(|| positions.end.as_ref().and_then(Cursor::row));
        let mut step = WalkStep::default();
        if let Some(number) = number {
            match self.client.dossier(number).await {
                Ok(Some(dossier)) => step.dossiers.push(dossier),
                Ok(None) => step.unread.extend(self.not_found(number, after.as_ref(), PageSize::ONE).await?),
                Err(again) => step.unread.push(unread(number, again)?),
            }
        } else if positions.has_next {
            return Err(error);
        }
        step.reached = positions.nodes.iter().map(|position| position.date_derniere_modification).max();
        step.last = self.go_on(positions.end, positions.has_next, PageSize::ONE.doubled())?;
        Ok(step)
    }

    /// Decides about a dossier that is on a page, and not found by its number. It may have left meanwhile: then it is
    /// no longer listed, and the lists of deletions have the reason. As long as it is listed the two answers contradict
    /// each other, and it goes into quarantine (trap 35).
    async fn not_found(
        &self,
        number: DossierNumber,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Option<Unread>, ApiError> {
        // A discarded démarche hides all its dossiers, which are not deleted (trap 17): read its head, and fail if it
        // is gone.
        match self.listing.source {
            ListingSource::Demarche(number) => self.client.head(number).await.map(drop)?,
            ListingSource::Groupe(number) => self.client.groupe_instructeur(number).await.map(drop)?,
        }
        let listed = match self.client.positions_page(&self.listing, after, size).await {
            Ok(positions) => {
                let shown = positions.nodes.iter().any(|position| position.number == number);
                // A hole without a number may be this dossier.
                shown || positions.holes.iter().any(|hole| hole.number.is_none_or(|hole| hole == number))
            }
            Err(error) if error.may_be_of_this_question() && !error.may_be_an_outage() => true,
            Err(error) => return Err(error),
        };
        Ok(listed.then(|| listed_not_found(number)))
    }

    /// Moves to the next page, of at most `size`. Returns true if there is none. An empty page has no cursor, and ends
    /// the walk: dossiers that appear later are for the next run (traps 10 and 15).
    fn go_on(&mut self, end: Option<Cursor>, has_next: bool, size: PageSize) -> Result<bool, ApiError> {
        let size = size.min(self.most);
        self.position = match self.cursors.follow(end, has_next, "a page of dossiers")? {
            None => Position::Done,
            Some(end) => Position::At { after: Some(end), size },
        };
        Ok(matches!(self.position, Position::Done))
    }
}

/// Decides about an error after the client's retries.
pub(super) fn verdict(error: &ApiError, size: PageSize) -> Disposition {
    disposition(error, Attempt { tried: u32::MAX, page_size: u32::from(size.get()), now: Timestamp::UNIX_EPOCH })
}

/// Reports a dossier as unread if the error concerns it alone; any other error ends the walk.
pub(crate) fn unread(number: DossierNumber, error: ApiError) -> Result<Unread, ApiError> {
    match verdict(&error, PageSize::ONE) {
        Disposition::Quarantine => Ok(Unread { number, reason: error.kind().to_owned(), message: error.to_string() }),
        // The token covers the démarche and not this dossier: the error concerns this dossier alone.
        Disposition::Stop if matches!(error, ApiError::OutOfScope { .. }) => {
            Ok(Unread { number, reason: error.kind().to_owned(), message: error.to_string() })
        }
        Disposition::Retry { .. } | Disposition::ShrinkPage | Disposition::Stop => Err(error),
    }
}

/// Reports a dossier that is listed, and not found by its number.
pub(crate) fn listed_not_found(number: DossierNumber) -> Unread {
    Unread {
        number,
        reason: LISTED_NOT_FOUND.to_owned(),
        message: "the platform lists it, and does not know it when it is asked for alone".to_owned(),
    }
}

/// Returns the error of a page of one whose dossier cannot be identified.
pub(super) fn unidentified(holes: &[Hole]) -> ApiError {
    let hole = holes.first();
    ApiError::Partial {
        what: "a page of one dossier that does not tell its number".to_owned(),
        code: hole.map(|hole| hole.reason.clone()),
        message: hole.map(|hole| hole.message.clone()).unwrap_or_default(),
    }
}

/// Streams the dossiers of a démarche that moved since an instant, or all of them, with the labels of their questions.
///
/// The last item of a stream that ends without an error is the last dossier of the listing. A dossier that the platform
/// cannot serve is an `Err` item, and the stream goes on after it if the error concerns that dossier alone.
pub fn changed(
    client: &Client,
    demarche: DemarcheNumber,
    since: Option<Timestamp>,
) -> impl Stream<Item = Result<Dossier, ApiError>> + Send + 'static + use<> {
    struct State {
        walk: Walk,
        ready: std::collections::VecDeque<Result<Dossier, ApiError>>,
    }
    let since = since.map_or(Since::Beginning, Since::Updated);
    let walk = Walk::new(client, Listing::all(ListingSource::Demarche(demarche), since), PageSize::MAX).with_labels();
    let items = try_unfold(State { walk, ready: std::collections::VecDeque::new() }, async |mut state| {
        loop {
            if let Some(item) = state.ready.pop_front() {
                return Ok(Some((item, state)));
            }
            let Some(step) = state.walk.next().await? else { return Ok(None) };
            state.ready.extend(step.dossiers.into_iter().map(Ok));
            state.ready.extend(step.unread.into_iter().map(|unread| {
                let what = format!("dossier {}", unread.number);
                Err(ApiError::Partial { what, code: Some(unread.reason), message: unread.message })
            }));
        }
    });
    futures_util::StreamExt::map(items, Result::flatten)
}
