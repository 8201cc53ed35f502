use crate::audio::Codec;

/// Transmission rating without impairment (ITU-T G.107, default values).
const BEST: f64 = 93.2;

/// Estimates how a listener would rate the call, 1 to 4.5 (mean opinion score), by the E-model of
/// ITU-T G.107 with the delay term of Cole and Rosenbluth (2001): `delay_ms` from mouth to ear,
/// `loss` the fraction of the audio that was made up (0 to 1).
pub(super) fn mos(codec: Codec, delay_ms: f64, loss: f64) -> f64 {
    let delay = 0.024 * delay_ms + 0.11 * (delay_ms - 177.3).max(0.0);
    let percent = 100.0 * loss.clamp(0.0, 1.0);
    let (equipment, robustness) = impairment(codec);
    let equipment = equipment + (95.0 - equipment) * percent / (percent + robustness);
    score((BEST - delay - equipment).clamp(0.0, 100.0))
}

/// Equipment impairment and robustness against loss (Ie and Bpl of ITU-T G.113, appendix I).
/// G.722 and Opus are not in its narrowband table; with 8 kHz on our side they are taken for
/// G.711 with concealment.
fn impairment(codec: Codec) -> (f64, f64) {
    match codec {
        Codec::Pcmu | Codec::Pcma | Codec::G722 => (0.0, 25.1),
        #[cfg(feature = "opus")]
        Codec::Opus => (0.0, 25.1),
    }
}

/// From a rating to a score (G.107, annex B).
fn score(rating: f64) -> f64 {
    let score = 1.0 + 0.035 * rating + 7e-6 * rating * (rating - 60.0) * (100.0 - rating);
    score.clamp(1.0, 4.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_call_has_the_score_that_g_107_gives_for_its_defaults() {
        assert!((mos(Codec::Pcmu, 0.0, 0.0) - 4.41).abs() < 0.01);
    }

    #[test]
    fn loss_and_delay_cost() {
        let at = |delay, loss| mos(Codec::Pcma, delay, loss);
        // G.711 with concealment: 5 % loss is R = 93.2 - 95 * 5 / 30.1 = 77.4.
        assert!((at(0.0, 0.05) - 3.93).abs() < 0.02, "{}", at(0.0, 0.05));
        // 300 ms: R = 93.2 - 7.2 - 13.5 = 72.5.
        assert!((at(300.0, 0.0) - 3.72).abs() < 0.02, "{}", at(300.0, 0.0));
        assert!(at(100.0, 0.01) > at(100.0, 0.02));
        assert!(at(100.0, 0.01) > at(200.0, 0.01));
    }

    #[test]
    fn a_score_stays_on_the_scale() {
        for (delay, loss) in [(0.0, 1.0), (1e6, 0.0), (1e6, 2.0), (-5.0, -1.0)] {
            assert!((1.0..=4.5).contains(&mos(Codec::Pcmu, delay, loss)));
        }
    }
}
