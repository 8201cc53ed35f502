//! Recognition and prompt audio for all calls, behind one queue of inference.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    audio::{Hz8k, Hz16k, Manner, Pcm, Resampler, convert},
    speech::{
        Hints, Recognizer, RecognizerStream, SpeechError,
        prompts::{Prompts, Stretch},
        scheduler::{Class, QueueFull, Scheduler, Ticket},
    },
    text::{Hypothesis, Lang},
};

/// Within this time a live job should begin.
const LIVE: Duration = Duration::from_millis(200);
/// Within this time a prefetched prompt should begin to be made.
const PREFETCH: Duration = Duration::from_secs(2);

/// A job's result: what the engine said.
pub(super) type Job<T> = Ticket<Result<T, SpeechError>>;

/// An utterance that is recognised as it is said.
pub(super) struct OpenStream {
    resampler: Resampler<Hz8k, Hz16k>,
    words: Box<dyn RecognizerStream>,
}

/// An utterance so far.
pub(super) struct Followed {
    pub(super) stream: OpenStream,
    pub(super) words: Option<Hypothesis>,
}

impl OpenStream {
    fn new(recognizer: &dyn Recognizer, hints: &Hints) -> Result<Self, SpeechError> {
        Ok(Self { resampler: Resampler::new(), words: recognizer.open(hints)? })
    }

