//! What a call has others do for it: recognise, ask a CRM, dial; speaking is in [`super::making`].

use std::sync::Arc;

use super::{
    engines::{Followed, Job},
    hand_over::Told,
    task::Call,
    transfer::Second,
    voice,
};
use crate::{
    audio::{CallTime, Hz8k, Pcm},
    conversation::{GenerateId, Input, InvokeId, PromptId, UtteranceId},
    dialog::{Generate, Generated, Invoke, InvokeResult, Voice},
    llm::Answer,
    sip::Leg,
    speech::{Hints, scheduler::QueueFull},
    text::Hypothesis,
};

/// A finished job.
pub(super) enum Done {
    Recognized {
        utterance: UtteranceId,
        result: Result<Vec<Hypothesis>, String>,
        voice: Option<Voice>,
    },
    /// A stretch of what the caller is saying.
    Followed {
        utterance: UtteranceId,
        result: Box<Result<Followed, String>>,
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
            Some(Done::Followed { utterance, result }) => self.followed(now, utterance, *result),
            Some(Done::Rendered { prompt, result }) => self.rendered(now, prompt, result),
            Some(Done::Invoked { id, result }) => self.step(now, Input::Invoked { id, result }),
            Some(Done::Generated { id, part, answer }) => self.generated(now, id, part, *answer),
            Some(Done::Dialled(told, second)) => self.dialled(told, *second),
            Some(Done::Told(told)) => self.told_and_referred(told),
            Some(Done::Referred(second)) => self.referral_dialled(*second),
            // Cancelled by ourselves.
            Some(Done::Prepared) | None => {}
        }
    }

    /// Starts recognition; returns the input that says so when it cannot be started.
    pub(super) fn recognize(
        &mut self,
        utterance: UtteranceId,
        audio: Pcm<Hz8k>,
        hints: Hints,
    ) -> Option<Input> {
        let voice = self.voice_in(&audio);
        let job = self.engines.recognize(audio, hints);
        self.recognizing(utterance, job, voice)
    }

    /// How the caller sounds in what they said, when the dialog wants to know.
    pub(super) fn voice_in(&self, audio: &Pcm<Hz8k>) -> Option<Voice> {
        self.conversation.wants_voice().then(|| voice::measure(audio)).flatten()
    }

    /// Waits for the result of a recognition that was queued, if it was.
    pub(super) fn recognizing(
        &mut self,
        utterance: UtteranceId,
        job: Option<Result<Job<Vec<Hypothesis>>, QueueFull>>,
        voice: Option<Voice>,
    ) -> Option<Input> {
        let problem = match job {
            Some(Ok(job)) => {
                let handle = self.jobs.spawn(async move {
                    Done::Recognized { utterance, result: flatten(job.await), voice }
                });
                self.recognizing.insert(utterance, handle);
                return None;
            }
            Some(Err(full)) => full.to_string(),
            None => "no recogniser is configured for this language".to_owned(),
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
pub(super) fn flatten<T, E: ToString, F: ToString>(
    result: Result<Result<T, E>, F>,
) -> Result<T, String> {
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}
