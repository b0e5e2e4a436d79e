//! Reading a listing to its end, whatever single dossiers or pages do.

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

/// The reason of a dossier that is listed, and not found when it is asked for alone.
pub const LISTED_NOT_FOUND: &str = "listed_not_found";

/// Up to this many unreadable dossiers of a page are read one by one; above, the page is cut.
const MOST_HOLES: usize = 10;

/// A walk through a listing, forward, in ascending order.
///
/// A page that the platform cannot serve is cut in halves down to the dossier at fault; that one is reported as
/// [`Unread`] and the walk goes on (traps 2 to 5). Nothing is passed over in silence: every dossier that the platform
/// lists is in a [`Step`], read or unread, or the walk ends with an error.
#[derive(Debug)]
pub struct Walk {
    client: Client,
    listing: Listing,
    most: PageSize,
    position: Position,
    /// Who adds the labels of questions, where they are wanted.
    labeller: Option<Labeller>,
    cursors: Cursors,
}

#[derive(Clone, Debug)]
enum Position {
    At { after: Option<Cursor>, size: PageSize },
    Done,
}

/// What one page brought.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// The dossiers, in the platform's order.
    pub dossiers: Vec<Dossier>,
    /// Those that could not be read.
    pub unread: Vec<Unread>,
    /// The newest `dateDerniereModification` that the page itself showed: how far the walk came.
    pub reached: Option<Timestamp>,
    /// What the platform sent that this version does not know.
    pub drift: Vec<Drift>,
    /// Whether this is the last page.
    pub last: bool,
}

/// A dossier that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Which.
    pub number: DossierNumber,
    /// A stable word for why.
    pub reason: String,
    /// What happened, without personal data.
    pub message: String,
}

impl Walk {
    /// A walk from the beginning of a listing, by pages of at most `most`.
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

    /// The same, with the labels of questions in its dossiers ([`Dossier::champ`]), for one more request: the form is read
    /// with the first page, and again when it moves.
    #[must_use]
    pub fn with_labels(self) -> Self {
        Self { labeller: Some(Labeller::new(&self.client, self.listing.source)), ..self }
    }

    /// The next page; `None` after the last one. After an error the same page is read again.
    ///
    /// # Errors
    /// Whatever concerns more than one dossier: the token, the address, the schema, a platform that stays away.
    pub async fn next(&mut self) -> Result<Option<Step>, ApiError> {
        let before = self.labeller.is_some().then(|| (self.position.clone(), self.cursors.clone()));
        let mut step = self.read().await?;
        if let (Some(labeller), Some(step)) = (&mut self.labeller, &mut step)
            && let Err(error) = labeller.fill(&mut step.dossiers).await
        {
            // The page was not handed out.
            if let Some(before) = before {
                (self.position, self.cursors) = before;
            }
            return Err(error);
        }
        Ok(step)
    }

    async fn read(&mut self) -> Result<Option<Step>, ApiError> {
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
                        // Only what the page itself showed: a dossier read again may have moved far ahead of the walk.
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

    /// Reads the holes of a page one by one: what could be read, what could not. `None` when the page does not tell which
    /// dossiers they are and must be cut first.
    async fn fill(
        &self,
        page: &Page<Dossier>,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Option<(Step, Vec<Dossier>)>, ApiError> {
        let mut step = Step::default();
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
                // The dossier does not even show its number: its cursor does (it ends with the row's id, which is the
                // number, docs/platform.md#paging).
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

    /// Passes over the one dossier of a page of one that fails as a whole, by its position alone.
    async fn set_aside(&mut self, error: ApiError, after: Option<Cursor>) -> Result<Step, ApiError> {
        let positions = self.client.positions_page(&self.listing, after.as_ref(), PageSize::ONE).await?;
        let number = positions
            .nodes
            .first()
            .map(|position| position.number)
            .or_else(|| positions.end.as_ref().and_then(Cursor::row));
        let mut step = Step::default();
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

    /// What to make of a dossier of a page that the platform says it does not know, when asked for it alone. It may have left
    /// while we were looking: then it is not listed any more, and the lists of deletions tell how it went. As long as it is
    /// listed the two answers contradict each other, and it is set aside.
    async fn not_found(
        &self,
        number: DossierNumber,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Result<Option<Unread>, ApiError> {
        // A démarche that is thrown away hides all of its own (trap 17).
        match self.listing.source {
            ListingSource::Demarche(number) => self.client.head(number).await.map(drop)?,
            ListingSource::Groupe(number) => self.client.groupe_instructeur(number).await.map(drop)?,
        }
        let listed = match self.client.positions_page(&self.listing, after, size).await {
            Ok(positions) => {
                let shown = positions.nodes.iter().any(|position| position.number == number);
                // A hole that does not tell its number may be this one.
                shown || positions.holes.iter().any(|hole| hole.number.is_none_or(|hole| hole == number))
            }
            Err(error) if error.may_be_of_this_question() && !error.may_be_an_outage() => true,
            Err(error) => return Err(error),
        };
        Ok(listed.then(|| listed_not_found(number)))
    }

    /// Moves to the next page, of at most `size`, and tells whether there is none. An empty page has no end (traps 10 and 15): what appears later
    /// is for the next run.
    fn go_on(&mut self, end: Option<Cursor>, has_next: bool, size: PageSize) -> Result<bool, ApiError> {
        let size = size.min(self.most);
        self.position = match self.cursors.follow(end, has_next, "a page of dossiers")? {
            None => Position::Done,
            Some(end) => Position::At { after: Some(end), size },
        };
        Ok(matches!(self.position, Position::Done))
    }
}

/// The verdict on an error that the client gave up on.
pub(super) fn verdict(error: &ApiError, size: PageSize) -> Disposition {
    disposition(error, Attempt { tried: u32::MAX, page_size: u32::from(size.get()), now: Timestamp::UNIX_EPOCH })
}

/// A dossier that fails by itself is set aside; whatever concerns more than it ends the walk.
pub(crate) fn unread(number: DossierNumber, error: ApiError) -> Result<Unread, ApiError> {
    match verdict(&error, PageSize::ONE) {
        Disposition::Quarantine => Ok(Unread { number, reason: error.kind().to_owned(), message: error.to_string() }),
        // The token covers the démarche, yet not this dossier: a fact about this dossier.
        Disposition::Stop if matches!(error, ApiError::OutOfScope { .. }) => {
            Ok(Unread { number, reason: error.kind().to_owned(), message: error.to_string() })
        }
        Disposition::Retry { .. } | Disposition::ShrinkPage | Disposition::Stop => Err(error),
    }
}

/// A dossier of which two answers of the platform contradict each other.
pub(crate) fn listed_not_found(number: DossierNumber) -> Unread {
    Unread {
        number,
        reason: LISTED_NOT_FOUND.to_owned(),
        message: "the platform lists it, and does not know it when it is asked for alone".to_owned(),
    }
}

/// Something in a page of one that does not tell which dossier it is.
pub(super) fn unidentified(holes: &[Hole]) -> ApiError {
    let hole = holes.first();
    ApiError::Partial {
        what: "a page of one dossier that does not tell its number".to_owned(),
        code: hole.map(|hole| hole.reason.clone()),
        message: hole.map(|hole| hole.message.clone()).unwrap_or_default(),
    }
}

/// The dossiers of a démarche that moved since an instant, or all of them, as a stream, with the labels of their questions.
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
