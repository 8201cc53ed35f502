//! `hotline.toml`: what a service listens on, which dialplan answers which number, which engines
//! hear and speak.

use std::{
    collections::BTreeMap,
    fs,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Deserializer, de::Error};

use super::{
    BeforeAnswer, Data, Hold, Retention, ServiceError, Tenant, Trial, Trunk, outbox,
    published::is_published,
};
use crate::{
    api::ApiConfig,
    audio::Codec,
    call::{Limits, MediaOptions, SrtpPolicy, ToneKeys},
    conversation::Timing,
    crm::CrmConfig,
    delivery::WebhookConfig,
    llm::LlmConfig,
    sdp::Capabilities,
    sip::{ListenOn, TlsFiles},
    speech::recognizers::RecognizerConfig,
    store::DEFAULT_TENANT,
    text::Lang,
};

/// The whole file. Relative paths are relative to it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Signalling.
    pub sip: Sip,
    /// Media.
    #[serde(default)]
    pub rtp: Rtp,
    /// Where calls are kept.
    #[serde(default)]
    pub data: Data,
    /// Numbers and who answers them.
    #[serde(default, rename = "number")]
    pub numbers: Vec<Number>,
    /// Dialplans of calls that are placed.
    #[serde(default, rename = "dialplan")]
    pub dialplans: Vec<PlacedDialplan>,
    /// Carriers and PBXs. With none that takes calls, anybody may call.
    #[serde(default, rename = "trunk")]
    pub trunks: Vec<Trunk>,
    /// Those whose numbers, calls and events are kept apart; `default` is there without being named.
    #[serde(default, rename = "tenant")]
    pub tenants: Vec<Tenant>,
    /// Recognisers by language. A dialplan in a language without one is answered by keys alone.
    #[serde(default)]
    pub recognizer: BTreeMap<Lang, RecognizerConfig>,
    /// Synthesis.
    #[serde(default)]
    pub voices: Voices,
    /// Inference threads.
    #[serde(default)]
    pub inference: Inference,
    /// Turn-taking.
    #[serde(default)]
    pub timing: Timing,
    /// Limits of one call.
    #[serde(default)]
    pub limits: Limits,
    /// Handing callers over.
    #[serde(default)]
    pub transfer: Transfer,
    /// Callers whom we put on hold.
    #[serde(default)]
    pub hold: Hold,
    /// Who answers what dialplans ask as tools.
    #[serde(default)]
    pub crm: CrmConfig,
    /// Language models by name; `default` is that of dialplans that name none.
    #[serde(default)]
    pub llm: BTreeMap<String, LlmConfig>,
    /// Addresses that get events as signed requests.
    #[serde(default, rename = "webhook")]
    pub webhooks: Vec<WebhookConfig>,
    /// How long what is kept.
    #[serde(default)]
    pub retention: Retention,
    /// Health, metrics and traces.
    #[serde(default)]
    pub monitoring: Monitoring,
    /// The gRPC API.
    #[serde(default)]
    pub api: ApiConfig,
}

/// Handing callers over.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Transfer {
    /// Told to whoever a caller is handed over to, as `X-Hotline-Summary`; `{id}` stands for the
    /// call's id.
    pub summary_url: Option<String>,
    /// The trunk that numbers are called by; without one, they are called where the call came from.
    pub trunk: Option<String>,
}

/// Health, metrics and traces.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Monitoring {
    /// Where `/metrics`, `/healthz` and `/readyz` are answered over HTTP; nowhere without it.
    pub listen: Option<SocketAddr>,
    /// An OpenTelemetry collector that gets a trace of each call, such as `http://127.0.0.1:4317`.
    pub otlp: Option<String>,
}

/// Signalling.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sip {
    /// Where to listen: one address or a list, such as `udp:0.0.0.0:5060`, `tls:[::]:5061`.
    #[serde(deserialize_with = "one_or_many")]
    pub listen: Vec<ListenOn>,
    /// Certificates of `tls:` listeners, and whom to trust.
    #[serde(default)]
    pub tls: TlsFiles,
    /// The address peers see, when that is another one (NAT).
    pub external: Option<IpAddr>,
    /// Seconds that a session lasts without a refresh (RFC 4028).
    #[serde(default = "default_session_expires")]
    pub session_expires_s: u32,
    /// The least of those that a peer may ask for; below 90 only for tests.
    #[serde(default = "default_min_session_expires")]
    pub min_session_expires_s: u32,
    /// Seconds that running calls are given to end when the service is told to stop.
    #[serde(default = "default_drain")]
    pub drain_s: u64,
    /// Calls at once; more get 503 with Retry-After.
    #[serde(default = "default_max_calls")]
    pub max_calls: usize,
}

