//! Finds the path at which decoding of an answer stopped.

/// Returns the path of the value after the first `column` bytes of that `line` (from 1) of a JSON text, where serde
/// stops: `data.demarche.nodes[3].number`.
///
/// It is made of keys and positions, never of values, so that it may be logged: a text is a key once a colon follows it.
/// An answer that is cut gives the path of its end.
pub(super) fn path_at(json: &[u8], line: usize, column: usize) -> String {
    Path::at(json, line, column).render()
}

/// Returns the same path as steps from the root.
pub(super) fn steps_at(json: &[u8], line: usize, column: usize) -> Vec<super::PathStep> {
    let steps = Path::at(json, line, column).0.into_iter();
    let named = steps.filter(|step| !matches!(step, Step::Key { key, .. } if key.is_empty()));
    named
        .map(|step| match step {
            Step::Key { key, .. } => super::PathStep::Field(key),
            Step::Position(position) => super::PathStep::Position(position),
        })
        .collect()
}

impl Path {
    fn at(json: &[u8], line: usize, column: usize) -> Self {
        let start: usize = json.split_inclusive(|b| *b == b'\n').take(line.saturating_sub(1)).map(<[u8]>::len).sum();
        let end = (start + column).min(json.len());
        let mut path = Path::default();
        let mut at = 0;
        while at < end {
            match json[at] {
                b'{' => path.open(None),
                b'[' => path.open(Some(0)),
                b'}' | b']' => path.close(),
                b',' => path.next(),
                b'"' => {
                    let text = at + 1;
                    at = text;
                    while at < end && json[at] != b'"' {
                        at += if json[at] == b'\\' { 2 } else { 1 };
                    }
                    path.string(&json[text..at.min(end)]);
                }
                b':' => path.colon(),
                _ => {}
            }
            at += 1;
        }
        path
    }
}

/// A step: the key of an object, or the position in an array.
enum Step {
    Key {
        key: String,
        /// The text that is a key if a colon follows; `None` behind the colon.
        read: Option<String>,
    },
    Position(usize),
}

#[derive(Default)]
struct Path(Vec<Step>);

impl Path {
    fn open(&mut self, position: Option<usize>) {
        self.0.push(position.map_or(Step::Key { key: String::new(), read: Some(String::new()) }, Step::Position));
    }

    fn close(&mut self) {
        self.0.pop();
    }

    fn next(&mut self) {
        match self.0.last_mut() {
            Some(Step::Position(position)) => *position += 1,
            Some(Step::Key { key, read }) => {
                key.clear();
                *read = Some(String::new());
            }
            None => {}
        }
    }

    fn colon(&mut self) {
        if let Some(Step::Key { key, read }) = self.0.last_mut()
            && let Some(text) = read.take()
        {
            *key = text;
        }
    }

    fn string(&mut self, text: &[u8]) {
        if let Some(Step::Key { read: Some(read), .. }) = self.0.last_mut() {
            *read = String::from_utf8_lossy(text).into_owned();
        }
    }

    fn render(&self) -> String {
        let mut path = String::new();
        for step in &self.0 {
            match step {
                Step::Key { key, .. } if key.is_empty() => {}
                Step::Key { key, .. } => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(key);
                }
                Step::Position(position) => path.push_str(&format!("[{position}]")),
            }
        }
        if path.is_empty() { "the beginning".to_owned() } else { path }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_leads_to_the_value_and_quotes_none() {
        let json = r#"{"data":{"nodes":[{"number":1,"nom":"a\"b,{"},{"number":"secret"}]}}"#;
        let column = json.find("\"secret\"").expect("the value is there") + 1;
        assert_eq!(path_at(json.as_bytes(), 1, column + 5), "data.nodes[1].number");
        assert_eq!(path_at(json.as_bytes(), 1, 1), "the beginning");
    }

    #[test]
    fn a_value_that_a_broken_text_puts_where_a_key_belongs_is_not_quoted() {
        let json = br#"{"data":{"nodes":[{"number":1,"emai]#jeanne@example.org","nom":"Exemple"}]}}"#;
        let after = json.windows(6).position(|word| word == b"\"nom\":").expect("it is there");
        assert_eq!(path_at(json, 1, after), "data.nodes[0]");
        assert_eq!(path_at(br#"{"data":"jeanne@example.org":1}"#, 1, 30), "data");
    }

    #[test]
    fn a_cut_text_gives_the_path_of_its_end() {
        let json = "{\n \"data\": {\n  \"demarche\": [1, 2";
        assert_eq!(path_at(json.as_bytes(), 3, 999), "data.demarche[1]");
        assert_eq!(path_at(b"{\"a\":\"\\", 1, 99), "a");
    }
}
