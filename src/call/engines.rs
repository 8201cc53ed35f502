//! Recognition and prompt audio for all calls, behind one queue of inference.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    audio::{Hz8k, Hz16k, Manner, Pcm, convert},
    speech::{
        Hints, Recognizer, SpeechError,
        prompts::Prompts,
        scheduler::{Class, QueueFull, Scheduler, Ticket},
    },
    text::{Hypothesis, Lang, Phrase},
};

/// Within this time a live job should begin.
const LIVE: Duration = Duration::from_millis(200);
/// Within this time a prefetched prompt should begin to be made.
const PREFETCH: Duration = Duration::from_secs(2);

/// A job's result: what the engine said.
pub(super) type Job<T> = Ticket<Result<T, SpeechError>>;

/// Loaded models, shared by all calls.
pub struct Engines {
    recognizers: BTreeMap<Lang, Arc<dyn Recognizer>>,
    scheduler: Scheduler,
}

impl Engines {
    /// Engines from loaded parts; one recogniser for each language.
    pub fn new(recognizers: BTreeMap<Lang, Arc<dyn Recognizer>>, scheduler: Scheduler) -> Self {
        Self { recognizers, scheduler }
    }

    /// Whether a recogniser knows the language.
    pub fn hears(&self, lang: Lang) -> bool {
        self.recognizers.contains_key(&lang)
    }

    /// Queues the recognition of one utterance; `None` when no recogniser knows the language.
    pub(super) fn recognize(
        &self,
        audio: Pcm<Hz8k>,
        hints: Hints,
    ) -> Option<Result<Job<Vec<Hypothesis>>, QueueFull>> {
        let recognizer = Arc::clone(self.recognizers.get(&hints.lang)?);
        let threads = recognizer.threads();
        let job = move || {
            let mut stream = recognizer.open(&hints)?;
            stream.accept(&convert::<Hz8k, Hz16k>(&audio))?;
            stream.finish()
        };
        Some(self.scheduler.submit(Class::Live, Instant::now() + LIVE, threads, job))
    }

    /// Queues the making of a phrase's audio that a caller waits for.
    pub(super) fn render(
        &self,
        prompts: &Arc<Prompts>,
        phrase: &Phrase,
        manner: Manner,
    ) -> Result<Job<Arc<Pcm<Hz8k>>>, QueueFull> {
        self.submit_render(Class::Live, LIVE, prompts, phrase, manner)
    }

    /// Queues the making of a phrase's audio that will probably be wanted.
    pub(super) fn prepare(
        &self,
        prompts: &Arc<Prompts>,
        phrase: &Phrase,
        manner: Manner,
    ) -> Result<Job<Arc<Pcm<Hz8k>>>, QueueFull> {
        self.submit_render(Class::Prefetch, PREFETCH, prompts, phrase, manner)
    }

    fn submit_render(
        &self,
        class: Class,
        within: Duration,
        prompts: &Arc<Prompts>,
        phrase: &Phrase,
        manner: Manner,
    ) -> Result<Job<Arc<Pcm<Hz8k>>>, QueueFull> {
        let (prompts, phrase) = (Arc::clone(prompts), phrase.clone());
        let job = move || prompts.render(&phrase, manner);
        self.scheduler.submit(class, Instant::now() + within, 1, job)
    }
}
