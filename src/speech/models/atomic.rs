use std::{
    fs::{self, File},
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{ModelsError, registry::Pin};

const BUFFER: usize = 1 << 16;
const SUFFIX: &str = ".tmp";

/// Digest and size of what went by.
#[derive(Default)]
pub(super) struct Hashing {
    hash: Sha256,
    size: u64,
}

impl Hashing {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
    }

    pub(super) fn pin(&self) -> Pin {
        let digest = self.hash.clone().finalize();
        let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Pin { sha256, size: self.size }
    }
}

/// A file that appears whole under its name or not at all, and knows its own digest.
pub(super) struct AtomicFile {
    writer: BufWriter<File>,
    hashing: Hashing,
    temp: PathBuf,
    target: PathBuf,
}

impl AtomicFile {
    /// Begins `target` under a temporary name in the same directory.
    pub(super) fn create(target: &Path) -> Result<Self, ModelsError> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let temp = target.with_file_name(format!(".{name}.{}{SUFFIX}", std::process::id()));
        let file = File::create(&temp).map_err(ModelsError::io(&temp))?;
        Ok(Self {
            writer: BufWriter::with_capacity(BUFFER, file),
            hashing: Hashing::default(),
            temp,
            target: target.to_owned(),
        })
    }

    /// What was written so far.
    pub(super) fn pin(&self) -> Pin {
        self.hashing.pin()
    }

    /// Puts the file on disk for good and under its name.
    pub(super) fn commit(mut self) -> Result<(), ModelsError> {
        let written = self.writer.flush().and_then(|()| self.writer.get_ref().sync_all());
        written.map_err(ModelsError::io(&self.target))?;
        fs::rename(&self.temp, &self.target).map_err(ModelsError::io(&self.target))?;
        // The rename itself must survive a power cut too; not every file system can promise it.
        if let Some(directory) = self.target.parent()
            && let Ok(directory) = File::open(directory)
        {
            let _ = directory.sync_all();
        }
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.writer.write(bytes)?;
        self.hashing.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        // After a commit there is nothing of that name any more.
        let _ = fs::remove_file(&self.temp);
    }
}

/// Removes what a killed process left in `directory`. Only for who holds the lock.
pub(super) fn sweep(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.ends_with(SUFFIX) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Digest and size of a file on disk.
pub(super) fn pin_of(path: &Path) -> Result<Pin, ModelsError> {
    let mut file = File::open(path).map_err(ModelsError::io(path))?;
    let mut hashing = Hashing::default();
    let mut buffer = vec![0; BUFFER];
    loop {
        match file.read(&mut buffer).map_err(ModelsError::io(path))? {
            0 => return Ok(hashing.pin()),
            count => hashing.update(&buffer[..count]),
        }
    }
}

/// Digest and size of bytes in memory.
pub(super) fn pin_of_bytes(bytes: &[u8]) -> Pin {
    let mut hashing = Hashing::default();
    hashing.update(bytes);
    hashing.pin()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_committed_file_is_there_with_its_digest() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a");
        let mut file = AtomicFile::create(&target).unwrap();
        file.write_all(b"abc").unwrap();
        let pin = file.pin();
        file.commit().unwrap();
        // FIPS 180-2, appendix B.1.
        assert_eq!(pin.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(pin_of(&target).unwrap(), pin);
        assert_eq!(pin_of_bytes(b"abc"), pin);
        assert_eq!(names(dir.path()), ["a"]);
    }

    #[test]
    fn a_dropped_file_leaves_nothing_and_spares_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a");
        fs::write(&target, "old").unwrap();
        let mut file = AtomicFile::create(&target).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert_eq!(names(dir.path()), ["a"]);
    }

    #[test]
    fn a_sweep_takes_only_what_a_killed_process_left() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a", ".a.17.tmp", ".stamps.json", "b.tmp"] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        sweep(dir.path());
        let mut left = names(dir.path());
        left.sort();
        assert_eq!(left, [".stamps.json", "a", "b.tmp"]);
    }
}
