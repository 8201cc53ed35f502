//! Reading the JSON files of the model's folder.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

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
    let mut json = Vec::new();
    // Parsing from memory is several times faster than from a reader.
    let read = if name.ends_with(".gz") {
        GzDecoder::new(BufReader::new(file)).read_to_end(&mut json)
    } else {
        BufReader::new(file).read_to_end(&mut json)
    };
    let bad = |problem: String| SpeechError::BadFile { path: path.clone(), problem };
    read.map_err(|error| bad(error.to_string()))?;
    serde_json::from_slice(&json).map_err(|error| bad(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("words.json.gz"), b"not gzip").unwrap();
        std::fs::write(dir.path().join("words.json"), b"{\"a\": ").unwrap();
        for name in ["words.json.gz", "words.json"] {
            let error = read_json::<Vec<u8>>(dir.path(), name).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
            assert!(error.ends_with("run `hotline models verify`"), "{error}");
        }
    }
}
