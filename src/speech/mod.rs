//! Floor 3: hearing and speaking. Traits, the engines behind them, models, the inference
//! scheduler and the prompt-audio cache.

mod engine;
pub mod hibari;
pub mod kokoro;
pub mod models;
pub mod onnx;
pub mod prompts;
pub mod recognizers;
pub mod scheduler;
pub mod vad;

pub use engine::{Hints, Recognizer, RecognizerStream, SpeechError, SpokenWords, Synthesizer};
