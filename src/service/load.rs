//! Dialplans, recognisers, voices and prompts, loaded when the service starts.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Config, Published, ServiceError, Trial,
    lines::{Line, Lines, Placeable, Spoken},
};
use crate::{
    call::Engines,
    dialplan::Dialplan,
    speech::{
        Recognizer,
        models::ModelDir,
        prompts::{CacheLimits, PromptCache, Prompts, VoiceConfig, load_voice},
        recognizers,
        scheduler::{Scheduler, SchedulerConfig},
    },
    text::{Lang, Phrase},
};

/// A dialplan, for what it is, and the file that it came from.
pub(super) struct Answering {
    whose: Whose,
    path: PathBuf,
    dialplan: Arc<Dialplan>,
}

/// What a dialplan is for: a place in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Whose {
    Number(usize),
    TrialOf(usize),
    Placed(usize),
}

/// Loads the dialplans of every number and of calls that are placed; one that several numbers share is loaded once.
pub(super) fn dialplans(config: &Config) -> Result<Vec<Answering>, ServiceError> {
    let mut loaded: BTreeMap<PathBuf, Arc<Dialplan>> = BTreeMap::new();
    let published = Published::new(&config.data.dir);
    let mut answering = Vec::new();
    let mut wanted: Vec<(Whose, &PathBuf)> = Vec::new();
    for (at, number) in config.numbers.iter().enumerate() {
        if let Some(problem) = number.trial.as_ref().and_then(Trial::problem) {
            return Err(ServiceError::Trial { number: number.number.clone(), problem });
        }
        wanted.push((Whose::Number(at), &number.dialplan));
        wanted.extend(number.trial.as_ref().map(|trial| (Whose::TrialOf(at), &trial.dialplan)));
    }
    let placed = config.dialplans.iter().enumerate();
    wanted.extend(placed.map(|(at, placed)| (Whose::Placed(at), &placed.file)));
    for (whose, path) in wanted {
        let dialplan = match loaded.get(path) {
            Some(dialplan) => Arc::clone(dialplan),
            None => Arc::new(load_dialplan(&published, path)?),
        };
        loaded.insert(path.clone(), Arc::clone(&dialplan));
        can_be_answered(config, path, &dialplan)?;
        answering.push(Answering { whose, path: path.clone(), dialplan });
    }
    Ok(answering)
}

/// Loads the dialplans of a configuration for a service that runs, with recognisers for `hears` alone. Blocks.
pub(super) fn again(
    config: &Config,
    models: &ModelDir,
    hears: impl Fn(Lang) -> bool,
    known: &Lines,
) -> Result<Lines, ServiceError> {
    let answering = dialplans(config)?;
    for member in &answering {
        let new = |lang: &&Lang| config.recognizer.contains_key(lang) && !hears(**lang);
        if let Some(&lang) = member.dialplan.languages().iter().find(new) {
            return Err(ServiceError::NewLanguage { path: member.path.clone(), lang });
        }
    }
    lines(config, models, answering, &known.prompts)
}

/// Each language has a recogniser; or none has, and keys answer every question.
fn can_be_answered(config: &Config, path: &Path, dialplan: &Dialplan) -> Result<(), ServiceError> {
    let unheard = |lang: &&Lang| !config.recognizer.contains_key(lang);
    let Some(&lang) = dialplan.languages().iter().find(unheard) else { return Ok(()) };
    let why_not_keys = match dialplan.questions_for_speech().first() {
        _ if !dialplan.languages().iter().all(|lang| unheard(&lang)) => {
            "keys alone answer only when none of its languages has one".to_owned()
        }
        Some(question) => format!("keys alone cannot answer its question `{question}`"),
        None => {
            tracing::info!(path = %path.display(), "answered by keys alone: no recogniser");
            return Ok(());
        }
    };
    Err(ServiceError::NoRecognizer { path: path.to_owned(), lang, why_not_keys })
}

fn load_dialplan(published: &Published, path: &Path) -> Result<Dialplan, ServiceError> {
    let path = &published.path(path)?;
    let dialplan = Dialplan::load(path).map_err(|errors| ServiceError::Dialplan {
        path: path.to_owned(),
        problems: errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    })?;
    for warning in dialplan.warnings() {
        tracing::warn!("{warning}");
    }
    published.verify(path, &dialplan)?;
    Ok(dialplan)
}

