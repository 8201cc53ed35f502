//! How far the scores may be believed, learnt from examples held out of training.

use std::collections::BTreeSet;

use super::model::{Evidence, Model};
use crate::text::Lang;

/// Nearness below which an utterance is none of the intents, where examples are few.
const REJECT: f32 = 0.21;
/// How fast the likelihood of being known rises from 0.5 above it.
const STEEPNESS: f32 = 8.0;
/// Share of the held-out examples that may be rejected: with many examples a stranger is nearer to
/// one of them, too.
const REJECTED: f32 = 0.04;
/// So many examples must be held out to count as much as [`REJECT`], and for the linear classifier to
/// know what is none of the intents as well as nearness does.
const REJECT_TRUST: f32 = 300.0;
/// Sharpness of the choice between intents, where examples are few.
const TEMPERATURE: f32 = 0.1;
/// How much the logarithm of another temperature costs, in errors of likelihood.
const TEMPERATURE_TRUST: f32 = 20.0;
/// How much leaving the scores as they are is worth, in the same measure.
const SCALE_TRUST: f32 = 40.0;
const FOLDS: usize = 5;
/// With so many examples one fold is enough to learn from.
const MANY: usize = 1_000;

/// Turns [`Evidence`] into likelihoods.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Calibration {
    /// Weight of the linear classifier beside nearness in whether an utterance is known.
    linear: f32,
    /// The sum of both below which it is not.
    reject: f32,
    temperature: f32,
    /// Added to the log odds of scores, after they were multiplied by `slope`.
    offset: f32,
    slope: f32,
}

/// A held-out example.
struct Trial {
    evidence: Evidence,
    intent: usize,
}

impl Calibration {
    /// Learns from `examples` (each with its intent, below `intents`) by training on a part of them
    /// and trying the rest.
    pub(super) fn learn(lang: Lang, examples: &[(usize, &str)], intents: usize) -> Self {
        let folds = if examples.len() > MANY { 1 } else { FOLDS };
        let mut trials = Vec::new();
        for fold in 0..folds {
            let part = |held: bool| {
                // Every fifth example in order, so that each intent is held out in part.
                let parts = examples.iter().enumerate();
                parts.filter(move |(at, _)| (at % FOLDS == fold) == held).map(|(_, e)| *e)
            };
            let learnt: Vec<(usize, &str)> = part(false).collect();
            let model = Model::train(lang, &learnt, intents);
            let known: BTreeSet<usize> = learnt.iter().map(|(intent, _)| *intent).collect();
            trials.extend(
                part(true)
                    .filter(|(intent, _)| known.contains(intent))
                    .map(|(intent, text)| Trial { evidence: model.judge(text), intent }),
            );
        }
        let linear = trials.len() as f32 / (trials.len() as f32 + REJECT_TRUST);
        let (reject, temperature) = (rejection(&trials, linear), temperature(&trials));
        Self { linear, reject, temperature, offset: 0.0, slope: 1.0 }.scaled(&trials)
    }

    /// How likely an utterance is about any intent, `0.0..=1.0`, where `best` is the likeliest. `weight`
    /// is what its nearness counts, 1 for the best hypothesis.
    pub(super) fn known(&self, evidence: &Evidence, best: usize, weight: f32) -> f32 {
        sigmoid(STEEPNESS * (weight * support(evidence, best, self.linear) - self.reject))
    }

    /// How likely each intent is right by `choice`, where one of them is meant as likely as `known`.
    pub(super) fn scores(&self, choice: &[f32], known: f32) -> Vec<f32> {
        let shares = softmax(choice, self.temperature).into_iter();
        shares.map(|share| sigmoid(self.offset + self.slope * log_odds(known * share))).collect()
    }

    /// Platt scaling: the straight line through log odds that fits best with which guesses were
    /// right (Platt 1999), by Newton's method, held back towards none at all.
    fn scaled(mut self, trials: &[Trial]) -> Self {
        let guess = |trial: &Trial| {
            let best = trial.evidence.best()?;
            let known = self.known(&trial.evidence, best, 1.0);
            let score = self.scores(&trial.evidence.choice, known)[best];
            Some((log_odds(score), f32::from(u8::from(best == trial.intent))))
        };
        let guesses: Vec<(f32, f32)> = trials.iter().filter_map(guess).collect();
        for _ in 0..20 {
            let (mut offset, mut slope) =
                (2.0 * SCALE_TRUST * self.offset, 2.0 * SCALE_TRUST * (self.slope - 1.0));
            let (mut oo, mut os, mut ss) = (2.0 * SCALE_TRUST, 0.0, 2.0 * SCALE_TRUST);
            for (odds, right) in &guesses {
                let score = sigmoid(self.offset + self.slope * odds);
                let (error, weight) = (score - right, score * (1.0 - score));
                offset += error;
                slope += error * odds;
                oo += weight;
                os += weight * odds;
                ss += weight * odds * odds;
            }
            let determinant = oo * ss - os * os;
            self.offset -= (ss * offset - os * slope) / determinant;
            self.slope -= (oo * slope - os * offset) / determinant;
        }
        self
    }
}

