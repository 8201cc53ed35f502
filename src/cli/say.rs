//! `hotline say`: a voice, to listen to.

use std::{
    path::{Path, PathBuf},
    slice,
};

use anyhow::Context;
use hound::{SampleFormat, WavSpec, WavWriter};

use crate::{
    audio::{Hz8k, Manner, Pcm},
    speech::{
        models::ModelDir,
        prompts::{CacheLimits, PromptCache, Prompts, VoiceConfig, load_voice},
    },
    text::{Phrase, Piece, ReadAs},
};

/// Arguments of `hotline say`.
#[derive(Debug, clap::Args)]
pub struct SayArgs {
    /// What to say.
    text: String,
    /// The voice: a file of the voices directory, without `.toml`.
    #[arg(long, default_value = "en-hibari")]
    voice: String,
    /// Where to write the sound, a WAV as it goes over the telephone (8 kHz).
    #[arg(long, value_name = "WAV")]
    out: PathBuf,
    /// Directory of voice definitions.
    #[arg(long, default_value = "voices")]
    voices: PathBuf,
    /// Reads the text as a value of this kind, spliced as in a call: digits, number, amount, date or
    /// time. The first time, the voice speaks what such values are made of.
    #[arg(long = "as", value_name = "KIND", value_parser = read_as)]
    read_as: Option<ReadAs>,
    /// Directory of speech models, instead of the cache's.
    #[arg(long)]
    models: Option<PathBuf>,
}

/// Speaks the text into a file.
///
/// # Errors
/// When there is no such voice or model, nothing to pronounce, or the file cannot be written.
pub fn run(args: SayArgs) -> anyhow::Result<()> {
    let voice = VoiceConfig::load(&args.voices.join(format!("{}.toml", args.voice)))?;
    let models = args.models.map_or_else(ModelDir::default_location, ModelDir::new);
    let synthesizer = load_voice(&voice, models.root(), 1)?;
    let cache =
        PromptCache::open(&models.root().with_file_name("prompts"), CacheLimits::default())?;
    let phrase = Phrase { lang: voice.lang, pieces: vec![piece(args.text, args.read_as)] };
    let prompts = Prompts::new(vec![(voice, synthesizer)], cache);
    if args.read_as.is_some() {
        prompts.prerender(slice::from_ref(&phrase), &mut |done, total, text| {
            if done < total {
                println!("speaking {} of {total}: {text}", done + 1);
            }
        })?;
    }
    let telephone = prompts.render(&phrase, Manner::USUAL)?;
    write(&args.out, &telephone).with_context(|| format!("writing {}", args.out.display()))?;
    println!("{}: {} ms", args.out.display(), telephone.duration().as_millis());
    Ok(())
}

fn piece(text: String, read_as: Option<ReadAs>) -> Piece {
    match read_as {
        Some(read_as) => Piece::Value { value: text, read_as },
        None => Piece::Words(text),
    }
}

/// A kind of value by the name it has in dialplans.
fn read_as(name: &str) -> Result<ReadAs, String> {
    serde_json::from_value(name.into())
        .map_err(|_| "not a kind of value: digits, number, amount, date or time".to_owned())
}

fn write(path: &Path, audio: &Pcm<Hz8k>) -> hound::Result<()> {
    let spec = WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut writer = WavWriter::create(path, spec)?;
    for sample in audio.samples() {
        writer.write_sample(*sample)?;
    }
    writer.finalize()
}
