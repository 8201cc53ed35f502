//! The synthesiser.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::{Mutex, PoisonError},
};

use ort::{session::Session, value::Tensor};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{
    G2p, MODEL,
    files::read_json,
    sentences,
    stress::{is_consonant, is_vowel},
    waveform::{Spectra, Vocoder},
};
use crate::{
    audio::{Hz24k, Pcm},
    speech::{SpeechError, Synthesizer, onnx},
    text::Lang,
};

const DEFAULT_SPEAKER: &str = "heart";
/// Part of the voice's name: raised when the same text begins to sound different.
const REVISION: u32 = 1;

/// A Hibari voice: American English, 24 kHz, about fifty times faster than speech on one core.
///
/// The same text at the same speed always gives the same samples.
pub struct HibariVoice {
    name: String,
    g2p: G2p,
    /// Phonemes that the network knows.
    ids: HashMap<char, i64>,
    session: Mutex<Session>,
    vocoder: Vocoder,
}

#[derive(Deserialize)]
struct Speaker {
    file: String,
    sha256: String,
    british: bool,
}

impl HibariVoice {
    /// Opens the voice of `speaker` (by default "heart") in the folder of the model `hibari-en`.
    ///
    /// `lexicon` says how to read words and phrases, in misaki's phonemes: `{"Hotline": "hˈɑtlˌIn"}`.
    /// `threads` is for one sentence; 1 is enough.
    ///
    /// # Errors
    /// [`SpeechError::MissingFile`] or [`SpeechError::BadFile`] for the file that is at fault,
    /// [`SpeechError::Unsupported`] for an unknown speaker or phoneme,
    /// [`SpeechError::Engine`] when ONNX Runtime does not load.
    pub fn load(
        model_dir: &Path,
        speaker: Option<&str>,
        lexicon: &BTreeMap<String, String>,
        threads: usize,
    ) -> Result<Self, SpeechError> {
        let speakers: BTreeMap<String, Speaker> = read_json(model_dir, "voices.json")?;
        let speaker_name = speaker.unwrap_or(DEFAULT_SPEAKER);
        let speaker = speakers.get(speaker_name).filter(|speaker| !speaker.british);
        let Some(speaker) = speaker else {
            return Err(unknown_speaker(speaker_name, &speakers));
        };
        let ids: HashMap<char, i64> = read_json(model_dir, "vocab.json")?;
        check_lexicon(lexicon, &ids)?;
        Ok(Self {
            name: name(speaker_name, speaker, lexicon),
            g2p: G2p::load(model_dir)?.with_pronunciations(lexicon),
            ids,
            session: Mutex::new(onnx::session(MODEL, &model_dir.join(&speaker.file), threads)?),
            vocoder: Vocoder::new(),
        })
    }

    /// How `text` is read, in misaki's phonemes, with a space between sentences.
    ///
    /// # Errors
    /// [`SpeechError::Unspeakable`] when it has no sound in English.
    pub fn phonemes(&self, text: &str) -> Result<String, SpeechError> {
        Ok(self.sentences(text)?.join(" "))
    }

    /// The phonemes of each sentence that has any.
    fn sentences(&self, text: &str) -> Result<Vec<String>, SpeechError> {
        let sentences = self.g2p.sentences(text).into_iter().map(|it| self.g2p.phonemes(it));
        let has_sound = |phonemes: &String| phonemes.contains(|c| is_vowel(c) || is_consonant(c));
        let sentences: Vec<String> = sentences.filter(has_sound).collect();
        if sentences.is_empty() {
            let (engine, text) = (self.name.clone(), text.to_owned());
            return Err(SpeechError::Unspeakable { engine, text });
        }
        Ok(sentences)
    }

    /// The waveform of a piece that the network can take at once.
    fn speak(
        &self,
        phonemes: &str,
        speed: f32,
        noise: impl FnMut() -> f32,
    ) -> Result<Vec<f32>, SpeechError> {
        let spectra = self.predict(phonemes, speed).map_err(onnx::failure(&self.name))?;
        self.vocoder.render(&spectra, noise).map_err(onnx::failure(&self.name))
    }

