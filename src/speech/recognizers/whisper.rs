use std::sync::{Arc, Mutex, PoisonError};

use whisper_rs::{
    FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperState,
    install_logging_hooks,
};

use super::{artefacts, settings::ModelDir};
use crate::{
    audio::{Hz16k, Pcm},
    speech::{Hints, Recognizer, RecognizerStream, SpeechError, vad::voiced_time},
    text::{Hypothesis, Lang, simplify},
};

/// Encoder positions per second of audio; 30 s is all the encoder has.
const POSITIONS_PER_S: f32 = 50.0;
const MOST_POSITIONS: i32 = 1_500;
/// How much of the encoder is used beyond the speech, and at least. Encoding time grows with
/// it; less makes the decoder lose the end of the utterance or, after single words, loop.
const MARGIN_S: f32 = 3.0;
const SHORTEST_CONTEXT_S: f32 = 6.5;
/// Alternatives kept while decoding. Five instead of one take a quarter more time and heard a
/// sixth fewer characters wrong in telephone Mandarin (21 instead of 25 of 102).
const BEAM: i32 = 5;
/// Half the text context of the decoder, less some room: the most tokens a prompt may have.
const PROMPT_TOKENS: usize = 200;
/// Shorter audio is refused by whisper.cpp.
const SHORTEST: usize = 16_000;

/// Any language of a multilingual Whisper model, decoding whole utterances.
pub struct Whisper {
    shared: Arc<Shared>,
    only: Option<Lang>,
}

struct Shared {
    name: String,
    threads: usize,
    context: WhisperContext,
    /// Decoder states that no utterance uses now: making one costs more memory than time, so
    /// there are as many as utterances were ever decoded at once.
    idle: Mutex<Vec<WhisperState>>,
    english: FullParams<'static, 'static>,
    chinese: FullParams<'static, 'static>,
}

impl Whisper {
    pub(super) fn load(
        model: &ModelDir,
        threads: i32,
        only: Option<Lang>,
    ) -> Result<Self, SpeechError> {
        // Without the crate's log features the hooks swallow what whisper.cpp prints to stderr.
        install_logging_hooks();
        let path = model.find("ggml", ".bin")?;
        let context =
            WhisperContext::new_with_params(&path, WhisperContextParameters::default()).map_err(
                |error| SpeechError::BadFile { path: path.into(), problem: error.to_string() },
            )?;
        let shared = Shared {
            name: model.name.clone(),
            threads: usize::try_from(threads).unwrap_or(1),
            context,
            idle: Mutex::new(Vec::new()),
            english: parameters("en", threads),
            chinese: parameters("zh", threads),
        };
        Ok(Self { shared: Arc::new(shared), only })
    }
}

impl Recognizer for Whisper {
    fn name(&self) -> &str {
        &self.shared.name
    }

    fn threads(&self) -> usize {
        self.shared.threads
    }

    fn is_streaming(&self) -> bool {
        false
    }

    fn open(&self, hints: &Hints) -> Result<Box<dyn RecognizerStream>, SpeechError> {
        let english_only = !self.shared.context.is_multilingual() && hints.lang != Lang::En;
        if english_only || self.only.is_some_and(|only| only != hints.lang) {
            return Err(SpeechError::Unsupported {
                engine: self.shared.name.clone(),
                what: format!("recognise {}", hints.lang),
            });
        }
        Ok(Box::new(Utterance {
            shared: Arc::clone(&self.shared),
            hints: hints.clone(),
            audio: Pcm::new(Vec::new()),
        }))
    }
}

/// What every utterance of a language is decoded with. Kept, because each call of
/// `set_language` leaks its argument.
fn parameters(lang: &'static str, threads: i32) -> FullParams<'static, 'static> {
    let mut params =
        FullParams::new(SamplingStrategy::BeamSearch { beam_size: BEAM, patience: -1.0 });
    params.set_language(Some(lang));
    params.set_n_threads(threads);
    params.set_no_context(true);
    params.set_no_timestamps(true);
    params.set_single_segment(true);
    params.set_suppress_nst(true);
    // No second attempts at a higher temperature: they take as long as the first.
    params.set_temperature_inc(0.0);
    params.set_print_progress(false);
    params.set_print_realtime(false);
    params.set_print_special(false);
    params
}

