//! `hotline eval asr`: how well does it hear?

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde::Serialize;

use super::{
    parse_lang,
    score::{Tally, interval95},
};
use crate::{
    audio::{Hz8k, Hz16k, Pcm, Resampler, read_8k},
    speech::{
        Hints, Recognizer,
        recognizers::{EngineKind, RecognizerConfig, load},
    },
    text::Lang,
};

/// What to recognise, and with which recogniser.
#[derive(Debug, Args)]
pub struct AsrArgs {
    /// Table of clips, tab-separated, with the columns file, language and transcript; files are
    /// WAV, relative to the table.
    pub manifest: PathBuf,
    /// Only the clips of this language: en or zh.
    #[arg(long, value_parser = parse_lang)]
    pub lang: Option<Lang>,
    /// An engine (moonshine, whisper) or a model of the registry; unless given, moonshine for
    /// English and whisper for Chinese.
    #[arg(long)]
    pub recognizer: Option<String>,
    /// Words the dialog would expect, best first, separated by commas.
    #[arg(long, value_delimiter = ',')]
    pub hints: Vec<String>,
    /// Print one JSON document instead of a table.
    #[arg(long)]
    pub json: bool,
    /// Where the models are; otherwise in $HOTLINE_MODELS or the cache directory.
    #[arg(long)]
    pub models: Option<PathBuf>,
}

/// One recognised clip.
#[derive(Debug, Serialize)]
pub struct Clip {
    /// The file, as the manifest names it.
    pub file: String,
    /// What is said in it.
    pub reference: String,
    /// What was heard.
    pub hypothesis: String,
    /// Errors against the reference.
    pub tally: Tally,
    /// Length of the clip in seconds.
    pub audio_s: f64,
    /// Time from the last sample to the text, in seconds.
    pub took_s: f64,
}

/// The clips of one language and their error rate: words for English, characters for Chinese.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The language.
    pub lang: Lang,
    /// The recogniser's name.
    pub recognizer: String,
    /// Errors per reference unit.
    pub rate: f64,
    /// 95 % interval of the rate.
    pub interval: (f64, f64),
    /// The clips in the manifest's order.
    pub clips: Vec<Clip>,
}

/// A row of the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The file, relative to the manifest.
    pub file: String,
    /// The language.
    pub lang: Lang,
    /// What is said in it.
    pub transcript: String,
}

/// Runs `hotline eval asr`.
///
/// # Errors
/// When the manifest, a clip or a model cannot be read.
pub fn run(args: &AsrArgs) -> Result<()> {
    let models = args.models.clone().or_else(usual_models_dir);
    let models = models.context("there is no home directory: give --models DIR")?;
    let rows = read_manifest(&args.manifest)?;
    let mut reports = Vec::new();
    for lang in [Lang::En, Lang::Zh] {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.lang == lang).collect();
        if rows.is_empty() || args.lang.is_some_and(|only| only != lang) {
            continue;
        }
        let recognizer = load(&recognizer_config(args.recognizer.as_deref(), lang)?, &models)?;
        let hints = Hints { lang, phrases: args.hints.clone() };
        let folder = args.manifest.parent().unwrap_or(Path::new("."));
        reports.push(evaluate(recognizer.as_ref(), &hints, folder, &rows)?);
    }
    ensure!(!reports.is_empty(), "{} has no clip to recognise", args.manifest.display());
    if args.json {
        println!("{}", serde_json::to_string_pretty(&reports)?);
    } else {
        reports.iter().for_each(print_report);
    }
    Ok(())
}

/// Reads a manifest: tab-separated, a line of column names first, columns in any order.
///
/// # Errors
/// When it cannot be read, lacks a column, or names a language other than en and zh.
pub fn read_manifest(path: &Path) -> Result<Vec<Row>> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    parse_manifest(&text).with_context(|| path.display().to_string())
}

/// Plays clips through the media path of a call (8 kHz frames of 20 ms, resampled as a stream)
/// into a recogniser and scores what it hears.
///
/// # Errors
/// When a clip cannot be read or the recogniser fails.
pub fn evaluate(
    recognizer: &dyn Recognizer,
    hints: &Hints,
    folder: &Path,
    rows: &[&Row],
) -> Result<Report> {
    let mut clips = Vec::new();
    for row in rows {
        let audio = read_8k(&folder.join(&row.file))?;
        let (hypothesis, took) = hear(recognizer, hints, &audio)?;
        clips.push(Clip {
            file: row.file.clone(),
            reference: row.transcript.clone(),
            tally: Tally::of(&row.transcript, &hypothesis, hints.lang),
            hypothesis,
            audio_s: audio.duration().as_secs_f64(),
            took_s: took.as_secs_f64(),
        });
    }
    let tallies: Vec<Tally> = clips.iter().map(|clip| clip.tally).collect();
    Ok(Report {
        lang: hints.lang,
        recognizer: recognizer.name().to_owned(),
        rate: Tally::total(&tallies).rate(),
        interval: interval95(&tallies),
        clips,
    })
}

