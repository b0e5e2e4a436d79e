//! Injects faults.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::message::Outgoing;
use crate::random::Random;

/// The `RateLimit-Reset` header of a 429.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reset {
    /// The header is absent.
    Absent,
    /// That many seconds after now, or before when negative, by the virtual clock.
    In(i64),
    /// An instant of its own, e.g. by the real clock.
    At(Timestamp),
}

/// One way of failing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 429 in plain text.
    RateLimited(Reset),
    /// 500 in the form of GraphQL.
    Crash,
    /// 502 in HTML, from a proxy.
    BadGateway,
    /// 503 in JSON that is not GraphQL's.
    Maintenance,
    /// 301 to plain HTTP.
    Redirect,
    /// 200 and HTML.
    NotJson,
    /// 200 and a JSON object without `data` or `errors`.
    NoData,
    /// The connection closes before the request is looked at.
    CloseBefore,
    /// The request is executed, the answer never arrives.
    LoseAnswer,
    /// The request is executed, half of the answer arrives.
    Truncate,
    /// The request is executed, the answer takes its time (by the real clock).
    Slow(Duration),
    /// The request is executed, and a proxy that had no patience answers 504 in HTML.
    GatewayTimeout,
    /// The request is executed, and its pages contradict themselves: they are empty, and say that another one follows.
    EmptyPages,
    /// The request is executed, and its pages contradict themselves: another one follows, and there is no cursor.
    LostCursors,
    /// The request is executed, and the first node of each of its pages is null, without an error.
    NullNodes,
    /// The request is executed, then an exception strikes: 500 in the form of GraphQL.
    CrashAfter,
    /// The request is executed, then it is told as a bad request: an error with a code and no path, and no data.
    BadRequestAfter,
}

impl Fault {
    /// Returns `true` if the request is executed all the same.
    pub(super) fn executes(&self) -> bool {
        matches!(
            self,
            Self::LoseAnswer
                | Self::Truncate
                | Self::Slow(_)
                | Self::GatewayTimeout
                | Self::EmptyPages
                | Self::LostCursors
                | Self::NullNodes
                | Self::CrashAfter
                | Self::BadRequestAfter
        )
    }

    /// The answer that takes the place of the true one.
    pub(super) fn instead(&self, now: Timestamp, host: &str, nonce: u64) -> Outgoing {
        match self {
            Self::RateLimited(reset) => rate_limited(match reset {
                Reset::Absent => None,
                Reset::In(seconds) => Some(now.as_second() + seconds),
                Reset::At(at) => Some(at.as_second()),
            }),
            Self::Crash => Outgoing::json(500, crate::graph::Answer::crash(nonce).body),
            Self::BadGateway => proxy(502, "Bad Gateway"),
            Self::Maintenance => maintenance(),
            Self::Redirect => redirect(host),
            Self::NotJson => Outgoing::text(200, "text/html; charset=utf-8", "<!DOCTYPE html><p>Portail captif</p>"),
            Self::NoData => Outgoing::json(200, b"{}".to_vec()),
            Self::CloseBefore => Outgoing { cut_after: Some(0), ..Outgoing::json(200, b"{}".to_vec()) },
            Self::LoseAnswer
            | Self::Truncate
            | Self::Slow(_)
            | Self::GatewayTimeout
            | Self::EmptyPages
            | Self::LostCursors
            | Self::NullNodes
            | Self::CrashAfter
            | Self::BadRequestAfter => Outgoing::default(),
        }
    }

    /// The change of the true answer.
    pub(super) fn spoil(&self, answer: &mut Outgoing) {
        match self {
            Self::LoseAnswer => answer.cut_after = Some(0),
            Self::Truncate => answer.cut_after = Some(answer.body.len() / 2),
            Self::Slow(delay) => answer.delay = *delay,
            Self::GatewayTimeout => *answer = proxy(504, "Gateway Timeout"),
            Self::EmptyPages => each_page(answer, |page| {
                page["nodes"] = json!([]);
                page["pageInfo"]["hasNextPage"] = json!(true);
                page["pageInfo"]["endCursor"] = Json::Null;
            }),
            Self::LostCursors => each_page(answer, |page| {
                page["pageInfo"]["hasNextPage"] = json!(true);
                page["pageInfo"]["endCursor"] = Json::Null;
            }),
            Self::NullNodes => each_page(answer, |page| {
                if let Some(first) = page["nodes"].as_array_mut().and_then(|nodes| nodes.first_mut()) {
                    *first = Json::Null;
                }
            }),
            Self::CrashAfter => *answer = Outgoing::json(500, crate::graph::Answer::crash(0).body),
            Self::BadRequestAfter => {
                let error = json!({ "message": "Bad request", "extensions": { "code": "bad_request" } });
                *answer = Outgoing::json(200, json!({ "errors": [error], "data": null }).to_string().into_bytes());
            }
            _ => {}
        }
    }
}

/// Changes every page of an answer.
fn each_page(answer: &mut Outgoing, change: impl Fn(&mut Json)) {
    let Ok(mut body) = serde_json::from_slice::<Json>(&answer.body) else { return };
    let root = body.pointer_mut("/data").and_then(Json::as_object_mut);
    for field in root.into_iter().flat_map(|data| data.values_mut()).filter_map(Json::as_object_mut) {
        field.values_mut().filter(|value| value.get("pageInfo").is_some()).for_each(&change);
    }
    answer.body = body.to_string().into_bytes();
}

