//! Remembers for a moment what Grist said of access tokens, by their digests, and limits how many are shown to it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::serve::budget::CallBudget;

/// For how long an answer of Grist about a token holds. Somebody who loses the right to edit sees the page that much longer;
/// commands are never taken by what is remembered.
const KEPT: Duration = Duration::from_secs(45);
/// The number of tokens that are remembered.
const MOST: usize = 256;
/// The number of unknown tokens that Grist is asked about at once, and after how long there is room for one more.
const AT_ONCE: u32 = 20;
const EACH: Duration = Duration::from_secs(1);

/// Remembers what Grist said of tokens. Holds no token.
#[derive(Debug)]
pub struct Verdicts<V> {
    known: BTreeMap<[u8; 32], (Instant, V)>,
    budget: CallBudget,
    /// The moment from which the budget counts.
    since: Instant,
}

impl<V: Copy> Default for Verdicts<V> {
    fn default() -> Self {
        Self { known: BTreeMap::new(), budget: CallBudget::new(AT_ONCE, EACH), since: Instant::now() }
    }
}

impl<V: Copy> Verdicts<V> {
    /// Gives the digest of a token for a document.
    #[must_use]
    pub fn digest(document: &str, token: &str) -> [u8; 32] {
        Sha256::new().chain_update(document).chain_update([0]).chain_update(token).finalize().into()
    }

    /// Finds what was said of a token a moment ago.
    pub fn find(&mut self, digest: &[u8; 32], now: Instant) -> Option<V> {
        self.known.retain(|_, (at, _)| now.saturating_duration_since(*at) < KEPT);
        self.known.get(digest).map(|(_, verdict)| *verdict)
    }

    /// Remembers what was said.
    pub fn keep(&mut self, digest: [u8; 32], verdict: V, now: Instant) {
        if self.known.len() >= MOST
            && let Some(oldest) = self.known.iter().min_by_key(|(_, (at, _))| *at).map(|(digest, _)| *digest)
        {
            self.known.remove(&oldest);
        }
        self.known.insert(digest, (now, verdict));
    }

    /// Returns true if Grist may be asked once more now.
    pub fn may_ask(&mut self, now: Instant) -> bool {
        self.budget.take(now.saturating_duration_since(self.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_holds_for_its_token_and_document_and_less_than_a_minute() {
        let start = Instant::now();
        let mut verdicts = Verdicts::default();
        let digest = Verdicts::<bool>::digest("doc", "token");
        verdicts.keep(digest, true, start);
        assert_eq!(verdicts.find(&digest, start + Duration::from_secs(44)), Some(true));
        assert_eq!(verdicts.find(&Verdicts::<bool>::digest("other", "token"), start), None);
        assert_eq!(verdicts.find(&Verdicts::<bool>::digest("doct", "oken"), start), None);
        assert_eq!(verdicts.find(&digest, start + Duration::from_secs(60)), None);
    }

    #[test]
    fn tokens_are_bounded_in_number_and_in_time() {
        let start = Instant::now();
        let mut verdicts = Verdicts::default();
        for token in 0..1000 {
            verdicts.keep(Verdicts::<bool>::digest("doc", &token.to_string()), false, start);
        }
        assert_eq!(verdicts.known.len(), MOST);
        let mut asked = |at: Instant, times: u32| (0..times).filter(|_| verdicts.may_ask(at)).count();
        assert_eq!(asked(start + Duration::from_secs(60), 1000), 20);
        assert_eq!(asked(start + Duration::from_secs(62), 1000), 2);
    }
}
