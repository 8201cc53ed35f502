//! A call's files, written off the call's own task: stereo recording and journal.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use tokio::{sync::mpsc, task::JoinHandle};

use crate::audio::{Hz8k, Pcm, StereoRecorder};

/// Entries that may wait for a slow disk: about ten seconds of call.
const QUEUE: usize = 512;

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
}

/// The files of one call.
#[derive(Debug)]
pub(super) struct Archive {
    entries: mpsc::Sender<Entry>,
    writer: JoinHandle<Result<(), ArchiveError>>,
    dropped: u64,
    recording: PathBuf,
    journal: PathBuf,
}

enum Entry {
    Frame { caller: Pcm<Hz8k>, bot: Pcm<Hz8k> },
    Line(String),
}

impl Archive {
    /// Makes `recording.wav` and `journal.jsonl` in `dir`, which is made too.
    pub(super) fn create(dir: &Path) -> Result<Self, ArchiveError> {
        let (recording, journal) = (dir.join("recording.wav"), dir.join("journal.jsonl"));
        fs::create_dir_all(dir).map_err(|e| write_error(dir, &e))?;
        let recorder = StereoRecorder::create(&recording)
            .map_err(|e| ArchiveError::Write { path: recording.clone(), problem: e.to_string() })?;
        let lines = File::create(&journal).map_err(|e| write_error(&journal, &e))?;
        let (entries, queue) = mpsc::channel(QUEUE);
        let files = Files {
            recorder,
            recording: recording.clone(),
            lines: BufWriter::new(lines),
            journal: journal.clone(),
        };
        let writer = tokio::task::spawn_blocking(move || files.write(queue));
        Ok(Self { entries, writer, dropped: 0, recording, journal })
    }

    /// Appends 20 ms of both sides to the recording.
    pub(super) fn frame(&mut self, caller: Pcm<Hz8k>, bot: Pcm<Hz8k>) {
        self.send(Entry::Frame { caller, bot });
    }

    /// Appends a line to the journal.
    pub(super) fn line(&mut self, line: String) {
        self.send(Entry::Line(line));
    }

    /// Writes what is waiting and closes the files.
    pub(super) async fn finish(self) -> Result<(), ArchiveError> {
        let Self { entries, writer, dropped, recording, .. } = self;
        drop(entries);
        let problem = match writer.await {
            Ok(Ok(())) if dropped == 0 => return Ok(()),
            Ok(Ok(())) => format!("{dropped} entries were lost to a disk that was too slow"),
            Ok(Err(error)) => return Err(error),
            Err(error) => error.to_string(),
        };
        Err(ArchiveError::Write { path: recording, problem })
    }

    /// Where the recording is.
    pub(super) fn recording(&self) -> &Path {
        &self.recording
    }

    /// Where the journal is.
    pub(super) fn journal(&self) -> &Path {
        &self.journal
    }

    fn send(&mut self, entry: Entry) {
        if self.entries.try_send(entry).is_err() {
            self.dropped += 1;
        }
    }
}

struct Files {
    recorder: StereoRecorder,
    recording: PathBuf,
    lines: BufWriter<File>,
    journal: PathBuf,
}

impl Files {
    fn write(mut self, mut queue: mpsc::Receiver<Entry>) -> Result<(), ArchiveError> {
        while let Some(entry) = queue.blocking_recv() {
            match entry {
                Entry::Frame { caller, bot } => self.recorder.push(&caller, &bot).map_err(|e| {
                    ArchiveError::Write { path: self.recording.clone(), problem: e.to_string() }
                })?,
                // Flushed line by line, so that a crash leaves a journal that replays.
                Entry::Line(line) => writeln!(self.lines, "{line}")
                    .and_then(|()| self.lines.flush())
                    .map_err(|e| write_error(&self.journal, &e))?,
            }
        }
        self.recorder.finish().map_err(|e| ArchiveError::Write {
            path: self.recording.clone(),
            problem: e.to_string(),
        })?;
        self.lines.flush().map_err(|e| write_error(&self.journal, &e))
    }
}

fn write_error(path: &Path, error: &io::Error) -> ArchiveError {
    ArchiveError::Write { path: path.to_owned(), problem: error.to_string() }
}