fn default_tenant() -> String {
    DEFAULT_TENANT.to_owned()
}

fn default_record() -> bool {
    true
}

/// A list, or a single value in place of a list of one.
fn one_or_many<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<ListenOn>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    let texts = match OneOrMany::deserialize(from)? {
        OneOrMany::One(text) => vec![text],
        OneOrMany::Many(texts) => texts,
    };
    texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
}

fn default_session_expires() -> u32 {
    1_800
}

fn default_min_session_expires() -> u32 {
    90
}

fn default_drain() -> u64 {
    30
}

fn default_max_calls() -> usize {
    100
}

/// Media.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rtp {
    /// Ports, such as `20000-20999`: two for each call.
    pub ports: String,
    /// SRTP: `off`, `optional`, `required`, `dtls-optional` or `dtls`.
    pub srtp: SrtpPolicy,
    /// Codecs in the order in which we offer them: `pcmu`, `pcma`, `g722`, `opus`.
    pub codecs: Vec<Codec>,
    /// Comfort noise (RFC 3389) when the peer has it, else faint noise, while the bot is silent;
    /// otherwise digital silence.
    pub comfort_noise: bool,
    /// Keys as tones in the audio: `off`, `auto` (with peers without RFC 4733) or `always`.
    pub tone_keys: ToneKeys,
}

impl Rtp {
    /// Silence and tones.
    pub fn media_options(&self) -> MediaOptions {
        MediaOptions { comfort_noise: self.comfort_noise, tones: self.tone_keys }
    }

    /// What calls negotiate.
    pub fn capabilities(&self) -> Capabilities {
        Capabilities { codecs: self.codecs.clone(), comfort_noise: self.comfort_noise }
    }
}

impl Default for Rtp {
    fn default() -> Self {
        let Capabilities { codecs, comfort_noise } = Capabilities::default();
        let ports = "20000-20999".into();
        let (srtp, tone_keys) = (SrtpPolicy::default(), ToneKeys::default());
        Self { ports, srtp, codecs, comfort_noise, tone_keys }
    }
}

/// A number and its dialplan.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Number {
    /// What is dialled: the user part of the request URI. `x` is any digit, `*` at the end any
    /// rest; the most precise entry answers.
    pub number: String,
    /// The trunk that the call must come by; any when it is not given.
    pub trunk: Option<String>,
    /// Whose number it is; its calls and their events belong to the same.
    #[serde(default = "default_tenant")]
    pub tenant: String,
    /// The dialplan that answers: a file, or `published:NAME`, or `published:NAME@VERSION`.
    pub dialplan: PathBuf,
    /// What the caller gets before the answer; nothing when it is not given.
    pub before_answer: Option<BeforeAnswer>,
    /// Whether its calls are recorded. The journal is written in any case.
    #[serde(default = "default_record")]
    pub record: bool,
    /// Another dialplan for some of its callers.
    pub trial: Option<Trial>,
}

/// A dialplan that answers no number, for calls that are placed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlacedDialplan {
    /// The dialplan.
    pub file: PathBuf,
    /// Whose dialplan it is, for those who place calls through the API.
    #[serde(default = "default_tenant")]
    pub tenant: String,
    /// Whether its calls are recorded. The journal is written in any case.
    #[serde(default = "default_record")]
    pub record: bool,
}

/// Synthesis.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Voices {
    /// Directory of voice definitions.
    pub dir: PathBuf,
}

impl Default for Voices {
    fn default() -> Self {
        Self { dir: "voices".into() }
    }
}

/// Inference threads.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Inference {
    /// Jobs at once.
    pub threads: usize,
    /// Jobs that may wait.
    pub queue: usize,
}

