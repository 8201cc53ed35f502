use std::{
    collections::{BTreeMap, HashSet},
    path::PathBuf,
    sync::Arc,
};

use super::{
    PromptCache, VoiceConfig,
    assemble::{Piece, assemble},
    finish,
    part::{Line, Part},
    recordings::{Recordings, styled, words_of},
    script::{clips, line_of, lines},
    voice::{Voice, key, text_of, whole_key},
};
use crate::{
    audio::{Hz8k, Manner, Pcm},
    speech::{SpeechError, Synthesizer},
    text::{Lang, Phrase, Style},
};

/// What the bot says, as audio: one for all calls.
pub struct Prompts {
    pub(super) voices: BTreeMap<Lang, Voice>,
    pub(super) cache: PromptCache,
    pub(super) recordings: Recordings,
}

/// What can be rendered before a call needs it.
enum Ahead {
    Clip(Part),
    Line(&'static Line),
}

impl Ahead {
    fn text(&self) -> String {
        match self {
            Self::Clip(part) => text_of(part).to_owned(),
            Self::Line(Line(units)) => units.iter().map(|unit| unit.text.as_str()).collect(),
        }
    }
}

impl Prompts {
    /// Prompts spoken by `voices`, one a language (the last one counts), kept in `cache`.
    pub fn new(voices: Vec<(VoiceConfig, Box<dyn Synthesizer>)>, cache: PromptCache) -> Self {
        let voices = voices
            .into_iter()
            .map(|(config, synthesizer)| (synthesizer.lang(), Voice { config, synthesizer }))
            .collect();
        Self { voices, cache, recordings: Recordings::default() }
    }

