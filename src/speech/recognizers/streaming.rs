use std::sync::Arc;

use sherpa_onnx::{OnlineModelConfig, OnlineRecognizer, OnlineRecognizerConfig, OnlineStream};

use super::settings::{EngineKind, ModelDir};
use crate::{
    audio::{Hz16k, Pcm},
    speech::{Hints, Recognizer, RecognizerStream, SpeechError},
    text::{Hypothesis, Lang, simplify},
};

/// Silence after the last audio, so that the words still in the encoder's look-ahead come out.
const TAIL: usize = 16_000 / 2;

/// A streaming Zipformer transducer or Paraformer, from a directory that the user names. It has
/// words while the caller still speaks.
pub struct Streaming {
    name: String,
    threads: usize,
    engine: Arc<OnlineRecognizer>,
    only: Option<Lang>,
}

impl Streaming {
    pub(super) fn load(
        kind: EngineKind,
        model: &ModelDir,
        threads: i32,
        only: Option<Lang>,
    ) -> Result<Self, SpeechError> {
        let mut config = OnlineRecognizerConfig {
            model_config: model_config(kind, model)?,
            decoding_method: Some("greedy_search".to_owned()),
            ..OnlineRecognizerConfig::default()
        };
        config.model_config.num_threads = threads;
        let engine = OnlineRecognizer::create(&config).ok_or_else(|| SpeechError::BadFile {
            path: model.path.clone(),
            problem: format!("sherpa-onnx does not accept it as a streaming {kind} model"),
        })?;
        Ok(Self {
            name: model.name.clone(),
            threads: usize::try_from(threads).unwrap_or(1),
            engine: Arc::new(engine),
            only,
        })
    }
}

/// The files that sherpa-onnx publishes for a model of this kind.
fn model_config(kind: EngineKind, model: &ModelDir) -> Result<OnlineModelConfig, SpeechError> {
    let mut config = OnlineModelConfig::default();
    let encoder = Some(model.find("encoder", ".onnx")?);
    let decoder = Some(model.find("decoder", ".onnx")?);
    if kind == EngineKind::Paraformer {
        config.paraformer.encoder = encoder;
        config.paraformer.decoder = decoder;
    } else {
        config.transducer.encoder = encoder;
        config.transducer.decoder = decoder;
        config.transducer.joiner = Some(model.find("joiner", ".onnx")?);
    }
    config.tokens = Some(model.find("tokens", ".txt")?);
    Ok(config)
}

impl Recognizer for Streaming {
    fn name(&self) -> &str {
        &self.name
    }

    fn threads(&self) -> usize {
        self.threads
    }

    fn is_streaming(&self) -> bool {
        true
    }

    fn open(&self, hints: &Hints) -> Result<Box<dyn RecognizerStream>, SpeechError> {
        if self.only.is_some_and(|only| only != hints.lang) {
            return Err(SpeechError::Unsupported {
                engine: self.name.clone(),
                what: format!("recognise {}", hints.lang),
            });
        }
        Ok(Box::new(Utterance {
            stream: self.engine.create_stream(),
            engine: Arc::clone(&self.engine),
            name: self.name.clone(),
            lang: hints.lang,
        }))
    }
}

struct Utterance {
    /// Before the engine: it is freed first.
    stream: OnlineStream,
    engine: Arc<OnlineRecognizer>,
    name: String,
    lang: Lang,
}

impl RecognizerStream for Utterance {
    fn accept(&mut self, audio: &Pcm<Hz16k>) -> Result<(), SpeechError> {
        self.stream.accept_waveform(16_000, &audio.to_f32());
        self.decode_ready();
        Ok(())
    }

    fn partial(&mut self) -> Result<Option<Hypothesis>, SpeechError> {
        self.words().map(Some)
    }

    fn finish(self: Box<Self>) -> Result<Vec<Hypothesis>, SpeechError> {
        self.stream.accept_waveform(16_000, &[0.0; TAIL]);
        self.stream.input_finished();
        self.decode_ready();
        let said = self.words()?;
        Ok(if said.text.is_empty() { Vec::new() } else { vec![said] })
    }
}

impl Utterance {
    fn decode_ready(&self) {
        while self.engine.is_ready(&self.stream) {
            self.engine.decode(&self.stream);
        }
    }

    fn words(&self) -> Result<Hypothesis, SpeechError> {
        let result = self.engine.get_result(&self.stream).ok_or_else(|| SpeechError::Engine {
            engine: self.name.clone(),
            problem: "sherpa-onnx gave no result".to_owned(),
        })?;
        let text = result.text.trim();
        let text = if self.lang == Lang::Zh { simplify(text) } else { text.to_owned() };
        Ok(Hypothesis { text, confidence: 1.0 })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::speech::recognizers::{RecognizerConfig, load};

    fn load_from(engine: EngineKind, files: &[&str]) -> String {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            fs::write(dir.path().join(file), b"").unwrap();
        }
        let config =
            RecognizerConfig { path: Some(dir.path().to_owned()), ..RecognizerConfig::new(engine) };
        let error = load(&config, Path::new("/models")).err().unwrap();
        error.to_string()
    }

    #[test]
    fn a_transducer_without_its_joiner_says_so() {
        let error =
            load_from(EngineKind::Zipformer, &["encoder.onnx", "decoder.onnx", "tokens.txt"]);
        assert!(error.contains("holds no file joiner*.onnx"), "{error}");
    }

    #[test]
    fn a_paraformer_needs_no_joiner_but_tokens() {
        let error = load_from(EngineKind::Paraformer, &["encoder.int8.onnx", "decoder.onnx"]);
        assert!(error.contains("holds no file tokens*.txt"), "{error}");
    }

    #[test]
    fn a_directory_that_is_not_there_says_so() {
        let config = RecognizerConfig {
            path: Some("/nowhere/zipformer".into()),
            ..RecognizerConfig::new(EngineKind::Zipformer)
        };
        let error = load(&config, Path::new("/models")).err().unwrap().to_string();
        assert!(error.contains("/nowhere/zipformer"), "{error}");
        assert!(error.contains("cannot be listed"), "{error}");
    }
}