impl Default for Inference {
    fn default() -> Self {
        Self { threads: 2, queue: 256 }
    }
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// [`ServiceError::Config`] with file, line and problem.
    pub fn load(path: &Path) -> Result<Self, ServiceError> {
        let bad = |problem: String| ServiceError::Config { path: path.to_owned(), problem };
        let text = fs::read_to_string(path).map_err(|e| bad(e.to_string()))?;
        let mut config: Self = toml::from_str(&text).map_err(|e| bad(e.to_string()))?;
        let base = path.parent().unwrap_or(Path::new("."));
        for file in config.paths() {
            *file = base.join(&*file);
        }
        Ok(config)
    }

    /// The SRTP policy for calls by `trunk`.
    pub(super) fn srtp_with(&self, trunk: Option<&str>) -> SrtpPolicy {
        let own = self.trunks.iter().find(|t| Some(t.name.as_str()) == trunk);
        own.and_then(|trunk| trunk.srtp).unwrap_or(self.rtp.srtp)
    }

    /// The names of those who are told of events.
    pub fn sink_names(&self) -> Vec<String> {
        let crm = self.crm.events.then(|| outbox::CRM_SINK.to_owned());
        self.webhooks.iter().map(|webhook| webhook.rules().name).chain(crm).collect()
    }

    fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let numbers = self.numbers.iter_mut().flat_map(|number| {
            let announcement = number.before_answer.as_mut().and_then(BeforeAnswer::path);
            let trial = number.trial.as_mut().map(|trial| &mut trial.dialplan);
            let files = [&mut number.dialplan].into_iter().chain(announcement).chain(trial);
            files.filter(|path| !is_published(path))
        });
        [&mut self.voices.dir]
            .into_iter()
            .chain(self.data.paths())
            .chain(&mut self.hold.music)
            .chain(self.sip.tls.paths())
            .chain(self.api.paths())
            .chain(self.webhooks.iter_mut().map(|webhook| &mut webhook.secret_file))
            .chain(self.trunks.iter_mut().flat_map(Trunk::paths))
            .chain(
                self.dialplans.iter_mut().map(|d| &mut d.file).filter(|file| !is_published(file)),
            )
            .chain(self.llm.values_mut().flat_map(|llm| [&mut llm.key_file, &mut llm.ca]).flatten())
            .chain(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hotline.toml");
        fs::write(&path, text).unwrap();
        Config::load(&path).map_err(|e| e.to_string())
    }

    #[test]
    fn the_shipped_configuration_loads() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("hotline.toml");
        let config = Config::load(&path).unwrap();
        assert!(config.numbers.iter().all(|n| n.dialplan.exists()));
    }

    #[test]
    fn an_unknown_field_is_named_with_its_line() {
        let error = load("[sip]\nlisten = \"127.0.0.1:5060\"\nlissen = 1\n").unwrap_err();
        assert!(error.contains("lissen") && error.contains("line 3"), "{error}");
    }

    #[test]
    fn one_address_or_many_are_listened_on() {
        let parse = |listen: &str| {
            let sip: Sip = toml::from_str(&format!("listen = {listen}")).unwrap();
            sip.listen.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(parse("\"127.0.0.1:5060\""), ["udp:127.0.0.1:5060"]);
        let both = ["udp:0.0.0.0:5060", "tls:[::]:5061"];
        assert_eq!(parse("[\"udp:0.0.0.0:5060\", \"tls:[::]:5061\"]"), both);
    }

    #[test]
    fn a_bad_address_is_named_with_its_line() {
        let error = load("[sip]\nlisten = \"5060\"\n").unwrap_err();
        assert!(error.contains("line 2"), "{error}");
    }

    proptest::proptest! {
        #[test]
        fn a_damaged_file_is_read_or_refused_with_a_reason(
            at in 0..900_usize, cut in 0..40_usize, with in "[ -~\n\"=]{0,20}"
        ) {
            let whole = include_str!("../../hotline.toml");
            let (head, tail) = whole.split_at(whole.floor_char_boundary(at));
            let tail = &tail[tail.floor_char_boundary(cut)..];
            if let Err(problem) = load(&format!("{head}{with}{tail}")) {
                proptest::prop_assert!(problem.contains("hotline.toml") && problem.len() > 30, "{problem}");
            }
        }
    }
}