    /// Recorded prompts, by the hash of their content: where they stand.
    pub fn add_recordings<'a>(&self, files: impl IntoIterator<Item = (&'a str, PathBuf)>) {
        self.recordings.add(files);
    }

    /// Renders everything in `phrases` that does not depend on a value, and the units that Chinese
    /// values are made of (about a second each the first time). `progress` gets how many are done,
    /// of how many, and the text just begun. Returns how many had to be rendered.
    ///
    /// # Errors
    /// [`SpeechError::Unsupported`] for a language without a voice, and what the engine or the
    /// disk says. Words without a sound are skipped.
    pub fn prerender(
        &self,
        phrases: &[Phrase],
        progress: &mut dyn FnMut(usize, usize, &str),
    ) -> Result<usize, SpeechError> {
        let missing = self.missing(phrases)?;
        let total = missing.len();
        for (done, (voice, ahead)) in missing.iter().enumerate() {
            progress(done, total, &ahead.text());
            let rendered = match ahead {
                Ahead::Clip(part) => self.recording(voice, part, Keep::OnDisk).map(|_| ()),
                Ahead::Line(line) => self.record(voice, line),
            };
            match rendered {
                Ok(()) | Err(SpeechError::Unspeakable { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        progress(total, total, "");
        Ok(total)
    }

    /// What of `phrases` can be rendered ahead and is not there yet, each once.
    fn missing(&self, phrases: &[Phrase]) -> Result<Vec<(&Voice, Ahead)>, SpeechError> {
        let mut seen = HashSet::new();
        let mut missing = Vec::new();
        for phrase in phrases {
            let voice = self.voice(phrase.lang)?;
            let mut is_missing = |part: &Part| {
                key(voice, part)
                    .is_some_and(|key| seen.insert(key) && self.cache.get(&key).is_none())
            };
            for clip in clips(phrase) {
                if is_missing(&clip) {
                    missing.push((voice, Ahead::Clip(clip)));
                }
            }
            for line in lines(phrase) {
                let parts = line.0.iter().cloned().map(Part::Unit);
                // Not `any`: every unit of the line is seen then.
                if parts.filter(|unit| is_missing(unit)).count() > 0 {
                    missing.push((voice, Ahead::Line(line)));
                }
            }
        }
        Ok(missing)
    }

    /// The audio of `parts` as the voice speaks of itself.
    pub(super) fn speak(&self, lang: Lang, parts: &[Part]) -> Result<Arc<Pcm<Hz8k>>, SpeechError> {
        let voice = self.voice(lang)?;
        self.join(voice, parts, |part| match self.recording(voice, part, Keep::InMemory) {
            Err(SpeechError::Unspeakable { .. }) => Ok(None),
            recorded => recorded.map(Some),
        })
        .and_then(|joined| joined.ok_or_else(|| unspeakable(voice, parts)))
    }

    /// The same, if everything in it is there already.
    pub(super) fn spoken(&self, lang: Lang, parts: &[Part]) -> Option<Arc<Pcm<Hz8k>>> {
        let voice = self.voices.get(&lang)?;
        let get = |part: &Part| key(voice, part).and_then(|key| self.cache.get(&key));
        let find = |part: &Part| get(part).or_else(|| get(&words_of(part)?)).ok_or(());
        self.join(voice, parts, |part| find(part).map(Some)).ok().flatten()
    }

    /// The parts, got by `recording`, in one; `None` when none has a sound.
    fn join<E>(
        &self,
        voice: &Voice,
        parts: &[Part],
        recording: impl Fn(&Part) -> Result<Option<Arc<Pcm<Hz8k>>>, E>,
    ) -> Result<Option<Arc<Pcm<Hz8k>>>, E> {
        if let [whole] = parts {
            return recording(whole);
        }
        let phrase_key = whole_key(voice, parts, Manner::USUAL);
        if let Some(audio) = self.cache.in_memory(&phrase_key) {
            return Ok(Some(audio));
        }
        let mut pieces = Vec::with_capacity(parts.len());
        let mut style = Style::USUAL;
        for part in parts {
            match part {
                Part::Style(next) => style = *next,
                Part::Pause(ms) => pieces.push(Piece::Pause(*ms)),
                Part::Unit(_) => {
                    pieces.extend(recording(part)?.map(|unit| Piece::Unit(styled(unit, style))));
                }
                Part::Clip(_) | Part::Sentence(_) | Part::Recording(_) => {
                    pieces.extend(recording(part)?.map(|words| Piece::Words(styled(words, style))));
                }
            }
        }
        if !pieces.iter().any(|piece| !matches!(piece, Piece::Pause(_))) {
            return Ok(None);
        }
        let audio = Arc::new(assemble(pieces));
        self.cache.remember(phrase_key, Arc::clone(&audio));
        Ok(Some(audio))
    }

    /// The recording of one part, from the cache or spoken now and kept.
    fn recording(
        &self,
        voice: &Voice,
        part: &Part,
        keep: Keep,
    ) -> Result<Arc<Pcm<Hz8k>>, SpeechError> {
        let Some(key) = key(voice, part) else { return Ok(Arc::new(Pcm::silence(0))) };
        if let Some(audio) = self.cache.get(&key) {
            return Ok(audio);
        }
        if let Part::Recording(recording) = part {
            let Some(audio) = self.recordings.load(&recording.hash) else {
                return self.recording(voice, &Part::Clip(recording.words.clone()), keep);
            };
            let audio = Arc::new(finish::recorded(audio, voice.config.gain_db));
            self.cache.put(key, Arc::clone(&audio))?;
            return Ok(audio);
        }
        let text = text_of(part);
        if let Part::Unit(unit) = part {
            let line = line_of(unit).ok_or_else(|| voice.cannot_speak(text))?;
            self.record(voice, line)?;
            return self.cache.get(&key).ok_or_else(|| voice.cannot_speak(text));
        }
        let audio = Arc::new(finish::phrase(&voice.speak(text)?, voice.config.gain_db));
        if audio.is_empty() {
            return Err(voice.cannot_speak(text));
        }
        match keep {
            Keep::InMemory => self.cache.remember(key, Arc::clone(&audio)),
            Keep::OnDisk => self.cache.put(key, Arc::clone(&audio))?,
        }
        Ok(audio)
    }

    /// Speaks a line and keeps each of its units that is not there yet.
    fn record(&self, voice: &Voice, Line(units): &Line) -> Result<(), SpeechError> {
        for (unit, audio) in units.iter().zip(voice.speak_line(units)?) {
            let Some(key) = key(voice, &Part::Unit(unit.clone())) else { continue };
            if self.cache.get(&key).is_none() {
                self.cache.put(key, Arc::new(audio))?;
            }
        }
        Ok(())
    }

    fn voice(&self, lang: Lang) -> Result<&Voice, SpeechError> {
        self.voices.get(&lang).ok_or_else(|| SpeechError::Unsupported {
            engine: "the configuration".to_owned(),
            what: format!("speak {lang}: it names no voice for that language"),
        })
    }
}

/// Where audio is kept: what is spoken in a call may hold a caller's data, which do not belong on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    OnDisk,
    InMemory,
}

fn unspeakable(voice: &Voice, parts: &[Part]) -> SpeechError {
    voice.cannot_speak(&parts.iter().map(text_of).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        speech::prompts::fixture::Fixture,
        text::{self, ReadAs},
    };

    fn bill(lang: Lang, value: &str) -> Phrase {
        let pieces = vec![
            text::Piece::Words("您应还".to_owned()),
            text::Piece::Value { value: value.to_owned(), read_as: ReadAs::Amount },
            text::Piece::Words("，对吗？".to_owned()),
        ];
        Phrase { lang, pieces }
    }

    #[test]
    fn after_prerendering_any_chinese_value_is_there_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let zh = Fixture::new(dir.path(), Lang::Zh);
        assert!(zh.prompts.cached(&bill(Lang::Zh, "48215.60"), Manner::USUAL).is_none());
        zh.prerender(&[bill(Lang::Zh, "")]);
        let before = zh.spoken();
        assert!(zh.prompts.cached(&bill(Lang::Zh, "48215.60"), Manner::USUAL).is_some());
        assert!(zh.prompts.cached(&bill(Lang::Zh, "0.02"), Manner::USUAL).is_some());
        assert_eq!(zh.spoken(), before);
    }

    #[test]
    fn prerendering_again_speaks_nothing_even_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let rendered = Fixture::new(dir.path(), Lang::Zh).prerender(&[bill(Lang::Zh, "")]);
        assert!(rendered > 10);
        let restarted = Fixture::new(dir.path(), Lang::Zh);
        assert_eq!(restarted.prerender(&[bill(Lang::Zh, "")]), 0);
        assert_eq!(restarted.spoken(), 0);
    }

    #[test]
    fn another_lexicon_is_another_recording() {
        let dir = tempfile::tempdir().unwrap();
        Fixture::new(dir.path(), Lang::Zh).prerender(&[bill(Lang::Zh, "")]);
        let lexicon = BTreeMap::from([("应还".to_owned(), "ying1 huan2".to_owned())]);
        let changed = Fixture::with(dir.path(), Lang::Zh, lexicon);
        assert!(changed.prerender(&[bill(Lang::Zh, "")]) > 10);
    }

    #[test]
    fn an_english_value_is_spoken_once_and_stays_off_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let en = Fixture::new(dir.path(), Lang::En);
        let first = en.prompts.render(&bill(Lang::En, "12.50"), Manner::USUAL).unwrap();
        assert_eq!(en.prompts.render(&bill(Lang::En, "12.50"), Manner::USUAL).unwrap(), first);
        assert_eq!(en.prompts.cached(&bill(Lang::En, "12.50"), Manner::USUAL), Some(first));
        assert_eq!(en.spoken(), 1);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn another_manner_is_made_once_and_is_longer() {
        let dir = tempfile::tempdir().unwrap();
        let zh = Fixture::new(dir.path(), Lang::Zh);
        let phrase = bill(Lang::Zh, "12.50");
        let usual = zh.prompts.render(&phrase, Manner::USUAL).unwrap();
        let slow = Manner { rate_percent: 80, gain_db: 6 };
        assert_eq!(zh.prompts.cached(&phrase, slow), None);
        let said = zh.prompts.render(&phrase, slow).unwrap();
        assert_eq!(said.len(), usual.len() * 100 / 80);
        assert!(Arc::ptr_eq(&zh.prompts.cached(&phrase, slow).unwrap(), &said));
    }

    #[test]
    fn progress_counts_to_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let zh = Fixture::new(dir.path(), Lang::Zh);
        let mut seen = Vec::new();
        let mut progress = |done: usize, total: usize, _: &str| seen.push((done, total));
        let total = zh.prompts.prerender(&[bill(Lang::Zh, "")], &mut progress).unwrap();
        assert_eq!(seen.first(), Some(&(0, total)));
        assert_eq!(seen.last(), Some(&(total, total)));
    }

    #[test]
    fn a_phrase_without_a_sound_is_unspeakable() {
        let dir = tempfile::tempdir().unwrap();
        let zh = Fixture::new(dir.path(), Lang::Zh);
        for silent in ["", "。。。", "🙂"] {
            let pieces = vec![text::Piece::Words(silent.to_owned())];
            let error =
                zh.prompts.render(&Phrase { lang: Lang::Zh, pieces }, Manner::USUAL).unwrap_err();
            assert!(matches!(error, SpeechError::Unspeakable { .. }), "{silent:?}: {error}");
        }
    }

    #[test]
    fn a_language_without_a_voice_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let zh = Fixture::new(dir.path(), Lang::Zh);
        let said = zh.prompts.render(&bill(Lang::En, "1"), Manner::USUAL).unwrap_err().to_string();
        assert!(said.contains("speak en"), "{said}");
    }
}
