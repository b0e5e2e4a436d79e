//! Decides how many permits each process gets, in a sliding window. Pure: the time is a parameter.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A process that asked longer ago than this has given up waiting.
const STILL_THERE: i64 = 3_000;
/// The longest wait before asking again: shorter than [`STILL_THERE`], so that a waiting process keeps its share.
const ASK_AGAIN: i64 = 1_000;
/// The shortest wait before asking again.
const SOON: i64 = 50;

/// The rate limit that permits keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PermitRule {
    /// At most so many requests, at least 1...
    pub limit: u32,
    /// ... in any span of this length.
    pub window: Duration,
    /// Time for which a permit is valid. It counts until the latest request that used it has left every window.
    pub fresh: Duration,
}

/// The answer to a request for permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Number of permits, at most as many as were wanted.
    pub permits: u32,
    /// Time after which to ask for the rest.
    pub ask_again: Duration,
}

/// The permits of all processes that use one token. Instants are milliseconds of the server's clock.
///
/// Stored as JSON in `dn_budgets.book`: the names of its fields are a format.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// No permit is granted before: the platform asked to slow down.
    #[serde(default)]
    held_until: i64,
    /// The state of each process, by name.
    #[serde(default)]
    holders: BTreeMap<String, Holder>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    /// Instants and numbers of granted permits.
    given: Vec<(i64, u32)>,
    /// Number of permits in its last request.
    wanted: u32,
    /// Instant of its last request.
    asked_at: i64,
    /// Instant of the last request that was not granted in full.
    denied_at: Option<i64>,
}

impl Holder {
    fn permits(&self) -> u32 {
        self.given.iter().map(|(_, permits)| permits).sum()
    }

    fn is_there(&self, now: i64) -> bool {
        now - self.asked_at <= STILL_THERE
    }

    /// Number of permits reserved for it out of its share: as many as it last wanted, and its whole share if a request was
    /// not granted in full.
    fn claim(&self, now: i64, share: u32, window: i64) -> u32 {
        let left = share.saturating_sub(self.permits());
        match self.denied_at {
            _ if !self.is_there(now) => 0,
            Some(at) if now - at <= window => left,
            _ => left.min(self.wanted),
        }
    }
}

/// The part of a budget that concerns one process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OwnPermits {
    held_until: i64,
    given: Vec<(i64, u32)>,
}

impl Budget {
    /// Extracts the part of one process, to [restore](Self::restore) it after a failover.
    pub(super) fn own(&self, who: &str) -> OwnPermits {
        let given = self.holders.get(who).map(|holder| holder.given.clone()).unwrap_or_default();
        OwnPermits { held_until: self.held_until, given }
    }

    /// Adds the permits of one process that a database restored to an earlier state lacks.
    pub(super) fn restore(&mut self, who: &str, own: &OwnPermits) {
        self.held_until = self.held_until.max(own.held_until);
        if own.given.is_empty() {
            return;
        }
        let given = &mut self.holders.entry(who.to_owned()).or_default().given;
        for (at, permits) in &own.given {
            match given.iter_mut().find(|(known, _)| known == at) {
                Some((_, known)) => *known = (*known).max(*permits),
                None => given.push((*at, *permits)),
            }
        }
        given.sort_unstable();
    }

