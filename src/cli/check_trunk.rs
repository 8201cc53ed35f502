//! `hotline check --trunk`: does this trunk work?

use std::{path::PathBuf, time::Duration};

use anyhow::bail;

use super::runtime;
use crate::{
    audio::read_8k,
    call::trial::test_tone,
    service::{Config, TestCall, Verdict, check_trunk},
};

/// Arguments of `hotline check` that are about trunks.
#[derive(Debug, Default, clap::Args)]
pub struct TrunkArgs {
    /// Try this trunk of the configuration, or all of them: look it up, send OPTIONS, register and
    /// take that back, send RTP to ourselves
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    pub trunk: Option<String>,
    /// The configuration file
    #[arg(long, default_value = "hotline.toml", requires = "trunk")]
    pub config: PathBuf,
    /// Call this number by the trunk and judge the audio both ways
    #[arg(long, value_name = "NUMBER", requires = "trunk")]
    pub call: Option<String>,
    /// How long that call lasts, in seconds
    #[arg(long, default_value_t = 12, requires = "call")]
    pub seconds: u64,
    /// What its callee hears, over and over, a WAV file; the tone of ITU-T O.6 unless given
    #[arg(long, value_name = "WAV", requires = "call")]
    pub play: Option<PathBuf>,
}

/// Tries the trunks that are asked for, and prints a line for each finding.
///
/// # Errors
/// When the configuration cannot be used, or a trunk has a fault.
pub fn run(args: &TrunkArgs) -> anyhow::Result<()> {
    let Some(asked) = &args.trunk else { return Ok(()) };
    let config = Config::load(&args.config)?;
    let names: Vec<String> = match asked.as_str() {
        "" => config.trunks.iter().map(|trunk| trunk.name.clone()).collect(),
        name => vec![name.to_owned()],
    };
    if names.is_empty() {
        bail!("{} has no [[trunk]]", args.config.display());
    }
    if names.len() > 1 && args.call.is_some() {
        bail!("--call wants one trunk: name it, --trunk {}", names[0]);
    }
    let call = test_call(args)?;
    let mut faults = 0;
    for name in &names {
        println!("trunk {name}");
        runtime()?.block_on(check_trunk(&config, name, call.as_ref(), &mut |finding| {
            faults += usize::from(finding.verdict == Verdict::Bad);
            println!("  {finding}");
        }))?;
    }
    if faults > 0 {
        bail!("{faults} fault{}", if faults == 1 { "" } else { "s" });
    }
    Ok(())
}

fn test_call(args: &TrunkArgs) -> anyhow::Result<Option<TestCall>> {
    let Some(number) = args.call.clone() else { return Ok(None) };
    let audio = match &args.play {
        Some(path) => read_8k(path)?,
        None => test_tone(8_000),
    };
    let time = Duration::from_secs(args.seconds.max(1));
    Ok(Some(TestCall { number, audio, time }))
}
