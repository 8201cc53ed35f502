use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::include::{self, Needs};
use crate::audio::{AudioError, read_8k};

/// The text of a dialplan and of every file it refers to: all that a replay needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DialplanSource {
    /// Path of the main file as it was given; only messages use it.
    pub file: String,
    /// The YAML.
    pub text: String,
    /// Files that it includes, table files and those of the knowledge base, by their names from the
    /// dialplan's folder.
    #[serde(default)]
    pub tables: BTreeMap<String, String>,
    /// Recorded prompts by their names, each with the SHA-256 of its file: decisions need no more of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub recordings: BTreeMap<String, String>,
    /// Why a table file could not be read.
    #[serde(skip)]
    pub(crate) unreadable: BTreeMap<String, String>,
    /// What is wrong with a recording that is there.
    #[serde(skip)]
    pub(crate) unusable: BTreeMap<String, String>,
}

impl DialplanSource {
    /// A dialplan in one file, named `file` in messages.
    pub fn inline(file: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            text: text.into(),
            tables: BTreeMap::new(),
            recordings: BTreeMap::new(),
            unreadable: BTreeMap::new(),
            unusable: BTreeMap::new(),
        }
    }

    /// Reads every file that the dialplan at `main` refers to, itself or through those it includes.
    pub(crate) fn read_files(&mut self, main: &Path) {
        let mut open = vec![(String::new(), self.text.clone())];
        while let Some((name, text)) = open.pop() {
            let Needs { includes, data, recordings } = include::needs(&name, &text);
            for recording in recordings {
                self.read_recording(main, recording);
            }
            for file in data {
                self.read_file(main, file);
            }
            for file in includes {
                if let Some(text) = self.read_file(main, file.clone()) {
                    open.push((file, text));
                }
            }
        }
    }

    /// Takes in a recording. Of one that is not there nothing is known.
    fn read_recording(&mut self, main: &Path, name: String) {
        let Ok(path) = beside(main, &name) else {
            let problem = "must stand in or below the dialplan's folder".to_owned();
            self.unusable.insert(name, problem);
            return;
        };
        let Ok(bytes) = fs::read(&path) else { return };
        match read_8k(&path) {
            Ok(audio) if audio.is_empty() => {
                drop(self.unusable.insert(name, "is empty".to_owned()))
            }
            Ok(_) => drop(self.recordings.insert(name, hex(&Sha256::digest(&bytes)))),
            Err(AudioError::Wav { problem, .. }) => drop(self.unusable.insert(name, problem)),
            Err(error) => drop(self.unusable.insert(name, error.to_string())),
        }
    }

    /// The text of a file that was not read before.
    fn read_file(&mut self, main: &Path, name: String) -> Option<String> {
        if self.tables.contains_key(&name) || self.unreadable.contains_key(&name) {
            return None;
        }
        match read_beside(main, &name) {
            Ok(text) => {
                self.tables.insert(name, text.clone());
                Some(text)
            }
            Err(problem) => {
                self.unreadable.insert(name, problem);
                None
            }
        }
    }

    /// SHA-256 over main text and all other files, in lower-case hex. The path does not count, so a copy
    /// elsewhere is the same dialplan.
    pub fn content_hash(&self) -> String {
        let mut hasher = Sha256::new();
        // Lengths keep "ab"+"c" and "a"+"bc" apart.
        let mut feed = |text: &str| {
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text.as_bytes());
        };
        feed(&self.text);
        for (name, text) in &self.tables {
            feed(name);
            feed(text);
        }
        for (name, recording) in &self.recordings {
            feed(name);
            feed(recording);
        }
        hex(&hasher.finalize())
    }

    /// Path of another file, for messages: beside the main file.
    pub(crate) fn table_path(&self, name: &str) -> String {
        match Path::new(&self.file).parent() {
            Some(dir) => dir.join(name).display().to_string(),
            None => name.to_owned(),
        }
    }
}

/// Reads a file that stands beside the dialplan at `main`.
///
/// Names with `..` or an absolute path are refused: a dialplan brings its data along.
fn read_beside(main: &Path, name: &str) -> Result<String, String> {
    let path = beside(main, name)?;
    fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))
}

fn beside(main: &Path, name: &str) -> Result<PathBuf, String> {
    let plain = Path::new(name).components().all(|c| matches!(c, std::path::Component::Normal(_)));
    if !plain {
        return Err("a dialplan's files must stand in or below the dialplan's folder".into());
    }
    Ok(main.parent().unwrap_or(Path::new("")).join(name))
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_of_the_content_and_not_of_the_place() {
        let mut a = DialplanSource::inline("a.yaml", "x: 1");
        let mut b = DialplanSource::inline("elsewhere/b.yaml", "x: 1");
        assert_eq!(a.content_hash(), b.content_hash());
        assert_eq!(a.content_hash().len(), 64);
        a.tables.insert("t.csv".into(), "k\n1\n".into());
        b.tables.insert("t.csv".into(), "k\n2\n".into());
        assert_ne!(a.content_hash(), b.content_hash());
    }

    #[test]
    fn a_table_outside_the_dialplans_folder_is_refused() {
        assert!(read_beside(Path::new("d/p.yaml"), "../secret.csv").is_err());
        assert!(read_beside(Path::new("d/p.yaml"), "/etc/passwd").is_err());
    }
}
