//! A call's files, written off the call's own task: stereo recording and journal.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, BufWriter, Write},
    mem,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use tokio::sync::{mpsc, oneshot};

use crate::audio::{AudioError, Hz8k, Pcm, StereoRecorder};

/// Orders that may wait for a slow disk, those of all calls together.
const QUEUE: usize = 16_384;
/// Audio is handed over in pieces of this many samples: half a second.
const CHUNK: usize = 4_000;
/// Bytes of most lines of a journal; longer ones are written at once.
const LINE: usize = 512;

/// A call's files could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// A file could not be made or written.
    #[error("cannot write {path}: {problem}: is the disk full, or `data.dir` not writable?")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        problem: String,
    },
    /// More waits to be written than may.
    #[error(
        "recordings and journals cannot be written as fast as they come: is the disk too slow?"
    )]
    Busy,
}

/// Writes the files of all calls, on a thread of its own. Clones share it.
#[derive(Debug, Clone)]
pub struct ArchiveWriter {
    orders: mpsc::Sender<Order>,
    next: Arc<AtomicU64>,
}

enum Order {
    Open(u64, Box<Place>, oneshot::Sender<Result<(), ArchiveError>>),
    Audio(u64, Chunk),
    Line(u64, String),
    Close(u64, Option<oneshot::Sender<Result<(), ArchiveError>>>),
    Discard(u64, oneshot::Sender<()>),
}

impl ArchiveWriter {
    /// Starts the thread; it ends when the last clone and the last archive are gone.
    ///
    /// # Errors
    /// When the system gives us no thread.
    pub fn start() -> io::Result<Self> {
        let (orders, queue) = mpsc::channel(QUEUE);
        thread::Builder::new().name("archive".into()).spawn(move || write(queue))?;
        Ok(Self { orders, next: Arc::default() })
    }

    /// Makes `journal.jsonl` and, if wanted, `recording.wav` in `dir`, which is made too. The thread does it: a
    /// file system that is busy makes this call wait, not the others on its core.
    pub(super) async fn create(&self, dir: &Path, record: bool) -> Result<Archive, ArchiveError> {
        let place = Place {
            dir: dir.to_owned(),
            recording: record.then(|| dir.join("recording.wav")),
            journal: dir.join("journal.jsonl"),
        };
        let busy = |_| ArchiveError::Busy;
        // Kept from now on, so that the files are closed however the call ends.
        let close = self.orders.clone().try_reserve_owned().map_err(busy)?;
        let archive = Archive {
            call: self.next.fetch_add(1, Ordering::Relaxed),
            orders: self.orders.clone(),
            close: Some(close),
            chunk: Chunk::default(),
            dropped: 0,
            paused: false,
            recording: place.recording.clone(),
            journal: place.journal.clone(),
        };
        let (made, done) = oneshot::channel();
        let order = Order::Open(archive.call, Box::new(place), made);
        self.orders.try_send(order).map_err(|_| ArchiveError::Busy)?;
        done.await.map_err(|_| ArchiveError::Busy)??;
        Ok(archive)
    }
}

/// Where the files of one call go.
struct Place {
    dir: PathBuf,
    recording: Option<PathBuf>,
    journal: PathBuf,
}

/// The files of one call.
#[derive(Debug)]
pub(super) struct Archive {
    call: u64,
    orders: mpsc::Sender<Order>,
    close: Option<mpsc::OwnedPermit<Order>>,
    chunk: Chunk,
    dropped: u64,
    paused: bool,
    recording: Option<PathBuf>,
    journal: PathBuf,
}

/// Some audio of both sides, of equal length.
#[derive(Debug, Default)]
struct Chunk {
    caller: Vec<i16>,
    bot: Vec<i16>,
}

impl Archive {
    /// Appends 20 ms of both sides to the recording.
    pub(super) fn frame(&mut self, caller: &Pcm<Hz8k>, bot: &Pcm<Hz8k>) {
        if self.recording.is_none() {
            return;
        }
        if self.chunk.caller.capacity() == 0 {
            self.chunk.caller.reserve_exact(CHUNK);
            self.chunk.bot.reserve_exact(CHUNK);
        }
        if self.paused {
            // The times in it stay those of the call.
            self.chunk.caller.resize(self.chunk.caller.len() + caller.len(), 0);
            self.chunk.bot.resize(self.chunk.bot.len() + bot.len(), 0);
        } else {
            self.chunk.caller.extend_from_slice(caller.samples());
            self.chunk.bot.extend_from_slice(bot.samples());
        }
        if self.chunk.caller.len() >= CHUNK {
            self.hand_over();
        }
    }

    /// Records silence in place of what is heard and said, or goes on; false without a recording.
    pub(super) fn pause(&mut self, on: bool) -> bool {
        self.paused = on;
        self.recording.is_some()
    }

    /// Appends a line to the journal.
    pub(super) fn line(&mut self, line: String) {
        self.send(Order::Line(self.call, line));
    }

    /// Writes what is waiting and closes the files.
    pub(super) async fn finish(mut self) -> Result<(), ArchiveError> {
        self.hand_over();
        let (done, written) = oneshot::channel();
        if let Some(close) = self.close.take() {
            close.send(Order::Close(self.call, Some(done)));
        }
        let problem = match written.await {
            Ok(Ok(())) if self.dropped == 0 => return Ok(()),
            Ok(Ok(())) => format!("{} entries were lost to a disk that was too slow", self.dropped),
            Ok(Err(error)) => return Err(error),
            Err(_) => "the writer has stopped".to_owned(),
        };
        let path = self.recording.as_ref().unwrap_or(&self.journal).clone();
        Err(ArchiveError::Write { path, problem })
    }

