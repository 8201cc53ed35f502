use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use sha2::{Digest, Sha256};

use super::{
    PromptCache, VoiceConfig,
    assemble::{Piece, assemble},
    cache::Key,
    finish,
    script::{Part, known_ahead, parts},
};
use crate::{
    audio::{Hz8k, Hz24k, Pcm},
    speech::{SpeechError, Synthesizer},
    text::{Lang, Phrase},
};

/// Raised when [`finish`] or the scripts change the audio of the same text.
const FINISH: &str = "2";
const UNIT_SPEED: f32 = 0.85;

/// What the bot says, as audio: one for all calls.
pub struct Prompts {
    voices: BTreeMap<Lang, Voice>,
    cache: PromptCache,
}

struct Voice {
    config: VoiceConfig,
    synthesizer: Box<dyn Synthesizer>,
}

impl Prompts {
    /// Prompts spoken by `voices`, one a language (the last one counts), kept in `cache`.
    pub fn new(voices: Vec<(VoiceConfig, Box<dyn Synthesizer>)>, cache: PromptCache) -> Self {
        let voices = voices
            .into_iter()
            .map(|(config, synthesizer)| (synthesizer.lang(), Voice { config, synthesizer }))
            .collect();
        Self { voices, cache }
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
        let mut seen = HashSet::new();
        let mut missing = Vec::new();
        for phrase in phrases {
            let voice = self.voice(phrase.lang)?;
            for part in known_ahead(phrase) {
                let Some(key) = key(voice, &part) else { continue };
                if seen.insert(key) && self.cache.get(&key).is_none() {
                    missing.push((voice, part));
                }
            }
        }
        let total = missing.len();
        for (done, (voice, part)) in missing.iter().enumerate() {
            progress(done, total, text_of(part));
            match self.recording(voice, part) {
                Ok(_) | Err(SpeechError::Unspeakable { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        progress(total, total, "");
        Ok(total)
    }

    /// The audio of `phrase`; speaks what is not cached, which may take seconds: call it on an
    /// inference thread.
    ///
    /// # Errors
    /// [`SpeechError::Unspeakable`] when nothing in the phrase has a sound, otherwise as
    /// [`prerender`](Self::prerender).
    pub fn render(&self, phrase: &Phrase) -> Result<Arc<Pcm<Hz8k>>, SpeechError> {
        let voice = self.voice(phrase.lang)?;
        self.join(voice, phrase, |part| match self.recording(voice, part) {
            Err(SpeechError::Unspeakable { .. }) => Ok(None),
            recorded => recorded.map(Some),
        })
        .and_then(|joined| joined.ok_or_else(|| unspeakable(voice, phrase)))
    }

    /// The audio of `phrase` if everything in it is there already; takes a few milliseconds at
    /// most. `None` means that [`render`](Self::render) has something to speak.
    pub fn cached(&self, phrase: &Phrase) -> Option<Arc<Pcm<Hz8k>>> {
        let voice = self.voices.get(&phrase.lang)?;
        let find = |part: &Part| key(voice, part).and_then(|key| self.cache.get(&key)).ok_or(());
        self.join(voice, phrase, |part| find(part).map(Some)).ok().flatten()
    }

    /// The parts of `phrase`, got by `recording`, in one; `None` when none has a sound.
    fn join<E>(
        &self,
        voice: &Voice,
        phrase: &Phrase,
        recording: impl Fn(&Part) -> Result<Option<Arc<Pcm<Hz8k>>>, E>,
    ) -> Result<Option<Arc<Pcm<Hz8k>>>, E> {
        let parts = parts(phrase);
        if let [whole] = parts.as_slice() {
            return recording(whole);
        }
        let phrase_key = whole_key(voice, &parts);
        if let Some(audio) = self.cache.in_memory(&phrase_key) {
            return Ok(Some(audio));
        }
        let mut pieces = Vec::with_capacity(parts.len());
        for part in &parts {
            match part {
                Part::Pause(ms) => pieces.push(Piece::Pause(*ms)),
                Part::Unit(_) => pieces.extend(recording(part)?.map(Piece::Unit)),
                Part::Clip(_) | Part::Sentence(_) => {
                    pieces.extend(recording(part)?.map(Piece::Words));
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
    fn recording(&self, voice: &Voice, part: &Part) -> Result<Arc<Pcm<Hz8k>>, SpeechError> {
        let Some(key) = key(voice, part) else { return Ok(Arc::new(Pcm::silence(0))) };
        if let Some(audio) = self.cache.get(&key) {
            return Ok(audio);
        }
        let (text, gain_db) = (text_of(part), voice.config.gain_db);
        let audio = Arc::new(match part {
            Part::Unit(unit) => voice.speak_unit(unit)?,
            _ => finish::phrase(&voice.speak(text)?, gain_db),
        });
        if audio.is_empty() {
            return Err(voice.cannot_speak(text));
        }
        match part {
            Part::Sentence(_) => self.cache.remember(key, Arc::clone(&audio)),
            _ => self.cache.put(key, Arc::clone(&audio))?,
        }
        Ok(audio)
    }

    fn voice(&self, lang: Lang) -> Result<&Voice, SpeechError> {
        self.voices.get(&lang).ok_or_else(|| SpeechError::Unsupported {
            engine: "the configuration".to_owned(),
            what: format!("speak {lang}: it names no voice for that language"),
        })
    }
}

impl Voice {
    fn speak(&self, text: &str) -> Result<Pcm<Hz24k>, SpeechError> {
        self.synthesizer.synthesize(text, self.config.speed)
    }

    /// A unit alone sounds odd: Kokoro needs some text to go by. One syllable is spoken before 八,
    /// whose closed lips show where to cut, and a little slower, because it is short in company.
    fn speak_unit(&self, unit: &str) -> Result<Pcm<Hz8k>, SpeechError> {
        let gain_db = self.config.gain_db;
        if unit.chars().count() > 1 {
            return Ok(finish::unit(&self.speak(unit)?, gain_db));
        }
        let carrier = format!("{unit}八 八八。");
        let speed = self.config.speed * UNIT_SPEED;
        Ok(finish::first_syllable(&self.synthesizer.synthesize(&carrier, speed)?, gain_db))
    }

    fn cannot_speak(&self, text: &str) -> SpeechError {
        SpeechError::Unspeakable {
            engine: self.synthesizer.name().to_owned(),
            text: text.to_owned(),
        }
    }
}

fn unspeakable(voice: &Voice, phrase: &Phrase) -> SpeechError {
    voice.cannot_speak(&phrase.to_string())
}

fn text_of(part: &Part) -> &str {
    match part {
        Part::Clip(text) | Part::Sentence(text) | Part::Unit(text) => text,
        Part::Pause(_) => "",
    }
}

/// Key of everything that a part's audio depends on; none for a pause.
fn key(voice: &Voice, part: &Part) -> Option<Key> {
    let kind = match part {
        Part::Clip(_) => "clip",
        Part::Sentence(_) => "sentence",
        Part::Unit(_) => "unit",
        Part::Pause(_) => return None,
    };
    Some(hash(voice, [kind, text_of(part)].into_iter()))
}

/// Key of the joined audio of `parts`; lives in memory only.
fn whole_key(voice: &Voice, parts: &[Part]) -> Key {
    let parts: Vec<String> = parts.iter().map(|part| format!("{part:?}")).collect();
    hash(voice, parts.iter().map(String::as_str))
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

#[cfg(test)]
mod tests {
    use std::{
        path::Path,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::*;
    use crate::{
        speech::prompts::{CacheLimits, EngineKind},
        text::{self, ReadAs},
    };

    /// Speaks a tenth of a second of tone a character and counts how often.
    struct Beeper {
        lang: Lang,
        spoken: Arc<AtomicUsize>,
    }

    impl Synthesizer for Beeper {
        fn name(&self) -> &str {
            "beeper"
        }

        fn lang(&self) -> Lang {
            self.lang
        }

        fn synthesize(&self, text: &str, _: f32) -> Result<Pcm<Hz24k>, SpeechError> {
            if !text.chars().any(char::is_alphabetic) {
                return Err(SpeechError::Unspeakable {
                    engine: "beeper".into(),
                    text: text.into(),
                });
            }
            self.spoken.fetch_add(1, Ordering::Relaxed);
            let len = text.chars().count() * 2_400;
            Ok(Pcm::from_f32(&(0..len).map(|i| (i as f32 * 0.1).sin() * 0.3).collect::<Vec<_>>()))
        }
    }

    struct Fixture {
        prompts: Prompts,
        spoken: Arc<AtomicUsize>,
    }

    impl Fixture {
        fn new(dir: &Path, lang: Lang) -> Self {
            Self::with(dir, lang, BTreeMap::new())
        }

        fn with(dir: &Path, lang: Lang, lexicon: BTreeMap<String, String>) -> Self {
            let spoken = Arc::default();
            let config = VoiceConfig {
                name: "test".into(),
                lang,
                engine: EngineKind::Kokoro,
                model: "beeper".into(),
                speaker: None,
                speed: 1.0,
                gain_db: 0.0,
                lexicon,
            };
            let beeper = Beeper { lang, spoken: Arc::clone(&spoken) };
            let cache = PromptCache::open(dir, CacheLimits::default()).unwrap();
            Self { prompts: Prompts::new(vec![(config, Box::new(beeper))], cache), spoken }
        }

        fn spoken(&self) -> usize {
            self.spoken.load(Ordering::Relaxed)
        }

        fn prerender(&self, phrases: &[Phrase]) -> usize {
            self.prompts.prerender(phrases, &mut |_, _, _| {}).unwrap()
        }
    }

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
        assert!(zh.prompts.cached(&bill(Lang::Zh, "48215.60")).is_none());
        zh.prerender(&[bill(Lang::Zh, "")]);
        let before = zh.spoken();
        assert!(zh.prompts.cached(&bill(Lang::Zh, "48215.60")).is_some());
        assert!(zh.prompts.cached(&bill(Lang::Zh, "0.02")).is_some());
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
        let first = en.prompts.render(&bill(Lang::En, "12.50")).unwrap();
        assert_eq!(en.prompts.render(&bill(Lang::En, "12.50")).unwrap(), first);
        assert_eq!(en.prompts.cached(&bill(Lang::En, "12.50")), Some(first));
        assert_eq!(en.spoken(), 1);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
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
            let error = zh.prompts.render(&Phrase { lang: Lang::Zh, pieces }).unwrap_err();
            assert!(matches!(error, SpeechError::Unspeakable { .. }), "{silent:?}: {error}");
        }
    }

    #[test]
    fn a_language_without_a_voice_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let zh = Fixture::new(dir.path(), Lang::Zh);
        let said = zh.prompts.render(&bill(Lang::En, "1")).unwrap_err().to_string();
        assert!(said.contains("speak en"), "{said}");
    }
}
