//! A language model's answer: spoken as it comes, never over the caller, dropped when the caller has something to say.

use std::collections::VecDeque;

use super::{
    Conversation,
    contract::{GenerateId, Output},
    engine::Next,
    invoking::{FIRST_FILLER, GRACE, NEXT_FILLER},
    stamps::TurnStamps,
};
use crate::{
    audio::CallTime,
    dialog::{self, Generate, Generated, Say, Speaker, Utterance},
};

/// Of what was said, a model is shown so much.
const SHOWN: usize = 30;

/// A model that is answering.
#[derive(Debug, Clone)]
pub(super) struct Generating {
    id: GenerateId,
    filler: Say,
    fillers: u32,
    /// Since when nobody speaks.
    quiet_since: Option<CallTime>,
    /// The rim ends an answer at its deadline; when not even that comes, it is taken for failed. Once.
    until: Option<CallTime>,
    /// Parts that have come while the caller speaks or types.
    waiting: VecDeque<Generated>,
    /// Of the turn that has not been answered with anything yet.
    stamps: Option<TurnStamps>,
}

impl Generating {
    fn filler_due(&self) -> Option<CallTime> {
        let wait = if self.fillers == 0 { FIRST_FILLER } else { NEXT_FILLER };
        self.quiet_since.map(|since| since + wait)
    }

    /// When something is to be done about it.
    pub(super) fn deadline(&self) -> Option<CallTime> {
        [self.filler_due(), self.until].into_iter().flatten().min()
    }

    /// Nothing is being said any more.
    pub(super) fn idle(&mut self, now: CallTime) {
        self.quiet_since.get_or_insert(now);
    }

    /// Somebody speaks.
    pub(super) fn not_idle(&mut self) {
        self.quiet_since = None;
    }

    /// The turn with these stamps waits for it.
    pub(super) fn answers(&mut self, stamps: Option<TurnStamps>) {
        self.stamps = stamps;
    }
}

impl Conversation {
    /// Hands what the dialog asks of a model to the rim, with what the caller heard so far.
    pub(super) fn generate(&mut self, now: CallTime, mut request: Generate, out: &mut Vec<Output>) {
        self.stop_generating(out);
        self.generations += 1;
        let id = GenerateId(self.generations);
        let withheld = std::mem::take(&mut request.withheld);
        request.history.extend(self.ledger.heard(now, &withheld).map(|(at, text)| Utterance {
            by: Speaker::Bot,
            at,
            text,
        }));
        // An answer cannot begin before the turn that it answers is over.
        request.history.sort_by_key(|said| (said.at, said.by == Speaker::Bot));
        let excess = request.history.len().saturating_sub(SHOWN);
        request.history.drain(..excess);
        let filler = request.filler.clone();
        let (phrase, manner) = (filler.phrase.clone(), filler.manner);
        self.generating = Some(Box::new(Generating {
            id,
            filler,
            fillers: 0,
            quiet_since: None,
            until: Some(now + request.deadline + GRACE),
            waiting: VecDeque::new(),
            stamps: None,
        }));
        self.silence_since = None;
        out.push(Output::Prepare { phrase, manner });
        out.push(Output::Generate { id, request: Box::new(request) });
    }

    /// The rest of the answer is not wanted.
    pub(super) fn stop_generating(&mut self, out: &mut Vec<Output>) {
        if let Some(generating) = self.generating.take() {
            out.push(Output::StopGenerating { id: generating.id });
        }
    }

    /// A part of the answer is there; one that is no longer waited for is dropped.
    pub(super) fn generated(&mut self, id: GenerateId, part: Generated) {
        if let Some(generating) = self.generating.as_mut().filter(|g| g.id == id) {
            generating.waiting.push_back(part);
        }
    }

    /// Gives the dialog what has come of the answer, as long as the caller neither speaks nor types.
    pub(super) fn take_generated(&mut self, now: CallTime, out: &mut Vec<Output>) {
        while self.turn.is_none() && self.keys.is_empty() && matches!(self.next, Next::Listen(_)) {
            let Some(generating) = &mut self.generating else { return };
            let Some(part) = generating.waiting.pop_front() else {
                if self.ledger.is_idle() {
                    generating.idle(now);
                }
                return;
            };
            let stamps = generating.stamps.take();
            if !matches!(part, Generated::Sentence(_)) {
                self.generating = None;
                self.silence_since = None;
            }
            let first = self.advance(now, dialog::Input::Generated(part), out);
            if first.is_some()
                && let Some(generating) = &mut self.generating
            {
                generating.not_idle();
            }
            self.answered(now, first, stamps);
        }
    }

    /// Says a filler, or gives the answer up.
    pub(super) fn generating_due(&mut self, now: CallTime, out: &mut Vec<Output>) {
        let silent = self.turn.is_none() && self.keys.is_empty();
        let Some(generating) = &mut self.generating else { return };
        if generating.until.take_if(|until| *until <= now).is_some() {
            let problem = "no answer within its deadline".to_owned();
            return generating.waiting.push_back(Generated::Failed(problem));
        }
        generating.quiet_since = generating.quiet_since.filter(|_| silent);
        if generating.filler_due().is_some_and(|at| at <= now) {
            generating.fillers += 1;
            generating.quiet_since = None;
            let (say, stamps) = (generating.filler.clone(), generating.stamps.take());
            let prompt = self.ledger.enter(say.clone());
            out.push(Output::Play { prompt, say });
            self.answered(now, Some(prompt), stamps);
        }
    }
}

/// The part of `text` that was heard when `sent` of its `total` samples were: whole words.
pub(super) fn heard_part(text: &str, sent: u64, total: u64) -> String {
    if sent >= total {
        return text.to_owned();
    }
    let chars = text.chars().count() as u64;
    let heard = (chars * sent / total.max(1)) as usize;
    let mut part: String = text.chars().take(heard).collect();
    let cut_in_a_word = text.chars().nth(heard).is_some_and(|next| next.is_ascii_alphanumeric());
    if cut_in_a_word {
        let end = part.rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
        part.truncate(part.ceil_char_boundary(end));
    }
    let part = part.trim_end();
    if part.is_empty() { String::new() } else { format!("{part}—") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_prompt_that_was_cut_short_the_words_that_sounded_were_heard() {
        let text = "Your bill is due on Friday.";
        for (sent, heard) in [
            (0, ""),
            (5, "Your bill is due on Friday."),
            (1, "Your—"),
            (3, "Your bill is due—"),
            (4, "Your bill is due on—"),
        ] {
            assert_eq!(heard_part(text, sent, 5), heard, "{sent}");
        }
        assert_eq!(heard_part("您的账单周五到期。", 5, 9), "您的账单周—");
        assert_eq!(heard_part("", 0, 0), "");
    }
}
