//! What callers of a number get before the answer, as it stands in `hotline.toml`.

use std::{path::PathBuf, sync::Arc, time::Duration};

use serde::Deserialize;

use super::ServiceError;
use crate::{audio::read_8k, call};

/// What a caller gets before the answer: `{ ringing_ms = 2000 }` or `{ announcement = "a.wav" }`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BeforeAnswer {
    /// Ringing for so many milliseconds.
    RingingMs(u64),
    /// This WAV file as early media, to its end.
    Announcement(PathBuf),
}

impl BeforeAnswer {
    /// The file it is in, if it is in one.
    pub(super) fn path(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::RingingMs(_) => None,
            Self::Announcement(path) => Some(path),
        }
    }

    /// Reads the file.
    pub(super) fn load(&self) -> Result<call::BeforeAnswer, ServiceError> {
        Ok(match self {
            Self::RingingMs(ms) => call::BeforeAnswer::Ringing(Duration::from_millis(*ms)),
            Self::Announcement(path) => {
                let audio = read_8k(path).map_err(|e| ServiceError::Announcement {
                    path: path.clone(),
                    problem: e.to_string(),
                })?;
                call::BeforeAnswer::Announcement(Arc::new(audio))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<BeforeAnswer, String> {
        #[derive(Deserialize)]
        struct Number {
            before_answer: BeforeAnswer,
        }
        let number: Result<Number, _> = toml::from_str(text);
        number.map(|n| n.before_answer).map_err(|e| e.to_string())
    }

    #[test]
    fn both_forms_are_read() {
        let ringing = parsed("before_answer = { ringing_ms = 2000 }").unwrap();
        assert_eq!(ringing, BeforeAnswer::RingingMs(2_000));
        let announcement = parsed("before_answer = { announcement = \"a.wav\" }").unwrap();
        assert_eq!(announcement, BeforeAnswer::Announcement("a.wav".into()));
    }

    #[test]
    fn others_are_refused_by_name() {
        let error = parsed("before_answer = { music = 1 }").unwrap_err();
        assert!(error.contains("music") && error.contains("announcement"), "{error}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let missing = BeforeAnswer::Announcement("no/such.wav".into());
        assert!(missing.load().unwrap_err().to_string().contains("no/such.wav"));
    }
}
