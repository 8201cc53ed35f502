//! The playback ledger: what was sent, to the sample. It is the truth about what the caller heard.

use std::{collections::VecDeque, time::Duration};

use super::{
    contract::{Note, PromptId},
    generating::heard_part,
};
use crate::{
    audio::CallTime,
    dialog::{BargeIn, Say},
    text::{Phrase, Piece},
};

/// Prompts handed to the rim and not yet ended, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    count: u32,
    open: VecDeque<Prompt>,
    held_since: Option<CallTime>,
    muted: bool,
    /// The last prompts of which something was heard, where somebody will want to know.
    heard: Option<VecDeque<Heard>>,
}

/// A prompt of which something was heard.
#[derive(Debug, Clone)]
struct Heard {
    from: CallTime,
    phrase: Phrase,
    sent: u64,
    total: u64,
}

/// Of what was heard, so much is kept.
const KEPT: usize = 30;

#[derive(Debug, Clone)]
struct Prompt {
    id: PromptId,
    say: Say,
    started: Option<CallTime>,
    total: u64,
    /// How long it waited since it started.
    held: Duration,
}

impl Ledger {
    /// A ledger that, with `keeps_words`, can tell what was heard.
    pub(super) fn new(keeps_words: bool) -> Self {
        Self { heard: keeps_words.then(VecDeque::new), ..Self::default() }
    }

    /// Enters a prompt that is being handed to the rim.
    pub(super) fn enter(&mut self, say: Say) -> PromptId {
        self.count += 1;
        let id = PromptId(self.count);
        self.open.push_back(Prompt { id, say, started: None, total: 0, held: Duration::ZERO });
        id
    }

    /// Notes that the first audio was sent, of so many samples.
    pub(super) fn started(&mut self, now: CallTime, id: PromptId, total: u64) {
        if let Some(prompt) = self.open.iter_mut().find(|p| p.id == id) {
            prompt.started.get_or_insert(now);
            prompt.total = total;
        }
    }

    /// Notes that playing is held.
    pub(super) fn hold(&mut self, now: CallTime) {
        self.held_since.get_or_insert(now);
    }

    /// Notes that nothing is played until told otherwise, whatever else is held or goes on.
    pub(super) fn mute(&mut self, now: CallTime, on: bool) {
        self.muted = on;
        if on { self.hold(now) } else { self.resume(now) }
    }

    /// Notes that playing goes on.
    pub(super) fn resume(&mut self, now: CallTime) {
        if self.muted {
            return;
        }
        let Some(since) = self.held_since.take() else { return };
        if let Some(prompt) = self.open.front_mut().filter(|p| p.started.is_some()) {
            prompt.held += now.since(since);
        }
    }

    /// Closes a prompt and returns what is to be recorded of it.
    pub(super) fn ended(
        &mut self,
        now: CallTime,
        id: PromptId,
        sent: u64,
        total: u64,
    ) -> Option<Note> {
        if self.open.front().is_some_and(|p| p.id == id) {
            // A prompt that ends while it is held was cut short where the hold began.
            self.held_since = self.muted.then_some(now);
        }
        let index = self.open.iter().position(|p| p.id == id)?;
        let prompt = self.open.remove(index)?;
        let from = prompt.started.unwrap_or(now);
        let complete = total > 0 && sent >= total;
        let to = CallTime(from.samples() + sent) + prompt.held;
        if let Some(heard) = self.heard.as_mut().filter(|_| sent > 0) {
            heard.push_back(Heard {
                from,
                phrase: prompt.say.phrase.clone(),
                sent,
                total: prompt.total.max(total),
            });
            let excess = heard.len().saturating_sub(KEPT);
            heard.drain(..excess);
        }
        Some(Note::Said {
            prompt: id,
            text: prompt.say.phrase.to_string(),
            node: prompt.say.node,
            from,
            // One that was made while it was said may have waited for its next piece.
            to: if complete { to.max(now) } else { to },
            sent,
            complete,
        })
    }

