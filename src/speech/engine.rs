use std::{ops::Range, path::PathBuf};

use crate::{
    audio::{Hz16k, Hz24k, Pcm},
    text::{Hypothesis, Lang},
};

/// What the dialog knows about the coming utterance.
#[derive(Debug, Clone, PartialEq)]
pub struct Hints {
    /// The language to recognise.
    pub lang: Lang,
    /// Words and phrases that are likely, best first; engines that cannot use them ignore them.
    pub phrases: Vec<String>,
}

/// A speech recogniser: one loaded model, shared by all calls.
pub trait Recognizer: Send + Sync {
    /// Name for logs and call records, such as `moonshine-tiny-en`.
    fn name(&self) -> &str;

    /// Whether [`RecognizerStream::partial`] gives text before the end of the utterance.
    fn is_streaming(&self) -> bool;

    /// Threads that an utterance keeps busy while it is decoded.
    fn threads(&self) -> usize;

    /// Begins one utterance.
    ///
    /// # Errors
    /// [`SpeechError::Unsupported`] when the model does not know `hints.lang`.
    fn open(&self, hints: &Hints) -> Result<Box<dyn RecognizerStream>, SpeechError>;
}

/// One utterance being recognised. Runs on an inference thread; calls may take long.
pub trait RecognizerStream: Send {
    /// Takes the next audio of the utterance.
    ///
    /// # Errors
    /// [`SpeechError::Engine`] when the engine fails.
    fn accept(&mut self, audio: &Pcm<Hz16k>) -> Result<(), SpeechError>;

    /// The words so far; `None` from an engine that decodes only whole utterances.
    ///
    /// # Errors
    /// [`SpeechError::Engine`] when the engine fails.
    fn partial(&mut self) -> Result<Option<Hypothesis>, SpeechError>;

    /// Ends the utterance and returns its readings, best first; empty when nothing was said.
    ///
    /// # Errors
    /// [`SpeechError::Engine`] when the engine fails.
    fn finish(self: Box<Self>) -> Result<Vec<Hypothesis>, SpeechError>;
}

/// A speech synthesiser: one loaded model and speaker, shared by all calls.
pub trait Synthesizer: Send + Sync {
    /// Name for logs and cache keys: everything that changes its sound must change it.
    fn name(&self) -> &str;

    /// The language it speaks.
    fn lang(&self) -> Lang;

    /// About how many characters it speaks while nobody notices, within 150 ms: longer texts are
    /// spoken clause by clause, so that the first is heard before the last is made.
    fn at_once(&self) -> usize {
        0
    }

    /// Speaks `text` at `speed` (1.0 is normal, 0.8 slower). Runs on an inference thread.
    ///
    /// # Errors
    /// [`SpeechError::Unspeakable`] when nothing in `text` can be pronounced,
    /// [`SpeechError::Engine`] when the engine fails.
    fn synthesize(&self, text: &str, speed: f32) -> Result<Pcm<Hz24k>, SpeechError>;

    /// Speaks `words` as one utterance and says where each is. Punctuation after a word belongs to
    /// it, and so does the pause it makes. An engine that does not know where its words are speaks
    /// them one by one, as here.
    ///
    /// # Errors
    /// As [`synthesize`](Self::synthesize).
    fn synthesize_words(&self, words: &[&str], speed: f32) -> Result<SpokenWords, SpeechError> {
        let mut audio = Pcm::silence(0);
        let mut spans = Vec::with_capacity(words.len());
        for word in words {
            let start = audio.len();
            audio.extend(&self.synthesize(word, speed)?);
            spans.push(start..audio.len());
        }
        Ok(SpokenWords { audio, spans })
    }
}

/// Speech, and where the words are in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpokenWords {
    /// All of it.
    pub audio: Pcm<Hz24k>,
    /// Each word's samples, in order.
    pub spans: Vec<Range<usize>>,
}

/// What can go wrong in this room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpeechError {
    /// A model's file is not there.
    #[error("model file {path} is missing: run `hotline models pull {model}`")]
    MissingFile {
        /// The model's name in `models.toml`.
        model: String,
        /// The file looked for.
        path: PathBuf,
    },
    /// A model's file is there but is not what it should be.
    #[error("model file {path}: {problem}: run `hotline models verify`")]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The engine cannot do what was asked.
    #[error("{engine} cannot {what}")]
    Unsupported {
        /// The engine's name.
        engine: String,
        /// What was asked.
        what: String,
    },
    /// Text without anything to pronounce.
    #[error("nothing in {text:?} can be pronounced by {engine}")]
    Unspeakable {
        /// The engine's name.
        engine: String,
        /// The text.
        text: String,
    },
    /// The engine failed.
    #[error("{engine} failed: {problem}")]
    Engine {
        /// The engine's name.
        engine: String,
        /// What it said.
        problem: String,
    },
}
