use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::time::{Instant, timeout_at};

use super::{
    EventStream, LlmConfig, LlmError, Parts,
    connection::{Body, Server},
    request,
};
use crate::dialog::{Generate, Generated};

/// The model of a dialplan that names none.
const USUAL: &str = "default";

/// The language models of a service; clones share them.
#[derive(Clone, Default)]
pub struct Llm {
    models: Arc<BTreeMap<String, (LlmConfig, Server)>>,
}

impl Llm {
    /// The models of a configuration, by name. They are connected to when they are asked.
    ///
    /// # Errors
    /// [`LlmError`] for an address, a key or authorities that cannot be used.
    pub fn new(config: &BTreeMap<String, LlmConfig>) -> Result<Self, LlmError> {
        let models = config
            .iter()
            .map(|(name, config)| Ok((name.clone(), (config.clone(), Server::new(name, config)?))));
        Ok(Self { models: Arc::new(models.collect::<Result<_, LlmError>>()?) })
    }

    /// Has a model answer. Nothing happens until [`Answer::next`] is polled.
    pub fn ask(&self, request: Generate) -> Answer {
        let now = Instant::now();
        let (state, first_word, whole) = match self.model(request.model.as_deref()) {
            Ok((config, server)) => {
                let first = Duration::from_millis(config.first_word_ms).min(request.first_word);
                let whole = Duration::from_millis(config.answer_ms).min(request.deadline);
                let body = request::body(config, &request).to_string().into_bytes();
                (State::Asking(server.clone(), body), first, whole)
            }
            Err(problem) => (State::Refused(problem), request.first_word, request.deadline),
        };
        Answer {
            state,
            first_word: now + first_word,
            whole: now + whole,
            events: EventStream::default(),
            parts: Parts::new(request.lang),
            ready: VecDeque::new(),
        }
    }

    /// The model of that name; without one, the usual or the only one.
    fn model(&self, name: Option<&str>) -> Result<&(LlmConfig, Server), String> {
        let only = || self.models.values().next().filter(|_| self.models.len() == 1);
        let found = match name {
            Some(name) => self.models.get(name),
            None => self.models.get(USUAL).or_else(only),
        };
        found.ok_or_else(|| {
            let name = name.unwrap_or(USUAL);
            format!("no language model `{name}` is configured: add [llm.{name}]")
        })
    }
}

/// An answer that is coming. Dropping it ends it.
pub struct Answer {
    state: State,
    first_word: Instant,
    whole: Instant,
    events: EventStream,
    parts: Parts,
    ready: VecDeque<Generated>,
}

enum State {
    Refused(String),
    Asking(Server, Vec<u8>),
    Reading(Body),
    Over,
}

impl Answer {
    /// The next part; after one that is no sentence, there are no more. Comes at the latest at the deadline.
    pub async fn next(&mut self) -> Generated {
        loop {
            if let Some(part) = self.ready.pop_front() {
                return part;
            }
            if self.parts.is_over() {
                return Generated::Failed("the answer is over".to_owned());
            }
            let (until, late) = match self.parts.has_begun() {
                true => (self.whole, "its answer took too long"),
                false => (self.first_word.min(self.whole), "no first word in time"),
            };
            let parts = match timeout_at(until, self.read()).await {
                Ok(parts) => parts,
                Err(_) => {
                    self.state = State::Over;
                    self.parts.fail(late.to_owned())
                }
            };
            self.ready.extend(parts);
        }
    }

    /// Reads on, up to where something may have come. When it is dropped half-way, nothing is lost but the answer.
    async fn read(&mut self) -> Vec<Generated> {
        let next = match &mut self.state {
            State::Refused(problem) => Err(problem.clone()),
            State::Over => Ok(None),
            State::Asking(server, body) => {
                let (server, body) = (server.clone(), std::mem::take(body));
                match server.post(body).await {
                    Ok(body) => {
                        self.state = State::Reading(body);
                        return Vec::new();
                    }
                    Err(problem) => Err(problem),
                }
            }
            State::Reading(body) => body.next().await,
        };
        match next {
            Ok(Some(bytes)) => match self.events.push(&bytes) {
                Ok(events) => events.iter().flat_map(|data| self.parts.event(data)).collect(),
                Err(error) => self.parts.fail(error.to_string()),
            },
            Ok(None) => self.parts.end(),
            Err(problem) => self.parts.fail(problem),
        }
    }
}
