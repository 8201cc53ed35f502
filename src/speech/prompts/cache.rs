use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use sha2::{Digest, Sha256};

use super::lru::Lru;
use crate::{
    audio::{Hz8k, Pcm},
    speech::SpeechError,
};

/// What the audio depends on, hashed.
pub(super) type Key = [u8; 32];

/// How much a [`PromptCache`] may keep. A minute of prompts is about 1 MB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheLimits {
    /// Bytes of files in the folder.
    pub disk_bytes: u64,
    /// Bytes of audio in memory.
    pub memory_bytes: u64,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self { disk_bytes: 512 << 20, memory_bytes: 128 << 20 }
    }
}

/// Rendered audio by what it was rendered from, on disk and in memory. The least recently used
/// leaves first; a damaged file counts as absent and is removed. Several processes may share a
/// folder: each file is written aside and moved into place.
pub struct PromptCache {
    dir: PathBuf,
    memory: Mutex<Lru<Key, Arc<Pcm<Hz8k>>>>,
    disk: Mutex<Lru<Key, ()>>,
    written: AtomicU64,
}

impl PromptCache {
    /// Opens the cache in `dir`, making the folder if it is not there.
    ///
    /// # Errors
    /// [`SpeechError::Engine`] when the folder cannot be made or read.
    pub fn open(dir: &Path, limits: CacheLimits) -> Result<Self, SpeechError> {
        let cache = Self {
            dir: dir.to_owned(),
            memory: Mutex::new(Lru::new(limits.memory_bytes)),
            disk: Mutex::new(Lru::new(limits.disk_bytes)),
            written: AtomicU64::new(0),
        };
        fs::create_dir_all(dir).and_then(|()| cache.scan()).map_err(|error| failed(dir, &error))?;
        Ok(cache)
    }

    /// The audio of `key`, from memory or else from disk.
    pub(super) fn get(&self, key: &Key) -> Option<Arc<Pcm<Hz8k>>> {
        if let Some(audio) = self.in_memory(key) {
            return Some(audio);
        }
        lock(&self.disk).get(key)?;
        let path = self.path(key);
        let Some(audio) = fs::read(&path).ok().and_then(|bytes| decode(&bytes)) else {
            tracing::warn!(path = %path.display(), "rendering a damaged prompt file again");
            self.forget(key);
            return None;
        };
        touch(&path);
        let audio = Arc::new(audio);
        self.remember(*key, Arc::clone(&audio));
        Some(audio)
    }

    /// The audio of `key` if no file has to be read for it.
    pub(super) fn in_memory(&self, key: &Key) -> Option<Arc<Pcm<Hz8k>>> {
        lock(&self.memory).get(key).map(Arc::clone)
    }

    /// Keeps `audio` in memory and on disk.
    pub(super) fn put(&self, key: Key, audio: Arc<Pcm<Hz8k>>) -> Result<(), SpeechError> {
        let bytes = encode(&audio);
        let serial = self.written.fetch_add(1, Ordering::Relaxed);
        let aside = self.dir.join(format!(".{}-{serial}.tmp", std::process::id()));
        fs::write(&aside, &bytes)
            .and_then(|()| fs::rename(&aside, self.path(&key)))
            .map_err(|error| failed(&self.dir, &error))?;
        let gone = lock(&self.disk).insert(key, (), bytes.len() as u64);
        for key in gone {
            self.delete(&key);
        }
        self.remember(key, audio);
        Ok(())
    }

    /// Keeps `audio` in memory only: sentences with a caller's data do not belong on disk.
    pub(super) fn remember(&self, key: Key, audio: Arc<Pcm<Hz8k>>) {
        let size = audio.len() as u64 * 2;
        lock(&self.memory).insert(key, audio, size);
    }

    fn forget(&self, key: &Key) {
        lock(&self.disk).remove(key);
        self.delete(key);
    }

    fn delete(&self, key: &Key) {
        // A file that another process has removed already is gone all the same.
        let _ = fs::remove_file(self.path(key));
    }

    fn path(&self, key: &Key) -> PathBuf {
        let name: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        self.dir.join(name + ".pcm")
    }