    fn predict(&self, phonemes: &str, speed: f32) -> ort::Result<Spectra> {
        let mut ids = vec![0];
        ids.extend(phonemes.chars().filter_map(|c| self.ids.get(&c)));
        ids.push(0);
        let ids = Tensor::from_array(([1, ids.len()], ids))?;
        let speed = Tensor::from_array(([1], vec![speed]))?;
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(ort::inputs!["ids" => ids, "speed" => speed])?;
        let values = |name| -> ort::Result<Vec<f32>> {
            Ok(outputs.get(name).ok_or(missing(name))?.try_extract_tensor()?.1.to_vec())
        };
        Ok(Spectra {
            harmonic: values("lh")?,
            angle: values("theta")?,
            noise: values("ln")?,
            rest: values("lr")?,
            phase: values("phi")?,
            pitch: values("f0")?,
        })
    }
}

impl Synthesizer for HibariVoice {
    fn name(&self) -> &str {
        &self.name
    }

    fn lang(&self) -> Lang {
        Lang::En
    }

    /// `speed` is held within `0.5..=2.0`, where the voice is at home.
    fn synthesize(&self, text: &str, speed: f32) -> Result<Pcm<Hz24k>, SpeechError> {
        let speed = if speed.is_nan() { 1.0 } else { speed.clamp(0.5, 2.0) };
        let mut noise = Noise::new();
        let mut spoken = Pcm::silence(0);
        for sentence in self.sentences(text)? {
            for piece in sentences::pieces(&sentence) {
                let samples = self.speak(&piece, speed, || noise.sample())?;
                spoken.extend(&Pcm::from_f32(&samples));
            }
        }
        Ok(spoken)
    }
}

/// The same standard normal samples in every utterance.
struct Noise {
    random: StdRng,
    spare: Option<f32>,
}

impl Noise {
    fn new() -> Self {
        Self { random: StdRng::seed_from_u64(0), spare: None }
    }

    /// Box and Muller's transform, which makes two at a time.
    fn sample(&mut self) -> f32 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (-2.0 * (1.0 - self.random.random::<f32>()).ln()).sqrt();
        let (sin, cos) = (std::f32::consts::TAU * self.random.random::<f32>()).sin_cos();
        self.spare = Some(radius * sin);
        radius * cos
    }
}

fn missing(output: &str) -> ort::Error {
    ort::Error::new(format!("the model has no output `{output}`"))
}

fn unknown_speaker(asked: &str, speakers: &BTreeMap<String, Speaker>) -> SpeechError {
    let known = speakers.iter().filter(|(_, speaker)| !speaker.british).map(|(name, _)| name);
    let known: Vec<&str> = known.map(String::as_str).collect();
    SpeechError::Unsupported {
        engine: MODEL.to_owned(),
        what: format!("speak as {asked:?}: its speakers are {}", known.join(", ")),
    }
}

fn check_lexicon(
    lexicon: &BTreeMap<String, String>,
    ids: &HashMap<char, i64>,
) -> Result<(), SpeechError> {
    for (word, phonemes) in lexicon {
        if let Some(unknown) = phonemes.chars().find(|c| !ids.contains_key(c)) {
            let code = u32::from(unknown);
            return Err(SpeechError::Unsupported {
                engine: MODEL.to_owned(),
                what: format!(
                    "pronounce {word:?} as {phonemes:?}: {unknown:?} (U+{code:04X}) is no phoneme"
                ),
            });
        }
    }
    Ok(())
}

/// Names the speaker, the model file and, where there is one, the lexicon.
fn name(speaker_name: &str, speaker: &Speaker, lexicon: &BTreeMap<String, String>) -> String {
    let model = speaker.sha256.get(..8).unwrap_or(&speaker.sha256);
    let mut name = format!("hibari-{speaker_name}-{model}-r{REVISION}");
    if !lexicon.is_empty() {
        name.push('-');
        let mut digest = Sha256::new();
        for (word, phonemes) in lexicon {
            digest.update(format!("{word}\t{phonemes}\n"));
        }
        for byte in digest.finalize().iter().take(4) {
            name += &format!("{byte:02x}");
        }
    }
    name
}
