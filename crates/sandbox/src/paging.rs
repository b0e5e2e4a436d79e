//! Keyset pages: cursors, limits and their oddities.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{Timestamp, Zoned};

/// Largest page, and the default one.
pub(super) const PAGE: usize = 100;

/// Where a row stands: the date of the order in force, and the number of the row.
pub(super) type Key = (Timestamp, u32);

/// `2026-01-15T14:52:35.123456000Z;1234`, in URL-safe base64 without padding.
pub(super) fn encode(key: Key) -> String {
    let at = key.0.strftime("%Y-%m-%dT%H:%M:%S%.9fZ");
    URL_SAFE_NO_PAD.encode(format!("{at};{}", key.1))
}

/// The meaning of a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cursor {
    /// A position, whoever gave it and for whatever listing.
    At(Key),
    /// Decodable rubbish: no row compares with it, so that the page is empty and nothing complains.
    Nowhere,
    /// Not even base64: an error.
    Invalid,
}

/// Reads a cursor as forgivingly as the platform does.
pub(super) fn decode(text: &str, now: &Zoned) -> Cursor {
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')) else { return Cursor::Invalid };
    let Ok(decoded) = String::from_utf8(bytes) else { return Cursor::Nowhere };
    let (date, row) = decoded.split_once(';').map_or((&decoded[..], None), |(date, row)| (date, row.parse().ok()));
    if let Ok(at) = date.parse::<Timestamp>() {
        return Cursor::At((at, row.unwrap_or(u32::MAX)));
    }
    // Three digits were an offset once; they read as a day of the year now.
    let day_of_year = date.parse::<i16>().ok().filter(|_| date.len() == 3);
    let day = day_of_year.and_then(|day| now.with().day_of_year(day).build().ok());
    match day.and_then(|day| day.start_of_day().ok()) {
        Some(day) => Cursor::At((day.timestamp(), u32::MAX)),
        None => Cursor::Nowhere,
    }
}

/// The arguments of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    pub first: Option<i64>,
    pub last: Option<i64>,
    pub after: Option<Cursor>,
    pub before: Option<Cursor>,
    pub descending: bool,
}

/// Rows of a page, and what its `pageInfo` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub keys: Vec<Key>,
    pub has_next: bool,
    pub has_previous: bool,
}