struct Utterance {
    shared: Arc<Shared>,
    hints: Hints,
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
        let voiced = voiced_time(&self.audio);
        // Whisper's own no-speech token says nothing without timestamps: measured 0.00 for
        // silence, noise and speech alike.
        if voiced.is_zero() {
            return Ok(Vec::new());
        }
        let mut state = self.shared.state()?;
        let (text, confidence) = self.decode(&mut state, voiced.as_secs_f32())?;
        self.shared.give_back(state);
        let text = artefacts::clean(&text, voiced.as_secs_f32());
        let text = if self.hints.lang == Lang::Zh { simplify(&text) } else { text };
        let said = (!text.is_empty()).then_some(Hypothesis { text, confidence });
        Ok(said.into_iter().collect())
    }
}

impl Utterance {
    /// The text as Whisper wrote it and the mean probability of its tokens.
    fn decode(
        &self,
        state: &mut WhisperState,
        voiced_s: f32,
    ) -> Result<(String, f32), SpeechError> {
        let mut samples = self.audio.to_f32();
        let seconds = samples.len() as f32 / 16_000.0;
        samples.resize(samples.len().max(SHORTEST), 0.0);
        let prompt = self.shared.prompt(&self.hints);
        let mut params = match self.hints.lang {
            Lang::En => self.shared.english.clone(),
            Lang::Zh => self.shared.chinese.clone(),
        };
        let context_s = (seconds + MARGIN_S).max(SHORTEST_CONTEXT_S);
        let positions = (context_s * POSITIONS_PER_S).ceil() as i32;
        params.set_audio_ctx(positions.min(MOST_POSITIONS));
        // Nobody says more: a loop ends here. A Chinese character takes one to three tokens.
        params.set_max_tokens((voiced_s * 12.0) as i32 + 6);
        params.set_tokens(&prompt);
        state.full(params, &samples).map_err(|error| self.shared.error(&error))?;
        Ok(text_of(state))
    }
}

fn text_of(state: &WhisperState) -> (String, f32) {
    let (mut text, mut sum, mut tokens) = (Vec::new(), 0.0, 0);
    for segment in state.as_iter() {
        text.extend_from_slice(segment.to_bytes().unwrap_or_default());
        for token in (0..segment.n_tokens()).filter_map(|i| segment.get_token(i)) {
            sum += token.token_probability();
            tokens += 1;
        }
    }
    let confidence = if tokens == 0 { 0.0 } else { (sum / tokens as f32).clamp(0.0, 1.0) };
    (String::from_utf8_lossy(&text).into_owned(), confidence)
}

impl Shared {
    fn state(&self) -> Result<WhisperState, SpeechError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| self.context.create_state().map_err(|e| self.error(&e)), Ok)
    }

    fn give_back(&self, state: WhisperState) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(state);
    }

    /// Text that Whisper takes for what was said before: likely phrases set its vocabulary. A
    /// general opening ("以下是普通话的句子。") was tried and made single words worse.
    fn prompt(&self, hints: &Hints) -> Vec<i32> {
        let (comma, end) = match hints.lang {
            Lang::En => (", ", "."),
            Lang::Zh => ("，", "。"),
        };
        let phrases: Vec<Vec<i32>> = hints
            .phrases
            .iter()
            .map(|phrase| self.tokens(&format!("{phrase}{comma}")))
            .scan(0, |length, tokens| {
                *length += tokens.len();
                (*length <= PROMPT_TOKENS).then_some(tokens)
            })
            .collect();
        if phrases.is_empty() {
            return Vec::new();
        }
        // Whisper heeds most what stands last, so the best phrase does.
        phrases.into_iter().rev().flatten().chain(self.tokens(end)).collect()
    }

    fn tokens(&self, text: &str) -> Vec<i32> {
        // One token per byte is the most there can be; with a smaller limit the crate misreads
        // whisper.cpp's "too many" as a length.
        self.context.tokenize(text, text.len() + 1).unwrap_or_default()
    }

    fn error(&self, error: &dyn std::fmt::Display) -> SpeechError {
        SpeechError::Engine { engine: self.name.clone(), problem: error.to_string() }
    }
}
