use proptest::prelude::*;

use super::*;

fn csv(text: &str) -> Result<Vec<Intent>, Vec<String>> {
    told(read(text.as_bytes(), Format::Csv))
}

fn json(text: &str) -> Result<Vec<Intent>, Vec<String>> {
    told(read(text.as_bytes(), Format::Json))
}

fn told(read: Result<Vec<Intent>, Vec<Wrong>>) -> Result<Vec<Intent>, Vec<String>> {
    read.map_err(|wrong| wrong.iter().map(ToString::to_string).collect())
}

fn ids(intents: Vec<Intent>) -> Vec<String> {
    intents.into_iter().map(|intent| intent.id.to_string()).collect()
}

#[test]
fn a_spreadsheet_and_a_program_say_the_same() {
    let sheet = "\u{feff}id;dossier;action;motivation;silent\nd-1;42;refuser;\"Hors délai ; désolé\";VRAI\n";
    let program =
        r#"[{"id": "d-1", "dossier": 42, "action": "refuser", "motivation": "Hors délai ; désolé", "silent": true}]"#;
    let intents = csv(sheet).expect("it is right");
    assert_eq!(intents, json(program).expect("it is right"));
    assert_eq!(intents.len(), 1);
}

#[test]
fn what_french_excel_writes_is_taken() {
    let header = "id;dossier;action;motivation;silent";
    let rows = "a;1;refuser;\"Hors\ndélai\";FAUX\r\nb;2;accepter;;VRAI\r\n;;;;\r\n;;;;\r\n\r\n";
    let one = csv(&format!("{header}\n{rows}")).expect("it is right");
    assert_eq!((one.len(), one[0].silent, one[1].silent), (2, false, true));
    for text in [
        format!("sep=;\r\n{header}\r\n{rows}"),
        format!("\u{feff}sep=;\r\n{header}\r\n{rows}"),
        // Columns without a name, and empty: cells that were formatted once.
        format!(
            "{header};;\n{}",
            rows.replace("FAUX", "FAUX;;").replace("VRAI", "VRAI;;").replace(";;;;\r", ";;;;;;\r")
        ),
    ] {
        assert_eq!(csv(&text), Ok(one.clone()), "{text}");
    }
    let ansi: Vec<u8> =
        format!("{header}\r\n{rows}").chars().map(|c| u8::try_from(u32::from(c)).expect("ANSI")).collect();
    assert_eq!(told(read(&ansi, Format::Csv)), Ok(one));
}

#[test]
fn a_line_without_a_name_is_named_after_what_it_says() {
    let id = |text: &str| csv(text).expect("it is right")[0].id.clone();
    let header = "dossier,action,motivation\n";
    assert_eq!(id(&format!("{header}42,accepter,oui\n")), id(&format!("{header}42,accepter,oui\n\n")));
    assert_ne!(id(&format!("{header}42,accepter,oui\n")), id(&format!("{header}42,accepter,non\n")));
    let twice = csv(&format!("{header}42,accepter,oui\n7,accepter,\n42,accepter,oui\n"));
    assert_eq!(
        twice,
        Err(vec!["line 4: this asks for the same as line 2: give each an id if both are meant".to_owned()])
    );
}

#[test]
fn every_wrong_line_is_told_at_once() {
    let wrong = csv("dossier,action,motivation\n42,refuser,\n0,accepter,\n7,accepter,bien\n8,exploser,\n");
    assert_eq!(
        wrong.expect_err("three lines are wrong"),
        [
            "line 2: `motivation` is empty",
            "line 3: `dossier` is not the number of a dossier: a whole number greater than 0",
            "line 5: `exploser` is not an action",
        ]
    );
}

