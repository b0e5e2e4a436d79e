//! Records requests.

use std::collections::BTreeMap;

/// One request, as it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Method and place without ids: `POST apply`, `POST sql`, `GET tables/columns`, `PUT tables/records`.
    pub route: String,
    /// The document, empty for the routes outside of documents.
    pub document: String,
    /// HTTP status; 0 when the connection was closed.
    pub status: u16,
    /// `true` if it is made to change something: everything but GET and `POST sql`.
    pub write: bool,
    /// Bytes of the body that came.
    pub received: usize,
    /// Bytes of the body that left.
    pub sent: usize,
}

/// Sums over requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Requests.
    pub requests: usize,
    /// Those made to change something.
    pub writes: usize,
    /// Bytes of bodies that came.
    pub received: usize,
    /// Bytes of bodies that left.
    pub sent: usize,
}

impl Count {
    fn add(&mut self, request: &Logged) {
        self.requests += 1;
        self.writes += usize::from(request.write);
        self.received += request.received;
        self.sent += request.sent;
    }
}

pub(super) fn total(log: &[Logged]) -> Count {
    let mut total = Count::default();
    log.iter().for_each(|request| total.add(request));
    total
}

pub(super) fn by_route(log: &[Logged]) -> BTreeMap<String, Count> {
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    for request in log {
        counts.entry(request.route.clone()).or_default().add(request);
    }
    counts
}
