//! Reading the JSON files of the model's folder.

use std::{fs::File, io::BufReader, path::Path};

use flate2::read::GzDecoder;
use serde::de::DeserializeOwned;

use super::MODEL;
use crate::speech::SpeechError;

/// Reads a JSON file, gzipped when its name ends in `.gz`.
pub(super) fn read_json<T: DeserializeOwned>(dir: &Path, name: &str) -> Result<T, SpeechError> {
    let path = dir.join(name);
    let file = File::open(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            SpeechError::MissingFile { model: MODEL.to_owned(), path: path.clone() }
        }
        _ => SpeechError::BadFile { path: path.clone(), problem: error.to_string() },
    })?;
    let file = BufReader::new(file);
    let parsed = if name.ends_with(".gz") {
        serde_json::from_reader(BufReader::new(GzDecoder::new(file)))
    } else {
        serde_json::from_reader(file)
    };
    parsed.map_err(|error| SpeechError::BadFile { path, problem: error.to_string() })
}
