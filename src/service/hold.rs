use std::{path::PathBuf, sync::Arc};

use serde::Deserialize;

use super::ServiceError;
use crate::audio::{Hz8k, Pcm, read_8k};

/// Callers whom we put on hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hold {
    /// A WAV file that they hear, over and over; silence without it.
    pub music: Option<PathBuf>,
}

impl Hold {
    /// Reads the file.
    pub(super) fn load(&self) -> Result<Option<Arc<Pcm<Hz8k>>>, ServiceError> {
        let Some(path) = &self.music else { return Ok(None) };
        let audio = read_8k(path).map_err(|e| ServiceError::Announcement {
            path: path.clone(),
            problem: e.to_string(),
        })?;
        Ok(Some(Arc::new(audio)))
    }
}
