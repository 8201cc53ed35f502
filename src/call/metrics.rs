//! What is counted over all calls, for Prometheus.

use std::{fmt, sync::Arc};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use super::{on_line::OnLine, outbound::DialOutcome};
use crate::{
    audio::CallTime,
    conversation::{EndOfTurn, Note, TurnStamps},
    dialog::Event,
};

/// Upper bounds of what a caller waits for an answer, in seconds.
const WAITS: [f64; 12] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0];
/// Upper bounds of the stages of it, in seconds.
const STAGES: [f64; 11] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 5.0];
/// Upper bounds of a call's length, in seconds.
const LENGTHS: [f64; 9] = [5.0, 15.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 1_800.0];
/// Upper bounds of the mean opinion score.
const SCORES: [f64; 8] = [1.5, 2.0, 2.5, 3.0, 3.5, 3.8, 4.0, 4.3];

/// Counters and histograms of one service; clones count together.
#[derive(Clone)]
pub struct Metrics(Arc<Meters>);

struct Meters {
    registry: Registry,
    active: Gauge,
    calls: Family<End, Counter>,
    refused: Family<Refused, Counter>,
    not_connected: Family<Dialled, Counter>,
    length: Histogram,
    score: Histogram,
    turns: Family<Why, Counter>,
    wait: Histogram,
    stages: Family<Stage, Histogram>,
    recognitions: Counter,
    recognitions_used: Counter,
    happenings: Family<What, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct End {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    code: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Dialled {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Why {
    why: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Stage {
    stage: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct What {
    what: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::with(|_| {})
    }
}

impl Metrics {
    /// With what others count, who have it registered by `others`.
    pub fn with(others: impl FnOnce(&mut Registry)) -> Self {
        let histogram = |bounds: &[f64]| Histogram::new(bounds.iter().copied());
        let mut meters = Meters {
            registry: Registry::with_prefix("hotline"),
            active: Gauge::default(),
            calls: Family::default(),
            refused: Family::default(),
            not_connected: Family::default(),
            length: histogram(&LENGTHS),
            score: histogram(&SCORES),
            turns: Family::default(),
            wait: histogram(&WAITS),
            stages: Family::new_with_constructor(|| Histogram::new(STAGES)),
            recognitions: Counter::default(),
            recognitions_used: Counter::default(),
            happenings: Family::default(),
        };
        meters.register();
        others(&mut meters.registry);
        Self(Arc::new(meters))
    }
}

impl Meters {
    fn register(&mut self) {
        let Self { registry: r, .. } = self;
        r.register("calls_active", "Calls being talked in now", self.active.clone());
        r.register("calls", "Calls that were answered and are over, by why", self.calls.clone());
        r.register("calls_refused", "Calls refused, by SIP status", self.refused.clone());
        let help = "Calls that we placed and nobody answered, by what came of them";
        r.register("calls_not_connected", help, self.not_connected.clone());
        let seconds = Unit::Seconds;
        let help = "From the answer of a call to its end";
        r.register_with_unit("call_length", help, seconds.clone(), self.length.clone());
        r.register("call_mos", "Mean opinion score at our end (G.107)", self.score.clone());
        r.register(
            "turns",
            "Turns of callers, by why they were taken to be over",
            self.turns.clone(),
        );
        let help = "From a caller's last sound to the bot's first, as a capture shows it";
        r.register_with_unit("response", help, seconds.clone(), self.wait.clone());
        let help = "Where the time of a turn went, stage by stage";
        r.register_with_unit("turn_stage", help, seconds, self.stages.clone());
        let help =
            "Recognitions begun: more than are used, since pauses within turns are tried too";
        r.register("recognitions", help, self.recognitions.clone());
        let help = "Recognitions whose text, and the answer worked out from it, ended a turn";
        r.register("recognitions_used", help, self.recognitions_used.clone());
        let help = "Other things that happened in calls";
        r.register("happenings", help, self.happenings.clone());
    }
}

impl Metrics {
    /// All of it, in the text format that Prometheus reads (OpenMetrics 1.0).
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string fails only when a metric cannot be written; ours can.
        let _: Result<(), fmt::Error> = text::encode(&mut text, &self.0.registry);
        text
    }

    /// A call was refused with this SIP status before anything answered it.
    pub fn refused(&self, code: u16) {
        self.0.refused.get_or_create(&Refused { code }).inc();
    }

    pub(super) fn not_connected(&self, outcome: DialOutcome) {
        self.0.not_connected.get_or_create(&Dialled { outcome: outcome.as_str() }).inc();
    }

    pub(super) fn answered(&self) {
        self.0.active.inc();
    }

    pub(super) fn ended(&self, reason: &'static str, length: CallTime, mos: Option<f64>) {
        self.0.active.dec();
        self.0.calls.get_or_create(&End { reason }).inc();
        self.0.length.observe(seconds(length.as_ms()));
        if let Some(mos) = mos {
            self.0.score.observe(mos);
        }
    }

    /// The caller paused, and what was said so far is being recognised.
    pub(super) fn recognizing(&self) {
        self.0.recognitions.inc();
    }

    /// Counts what a note of a call record tells.
    pub(super) fn note(&self, note: &Note, on_line: Option<&OnLine>) {
        let what = match note {
            Note::Turn(stamps) => return self.turn(stamps, on_line),
            Note::BargeIn { .. } => "barge_in",
            Note::Backchannel { .. } => "backchannel",
            Note::Noise { .. } => "noise",
            Note::TurnReopened { .. } => "turn_reopened",
            Note::RecognitionFailed { .. } => "recognition_failed",
            Note::NoAudio { .. } => "no_audio",
            Note::Dialog(Event::NoMatch { .. }) => "no_match",
            Note::Dialog(Event::NoInput { .. }) => "no_input",
            Note::Dialog(Event::Transfer(_)) => "transfer",
            _ => return,
        };
        self.0.happenings.get_or_create(&What { what }).inc();
    }

    fn turn(&self, stamps: &TurnStamps, on_line: Option<&OnLine>) {
        let why = stamps.why.map_or("keys", EndOfTurn::as_str);
        self.0.turns.get_or_create(&Why { why }).inc();
        if stamps.text_ready.is_some() {
            self.0.recognitions_used.inc();
        }
        let wait = on_line.map_or_else(|| stamps.latency_ms(), OnLine::wait_ms);
        self.0.wait.observe(seconds(wait));
        for (stage, ms) in stamps.stages() {
            self.0.stages.get_or_create(&Stage { stage }).observe(seconds(ms));
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> CallTime {
        CallTime::from_ms(ms)
    }

    #[test]
    fn a_turn_is_counted_with_its_stages() {
        let metrics = Metrics::default();
        let stamps = TurnStamps {
            turn: 1,
            speech_end: ms(1_000),
            pause_noticed: ms(1_090),
            text_ready: Some(ms(1_190)),
            decided: ms(1_250),
            dialog_done: ms(1_250),
            audio_ready: ms(1_250),
            first_audio: ms(1_260),
            why: Some(EndOfTurn::Understood),
            attempts: 2,
        };
        metrics.recognizing();
        metrics.recognizing();
        metrics.note(&Note::Turn(stamps), None);
        let text = metrics.text();
        for line in [
            "hotline_turns_total{why=\"understood\"} 1",
            "hotline_recognitions_total 2",
            "hotline_recognitions_used_total 1",
            "hotline_response_seconds_bucket{le=\"0.2\"} 0",
            "hotline_response_seconds_bucket{le=\"0.3\"} 1",
            "hotline_turn_stage_seconds_sum{stage=\"recognition\"} 0.1",
            "hotline_turn_stage_seconds_sum{stage=\"pause\"} 0.06",
        ] {
            assert!(text.lines().any(|l| l == line), "no {line} in\n{text}");
        }
    }

    #[test]
    fn calls_are_active_until_they_end() {
        let metrics = Metrics::default();
        metrics.answered();
        metrics.answered();
        metrics.ended("caller_hangup", ms(42_000), Some(4.2));
        metrics.refused(503);
        let text = metrics.text();
        for line in [
            "hotline_calls_active 1",
            "hotline_calls_total{reason=\"caller_hangup\"} 1",
            "hotline_calls_refused_total{code=\"503\"} 1",
            "hotline_call_length_seconds_sum 42.0",
            "hotline_call_mos_bucket{le=\"4.3\"} 1",
        ] {
            assert!(text.lines().any(|l| l == line), "no {line} in\n{text}");
        }
    }
}
