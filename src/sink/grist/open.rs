//! Opening: what the document must be, and whether another run works on it.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Mutex;

use super::desk::Desk;
use super::fault::Fault;
use super::lease::{self, Holder, Judgment, Token};
use super::read::Reader;
use super::{GristSink, Told};
use crate::sink::{FileLimits, SinkError};
use grist_client::Doc;

/// How a document is opened.
#[derive(Debug)]
#[must_use]
pub struct Opening {
    doc: Doc,
    restore: bool,
    limits: Option<FileLimits>,
    decisions: bool,
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

    /// Opens the document for writing. One request, which reads what the document remembers and its structure; nothing is
    /// written, so that a run without news leaves no trace in the document's history.
    ///
    /// # Errors
    /// [`SinkError::Locked`] while another run works on it, [`SinkError::Unusable`] for a key or a document that is not
    /// what it should be, [`SinkError::Altered`] when one of our own tables was deleted or edited,
    /// [`SinkError::NewerVersion`], and [`SinkError::Unavailable`].
    pub async fn open(self) -> Result<GristSink, SinkError> {
        let token = Token::new();
        let host = lease::host();
        let now = Timestamp::now();
        let me = Holder { token: token.0.clone(), host, process: i64::from(std::process::id()), since: now };
        let sink = self.read(Some(me.clone()), Some(token)).await?;
        let desk = sink.desk.lock().await;
        match lease::judge(desk.state.lease.as_ref(), &me, now, lease::lives, lease::is_ours) {
            Judgment::Free => drop(desk),
            Judgment::Held(holder) => return Err(Fault::Locked(Some(holder)).at(&sink.name, "an opening")),
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

    async fn read(self, me: Option<Holder>, token: Option<Token>) -> Result<GristSink, SinkError> {
        let Self { doc, restore, limits, decisions } = self;
        let name = format!("grist:{}", doc.id().as_str());
        let reader = Reader::new(doc.clone());
        let state = async {
            let state = reader.state().await?;
            if state.is_ours() {
                state.missing()?;
                if let Some(reason) = state.damage() {
                    return Err(Fault::Altered(reason));
                }
            }
            state.format()?;
            Ok(state)
        };
        let state = state.await.map_err(|fault| fault.at(&name, "an opening"))?;
        let told = Arc::new(Told::default());
        let desk = Mutex::new(Desk::new(reader, state, me, Arc::clone(&told)));
        Ok(GristSink { name, doc, desk, restore, limits, decisions, told, _token: token })
    }
}

impl GristSink {
    /// Begins to open a document.
    pub fn of(doc: Doc) -> Opening {
        Opening { doc, restore: false, limits: None, decisions: false }
    }

    /// Whether a run works on a document at this moment. Writes nothing.
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
