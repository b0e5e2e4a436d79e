//! Configurations: the example with lines changed. A file is taken whole or refused with the line of each problem, and no
//! message repeats a value that may be a secret.

use std::path::Path;

use demarche_numerique::config::Config;
use proptest::prelude::*;

const EXAMPLE: &str = include_str!("../../config/example.toml");

/// A value that somebody pasted where it does not belong.
const SECRET: &str = "s3cr3t-of-nobody";

fn parse(text: &str) -> Result<(), TestCaseError> {
    if let Err(error) = Config::parse(Path::new("dn.toml"), text) {
        prop_assert!(!error.problems.is_empty());
        let lines = text.lines().count().max(1);
        for problem in &error.problems {
            prop_assert!(problem.at.is_none_or(|(line, column)| (1..=lines + 1).contains(&line) && column >= 1));
        }
        let told = format!("{error} {error:?}");
        prop_assert!(!told.contains(SECRET), "{}", told);
    }
    Ok(())
}

/// Change of a line.
fn values() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(format!("\"{SECRET}\"")),
        Just(SECRET.to_owned()),
        Just(format!("[\"{SECRET}\", 3]")),
        Just("true".to_owned()),
        Just("{ a = 1 }".to_owned()),
        Just("1979-05-27T07:32:00Z".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| number.to_string()),
        ".{0,10}",
    ]
}

proptest! {
    #[test]
    fn the_example_with_other_values_is_taken_or_refused_line_by_line(
        changes in prop::collection::vec((any::<prop::sample::Index>(), values()), 1..4),
    ) {
        let mut lines: Vec<String> = EXAMPLE.lines().map(str::to_owned).collect();
        for (at, value) in changes {
            let keys: Vec<usize> =
                (0..lines.len()).filter(|at| lines[*at].contains(" = ") && !lines[*at].starts_with('#')).collect();
            let line = &mut lines[keys[at.index(keys.len())]];
            let key = line.split(" = ").next().unwrap_or_default().to_owned();
            // Everything else is a name, a number or a path, which a message may well repeat.
            let foreign = value.contains(SECRET) && !key.trim().ends_with("-env");
            *line = format!("{key} = {}", if foreign { "\"x\"".to_owned() } else { value });
        }
        parse(&lines.join("\n"))?;
    }

    #[test]
    fn whatever_is_written_is_refused_or_taken(text in "[\\[\\]a-z.=\"'#{}0-9 \n-]{0,200}") {
        parse(&text)?;
    }
}
