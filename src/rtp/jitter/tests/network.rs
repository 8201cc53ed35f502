//! The buffer behind an emulated network: seeded, so that every run is the same.

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::*;

/// What the network does to packets of 20 ms.
#[derive(Debug, Clone, Copy)]
struct Network {
    seed: u64,
    /// Gilbert-Elliott: probability per packet to begin and to end a burst in which all is lost.
    burst_begins: f64,
    burst_ends: f64,
    /// Delay in ms beyond the least one: exponentially distributed with this mean, at most ten
    /// times it. Packets overtake each other.
    jitter_ms: f64,
    /// Every so many packets, one comes twice; 0 for never.
    duplicates: u32,
    /// The sender's clock against ours, in parts per million.
    drift_ppm: f64,
}

const CALM: Network = Network {
    seed: 7,
    burst_begins: 0.0,
    burst_ends: 1.0,
    jitter_ms: 0.0,
    duplicates: 0,
    drift_ppm: 0.0,
};

/// What came out.
#[derive(Debug, Default)]
struct Outcome {
    sent: u32,
    lost: u32,
    late: u32,
    concealed: u32,
    /// Age of what was played, in ms, at the end of each second.
    age_ms: Vec<i64>,
    /// Most packets in the buffer at once.
    most: usize,
}

impl Network {
    /// Sends `seconds` of speech through the network and the buffer.
    fn run(self, seconds: u64) -> Outcome {
        let mut random = StdRng::seed_from_u64(self.seed);
        let mut outcome = Outcome::default();
        let mut arrivals = self.arrivals(seconds, &mut random, &mut outcome);
        arrivals.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut arrivals = arrivals.into_iter().peekable();
        let mut buffer = JitterBuffer::new();
        let mut seen = std::collections::BTreeSet::new();
        for tick in 0..seconds * 50 {
            let now = tick as f64 * 20.0;
            while let Some((ms, number)) = arrivals.next_if(|a| a.0 <= now) {
                // The session takes care of duplicates before the buffer sees them.
                let at = CallTime((ms * 8.0) as u64);
                let timestamp = (u32::MAX - 40_000).wrapping_add(number * FRAME as u32);
                if seen.insert(number)
                    && put(&mut buffer, at, timestamp, audio(number)) == Put::Late
                {
                    outcome.late += 1;
                }
            }
            outcome.most = outcome.most.max(buffer.packets.len());
            let played = buffer.pull();
            assert_eq!(played.audio.len(), FRAME);
            outcome.concealed += u32::from(played.kind == PlayoutKind::Concealed);
            if let (State::Playing { next, .. }, 49) = (buffer.state, tick % 50) {
                let played_ms = (next - i64::from(u32::MAX - 40_000)) / 8;
                outcome.age_ms.push((now / self.pace()) as i64 - played_ms);
            }
        }
        outcome
    }

    /// Our ms for one of the sender's.
    fn pace(self) -> f64 {
        1.0 - self.drift_ppm / 1e6
    }

    /// Arrivals as (ms, number), duplicates included.
    fn arrivals(self, seconds: u64, random: &mut StdRng, outcome: &mut Outcome) -> Vec<(f64, u32)> {
        let mut arrivals = Vec::new();
        let mut burst = false;
        for number in 0..(seconds * 50) as u32 {
            outcome.sent += 1;
            burst =
                random.random_bool(if burst { 1.0 - self.burst_ends } else { self.burst_begins });
            let x: f64 = random.random_range(1e-9..1.0);
            let delay = (-x.ln() * self.jitter_ms).min(10.0 * self.jitter_ms);
            if burst {
                outcome.lost += 1;
                continue;
            }
            let ms = f64::from(number) * 20.0 * self.pace() + delay;
            arrivals.push((ms, number));
            if self.duplicates > 0 && number % self.duplicates == 0 {
                arrivals.push((ms + 13.0, number));
            }
        }
        arrivals
    }
}

#[test]
fn only_what_is_lost_is_concealed() {
    let bursty = Network { burst_begins: 0.03, burst_ends: 0.5, ..CALM };
    let outcome = bursty.run(120);
    assert!(outcome.lost > 200, "{outcome:?}");
    // After a burst that ran the buffer dry it may wait a tick or two more.
    let allowed = outcome.lost + outcome.lost / 5 + 10;
    assert!(outcome.concealed <= allowed, "{} concealed, {} lost", outcome.concealed, outcome.lost);
    assert_eq!(outcome.late, 0);
}

#[test]
fn nothing_is_concealed_on_a_calm_network() {
    let outcome = Network { duplicates: 3, ..CALM }.run(60);
    assert_eq!((outcome.concealed, outcome.late), (0, 0), "{outcome:?}");
    assert!(outcome.age_ms.iter().all(|age| *age <= 60), "{:?}", outcome.age_ms);
}

#[test]
fn drift_of_200_ppm_either_way_neither_fills_nor_starves_the_buffer() {
    for drift_ppm in [-200.0, 200.0] {
        // 200 ppm are 120 ms in ten minutes: six packets.
        let outcome = Network { drift_ppm, jitter_ms: 2.0, ..CALM }.run(600);
        let late = outcome.age_ms.iter().max().unwrap();
        assert!(*late <= 100, "{drift_ppm} ppm: {late} ms old");
        assert!(outcome.most <= 8, "{drift_ppm} ppm: {} packets", outcome.most);
        // Each packet that drift takes away costs a tick, and each wrong guess another one.
        assert!(outcome.concealed <= 40, "{drift_ppm} ppm: {} concealed", outcome.concealed);
    }
}

#[test]
fn jitter_is_waited_for_and_few_packets_come_late() {
    for (jitter_ms, limit_ms) in [(5.0, 120), (15.0, 220), (30.0, 300)] {
        let outcome = Network { jitter_ms, duplicates: 50, ..CALM }.run(120);
        let late = f64::from(outcome.late) / f64::from(outcome.sent);
        assert!(late < 0.05, "{jitter_ms} ms: {late:.3} late");
        let oldest = outcome.age_ms.iter().max().unwrap();
        assert!(*oldest <= limit_ms, "{jitter_ms} ms: {oldest} ms old");
        let concealed = f64::from(outcome.concealed) / f64::from(outcome.sent);
        assert!(concealed < 0.10, "{jitter_ms} ms: {concealed:.3} concealed");
    }
}

#[test]
fn the_depth_stays_bounded_whatever_the_network_does() {
    for seed in 0..12 {
        let wild = Network {
            seed,
            burst_begins: 0.02,
            burst_ends: 0.2,
            jitter_ms: 5.0 * seed as f64,
            duplicates: 5,
            drift_ppm: 200.0 - 40.0 * seed as f64,
        };
        let outcome = wild.run(60);
        // 200 ms at most, one tick more, and packets that overtake each other.
        assert!(outcome.most <= 16, "{seed}: {} packets", outcome.most);
    }
}
