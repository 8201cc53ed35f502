//! Signals and measures shared by the tests of this room.

use std::f64::consts::TAU;

use super::{Pcm, Rate};

/// A sine that starts at phase zero.
pub(super) fn tone<R: Rate>(hz: f64, amplitude: f64, len: usize) -> Pcm<R> {
    let step = TAU * hz / f64::from(R::HZ);
    Pcm::new((0..len).map(|i| (amplitude * (step * i as f64).sin()).round() as i16).collect())
}

/// Mean power of the component at `hz`, through a Hann window.
pub(super) fn power_at<R: Rate>(pcm: &Pcm<R>, hz: f64) -> f64 {
    let n = pcm.len() as f64;
    let step = TAU * hz / f64::from(R::HZ);
    let (re, im) = pcm.samples().iter().enumerate().fold((0.0, 0.0), |(re, im), (i, &s)| {
        let window = 0.5 - 0.5 * (TAU * i as f64 / n).cos();
        let x = f64::from(s) * window;
        (re + x * (step * i as f64).cos(), im + x * (step * i as f64).sin())
    });
    (re * re + im * im) / (n * n)
}

/// Something like a voiced vowel: harmonics of a slowly gliding pitch near 120 Hz.
pub(super) fn voiced<R: Rate>(len: usize) -> Pcm<R> {
    let mut phase = 0.0;
    let samples = (0..len).map(|i| {
        let t = i as f64 / f64::from(R::HZ);
        phase += TAU * (120.0 + 8.0 * (TAU * 1.5 * t).sin()) / f64::from(R::HZ);
        let x: f64 = (1..=20)
            .map(|h| {
                let formant = 1.0 / (1.0 + ((120.0 * f64::from(h) - 600.0) / 250.0).powi(2));
                (phase * f64::from(h)).sin() * (formant + 0.05)
            })
            .sum();
        (x * 3_000.0).round() as i16
    });
    Pcm::new(samples.collect())
}