/// The case of the field: a quotation mark that is never closed, then the decisions of two other people.
#[test]
fn a_text_never_swallows_the_decisions_of_other_people() {
    let header = "id;dossier;action;motivation\n";
    let first = "q1;1;classer_sans_suite;\"Dossier en double";
    for (rest, line) in [
        ("\nq2;2;refuser;Hors délai\nq3;3;accepter;\n", 2),
        ("\nq2;2;refuser;\"Hors délai\"\nq3;3;accepter;\n", 3),
        // Two marks are missing, and what is left is well-formed.
        ("\nq2;2;refuser;Hors délai\"\nq3;3;accepter;\n", 3),
        ("\n\nq2;2;refuser;\"\"Hors délai\"\"\"\n", 4),
    ] {
        let wrong = csv(&format!("{header}{first}{rest}")).expect_err(rest);
        assert!(wrong.len() == 1 && wrong[0].starts_with(&format!("line {line}:")), "{rest:?}: {wrong:?}");
        assert!(!wrong[0].contains("double") && !wrong[0].contains("délai"), "{wrong:?}");
    }
    // A letter of several lines is none of these.
    let letter = format!("{header}{first},\nvoir la note ; elle dit :\n- refuser ; - accepter\"\nq2;2;accepter;\n");
    assert_eq!(ids(csv(&letter).expect("a letter")), ["q1", "q2"]);
}

#[test]
fn a_file_that_may_be_meant_in_two_ways_is_refused_with_its_line() {
    let cases = [
        ("", "line 1: the file is empty"),
        ("id;dossier,action\n", "line 1: the header has both"),
        ("id\tdossier\taction\n", "line 1: columns are separated by tabulations"),
        ("sep=|\nid|dossier|action\n", "line 1: fields are separated by"),
        ("sep=;\nid,dossier,action\n", "line 2: no column is called"),
        ("id;dossier;action;motivatoin\n", "line 1: no column is called `motivatoin`; did you mean `motivation`?"),
        ("id;dossier;action;id\n", "line 1: the column `id` is there twice"),
        ("id;dossier\na;1\n", "line 1: the column `action` is missing"),
        ("id;dossier;action;\na;1;archiver;oui\n", "line 2: column 4 has no name"),
        ("id;dossier;action\na;1;archiver;\n", "line 2: it has 4 fields, and the header 3"),
        ("id;dossier;action\n\na;1\n", "line 3: it has 2 fields, and the header 3"),
        ("id;dossier;action\na,1,archiver\n", "line 2: it has 1 fields, and the header 3"),
        ("id;dossier;action\na;1;archiver\na;2;archiver\n", "line 3: the id `a` is on line 2 already"),
        ("id;dossier;action\na;1;archiver\na ;2;archiver\n", "line 3: the id `a` is on line 2 already"),
        ("id;dossier;action;silent\na;1;archiver;peut-être\n", "line 2: `silent` is true or false"),
        ("id;dossier;action\na;1,5;archiver\n", "line 2: `dossier` is not the number of a dossier"),
        ("id;dossier;action\na;1 234;archiver\n", "line 2: `dossier` is not the number of a dossier"),
        ("id;dossier;action;motivation\na;1;archiver;Doublon\n", "line 2: `motivation` does not go with `archiver`"),
        (
            "dossier;action;annotations\n1;annotations;\"{\"\"A\"\": 1, \"\"A\"\": 2}\"\n",
            "line 2: `annotations`: the key `A`",
        ),
        ("id;dossier;action\nid;dossier;action\n", "line 2: `dossier` is not the number of a dossier"),
    ];
    for (text, told) in cases {
        let wrong = csv(text).expect_err(text);
        assert!(wrong[0].starts_with(told), "{text:?}: {wrong:?}");
    }
}

