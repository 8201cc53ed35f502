//! The other side of a call: plays a caller's recorded turns, waiting for the bot to finish before
//! each or speaking over it. What `hotline call` and the demo are made of.

mod echo;

use std::time::Duration;

use serde::Serialize;
use tokio::{
    net::UdpSocket,
    time::{Instant, sleep_until, timeout},
};

use super::{CallError, MediaOptions, ToneKeys, media::Media, player::FRAME};
use crate::{
    audio::{CallTime, Hz8k, Pcm, level},
    sdp::{self, LocalMedia},
    sip::{HangUpCause, Leg, LegEvent},
    speech::vad::{SpeechDetector, VadConfig},
};
pub use echo::EchoPath;

const TICK: Duration = Duration::from_millis(20);
/// A key is held for 100 ms, and with its rest takes 180.
const KEY_TICKS: u16 = 5;
const KEY_TIME: usize = 9 * FRAME;
/// How long the callee may ring.
const RING: Duration = Duration::from_secs(30);

/// What the caller does.
#[derive(Debug, Clone)]
pub struct Script {
    /// The caller's turns, in order.
    pub turns: Vec<Turn>,
    /// Silence of the bot after which it is taken to have finished.
    pub quiet: Duration,
    /// The caller hangs up when the bot says nothing for this long.
    pub patience: Duration,
    /// The caller does not wait for the bot to finish, but speaks once it has spoken for this long.
    pub over: Option<Duration>,
    /// The caller's phone returns some of what it plays.
    pub echo: Option<EchoPath>,
}

/// One thing the caller says.
#[derive(Debug, Clone)]
pub struct Turn {
    /// A name for the report, such as the file's.
    pub name: String,
    /// The speech.
    pub audio: Pcm<Hz8k>,
    /// Keys pressed instead of it: `0-9`, `*`, `#`, `A-D`.
    pub keys: String,
}

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Turns that were spoken.
    pub turns: Vec<TurnReport>,
    /// Milliseconds from the answer to the bot's first audible sound.
    pub greeting_ms: Option<u64>,
    /// Whether the bot hung up, rather than we.
    pub bot_hung_up: bool,
    /// Milliseconds from the answer to the end.
    pub duration_ms: u64,
    /// Both sides: the caller's audio and the bot's as it was played out here.
    #[serde(skip)]
    pub audio: (Pcm<Hz8k>, Pcm<Hz8k>),
}

/// One spoken turn.
#[derive(Debug, Clone, Serialize)]
pub struct TurnReport {
    /// Its name.
    pub name: String,
    /// Milliseconds from the last audible sample of the turn, as sent, to the bot's first audible
    /// one, as played out; `None` when the bot was speaking already or did not answer.
    pub latency_ms: Option<u64>,
}

/// Runs an outbound leg to its end; `local` is what its offer was made from.
///
/// # Errors
/// [`CallError`] when the call is refused, is not answered, or its session cannot be agreed on.
pub async fn converse<L: Leg>(
    mut leg: L,
    (rtp, rtcp): (UdpSocket, UdpSocket),
    local: &LocalMedia,
    script: Script,
) -> Result<Report, CallError> {
    let sdp = match timeout(RING, answered(&mut leg)).await {
        Ok(answered) => answered?,
        Err(_) => {
            leg.hang_up(HangUpCause::Normal).await?;
            return Err(CallError::NoAnswer { seconds: RING.as_secs() });
        }
    };
    let comfort_noise = local.capabilities.comfort_noise;
    let options = MediaOptions { comfort_noise, tones: ToneKeys::Off };
    let media = Media::new(rtp, rtcp, &sdp::accept(&sdp, local)?, options)?;
    let mut caller = Caller::new(media, script);
    let started = Instant::now();
    let mut ticks = 0u32;
    let bot_hung_up = loop {
        tokio::select! {
            biased;
            () = sleep_until(started + TICK * ticks) => {
                caller.media.take_waiting(CallTime::ZERO + started.elapsed());
                if let Some(problem) = caller.media.failure() {
                    leg.hang_up(HangUpCause::Unprotected).await?;
                    return Err(problem.into());
                }
                caller.tick(CallTime::ZERO + TICK * ticks);
                ticks += 1;
            }
            event = leg.next_event() => {
                if matches!(event, None | Some(LegEvent::HungUp { .. } | LegEvent::Failed { .. })) {
                    break true;
                }
            }
        }
        if caller.done {
            break false;
        }
    };
    leg.hang_up(HangUpCause::Normal).await?;
    let goodbye = async { while leg.next_event().await.is_some() {} };
    let _ = timeout(Duration::from_secs(2), goodbye).await;
    Ok(caller.report(bot_hung_up))
}

