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
/// Samples kept before the first sound: the network's 0.3 s would make callers wait.
const LEAD: usize = 960;
/// Samples kept after the last sound: the pause between sentences.
const TAIL: usize = 6_000;
/// What is quieter is silence: -48 dB of full scale.
const SILENCE: f32 = 0.004;
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

    /// About nine seconds of speech, each of which takes some 15 ms.
    fn at_once(&self) -> usize {
        120
    }

    /// `speed` is held within `0.5..=2.0`, where the voice is at home. Of the silence around a
    /// sentence at most [`LEAD`] and [`TAIL`] stay.
    fn synthesize(&self, text: &str, speed: f32) -> Result<Pcm<Hz24k>, SpeechError> {
        let speed = if speed.is_nan() { 1.0 } else { speed.clamp(0.5, 2.0) };
        let mut noise = Noise::new();
        let mut spoken = Pcm::silence(0);
        for sentence in self.sentences(text)? {
            for piece in sentences::pieces(&sentence) {
                let samples = self.speak(&piece, speed, || noise.sample())?;
                spoken.extend(&Pcm::from_f32(trimmed(&samples)));
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

/// `samples` without the excess of silence at both ends.
fn trimmed(samples: &[f32]) -> &[f32] {
    let is_sound = |sample: &f32| sample.abs() >= SILENCE;
    let start = samples.iter().position(is_sound).unwrap_or(0).saturating_sub(LEAD);
    let end = samples.iter().rposition(is_sound).unwrap_or(0) + TAIL;
    &samples[start..end.min(samples.len())]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_around_a_sentence_is_cut_to_a_breath() {
        let mut samples = vec![0.0; 10_000];
        samples.extend([0.5; 100]);
        samples.extend([0.001; 10_000]);
        let kept = trimmed(&samples);
        assert_eq!(kept.len(), LEAD + 99 + TAIL);
        assert_eq!([kept[LEAD - 1], kept[LEAD]], [0.0, 0.5]);
        assert_eq!(trimmed(&[0.0; 9_000]).len(), TAIL);
        assert!(trimmed(&[]).is_empty());
    }

    #[test]
    fn noise_is_standard_normal_and_always_the_same() {
        let draw = || {
            let mut noise = Noise::new();
            (0..20_000).map(|_| noise.sample()).collect::<Vec<f32>>()
        };
        let samples = draw();
        assert_eq!(samples, draw());
        let mean = samples.iter().sum::<f32>() / 20_000.0;
        let power = samples.iter().map(|sample| sample * sample).sum::<f32>() / 20_000.0;
        assert!(mean.abs() < 0.03, "{mean}");
        assert!((power - 1.0).abs() < 0.05, "{power}");
    }

    #[test]
    fn the_name_tells_lexicons_apart() {
        let speaker =
            Speaker { file: String::new(), sha256: "5f70741d4e".to_owned(), british: false };
        let lexicon = |phonemes: &str| BTreeMap::from([("Zyntrix".into(), phonemes.into())]);
        assert_eq!(name("heart", &speaker, &BTreeMap::new()), "hibari-heart-5f70741d-r1");
        assert_ne!(
            name("heart", &speaker, &lexicon("zˈɪntɹɪks")),
            name("heart", &speaker, &lexicon("zˈIntɹɪks"))
        );
    }

    #[test]
    fn a_letter_that_is_no_phoneme_is_named() {
        let ids = HashMap::from([('ɡ', 92), ('O', 31)]);
        let lexicon = BTreeMap::from([("go".to_owned(), "gO".to_owned())]);
        let error = check_lexicon(&lexicon, &ids).unwrap_err().to_string();
        assert_eq!(
            error,
            "hibari-en cannot pronounce \"go\" as \"gO\": 'g' (U+0067) is no phoneme"
        );
    }

    /// Every 251st sample of hibari-tts 0.2.1 with its noise at zero.
    #[test]
    fn phonemes_sound_as_the_reference_makes_them_sound() {
        let Some(dir) = model_dir() else { return };
        let voice = HibariVoice::load(&dir, None, &BTreeMap::new(), 1).unwrap();
        let samples = voice.speak("həlˈO ðˈɛɹ.", 1.0, || 0.0).unwrap();
        assert_eq!(samples.len(), REFERENCE_SAMPLES);
        let ours: Vec<f32> = samples.iter().step_by(251).skip(27).take(64).copied().collect();
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let power = dot(&ours, &ours).sqrt() * dot(&REFERENCE, &REFERENCE).sqrt();
        let likeness = dot(&ours, &REFERENCE) / power;
        // Quantised kernels differ between processors, in less than this.
        assert!(likeness > 0.98, "{likeness}");
        let difference = ours.iter().zip(&REFERENCE).map(|(a, b)| (a - b).abs());
        let largest = difference.fold(0.0, f32::max);
        println!("likeness {likeness}, largest difference {largest}");
    }

    fn model_dir() -> Option<std::path::PathBuf> {
        use std::{env::var_os, path::PathBuf};
        let home = || Some(PathBuf::from(var_os("HOME")?).join(".cache"));
        let cache = || var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
        let models = var_os("HOTLINE_MODELS").map(PathBuf::from);
        let models = models.or_else(|| Some(cache()?.join("hotline/models")))?;
        let dir = models.join(MODEL);
        if !dir.is_dir() {
            println!("skipped: no model in {}", dir.display());
        }
        dir.is_dir().then_some(dir)
    }

    const REFERENCE_SAMPLES: usize = 33_000;
    const REFERENCE: [f32; 64] = [
        -0.0047, -0.0016, 0.0140, 0.0235, -0.0051, -0.0208, 0.0170, 0.0438, 0.0120, -0.0581,
        -0.0103, -0.0757, 0.1191, -0.0271, -0.0176, 0.0212, -0.1565, 0.0093, -0.1110, 0.1121,
        0.1807, -0.1366, 0.0070, 0.0446, 0.0675, 0.0292, 0.0425, 0.0187, 0.0074, 0.0079, 0.0280,
        -0.0058, -0.0089, -0.0013, -0.0038, 0.0225, -0.2313, 0.0933, 0.0318, 0.0770, 0.0441,
        0.0191, 0.0969, -0.0307, -0.0079, 0.0215, -0.0142, 0.0009, 0.0514, 0.0004, 0.0186, 0.0041,
        -0.0052, 0.0211, -0.0054, -0.0091, 0.0083, 0.0087, 0.0039, -0.0084, -0.0038, 0.0104,
        -0.0031, -0.0016,
    ];
}
