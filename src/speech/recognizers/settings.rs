use std::{
    fmt, fs,
    num::NonZeroU8,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{speech::SpeechError, text::Lang};

/// Which engine decodes, and so which kind of model it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// Moonshine v2 through sherpa-onnx: English, whole utterances.
    Moonshine,
    /// Whisper through whisper.cpp: whole utterances.
    Whisper,
    /// A streaming Zipformer transducer through sherpa-onnx.
    Zipformer,
    /// A streaming Paraformer through sherpa-onnx.
    Paraformer,
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Moonshine => "moonshine",
            Self::Whisper => "whisper",
            Self::Zipformer => "zipformer",
            Self::Paraformer => "paraformer",
        })
    }
}

/// What the configuration says about one recogniser.
///
/// ```toml
/// engine = "whisper"
/// model = "whisper-base"
/// threads = 2
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecognizerConfig {
    /// The engine.
    pub engine: EngineKind,
    /// A model of the registry; the engine's usual one when neither this nor `path` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// A directory with the user's own model, instead of `model`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Threads for one utterance; 2 for whisper, 1 for the others unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<NonZeroU8>,
    /// The only language to use it for; unless given, whatever the model knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<Lang>,
}

impl RecognizerConfig {
    /// The engine with its usual model.
    pub fn new(engine: EngineKind) -> Self {
        Self { engine, model: None, path: None, threads: None, lang: None }
    }

    pub(super) fn threads(&self) -> i32 {
        let usual = if self.engine == EngineKind::Whisper { 2 } else { 1 };
        self.threads.map_or(usual, |threads| i32::from(threads.get()))
    }

    pub(super) fn model_dir(&self, models_dir: &Path) -> Result<ModelDir, SpeechError> {
        let usual = match self.engine {
            EngineKind::Moonshine => Some("moonshine-tiny-en"),
            EngineKind::Whisper => Some("whisper-base"),
            EngineKind::Zipformer | EngineKind::Paraformer => None,
        };
        match (&self.path, self.model.as_deref()) {
            (Some(_), Some(_)) => Err(self.cannot("use both `model` and `path`: give one of them")),
            (Some(path), None) => Ok(ModelDir::of_user(path)),
            (None, model) => model
                .or(usual)
                .map(|model| ModelDir { name: model.to_owned(), path: models_dir.join(model) })
                .ok_or_else(|| self.cannot("load without `path`, the directory of its model")),
        }
    }

    fn cannot(&self, what: &str) -> SpeechError {
        SpeechError::Unsupported { engine: self.engine.to_string(), what: what.to_owned() }
    }
}

/// Where a model's files are, and what the model is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ModelDir {
    pub(super) name: String,
    pub(super) path: PathBuf,
}

impl ModelDir {
    fn of_user(path: &Path) -> Self {
        let name = path.file_name().map_or_else(|| path.to_string_lossy(), |n| n.to_string_lossy());
        Self { name: name.into_owned(), path: path.to_owned() }
    }

    /// The path of a file that must be there, as the engines want it.
    pub(super) fn file(&self, name: &str) -> Result<String, SpeechError> {
        let path = self.path.join(name);
        if !path.is_file() {
            return Err(SpeechError::MissingFile { model: self.name.clone(), path });
        }
        utf8(path)
    }

    /// The file whose name starts with `stem` and ends with `ending`. Of several, as published
    /// model directories hold, the 8-bit one: it is the fast one on a CPU.
    pub(super) fn find(&self, stem: &str, ending: &str) -> Result<String, SpeechError> {
        let fits = |name: &str| name.starts_with(stem) && name.ends_with(ending);
        let mut names: Vec<String> = fs::read_dir(&self.path)
            .map_err(|error| self.bad(format!("cannot be listed: {error}")))?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| fits(name))
            .collect();
        names.sort_by_key(|name| (!name.contains(".int8."), name.clone()));
        match names.first() {
            Some(name) => self.file(name),
            None => Err(self.bad(format!("holds no file {stem}*{ending}"))),
        }
    }

    fn bad(&self, problem: String) -> SpeechError {
        SpeechError::BadFile { path: self.path.clone(), problem }
    }
}

/// The engines take paths as C strings.
pub(super) fn utf8(path: PathBuf) -> Result<String, SpeechError> {
    match path.to_str() {
        Some(text) if !text.contains('\0') => Ok(text.to_owned()),
        _ => Err(SpeechError::BadFile {
            path,
            problem: "its path is not UTF-8, which the engine needs".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(toml: &str) -> Result<RecognizerConfig, toml::de::Error> {
        toml::from_str(toml)
    }

    fn model_dir(toml: &str) -> Result<ModelDir, String> {
        parse(toml).unwrap().model_dir(Path::new("/models")).map_err(|e| e.to_string())
    }

    #[test]
    fn an_engine_alone_uses_its_usual_model() {
        let dir = model_dir(r#"engine = "moonshine""#).unwrap();
        assert_eq!(dir.path, Path::new("/models/moonshine-tiny-en"));
    }

    #[test]
    fn all_settings_are_read() {
        let config =
            parse("engine = \"whisper\"\npath = \"/my/whisper\"\nthreads = 4\nlang = \"zh\"")
                .unwrap();
        assert_eq!(config.threads(), 4);
        assert_eq!(config.lang, Some(Lang::Zh));
        assert_eq!(config.model_dir(Path::new("/models")).unwrap().name, "whisper");
    }

    #[test]
    fn a_misspelt_setting_is_refused() {
        let error = parse("engine = \"whisper\"\nthread = 4").unwrap_err().to_string();
        assert!(error.contains("thread"), "{error}");
    }

    #[test]
    fn model_and_path_together_are_refused() {
        let error = model_dir("engine = \"whisper\"\nmodel = \"a\"\npath = \"/b\"").unwrap_err();
        assert_eq!(error, "whisper cannot use both `model` and `path`: give one of them");
    }

    #[test]
    fn a_streaming_engine_needs_a_path() {
        let error = model_dir(r#"engine = "zipformer""#).unwrap_err();
        assert_eq!(error, "zipformer cannot load without `path`, the directory of its model");
    }

    #[test]
    fn the_eight_bit_file_is_preferred() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["encoder-epoch-99.onnx", "encoder-epoch-99.int8.onnx", "decoder.onnx"] {
            std::fs::write(dir.path().join(name), b"").unwrap();
        }
        let model = ModelDir::of_user(dir.path());
        assert!(model.find("encoder", ".onnx").unwrap().ends_with("encoder-epoch-99.int8.onnx"));
        assert!(model.find("decoder", ".onnx").unwrap().ends_with("decoder.onnx"));
        let error = model.find("joiner", ".onnx").unwrap_err().to_string();
        assert!(error.contains("holds no file joiner*.onnx"), "{error}");
    }

    #[test]
    fn a_missing_file_says_how_to_get_it() {
        let dir = model_dir(r#"engine = "moonshine""#).unwrap();
        assert_eq!(
            dir.file("tokens.txt").unwrap_err().to_string(),
            "model file /models/moonshine-tiny-en/tokens.txt is missing: \
             run `hotline models pull moonshine-tiny-en`"
        );
    }
}
