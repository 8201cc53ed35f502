//! What a call has others do for it: recognise, speak, ask a CRM, dial.

use std::sync::Arc;

use super::{hand_over::Told, live::Happening, task::Call, transfer::Second, voice};
use crate::{
    audio::{CallTime, Hz8k, Manner, Pcm},
    conversation::{ClipId, GenerateId, Input, InvokeId, PromptId, UtteranceId},
    dialog::{Generate, Generated, Invoke, InvokeResult, Say, Voice},
    llm::Answer,
    sip::Leg,
    speech::Hints,
    text::{Hypothesis, Phrase},
};

/// A finished job.
pub(super) enum Done {
    Recognized {
        utterance: UtteranceId,
        result: Result<Vec<Hypothesis>, String>,
        voice: Option<Voice>,
    },
    Rendered {
        prompt: PromptId,
        result: Result<Arc<Pcm<Hz8k>>, String>,
    },
    Prepared,
    Invoked {
        id: InvokeId,
        result: InvokeResult,
    },
    /// A part of an answer, and where the rest comes from.
    Generated {
        id: GenerateId,
        part: Generated,
        answer: Box<Answer>,
    },
    /// The leg of somebody to whom the caller is to be handed over.
    Dialled(Told, Box<Result<Second, String>>),
    /// Whom the caller's side will call was told of the caller.
    Told(Told),
    /// Likewise, as the peer asked.
    Referred(Box<Result<Second, String>>),
}

impl<L: Leg> Call<L> {
    pub(super) fn job_done(&mut self, done: Option<Done>) {
        let now = self.now();
        match done {
            Some(Done::Recognized { utterance, result, voice }) => {
                self.recognizing.remove(&utterance);
                let input = match result {
                    Ok(hypotheses) => Input::Recognized { utterance, hypotheses, voice },
                    Err(problem) => Input::RecognitionFailed { utterance, problem },
                };
                self.step(now, input);
            }
            Some(Done::Rendered { prompt, result: Ok(audio) }) => {
                self.player.ready(now, prompt, audio);
            }
            Some(Done::Rendered { prompt, result: Err(problem) }) => {
                tracing::error!(%problem, "a prompt could not be made");
                self.player.ready(now, prompt, Arc::new(Pcm::silence(0)));
            }
            Some(Done::Invoked { id, result }) => self.step(now, Input::Invoked { id, result }),
            Some(Done::Generated { id, part, answer }) => self.generated(now, id, part, *answer),
            Some(Done::Dialled(told, second)) => self.dialled(told, *second),
            Some(Done::Told(told)) => self.told_and_referred(told),
            Some(Done::Referred(second)) => self.referral_dialled(*second),
            // Cancelled by ourselves.
            Some(Done::Prepared) | None => {}
        }
    }

    pub(super) fn play(&mut self, now: CallTime, prompt: PromptId, say: Say) {
        self.record.tell(Happening::Saying { text: say.phrase.to_string() });
        self.player.enqueue(prompt);
        if let Some(audio) = self.prompts.cached(&say.phrase, say.manner) {
            return self.player.ready(now, prompt, audio);
        }
        let rendering = self.engines.render(&self.prompts, &say.phrase, say.manner);
        self.jobs.spawn(async move {
            let result = match rendering {
                Ok(job) => flatten(job.await),
                Err(full) => Err(full.to_string()),
            };
            Done::Rendered { prompt, result }
        });
    }

    /// Plays a clip that was handed over with an order.
    pub(super) fn play_clip(&mut self, now: CallTime, prompt: PromptId, clip: ClipId) {
        self.player.enqueue(prompt);
        let audio = self.controls.take_clip(clip);
        self.player.ready(now, prompt, audio);
    }

    pub(super) fn prepare(&mut self, phrase: &Phrase, manner: Manner) {
        if self.prompts.cached(phrase, manner).is_some() {
            return;
        }
        // A full queue has better things to do; the prompt is then made when it is wanted.
        if let Ok(job) = self.engines.prepare(&self.prompts, phrase, manner) {
            self.jobs.spawn(async move {
                let _ = job.await;
                Done::Prepared
            });
        }
    }

    /// Starts recognition; returns the input that says so when it cannot be started.
    pub(super) fn recognize(
        &mut self,
        utterance: UtteranceId,
        audio: Pcm<Hz8k>,
        hints: Hints,
    ) -> Option<Input> {
        let lang = hints.lang;
        let voice = self.conversation.wants_voice().then(|| voice::measure(&audio)).flatten();
        let problem = match self.engines.recognize(audio, hints) {
            Some(Ok(job)) => {
                let handle = self.jobs.spawn(async move {
                    Done::Recognized { utterance, result: flatten(job.await), voice }
                });
                self.recognizing.insert(utterance, handle);
                return None;
            }
            Some(Err(full)) => full.to_string(),
            None => format!("no recogniser is configured for {lang}"),
        };
        Some(Input::RecognitionFailed { utterance, problem })
    }

    /// Asks a tool.
    pub(super) fn invoke(&mut self, id: InvokeId, invoke: Invoke) {
        let (crm, call) = (self.crm.clone(), self.record.call().to_owned());
        self.jobs.spawn(async move {
            let result = crm.invoke(&call, id.0, invoke).await;
            Done::Invoked { id, result }
        });
    }
}

impl<L: Leg> Call<L> {
    /// Has a language model answer.
    pub(super) fn generate(&mut self, id: GenerateId, request: Generate) {
        let answer = self.llm.ask(request);
        self.read_on(id, answer);
    }

    /// The rest of the answer is not wanted.
    pub(super) fn stop_generating(&mut self, id: GenerateId) {
        if let Some((_, job)) = self.generating.take_if(|(current, _)| *current == id) {
            job.abort();
        }
    }

    fn generated(&mut self, now: CallTime, id: GenerateId, part: Generated, answer: Answer) {
        // One that was stopped while it was on its way.
        if self.generating.as_ref().is_none_or(|(current, _)| *current != id) {
            return;
        }
        match part {
            Generated::Sentence(_) => self.read_on(id, answer),
            _ => self.generating = None,
        }
        self.step(now, Input::Generated { id, part });
    }

    /// Waits for the next part.
    fn read_on(&mut self, id: GenerateId, mut answer: Answer) {
        let job = self.jobs.spawn(async move {
            let part = answer.next().await;
            Done::Generated { id, part, answer: Box::new(answer) }
        });
        self.generating = Some((id, job));
    }
}

/// Joins what the queue and what the engine say into one problem text.
fn flatten<T, E: ToString, F: ToString>(result: Result<Result<T, E>, F>) -> Result<T, String> {
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}