    /// What the caller heard until now, prompt by prompt, with the moment when each began; values in `withheld` are
    /// left out.
    pub(super) fn heard(
        &self,
        now: CallTime,
        withheld: &[String],
    ) -> impl Iterator<Item = (CallTime, String)> {
        let sounding = self.open.iter().filter_map(move |prompt| {
            let from = prompt.started?;
            let waiting = self.held_since.map_or(Duration::ZERO, |since| now.since(since));
            let sounded = now.since(from).saturating_sub(prompt.held + waiting);
            let sent = CallTime::ZERO + sounded;
            let phrase = prompt.say.phrase.clone();
            Some(Heard {
                from,
                phrase,
                sent: sent.samples().min(prompt.total),
                total: prompt.total,
            })
        });
        let all = self.heard.iter().flatten().cloned().chain(sounding);
        all.map(move |Heard { from, phrase, sent, total }| {
            (from, heard_part(&words(phrase, withheld), sent, total))
        })
        .filter(|(_, words)| !words.is_empty())
    }

    /// Whether nothing is playing or waiting to be played.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// What may cut the prompt that is sounding now.
    pub(super) fn barge_in(&self) -> Option<BargeIn> {
        self.open.front().map(|p| p.say.barge_in)
    }

    /// How many of the next prompts, from the one that sounds on, speech may not cut short.
    pub(super) fn uncut_by_speech(&self) -> usize {
        self.open.iter().take_while(|p| p.say.barge_in != BargeIn::Any).count()
    }

    /// Whether the prompt that sounds is the last one: the question.
    pub(super) fn is_last_sounding(&self) -> bool {
        self.last().is_some_and(|last| last.started.is_some())
    }

    /// Whether it is the only prompt that is left.
    pub(super) fn is_only(&self, id: PromptId) -> bool {
        self.last().is_some_and(|last| last.id == id)
    }

    /// How much is left of the last prompt, if that is the one that sounds.
    pub(super) fn left(&self, now: CallTime) -> Option<Duration> {
        let last = self.last()?;
        let waiting = self.held_since.map_or(Duration::ZERO, |since| now.since(since));
        let sounded = now.since(last.started?).saturating_sub(last.held + waiting);
        Some(CallTime(last.total).since(CallTime::ZERO).saturating_sub(sounded))
    }

    /// The only prompt that is left.
    fn last(&self) -> Option<&Prompt> {
        self.open.front().filter(|_| self.open.len() == 1)
    }
}

/// A phrase in writing, without values that are withheld.
fn words(phrase: Phrase, withheld: &[String]) -> String {
    let Phrase { lang, pieces } = phrase;
    let pieces = pieces.into_iter().map(|piece| match piece {
        Piece::Value { value, .. } if withheld.contains(&value) => {
            Piece::Words("[withheld]".to_owned())
        }
        piece => piece,
    });
    Phrase { lang, pieces: pieces.collect() }.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audio::Manner,
        text::{Lang, Phrase},
    };

    fn say() -> Say {
        Say {
            phrase: Phrase { lang: Lang::En, pieces: Vec::new() },
            barge_in: BargeIn::Any,
            node: "main.hello".into(),
            manner: Manner::USUAL,
        }
    }

    #[test]
    fn a_prompt_that_waited_ends_later_and_sends_no_more() {
        let mut ledger = Ledger::default();
        let id = ledger.enter(say());
        ledger.started(CallTime(0), id, 8_000);
        ledger.hold(CallTime(1_600));
        assert_eq!(ledger.left(CallTime(4_000)), Some(Duration::from_millis(800)));
        ledger.resume(CallTime(4_000));
        let Some(Note::Said { to, sent, complete, .. }) =
            ledger.ended(CallTime(10_400), id, 8_000, 8_000)
        else {
            panic!("nothing is recorded");
        };
        assert_eq!((to, sent, complete), (CallTime(10_400), 8_000, true));
    }

    #[test]
    fn what_is_left_of_the_last_prompt_is_known_only_when_it_sounds() {
        let mut ledger = Ledger::default();
        let (first, last) = (ledger.enter(say()), ledger.enter(say()));
        ledger.started(CallTime(0), first, 8_000);
        assert_eq!(ledger.left(CallTime(800)), None);
        ledger.ended(CallTime(8_000), first, 8_000, 8_000);
        assert_eq!(ledger.left(CallTime(8_000)), None);
        ledger.started(CallTime(8_000), last, 8_000);
        assert_eq!(ledger.left(CallTime(12_000)), Some(Duration::from_millis(500)));
    }
}