    /// Grants permits.
    ///
    /// A process gets free permits up to its equal share of the limit, and beyond it those that no other active process has
    /// reserved. So an unused share is used by others, and no process loses its own.
    pub fn ask(&mut self, who: &str, want: u32, now: i64, rule: PermitRule) -> Granted {
        let counted = milliseconds(rule.window) + milliseconds(rule.fresh);
        self.forget(now, counted);
        let me = self.holders.entry(who.to_owned()).or_default();
        (me.wanted, me.asked_at) = (want, now);
        let used = self.holders.values().map(Holder::permits).sum();
        let limit = rule.limit.max(1);
        let free: u32 = if self.held_until > now { 0 } else { limit.saturating_sub(used) };
        let active = self.holders.values().filter(|holder| holder.is_there(now)).count();
        let share = (limit / u32::try_from(active).unwrap_or(u32::MAX).max(1)).max(1);
        let others = self.holders.iter().filter(|(name, _)| *name != who);
        let claimed: u32 = others.map(|(_, other)| other.claim(now, share, milliseconds(rule.window))).sum();
        let me = self.holders.entry(who.to_owned()).or_default();
        let own = share.saturating_sub(me.permits()).min(free);
        let permits = want.min(own.max(free.saturating_sub(claimed)));
        if permits < want {
            me.denied_at = Some(now);
        }
        if permits > 0 {
            match me.given.last_mut() {
                Some((at, given)) if *at == now => *given += permits,
                _ => me.given.push((now, permits)),
            }
        }
        let oldest = self.holders.values().filter_map(|holder| holder.given.first()).map(|(at, _)| at + counted).min();
        let next = if self.held_until > now { Some(self.held_until) } else { oldest.filter(|_| free == 0) };
        let wait = next.map_or(SOON, |at| at - now).clamp(SOON, ASK_AGAIN);
        Granted { permits, ask_again: Duration::from_millis(wait.unsigned_abs()) }
    }

    /// Grants no permit for a while.
    pub fn hold(&mut self, wait: Duration, now: i64) {
        self.held_until = self.held_until.max(now + milliseconds(wait));
    }

