//! Turning published weights into the files our engines read.

mod ct2;
mod mel;
mod moonshine;
mod vocabulary;
mod whisper;

#[cfg(test)]
mod tests;

pub(super) use moonshine::tokens_txt;
pub(super) use whisper::ggml;

/// Why a conversion stopped.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConvertError {
    /// The input is not what it should be.
    #[error("{0}")]
    Input(String),
    /// The output could not be written.
    #[error(transparent)]
    Write(#[from] std::io::Error),
}

/// Shorthand for [`ConvertError::Input`].
fn bad<T>(problem: impl Into<String>) -> Result<T, ConvertError> {
    Err(ConvertError::Input(problem.into()))
}
