use std::{
    collections::BTreeMap,
    fs::{self, Metadata},
    io::Write,
    path::Path,
    time::UNIX_EPOCH,
};

use serde::{Deserialize, Serialize};

use super::{ModelsError, atomic::AtomicFile};

const NAME: &str = ".stamps.json";

/// What the files of one model were when they were last hashed, so that they need not be again.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Stamps(BTreeMap<String, Stamp>);

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    sha256: String,
    size: u64,
    mtime_ns: u128,
}

impl Stamps {
    /// The stamps of the model in `directory`; none when they are missing or unreadable.
    pub(super) fn load(directory: &Path) -> Self {
        let text = fs::read(directory.join(NAME)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Whether `file` is still what was hashed, and that was `sha256`.
    pub(super) fn vouch(&self, file: &str, sha256: &str, metadata: &Metadata) -> bool {
        let stamp = Stamp::of(sha256, metadata);
        stamp.is_some() && self.0.get(file) == stamp.as_ref()
    }

    /// Notes that `file` was hashed and was `sha256`.
    pub(super) fn note(&mut self, file: &str, sha256: &str, metadata: &Metadata) {
        match Stamp::of(sha256, metadata) {
            Some(stamp) => self.0.insert(file.to_owned(), stamp),
            None => self.0.remove(file),
        };
    }

    /// Writes them beside the model's files.
    pub(super) fn save(&self, directory: &Path) -> Result<(), ModelsError> {
        let path = directory.join(NAME);
        let mut file = AtomicFile::create(&path)?;
        serde_json::to_writer_pretty(&mut file, self)
            .map_err(std::io::Error::from)
            .and_then(|()| file.flush())
            .map_err(ModelsError::io(&path))?;
        file.commit()
    }
}

impl Stamp {
    /// `None` where the file system keeps no modification times.
    fn of(sha256: &str, metadata: &Metadata) -> Option<Self> {
        let mtime_ns = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos();
        Some(Self { sha256: sha256.to_owned(), size: metadata.len(), mtime_ns })
    }
}
