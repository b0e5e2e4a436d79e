//! Who was given how many places, and who gets the next ones. Pure: the time is a parameter.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Who asked longer ago than this, and got less than was wanted, waits no more.
const STILL_THERE: i64 = 3_000;
/// The longest wait before asking again: who waits is to be seen waiting.
const ASK_AGAIN: i64 = 1_000;
/// The shortest.
const SOON: i64 = 50;

/// How much may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// At most so many requests, at least 1...
    pub limit: u32,
    /// ... in any span of this length.
    pub window: Duration,
    /// How long a place may be used. It counts for as long as the request that used it last may be seen in a window.
    pub fresh: Duration,
}

/// What was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// How many places; at most as many as were wanted.
    pub places: u32,
    /// When it is worth asking for the others.
    pub ask_again: Duration,
}

/// What is known of all who use one token. Instants are milliseconds of the server's clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// Nothing is given before: the platform has asked to slow down.
    #[serde(default)]
    held_until: i64,
    /// By process.
    #[serde(default)]
    holders: BTreeMap<String, Holder>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    /// When places were given, and how many.
    given: Vec<(i64, u32)>,
    /// How many were wanted when it last asked.
    wanted: u32,
    /// When it last asked.
    asked_at: i64,
    /// When it last got less than it wanted.
    denied_at: Option<i64>,
}

impl Holder {
    fn places(&self) -> u32 {
        self.given.iter().map(|(_, places)| places).sum()
    }

    fn is_there(&self, now: i64) -> bool {
        now - self.asked_at <= STILL_THERE
    }

    /// How many places are kept for it, out of its share: what it is about to ask for again, and all of its share once it
    /// has asked for some in vain.
    fn claim(&self, now: i64, share: u32, window: i64) -> u32 {
        let left = share.saturating_sub(self.places());
        match self.denied_at {
            _ if !self.is_there(now) => 0,
            Some(at) if now - at <= window => left,
            _ => left.min(self.wanted),
        }
    }
}

/// What one process knows of a book: all that the book holds of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    held_until: i64,
    given: Vec<(i64, u32)>,
}

impl Book {
    /// What this book holds of one process, for a book that has forgotten it.
    pub(super) fn memory(&self, who: &str) -> Memory {
        let given = self.holders.get(who).map(|holder| holder.given.clone()).unwrap_or_default();
        Memory { held_until: self.held_until, given }
    }

    /// Writes again what a database that went back to an earlier state has forgotten of one process.
    pub(super) fn recall(&mut self, who: &str, memory: &Memory) {
        self.held_until = self.held_until.max(memory.held_until);
        if memory.given.is_empty() {
            return;
        }
        let given = &mut self.holders.entry(who.to_owned()).or_default().given;
        for (at, places) in &memory.given {
            match given.iter_mut().find(|(known, _)| known == at) {
                Some((_, known)) => *known = (*known).max(*places),
                None => given.push((*at, *places)),
            }
        }
        given.sort_unstable();
    }

    /// Gives places.
    ///
    /// Whoever asks gets what is free up to its equal share of the limit, and beyond it what nobody else who is there has a
    /// claim to: a share that nobody wants is used, and nobody is kept from their own.
    pub fn ask(&mut self, who: &str, want: u32, now: i64, rule: Rule) -> Granted {
        let counted = milliseconds(rule.window) + milliseconds(rule.fresh);
        self.forget(now, counted);
        let me = self.holders.entry(who.to_owned()).or_default();
        (me.wanted, me.asked_at) = (want, now);
        let used = self.holders.values().map(Holder::places).sum();
        let limit = rule.limit.max(1);
        let free: u32 = if self.held_until > now { 0 } else { limit.saturating_sub(used) };
        let active = self.holders.values().filter(|holder| holder.is_there(now)).count();
        let share = (limit / u32::try_from(active).unwrap_or(u32::MAX).max(1)).max(1);
        let others = self.holders.iter().filter(|(name, _)| *name != who);
        let claimed: u32 = others.map(|(_, other)| other.claim(now, share, milliseconds(rule.window))).sum();
        let me = self.holders.entry(who.to_owned()).or_default();
        let own = share.saturating_sub(me.places()).min(free);
        let places = want.min(own.max(free.saturating_sub(claimed)));
        if places < want {
            me.denied_at = Some(now);
        }
        if places > 0 {
            match me.given.last_mut() {
                Some((at, given)) if *at == now => *given += places,
                _ => me.given.push((now, places)),
            }
        }
        let oldest = self.holders.values().filter_map(|holder| holder.given.first()).map(|(at, _)| at + counted).min();
        let next = if self.held_until > now { Some(self.held_until) } else { oldest.filter(|_| free == 0) };
        let wait = next.map_or(SOON, |at| at - now).clamp(SOON, ASK_AGAIN);
        Granted { places, ask_again: Duration::from_millis(wait.unsigned_abs()) }
    }