/// Waits for the callee's answer, and gives its SDP.
pub(super) async fn answered<L: Leg>(leg: &mut L) -> Result<String, CallError> {
    loop {
        match leg.next_event().await {
            Some(LegEvent::Answered { sdp }) => return Ok(sdp),
            Some(LegEvent::Rejected { code, reason, cause, .. }) => {
                return Err(CallError::Refused { code, reason, cause });
            }
            Some(LegEvent::Failed { why }) => return Err(CallError::Broken { why }),
            Some(_) => {}
            None => return Err(CallError::Gone),
        }
    }
}

/// The caller's side, advanced by ticks.
struct Caller {
    media: Media,
    script: std::vec::IntoIter<Turn>,
    quiet: Duration,
    patience: Duration,
    over: Option<Duration>,
    echo: Option<EchoPath>,
    detector: SpeechDetector,
    state: State,
    said: Pcm<Hz8k>,
    heard: Pcm<Hz8k>,
    reports: Vec<TurnReport>,
    greeting: Option<CallTime>,
    done: bool,
}

#[derive(Debug)]
enum State {
    /// Waiting for the bot to begin; the moment our last speech ended.
    Waiting { since: CallTime },
    /// The bot speaks or has just spoken.
    Listening { begun: CallTime, quiet_since: CallTime },
    /// We speak.
    Speaking { audio: Pcm<Hz8k>, sent: usize, last_audible: usize, begun: CallTime },
}

impl Caller {
    fn new(media: Media, script: Script) -> Self {
        Self {
            media,
            script: script.turns.into_iter(),
            quiet: script.quiet,
            patience: script.patience,
            over: script.over,
            echo: script.echo,
            detector: SpeechDetector::new(VadConfig::default()),
            state: State::Waiting { since: CallTime::ZERO },
            said: Pcm::silence(0),
            heard: Pcm::silence(0),
            reports: Vec::new(),
            greeting: None,
            done: false,
        }
    }

    fn tick(&mut self, now: CallTime) {
        let heard = self.media.pull().audio;
        self.detector.push(&heard);
        let audible = level::rms_dbfs(&heard) > level::AUDIBLE_DBFS;
        if audible && self.greeting.is_none() {
            self.greeting = Some(now);
        }
        let mut frame = self.advance(now, audible);
        if let Some(echo) = &mut self.echo {
            frame = echo.mix(frame, &heard);
        }
        self.media.send(now, &frame);
        self.heard.extend(&heard);
        self.said.extend(&frame);
    }

    fn advance(&mut self, now: CallTime, audible: bool) -> Pcm<Hz8k> {
        match &mut self.state {
            State::Waiting { since } => {
                let waited = now.since(*since);
                if audible {
                    // Of what was said over the bot, nobody knows here what it answers.
                    if let Some(turn) = self.reports.last_mut().filter(|_| self.over.is_none()) {
                        turn.latency_ms = Some(waited.as_millis() as u64);
                    }
                    self.state = State::Listening { begun: now, quiet_since: now };
                } else if waited > self.patience {
                    self.done = true;
                }
            }
            State::Listening { begun, quiet_since } => {
                if audible || self.detector.is_speech() {
                    *quiet_since = now;
                }
                let heard_out = now.since(*quiet_since) > self.quiet;
                if heard_out || self.over.is_some_and(|over| now.since(*begun) >= over) {
                    self.next_turn(now);
                }
            }
            State::Speaking { audio, sent, last_audible, begun } => {
                let end = (*sent + FRAME).min(audio.len());
                let mut frame = audio.samples()[*sent..end].to_vec();
                frame.resize(FRAME, 0);
                *sent = end;
                if end == audio.len() {
                    let since = *begun + samples(*last_audible);
                    self.state = State::Waiting { since };
                }
                return Pcm::new(frame);
            }
        }
        Pcm::silence(FRAME)
    }

    fn next_turn(&mut self, now: CallTime) {
        match self.script.next() {
            Some(Turn { name, mut audio, keys }) => {
                self.reports.push(TurnReport { name, latency_ms: None });
                for key in keys.chars().filter(|&key| self.media.press(key, KEY_TICKS)) {
                    tracing::debug!(%key, "pressed");
                    audio.extend(&Pcm::silence(KEY_TIME));
                }
                let last_audible = level::audible_until(&audio).unwrap_or(0);
                // What is decided in this tick is first sent in the next.
                let begun = now + TICK;
                self.state = State::Speaking { audio, sent: 0, last_audible, begun };
            }
            // Everything is said: the bot has the last word, or hangs up.
            None => self.state = State::Waiting { since: now },
        }
    }

    fn report(self, bot_hung_up: bool) -> Report {
        Report {
            turns: self.reports,
            greeting_ms: self.greeting.map(CallTime::as_ms),
            bot_hung_up,
            duration_ms: CallTime(self.heard.len() as u64).as_ms(),
            audio: (self.said, self.heard),
        }
    }
}

fn samples(count: usize) -> Duration {
    Duration::from_micros(count as u64 * 125)
}
