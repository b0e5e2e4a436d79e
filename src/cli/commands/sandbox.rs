//! `dn sandbox`: the embedded platform, served on this machine, with an imitation of Grist beside it when asked.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::{shown, signals};
use crate::config::defaults;
use crate::platform::Platform;
use crate::sandbox::grist::{Grist, GristServer};
use crate::sandbox::{DEMARCHE_COMPLETE, Sandbox, WorldSpec};

/// `dn sandbox`.
#[derive(Clone, Debug, Args)]
pub struct SandboxArgs {
    /// Listen on this port of 127.0.0.1; 0 for any that is free
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Generate another world
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// Generate so many dossiers
    #[arg(long, value_name = "COUNT", default_value_t = 500)]
    pub dossiers: u32,
    /// Change so many dossiers a minute, such as 10/min [default: none]
    #[arg(long, value_name = "PACE", value_parser = pace)]
    pub pace: Option<u32>,
    /// Serve an imitation of Grist beside it [default: the platform alone]
    #[arg(long)]
    pub grist: bool,
    /// Imitate this platform: demarche-numerique or demat-social
    #[arg(long, value_name = "NAME", default_value_t = Platform::DemarcheNumerique)]
    pub platform: Platform,
}

fn pace(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix("/min").unwrap_or(text);
    match number.trim().parse() {
        Ok(pace) if (1..=6000).contains(&pace) => Ok(pace),
        _ => Err("a number of changes a minute is expected, such as 10/min".to_owned()),
    }
}

/// Serves until it is interrupted.
pub async fn run(context: &Context, args: &SandboxArgs) -> Result<Exit, CliError> {
    let stop = signals::listen()?;
    let spec = WorldSpec { seed: args.seed, start: context.now(), ..WorldSpec::new(args.platform) };
    let sandbox = Sandbox::new(&spec.dossiers(args.dossiers));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let server = sandbox
        .serve(address)
        .await
        .map_err(|source| CliError::System { what: "listening on a port of this machine", source })?;
    let demarches = sandbox.world().demarches();
    let numbers: Vec<String> = demarches.iter().map(ToString::to_string).collect();
    let grist = match args.grist {
        true => Some(Neighbour::serve().await?),
        false => None,
    };
    shown(&format!(
        "platform   {}\naddress    {}\ntoken      {}\ndémarches  {} ({} dossiers each)\n\n\
         {}={} {}={} {}={} dn sync --demarche {DEMARCHE_COMPLETE} --to sqlite:dossiers.db\n",
        args.platform,
        server.url(),
        sandbox.token(),
        numbers.join(", "),
        args.dossiers,
        defaults::URL_ENV,
        server.url(),
        defaults::PLATFORM_ENV,
        args.platform,
        defaults::TOKEN_ENV,
        sandbox.token(),
    ));
    if let Some(grist) = &grist {
        shown(&grist.told());
    }
    tokio::select! {
        () = stop.asked() => {}
        () = live(&sandbox, &demarches, args) => {}
    }
    let ended = |source| CliError::System { what: "the end of the server", source };
    if let Some(grist) = grist {
        grist.server.stop().await.map_err(ended)?;
    }
    server.stop().await.map_err(ended)?;
    Ok(Exit::Done)
}

/// An imitation of Grist beside the platform, with an empty document.
struct Neighbour {
    server: GristServer,
    document: String,
}

impl Neighbour {
    async fn serve() -> Result<Self, CliError> {
        let grist = Grist::new();
        let document = grist.create_document("Bac à sable");
        let server = grist.serve_locally().await;
        let server =
            server.map_err(|source| CliError::System { what: "listening on a port of this machine", source })?;
        Ok(Self { server, document })
    }

    fn told(&self) -> String {
        let (url, document, key) = (self.server.url(), &self.document, Grist::OWNER);
        let (url_env, key_env) = (defaults::GRIST_URL_ENV, defaults::GRIST_KEY_ENV);
        format!(
            "\nGrist      {url}\nkey        {key}\ndocument   {document}\n\n\
             with the same variables of the platform:\n\
             {url_env}={url} {key_env}={key} dn sync --demarche {DEMARCHE_COMPLETE} --to grist:{document}\n\
             {url_env}={url} {key_env}={key} dn init grist\n"
        )
    }
}

/// Lets the world live at the pace that was asked for, and its clock follow ours.
async fn live(sandbox: &Sandbox, demarches: &[u32], args: &SandboxArgs) {
    let beat = args.pace.map_or(Duration::from_secs(1), |pace| Duration::from_secs(60) / pace);
    let step = SignedDuration::try_from(beat).expect("a beat lasts a minute at most");
    let mut ticks = tokio::time::interval(beat);
    let mut seed = args.seed;
    for number in demarches.iter().cycle() {
        ticks.tick().await;
        sandbox.advance(step);
        if args.pace.is_some() {
            seed = seed.wrapping_add(1);
            sandbox.live(*number, 1, seed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paces_are_checked() {
        for (text, expected) in [("10/min", Some(10)), ("10", Some(10)), ("0", None), ("x/min", None), ("", None)] {
            assert_eq!(pace(text).ok(), expected, "{text}");
        }
    }
}
