//! A voice for tests.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{CacheLimits, EngineKind, PromptCache, Prompts, VoiceConfig};
use crate::{
    audio::{Hz24k, Pcm},
    speech::{SpeechError, Synthesizer},
    text::{Lang, Phrase},
};

/// Speaks a tenth of a second of tone a character and counts how often.
struct Beeper {
    lang: Lang,
    spoken: Arc<AtomicUsize>,
    at_once: usize,
}

impl Synthesizer for Beeper {
    fn name(&self) -> &str {
        "beeper"
    }

    fn lang(&self) -> Lang {
        self.lang
    }

    fn at_once(&self) -> usize {
        self.at_once
    }

    fn synthesize(&self, text: &str, _: f32) -> Result<Pcm<Hz24k>, SpeechError> {
        if !text.chars().any(char::is_alphabetic) {
            return Err(SpeechError::Unspeakable { engine: "beeper".into(), text: text.into() });
        }
        self.spoken.fetch_add(1, Ordering::Relaxed);
        let len = text.chars().count() * 2_400;
        Ok(Pcm::from_f32(&(0..len).map(|i| (i as f32 * 0.1).sin() * 0.3).collect::<Vec<_>>()))
    }
}

/// Prompts spoken by a [`Beeper`].
pub(super) struct Fixture {
    pub(super) prompts: Prompts,
    spoken: Arc<AtomicUsize>,
}

impl Fixture {
    pub(super) fn new(dir: &Path, lang: Lang) -> Self {
        Self::with(dir, lang, BTreeMap::new())
    }

    pub(super) fn with(dir: &Path, lang: Lang, lexicon: BTreeMap<String, String>) -> Self {
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
        let at_once = if lang == Lang::En { 40 } else { 0 };
        let beeper = Beeper { lang, spoken: Arc::clone(&spoken), at_once };
        let cache = PromptCache::open(dir, CacheLimits::default()).unwrap();
        Self { prompts: Prompts::new(vec![(config, Box::new(beeper))], cache), spoken }
    }

    pub(super) fn spoken(&self) -> usize {
        self.spoken.load(Ordering::Relaxed)
    }

    pub(super) fn prerender(&self, phrases: &[Phrase]) -> usize {
        self.prompts.prerender(phrases, &mut |_, _, _| {}).unwrap()
    }
}