/// Loads what the dialplans need to hear and speak, and renders their prompts. Blocks.
pub(super) fn speech(
    config: &Config,
    models: &ModelDir,
    answering: Vec<Answering>,
) -> Result<(Engines, Lines), ServiceError> {
    let spoken: BTreeSet<Lang> =
        answering.iter().flat_map(|a| a.dialplan.languages().iter().copied()).collect();
    let mut heard: BTreeMap<Lang, Arc<dyn Recognizer>> = BTreeMap::new();
    for lang in spoken {
        let Some(settings) = config.recognizer.get(&lang) else { continue };
        let recognizer = recognizers::load(settings, models.root())?;
        tracing::info!(%lang, recognizer = recognizer.name(), "recogniser loaded");
        heard.insert(lang, recognizer.into());
    }
    let threads = NonZeroUsize::new(config.inference.threads).unwrap_or(NonZeroUsize::MIN);
    let scheduler = Scheduler::start(SchedulerConfig { threads, queue: config.inference.queue })
        .map_err(ServiceError::Threads)?;
    let lines = lines(config, models, answering, &[])?;
    Ok((Engines::new(heard, scheduler), lines))
}

/// Dialplans whose voices do not contradict each other share one set of prompts.
struct Group {
    voices: BTreeMap<Lang, String>,
    members: Vec<Answering>,
}

/// What answers the numbers; prompts of voices that are `known` are used again.
fn lines(
    config: &Config,
    models: &ModelDir,
    answering: Vec<Answering>,
    known: &[(BTreeMap<Lang, String>, Arc<Prompts>)],
) -> Result<Lines, ServiceError> {
    let mut spoken: HashMap<Whose, Spoken> = HashMap::new();
    let mut all = Vec::new();
    for group in groups(answering) {
        let prompts = match known.iter().find(|(voices, _)| *voices == group.voices) {
            Some((_, prompts)) => Arc::clone(prompts),
            None => Arc::new(prompts(config, models, &group)?),
        };
        for Answering { whose, path, dialplan } in group.members {
            let number = match whose {
                Whose::Number(at) | Whose::TrialOf(at) => config.numbers.get(at),
                Whose::Placed(_) => None,
            };
            let number = number.map_or("", |number| number.number.as_str());
            render(&prompts, &dialplan.phrases(), number)?;
            let version = dialplan.version();
            tracing::info!(%number, dialplan = dialplan.name(), version, path = %path.display(), ?whose, "loaded");
            spoken.insert(whose, Spoken { dialplan, prompts: Arc::clone(&prompts) });
        }
        all.push((group.voices, prompts));
    }
    let mut lines = Vec::new();
    for (at, number) in config.numbers.iter().enumerate() {
        let Some(main) = spoken.remove(&Whose::Number(at)) else { continue };
        let before_answer =
            number.before_answer.as_ref().map(|before| before.load()).transpose()?;
        let trial = number.trial.clone().zip(spoken.remove(&Whose::TrialOf(at)));
        let before_answer = before_answer.unwrap_or_default();
        lines.push(Line { number: number.clone(), before_answer, main, trial });
    }
    let placed = config.dialplans.iter().enumerate().filter_map(|(at, placed)| {
        let spoken = spoken.remove(&Whose::Placed(at))?;
        let (file, tenant) = (placed.file.clone(), placed.tenant.clone());
        Some(Placeable { file, tenant, record: placed.record, spoken })
    });
    let placeable = placed.collect();
    Ok(Lines { lines, placeable, prompts: all })
}

fn groups(answering: Vec<Answering>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for member in answering {
        let plan = &member.dialplan;
        let voices: BTreeMap<Lang, String> =
            plan.languages().iter().map(|lang| (*lang, voice_name(plan, *lang))).collect();
        let agrees = |group: &&mut Group| {
            voices.iter().all(|(lang, name)| group.voices.get(lang).is_none_or(|v| v == name))
        };
        match groups.iter_mut().find(agrees) {
            Some(group) => {
                group.voices.extend(voices);
                group.members.push(member);
            }
            None => groups.push(Group { voices, members: vec![member] }),
        }
    }
    groups
}

/// The dialplan's voice for a language, or the one that ships with Hotline.
fn voice_name(plan: &Dialplan, lang: Lang) -> String {
    let shipped = match lang {
        Lang::En => "en-hibari",
        Lang::Zh => "zh-xiaoxiao",
    };
    plan.voice(lang).unwrap_or(shipped).to_owned()
}

fn prompts(config: &Config, models: &ModelDir, group: &Group) -> Result<Prompts, ServiceError> {
    let mut voices = Vec::new();
    for name in group.voices.values() {
        let voice = VoiceConfig::load(&config.voices.dir.join(format!("{name}.toml")))?;
        let synthesizer = load_voice(&voice, models.root(), 1)?;
        tracing::info!(voice = %name, model = %voice.model, "voice loaded");
        voices.push((voice, synthesizer));
    }
    let dir = config.data.prompts.clone().unwrap_or_else(|| config.data.dir.join("prompts"));
    Ok(Prompts::new(voices, PromptCache::open(&dir, CacheLimits::default())?))
}

fn render(prompts: &Prompts, phrases: &[Phrase], number: &str) -> Result<(), ServiceError> {
    prompts.prerender(phrases, &mut |done, total, text| {
        if done < total && done % 10 == 0 {
            tracing::info!(number, "rendering prompt {} of {total}: {text}", done + 1);
        }
    })?;
    Ok(())
}
