//! Reads CSV strictly (RFC 4180). Pure.
//!
//! The `csv` crate takes a quotation mark anywhere and an end of file inside a field: one mark that was forgotten makes the
//! lines of several people one message to the first of them. Here such a file is refused.

use super::Wrong;

/// One record, with the line on which it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The line, as an editor counts: lines inside fields are lines.
    pub line: usize,
    /// The fields as they are written, without quotation marks.
    pub fields: Vec<String>,
}

impl Record {
    /// True if all fields are empty.
    pub fn is_blank(&self) -> bool {
        self.fields.iter().all(|field| field.trim().is_empty())
    }
}

/// Splits a text into records; lines without a character are none.
///
/// # Errors
/// The first place that has no meaning, or more than one.
pub fn records(text: &str, delimiter: char, first_line: usize) -> Result<Vec<Record>, Wrong> {
    let mut reader = Reader { rest: text.chars().peekable(), line: first_line, delimiter };
    let mut records = Vec::new();
    while reader.rest.peek().is_some() {
        let line = reader.line;
        let mut fields = Vec::new();
        let mut quoted = false;
        loop {
            quoted |= reader.rest.peek() == Some(&'"');
            let (field, end) = reader.field()?;
            fields.push(field);
            if end == End::Record {
                break;
            }
        }
        if fields.len() > 1 || quoted || !fields[0].is_empty() {
            records.push(Record { line, fields });
        }
    }
    Ok(records)
}

#[derive(PartialEq)]
enum End {
    Field,
    Record,
}

struct Reader<'t> {
    rest: std::iter::Peekable<std::str::Chars<'t>>,
    line: usize,
    delimiter: char,
}