    /// Gives nothing for a while.
    pub fn hold(&mut self, wait: Duration, now: i64) {
        self.held_until = self.held_until.max(now + milliseconds(wait));
    }

    /// Forgets what counts no more. A clock that went back counts what it gave in its future as given now.
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

    const RULE: Rule = Rule { limit: 40, window: Duration::from_secs(60), fresh: Duration::from_secs(2) };

    fn places(book: &mut Book, who: &str, want: u32, now: i64) -> u32 {
        book.ask(who, want, now, RULE).places
    }

    #[test]
    fn what_is_free_is_given_and_counts_until_it_cannot_be_seen_any_more() {
        let mut book = Book::default();
        assert_eq!(places(&mut book, "a", 30, 0), 30);
        assert_eq!(places(&mut book, "a", 30, 1_000), 10);
        assert_eq!(places(&mut book, "a", 20, 61_999), 0);
        assert_eq!(places(&mut book, "a", 20, 62_000), 20);
    }

    #[test]
    fn whoever_waits_gets_a_share_before_another_gets_more_than_its_own() {
        let mut book = Book::default();
        assert_eq!(places(&mut book, "greedy", 40, 0), 40);
        assert_eq!(places(&mut book, "late", 30, 60_000), 0);
        assert_eq!(places(&mut book, "greedy", 40, 61_900), 0);
        // All places are free again at once: half of them wait for the one who asked in vain.
        assert_eq!(places(&mut book, "greedy", 40, 62_000), 20);
        assert_eq!(places(&mut book, "late", 15, 62_100), 15);
        assert_eq!(places(&mut book, "greedy", 40, 62_200), 0);
        assert_eq!(places(&mut book, "late", 15, 62_300), 5);
    }

    #[test]
    fn a_share_that_nobody_wants_is_used() {
        let mut book = Book::default();
        assert_eq!(places(&mut book, "modest", 2, 0), 2);
        // As much again is kept for the other, as long as it may come for it.
        assert_eq!(places(&mut book, "busy", 40, 10), 36);
        assert_eq!(places(&mut book, "busy", 40, 4_000), 2);
        assert_eq!(places(&mut book, "gone", 5, 4_010), 0);
        assert_eq!(places(&mut book, "busy", 40, 62_010), 38);
    }

    #[test]
    fn a_429_seen_by_one_holds_all() {
        let mut book = Book::default();
        book.hold(Duration::from_secs(31), 0);
        book.hold(Duration::from_secs(5), 0);
        assert_eq!(places(&mut book, "a", 1, 30_999), 0);
        assert_eq!(places(&mut book, "b", 1, 31_000), 1);
    }

    #[test]
    fn a_clock_that_goes_back_neither_forgets_nor_remembers_for_ever() {
        let mut book = Book::default();
        assert_eq!(places(&mut book, "a", 40, 3_600_000), 40);
        assert_eq!(places(&mut book, "a", 1, 0), 0);
        assert_eq!(places(&mut book, "a", 1, 61_999), 0);
        assert_eq!(places(&mut book, "a", 1, 62_000), 1);
    }

    #[test]
    fn what_a_process_was_given_counts_in_a_book_that_went_back() {
        let mut book = Book::default();
        assert_eq!(places(&mut book, "a", 10, 0), 10);
        let earlier = book.clone();
        assert_eq!(places(&mut book, "a", 20, 1_000), 20);
        book.hold(Duration::from_secs(5), 1_000);
        let memory = book.memory("a");
        // A failover takes the second page and the hold back.
        let mut book = earlier;
        book.recall("a", &memory);
        assert_eq!(places(&mut book, "b", 40, 5_999), 0);
        assert_eq!(places(&mut book, "b", 40, 6_000), 10);
        // Nothing is counted twice where nothing was forgotten, and what is out of the window does not come back.
        book.recall("a", &memory);
        assert_eq!(places(&mut book, "b", 40, 6_100), 0);
        assert_eq!(places(&mut book, "b", 40, 63_000), 30);
        book.recall("a", &memory);
        assert_eq!(places(&mut book, "b", 40, 63_100), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Each place is used at the worst instant of its freshness, and still no window holds more than the limit.
        #[test]
        fn no_window_holds_more_than_the_limit(
            questions in prop::collection::vec((0u8..5, 1u32..50, 0i64..5_000), 1..300),
            late in prop::collection::vec(0i64..2_000, 300),
        ) {
            let (mut book, mut now, mut sent) = (Book::default(), 0, Vec::new());
            for ((who, want, after), late) in questions.into_iter().zip(late) {
                now += after;
                let given = places(&mut book, &who.to_string(), want, now);
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
            let (mut book, mut got) = (Book::default(), vec![0; greed.len()]);
            for now in (0..600_000i64).step_by(500) {
                for turn in 0..greed.len() {
                    let who = (turn + turns) % greed.len();
                    got[who] += places(&mut book, &who.to_string(), greed[who], now);
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
