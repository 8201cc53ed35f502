//! Prompts as slow and as loud as a caller wants them.

use std::sync::Arc;

use super::{Prompts, cache::Key, part::Part, script::parts, voice::whole_key};
use crate::{
    audio::{Hz8k, Manner, Pcm},
    speech::SpeechError,
    text::{Lang, Phrase},
};

impl Prompts {
    /// The audio of `phrase`, said in that manner; speaks what is not cached, which may take
    /// seconds: call it on an inference thread.
    ///
    /// # Errors
    /// [`SpeechError::Unspeakable`] when nothing in the phrase has a sound, otherwise as
    /// [`prerender`](Self::prerender).
    pub fn render(&self, phrase: &Phrase, manner: Manner) -> Result<Arc<Pcm<Hz8k>>, SpeechError> {
        self.render_parts(phrase.lang, &parts(phrase), manner)
    }

    /// The audio of `phrase` in that manner if everything in it is there already; takes a few
    /// milliseconds at most. `None` means that [`render`](Self::render) has something to do.
    pub fn cached(&self, phrase: &Phrase, manner: Manner) -> Option<Arc<Pcm<Hz8k>>> {
        self.cached_parts(phrase.lang, &parts(phrase), manner)
    }

    pub(super) fn render_parts(
        &self,
        lang: Lang,
        parts: &[Part],
        manner: Manner,
    ) -> Result<Arc<Pcm<Hz8k>>, SpeechError> {
        if let Some(audio) = self.cached_parts(lang, parts, manner) {
            return Ok(audio);
        }
        let usual = self.speak(lang, parts)?;
        let Some(key) = self.key_of(lang, parts, manner) else { return Ok(usual) };
        let audio = Arc::new(manner.apply(&usual));
        self.cache.remember(key, Arc::clone(&audio));
        Ok(audio)
    }

    pub(super) fn cached_parts(
        &self,
        lang: Lang,
        parts: &[Part],
        manner: Manner,
    ) -> Option<Arc<Pcm<Hz8k>>> {
        match self.key_of(lang, parts, manner) {
            Some(key) => self.cache.in_memory(&key),
            None => self.spoken(lang, parts),
        }
    }

    /// Where the audio of an unusual manner is kept.
    fn key_of(&self, lang: Lang, parts: &[Part], manner: Manner) -> Option<Key> {
        let voice = self.voices.get(&lang)?;
        (manner != Manner::USUAL).then(|| whole_key(voice, parts, manner))
    }
}
