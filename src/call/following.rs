//! A caller recognised while they speak, by recognisers that have words before the end.

use std::{mem, time::Duration};

use super::{
    engines::{Followed, OpenStream},
    jobs::{Done, flatten},
    task::Call,
};
use crate::{
    audio::CallTime,
    conversation::{Input, UtteranceId},
    sip::Leg,
    speech::Hints,
};

/// The recogniser gets what was said in stretches of this length.
const STRETCH: Duration = Duration::from_millis(100);

/// The turn that is being followed.
pub(super) struct Following {
    utterance: UtteranceId,
    hints: Hints,
    stream: Stream,
    from: CallTime,
    /// What was said up to here has been handed over.
    fed: CallTime,
    words: String,
    /// Where it ends, once that is known.
    to: Option<CallTime>,
}

/// Where the recogniser's stream is.
enum Stream {
    /// Not opened yet.
    Nowhere,
    Here(Box<OpenStream>),
    /// On an inference thread.
    Away,
}

impl<L: Leg> Call<L> {
    /// Follows the caller from there on.
    pub(super) fn follow(&mut self, utterance: UtteranceId, from: CallTime, hints: Hints) {
        let (stream, words) = (Stream::Nowhere, String::new());
        self.following =
            Some(Following { utterance, hints, stream, from, fed: from, words, to: None });
    }

    /// Hands over what was said since the last time, when that is enough, or all that is left of it;
    /// returns the input that says so when that cannot be.
    pub(super) fn follow_on(&mut self, now: CallTime) -> Option<Input> {
        let following = self.following.as_mut()?;
        let is_due = following.to.is_some() || following.fed + STRETCH <= now;
        if !is_due || matches!(following.stream, Stream::Away) {
            return None;
        }
        let stream = match mem::replace(&mut following.stream, Stream::Away) {
            Stream::Here(stream) => Some(*stream),
            Stream::Nowhere | Stream::Away => None,
        };
        let until = following.to.unwrap_or(now);
        let audio = self.hearing.speech(following.fed, until);
        let (utterance, from, hints) =
            (following.utterance, following.from, following.hints.clone());
        if following.to.is_some() {
            self.following = None;
            let voice = self.voice_in(&self.hearing.speech(from, until));
            let job = self.engines.finish(stream, audio, hints);
            return self.recognizing(utterance, job, voice);
        }
        following.fed = until;
        match self.engines.follow(stream, audio, hints) {
            Some(Ok(job)) => {
                self.jobs.spawn(async move {
                    Done::Followed { utterance, result: Box::new(flatten(job.await)) }
                });
            }
            // What is not taken now is gone with the stream: all of it is recognised in the pause.
            Some(Err(_)) | None => self.following = None,
        }
        None
    }

    /// The recogniser has heard a stretch.
    pub(super) fn followed(
        &mut self,
        now: CallTime,
        utterance: UtteranceId,
        result: Result<Followed, String>,
    ) {
        let Some(following) = self.following.as_mut().filter(|f| f.utterance == utterance) else {
            return;
        };
        let next = match result {
            Ok(Followed { stream, words }) => {
                following.stream = Stream::Here(Box::new(stream));
                let is_open = following.to.is_none();
                let new = words.filter(|words| is_open && words.text != following.words);
                if let Some(hypothesis) = new {
                    following.words.clone_from(&hypothesis.text);
                    self.step(now, Input::Partial { utterance, hypothesis });
                }
                self.follow_on(now)
            }
            Err(problem) => {
                tracing::warn!(%problem, "the caller cannot be followed while they speak");
                let Some(Following { from, to: Some(to), hints, .. }) = self.following.take()
                else {
                    return;
                };
                let audio = self.hearing.speech(from, to);
                self.recognize(utterance, audio, hints)
            }
        };
        next.into_iter().for_each(|input| self.step(now, input));
    }

    /// Whether this is the stretch that is being followed, which ends at `to`.
    pub(super) fn follows_to(
        &mut self,
        utterance: UtteranceId,
        from: CallTime,
        to: CallTime,
    ) -> bool {
        let is_it = |f: &&mut Following| f.utterance == utterance && f.from == from;
        let Some(following) = self.following.as_mut().filter(is_it) else { return false };
        // What was handed over beyond the end is silence.
        following.to = Some(to.max(following.fed));
        true
    }

    /// Nobody wants it any more.
    pub(super) fn unfollow(&mut self, utterance: UtteranceId) {
        self.following.take_if(|following| following.utterance == utterance);
    }
}
