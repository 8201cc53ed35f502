//! Words out of the dictionary: a small character network, trained on espeak-ng's readings.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Mutex, PoisonError},
};

use ort::{session::Session, value::Tensor};
use serde::Deserialize;

use super::{MODEL, files::read_json};
use crate::speech::{SpeechError, onnx};

/// The network that reads unknown words.
pub(super) struct UnknownWords {
    session: Mutex<Session>,
    letters: HashMap<char, i64>,
    phonemes: Vec<char>,
    max_letters: usize,
}

#[derive(Deserialize)]
struct Alphabets {
    r#in: Vec<char>,
    out: Vec<char>,
    maxlen: usize,
}

impl UnknownWords {
    /// Opens the network in `dir`.
    pub(super) fn load(dir: &Path) -> Result<Self, SpeechError> {
        let alphabets: Alphabets = read_json(dir, "oov.json")?;
        Ok(Self {
            session: Mutex::new(onnx::session(MODEL, &dir.join("oov.onnx"), 1)?),
            letters: alphabets.r#in.into_iter().zip(1..).collect(),
            phonemes: alphabets.out,
            max_letters: alphabets.maxlen,
        })
    }

    /// How `word` may sound; `None` when it has no letter that the network knows.
    pub(super) fn read(&self, word: &str) -> Result<Option<String>, SpeechError> {
        let ids = word.chars().filter_map(|c| self.letters.get(&c).copied());
        let ids: Vec<i64> = ids.take(self.max_letters).collect();
        if ids.is_empty() {
            return Ok(None);
        }
        let output = self.run(ids).map_err(onnx::failure(MODEL))?;
        Ok(Some(self.collapse(&output)))
    }

    fn run(&self, ids: Vec<i64>) -> ort::Result<Vec<i64>> {
        let input = Tensor::from_array(([1, ids.len()], ids))?;
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(ort::inputs!["chars" => input])?;
        let (_, output) = outputs["ids"].try_extract_tensor::<i64>()?;
        Ok(output.to_vec())
    }

    /// Connectionist temporal classification: repeats are one, 0 is a blank between.
    fn collapse(&self, output: &[i64]) -> String {
        let changes = output.chunk_by(|a, b| a == b).filter_map(|run| run.first());
        changes
            .filter_map(|id| self.phonemes.get(usize::try_from(id.checked_sub(1)?).ok()?))
            .collect()
    }
}
