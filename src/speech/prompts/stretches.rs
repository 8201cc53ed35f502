//! What has to be spoken in the call: the first clause is heard before the rest is made.

use std::{mem, sync::Arc};

use super::{
    Prompts,
    part::Part,
    script::{parts, pause_of},
    voice::{Voice, key, text_of},
};
use crate::{
    audio::{Hz8k, Manner, Pcm},
    speech::SpeechError,
    text::{Lang, Phrase, Style, clauses},
};

/// A part of a phrase that is made in one go, with the pause after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    lang: Lang,
    parts: Vec<Part>,
}

impl Prompts {
    /// The phrase in the stretches in which it is best made, in speaking order: one of all that is there
    /// already, and of what has to be spoken first a clause and then longer ones, each of which can be made
    /// while those before it sound. A single one when nothing is gained by more; none without anything
    /// to say, or without a voice for it.
    pub fn stretches(&self, phrase: &Phrase) -> Vec<Stretch> {
        let Some(voice) = self.voices.get(&phrase.lang) else { return Vec::new() };
        let mut stretches = Stretches {
            voice,
            lang: phrase.lang,
            style: Style::USUAL,
            done: Vec::new(),
            open: Vec::new(),
            chars: 0,
        };
        for part in parts(phrase) {
            match part {
                Part::Clip(_) | Part::Sentence(_) if !self.is_there(voice, &part) => {
                    stretches.speak(part)
                }
                Part::Style(style) => {
                    stretches.style = style;
                    stretches.open.push(part);
                }
                part => stretches.open.push(part),
            }
        }
        stretches.close();
        stretches.done
    }

    /// The audio of a stretch in that manner, if everything in it is there already.
    pub fn cached_stretch(&self, stretch: &Stretch, manner: Manner) -> Option<Arc<Pcm<Hz8k>>> {
        self.cached_parts(stretch.lang, &stretch.parts, manner)
    }

    /// The audio of a stretch, as [`render`](Self::render) makes that of a phrase.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub fn render_stretch(
        &self,
        stretch: &Stretch,
        manner: Manner,
    ) -> Result<Arc<Pcm<Hz8k>>, SpeechError> {
        self.render_parts(stretch.lang, &stretch.parts, manner)
    }

    fn is_there(&self, voice: &Voice, part: &Part) -> bool {
        key(voice, part).is_some_and(|key| self.cache.get(&key).is_some())
    }
}

/// Stretches being cut.
struct Stretches<'a> {
    voice: &'a Voice,
    lang: Lang,
    /// How what follows is said; each stretch is made by itself.
    style: Style,
    done: Vec<Stretch>,
    /// The next one so far.
    open: Vec<Part>,
    /// Characters in all that is done.
    chars: usize,
}

