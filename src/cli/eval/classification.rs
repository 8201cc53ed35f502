//! Measures of a classifier, from what it said about rows whose label is known.

use std::collections::BTreeMap;

use serde::Serialize;

/// What a classifier made of one row.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    /// The right label; `None` for a row that is none of them.
    pub(super) label: Option<String>,
    /// The likeliest label, before any rejection; `None` when it knew nothing at all.
    pub(super) guess: Option<String>,
    /// How likely it says that guess is, `0.0..=1.0`.
    pub(super) score: f32,
    /// How likely it says the row is any of the labels, `0.0..=1.0`.
    pub(super) known: f32,
}

/// A label taken for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// The right label.
    pub expected: String,
    /// What was guessed instead.
    pub got: String,
    /// In so many rows.
    pub count: usize,
}

/// Share of `rows` for which `holds`; `None` without rows.
pub(super) fn share(rows: &[&Judged], holds: impl Fn(&Judged) -> bool) -> Option<f64> {
    let held = rows.iter().filter(|row| holds(row)).count();
    (!rows.is_empty()).then(|| held as f64 / rows.len() as f64)
}

/// The mean over the labels of `rows` of each label's F1.
pub(super) fn macro_f1(rows: &[&Judged]) -> f64 {
    // By label: rows that have it, rows guessed to have it, rows where both agree.
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for row in rows {
        if let Some(label) = &row.label {
            counts.entry(label).or_default()[0] += 1;
        }
        if let Some(guess) = &row.guess {
            let count = counts.entry(guess).or_default();
            count[1] += 1;
            count[2] += usize::from(row.label.as_ref() == Some(guess));
        }
    }
    let labels = counts.values().filter(|[have, _, _]| *have > 0);
    let f1: Vec<f64> =
        labels.map(|[have, guessed, agree]| (2 * agree) as f64 / (have + guessed) as f64).collect();
    f1.iter().sum::<f64>() / f1.len().max(1) as f64
}

/// Expected calibration error over ten bins of equal width (Guo et al., ICML 2017): by how much, on
/// average, the score differs from the share of guesses that are right.
pub(super) fn calibration_error(rows: &[&Judged]) -> f64 {
    const BINS: usize = 10;
    let mut bins = [(0_usize, 0.0_f64, 0.0_f64); BINS];
    for row in rows {
        let (count, score, right) = &mut bins[((row.score * BINS as f32) as usize).min(BINS - 1)];
        *count += 1;
        *score += f64::from(row.score);
        *right += f64::from(u8::from(row.guess.is_some() && row.guess == row.label));
    }
    let off: f64 = bins.iter().map(|(_, score, right)| (score - right).abs()).sum();
    off / rows.len().max(1) as f64
}

/// The chance that a row with a label seems better known than one without (area under the ROC
/// curve), ties counting half; `None` unless there are both.
pub(super) fn auroc(rows: &[Judged]) -> Option<f64> {
    let mut order: Vec<&Judged> = rows.iter().collect();
    order.sort_by(|a, b| a.known.total_cmp(&b.known));
    let with = order.iter().filter(|row| row.label.is_some()).count();
    let without = order.len() - with;
    // Mann-Whitney: ranks of the rows with a label, ties sharing the mean of theirs.
    let mut ranks = 0.0;
    let mut start = 0;
    while start < order.len() {
        let known = order[start].known;
        let ties = order[start..].iter().take_while(|row| row.known == known).count();
        let rank = start as f64 + (ties as f64 + 1.0) / 2.0;
        let labelled = order[start..start + ties].iter().filter(|row| row.label.is_some()).count();
        ranks += rank * labelled as f64;
        start += ties;
    }
    let least = (with * (with + 1)) as f64 / 2.0;
    (with > 0 && without > 0).then(|| (ranks - least) / (with * without) as f64)
}

/// The labels most often taken for another, worst first.
pub(super) fn confusions(rows: &[&Judged], most: usize) -> Vec<Confusion> {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for row in rows {
        if let (Some(label), Some(guess)) = (&row.label, &row.guess)
            && label != guess
        {
            *counts.entry((label, guess)).or_default() += 1;
        }
    }
    let mut worst: Vec<Confusion> = counts
        .into_iter()
        .map(|((expected, got), count)| Confusion {
            expected: expected.to_owned(),
            got: got.to_owned(),
            count,
        })
        .collect();
    worst.sort_by_key(|confusion| std::cmp::Reverse(confusion.count));
    worst.truncate(most);
    worst
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(label: &str, guess: &str, score: f32) -> Judged {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Judged { label: some(label), guess: some(guess), score, known: score }
    }

    #[test]
    fn macro_f1_counts_every_label_alike() {
        let rows = [judged("a", "a", 1.0), judged("a", "a", 1.0), judged("b", "a", 1.0)];
        let rows: Vec<&Judged> = rows.iter().collect();
        // a: precision 2/3, recall 1, F1 0.8; b: 0.
        assert!((macro_f1(&rows) - 0.4).abs() < 1e-9);
    }

    #[test]
    fn honest_scores_have_no_calibration_error() {
        let honest = [judged("a", "a", 0.5), judged("a", "b", 0.5)];
        assert!(calibration_error(&honest.iter().collect::<Vec<_>>()) < 1e-6);
        let boastful = [judged("a", "a", 1.0), judged("a", "b", 1.0)];
        assert!((calibration_error(&boastful.iter().collect::<Vec<_>>()) - 0.5).abs() < 1e-6);
    }

    #[test]
    fn auroc_is_the_chance_to_rank_a_pair_rightly() {
        let rows = [judged("a", "a", 0.9), judged("a", "a", 0.4), judged("", "a", 0.4)];
        assert_eq!(auroc(&rows), Some(0.75));
        assert_eq!(auroc(&rows[..2]), None);
    }

    #[test]
    fn the_worst_confusion_comes_first() {
        let rows = [judged("a", "b", 1.0), judged("c", "a", 1.0), judged("c", "a", 1.0)];
        let rows: Vec<&Judged> = rows.iter().collect();
        let worst = confusions(&rows, 1);
        assert_eq!(worst, [Confusion { expected: "c".into(), got: "a".into(), count: 2 }]);
    }
}
