//! Which Grist, which key, which document.

use grist_client::{Access, Client, DocId, DocInfo, GristError, Workspace};
use secrecy::SecretString;
use url::Url;

use super::InitGristArgs;
use crate::cli::ask::Ask;
use crate::cli::context::variable;
use crate::cli::error::CliError;
use crate::cli::printer::{legible, tell};
use crate::config::{
    ConfigError, InvalidValue, Problem, SecretError, SecretSource, Secrets, Setting, SettingOrigin, TargetEntry,
    defaults, grist_url, parse_grist_url, parse_target,
};
use crate::cycle::targets::grist::{GRIST_KEY, instance};

/// Where most people of the French administration have theirs.
const USUAL: &str = "https://grist.numerique.gouv.fr";

const BY_DOCUMENT: &str = "give it with `--document`, or make one with `--new NAME`";
const BY_WORKSPACE: &str = "give its number with `--workspace`";

/// An instance that accepted the key.
pub struct Site {
    pub client: Client,
    pub url: Url,
}

/// The document to write to.
pub enum Place {
    /// It is there, and the key may write it.
    There(DocInfo),
    /// It is to be made.
    New {
        /// The number of its folder.
        workspace: i64,
        /// The name of its folder.
        folder: String,
        name: String,
    },
}

/// Finds the instance and a key that it accepts.
pub async fn site(ask: &Ask, args: &InitGristArgs, secrets: &Secrets) -> Result<Site, CliError> {
    let url = address(ask, args)?;
    let variable = SecretSource::Variable(defaults::GRIST_KEY_ENV.to_owned());
    match secrets.read(GRIST_KEY, &variable) {
        Ok(key) => {
            let client = instance(&url, key)?;
            client.orgs().await?;
            return Ok(Site { client, url });
        }
        Err(SecretError::Absent { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    tell("the API key is in Grist under your picture, profile settings, API; it is written nowhere");
    let mut tried = 0;
    loop {
        let key: SecretString = ask.secret(GRIST_KEY, "put it in the variable GRIST_API_KEY")?;
        let client = instance(&url, key)?;
        match client.orgs().await {
            Ok(_) => return Ok(Site { client, url }),
            Err(error @ GristError::WrongKey { .. }) => {
                tried += 1;
                if tried >= ask.tries() {
                    return Err(error.into());
                }
                tell(&format!("{error}; once more"));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// That of the document, of `--url`, of the environment, or of the person.
fn address(ask: &Ask, args: &InitGristArgs) -> Result<Url, CliError> {
    let flag = args.url.as_deref().map(parse_grist_url).transpose().map_err(|error| wrong("--url", error))?;
    let named = match args.document.as_deref().map(document).transpose() {
        Ok(found) => found.and_then(|(_, url)| url),
        Err(error) => return Err(wrong("--document", error)),
    };
    if let (Some(flag), Some(named)) = (&flag, &named)
        && flag.origin() != named.origin()
    {
        return Err(wrong("--url", InvalidValue::saying("the document is on another instance", "leave it out")));
    }
    let said = named.or(flag).map(|value| Setting { value, origin: SettingOrigin::Flag("--url") });
    let found = grist_url(said, false, &variable).map_err(|error| wrong("--url", error))?;
    if let Some(url) = found {
        return Ok(url.value);
    }
    ask.until("Address of Grist", Some(USUAL), "give it with `--url`, or in GRIST_URL", |text| {
        parse_grist_url(text).map_err(|error| error.to_string())
    })
}

/// Finds the document, or where to make it. Nothing is made yet.
pub async fn place(ask: &Ask, args: &InitGristArgs, site: &Site) -> Result<Place, CliError> {
    if let Some(text) = &args.document {
        let (id, _) = document(text).map_err(|error| wrong("--document", error))?;
        return there(site, id).await;
    }
    let folders = folders(site).await?;
    if let Some(name) = &args.new {
        return new(ask, &folders, Some(name), args.workspace);
    }
    loop {
        let documents = show(&folders);
        let question = "Which document: a number, an id, an address, or `new`";
        let answer = ask.until(question, None, BY_DOCUMENT, |text| choose(text, &documents))?;
        let Some(id) = answer else { return new(ask, &folders, None, None) };
        match there(site, id).await {
            Ok(place) => return Ok(place),
            Err(error) if ask.tries() == 1 => return Err(error),
            Err(error) => tell(&error.render()),
        }
    }
}

/// The document of an answer; `None` for a new one.
fn choose(text: &str, documents: &[DocId]) -> Result<Option<DocId>, String> {
    if ["new", "n", "nouveau"].contains(&text.to_lowercase().as_str()) {
        return Ok(None);
    }
    if let Ok(number) = text.parse::<usize>() {
        let chosen = number.checked_sub(1).and_then(|index| documents.get(index));
        return chosen.cloned().map(Some).ok_or_else(|| format!("there is no document {number} in the list"));
    }
    document(text).map(|(id, _)| Some(id)).map_err(|error| error.to_string())
}

async fn there(site: &Site, id: DocId) -> Result<Place, CliError> {
    let info = site.client.doc(id).info().await?;
    if info.access < Access::Editor {
        let message = format!("the key may only read “{}”", legible(&info.name));
        return Err(GristError::Forbidden { message }.into());
    }
    Ok(Place::There(info))
}

/// The folders of all sites, each under the name of its site.
async fn folders(site: &Site) -> Result<Vec<Workspace>, CliError> {
    let mut folders = Vec::new();
    for org in site.client.orgs().await? {
        let of = org.domain.unwrap_or_else(|| org.id.to_string());
        for mut folder in site.client.workspaces(&of).await? {
            folder.name = format!("{} / {}", org.name, folder.name);
            folders.push(folder);
        }
    }
    Ok(folders)
}

/// Shows what can be chosen, and gives it in the order of its numbers.
fn show(folders: &[Workspace]) -> Vec<DocId> {
    let mut documents = Vec::new();
    let mut text = String::new();
    for folder in folders.iter().filter(|folder| !folder.docs.is_empty()) {
        text.push_str(&format!("{}\n", legible(&folder.name)));
        for (id, name) in &folder.docs {
            documents.push(id.clone());
            text.push_str(&format!("  {:>3}  {}  ({id})\n", documents.len(), legible(name)));
        }
    }
    if documents.is_empty() {
        text.push_str("the key sees no document\n");
    }
    tell(&text);
    documents
}

fn new(ask: &Ask, folders: &[Workspace], name: Option<&str>, workspace: Option<i64>) -> Result<Place, CliError> {
    let name = match name {
        Some(name) => name.to_owned(),
        None => ask.line("Name of the new document", Some("Démarches"), "give it with `--new`")?,
    };
    let open: Vec<&Workspace> = folders.iter().filter(|folder| folder.access >= Access::Editor).collect();
    let chosen = match (workspace, open.as_slice()) {
        (Some(id), open) => match open.iter().find(|folder| folder.id == id) {
            Some(folder) => folder,
            None => return Err(refused(format!("workspace {id} is not one that the key may make documents in"), open)),
        },
        (None, []) => return Err(refused("the key may make documents nowhere".to_owned(), &[])),
        (None, [only]) => only,
        (None, open) => {
            let lines: Vec<String> =
                open.iter().map(|folder| format!("  {:>3}  {}", folder.id, legible(&folder.name))).collect();
            tell(&lines.join("\n"));
            ask.until("In which workspace: its number", None, BY_WORKSPACE, |text| {
                let id = text.parse().ok();
                let found = open.iter().find(|folder| Some(folder.id) == id);
                found.ok_or_else(|| format!("there is no workspace `{}` in the list", legible(text)))
            })?
        }
    };
    Ok(Place::New { workspace: chosen.id, folder: chosen.name.clone(), name })
}

fn refused(message: String, open: &[&Workspace]) -> CliError {
    let known: Vec<String> = open.iter().map(|folder| format!("{} ({})", folder.id, legible(&folder.name))).collect();
    let problem = Problem::new("--workspace", message);
    let hint = match known.as_slice() {
        [] => "ask the owner of a workspace to share it as editor, or choose a document".to_owned(),
        known => format!("one of: {}", known.join(", ")),
    };
    ConfigError::one(problem.hint(hint)).into()
}

/// A document, and its instance when it is given as an address.
fn document(text: &str) -> Result<(DocId, Option<Url>), InvalidValue> {
    match parse_target(&format!("grist:{}", text.trim()))? {
        TargetEntry::Grist(entry) => Ok((entry.document, entry.url.map(|url| url.value))),
        TargetEntry::Whole(target) => unreachable!("a text that begins with `grist:` is not {target}"),
    }
}

fn wrong(key: &str, error: InvalidValue) -> CliError {
    ConfigError::one(Problem { hint: error.hint, ..Problem::new(key, error.message) }).into()
}