impl Stretches<'_> {
    /// Adds what has to be spoken, cut where it is too long to be waited for.
    fn speak(&mut self, part: Part) {
        let whole = text_of(&part).to_owned();
        let like = |text: &str| match part {
            Part::Clip(_) => Part::Clip(text.to_owned()),
            _ => Part::Sentence(text.to_owned()),
        };
        self.close();
        let (mut from, mut until) = (0, 0);
        for clause in clauses(self.lang, &whole) {
            let end = clause.as_ptr() as usize - whole.as_ptr() as usize + clause.len();
            if until > from && whole[from..end].chars().count() > self.most() {
                self.add(like, &whole[from..until], true);
                from = until;
            }
            until = end;
        }
        // What follows the last clause has no sound of its own, or is a mark.
        self.add(like, &whole[from..], false);
    }

    /// Characters that can be made in one go: at the beginning while the caller waits, later while half
    /// of what is done sounds.
    fn most(&self) -> usize {
        self.voice.synthesizer.at_once().max(self.chars / 2)
    }

    fn add(&mut self, like: impl Fn(&str) -> Part, text: &str, goes_on: bool) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        self.open.push(like(text));
        if goes_on {
            let bare = text.trim_end_matches(|c: char| !c.is_alphanumeric());
            pause_of(&text[bare.len()..], &mut self.open);
        }
        self.close();
    }

    fn close(&mut self) {
        let parts = mem::take(&mut self.open);
        if parts.iter().any(Part::sounds) {
            self.chars += parts.iter().map(|part| text_of(part).chars().count()).sum::<usize>();
            self.done.push(Stretch { lang: self.lang, parts });
        } else if let Some(last) = self.done.last_mut() {
            last.parts.extend(parts);
        }
        if self.style != Style::USUAL {
            self.open.push(Part::Style(self.style));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        speech::prompts::fixture::Fixture,
        text::{Piece, ReadAs},
    };

    fn words(lang: Lang, text: &str) -> Phrase {
        Phrase { lang, pieces: vec![Piece::Words(text.to_owned())] }
    }

    fn show(stretches: &[Stretch]) -> Vec<String> {
        let parts = |stretch: &Stretch| stretch.parts.iter().map(text_of).collect::<String>();
        stretches.iter().map(parts).collect()
    }

    #[test]
    fn a_slow_voice_speaks_the_first_clause_first_and_then_as_much_as_there_is_time_for() {
        let dir = tempfile::tempdir().unwrap();
        let zh = Fixture::new(dir.path(), Lang::Zh);
        let said = "好的，王女士，您的申请已经收到，我们会在三个工作日之内给您回电，请您保持电话畅通，谢谢。";
        let stretches = zh.prompts.stretches(&words(Lang::Zh, said));
        assert_eq!(
            show(&stretches),
            [
                "好的，",
                "王女士，",
                "您的申请已经收到，",
                "我们会在三个工作日之内给您回电，",
                "请您保持电话畅通，谢谢。"
            ]
        );
        assert!(matches!(stretches[0].parts[..], [Part::Clip(_), Part::Pause(120)]));
        assert!(matches!(stretches[4].parts[..], [Part::Clip(_)]));
    }

    #[test]
    fn a_fast_voice_speaks_short_sentences_whole_and_long_ones_in_few_parts() {
        let dir = tempfile::tempdir().unwrap();
        let en = Fixture::new(dir.path(), Lang::En);
        let short = words(Lang::En, "Well, you owe us 12 dollars, Maria.");
        assert_eq!(en.prompts.stretches(&short).len(), 1);
        let long = words(
            Lang::En,
            "Thank you, Maria. Your next bill comes on Monday, it is a little higher than before. Is that all right?",
        );
        assert_eq!(
            show(&en.prompts.stretches(&long)),
            [
                "Thank you, Maria.",
                "Your next bill comes on Monday,",
                "it is a little higher than before.",
                "Is that all right?"
            ]
        );
    }

    #[test]
    fn what_is_there_already_is_not_cut() {
        let dir = tempfile::tempdir().unwrap();
        let zh = Fixture::new(dir.path(), Lang::Zh);
        let greeting = Phrase {
            lang: Lang::Zh,
            pieces: vec![
                Piece::Words("您好，欢迎您，".to_owned()),
                Piece::Value { value: "王芳".to_owned(), read_as: ReadAs::Text },
                Piece::Words("，请问有什么可以帮您？".to_owned()),
            ],
        };
        zh.prerender(std::slice::from_ref(&greeting));
        let stretches = zh.prompts.stretches(&greeting);
        assert_eq!(show(&stretches), ["您好，欢迎您，", "王芳", "请问有什么可以帮您？"]);
        let cached = |stretch| zh.prompts.cached_stretch(stretch, Manner::USUAL).is_some();
        assert_eq!(stretches.iter().map(cached).collect::<Vec<_>>(), [true, false, true]);
    }

    #[test]
    fn the_stretches_hold_all_of_the_phrase_and_nothing_of_it_goes_to_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let zh = Fixture::new(dir.path(), Lang::Zh);
        let phrase = words(Lang::Zh, "您好，这里是中心。请问您是王芳女士吗？");
        let stretches = zh.prompts.stretches(&phrase);
        let samples =
            |stretch: &Stretch| zh.prompts.render_stretch(stretch, Manner::USUAL).unwrap().len();
        assert!(stretches.iter().map(samples).sum::<usize>() > 15 * 800);
        assert_eq!(zh.spoken(), stretches.len());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        // Once made, it is there.
        assert!(stretches.iter().all(|s| zh.prompts.cached_stretch(s, Manner::USUAL).is_some()));
    }

    #[test]
    fn nothing_to_say_has_no_stretches() {
        let dir = tempfile::tempdir().unwrap();
        let zh = Fixture::new(dir.path(), Lang::Zh);
        assert!(zh.prompts.stretches(&words(Lang::Zh, "。")).is_empty());
        assert!(zh.prompts.stretches(&words(Lang::En, "Hello.")).is_empty());
    }
}
