//! What answers the numbers: which dialplan a caller gets, and how it is replaced while calls run.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::sync::{mpsc, oneshot};

use super::{Config, Number, ServiceError, Trial, route};
use crate::{call::BeforeAnswer, dialplan::Dialplan, speech::prompts::Prompts, text::Lang};

/// Requests to read the dialplans again that may wait.
const RELOADS: usize = 4;

/// A dialplan, and its prompts.
#[derive(Clone)]
pub(super) struct Spoken {
    pub(super) dialplan: Arc<Dialplan>,
    pub(super) prompts: Arc<Prompts>,
}

/// What answers a number.
pub(super) struct Line {
    pub(super) number: Number,
    pub(super) before_answer: BeforeAnswer,
    pub(super) main: Spoken,
    pub(super) trial: Option<(Trial, Spoken)>,
}

/// What talks in calls that are placed.
pub(super) struct Placeable {
    pub(super) file: PathBuf,
    pub(super) tenant: String,
    pub(super) record: bool,
    pub(super) spoken: Spoken,
}

/// What answers, and the prompts of all of it by their voices.
pub(super) struct Lines {
    pub(super) lines: Vec<Line>,
    pub(super) placeable: Vec<Placeable>,
    pub(super) prompts: Vec<(BTreeMap<Lang, String>, Arc<Prompts>)>,
}

impl Lines {
    /// The line of a number that was called by `trunk`.
    pub(super) fn find(&self, number: &str, trunk: Option<&str>) -> Option<&Line> {
        let at = route::find(self.lines.iter().map(|line| &line.number), number, trunk)?;
        self.lines.get(at)
    }

    /// The dialplan of that name or file, and whether its calls are recorded: one for calls that are placed, or one that
    /// answers a number.
    pub(super) fn named(&self, name: &str) -> Option<(&Spoken, bool)> {
        let is = |spoken: &Spoken, file: &Path| {
            spoken.dialplan.name() == name || file == Path::new(name)
        };
        let placeable = self.placeable.iter().find(|p| is(&p.spoken, &p.file));
        let line = || self.lines.iter().find(|line| is(&line.main, &line.number.dialplan));
        let placeable = placeable.map(|p| (&p.spoken, p.record));
        placeable.or_else(|| line().map(|line| (&line.main, line.number.record)))
    }

    /// The names of all dialplans, each once.
    pub(super) fn names(&self) -> Vec<String> {
        let placeable = self.placeable.iter().map(|p| &p.spoken);
        let spoken = placeable.chain(self.lines.iter().map(|line| &line.main));
        let names: BTreeSet<&str> = spoken.map(|spoken| spoken.dialplan.name()).collect();
        names.into_iter().map(str::to_owned).collect()
    }
}

impl Line {
    /// What `caller` gets to hear.
    pub(super) fn for_caller(&self, caller: &str) -> &Spoken {
        match &self.trial {
            Some((trial, spoken)) if trial.is_for(caller) => spoken,
            _ => &self.main,
        }
    }
}

/// Has a running service read its dialplans again.
#[derive(Debug, Clone)]
pub struct Reloader(mpsc::Sender<Reload>);

/// A configuration whose numbers are to be answered from now on, and who wants to know.
#[derive(Debug)]
pub(super) struct Reload {
    pub(super) config: Config,
    pub(super) done: oneshot::Sender<Result<usize, ServiceError>>,
}

impl Reloader {
    pub(super) fn new() -> (Self, mpsc::Receiver<Reload>) {
        let (sender, requests) = mpsc::channel(RELOADS);
        (Self(sender), requests)
    }

    /// Reads the dialplans of the `[[number]]`s in `config` again, renders what is new in them, and answers new
    /// calls with them; running calls go on with what they began with. Everything else in `config` is left as it
    /// was when the service started. Returns how many numbers there are.
    ///
    /// # Errors
    /// What [`Service::start`](super::Service::start) says of numbers and dialplans; nothing is changed then.
    /// [`ServiceError::Stopped`] when the service does not run.
    pub async fn reload(&self, config: Config) -> Result<usize, ServiceError> {
        let (done, result) = oneshot::channel();
        self.0.send(Reload { config, done }).await.map_err(|_| ServiceError::Stopped)?;
        result.await.unwrap_or(Err(ServiceError::Stopped))
    }
}
