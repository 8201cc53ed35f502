use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;
use tokio::time::Instant;

use crate::call::CallError;

/// A gap above this is heard.
const AUDIBLE_GAP_MS: u32 = 60;
/// Gaps are counted by the millisecond up to here.
const MOST_GAP_MS: usize = 1_000;

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LoadReport {
    /// Calls begun.
    pub calls: u32,
    /// Calls that were answered and that we ended at their time.
    pub completed: u32,
    /// What became of the others: how often.
    pub failed: BTreeMap<String, u32>,
    /// INVITE to 200 OK in ms: median, 95 % and longest.
    pub setup_ms: [u64; 3],
    /// Packets sent.
    pub sent: u64,
    /// Packets received.
    pub received: u64,
    /// Packets that are missing between the first and the last of a call.
    pub lost: u64,
    /// Packets a second of the slowest call, from its first to its last.
    pub slowest_pps: f64,
    /// Time between packets of a call in ms: median, 99 %, 99.9 % and longest.
    pub gap_ms: [u32; 4],
    /// Gaps that are heard: over 60 ms.
    pub audible_gaps: u64,
}

/// What one call heard.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) setup: Duration,
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) lost: u64,
    pub(super) gaps: Gaps,
    pub(super) first: Option<Instant>,
    pub(super) last: Option<Instant>,
}

/// How often each length of gap was seen, by the millisecond.
#[derive(Debug)]
pub(super) struct Gaps(Vec<u64>);

impl Default for Gaps {
    fn default() -> Self {
        Self(vec![0; MOST_GAP_MS + 1])
    }
}

impl Gaps {
    pub(super) fn count(&mut self, ms: usize) {
        self.0[ms.min(MOST_GAP_MS)] += 1;
    }

    fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine += theirs;
        }
    }

    /// The gap that the share `q` of all stays within.
    fn quantile(&self, q: f64) -> u32 {
        let wanted = (self.0.iter().sum::<u64>() as f64 * q).ceil() as u64;
        let mut seen = 0;
        let found = self.0.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        found.unwrap_or_default() as u32
    }

    fn above(&self, ms: u32) -> u64 {
        self.0[ms as usize + 1..].iter().sum()
    }
}

#[derive(Debug, Default)]
pub(super) struct Tally {
    report: LoadReport,
    setups: Vec<u64>,
    gaps: Gaps,
    slowest: Option<f64>,
}

impl Tally {
    pub(super) fn add(&mut self, call: Result<Heard, CallError>) {
        self.report.calls += 1;
        let heard = match call {
            Ok(heard) => heard,
            Err(error) => {
                *self.report.failed.entry(error.to_string()).or_default() += 1;
                return;
            }
        };
        self.report.completed += 1;
        self.report.sent += heard.sent;
        self.report.received += heard.received;
        self.report.lost += heard.lost;
        self.setups.push(heard.setup.as_millis() as u64);
        self.gaps.add(&heard.gaps);
        let pps = match (heard.first, heard.last) {
            (Some(first), Some(last)) if last > first => {
                (heard.received - 1) as f64 / (last - first).as_secs_f64()
            }
            _ => 0.0,
        };
        self.slowest = Some(self.slowest.map_or(pps, |slowest| slowest.min(pps)));
    }

    pub(super) fn report(mut self) -> LoadReport {
        self.setups.sort_unstable();
        let setup = |q: f64| {
            let at = (self.setups.len() as f64 * q) as usize;
            self.setups.get(at).or(self.setups.last()).copied().unwrap_or_default()
        };
        LoadReport {
            setup_ms: [setup(0.5), setup(0.95), setup(1.0)],
            gap_ms: [0.5, 0.99, 0.999, 1.0].map(|q| self.gaps.quantile(q)),
            audible_gaps: self.gaps.above(AUDIBLE_GAP_MS),
            slowest_pps: (self.slowest.unwrap_or_default() * 100.0).round() / 100.0,
            ..self.report
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_adds_calls_up() {
        let mut tally = Tally::default();
        let begun = Instant::now();
        for (setup, gaps) in [(10, [20, 20, 21]), (30, [20, 19, 90])] {
            let mut heard = Heard {
                setup: Duration::from_millis(setup),
                received: 4,
                lost: 1,
                first: Some(begun),
                last: Some(begun + Duration::from_millis(gaps.iter().sum::<usize>() as u64)),
                ..Heard::default()
            };
            gaps.into_iter().for_each(|gap| heard.gaps.count(gap));
            tally.add(Ok(heard));
        }
        tally.add(Err(CallError::Gone));
        let report = tally.report();
        assert_eq!((report.calls, report.completed, report.lost), (3, 2, 2));
        assert_eq!(report.failed.into_values().collect::<Vec<_>>(), [1]);
        assert_eq!((report.setup_ms, report.gap_ms), ([30, 30, 30], [20, 90, 90, 90]));
        assert_eq!((report.audible_gaps, report.slowest_pps), (1, 23.26));
    }

    #[test]
    fn no_calls_make_an_empty_report() {
        assert_eq!(Tally::default().report(), LoadReport::default());
    }
}
