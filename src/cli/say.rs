//! `hotline say`: a voice, to listen to.

use std::path::{Path, PathBuf};

use anyhow::Context;
use hound::{SampleFormat, WavSpec, WavWriter};

use crate::{
    audio::{Hz8k, Hz24k, Pcm, convert},
    speech::{
        models::ModelDir,
        prompts::{VoiceConfig, load_voice},
    },
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
    let speech = synthesizer.synthesize(&args.text, voice.speed)?;
    let telephone = convert::<Hz24k, Hz8k>(&speech);
    write(&args.out, &telephone).with_context(|| format!("writing {}", args.out.display()))?;
    println!("{}: {} ms", args.out.display(), telephone.duration().as_millis());
    Ok(())
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
