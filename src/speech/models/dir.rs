use std::{
    env, fs,
    path::{Path, PathBuf},
};

use super::{Model, ModelFile, ModelsError, atomic, registry::Pin, stamp::Stamps};
use crate::speech::SpeechError;

/// Where models are kept: a directory for each, named after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelDir {
    root: PathBuf,
}

/// What is on disk for one file of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState {
    /// There, and unchanged since it was last hashed and right.
    Ready,
    /// There with the right size, but not hashed since it changed.
    Unchecked,
    /// There, but wrong: this is what it is.
    Wrong(Pin),
    /// Not there.
    Missing,
}

impl ModelDir {
    /// The directory `root`, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// `$HOTLINE_MODELS`, or else `hotline/models` in `$XDG_CACHE_HOME` or `~/.cache`.
    pub fn default_location() -> Self {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self::new(set("HOTLINE_MODELS").unwrap_or_else(|| {
            // A relative XDG path is to be ignored (XDG Base Directory Specification).
            set("XDG_CACHE_HOME")
                .filter(|path| path.is_absolute())
                .unwrap_or_else(|| env::home_dir().unwrap_or_default().join(".cache"))
                .join("hotline/models")
        }))
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a model's files are.
    pub fn model(&self, model: &str) -> PathBuf {
        self.root.join(model)
    }

    /// The path of a model's file, which is there. It is not hashed.
    ///
    /// # Errors
    /// [`SpeechError::MissingFile`], which tells how to fetch it.
    pub fn file(&self, model: &str, file: &str) -> Result<PathBuf, SpeechError> {
        let path = self.model(model).join(file);
        if path.is_file() {
            return Ok(path);
        }
        Err(SpeechError::MissingFile { model: model.to_owned(), path })
    }

    /// What is on disk for `file`, without reading it.
    pub fn state(&self, model: &Model, file: &ModelFile) -> FileState {
        let directory = self.model(&model.name);
        let Ok(metadata) = fs::metadata(directory.join(&file.name)) else {
            return FileState::Missing;
        };
        if Stamps::load(&directory).vouch(&file.name, &file.pin.sha256, &metadata) {
            FileState::Ready
        } else if metadata.is_file() && metadata.len() == file.pin.size {
            FileState::Unchecked
        } else {
            FileState::Wrong(Pin { sha256: "unknown".to_owned(), size: metadata.len() })
        }
    }

    /// Reads and hashes `file`: `Ready`, `Wrong` or `Missing`.
    ///
    /// # Errors
    /// [`ModelsError::Io`] when it cannot be read.
    pub fn verify(&self, model: &Model, file: &ModelFile) -> Result<FileState, ModelsError> {
        let directory = self.model(&model.name);
        let path = directory.join(&file.name);
        let Ok(metadata) = fs::metadata(&path) else {
            return Ok(FileState::Missing);
        };
        let pin = atomic::pin_of(&path)?;
        if pin != file.pin {
            return Ok(FileState::Wrong(pin));
        }
        let mut stamps = Stamps::load(&directory);
        if !stamps.vouch(&file.name, &pin.sha256, &metadata) {
            stamps.note(&file.name, &pin.sha256, &metadata);
            // Without a stamp it is only hashed again: a read-only directory is no failure.
            let _ = stamps.save(&directory);
        }
        Ok(FileState::Ready)
    }

    /// Whether `file` is there and right; hashes it only if it changed since the last time.
    pub(super) fn is_ready(&self, model: &Model, file: &ModelFile) -> Result<bool, ModelsError> {
        Ok(match self.state(model, file) {
            FileState::Ready => true,
            FileState::Unchecked => self.verify(model, file)? == FileState::Ready,
            FileState::Wrong(_) | FileState::Missing => false,
        })
    }

    /// Where downloads are kept until their model is whole.
    pub(super) fn downloads(&self) -> PathBuf {
        self.root.join(".downloads")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(sha256: &str) -> Model {
        let list = format!(
            "[[model]]\nname = \"m\"\ntask = \"asr\"\nlanguages = []\nlicence = \"MIT\"\n\
             licence_from = \"\"\n[[model.file]]\nname = \"f\"\nsha256 = \"{sha256}\"\nsize = 3\n\
             url = \"http://h/f\""
        );
        super::super::Registry::parse(&list, "test").unwrap().models()[0].clone()
    }

    fn abc() -> Model {
        model(&atomic::pin_of_bytes(b"abc").sha256)
    }

    #[test]
    fn a_missing_file_tells_how_to_fetch_it() {
        let dir = ModelDir::new("/nowhere");
        let error = dir.file("whisper-base", "ggml-base.bin").unwrap_err();
        assert_eq!(
            error.to_string(),
            "model file /nowhere/whisper-base/ggml-base.bin is missing: \
             run `hotline models pull whisper-base`"
        );
    }

    #[test]
    fn a_file_is_hashed_once_and_again_when_it_changed() {
        let temp = tempfile::tempdir().unwrap();
        let (dir, model) = (ModelDir::new(temp.path()), abc());
        let file = &model.files[0];
        assert_eq!(dir.state(&model, file), FileState::Missing);
        fs::create_dir(dir.model("m")).unwrap();
        fs::write(dir.model("m").join("f"), "abc").unwrap();
        assert_eq!(dir.state(&model, file), FileState::Unchecked);
        assert_eq!(dir.verify(&model, file).unwrap(), FileState::Ready);
        assert_eq!(dir.state(&model, file), FileState::Ready);
        fs::write(dir.model("m").join("f"), "abcd").unwrap();
        assert!(matches!(dir.state(&model, file), FileState::Wrong(Pin { size: 4, .. })));
        assert!(!dir.is_ready(&model, file).unwrap());
    }

    #[test]
    fn a_stamp_does_not_vouch_for_another_list() {
        let temp = tempfile::tempdir().unwrap();
        let (dir, model) = (ModelDir::new(temp.path()), abc());
        fs::create_dir(dir.model("m")).unwrap();
        fs::write(dir.model("m").join("f"), "abc").unwrap();
        dir.verify(&model, &model.files[0]).unwrap();
        let newer = super::tests::model(&"0".repeat(64));
        assert_eq!(dir.state(&newer, &newer.files[0]), FileState::Unchecked);
        assert!(!dir.is_ready(&newer, &newer.files[0]).unwrap());
    }
}
