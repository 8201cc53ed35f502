use std::{collections::BTreeMap, path::Path, sync::Arc};

use super::{
    Phonemizer, ZhG2p,
    model::{MODEL, Model, Speaker},
};
use crate::{
    audio::{Hz24k, Pcm},
    speech::{SpeechError, Synthesizer},
    text::Lang,
};

/// Raised when the front end or the tables change the sound of the same text.
const FRONT_END: &str = "1";
/// Utterances above this many tokens are spoken in parts: quality falls towards the limit of 509.
const PART_TOKENS: usize = 360;

/// Kokoro-82M v1.0 with one of its speakers.
///
/// About 0.7 times real time on one core, 470 MB of memory: for prompts rendered ahead.
pub struct KokoroVoice {
    name: String,
    model: Model,
    speaker: Speaker,
    front: Front,
}

enum Front {
    Zh(ZhG2p),
    En(Arc<dyn Phonemizer>),
}

impl KokoroVoice {
    /// A Mandarin voice from `model_dir`, with `threads` threads an utterance. `speaker` is the name
    /// of a `.bin` file there that begins with `z` (`zf_xiaoxiao`, `zm_yunxi`); `lexicon` is as for
    /// [`ZhG2p::new`].
    ///
    /// # Errors
    /// [`SpeechError::MissingFile`], [`SpeechError::BadFile`] for the model's files,
    /// [`SpeechError::Unsupported`] for a speaker of another language or a lexicon entry that is no
    /// pinyin, [`SpeechError::Engine`] when ONNX Runtime cannot be loaded.
    pub fn load(
        model_dir: &Path,
        speaker: &str,
        lexicon: &BTreeMap<String, String>,
        threads: usize,
    ) -> Result<Self, SpeechError> {
        let g2p = ZhG2p::new(lexicon, None).map_err(|entry| {
            unsupported(format!("speak the lexicon entry {entry}: pinyin with tones is needed"))
        })?;
        Self::with(model_dir, speaker, Front::Zh(g2p), threads)
    }

    /// An English voice (`am_michael`, `af_heart`, `bm_george`); `phonemizer` turns text into
    /// Kokoro's English phonemes.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_english(
        model_dir: &Path,
        speaker: &str,
        phonemizer: Arc<dyn Phonemizer>,
        threads: usize,
    ) -> Result<Self, SpeechError> {
        Self::with(model_dir, speaker, Front::En(phonemizer), threads)
    }

    fn with(dir: &Path, speaker: &str, front: Front, threads: usize) -> Result<Self, SpeechError> {
        let letters: &[char] = match front {
            Front::Zh(_) => &['z'],
            Front::En(_) => &['a', 'b'],
        };
        if !speaker.starts_with(letters) || !speaker.chars().all(is_plain) {
            let lang = front.lang();
            return Err(unsupported(format!(
                "speak {lang} as {speaker:?}: its speakers for {lang} begin with {letters:?}"
            )));
        }
        Ok(Self {
            name: format!("{MODEL}-v1.0-int8/{speaker}/{FRONT_END}"),
            speaker: Speaker::load(dir, speaker)?,
            model: Model::load(dir, threads)?,
            front,
        })
    }
}

impl Synthesizer for KokoroVoice {
    fn name(&self) -> &str {
        &self.name
    }

    fn lang(&self) -> Lang {
        self.front.lang()
    }

    fn synthesize(&self, text: &str, speed: f32) -> Result<Pcm<Hz24k>, SpeechError> {
        let phonemes = match &self.front {
            Front::Zh(g2p) => g2p.phonemes(text),
            Front::En(phonemizer) => phonemizer.phonemes(text),
        };
        if !phonemes.chars().any(char::is_alphabetic) {
            return Err(SpeechError::Unspeakable {
                engine: self.name.clone(),
                text: text.to_owned(),
            });
        }
        let mut audio = Vec::new();
        for part in parts(&phonemes, PART_TOKENS) {
            let tokens = self.model.tokens(part);
            if !tokens.is_empty() {
                audio.extend(self.model.speak(&tokens, &self.speaker, speed.clamp(0.5, 2.0))?);
            }
        }
        Ok(Pcm::from_f32(&audio))
    }
}