#[test]
fn json_that_may_be_meant_in_two_ways_is_refused_with_its_line() {
    let cases = [
        ("{}", "line 1: a list of objects"),
        ("[{\"dossier\": 1, \"action\": \"archiver\"}]\n[]", "line 2: trailing"),
        ("[\n{\"dossier\": 1,\n\"dossier\": 2, \"action\": \"archiver\"}]", "line 3: the key `dossier` is there twice"),
        ("[\n{\"dossier\": 1, \"action\": \"archiver\", \"motif\": \"x\"}]", "line 2: nothing is called `motif`"),
        ("[\n{\"dossier\": 1.5, \"action\": \"archiver\"}]", "line 2: `dossier` is not a text"),
        ("[\n{\"dossier\": 12345678901234567890123, \"action\": \"archiver\"}]", "line 2: a number has more digits"),
        ("[\n{\"dossier\": null, \"action\": \"archiver\"}]", "line 2: `dossier` is empty"),
        (
            "[\n{\"dossier\": 1, \"action\": \"refuser\", \"motivation\": {\"a\": 1}}]",
            "line 2: `motivation` is not a text",
        ),
        ("[\n{\"dossier\": 1, \"action\": \"refuser\", \"motivation\": 12}]", "line 2: `motivation` is not a text"),
        ("[\n{\"dossier\": 1, \"action\": \"refuser\", \"motivation\": \"a\\u0000\"}]", "line 2: a text holds a NUL"),
        (
            "[\n{\"dossier\": 1, \"action\": \"annotations\", \"annotations\":\n{\"A\": 1, \"A\": 2}}]",
            "line 3: the key `A`",
        ),
        (
            "[\n{\"dossier\": 1, \"action\": \"annotations\", \"annotations\": [{\"annotation\": \"A\", \"raw\": 2, \"value\": 1}]}]",
            "line 2: `annotations`",
        ),
        (
            "[{\"id\": 1, \"dossier\": 1, \"action\": \"archiver\"},\n{\"id\": \"1\", \"dossier\": 2, \"action\": \"archiver\"}]",
            "line 2: the id `1` is on line 1 already",
        ),
    ];
    for (text, told) in cases {
        let wrong = json(text).expect_err(text);
        assert!(wrong[0].starts_with(told), "{text:?}: {wrong:?}");
    }
}

/// A file of decisions, every text between quotation marks or none, and the number of its rows.
fn files() -> impl Strategy<Value = (String, usize)> {
    let word = "[a-zé ]{1,8}";
    let row = (word, any::<bool>(), 0_usize..3);
    (prop::collection::vec(row, 1..6), any::<bool>()).prop_map(|(rows, ends)| {
        let mut text = "id;dossier;action;motivation\n".to_owned();
        let count = rows.len();
        for (at, (word, quoted, lines)) in rows.into_iter().enumerate() {
            let motivation = if quoted || lines > 0 {
                format!("\"m{}{word}\"", "ligne\n".repeat(lines))
            } else {
                format!("m{word}")
            };
            text.push_str(&format!("q{at};{};refuser;{motivation}\n", at + 1));
        }
        (if ends { text } else { text.trim_end_matches('\n').to_owned() }, count)
    })
}

proptest! {
    /// However quotation marks are lost from a file, each row is its own decision, or nothing is taken.
    #[test]
    fn lost_quotation_marks_never_merge_decisions(
        (text, rows) in files(),
        lost in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let mut text = text;
        for at in lost {
            let marks: Vec<usize> = text.match_indices('"').map(|(at, _)| at).collect();
            if !marks.is_empty() {
                text.remove(marks[at.index(marks.len())]);
            }
        }
        if let Ok(intents) = read(text.as_bytes(), Format::Csv) {
            prop_assert_eq!(intents.len(), rows);
            for (at, intent) in intents.iter().enumerate() {
                let Action::Refuser { motivation, .. } = &intent.action else { panic!("a refusal") };
                prop_assert_eq!(intent.id.as_str(), format!("q{at}"));
                prop_assert!(!motivation.as_str().contains("refuser"));
            }
        }
    }

    /// Nothing panics, and every place that is told is a line of the file.
    #[test]
    fn whatever_is_in_a_file_is_taken_or_refused_with_a_line(
        mut bytes in prop::collection::vec(any::<u8>(), 0..40),
        head in any::<bool>(),
        format in prop_oneof![Just(Format::Csv), Just(Format::Json)],
    ) {
        if head {
            bytes.splice(0..0, *b"dossier;action\n1;archiver\n");
        }
        if let Err(wrong) = read(&bytes, format) {
            let lines = 1 + bytes.iter().filter(|byte| matches!(**byte, b'\n' | b'\r')).count();
            prop_assert!(!wrong.is_empty() && wrong.iter().all(|wrong| (1..=lines).contains(&wrong.line)));
        }
    }
}
