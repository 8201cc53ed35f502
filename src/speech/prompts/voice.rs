//! A voice, and the keys under which what it says is kept.

use sha2::{Digest, Sha256};

use super::{
    VoiceConfig,
    assemble::OVERLAP_MS,
    cache::Key,
    finish,
    part::{Part, Recording, Unit},
};
use crate::{
    audio::{Hz8k, Hz24k, Manner, Pcm},
    speech::{SpeechError, Synthesizer},
};

/// Raised when [`finish`] or the scripts change the audio of the same text.
const FINISH: &str = "3";
/// Numbers are spoken slower than the words around them.
const LINE_SPEED: f32 = 0.85;

/// One voice: its definition and what speaks.
pub(super) struct Voice {
    pub(super) config: VoiceConfig,
    pub(super) synthesizer: Box<dyn Synthesizer>,
}

impl Voice {
    pub(super) fn speak(&self, text: &str) -> Result<Pcm<Hz24k>, SpeechError> {
        self.synthesizer.synthesize(text, self.config.speed)
    }

    pub(super) fn speak_line(&self, units: &[Unit]) -> Result<Vec<Pcm<Hz8k>>, SpeechError> {
        let words: Vec<String> = units
            .iter()
            .map(|unit| unit.text.clone() + if unit.last { "，" } else { "" })
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let speed = self.config.speed * LINE_SPEED;
        let spoken = self.synthesizer.synthesize_words(&words, speed)?;
        let last: Vec<bool> = units.iter().map(|unit| unit.last).collect();
        Ok(finish::words(&spoken, &last, OVERLAP_MS / 2, self.config.gain_db))
    }

    pub(super) fn cannot_speak(&self, text: &str) -> SpeechError {
        SpeechError::Unspeakable {
            engine: self.synthesizer.name().to_owned(),
            text: text.to_owned(),
        }
    }
}

pub(super) fn text_of(part: &Part) -> &str {
    match part {
        Part::Clip(text) | Part::Sentence(text) | Part::Unit(Unit { text, .. }) => text,
        Part::Recording(Recording { words, .. }) => words,
        Part::Pause(_) | Part::Style(_) => "",
    }
}

/// Key of everything that a part's audio depends on; none for a pause.
pub(super) fn key(voice: &Voice, part: &Part) -> Option<Key> {
    let kind = match part {
        Part::Recording(Recording { hash: recorded, .. }) => {
            return Some(hash(voice, ["recording", recorded].into_iter()));
        }
        Part::Clip(_) => "clip",
        Part::Sentence(_) => "sentence",
        Part::Unit(Unit { last: false, .. }) => "unit",
        Part::Unit(Unit { last: true, .. }) => "last unit",
        Part::Pause(_) | Part::Style(_) => return None,
    };
    Some(hash(voice, [kind, text_of(part)].into_iter()))
}

/// Key of the joined audio of `parts`, said in that manner; lives in memory only.
pub(super) fn whole_key(voice: &Voice, parts: &[Part], manner: Manner) -> Key {
    let parts: Vec<String> = parts.iter().map(|part| format!("{part:?}")).collect();
    let manner = format!("{manner:?}");
    hash(voice, parts.iter().map(String::as_str).chain([manner.as_str()]))
}

fn hash<'a>(voice: &Voice, what: impl Iterator<Item = &'a str>) -> Key {
    let config = &voice.config;
    let sound = format!("{}/{}/{}", FINISH, config.speed, config.gain_db);
    let lexicon = config.lexicon.iter().flat_map(|(word, sound)| [word.as_str(), sound]);
    let mut hash = Sha256::new();
    let mut add = |field: &str| {
        // The length keeps "a","bc" apart from "ab","c".
        hash.update((field.len() as u64).to_le_bytes());
        hash.update(field);
    };
    [voice.synthesizer.name(), &sound].into_iter().chain(lexicon).for_each(&mut add);
    what.for_each(&mut add);
    hash.finalize().into()
}