    /// Drops permits that have left the window. If the clock was set back, permits dated in its future count from now.
    fn forget(&mut self, now: i64, counted: i64) {
        for holder in self.holders.values_mut() {
            holder.asked_at = holder.asked_at.min(now);
            holder.denied_at = holder.denied_at.map(|at| at.min(now));
            holder.given.iter_mut().for_each(|(at, _)| *at = (*at).min(now));
            holder.given.retain(|(at, _)| at + counted > now);
        }
        self.holders.retain(|_, holder| !holder.given.is_empty() || holder.is_there(now));
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULE: PermitRule = PermitRule { limit: 40, window: Duration::from_secs(60), fresh: Duration::from_secs(2) };

    fn permits(budget: &mut Budget, who: &str, want: u32, now: i64) -> u32 {
        budget.ask(who, want, now, RULE).permits
    }

    #[test]
    fn what_is_free_is_given_and_counts_until_it_cannot_be_seen_any_more() {
        let mut budget = Budget::default();
        assert_eq!(permits(&mut budget, "a", 30, 0), 30);
        assert_eq!(permits(&mut budget, "a", 30, 1_000), 10);
        assert_eq!(permits(&mut budget, "a", 20, 61_999), 0);
        assert_eq!(permits(&mut budget, "a", 20, 62_000), 20);
    }

    #[test]
    fn whoever_waits_gets_a_share_before_another_gets_more_than_its_own() {
        let mut budget = Budget::default();
        assert_eq!(permits(&mut budget, "greedy", 40, 0), 40);
        assert_eq!(permits(&mut budget, "late", 30, 60_000), 0);
        assert_eq!(permits(&mut budget, "greedy", 40, 61_900), 0);
        // All permits are free again at once: half of them wait for the one who asked in vain.
        assert_eq!(permits(&mut budget, "greedy", 40, 62_000), 20);
        assert_eq!(permits(&mut budget, "late", 15, 62_100), 15);
        assert_eq!(permits(&mut budget, "greedy", 40, 62_200), 0);
        assert_eq!(permits(&mut budget, "late", 15, 62_300), 5);
    }

    #[test]
    fn a_share_that_nobody_wants_is_used() {
        let mut budget = Budget::default();
        assert_eq!(permits(&mut budget, "modest", 2, 0), 2);
        // As much again is kept for the other, as long as it may come for it.
        assert_eq!(permits(&mut budget, "busy", 40, 10), 36);
        assert_eq!(permits(&mut budget, "busy", 40, 4_000), 2);
        assert_eq!(permits(&mut budget, "gone", 5, 4_010), 0);
        assert_eq!(permits(&mut budget, "busy", 40, 62_010), 38);
    }

    #[test]
    fn a_429_seen_by_one_holds_all() {
        let mut budget = Budget::default();
        budget.hold(Duration::from_secs(31), 0);
        budget.hold(Duration::from_secs(5), 0);
        assert_eq!(permits(&mut budget, "a", 1, 30_999), 0);
        assert_eq!(permits(&mut budget, "b", 1, 31_000), 1);
    }

    #[test]
    fn a_clock_that_goes_back_neither_forgets_nor_remembers_for_ever() {
        let mut budget = Budget::default();
        assert_eq!(permits(&mut budget, "a", 40, 3_600_000), 40);
        assert_eq!(permits(&mut budget, "a", 1, 0), 0);
        assert_eq!(permits(&mut budget, "a", 1, 61_999), 0);
        assert_eq!(permits(&mut budget, "a", 1, 62_000), 1);
    }

    #[test]
    fn what_a_process_was_given_counts_in_a_budget_that_went_back() {
        let mut budget = Budget::default();
        assert_eq!(permits(&mut budget, "a", 10, 0), 10);
        let earlier = budget.clone();
        assert_eq!(permits(&mut budget, "a", 20, 1_000), 20);
        budget.hold(Duration::from_secs(5), 1_000);
        let own = budget.own("a");
        // A failover takes the second page and the hold back.
        let mut budget = earlier;
        budget.restore("a", &own);
        assert_eq!(permits(&mut budget, "b", 40, 5_999), 0);
        assert_eq!(permits(&mut budget, "b", 40, 6_000), 10);
        // Nothing is counted twice where nothing was forgotten, and what is out of the window does not come back.
        budget.restore("a", &own);
        assert_eq!(permits(&mut budget, "b", 40, 6_100), 0);
        assert_eq!(permits(&mut budget, "b", 40, 63_000), 30);
        budget.restore("a", &own);
        assert_eq!(permits(&mut budget, "b", 40, 63_100), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Each place is used at the worst instant of its freshness, and still no window holds more than the limit.
        #[test]
        fn no_window_holds_more_than_the_limit(
            questions in prop::collection::vec((0u8..5, 1u32..50, 0i64..5_000), 1..300),
            late in prop::collection::vec(0i64..2_000, 300),
        ) {
            let (mut budget, mut now, mut sent) = (Budget::default(), 0, Vec::new());
            for ((who, want, after), late) in questions.into_iter().zip(late) {
                now += after;
                let given = permits(&mut budget, &who.to_string(), want, now);
                prop_assert!(given <= want);
                sent.extend(std::iter::repeat_n(now + late, given as usize));
            }
            sent.sort_unstable();
            for (at, first) in sent.iter().enumerate() {
                let window = sent[at..].iter().take_while(|other| **other - first < 60_000).count();
                prop_assert!(window <= 40, "{window} from {first}");
            }
        }

        /// Whoever keeps asking, and wants more than there is, gets about as much as the others.
        #[test]
        fn nobody_who_keeps_asking_is_starved(greed in prop::collection::vec(1u32..40, 2..6), turns in 0usize..6) {
            let (mut budget, mut got) = (Budget::default(), vec![0; greed.len()]);
            for now in (0..600_000i64).step_by(500) {
                for turn in 0..greed.len() {
                    let who = (turn + turns) % greed.len();
                    got[who] += permits(&mut budget, &who.to_string(), greed[who], now);
                }
            }
            let all: u32 = got.iter().sum();
            let share = all / u32::try_from(greed.len()).expect("a few");
            prop_assert!(got.iter().all(|own| *own * 4 >= share * 3), "{got:?}");
            // Ten minutes, or nine windows and a beginning, are used.
            prop_assert!(all >= 40 * 9, "{all}");
        }
    }
}
