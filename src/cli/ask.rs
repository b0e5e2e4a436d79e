//! Questions to a person at a terminal, or to a program that writes the answers to standard input.
//!
//! Questions go to stderr: stdout is for the answer of the command.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use console::Term;
use secrecy::SecretString;

use super::error::CliError;
use super::printer::tell;

/// The number of tries for an answer that only somebody else can check.
const TRIES: u32 = 3;

/// Who answers.
#[derive(Debug)]
pub struct Ask {
    /// True if answers are typed; else they come through a pipe, and a wrong one is final.
    typed: bool,
}

impl Ask {
    /// Whoever is at the standard input of this process.
    pub fn of_this_process() -> Self {
        Self { typed: std::io::stdin().is_terminal() }
    }

    /// Gives the number of times that a question is asked whose answer may turn out wrong.
    pub fn tries(&self) -> u32 {
        if self.typed { TRIES } else { 1 }
    }

    /// Asks for a line; an empty one means the default, where there is one.
    ///
    /// # Errors
    /// [`CliError::Usage`] when nobody answers, with what to write instead.
    pub fn line(&self, question: &str, default: Option<&str>, instead: &'static str) -> Result<String, CliError> {
        loop {
            let shown = default.map(|default| format!(" [{default}]")).unwrap_or_default();
            self.prompt(&format!("{question}{shown}: "));
            let answer = read_line(question, instead)?;
            match (answer.trim(), default) {
                ("", Some(default)) => return Ok(default.to_owned()),
                ("", None) => {}
                (answer, _) => return Ok(answer.to_owned()),
            }
        }
    }

    /// Asks until the answer is one that `read` takes, or as often as makes sense.
    ///
    /// # Errors
    /// As [`line`](Self::line), and the last refusal.
    pub fn until<T>(
        &self,
        question: &str,
        default: Option<&str>,
        instead: &'static str,
        mut read: impl FnMut(&str) -> Result<T, String>,
    ) -> Result<T, CliError> {
        let mut tried = 0;
        loop {
            let answer = self.line(question, default, instead)?;
            match read(&answer) {
                Ok(value) => return Ok(value),
                Err(message) => {
                    tried += 1;
                    if tried >= self.tries() {
                        return Err(CliError::Usage { message, hint: instead });
                    }
                    tell(&message);
                }
            }
        }
    }

    /// Asks for a secret, which is not shown while it is typed.
    ///
    /// # Errors
    /// As [`line`](Self::line).
    pub fn secret(&self, question: &str, instead: &'static str) -> Result<SecretString, CliError> {
        self.prompt(&format!("{question} (not shown): "));
        let answer = if self.typed {
            let typed = tokio::task::block_in_place(|| Term::stderr().read_secure_line());
            typed.map_err(|source| CliError::System { what: "reading from the terminal", source })?
        } else {
            read_line(question, instead)?
        };
        match answer.trim() {
            "" => Err(unanswered(question, instead)),
            secret => Ok(SecretString::from(secret)),
        }
    }

    /// Asks for a yes; anything else is a no.
    ///
    /// # Errors
    /// As [`line`](Self::line).
    pub fn agrees(&self, question: &str, instead: &'static str) -> Result<bool, CliError> {
        let answer = self.line(question, Some("y/N"), instead)?;
        Ok(["y", "yes", "o", "oui"].contains(&answer.to_lowercase().as_str()))
    }

    /// Shows a question, on a line of its own when the answer will not be echoed.
    fn prompt(&self, text: &str) {
        if !self.typed {
            return tell(text.trim_end());
        }
        let mut err = std::io::stderr().lock();
        let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
    }
}

fn read_line(question: &str, instead: &'static str) -> Result<String, CliError> {
    let mut line = String::new();
    let read = tokio::task::block_in_place(|| std::io::stdin().lock().read_line(&mut line));
    match read {
        Ok(0) => Err(unanswered(question, instead)),
        Ok(_) => Ok(line),
        Err(source) => Err(CliError::System { what: "reading an answer", source }),
    }
}

fn unanswered(question: &str, instead: &'static str) -> CliError {
    CliError::Usage { message: format!("nobody answers: {question}"), hint: instead }
}