/// The page of a proxy.
fn proxy(status: u16, text: &str) -> Outgoing {
    let page = format!("<html><head><title>{status} {text}</title></head><body><h1>{status} {text}</h1></body></html>");
    Outgoing::text(status, "text/html", &page)
}

pub(super) fn rate_limited(reset: Option<i64>) -> Outgoing {
    let text = "Calme toi, cowboy ! Tu as dépassé la limite de requêtes autorisées.\n\
                Calm down, cowboy! You have exceeded the limit of allowed requests.\n";
    let mut answer = Outgoing::text(429, "text/plain", text);
    if let Some(reset) = reset {
        answer.headers.push(("ratelimit-remaining", "0".to_owned()));
        answer.headers.push(("ratelimit-reset", reset.to_string()));
    }
    answer
}

pub(super) fn maintenance() -> Outgoing {
    let text = "Le site est actuellement en maintenance. Il sera à nouveau disponible dans un court instant.";
    Outgoing::json(503, json!({ "error": text }).to_string().into_bytes())
}

pub(super) fn redirect(host: &str) -> Outgoing {
    let mut answer = Outgoing::text(301, "text/html", "");
    answer.headers.push(("location", format!("http://{host}/")));
    answer
}

/// When a fault strikes. The default strikes every request, for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultPlan {
    /// The fault.
    pub fault: Fault,
    /// Only requests for that operation (the `operationName` of the request, `upload` for a file that is sent).
    pub operation: Option<String>,
    /// Requests let through first.
    pub skip: u32,
    /// Strikes one request out of that many.
    pub every: u32,
    /// Number of strikes; `None` is unlimited.
    pub times: Option<u32>,
    /// Strikes that many requests out of a hundred, at random.
    pub percent: u64,
    /// The seed of the random choice.
    pub seed: u64,
    /// Requests that were left to chance so far.
    drawn: u64,
}

impl FaultPlan {
    /// Strikes every request, for ever.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self { fault, operation: None, skip: 0, every: 1, times: None, percent: 100, seed: 0, drawn: 0 }
    }

    /// Only requests for that operation.
    #[must_use]
    pub fn operation(mut self, name: &str) -> Self {
        self.operation = Some(name.to_owned());
        self
    }

    /// Lets `count` requests through first.
    #[must_use]
    pub fn after(mut self, count: u32) -> Self {
        self.skip = count;
        self
    }

    /// Strikes one request out of `k`.
    #[must_use]
    pub fn every(mut self, k: u32) -> Self {
        self.every = k.max(1);
        self
    }

    /// Strikes `percent` requests out of a hundred, at random: the same seed strikes the same ones, and plans for
    /// different faults do not strike in step.
    #[must_use]
    pub fn share(mut self, percent: u32, seed: u64) -> Self {
        self.percent = u64::from(percent);
        self.seed = seed;
        self
    }

    /// Strikes `count` times.
    #[must_use]
    pub fn times(mut self, count: u32) -> Self {
        self.times = Some(count);
        self
    }

    /// Returns `true` if it strikes this request; counts down.
    pub(super) fn strikes(&mut self, operation: Option<&str>) -> bool {
        if self.times == Some(0) || self.operation.as_deref().is_some_and(|name| operation != Some(name)) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.skip = self.every - 1;
        if self.percent < 100 && !self.draw() {
            return false;
        }
        if let Some(left) = &mut self.times {
            *left -= 1;
        }
        true
    }

    fn draw(&mut self) -> bool {
        self.drawn += 1;
        let fault =
            format!("{:?}", self.fault).bytes().fold(0, |hash: u64, byte| hash * 131 % 1_000_003 + u64::from(byte));
        Random::of(&[self.seed, fault, self.drawn]).chance(self.percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_strike_when_they_say() {
        let strikes = |mut plan: FaultPlan| (0..6).map(|_| plan.strikes(Some("a"))).collect::<Vec<_>>();
        let plan = || FaultPlan::new(Fault::Crash);
        assert_eq!(strikes(plan()), [true; 6]);
        assert_eq!(strikes(plan().times(2)), [true, true, false, false, false, false]);
        assert_eq!(strikes(plan().after(1).every(3)), [false, true, false, false, true, false]);
        assert_eq!(strikes(plan().operation("b")), [false; 6]);
    }

    #[test]
    fn a_share_is_kept_repeatable_and_independent_of_other_faults() {
        let struck = |fault: Fault, seed: u64| {
            let mut plan = FaultPlan::new(fault).share(20, seed);
            (0..1000).map(|_| plan.strikes(Some("a"))).collect::<Vec<_>>()
        };
        let count = |struck: &[bool]| struck.iter().filter(|struck| **struck).count();
        let (crash, lost) = (struck(Fault::Crash, 7), struck(Fault::LoseAnswer, 7));
        assert!((160..240).contains(&count(&crash)), "{}", count(&crash));
        assert_eq!(crash, struck(Fault::Crash, 7));
        assert_ne!(crash, struck(Fault::Crash, 8));
        let both = crash.iter().zip(&lost).filter(|(crash, lost)| **crash && **lost).count();
        assert!((15..70).contains(&both), "{both} of 1000 are struck by both, 40 by chance");
    }
}