impl Reader<'_> {
    fn field(&mut self) -> Result<(String, End), Wrong> {
        if self.rest.next_if_eq(&'"').is_some() {
            return self.quoted();
        }
        let mut field = String::new();
        loop {
            if let Some(end) = self.end()? {
                return Ok((field, end));
            }
            match self.rest.next() {
                Some('"') => {
                    return Err(self.wrong(
                        "a quotation mark inside a field that does not begin with one: put the whole field between \
                         quotation marks, and write each one inside twice",
                    ));
                }
                letter => field.extend(letter),
            }
        }
    }

    fn quoted(&mut self) -> Result<(String, End), Wrong> {
        let begin = self.line;
        let mut field = String::new();
        loop {
            match self.rest.next() {
                Some('"') if self.rest.next_if_eq(&'"').is_some() => field.push('"'),
                Some('"') => break,
                Some(letter) => {
                    // A line ends with LF, CR LF, or CR alone.
                    if letter == '\n' || letter == '\r' && self.rest.peek() != Some(&'\n') {
                        self.line += 1;
                    }
                    field.push(letter);
                }
                None => return Err(Wrong::at(begin, "a quotation mark is opened on this line and never closed")),
            }
        }
        match self.end()? {
            Some(end) => Ok((field, end)),
            None => Err(self.wrong(&format!(
                "text follows the closing quotation mark of a field that begins on line {begin}: a mark is missing, or \
                 one inside the field is not written twice"
            ))),
        }
    }

    /// Passes over what ends a field, if that comes next.
    fn end(&mut self) -> Result<Option<End>, Wrong> {
        match self.rest.peek() {
            None => Ok(Some(End::Record)),
            Some(letter) if *letter == self.delimiter => {
                self.rest.next();
                Ok(Some(End::Field))
            }
            Some('\n') => {
                self.rest.next();
                self.line += 1;
                Ok(Some(End::Record))
            }
            Some('\r') => {
                self.rest.next();
                if self.rest.next_if_eq(&'\n').is_none() {
                    return Err(
                        self.wrong("a carriage return without a line feed: save the file as « CSV » for Windows")
                    );
                }
                self.line += 1;
                Ok(Some(End::Record))
            }
            Some(_) => Ok(None),
        }
    }

    fn wrong(&self, reason: &str) -> Wrong {
        Wrong::at(self.line, reason)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<(usize, Vec<String>)> {
        records(text, ';', 1).expect(text).into_iter().map(|record| (record.line, record.fields)).collect()
    }

    fn refused(text: &str) -> (usize, String) {
        let wrong = records(text, ';', 1).expect_err(text);
        (wrong.line, wrong.reason)
    }

    fn row(line: usize, fields: &[&str]) -> (usize, Vec<String>) {
        (line, fields.iter().map(|field| (*field).to_owned()).collect())
    }

    #[test]
    fn lines_are_counted_as_an_editor_counts_them() {
        let text = "a;b\r\n\"x\r\ny\";1\r\n\r\n\"z \"\" \n\n\";2\n\"\"\n3;4";
        let expected = [
            row(1, &["a", "b"]),
            row(2, &["x\r\ny", "1"]),
            row(5, &["z \" \n\n", "2"]),
            row(8, &[""]),
            row(9, &["3", "4"]),
        ];
        assert_eq!(read(text), expected);
    }

    #[test]
    fn a_forgotten_quotation_mark_is_found() {
        for (text, line, words) in [
            ("a;b\n1;\"x\n2;y\n3;z", 2, "never closed"),
            ("a;b\n1;\"x\n2;\"y\"\n", 3, "text follows"),
            ("a;b\n1;\"x\"y\n", 2, "text follows"),
            ("a;b\n1;x\"y\n", 2, "inside a field"),
            ("a;b\n1; \"x\"\n", 2, "inside a field"),
            ("a;b\n1;\"x\n\"\"\n", 2, "never closed"),
            ("a;b\r1;x\r", 1, "carriage return"),
        ] {
            let (found, reason) = refused(text);
            assert!(found == line && reason.contains(words), "{text:?}: {found} {reason}");
        }
    }

    /// Reads it with the `csv` crate.
    fn theirs(text: &str, delimiter: char) -> Vec<Vec<String>> {
        let mut reader = ::csv::ReaderBuilder::new()
            .delimiter(u8::try_from(delimiter).expect("ASCII"))
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let record = |record: Result<::csv::StringRecord, _>| record.expect("text").iter().map(str::to_owned).collect();
        reader.records().map(record).collect()
    }

    fn fields(records: Vec<Record>) -> Vec<Vec<String>> {
        records.into_iter().map(|record| record.fields).collect()
    }

    proptest! {
        /// Reads back what a writer of CSV writes, whatever is in it.
        #[test]
        fn what_is_written_is_read(
            rows in prop::collection::vec(prop::collection::vec("[a\";,\n\r é]{0,5}", 2..4), 0..5),
            semicolons in any::<bool>(),
            always in any::<bool>(),
        ) {
            let delimiter = if semicolons { ';' } else { ',' };
            let style = if always { ::csv::QuoteStyle::Always } else { ::csv::QuoteStyle::Necessary };
            let mut writer = ::csv::WriterBuilder::new()
                .delimiter(u8::try_from(delimiter).expect("ASCII"))
                .quote_style(style)
                .flexible(true)
                .from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).expect("memory");
            }
            let text = String::from_utf8(writer.into_inner().expect("memory")).expect("text");
            prop_assert_eq!(records(&text, delimiter, 1).map(fields), Ok(rows));
        }

        /// Whatever is accepted, the `csv` crate reads too.
        #[test]
        fn what_is_accepted_has_one_reading(text in "[a\";\n\r ]{0,16}") {
            if let Ok(found) = records(&text, ';', 1) {
                prop_assert_eq!(fields(found), theirs(&text, ';'));
            }
        }

        /// One quotation mark that is lost or added is always found.
        #[test]
        fn an_odd_quotation_mark_is_never_accepted(text in "[a\";\n ]{0,16}") {
            if text.matches('"').count() % 2 == 1 {
                prop_assert!(records(&text, ';', 1).is_err());
            }
        }

        #[test]
        fn lines_are_where_they_are(text in "[a\";\n ]{0,20}") {
            for record in records(&text, ';', 1).unwrap_or_default() {
                let line = text.split('\n').nth(record.line - 1).expect("a line of the text");
                let first = record.fields[0].split('\n').next().unwrap_or_default().trim_matches('"');
                prop_assert!(line.trim_start_matches('"').replace("\"\"", "\"").starts_with(first));
            }
        }
    }
}
