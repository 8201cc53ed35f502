use std::sync::Arc;

use sherpa_onnx::{OfflineRecognizer, OfflineRecognizerConfig};

use super::settings::ModelDir;
use crate::{
    audio::{Hz16k, Pcm},
    speech::{Hints, Recognizer, RecognizerStream, SpeechError, vad::voiced_time},
    text::{Hypothesis, Lang},
};

/// Digital silence put before and after every utterance: 100 ms. Over 18 telephone clips, each
/// heard at eight offsets and with line noise around it, 50 to 300 ms more made it worse.
const PADDING: usize = 100 * 16;
/// Every utterance is brought to this peak. As they come, some single utterances are heard as
/// something else entirely (and 15 % more words are wrong); amplified at most this much.
const PEAK: f32 = 0.3;
const MOST_GAIN: f32 = 20.0;
/// The model loops on longer audio than it was trained on: utterances are decoded in pieces.
const LONGEST: usize = 30 * 16_000;

/// English by Moonshine v2, decoding whole utterances in about a tenth of a second.
pub struct Moonshine {
    name: String,
    threads: usize,
    engine: Arc<OfflineRecognizer>,
}

impl Moonshine {
    pub(super) fn load(model: &ModelDir, threads: i32) -> Result<Self, SpeechError> {
        let mut config = OfflineRecognizerConfig::default();
        let files = &mut config.model_config.moonshine;
        files.encoder = Some(model.file("encoder_model.ort")?);
        files.merged_decoder = Some(model.file("decoder_model_merged.ort")?);
        config.model_config.tokens = Some(model.file("tokens.txt")?);
        config.model_config.num_threads = threads;
        let engine = OfflineRecognizer::create(&config).ok_or_else(|| SpeechError::BadFile {
            path: model.path.clone(),
            problem: "sherpa-onnx does not accept it as a Moonshine v2 model".to_owned(),
        })?;
        Ok(Self {
            name: model.name.clone(),
            threads: usize::try_from(threads).unwrap_or(1),
            engine: Arc::new(engine),
        })
    }
}

impl Recognizer for Moonshine {
    fn name(&self) -> &str {
        &self.name
    }

    fn threads(&self) -> usize {
        self.threads
    }

    fn is_streaming(&self) -> bool {
        false
    }

    fn open(&self, hints: &Hints) -> Result<Box<dyn RecognizerStream>, SpeechError> {
        if hints.lang != Lang::En {
            return Err(SpeechError::Unsupported {
                engine: self.name.clone(),
                what: format!("recognise {}", hints.lang),
            });
        }
        Ok(Box::new(Utterance {
            name: self.name.clone(),
            engine: Arc::clone(&self.engine),
            audio: Pcm::new(Vec::new()),
        }))
    }
}

struct Utterance {
    name: String,
    engine: Arc<OfflineRecognizer>,
    audio: Pcm<Hz16k>,
}

impl RecognizerStream for Utterance {
    fn accept(&mut self, audio: &Pcm<Hz16k>) -> Result<(), SpeechError> {
        self.audio.extend(audio);
        Ok(())
    }

    fn partial(&mut self) -> Result<Option<Hypothesis>, SpeechError> {
        Ok(None)
    }

    fn finish(self: Box<Self>) -> Result<Vec<Hypothesis>, SpeechError> {
        if voiced_time(&self.audio).is_zero() {
            return Ok(Vec::new());
        }
        let samples = levelled(&self.audio);
        let mut words = Vec::new();
        for piece in samples.chunks(LONGEST) {
            let text = self.decode(piece)?;
            if text.contains(char::is_alphanumeric) {
                words.push(text.trim().to_owned());
            }
        }
        let text = words.join(" ");
        let said = (!text.is_empty()).then_some(Hypothesis { text, confidence: 1.0 });
        Ok(said.into_iter().collect())
    }
}

impl Utterance {
    fn decode(&self, samples: &[f32]) -> Result<String, SpeechError> {
        let mut padded = vec![0.0; samples.len() + 2 * PADDING];
        padded[PADDING..PADDING + samples.len()].copy_from_slice(samples);
        let stream = self.engine.create_stream();
        stream.accept_waveform(16_000, &padded);
        self.engine.decode(&stream);
        let result = stream.get_result().ok_or_else(|| SpeechError::Engine {
            engine: self.name.clone(),
            problem: "sherpa-onnx gave no result".to_owned(),
        })?;
        Ok(result.text)
    }
}

fn levelled(audio: &Pcm<Hz16k>) -> Vec<f32> {
    let mut samples = audio.to_f32();
    let peak = samples.iter().fold(0.0f32, |peak, s| peak.max(s.abs()));
    let gain = (PEAK / peak.max(f32::EPSILON)).min(MOST_GAIN);
    samples.iter_mut().for_each(|s| *s *= gain);
    samples
}