    /// Learns what is on disk, oldest use first.
    fn scan(&self) -> io::Result<()> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let (Some(key), Ok(about)) = (key_of(&entry.path()), entry.metadata()) else {
                continue;
            };
            found.push((about.modified()?, key, about.len()));
        }
        found.sort();
        let gone: Vec<Key> = {
            let mut disk = lock(&self.disk);
            found.into_iter().flat_map(|(_, key, size)| disk.insert(key, (), size)).collect()
        };
        gone.iter().for_each(|key| self.delete(key));
        Ok(())
    }
}

const DIGEST: usize = 32;

/// SHA-256 of the samples, then the samples, little endian.
fn encode(audio: &Pcm<Hz8k>) -> Vec<u8> {
    let samples: Vec<u8> = audio.samples().iter().flat_map(|s| s.to_le_bytes()).collect();
    [Sha256::digest(&samples).as_slice(), &samples].concat()
}

fn decode(bytes: &[u8]) -> Option<Pcm<Hz8k>> {
    let (digest, samples) = bytes.split_at_checked(DIGEST)?;
    if Sha256::digest(samples).as_slice() != digest {
        return None;
    }
    let (samples, _) = samples.as_chunks::<2>();
    Some(Pcm::new(samples.iter().map(|&b| i16::from_le_bytes(b)).collect()))
}

fn key_of(path: &Path) -> Option<Key> {
    if path.extension()? != "pcm" {
        return None;
    }
    let name = path.file_stem()?.to_str().filter(|name| name.len() == 64 && name.is_ascii())?;
    let mut key = [0; 32];
    for (i, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&name[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(key)
}

#[expect(
    clippy::disallowed_methods,
    reason = "marks a file as used, for eviction after a restart; no call sees it"
)]
fn touch(path: &Path) {
    // Failing only makes the file look older than it is.
    let _ = fs::File::options()
        .append(true)
        .open(path)
        .and_then(|file| file.set_modified(SystemTime::now()));
}

/// A panic elsewhere leaves the table consistent: each change is made in one go.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(dir: &Path, error: &io::Error) -> SpeechError {
    SpeechError::Engine {
        engine: "prompt cache".to_owned(),
        problem: format!("{}: {error}", dir.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(dir: &Path, disk_bytes: u64) -> PromptCache {
        PromptCache::open(dir, CacheLimits { disk_bytes, memory_bytes: 1 << 20 }).unwrap()
    }

    fn audio(sample: i16) -> Arc<Pcm<Hz8k>> {
        Arc::new(Pcm::new(vec![sample; 100]))
    }

    #[test]
    fn audio_outlives_the_process() {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path(), 1 << 20).put([7; 32], audio(5)).unwrap();
        assert_eq!(open(dir.path(), 1 << 20).get(&[7; 32]), Some(audio(5)));
        assert_eq!(open(dir.path(), 1 << 20).get(&[8; 32]), None);
    }

    #[test]
    fn a_damaged_file_counts_as_absent_and_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = {
            let cache = open(dir.path(), 1 << 20);
            cache.put([7; 32], audio(5)).unwrap();
            cache.path(&[7; 32])
        };
        for damaged in [&b"short"[..], &[1; 300]] {
            fs::write(&path, damaged).unwrap();
            assert_eq!(open(dir.path(), 1 << 20).get(&[7; 32]), None);
            assert!(!path.exists());
        }
    }

    #[test]
    fn the_folder_stays_under_its_limit() {
        let dir = tempfile::tempdir().unwrap();
        let cache = open(dir.path(), 500);
        for n in 0..5 {
            cache.put([n; 32], audio(i16::from(n))).unwrap();
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
        assert!(open(dir.path(), 500).get(&[4; 32]).is_some());
    }

    #[test]
    fn what_is_remembered_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let cache = open(dir.path(), 500);
        cache.remember([1; 32], audio(1));
        assert!(cache.get(&[1; 32]).is_some());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = PromptCache::open(file.path(), CacheLimits::default()).err().unwrap();
        assert!(error.to_string().contains(&file.path().display().to_string()), "{error}");
    }
}
