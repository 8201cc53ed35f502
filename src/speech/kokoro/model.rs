//! The network: phoneme tokens and a speaker's style in, 24 kHz audio out.

use std::{
    collections::HashMap,
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
};

use ort::{session::Session, value::Tensor};
use serde::Deserialize;

use crate::speech::{SpeechError, onnx};

/// Name of the model in `models.toml`.
pub(super) const MODEL: &str = "kokoro-82m";
const NETWORK: &str = "kokoro-v1.0.int8.onnx";
/// The value inside the network that holds how many frames each token takes.
const DURATIONS: &str = "/encoder/Clip_output_0";
/// Samples at 24 kHz in one of those frames.
const FRAME: usize = 600;
/// Numbers in one style vector.
const STYLE: usize = 256;

/// The loaded network and its vocabulary.
pub(super) struct Model {
    session: Mutex<Session>,
    vocab: HashMap<char, i64>,
}

impl Model {
    pub(super) fn load(dir: &Path, threads: usize) -> Result<Self, SpeechError> {
        let vocab = vocab(&dir.join("vocab.json"))?;
        let session = onnx::session_with_output(MODEL, &dir.join(NETWORK), threads, DURATIONS)?;
        Ok(Self { session: Mutex::new(session), vocab })
    }

    /// The tokens of `phonemes`; characters outside the vocabulary are left out, as in training.
    pub(super) fn tokens(&self, phonemes: &str) -> Vec<i64> {
        phonemes.chars().filter_map(|c| self.vocab.get(&c).copied()).collect()
    }

    /// Speaks `tokens`, at most [`Speaker::MOST_TOKENS`] of them.
    pub(super) fn speak(
        &self,
        tokens: &[i64],
        speaker: &Speaker,
        speed: f32,
    ) -> Result<Utterance, SpeechError> {
        let style = speaker.style(tokens.len());
        self.run(tokens, style, speed).map_err(onnx::failure(MODEL))
    }

    fn run(&self, tokens: &[i64], style: &[f32], speed: f32) -> ort::Result<Utterance> {
        // The network wants a pad token on both sides.
        let padded: Vec<i64> = [&[0], tokens, &[0]].concat();
        let tokens_spoken = tokens.len();
        let tokens = Tensor::from_array(([1, padded.len()], padded))?;
        let style = Tensor::from_array(([1, style.len()], style.to_vec()))?;
        let speed = Tensor::from_array(([1_usize], vec![speed]))?;
        // A panic in another thread leaves the session usable: a run changes nothing in it.
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs =
            session.run(ort::inputs!["tokens" => tokens, "style" => style, "speed" => speed])?;
        let (_, audio) = outputs[0].try_extract_tensor::<f32>()?;
        let (_, durations) = outputs[1].try_extract_tensor::<f32>()?;
        let mut end = 0;
        let mut ends = durations.iter().map(|frames| {
            end += *frames as usize * FRAME;
            end.min(audio.len())
        });
        // The first is that of the pad token.
        let starts = ends.by_ref().take(tokens_spoken).collect();
        Ok(Utterance { audio: audio.to_vec(), starts })
    }
}

/// What the network made of some tokens.
pub(super) struct Utterance {
    /// Samples at 24 kHz in `-1.0..=1.0`.
    pub(super) audio: Vec<f32>,
    /// The sample at which each token begins by the network's plan; what is heard runs ahead of it.
    pub(super) starts: Vec<usize>,
}

/// A speaker: one style vector for each length of the utterance.
pub(super) struct Speaker {
    styles: Vec<f32>,
}

impl Speaker {
    /// The longest utterance in tokens.
    pub(super) const MOST_TOKENS: usize = 509;

    /// Reads `NAME.bin`: 510 x 1 x 256 little-endian `f32`.
    pub(super) fn load(dir: &Path, name: &str) -> Result<Self, SpeechError> {
        let path = dir.join(format!("{name}.bin"));
        let bytes = fs::read(&path).map_err(|_| SpeechError::MissingFile {
            model: MODEL.to_owned(),
            path: path.clone(),
        })?;
        let expected = (Self::MOST_TOKENS + 1) * STYLE * size_of::<f32>();
        if bytes.len() != expected {
            let problem = format!("{} bytes where a speaker has {expected}", bytes.len());
            return Err(SpeechError::BadFile { path, problem });
        }
        let (numbers, _) = bytes.as_chunks::<4>();
        Ok(Self { styles: numbers.iter().map(|&b| f32::from_le_bytes(b)).collect() })
    }

    fn style(&self, tokens: usize) -> &[f32] {
        let row = tokens.min(Self::MOST_TOKENS);
        &self.styles[row * STYLE..(row + 1) * STYLE]
    }
}

fn vocab(path: &Path) -> Result<HashMap<char, i64>, SpeechError> {
    #[derive(Deserialize)]
    struct File {
        vocab: HashMap<char, i64>,
    }
    let json = fs::read(path)
        .map_err(|_| SpeechError::MissingFile { model: MODEL.to_owned(), path: path.to_owned() })?;
    let file: File = serde_json::from_slice(&json).map_err(|error| SpeechError::BadFile {
        path: path.to_owned(),
        problem: error.to_string(),
    })?;
    Ok(file.vocab)
}