/// What speaks for an intent: its nearness, and as much of the linear classifier as is trusted.
fn support(evidence: &Evidence, intent: usize, linear: f32) -> f32 {
    evidence.nearness[intent] + linear * ((evidence.linear[intent] + 1.0) / 2.0).max(0.0)
}

/// The support below which a few of the held-out examples are.
fn rejection(trials: &[Trial], linear: f32) -> f32 {
    let best = |trial: &Trial| Some(support(&trial.evidence, trial.evidence.best()?, linear));
    let mut supports: Vec<f32> = trials.iter().filter_map(best).collect();
    supports.sort_by(f32::total_cmp);
    let few = supports.get((REJECTED * supports.len() as f32) as usize);
    // As far as the linear classifier is trusted, so are the held-out examples.
    few.map_or(REJECT, |few| (REJECT + linear * (few - REJECT)).max(REJECT))
}

/// Temperature scaling (Guo et al., ICML 2017): the temperature under which the right intents are
/// likeliest.
fn temperature(trials: &[Trial]) -> f32 {
    let misfit = |temperature: f32| -> f32 {
        let error = |trial: &Trial| {
            let share = softmax(&trial.evidence.choice, temperature)[trial.intent];
            -share.max(1e-6).ln()
        };
        let far = (temperature / TEMPERATURE).ln();
        trials.iter().map(error).sum::<f32>() + TEMPERATURE_TRUST * far * far
    };
    // A ladder of temperatures a twentieth apart, from a tenth of the usual one to ten times it.
    let ladder = (-47..=47).map(|rung: i32| TEMPERATURE * 1.05_f32.powi(rung));
    let best = ladder.map(|t| (t, misfit(t))).min_by(|a, b| a.1.total_cmp(&b.1));
    best.map_or(TEMPERATURE, |(temperature, _)| temperature)
}

fn softmax(choice: &[f32], temperature: f32) -> Vec<f32> {
    let most = choice.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = choice.iter().map(|c| ((c - most) / temperature).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

fn log_odds(share: f32) -> f32 {
    let share = share.clamp(1e-6, 1.0 - 1e-6);
    (share / (1.0 - share)).ln()
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Calibration = Calibration {
        linear: 0.0,
        reject: REJECT,
        temperature: TEMPERATURE,
        offset: 0.0,
        slope: 1.0,
    };

    fn evidence(nearness: f32) -> Evidence {
        Evidence { nearness: vec![nearness, 0.0], linear: vec![0.0, -1.0], choice: vec![0.6, 0.4] }
    }

    /// Trials that all look the same, of which `right` in ten are right.
    fn trials(right: usize) -> Vec<Trial> {
        let trial =
            |at: usize| Trial { evidence: evidence(0.9), intent: usize::from(at % 10 >= right) };
        (0..1_000).map(trial).collect()
    }

    fn score(trials: &[Trial]) -> f32 {
        let calibration = Calibration { temperature: temperature(trials), ..USUAL };
        let calibration = calibration.scaled(trials);
        calibration.scores(&[0.6, 0.4], calibration.known(&evidence(0.9), 0, 1.0))[0]
    }

    #[test]
    fn scores_are_what_they_turned_out_to_be_worth() {
        for right in [6, 8, 10] {
            let (score, share) = (score(&trials(right)), right as f32 / 10.0);
            assert!((score - share).abs() < 0.04, "{score} for {share}");
        }
    }

    #[test]
    fn without_examples_the_usual_holds() {
        assert_eq!(Calibration::learn(Lang::En, &[], 3), USUAL);
        assert!((USUAL.known(&evidence(REJECT), 0, 1.0) - 0.5).abs() < 1e-6);
        let scores = USUAL.scores(&[0.6, 0.4], 1.0);
        assert!((scores[0] + scores[1] - 1.0).abs() < 1e-4 && scores[0] > 0.8, "{scores:?}");
    }
}
