//! Finding the answer to a question in a knowledge base.

use super::vectors::{Index, Vectorizer};
use crate::text::{Hypothesis, Lang};

/// Score from which an entry answers a question.
pub const FAQ_LEAST: f32 = 0.33;
/// How far the best entry must be ahead of the second, unless it is [`SURE`].
const MARGIN: f32 = 0.02;
/// Score from which the best entry needs no margin.
const SURE: f32 = 0.6;
/// Entries closer together than this may be offered both.
const CLOSE: f32 = 0.06;
/// Score from which a question is as good as one of the entry's own.
pub const FAQ_SAME: f32 = 0.8;
/// Share of an entry's second nearest question in its score.
const SECOND: f32 = 0.15;
const HYPOTHESIS_DECAY: f32 = 0.9;

/// An entry that may answer a question.
#[derive(Debug, Clone, PartialEq)]
pub struct FaqMatch {
    /// The entry's id.
    pub id: String,
    /// How near the question is to those of the entry, `0.0..=1.0`.
    pub score: f32,
}

/// The questions of a knowledge base, ready to be searched.
///
/// Compares by characters or words and, in Chinese, as much by their sound, so that a misheard
/// question is found all the same; what stands in few questions counts most. A few hundred entries
/// are indexed in milliseconds and searched in less than one.
#[derive(Debug, Clone)]
pub struct FaqIndex {
    ids: Vec<String>,
    /// The entry of each question.
    owners: Vec<usize>,
    vectorizer: Vectorizer,
    index: Index,
}

impl FaqIndex {
    /// Indexes `entries`: an id each, and the ways in which callers ask for it.
    #[must_use]
    pub fn new(lang: Lang, entries: &[(String, Vec<String>)]) -> Self {
        let questions: Vec<(usize, &str)> = entries
            .iter()
            .enumerate()
            .flat_map(|(at, (_, texts))| texts.iter().map(move |text| (at, text.as_str())))
            .collect();
        let (vectorizer, rows) = Vectorizer::fit(lang, questions.iter().map(|(_, text)| *text));
        Self {
            ids: entries.iter().map(|(id, _)| id.clone()).collect(),
            owners: questions.iter().map(|(owner, _)| *owner).collect(),
            index: Index::new(&rows, vectorizer.columns()),
            vectorizer,
        }
    }

    /// The entry that answers what was heard; `None` when none comes near enough, or two are too
    /// close to tell which.
    #[must_use]
    pub fn answer(&self, heard: &[Hypothesis]) -> Option<FaqMatch> {
        let mut found = self.search(heard, 2).into_iter();
        let best = found.next().filter(|best| best.score >= FAQ_LEAST)?;
        let ahead = found.next().is_none_or(|second| best.score - second.score >= MARGIN);
        (ahead || best.score >= SURE).then_some(best)
    }

    /// Two entries that answer what was heard about equally well.
    #[must_use]
    pub fn either(&self, heard: &[Hypothesis]) -> Option<[FaqMatch; 2]> {
        let found: [FaqMatch; 2] = self.search(heard, 2).try_into().ok()?;
        let [best, second] = &found;
        let near = best.score < FAQ_SAME && second.score >= FAQ_LEAST;
        (near && best.score - second.score < CLOSE).then_some(found)
    }

    /// The `most` entries that come nearest to what was heard, best first.
    #[must_use]
    pub fn search(&self, heard: &[Hypothesis], most: usize) -> Vec<FaqMatch> {
        let mut scores = vec![0.0_f32; self.ids.len()];
        let mut weight = 1.0;
        for hypothesis in heard {
            for (score, here) in scores.iter_mut().zip(self.scores(&hypothesis.text)) {
                *score = score.max(weight * here);
            }
            weight *= HYPOTHESIS_DECAY;
        }
        let mut order: Vec<usize> = (0..scores.len()).filter(|at| scores[*at] > 0.0).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        let found = order.into_iter().take(most);
        found.map(|at| FaqMatch { id: self.ids[at].clone(), score: scores[at] }).collect()
    }

    /// By entry: the cosine with its nearest question, and a little of the second.
    fn scores(&self, text: &str) -> Vec<f32> {
        let mut nearest = vec![[0.0_f32; 2]; self.ids.len()];
        let vector = self.vectorizer.vector(text);
        for (owner, cosine) in self.owners.iter().zip(self.index.products(&vector)) {
            let [first, second] = &mut nearest[*owner];
            if cosine > *first {
                *second = std::mem::replace(first, cosine);
            } else {
                *second = second.max(cosine);
            }
        }
        nearest.into_iter().map(|[one, two]| one + SECOND * (two - one)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> FaqIndex {
        let entry = |id: &str, texts: &[&str]| {
            (id.to_owned(), texts.iter().map(|text| (*text).to_owned()).collect())
        };
        FaqIndex::new(
            Lang::Zh,
            &[
                entry("balance", &["怎么查公积金余额", "公积金账户里有多少钱"]),
                entry("rent", &["租房可以提取公积金吗", "租房提取公积金需要什么条件"]),
                entry("heating", &["什么时候开始供暖", "今年几号来暖气"]),
            ],
        )
    }

    fn answer(text: &str) -> Option<String> {
        let heard = [Hypothesis { text: text.to_owned(), confidence: 1.0 }];
        index().answer(&heard).map(|found| found.id)
    }

    #[test]
    fn a_question_in_other_words_finds_its_answer() {
        assert_eq!(answer("我的公积金余额在哪里查").as_deref(), Some("balance"));
        assert_eq!(answer("你们今年什么时候来暖气啊").as_deref(), Some("heating"));
    }

    #[test]
    fn homophones_cost_little() {
        assert_eq!(answer("怎么查公鸡金鱼鹅").as_deref(), Some("balance"));
    }

    #[test]
    fn what_is_not_there_has_no_answer() {
        for text in ["给我讲个笑话", "鱼香肉丝怎么做", "", "？"] {
            assert_eq!(answer(text), None, "{text}");
        }
    }

    #[test]
    fn two_that_are_equally_near_are_both_named() {
        let heard = |text: &str| [Hypothesis { text: text.to_owned(), confidence: 1.0 }];
        let either = index().either(&heard("公积金"));
        let ids = either.map(|found| found.map(|entry| entry.id));
        assert_eq!(ids, Some(["balance", "rent"].map(str::to_owned)));
        assert_eq!(index().either(&heard("怎么查公积金余额")), None);
        assert_eq!(index().either(&heard("你好")), None);
    }

    #[test]
    fn the_best_come_first_and_no_more_than_asked_for() {
        let heard = [Hypothesis { text: "公积金".to_owned(), confidence: 1.0 }];
        let found = index().search(&heard, 2);
        assert_eq!(found.len(), 2);
        assert!(found[0].score >= found[1].score && found[1].score > 0.0);
        assert!(index().search(&[], 3).is_empty());
        assert!(FaqIndex::new(Lang::Zh, &[]).search(&heard, 3).is_empty());
    }
}