    fn accept(&mut self, audio: &Pcm<Hz8k>) -> Result<(), SpeechError> {
        self.words.accept(&self.resampler.push(audio))
    }
}

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

    /// The languages whose recogniser has words while the caller speaks.
    pub(super) fn streaming(&self) -> Vec<Lang> {
        let streaming = self.recognizers.iter().filter(|(_, recognizer)| recognizer.is_streaming());
        streaming.map(|(lang, _)| *lang).collect()
    }

    /// Queues the recognition of what was said next of an utterance, its first part unless there is a
    /// stream of it; `None` when no recogniser knows the language.
    pub(super) fn follow(
        &self,
        stream: Option<OpenStream>,
        audio: Pcm<Hz8k>,
        hints: Hints,
    ) -> Option<Result<Job<Followed>, QueueFull>> {
        self.stream(hints, move |recognizer, hints| {
            let mut stream = stream.map_or_else(|| OpenStream::new(recognizer, hints), Ok)?;
            stream.accept(&audio)?;
            let words = stream.words.partial()?;
            Ok(Followed { stream, words })
        })
    }

    /// Queues the recognition of an utterance's last part.
    pub(super) fn finish(
        &self,
        stream: Option<OpenStream>,
        audio: Pcm<Hz8k>,
        hints: Hints,
    ) -> Option<Result<Job<Vec<Hypothesis>>, QueueFull>> {
        self.stream(hints, move |recognizer, hints| {
            let mut stream = stream.map_or_else(|| OpenStream::new(recognizer, hints), Ok)?;
            stream.accept(&audio)?;
            stream.words.finish()
        })
    }

    fn stream<T: Send + 'static>(
        &self,
        hints: Hints,
        job: impl FnOnce(&dyn Recognizer, &Hints) -> Result<T, SpeechError> + Send + 'static,
    ) -> Option<Result<Job<T>, QueueFull>> {
        let recognizer = Arc::clone(self.recognizers.get(&hints.lang)?);
        let threads = recognizer.threads();
        let job = move || job(recognizer.as_ref(), &hints);
        Some(self.scheduler.submit(Class::Live, Instant::now() + LIVE, threads, job))
    }

    /// Queues the recognition of one utterance; `None` when no recogniser knows the language.
    pub(super) fn recognize(
        &self,
        audio: Pcm<Hz8k>,
        hints: Hints,
    ) -> Option<Result<Job<Vec<Hypothesis>>, QueueFull>> {
        self.stream(hints, move |recognizer, hints| {
            let mut stream = recognizer.open(hints)?;
            stream.accept(&convert::<Hz8k, Hz16k>(&audio))?;
            stream.finish()
        })
    }

    /// Queues the making of audio that a caller waits for, after what sounds for so long.
    pub(super) fn render(
        &self,
        prompts: &Arc<Prompts>,
        stretch: Stretch,
        manner: Manner,
        sounds: Duration,
    ) -> Result<Job<Arc<Pcm<Hz8k>>>, QueueFull> {
        self.submit_render(Class::Live, LIVE + sounds, prompts, stretch, manner)
    }

    /// Queues the making of audio that will probably be wanted.
    pub(super) fn prepare(
        &self,
        prompts: &Arc<Prompts>,
        stretch: Stretch,
        manner: Manner,
    ) -> Result<Job<Arc<Pcm<Hz8k>>>, QueueFull> {
        self.submit_render(Class::Prefetch, PREFETCH, prompts, stretch, manner)
    }

    fn submit_render(
        &self,
        class: Class,
        within: Duration,
        prompts: &Arc<Prompts>,
        stretch: Stretch,
        manner: Manner,
    ) -> Result<Job<Arc<Pcm<Hz8k>>>, QueueFull> {
        let prompts = Arc::clone(prompts);
        let job = move || prompts.render_stretch(&stretch, manner);
        self.scheduler.submit(class, Instant::now() + within, 1, job)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::speech::scheduler::SchedulerConfig;

    /// Has a word for each tenth of a second that it has heard.
    struct Counter {
        streaming: bool,
    }

    struct Counting(usize);

    impl Recognizer for Counter {
        fn name(&self) -> &str {
            "counter"
        }

        fn is_streaming(&self) -> bool {
            self.streaming
        }

        fn threads(&self) -> usize {
            1
        }

        fn open(&self, _: &Hints) -> Result<Box<dyn RecognizerStream>, SpeechError> {
            Ok(Box::new(Counting(0)))
        }
    }

    impl Counting {
        fn words(&self) -> Hypothesis {
            // The resampler keeps some samples back.
            let words = (self.0 as f32 / 1_600.0).round() as usize;
            Hypothesis { text: vec!["word"; words].join(" "), confidence: 1.0 }
        }
    }

    impl RecognizerStream for Counting {
        fn accept(&mut self, audio: &Pcm<Hz16k>) -> Result<(), SpeechError> {
            self.0 += audio.len();
            Ok(())
        }

        fn partial(&mut self) -> Result<Option<Hypothesis>, SpeechError> {
            Ok(Some(self.words()))
        }

        fn finish(self: Box<Self>) -> Result<Vec<Hypothesis>, SpeechError> {
            Ok(vec![self.words()])
        }
    }

    fn engines() -> Engines {
        let config = SchedulerConfig { threads: NonZeroUsize::MIN, queue: 4 };
        let heard: [(Lang, Arc<dyn Recognizer>); 2] = [
            (Lang::En, Arc::new(Counter { streaming: true })),
            (Lang::Zh, Arc::new(Counter { streaming: false })),
        ];
        Engines::new(BTreeMap::from(heard), Scheduler::start(config).unwrap())
    }

    fn hints() -> Hints {
        Hints { lang: Lang::En, phrases: Vec::new() }
    }

    fn tenths(count: usize) -> Pcm<Hz8k> {
        Pcm::silence(count * 800)
    }

    async fn done<T>(job: Option<Result<Job<T>, QueueFull>>) -> T {
        job.unwrap().unwrap().await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn an_utterance_is_recognised_as_it_is_said() {
        let engines = engines();
        assert_eq!(engines.streaming(), [Lang::En]);
        let first = done(engines.follow(None, tenths(2), hints())).await;
        assert_eq!(first.words.unwrap().text, "word word");
        let second = done(engines.follow(Some(first.stream), tenths(1), hints())).await;
        assert_eq!(second.words.unwrap().text, "word word word");
        let all = done(engines.finish(Some(second.stream), tenths(1), hints())).await;
        assert_eq!(all[0].text, "word word word word");
    }

    #[tokio::test]
    async fn what_was_never_followed_is_recognised_whole() {
        let engines = engines();
        let all = done(engines.finish(None, tenths(3), hints())).await;
        assert_eq!(all, done(engines.recognize(tenths(3), hints())).await);
    }
}
