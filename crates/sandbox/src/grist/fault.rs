//! Injects faults.

use serde_json::json;

/// One way of failing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection closes before the request is looked at.
    CloseBefore,
    /// The request is executed, its answer never arrives (Grist trap 14).
    LoseAnswer,
    /// Another answer, and nothing is executed.
    Answer {
        /// HTTP status.
        status: u16,
        /// The body, as it is sent.
        body: String,
    },
    /// The request is executed, another answer arrives.
    AnswerAfter {
        /// HTTP status.
        status: u16,
        /// The body, as it is sent.
        body: String,
    },
}

impl Fault {
    fn error(status: u16, message: &str) -> Self {
        Self::Answer { status, body: json!({ "error": message }).to_string() }
    }

    /// 429 for more than ten requests in flight (Grist trap 24). There is no `Retry-After`.
    #[must_use]
    pub fn too_many(document: &str) -> Self {
        let text = format!("Too many backlogged requests for document {document} - try again later?");
        Self::error(429, &text)
    }

    /// 429 for the daily quota of the site.
    #[must_use]
    pub fn quota(document: &str) -> Self {
        Self::error(429, &format!("Exceeded daily limit for document {document}"))
    }

    /// 503: the document moves to another worker.
    #[must_use]
    pub fn in_flux() -> Self {
        Self::error(503, "Document in flux - try again later")
    }

    /// 400: the engine died under the request (Grist trap 25). A retry finds a new one.
    #[must_use]
    pub fn engine_died() -> Self {
        Self::error(400, "Error manipulating data: [Sandbox] PipeToSandbox is closed: the engine exited")
    }

    /// 500: the site is over its limits, only deletions are taken.
    #[must_use]
    pub fn delete_only() -> Self {
        Self::error(500, "Document is in delete-only mode")
    }
}

/// When a fault strikes. The default strikes every request, for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultPlan {
    pub(super) fault: Fault,
    route: Option<String>,
    holding: Option<String>,
    writes_only: bool,
    skip: u32,
    times: Option<u32>,
}

impl FaultPlan {
    /// Strikes every request, for ever.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self { fault, route: None, holding: None, writes_only: false, skip: 0, times: None }
    }

    /// Only requests of that route, named as in [`super::Logged::route`].
    #[must_use]
    pub fn route(mut self, route: &str) -> Self {
        self.route = Some(route.to_owned());
        self
    }

    /// Only requests whose body has this text.
    #[must_use]
    pub fn holding(mut self, text: &str) -> Self {
        self.holding = Some(text.to_owned());
        self
    }

    /// Only requests that write.
    #[must_use]
    pub fn writes(mut self) -> Self {
        self.writes_only = true;
        self
    }

    /// Lets `count` requests through first.
    #[must_use]
    pub fn after(mut self, count: u32) -> Self {
        self.skip = count;
        self
    }

    /// Strikes `count` times.
    #[must_use]
    pub fn times(mut self, count: u32) -> Self {
        self.times = Some(count);
        self
    }

    /// Returns true if it strikes this request; counts down.
    pub(super) fn strikes(&mut self, route: &str, write: bool, body: &[u8]) -> bool {
        let holds = |text: &str| body.windows(text.len().max(1)).any(|part| part == text.as_bytes());
        if self.times == Some(0)
            || (self.writes_only && !write)
            || self.route.as_deref().is_some_and(|wanted| wanted != route)
            || self.holding.as_deref().is_some_and(|text| !holds(text))
        {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        if let Some(left) = &mut self.times {
            *left -= 1;
        }
        true
    }
}