impl Front {
    fn lang(&self) -> Lang {
        match self {
            Self::Zh(_) => Lang::Zh,
            Self::En(_) => Lang::En,
        }
    }
}

/// Speaker names become file names.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn unsupported(what: String) -> SpeechError {
    SpeechError::Unsupported { engine: MODEL.to_owned(), what }
}

/// `phonemes` in parts of at most `most` characters, cut after a sentence, else after any mark,
/// else between words, else anywhere.
fn parts(phonemes: &str, most: usize) -> Vec<&str> {
    let mut rest = phonemes;
    let mut out = Vec::new();
    while let Some((end, _)) = rest.char_indices().nth(most) {
        let head = &rest[..end];
        let cut = [&['.', '!', '?'][..], &[',', ';', ':'], &[' ']]
            .iter()
            .find_map(|marks| head.rfind(*marks))
            .map_or(end, |at| at + 1);
        out.push(rest[..cut].trim());
        rest = &rest[cut..];
    }
    out.push(rest.trim());
    out.retain(|part| !part.is_empty());
    out
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_short_utterance_is_one_part() {
        assert_eq!(parts("ni↗n xau↓.", 20), ["ni↗n xau↓."]);
    }

    #[test]
    fn a_long_utterance_is_cut_after_its_last_sentence_that_fits() {
        assert_eq!(parts("aa. bb, cc. dd ee", 14), ["aa. bb, cc.", "dd ee"]);
        assert_eq!(parts("aa bb, cc dd", 8), ["aa bb,", "cc dd"]);
        assert_eq!(parts("aa bb cc dd", 8), ["aa bb", "cc dd"]);
        assert_eq!(parts("aabbccdd", 3), ["aab", "bcc", "dd"]);
    }

    #[test]
    fn a_missing_model_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = KokoroVoice::load(dir.path(), "zf_xiaoxiao", &BTreeMap::new(), 1).err();
        let said = error.unwrap().to_string();
        assert!(said.contains("zf_xiaoxiao.bin is missing: run `hotline models pull kokoro-82m`"));
    }

    #[test]
    fn a_speaker_file_of_the_wrong_size_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("zf_xiaoxiao.bin"), [0; 100]).unwrap();
        let error = KokoroVoice::load(dir.path(), "zf_xiaoxiao", &BTreeMap::new(), 1).err();
        assert!(error.unwrap().to_string().contains("100 bytes where a speaker has 522240"));
    }

    #[test]
    fn a_speaker_of_another_language_or_with_a_path_is_refused() {
        for speaker in ["am_michael", "z/../../secret", ""] {
            let error = KokoroVoice::load(Path::new("x"), speaker, &BTreeMap::new(), 1).err();
            assert!(matches!(error, Some(SpeechError::Unsupported { .. })), "{speaker}");
        }
    }

    #[test]
    fn a_lexicon_entry_that_is_no_pinyin_is_shown() {
        let lexicon = BTreeMap::from([("还款".to_owned(), "huan kuan".to_owned())]);
        let error = KokoroVoice::load(Path::new("x"), "zf_xiaoxiao", &lexicon, 1).err().unwrap();
        assert!(error.to_string().contains("还款 = \"huan kuan\""), "{error}");
    }

    proptest! {
        #[test]
        fn parts_fit_and_lose_no_phoneme(phonemes in "[a-c↗ .,]{0,80}", most in 1_usize..20) {
            let parts = parts(&phonemes, most);
            prop_assert!(parts.iter().all(|p| p.chars().count() <= most));
            prop_assert_eq!(parts.concat().replace(' ', ""), phonemes.replace(' ', ""));
        }
    }
}