/// What the recogniser makes of a clip, and how long after its last sample.
fn hear(
    recognizer: &dyn Recognizer,
    hints: &Hints,
    audio: &Pcm<Hz8k>,
) -> Result<(String, Duration)> {
    let mut resampler = Resampler::<Hz8k, Hz16k>::new();
    let mut stream = recognizer.open(hints)?;
    for frame in audio.samples().chunks(160) {
        // The last frame is filled up, as a telephone would.
        let mut frame = frame.to_vec();
        frame.resize(160, 0);
        stream.accept(&resampler.push(&Pcm::new(frame)))?;
    }
    #[expect(clippy::disallowed_methods, reason = "measures how long recognition takes")]
    let started = Instant::now();
    let hypotheses = stream.finish()?;
    let text = hypotheses.into_iter().next().map_or_else(String::new, |best| best.text);
    Ok((text, started.elapsed()))
}

fn print_report(report: &Report) {
    for clip in &report.clips {
        println!(
            "{:<28} {:>3}/{:<3} {:>5.2} s  {}  |  {}",
            clip.file,
            clip.tally.errors,
            clip.tally.units,
            clip.took_s,
            clip.reference,
            clip.hypothesis
        );
    }
    let total = Tally::total(&report.clips.iter().map(|clip| clip.tally).collect::<Vec<_>>());
    let took: f64 = report.clips.iter().map(|clip| clip.took_s).sum();
    let (low, high) = report.interval;
    println!(
        "{} with {}: {} {:.1} % ({} of {}; 95 %: {:.1} to {:.1}), {:.2} s a clip\n",
        report.lang,
        report.recognizer,
        if report.lang == Lang::Zh { "CER" } else { "WER" },
        100.0 * report.rate,
        total.errors,
        total.units,
        100.0 * low,
        100.0 * high,
        took / report.clips.len().max(1) as f64
    );
}

fn parse_manifest(text: &str) -> Result<Vec<Row>> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let (_, header) = lines.next().context("it is empty")?;
    let names: Vec<&str> = header.split('\t').map(str::trim).collect();
    let column = |name: &str| {
        names.iter().position(|n| *n == name).with_context(|| format!("it has no column {name}"))
    };
    let (file, lang, transcript) = (column("file")?, column("language")?, column("transcript")?);
    lines
        .map(|(number, line)| {
            let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
            let cell = |at: usize| {
                cells.get(at).copied().with_context(|| format!("line {} is too short", number + 1))
            };
            let lang = cell(lang)?;
            Ok(Row {
                file: cell(file)?.to_owned(),
                lang: parse_lang(lang).map_err(|e| anyhow::anyhow!("line {}: {e}", number + 1))?,
                transcript: cell(transcript)?.to_owned(),
            })
        })
        .collect()
}

/// `moonshine` and `whisper` are engines; another name is a model whose engine it begins with.
fn recognizer_config(name: Option<&str>, lang: Lang) -> Result<RecognizerConfig> {
    let usual = if lang == Lang::En { EngineKind::Moonshine } else { EngineKind::Whisper };
    let Some(name) = name else { return Ok(RecognizerConfig::new(usual)) };
    let engine = match name {
        name if name.starts_with("moonshine") => EngineKind::Moonshine,
        name if name.starts_with("whisper") => EngineKind::Whisper,
        other => bail!("no recogniser is called {other:?}: give moonshine or whisper, or a model"),
    };
    let model = (name != engine.to_string()).then(|| name.to_owned());
    Ok(RecognizerConfig { model, ..RecognizerConfig::new(engine) })
}

/// Where models are unless a caller says: `$HOTLINE_MODELS`, or the user's cache directory.
pub fn usual_models_dir() -> Option<PathBuf> {
    if let Some(dir) = std::env::var_os("HOTLINE_MODELS") {
        return Some(dir.into());
    }
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    Some(cache.join("hotline/models"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name() {
        let rows =
            parse_manifest("language\tfile\tsource\ttranscript\nzh\ta.wav\tx\t你好\n").unwrap();
        let row = Row { file: "a.wav".into(), lang: Lang::Zh, transcript: "你好".into() };
        assert_eq!(rows, [row]);
    }

    #[test]
    fn a_bad_row_is_named_by_its_line() {
        let text = "file\tlanguage\ttranscript\na.wav\ten\tyes\nb.wav\tfr\toui\n";
        let error = parse_manifest(text).unwrap_err().to_string();
        assert_eq!(error, "line 3: the language is \"fr\": give en or zh");
        let error = parse_manifest("file\tlanguage\ttranscript\na.wav\ten\n").unwrap_err();
        assert_eq!(error.to_string(), "line 2 is too short");
    }

    #[test]
    fn a_missing_column_is_named() {
        let error = parse_manifest("file\ttranscript\n").unwrap_err().to_string();
        assert_eq!(error, "it has no column language");
    }

    #[test]
    fn a_recognizer_is_an_engine_or_a_model() {
        let config = |name| recognizer_config(Some(name), Lang::En).unwrap();
        assert_eq!(config("whisper"), RecognizerConfig::new(EngineKind::Whisper));
        assert_eq!(config("whisper-small").model.as_deref(), Some("whisper-small"));
        assert!(recognizer_config(Some("ears"), Lang::En).is_err());
    }
}
