//! Recorded prompts, where their files stand; parts that are said in a way of their own.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::part::Part;
use crate::{
    audio::{Hz8k, Manner, Pcm, read_8k},
    text::Style,
};

/// Files by the hash of their content.
#[derive(Default)]
pub(super) struct Recordings(Mutex<BTreeMap<String, PathBuf>>);

impl Recordings {
    pub(super) fn add<'a>(&self, files: impl IntoIterator<Item = (&'a str, PathBuf)>) {
        self.lock().extend(files.into_iter().map(|(hash, path)| (hash.to_owned(), path)));
    }

    /// The recording as telephone audio; `None` when it is gone, which the log says.
    pub(super) fn load(&self, hash: &str) -> Option<Pcm<Hz8k>> {
        let path = self.lock().get(hash).cloned()?;
        let read = read_8k(&path);
        if let Err(error) = &read {
            tracing::warn!(%error, "a recorded prompt is spoken by the voice instead");
        }
        read.ok()
    }

    /// A panic elsewhere leaves the table consistent: each change is made in one go.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, PathBuf>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is said in place of a recording.
pub(super) fn words_of(part: &Part) -> Option<Part> {
    match part {
        Part::Recording(recording) => Some(Part::Clip(recording.words.clone())),
        _ => None,
    }
}

/// The audio said that way.
pub(super) fn styled(audio: Arc<Pcm<Hz8k>>, style: Style) -> Arc<Pcm<Hz8k>> {
    let manner = Manner { rate_percent: style.rate_percent, gain_db: style.gain_db };
    if manner == Manner::USUAL { audio } else { Arc::new(manner.apply(&audio)) }
}
