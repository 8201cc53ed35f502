use std::{collections::BTreeMap, ops::Range, path::Path, sync::Arc};

use super::{
    Phonemizer, ZhG2p,
    model::{MODEL, Model, Speaker},
};
use crate::{
    audio::{Hz24k, Pcm},
    speech::{SpeechError, SpokenWords, Synthesizer},
    text::Lang,
};

/// Raised when the front end or the tables change the sound of the same text.
const FRONT_END: &str = "1";
/// Speeds at which it stays clear.
const SPEEDS: Range<f32> = 0.5..2.0;
/// By how much the sound runs ahead of the network's plan, measured at stops and fricatives,
/// in samples at 24 kHz: 90 ms.
const LEAD: usize = 90 * 24;
/// How far around a word's start may be: 35 ms; looked at every 2.5 ms in windows of 20 ms.
const REACH: usize = 35 * 24;
const STEP: usize = 60;
const WINDOW: usize = 240;
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
        let phonemes = self.front.phonemes(text);
        if !phonemes.chars().any(char::is_alphabetic) {
            return Err(self.cannot_speak(text));
        }
        let mut audio = Vec::new();
        for part in parts(&phonemes, PART_TOKENS) {
            let tokens = self.model.tokens(part);
            if !tokens.is_empty() {
                let speed = speed.clamp(SPEEDS.start, SPEEDS.end);
                audio.extend(self.model.speak(&tokens, &self.speaker, speed)?.audio);
            }
        }
        Ok(Pcm::from_f32(&audio))
    }

    fn synthesize_words(&self, words: &[&str], speed: f32) -> Result<SpokenWords, SpeechError> {
        let mut tokens = Vec::new();
        let mut firsts = Vec::with_capacity(words.len());
        for word in words {
            let spaced = if tokens.is_empty() { String::new() } else { " ".to_owned() };
            firsts.push(tokens.len() + spaced.len());
            tokens.extend(self.model.tokens(&(spaced + &self.front.phonemes(word))));
        }
        if tokens.len() > Speaker::MOST_TOKENS || firsts.last().is_none_or(|&at| at >= tokens.len())
        {
            return Err(self.cannot_speak(&words.concat()));
        }
        let speed = speed.clamp(SPEEDS.start, SPEEDS.end);
        let spoken = self.model.speak(&tokens, &self.speaker, speed)?;
        let starts: Vec<usize> =
            firsts.iter().map(|&token| word_start(&spoken.audio, spoken.starts[token])).collect();
        let ends = starts.iter().skip(1).copied().chain([spoken.audio.len()]);
        let spans = starts.iter().zip(ends).map(|(&start, end)| start..end.max(start)).collect();
        Ok(SpokenWords { audio: Pcm::from_f32(&spoken.audio), spans })
    }
}

impl KokoroVoice {
    fn cannot_speak(&self, text: &str) -> SpeechError {
        SpeechError::Unspeakable { engine: self.name.clone(), text: text.to_owned() }
    }
}

impl Front {
    fn phonemes(&self, text: &str) -> String {
        match self {
            Self::Zh(g2p) => g2p.phonemes(text),
            Self::En(phonemizer) => phonemizer.phonemes(text),
        }
    }

    fn lang(&self) -> Lang {
        match self {
            Self::Zh(_) => Lang::Zh,
            Self::En(_) => Lang::En,
        }
    }
}

/// Where the word is heard to begin that the network plans at sample `planned`: some 90 ms before,
/// at the quietest moment around, since most begin with closed lips or a narrow mouth.
fn word_start(audio: &[f32], planned: usize) -> usize {
    let expected = planned.saturating_sub(LEAD);
    let cost = |at: usize| {
        let around = &audio[at.saturating_sub(WINDOW)..(at + WINDOW).min(audio.len())];
        let energy: f32 = around.iter().map(|sample| sample * sample).sum();
        energy * (1.0 + 1.5 * at.abs_diff(expected) as f32 / REACH as f32)
    };
    (expected.saturating_sub(REACH)..=(expected + REACH).min(audio.len()))
        .step_by(STEP)
        .min_by(|&a, &b| cost(a).total_cmp(&cost(b)))
        .unwrap_or(expected)
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
