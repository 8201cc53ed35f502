//! Speech recognisers: sherpa-onnx (offline and streaming) and whisper.cpp.

mod artefacts;
mod moonshine;
mod settings;
mod streaming;
mod whisper;

use std::path::Path;

use super::{Recognizer, SpeechError};
pub use moonshine::Moonshine;
pub use settings::{EngineKind, RecognizerConfig};
pub use streaming::Streaming;
pub use whisper::Whisper;

/// Loads the recogniser that `config` describes; registry models are looked for in
/// `models_dir/<model>/`. Takes up to a second and belongs on a blocking thread.
///
/// # Errors
/// [`SpeechError::MissingFile`] and [`SpeechError::BadFile`] for its files,
/// [`SpeechError::Unsupported`] for settings that do not go together,
/// [`SpeechError::Engine`] when the engine refuses the model.
pub fn load(
    config: &RecognizerConfig,
    models_dir: &Path,
) -> Result<Box<dyn Recognizer>, SpeechError> {
    let model = config.model_dir(models_dir)?;
    Ok(match config.engine {
        EngineKind::Moonshine => Box::new(Moonshine::load(&model, config.threads())?),
        EngineKind::Whisper => Box::new(Whisper::load(&model, config.threads(), config.lang)?),
        EngineKind::Zipformer | EngineKind::Paraformer => {
            Box::new(Streaming::load(config.engine, &model, config.threads(), config.lang)?)
        }
    })
}
