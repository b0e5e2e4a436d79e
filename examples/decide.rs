//! Takes one decision, at most once: reads the dossier, brings it under examination where it must be, decides, and looks
//! again when an answer was lost. An outbox does the same for many decisions.
//!
//! ```text
//! DN_TOKEN=... cargo run --example decide -- 5678 INSTRUCTEUR_ID refuser "Il manque le RIB" courrier.pdf
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::env;
use std::error::Error;
use std::path::Path;

use demarche_numerique::api::{Author, Mutation, MutationError, Upload};
use demarche_numerique::ids::InstructeurId;
use demarche_numerique::{Client, DossierNumber, DossierState, Platform};

const USAGE: &str = "usage: decide DOSSIER INSTRUCTEUR_ID accepter|refuser|classer_sans_suite MOTIVATION [FILE]";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let mut next = || arguments.next().ok_or(USAGE);
    let number: DossierNumber = next()?.parse()?;
    let by = Author { instructeur: InstructeurId::new(next()?), silent: false };
    let (word, motivation) = (next()?, next()?);
    let file = next().ok();

    let mut builder = Client::builder(Platform::DemarcheNumerique).token(env::var("DN_TOKEN")?);
    if let Ok(url) = env::var("DN_URL") {
        builder = builder.url(url);
    }
    let client = builder.build()?;
    let dossier = client.dossier(number).await?.ok_or("the platform does not show this dossier")?;

    let justificatif = match &file {
        Some(path) => {
            let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy();
            let upload = Upload::for_decision(name, std::fs::read(path)?)?;
            Some(client.upload(&dossier.id, &upload).await?)
        }
        None => None,
    };
    let decision = match word.as_str() {
        "accepter" => Mutation::Accepter { motivation: Some(motivation), justificatif },
        "refuser" => Mutation::Refuser { motivation, justificatif },
        "classer_sans_suite" => Mutation::ClasserSansSuite { motivation, justificatif },
        _ => return Err(USAGE.into()),
    };
    let steps = match dossier.state {
        DossierState::EnConstruction => vec![Mutation::PasserEnInstruction, decision],
        DossierState::EnInstruction => vec![decision],
        state => return Err(format!("dossier {number} is {state}: nothing was done").into()),
    };
    for step in &steps {
        match client.apply(&dossier.id, &by, step).await {
            Ok(_) => println!("dossier {number}: {} is done", step.name()),
            Err(MutationError::Unknown(cause)) => {
                println!("dossier {number}: {cause}");
                match client.dossier(number).await? {
                    Some(now) => println!("dossier {number} is {} now", now.state),
                    None => println!("dossier {number} is not shown any more"),
                }
                return Err("look at the dossier before trying again".into());
            }
            Err(error) => {
                if let Some(hint) = error.hint() {
                    println!("hint: {hint}");
                }
                return Err(error.into());
            }
        }
    }
    Ok(())
}
