//! `hotline call`: place one call, say recorded turns, report what came back.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;

use super::runtime;
use crate::{
    audio::{Codec, Pcm, StereoRecorder, read_8k},
    call::{
        PortRange, SrtpPolicy,
        caller::{self, EchoPath, Report, Script, Turn},
    },
    sdp::{self, Capabilities, LocalMedia},
    service::{Config, TrunkLine},
    sip::{DialRequest, UserAgent, UserAgentConfig},
};

/// Arguments of `hotline call`.
#[derive(Debug, clap::Args)]
pub struct CallArgs {
    /// Whom to call, such as `sip:1000@127.0.0.1:5060`; with --trunk a number.
    #[arg(value_name = "URI|NUMBER")]
    uri: String,
    /// Call by this trunk of the configuration: with its targets, account, caller id and SRTP, and
    /// registered for as long as the call lasts if it wants that.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["from", "bind", "srtp"])]
    trunk: Option<String>,
    /// The configuration file that has the trunk.
    #[arg(long, default_value = "hotline.toml", requires = "trunk")]
    config: PathBuf,
    /// A turn to say, a WAV file, or keys to press, such as `keys:1234#`; repeat for more. Before
    /// each, the bot is heard out.
    #[arg(long = "say", value_name = "WAV|keys:KEYS")]
    say: Vec<PathBuf>,
    /// Write both sides to this WAV: caller left, bot right.
    #[arg(long, value_name = "WAV")]
    record: Option<PathBuf>,
    /// Our own number.
    #[arg(long, default_value = "caller")]
    from: String,
    /// Address to call from.
    #[arg(long, default_value = "0.0.0.0")]
    bind: IpAddr,
    /// Whether to protect the media: off, optional, required, dtls-optional or dtls.
    #[arg(long, default_value = "off", value_parser = policy)]
    srtp: SrtpPolicy,
    /// Codec to offer (pcmu, pcma, g722, opus); repeat for more, in order of preference.
    #[arg(long = "codec", value_name = "NAME")]
    codecs: Vec<Codec>,
    /// Silence after which the bot is taken to have finished, in milliseconds.
    #[arg(long, default_value_t = 900)]
    quiet_ms: u64,
    /// Hang up when the bot says nothing for this many seconds.
    #[arg(long, default_value_t = 15)]
    patience: u64,
    /// Do not hear the bot out: speak over it once it has spoken for this many milliseconds.
    #[arg(long, value_name = "MS")]
    over_ms: Option<u64>,
    /// Return what is heard, so much quieter, as a phone does whose loudspeaker its microphone hears.
    #[arg(long, value_name = "DB")]
    echo_db: Option<f32>,
    /// How much later the echo comes back, in milliseconds.
    #[arg(long, default_value_t = 120, value_name = "MS", requires = "echo_db")]
    echo_ms: u64,
}

/// Places the call and prints one JSON line.
///
/// # Errors
/// When a WAV cannot be read, or the call is refused or breaks.
pub fn run(args: CallArgs) -> anyhow::Result<()> {
    let turns = args.say.iter().map(|path| turn(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let script = Script {
        turns,
        quiet: Duration::from_millis(args.quiet_ms),
        patience: Duration::from_secs(args.patience),
        over: args.over_ms.map(Duration::from_millis),
        echo: args.echo_db.map(|db| EchoPath::new(db, Duration::from_millis(args.echo_ms))),
    };
    let report = runtime()?.block_on(async {
        match &args.trunk {
            Some(trunk) => place_by(trunk, &args, script).await,
            None => place(&args, script).await,
        }
    })?;
    if let Some(path) = &args.record {
        record(path, &report)?;
    }
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

fn capabilities(args: &CallArgs) -> Capabilities {
    let all = Capabilities::default();
    let codecs = if args.codecs.is_empty() { all.codecs } else { args.codecs.clone() };
    Capabilities { codecs, ..all }
}

fn policy(name: &str) -> Result<SrtpPolicy, String> {
    let known = SrtpPolicy::ALL.into_iter().find(|(known, _)| *known == name);
    let names = || SrtpPolicy::ALL.map(|(name, _)| name).join(", ");
    known.map(|(_, policy)| policy).ok_or_else(|| format!("it is one of {}", names()))
}

fn turn(path: &Path) -> anyhow::Result<Turn> {
    if let Some(keys) = path.to_str().and_then(|p| p.strip_prefix("keys:")) {
        let (name, keys) = ("keys".to_owned(), keys.to_owned());
        return Ok(Turn { name, audio: Pcm::silence(0), keys });
    }
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Turn { name, audio: read_8k(path)?, keys: String::new() })
}

async fn place(args: &CallArgs, script: Script) -> anyhow::Result<Report> {
    let agent = UserAgent::bind(UserAgentConfig::new(SocketAddr::new(args.bind, 0))).await?;
    let ports: PortRange = "40000-49998".parse()?;
    let sockets = ports.bind(args.bind).await?;
    let local = LocalMedia {
        address: local_address(&args.uri, args.bind).await?,
        port: sockets.0.local_addr()?.port(),
        session_id: rand::random::<u32>().into(),
        version: 1,
        security: args.srtp.security(),
        capabilities: capabilities(args),
    };
    let from =
        format!("sip:{}@{}", args.from, SocketAddr::new(local.address, agent.local_addr().port()));
    let request = DialRequest::new(&args.uri, &from, sdp::offer(&local));
    let leg = agent.dial(request).await?;
    let report = caller::converse(leg, sockets, &local, script).await;
    agent.shutdown(Duration::from_secs(2)).await;
    report.with_context(|| format!("calling {}", args.uri))
}

/// The same by a trunk.
async fn place_by(trunk: &str, args: &CallArgs, script: Script) -> anyhow::Result<Report> {
    let mut config = Config::load(&args.config)?;
    if !args.codecs.is_empty() {
        config.rtp.codecs.clone_from(&args.codecs);
    }
    let line = TrunkLine::open(&config, trunk).await?;
    let registration = line.agent.register(trunk).await?;
    let (leg, sockets, local) = line.dial(&args.uri).await?;
    let report = caller::converse(leg, sockets, &local, script).await;
    if let Some(registration) = registration
        && let Err(error) = registration.take_back().await
    {
        tracing::warn!(%error, "the registration lapses by itself");
    }
    line.close().await;
    report.with_context(|| format!("calling {} by trunk {trunk}", args.uri))
}

/// The address of ours that the callee can reach: the one bound, or the route's.
async fn local_address(uri: &str, bind: IpAddr) -> anyhow::Result<IpAddr> {
    if !bind.is_unspecified() {
        return Ok(bind);
    }
    let host = uri.split_once(':').map_or(uri, |(_, rest)| rest);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = host.split([';', '?']).next().unwrap_or(host);
    let host = if host.contains(':') { host.to_owned() } else { format!("{host}:5060") };
    let probe = tokio::net::UdpSocket::bind(SocketAddr::new(bind, 0)).await?;
    probe.connect(&host).await.with_context(|| format!("no route to {host}"))?;
    Ok(probe.local_addr()?.ip())
}

fn record(path: &Path, report: &Report) -> anyhow::Result<()> {
    let mut recorder = StereoRecorder::create(path)?;
    recorder.push(&report.audio.0, &report.audio.1)?;
    recorder.finish()?;
    Ok(())
}
