//! Writes log lines to stderr. Never fails; through a queue, never waits.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// The number of lines that wait for a slow reader. Lines beyond it are dropped.
const QUEUE: usize = 10_000;

/// Where log lines go.
#[derive(Clone, Debug)]
pub(super) enum LogWriter {
    /// To stderr, at once.
    Direct,
    /// To a thread that writes them. A pipe that nobody reads stops that thread, and nothing else.
    Queued(Queue),
}

/// A queue of lines, and how many found no room in it.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    sender: SyncSender<Entry>,
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Entry {
    Line(Vec<u8>),
    /// Everything before it was written.
    Mark(SyncSender<()>),
}

impl LogWriter {
    /// A queue and its thread; direct where the system gives no thread.
    pub(super) fn queued() -> Self {
        Self::queued_into(io::stderr()).unwrap_or(Self::Direct)
    }

    fn queued_into(out: impl Write + Send + 'static) -> io::Result<Self> {
        let (sender, entries) = sync_channel(QUEUE);
        let lost = Arc::<AtomicU64>::default();
        let counted = Arc::clone(&lost);
        thread::Builder::new().name("log".to_owned()).spawn(move || copy(&entries, &counted, out))?;
        Ok(Self::Queued(Queue { sender, lost }))
    }

    /// Waits until everything that was written before has left, at most for so long.
    pub(super) fn drain(&self, most: Duration) {
        if let Self::Queued(queue) = self {
            let (mark, reached) = sync_channel(1);
            // A full queue is one that nobody reads.
            if queue.sender.try_send(Entry::Mark(mark)).is_ok() {
                let _ = reached.recv_timeout(most);
            }
        }
    }
}

fn copy(entries: &Receiver<Entry>, lost: &AtomicU64, mut out: impl Write) {
    for entry in entries {
        match entry {
            Entry::Line(line) => {
                let _ = out.write_all(&line).and_then(|()| out.flush());
            }
            Entry::Mark(reached) => {
                let _ = reached.try_send(());
            }
        }
        let lost = lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let _ = writeln!(out, "{lost} lines of the log were lost: nothing read them in time");
        }
    }
}

impl Write for LogWriter {
    /// Takes one event; what cannot be written is lost.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self {
            Self::Direct => {
                let _ = io::stderr().lock().write_all(line);
            }
            Self::Queued(Queue { sender, lost }) => {
                if sender.try_send(Entry::Line(line.to_vec())).is_err() {
                    lost.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Gives way to one line for each permit.
    struct Slow {
        permits: Receiver<()>,
        text: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.permits.recv();
            self.text.lock().expect("no code panics while it holds the lock").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_that_nobody_reads_loses_lines_says_how_many_and_stops_nobody() {
        let (permit, permits) = sync_channel(0);
        let text = Arc::<Mutex<Vec<u8>>>::default();
        let mut log = LogWriter::queued_into(Slow { permits, text: Arc::clone(&text) }).expect("a thread");
        for number in 0..2 * QUEUE {
            log.write_all(format!("line {number}\n").as_bytes()).expect("it never fails");
        }
        // From now on it is read again.
        drop(permit);
        // Each line is written or counted in the end; while the queue is full, a drain does not wait.
        let written = || String::from_utf8(text.lock().expect("the text").clone()).expect("text");
        let count = |text: &str| {
            let lost = text
                .lines()
                .filter_map(|line| line.strip_suffix(" lines of the log were lost: nothing read them in time"));
            let lost: usize = lost.filter_map(|count| count.parse::<usize>().ok()).sum();
            (text.lines().filter(|line| line.starts_with("line ")).count(), lost)
        };
        while matches!(count(&written()), (lines, lost) if lines + lost < 2 * QUEUE) {
            log.drain(Duration::from_secs(60));
        }
        let text = written();
        assert!(text.starts_with("line 0\n"), "{}", &text[..50]);
        let (lines, lost) = count(&text);
        assert_eq!(lines + lost, 2 * QUEUE);
    }

    #[test]
    fn an_output_that_fails_is_nobodys_concern() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::Error::from(io::ErrorKind::StorageFull))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut log = LogWriter::queued_into(Full).expect("a thread");
        log.write_all(b"a line\n").expect("it never fails");
        log.drain(Duration::from_secs(60));
        log.write_all(b"another line\n").expect("its thread lives");
        log.drain(Duration::from_secs(60));
    }
}
