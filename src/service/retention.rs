//! What is kept for how long: files and rows go when their days are over, or when somebody asks to be forgotten.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;
use time::{OffsetDateTime, macros::format_description};
use tokio::task::JoinSet;

use super::{Config, Data, ServiceError};
use crate::store::{CallFiles, Gone, Keep, Store};

/// Names of a call's files that hold audio, and of those that hold words.
const RECORDINGS: &[&str] = &["recording.wav", "early.wav"];
const JOURNALS: &[&str] = &["journal.jsonl"];
/// How often a service looks what is due.
const EVERY: Duration = Duration::from_secs(3_600);

/// Days that each class of data is kept; without a number, for ever.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Recordings.
    pub recordings: Option<u32>,
    /// What was said, asked and understood: journals, and words and values in events.
    pub transcripts: Option<u32>,
    /// Events of calls.
    pub events: Option<u32>,
    /// Rows of calls, with everything else of them.
    pub calls: Option<u32>,
    /// The audit log.
    pub audit: Option<u32>,
}

impl Retention {
    /// The same for the store.
    pub fn keep(&self) -> Keep {
        let Self { recordings, transcripts, events, calls, audit } = *self;
        Keep { recordings, transcripts, events, calls, audit }
    }

    /// Removes what is due, once.
    ///
    /// # Errors
    /// [`ServiceError`] when a file or a row cannot be removed; what was removed before is gone.
    pub async fn run(
        &self,
        store: &Store,
        config: &Config,
        now: OffsetDateTime,
    ) -> Result<Gone, ServiceError> {
        let keep = self.keep();
        let mut gone = Gone::default();
        for (journals, days) in [
            (false, shorter(keep.recordings, keep.calls)),
            (true, shorter(keep.transcripts, keep.calls)),
        ] {
            let Some(days) = days else { continue };
            loop {
                let files = store.overdue_files(journals, days, now).await?;
                if files.is_empty() {
                    break;
                }
                for call in &files {
                    let file = if journals { &call.journal } else { &call.recording };
                    remove(file.as_deref())?;
                    store.forget_files(&call.id, journals).await?;
                }
                let count = if journals { &mut gone.journals } else { &mut gone.recordings };
                *count += files.len() as u64;
            }
        }
        for (names, days) in [
            (RECORDINGS, shorter(keep.recordings, keep.calls)),
            (JOURNALS, shorter(keep.transcripts, keep.calls)),
        ] {
            if let Some(last) =
                days.and_then(|days| now.checked_sub(time::Duration::days(days.into())))
            {
                sweep(&config.data.dir.join("calls"), last, names)?;
            }
        }
        let known = store.sinks().await?;
        let sinks: Vec<String> =
            config.sink_names().into_iter().filter(|name| known.contains(name)).collect();
        let rows = store.prune(&keep, &sinks, now).await?;
        Ok(Gone { events: rows.events, calls: rows.calls, audit: rows.audit, ..gone })
    }
}

/// Looks what is due now and every hour, until dropped.
pub(super) fn watch(store: Store, config: Config) -> JoinSet<()> {
    let mut task = JoinSet::new();
    task.spawn(async move {
        let mut every = tokio::time::interval(EVERY);
        loop {
            every.tick().await;
            match config.retention.run(&store, &config, OffsetDateTime::now_utc()).await {
                Ok(gone) if gone != Gone::default() => tracing::info!(?gone, "kept long enough"),
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(%error, "what was kept long enough cannot be removed")
                }
            }
        }
    });
    task
}

/// Forgets somebody: recordings and journals of their calls are removed, numbers, words and values in the store; times,
/// dialplans and outcomes stay. `who` has each call on record in the audit log. Returns how many calls there were.
///
/// # Errors
/// [`ServiceError`] when a file or a row cannot be removed; asking again goes on.
pub async fn erase(
    store: &Store,
    data: &Data,
    tenant: Option<&str>,
    number: &str,
    who: &str,
) -> Result<usize, ServiceError> {
    let calls = store.calls_with(tenant, number).await?;
    for CallFiles { id, recording, journal } in &calls {
        // Calls that a crash cut off have files that their rows do not name.
        let dir = data.call_dir(id);
        for name in RECORDINGS.iter().chain(JOURNALS) {
            remove(Some(&dir.join(name)))?;
        }
        remove(recording.as_deref())?;
        remove(journal.as_deref())?;
        store.erase_call(id, number, who).await?;
    }
    Ok(calls.len())
}

/// Removes a file, if it is there, and its directory, if it is empty then.
fn remove(file: Option<&Path>) -> Result<(), ServiceError> {
    let Some(file) = file else { return Ok(()) };
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(ServiceError::Remove { path: file.to_owned(), problem: error.to_string() });
        }
        _ => {}
    }
    // Stays when something is in it.
    let _ = file.parent().map(fs::remove_dir);
    Ok(())
}

/// Removes files that no row names, of calls that a crash cut off or nobody answered: in the directories of days before
/// `last`.
fn sweep(calls: &Path, last: OffsetDateTime, names: &[&str]) -> Result<(), ServiceError> {
    let format = format_description!("[year][month][day]");
    let last = last.format(&format).unwrap_or_default();
    for day in directories(calls) {
        let name = day.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_day = name.len() == last.len() && name.bytes().all(|b| b.is_ascii_digit());
        if !is_day || name >= last.as_str() {
            continue;
        }
        for call in directories(&day) {
            for name in names {
                remove(Some(&call.join(name)))?;
            }
        }
        // Stays when something is in it.
        let _ = fs::remove_dir(&day);
    }
    Ok(())
}

fn directories(path: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir())
}

fn shorter(days: Option<u32>, whole: Option<u32>) -> Option<u32> {
    match (days, whole) {
        (Some(days), Some(whole)) => Some(days.min(whole)),
        (days, whole) => days.or(whole),
    }
}