    /// Removes the files: there was no call.
    pub(super) async fn discard(mut self) {
        let (done, removed) = oneshot::channel();
        if let Some(close) = self.close.take() {
            close.send(Order::Discard(self.call, done));
        }
        // A writer that has stopped has said so to others.
        let _ = removed.await;
    }

    /// Where the recording is, if there is one.
    pub(super) fn recording(&self) -> Option<&Path> {
        self.recording.as_deref()
    }

    /// Where the journal is.
    pub(super) fn journal(&self) -> &Path {
        &self.journal
    }

    fn hand_over(&mut self) {
        if !self.chunk.caller.is_empty() {
            let chunk = mem::take(&mut self.chunk);
            self.send(Order::Audio(self.call, chunk));
        }
    }

    fn send(&mut self, order: Order) {
        if self.orders.try_send(order).is_err() {
            self.dropped += 1;
        }
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        self.hand_over();
        if let Some(close) = self.close.take() {
            close.send(Order::Close(self.call, None));
        }
    }
}

/// The thread.
fn write(mut queue: mpsc::Receiver<Order>) {
    let mut calls = Open::default();
    while let Some(order) = queue.blocking_recv() {
        match order {
            Order::Open(call, place, made) => {
                let made_as = Files::make(*place).map(|files| {
                    calls.0.insert(call, Ok(files));
                });
                // Nobody waits for a call that was given up; it has sent its close after this.
                let _ = made.send(made_as);
            }
            Order::Audio(call, chunk) => calls.apply(call, |files| files.audio(&chunk)),
            Order::Line(call, line) => calls.apply(call, |files| files.line(&line)),
            Order::Discard(call, done) => {
                if let Some(Ok(files)) = calls.0.remove(&call) {
                    files.remove();
                }
                let _ = done.send(());
            }
            Order::Close(call, done) => {
                let closed = match calls.0.remove(&call) {
                    Some(files) => files.and_then(Files::close),
                    None => Ok(()),
                };
                if let Some(done) = done {
                    // Nobody waits for a call whose task was dropped.
                    let _ = done.send(closed);
                }
            }
        }
    }
}

/// The files of each call, or what went wrong with them.
#[derive(Default)]
struct Open(HashMap<u64, Result<Files, ArchiveError>>);

impl Open {
    fn apply(&mut self, call: u64, write: impl FnOnce(&mut Files) -> Result<(), ArchiveError>) {
        if let Some(entry) = self.0.get_mut(&call)
            && let Ok(files) = entry
            && let Err(error) = write(files)
        {
            *entry = Err(error);
        }
    }
}

struct Files {
    recorder: Option<StereoRecorder>,
    lines: BufWriter<File>,
    journal: PathBuf,
}

impl Files {
    fn make(Place { dir, recording, journal }: Place) -> Result<Self, ArchiveError> {
        fs::create_dir_all(&dir).map_err(|e| write_error(&dir, &e))?;
        let create =
            |path: &PathBuf| StereoRecorder::create(path).map_err(|e| recording_error(path, &e));
        let recorder = recording.as_ref().map(create).transpose()?;
        let lines = File::create(&journal).map_err(|e| write_error(&journal, &e))?;
        // Flushed line by line: room for one is enough.
        Ok(Self { recorder, lines: BufWriter::with_capacity(LINE, lines), journal })
    }

    fn audio(&mut self, chunk: &Chunk) -> Result<(), ArchiveError> {
        let Some(recorder) = &mut self.recorder else { return Ok(()) };
        recorder
            .push_samples(&chunk.caller, &chunk.bot)
            .map_err(|e| recording_error(recorder.path(), &e))
    }

    /// Flushed line by line, so that a crash leaves a journal that replays.
    fn line(&mut self, line: &str) -> Result<(), ArchiveError> {
        writeln!(self.lines, "{line}")
            .and_then(|()| self.lines.flush())
            .map_err(|e| write_error(&self.journal, &e))
    }

    fn remove(self) {
        let Self { recorder, journal, .. } = self;
        let recording = recorder.map(|recorder| recorder.path().to_owned());
        for file in recording.iter().chain([&journal]) {
            if let Err(error) = fs::remove_file(file) {
                tracing::warn!(file = %file.display(), %error, "an empty file stays");
            }
        }
        // Stays when somebody put something there.
        let _ = journal.parent().map(fs::remove_dir);
    }

    fn close(mut self) -> Result<(), ArchiveError> {
        let flushed = self.lines.flush().map_err(|e| write_error(&self.journal, &e));
        if let Some(recorder) = self.recorder {
            let path = recorder.path().to_owned();
            recorder.finish().map_err(|e| recording_error(&path, &e))?;
        }
        flushed
    }
}

fn write_error(path: &Path, error: &io::Error) -> ArchiveError {
    ArchiveError::Write { path: path.to_owned(), problem: error.to_string() }
}

fn recording_error(path: &Path, error: &AudioError) -> ArchiveError {
    ArchiveError::Write { path: path.to_owned(), problem: error.to_string() }
}
