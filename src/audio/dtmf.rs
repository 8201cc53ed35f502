//! Keys heard as tones (ITU-T Q.23), by eight Goertzel filters, within the limits of Q.24.

use std::{collections::VecDeque, f32::consts::TAU};

use super::{Hz8k, Pcm, Rate};

const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYS: [[char; 4]; 4] =
    [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// A window of 12.75 ms tells all eight tones apart; one begins every 5 ms.
const WINDOW: usize = 102;
const HOP: usize = 40;
/// Windows in a row that must agree: a tone of 40 ms always gives so many, one of 23 ms never.
const HITS: u32 = 5;
/// Windows without the key after which it is up: a drop-out of 10 ms is bridged.
const MISSES: u32 = 5;
/// Faintest tone, as an amplitude: -44 dB below full scale.
const MIN_AMPLITUDE: f32 = 200.0;
/// Power of the high tone over the low one, and the reverse: 6 and 9 dB (Q.24 asks for 4 and 8).
const TWIST: f32 = 4.0;
const REVERSE_TWIST: f32 = 8.0;
/// Each tone must have this many times the power of the others in its group.
const DOMINANCE: f32 = 6.3;
/// Share of the whole power that the two tones must have. Speech has its power in many places.
const PURITY: f32 = 0.7;
/// A tone's second harmonic has at most this share of its power; a vowel's has more. That of a
/// low tone may lie beside a high tone, which leaks into it.
const LOW_HARMONIC: f32 = 0.3;
const HIGH_HARMONIC: f32 = 0.1;

/// Hears keys in audio, each once, 40 ms after it begins.
#[derive(Debug, Clone, Default)]
pub struct DtmfDetector {
    /// Audio that no window has covered to its end yet.
    audio: VecDeque<i16>,
    /// What the last windows heard, and how many in a row.
    last: Option<char>,
    hits: u32,
    /// The key that is down, and windows in a row without it.
    down: Option<char>,
    misses: u32,
}

impl DtmfDetector {
    /// A detector that has heard nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next audio, of any length; returns the keys that were recognised in it.
    pub fn push(&mut self, pcm: &Pcm<Hz8k>) -> Vec<char> {
        self.audio.extend(pcm.samples());
        let mut keys = Vec::new();
        while self.audio.len() >= WINDOW {
            let window: Vec<f32> = self.audio.range(..WINDOW).map(|&s| f32::from(s)).collect();
            keys.extend(self.observe(key_in(&window)));
            self.audio.drain(..HOP);
        }
        keys
    }

    /// Whether a key sounds in the audio taken last: from its recognition until 25 ms after its end.
    pub fn is_down(&self) -> bool {
        self.down.is_some()
    }

    fn observe(&mut self, heard: Option<char>) -> Option<char> {
        self.hits = if heard.is_some() && heard == self.last { self.hits + 1 } else { 1 };
        self.last = heard;
        if self.down.is_some() && heard != self.down {
            self.misses += 1;
            if self.misses >= MISSES {
                self.down = None;
            }
        } else {
            self.misses = 0;
        }
        let pressed = heard.filter(|_| self.hits >= HITS && heard != self.down)?;
        self.down = Some(pressed);
        self.misses = 0;
        Some(pressed)
    }
}

/// The two tones of a key at `amplitude` each, `len` samples long; `None` when there is no such
/// key.
pub fn tones(key: char, amplitude: f32, len: usize) -> Option<Pcm<Hz8k>> {
    let key = key.to_ascii_uppercase();
    let row = KEYS.iter().position(|keys| keys.contains(&key))?;
    let column = KEYS[row].iter().position(|&k| k == key)?;
    let step = |hz: f32| TAU * hz / Hz8k::HZ as f32;
    let (low, high) = (step(ROWS[row]), step(COLUMNS[column]));
    let sample = |i: usize| amplitude * ((low * i as f32).sin() + (high * i as f32).sin());
    Some(Pcm::new((0..len).map(|i| super::level::clip(sample(i))).collect()))
}

/// The key that sounds throughout a window.
fn key_in(window: &[f32]) -> Option<char> {
    let total: f32 = window.iter().map(|x| x * x).sum::<f32>() * 2.0 / window.len() as f32;
    if total < 2.0 * MIN_AMPLITUDE * MIN_AMPLITUDE {
        return None;
    }
    let (row, low) = strongest(window, &ROWS)?;
    let (column, high) = strongest(window, &COLUMNS)?;
    let is_balanced = high <= low * TWIST && low <= high * REVERSE_TWIST;
    let is_loud = low.min(high) >= MIN_AMPLITUDE * MIN_AMPLITUDE;
    if !is_balanced || !is_loud || low + high < PURITY * total {
        return None;
    }
    let harmonic = |hz: f32| goertzel(window, 2.0 * hz);
    if harmonic(ROWS[row]) > LOW_HARMONIC * low || harmonic(COLUMNS[column]) > HIGH_HARMONIC * high
    {
        return None;
    }
    Some(KEYS[row][column])
}

/// The strongest tone of a group and its power, when it stands out.
fn strongest(window: &[f32], group: &[f32; 4]) -> Option<(usize, f32)> {
    let powers = group.map(|hz| goertzel(window, hz));
    let (best, &power) = powers.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
    let others = powers.iter().enumerate().filter(|(i, _)| *i != best);
    others.map(|(_, p)| p * DOMINANCE).all(|p| p <= power).then_some((best, power))
}

/// Squared amplitude of the component at `hz`.
fn goertzel(window: &[f32], hz: f32) -> f32 {
    let coefficient = 2.0 * (TAU * hz / Hz8k::HZ as f32).cos();
    let (s1, s2) = window.iter().fold((0.0, 0.0), |(s1, s2), x| (x + coefficient * s1 - s2, s1));
    let power = s1 * s1 + s2 * s2 - coefficient * s1 * s2;
    power * 4.0 / (window.len() * window.len()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{ComfortNoise, Law, g711};

    const MS: usize = 8;

    /// Keys heard in pieces of audio, each followed by 50 ms of silence, in frames of 20 ms from
    /// `shift` samples on.
    fn heard(shift: usize, pieces: &[Pcm<Hz8k>]) -> String {
        let mut audio = Pcm::silence(shift);
        for piece in pieces {
            audio.extend(piece);
            audio.extend(&Pcm::silence(50 * MS));
        }
        // As it comes over the telephone.
        let audio = g711::decode(Law::A, &g711::encode(Law::A, &audio));
        let mut detector = DtmfDetector::new();
        audio.samples().chunks(160).flat_map(|f| detector.push(&Pcm::new(f.to_vec()))).collect()
    }

    fn two(low: (f32, f32), high: (f32, f32), len: usize) -> Pcm<Hz8k> {
        let tone = |(hz, a): (f32, f32), i: usize| a * (TAU * hz * i as f32 / 8_000.0).sin();
        Pcm::new((0..len).map(|i| (tone(low, i) + tone(high, i)) as i16).collect())
    }

    #[test]
    fn every_key_of_40_ms_is_heard_once_wherever_it_begins() {
        let keys: Vec<char> = KEYS.iter().flatten().copied().collect();
        let pieces: Vec<_> = keys.iter().map(|&k| tones(k, 4_000.0, 40 * MS).unwrap()).collect();
        for shift in 0..HOP {
            assert_eq!(heard(shift, &pieces), keys.iter().collect::<String>(), "{shift}");
        }
    }

    #[test]
    fn a_tone_of_23_ms_is_no_key() {
        for shift in 0..HOP {
            assert_eq!(heard(shift, &[tones('5', 4_000.0, 23 * MS).unwrap()]), "");
        }
    }

    #[test]
    fn a_long_press_is_one_key_and_a_short_drop_out_does_not_repeat_it() {
        let mut press = tones('8', 4_000.0, 1_000 * MS).unwrap();
        press.samples_mut()[4_000..4_000 + 10 * MS].fill(0);
        assert_eq!(heard(0, &[press]), "8");
    }

    #[test]
    fn a_key_is_down_until_its_tones_end() {
        let mut detector = DtmfDetector::new();
        detector.push(&tones('5', 4_000.0, 20 * MS).unwrap());
        assert!(!detector.is_down());
        detector.push(&tones('5', 4_000.0, 60 * MS).unwrap());
        assert!(detector.is_down());
        detector.push(&Pcm::silence(60 * MS));
        assert!(!detector.is_down());
    }

    #[test]
    fn twist_and_levels_within_the_limits_are_accepted() {
        let db = |x: f32| 10_f32.powf(x / 20.0);
        for (low, high) in [(1.0, db(4.0)), (db(8.0), 1.0)] {
            for level in [250.0, 1_000.0, 10_000.0] {
                let press = two((770.0, level * low), (1_336.0, level * high), 60 * MS);
                assert_eq!(heard(7, &[press]), "5", "{low} {high} {level}");
            }
        }
    }

    #[test]
    fn frequencies_1_5_percent_off_are_accepted() {
        for factor in [0.985, 1.015] {
            let press = two((697.0 * factor, 4_000.0), (1_633.0 * factor, 4_000.0), 60 * MS);
            assert_eq!(heard(3, &[press]), "A");
        }
    }

    #[test]
    fn too_much_twist_single_tones_and_tones_with_harmonics_are_no_key() {
        assert_eq!(heard(0, &[two((770.0, 1_000.0), (1_336.0, 3_000.0), 100 * MS)]), "");
        assert_eq!(heard(0, &[two((770.0, 4_000.0), (1_336.0, 0.0), 100 * MS)]), "");
        let mut press = tones('5', 3_000.0, 100 * MS).unwrap();
        let harmonic = two((1_540.0, 2_000.0), (2_672.0, 2_000.0), 100 * MS);
        for (a, b) in press.samples_mut().iter_mut().zip(harmonic.samples()) {
            *a += b;
        }
        assert_eq!(heard(0, &[press]), "");
    }

    #[test]
    fn keys_are_heard_through_noise_15_db_below() {
        let mut press = tones('7', 4_000.0, 60 * MS).unwrap();
        // Each tone is at -21 dB of full scale, both at -18.
        let noise = ComfortNoise::white(-36.0).next(60 * MS);
        for (a, b) in press.samples_mut().iter_mut().zip(noise.samples()) {
            *a += b;
        }
        assert_eq!(heard(11, &[press]), "7");
    }
}
