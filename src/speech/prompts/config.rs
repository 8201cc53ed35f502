use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{
    speech::{
        SpeechError, Synthesizer,
        hibari::{G2p, HibariVoice},
        kokoro::{KokoroVoice, Phonemizer},
    },
    text::Lang,
};

/// A voice: `voices/NAME.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoiceConfig {
    /// Name that dialplans use.
    pub name: String,
    /// The language it speaks.
    pub lang: Lang,
    /// The engine.
    pub engine: EngineKind,
    /// The model's name in `models.toml`.
    pub model: String,
    /// One of the model's speakers; a Hibari model may have a single one.
    #[serde(default)]
    pub speaker: Option<String>,
    /// 1.0 is normal, 0.8 slower; 0.5 to 2.0.
    #[serde(default = "normal_speed")]
    pub speed: f32,
    /// Added to the common level of -20 dBFS, in dB; -20 to 12.
    #[serde(default)]
    pub gain_db: f32,
    /// Word to pronunciation, in the engine's alphabet: pinyin with tone numbers for Chinese.
    #[serde(default)]
    pub lexicon: BTreeMap<String, String>,
}

/// Which code speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// Hibari: English, fast enough to speak in the call.
    Hibari,
    /// Kokoro-82M: Chinese and English, rendered ahead.
    Kokoro,
}

/// What can be wrong with a voice file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VoiceError {
    /// It cannot be read.
    #[error("voice file {path}: {problem}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        problem: String,
    },
    /// It is no TOML or has an unknown, missing or mistyped field; the problem shows line and field.
    #[error("voice file {path}: {problem}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The place and what is wrong.
        problem: String,
    },
    /// A field has a value that cannot be used.
    #[error("voice file {path}: {field} is {value}: {remedy}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// What it should be.
        remedy: &'static str,
    },
}

impl VoiceConfig {
    /// Reads and checks a voice file.
    ///
    /// # Errors
    /// [`VoiceError`], naming the file and the field.
    pub fn load(path: &Path) -> Result<Self, VoiceError> {
        let text = fs::read_to_string(path).map_err(|error| VoiceError::Unreadable {
            path: path.to_owned(),
            problem: error.to_string(),
        })?;
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, VoiceError> {
        let voice: Self = toml::from_str(text).map_err(|error| VoiceError::Syntax {
            path: path.to_owned(),
            problem: error.to_string(),
        })?;
        match voice.wrong_value() {
            None => Ok(voice),
            Some((field, value, remedy)) => {
                Err(VoiceError::Value { path: path.to_owned(), field, value, remedy })
            }
        }
    }

    fn wrong_value(&self) -> Option<(&'static str, String, &'static str)> {
        if !(0.5..=2.0).contains(&self.speed) {
            return Some(("speed", self.speed.to_string(), "use 0.5 to 2.0"));
        }
        if !(-20.0..=12.0).contains(&self.gain_db) {
            return Some(("gain_db", self.gain_db.to_string(), "use -20 to 12"));
        }
        if self.name.is_empty() {
            return Some(("name", "empty".to_owned(), "give the voice a name"));
        }
        // The model's name becomes a folder's.
        if !self.model.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) {
            return Some(("model", format!("{:?}", self.model), "use a name from models.toml"));
        }
        if self.engine == EngineKind::Kokoro && self.speaker.is_none() {
            return Some(("speaker", "missing".to_owned(), "name one, such as \"zf_xiaoxiao\""));
        }
        if self.engine == EngineKind::Hibari && self.lang != Lang::En {
            return Some(("lang", self.lang.to_string(), "hibari speaks only \"en\""));
        }
        None
    }
}

/// Loads the model behind `voice` from `models_dir/MODEL`, with `threads` threads an utterance.
///
/// # Errors
/// As the engine's constructor: [`SpeechError::MissingFile`], [`SpeechError::BadFile`],
/// [`SpeechError::Unsupported`] for an unknown speaker or a bad lexicon entry.
pub fn load_voice(
    voice: &VoiceConfig,
    models_dir: &Path,
    threads: usize,
) -> Result<Box<dyn Synthesizer>, SpeechError> {
    let dir = models_dir.join(&voice.model);
    let speaker = voice.speaker.as_deref();
    Ok(match (voice.engine, voice.lang) {
        (EngineKind::Hibari, _) => {
            Box::new(HibariVoice::load(&dir, speaker, &voice.lexicon, threads)?)
        }
        (EngineKind::Kokoro, Lang::Zh) => {
            Box::new(KokoroVoice::load(&dir, speaker.unwrap_or_default(), &voice.lexicon, threads)?)
        }
        (EngineKind::Kokoro, Lang::En) => {
            // Kokoro brings no English word lists; Hibari's are in the same alphabet.
            let g2p = G2p::load(&models_dir.join("hibari-en"))?;
            let front = English(g2p.with_pronunciations(&voice.lexicon));
            let speaker = speaker.unwrap_or_default();
            Box::new(KokoroVoice::load_english(&dir, speaker, Arc::new(front), threads)?)
        }
    })
}

struct English(G2p);

impl Phonemizer for English {
    fn phonemes(&self, text: &str) -> String {
        self.0.phonemes(text)
    }
}

fn normal_speed() -> f32 {
    1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "name = \"zh\"\nlang = \"zh\"\nengine = \"kokoro\"\n\
                        model = \"kokoro-82m\"\nspeaker = \"zf_xiaoxiao\"\n";

    fn parse(text: &str) -> Result<VoiceConfig, String> {
        VoiceConfig::parse(text, Path::new("voices/zh.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn speed_gain_and_lexicon_may_be_left_out() {
        let voice = parse(GOOD).unwrap();
        assert_eq!((voice.speed, voice.gain_db, voice.lexicon.len()), (1.0, 0.0, 0));
    }

    #[test]
    fn a_wrong_value_is_named_with_file_and_field() {
        let said = parse(&format!("{GOOD}speed = 5.0")).unwrap_err();
        assert_eq!(said, "voice file voices/zh.toml: speed is 5: use 0.5 to 2.0");
        let said = parse(&GOOD.replace("kokoro-82m", "../secret")).unwrap_err();
        assert!(said.contains("model is \"../secret\""), "{said}");
        let said = parse(&GOOD.replace("\"kokoro\"", "\"hibari\"")).unwrap_err();
        assert!(said.contains("lang is zh"), "{said}");
    }

    #[test]
    fn an_unknown_field_is_shown_in_its_line() {
        let said = parse(&format!("{GOOD}sped = 1.0")).unwrap_err();
        assert!(said.contains("sped") && said.contains("line 6"), "{said}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let said = VoiceConfig::load(Path::new("/no/such.toml")).unwrap_err().to_string();
        assert!(said.starts_with("voice file /no/such.toml:"), "{said}");
    }

    #[test]
    fn the_voices_of_the_project_load() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("voices");
        for name in ["en-hibari", "zh-xiaoxiao", "zh-yunxi"] {
            assert_eq!(
                VoiceConfig::load(&dir.join(name).with_extension("toml")).unwrap().name,
                name
            );
        }
    }
}
