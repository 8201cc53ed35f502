//! Prompts that are made while the call goes on: stretch by stretch, so that the first is heard before
//! the rest is there.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use tokio::task::AbortHandle;

use super::{
    jobs::{Done, flatten},
    live::Happening,
    task::Call,
};
use crate::{
    audio::{CallTime, Hz8k, Manner, Pcm},
    conversation::{ClipId, PromptId},
    dialog::Say,
    sip::Leg,
    speech::prompts::Stretch,
    text::Phrase,
};

/// The prompts of a call that are not there whole.
#[derive(Debug, Default)]
pub(super) struct Making(BTreeMap<PromptId, Unfinished>);

#[derive(Debug)]
struct Unfinished {
    manner: Manner,
    rest: VecDeque<Stretch>,
    /// Makes the stretch before `rest`.
    job: Option<AbortHandle>,
}

impl Making {
    /// Nobody will hear them: what was not begun is not made.
    pub(super) fn stop(&mut self) {
        for job in std::mem::take(&mut self.0).into_values().filter_map(|prompt| prompt.job) {
            job.abort();
        }
    }

    fn next(&mut self, prompt: PromptId) -> Option<(Stretch, Manner)> {
        let unfinished = self.0.get_mut(&prompt)?;
        unfinished.job = None;
        let Some(stretch) = unfinished.rest.pop_front() else {
            self.0.remove(&prompt);
            return None;
        };
        Some((stretch, unfinished.manner))
    }
}

impl<L: Leg> Call<L> {
    /// Says a prompt after those that are being said.
    pub(super) fn play(&mut self, now: CallTime, prompt: PromptId, say: Say) {
        self.record.tell(Happening::Saying { text: say.phrase.to_string() });
        if let Some(audio) = self.prompts.cached(&say.phrase, say.manner) {
            self.player.enqueue(prompt, 1);
            return self.player.ready(now, prompt, audio);
        }
        let rest = VecDeque::from(self.prompts.stretches(&say.phrase));
        if rest.is_empty() {
            tracing::error!(lang = %say.phrase.lang, "a prompt has nothing that a voice could say");
        }
        self.player.enqueue(prompt, rest.len());
        self.making.0.insert(prompt, Unfinished { manner: say.manner, rest, job: None });
        self.make_on(now, prompt);
    }

    /// Plays a clip that was handed over with an order.
    pub(super) fn play_clip(&mut self, now: CallTime, prompt: PromptId, clip: ClipId) {
        self.player.enqueue(prompt, 1);
        let audio = self.controls.take_clip(clip);
        self.player.ready(now, prompt, audio);
    }

    /// Makes the beginning of a prompt that will probably be said; the rest is made while that sounds.
    pub(super) fn prepare(&mut self, phrase: &Phrase, manner: Manner) {
        if self.prompts.cached(phrase, manner).is_some() {
            return;
        }
        let stretches = self.prompts.stretches(phrase);
        let is_missing = |stretch: &Stretch| self.prompts.cached_stretch(stretch, manner).is_none();
        let Some(first) = stretches.into_iter().find(is_missing) else { return };
        // A full queue has better things to do; the prompt is then made when it is wanted.
        if let Ok(job) = self.engines.prepare(&self.prompts, first, manner) {
            self.jobs.spawn(async move {
                let _ = job.await;
                Done::Prepared
            });
        }
    }

    /// A stretch of a prompt is there; without it the prompt goes on after it.
    pub(super) fn rendered(
        &mut self,
        now: CallTime,
        prompt: PromptId,
        result: Result<Arc<Pcm<Hz8k>>, String>,
    ) {
        let audio = result.unwrap_or_else(|problem| {
            tracing::error!(%problem, "a prompt could not be made");
            Arc::new(Pcm::silence(0))
        });
        self.player.ready(now, prompt, audio);
        self.make_on(now, prompt);
    }

    /// Makes what is next of a prompt; the longer there is something to hear, the less it is urgent.
    fn make_on(&mut self, now: CallTime, prompt: PromptId) {
        while let Some((stretch, manner)) = self.making.next(prompt) {
            if let Some(audio) = self.prompts.cached_stretch(&stretch, manner) {
                self.player.ready(now, prompt, audio);
                continue;
            }
            let sounds = CallTime(self.player.left(usize::MAX) as u64).since(CallTime::ZERO);
            let rendering = self.engines.render(&self.prompts, stretch, manner, sounds);
            let job = self.jobs.spawn(async move {
                let result = match rendering {
                    Ok(job) => flatten(job.await),
                    Err(full) => Err(full.to_string()),
                };
                Done::Rendered { prompt, result }
            });
            if let Some(unfinished) = self.making.0.get_mut(&prompt) {
                unfinished.job = Some(job);
            }
            return;
        }
    }
}
