//! Opens a document: checks that it is one of ours or new, and that no other run works on it. Registers the features.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use grist_client::Doc;
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::cache::DocumentCache;
use super::commands::CommandFeature;
use super::decisions::DecisionTables;
use super::extension::{Extension, ExtensionSet};
use super::fault::GristFault;
use super::files::FileFeature;
use super::lease::{self, Holder, Judgment, ProcessToken};
use super::outbox::{OutboxFeature, OutcomeWriter, OutcomeWriters};
use super::read::Reader;
use super::session::DocumentSession;
use super::{GristSink, Notices};
use crate::sink::{FileLimits, SinkError};

/// Settings with which a document is opened.
#[derive(Debug)]
#[must_use]
pub struct Opening {
    doc: Doc,
    restore: bool,
    limits: Option<FileLimits>,
    decisions: bool,
    restyle: bool,
    cache: Option<PathBuf>,
}

impl Opening {
    /// Makes the columns again that people deleted, and fills them from the stored documents. `false` by default: what
    /// people deleted stays away.
    pub fn restore_columns(self, restore: bool) -> Self {
        Self { restore, ..self }
    }

    /// Keeps files themselves, within these limits, and shows them in a column of their own: see
    /// [`FileStore`](crate::sink::FileStore). By default only their names, sizes and checksums are kept. Whatever the
    /// document has already of files stays when this is not said any more.
    pub fn files(self, limits: FileLimits) -> Self {
        Self { limits: Some(limits), ..self }
    }

    /// Gives the table of dossiers the columns in which people decide, and takes what they decide there: see
    /// [`GristSink::take_decisions`]. `false` by default. Columns that are there already stay when this is not said any
    /// more; nothing is taken from them then.
    pub fn decisions(self, decisions: bool) -> Self {
        Self { decisions, ..self }
    }

    /// Makes the pages of a démarche anew with its first change of tables, in the newest style: see
    /// [`GristSink::restyle_preview`]. `false` by default: pages are people's once they are made.
    pub fn restyle(self, restyle: bool) -> Self {
        Self { restyle, ..self }
    }

    /// Keeps tables, columns and state of the document in a file of this directory, for its owner alone, so that the next
    /// run reads them only if they moved since. It is made when it is needed, and may be emptied at any time. Nothing is
    /// kept by default, and every opening reads them.
    pub fn cache(self, directory: impl Into<PathBuf>) -> Self {
        Self { cache: Some(directory.into()), ..self }
    }

    /// Opens the document for writing. One request, which reads what the document remembers and its structure; two where
    /// what was [kept](Self::cache) is not true any more. Nothing is written, so that a run without news leaves no trace in
    /// the document's history.
    ///
    /// # Errors
    /// [`SinkError::Locked`] while another run works on it, [`SinkError::Unusable`] for a key or a document that is not
    /// what it should be, [`SinkError::Altered`] when one of our own tables was deleted or edited,
    /// [`SinkError::NewerVersion`], and [`SinkError::Unavailable`].
    pub async fn open(self) -> Result<GristSink, SinkError> {
        let token = ProcessToken::new();
        let host = lease::host();
        let now = Timestamp::now();
        let me = Holder { token: token.0.clone(), host, process: i64::from(std::process::id()), since: now };
        let sink = self.read(Some(me.clone()), Some(token)).await?;
        let session = sink.session.lock().await;
        match lease::judge(session.state.lease.as_ref(), &me, now, lease::lives, lease::is_ours) {
            Judgment::Free => drop(session),
            Judgment::Held(holder) => return Err(GristFault::Locked(Some(holder)).at(&sink.name, "an opening")),
        }
        Ok(sink)
    }

    /// Opens the document for reading: a run may work on it meanwhile. Everything that would write answers
    /// [`SinkError::Unusable`].
    ///
    /// # Errors
    /// As [`open`](Self::open), but for the lock.
    pub async fn open_read_only(self) -> Result<GristSink, SinkError> {
        self.read(None, None).await
    }

    async fn read(self, me: Option<Holder>, token: Option<ProcessToken>) -> Result<GristSink, SinkError> {
        let Self { doc, restore, limits, decisions, restyle, cache } = self;
        let restyle = AtomicBool::new(restyle);
        let name = format!("grist:{}", doc.id().as_str());
        let cache = cache.map(|directory| DocumentCache::of(&directory, doc.id()));
        let reader = Reader::new(doc.clone());
        let reader = if cache.is_some() { reader.with_positions() } else { reader };
        let known = cache.as_ref().and_then(DocumentCache::load);
        let kept_at = known.as_ref().and_then(|known| known.position.clone());
        let state = async {
            let since = match known {
                Some(known) => reader.state_since(known).await?,
                None => None,
            };
            let state = match since {
                Some(state) => state,
                None => reader.state().await?,
            };
            if state.is_ours() {
                state.missing()?;
                if let Some(reason) = state.damage() {
                    return Err(GristFault::Altered(reason));
                }
            }
            state.format()?;
            Ok(state)
        };
        let state = state.await.map_err(|fault| fault.at(&name, "an opening"))?;
        let (files, decisions) = (Arc::new(FileFeature::new(limits)), Arc::new(DecisionTables::new(decisions)));
        // In the order in which their columns are shown.
        let registered: Vec<Arc<dyn Extension>> = vec![
            Arc::clone(&files) as Arc<dyn Extension>,
            Arc::clone(&decisions) as Arc<dyn Extension>,
            Arc::new(OutboxFeature),
            Arc::new(CommandFeature),
        ];
        let outcomes = OutcomeWriters::new(vec![Arc::clone(&decisions) as Arc<dyn OutcomeWriter>]);
        let notices = Arc::new(Notices::default());
        let mut session = DocumentSession::new(reader, state, me, ExtensionSet::new(registered), Arc::clone(&notices));
        session.cache_file = cache.map(|file| (file, kept_at));
        let session = Mutex::new(session);
        Ok(GristSink { name, doc, session, restore, restyle, files, decisions, outcomes, notices, _token: token })
    }
}

impl GristSink {
    /// Begins to open a document.
    pub fn of(doc: Doc) -> Opening {
        Opening { doc, restore: false, limits: None, decisions: false, restyle: false, cache: None }
    }

    /// Checks if a run works on a document at this moment. Writes nothing.
    ///
    /// # Errors
    /// As [`Opening::open`].
    pub async fn is_locked(doc: Doc) -> Result<bool, SinkError> {
        let name = format!("grist:{}", doc.id().as_str());
        let lease = Reader::new(doc).lease().await.map_err(|fault| fault.at(&name, "an opening"))?;
        let nobody = Holder {
            token: String::new(),
            host: lease::host(),
            process: i64::from(std::process::id()),
            since: Timestamp::now(),
        };
        let judgment = lease::judge(lease.as_ref(), &nobody, nobody.since, lease::lives, lease::is_ours);
        Ok(judgment != Judgment::Free)
    }
}