impl Window {
    /// The reason of a refused combination.
    pub fn refusal(&self) -> Option<&'static str> {
        if self.first.is_some() && self.last.is_some() {
            Some("Arguments \"first\" and \"last\" are exclusive")
        } else if self.before.is_some() && self.after.is_some() {
            Some("Arguments \"before\" and \"after\" are exclusive")
        } else if self.last.is_some() && self.descending {
            Some("Argument \"last\" is not supported with order \"desc\"")
        } else {
            None
        }
    }

    /// Above 100 is 100, below 0 is 0, nothing is 100.
    fn limit(&self) -> usize {
        let asked = self.first.or(self.last).unwrap_or(100).clamp(0, 100);
        usize::try_from(asked).unwrap_or(PAGE)
    }

    /// Cuts a page out of rows that come in ascending order from `from` (exclusive), or in descending order.
    ///
    /// `ascending(after)` gives the rows strictly after a key, `descending(before)` those strictly before one, the
    /// nearest first.
    pub fn cut<A, D>(&self, ascending: impl Fn(Option<Key>) -> A, descending: impl Fn(Option<Key>) -> D) -> Page
    where
        A: Iterator<Item = Key>,
        D: Iterator<Item = Key>,
    {
        let limit = self.limit();
        let empty = Page { keys: Vec::new(), has_next: false, has_previous: false };
        let position = |cursor: Option<Cursor>| match cursor {
            Some(Cursor::At(key)) => Ok(Some(key)),
            Some(Cursor::Nowhere | Cursor::Invalid) => Err(()),
            None => Ok(None),
        };
        let (Ok(after), Ok(before)) = (position(self.after), position(self.before)) else { return empty };
        if self.last.is_some() {
            let rows = descending(before).take_while(|key| after.is_none_or(|after| *key > after));
            let mut keys: Vec<Key> = rows.take(limit).collect();
            keys.reverse();
            return Page { keys, has_next: false, has_previous: true };
        }
        if before.is_some() {
            let mut keys: Vec<Key> = if self.descending {
                ascending(before).take(limit).collect()
            } else {
                descending(before).take(limit).collect()
            };
            keys.reverse();
            return Page { keys, has_next: true, has_previous: false };
        }
        let mut keys: Vec<Key> = if self.descending {
            descending(after).take(limit + 1).collect()
        } else {
            ascending(after).take(limit + 1).collect()
        };
        let has_next = keys.len() == limit + 1;
        keys.truncate(limit);
        Page { keys, has_next, has_previous: after.is_some() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(second: i64, row: u32) -> Key {
        (Timestamp::from_second(second).expect("in range"), row)
    }

    fn cut(window: &Window, rows: &[Key]) -> Page {
        window.cut(
            |after| rows.iter().copied().filter(move |row| after.is_none_or(|after| *row > after)),
            |before| rows.iter().rev().copied().filter(move |row| before.is_none_or(|before| *row < before)),
        )
    }

    fn rows(page: &Page) -> Vec<u32> {
        page.keys.iter().map(|key| key.1).collect()
    }

    #[test]
    fn a_cursor_keeps_microseconds_and_reads_back() {
        let at: Timestamp = "2026-01-15T14:52:35.123456Z".parse().expect("a test instant");
        assert_eq!(encode((at, 1234)), "MjAyNi0wMS0xNVQxNDo1MjozNS4xMjM0NTYwMDBaOzEyMzQ");
        let now = at.to_zoned(jiff::tz::TimeZone::UTC);
        assert_eq!(decode(&encode((at, 1234)), &now), Cursor::At((at, 1234)));
    }

    #[test]
    fn rubbish_is_an_empty_page_and_only_bad_base64_is_an_error() {
        let now = Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC);
        assert_eq!(decode("YWJj", &now), Cursor::Nowhere);
        assert_eq!(decode("*", &now), Cursor::Invalid);
        assert!(matches!(decode("MTAw", &now), Cursor::At(_)), "an old offset reads as a day of the year");
        let window = Window { after: Some(Cursor::Nowhere), ..Window::default() };
        let page = cut(&window, &[key(1, 1)]);
        assert_eq!((rows(&page), page.has_next), (vec![], false));
    }

    #[test]
    fn limits_and_directions() {
        let all: Vec<Key> = (1..=250).map(|row| key(i64::from(row / 2), row)).collect();
        let window = |first, last| Window { first, last, ..Window::default() };
        for (case, window, expected, has_next) in [
            ("default", window(None, None), (1..=100).collect::<Vec<u32>>(), true),
            ("clamped", window(Some(5000), None), (1..=100).collect(), true),
            ("negative", window(Some(-3), None), vec![], true),
            ("zero", window(Some(0), None), vec![], true),
            ("three", window(Some(3), None), vec![1, 2, 3], true),
            ("last", window(None, Some(2)), vec![249, 250], false),
            (
                "after",
                Window { first: Some(2), after: Some(Cursor::At(all[99])), ..Window::default() },
                vec![101, 102],
                true,
            ),
            (
                "end",
                Window { first: Some(9), after: Some(Cursor::At(all[247])), ..Window::default() },
                vec![249, 250],
                false,
            ),
            (
                "before",
                Window { first: Some(2), before: Some(Cursor::At(all[99])), ..Window::default() },
                vec![98, 99],
                true,
            ),
            ("descending", Window { first: Some(2), descending: true, ..Window::default() }, vec![250, 249], true),
            (
                "vanished row",
                Window { first: Some(1), after: Some(Cursor::At(key(2, 0))), ..Window::default() },
                vec![4],
                true,
            ),
        ] {
            let page = cut(&window, &all);
            assert_eq!((rows(&page), page.has_next), (expected, has_next), "{case}");
        }
    }
}
