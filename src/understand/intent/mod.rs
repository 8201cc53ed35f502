//! What a caller wants, learnt from a dialplan's few examples.

mod features;
mod function_words;
mod linear;
mod vectors;

use self::{
    features::units,
    function_words::function_mask,
    linear::Linear,
    vectors::{Index, Sparse, Vectorizer},
};
use crate::text::{Hypothesis, Lang, fuzzy};

/// Nearness below which an utterance is none of the intents.
const REJECT: f32 = 0.21;
/// How fast the score rises from 0.5 above [`REJECT`].
const STEEPNESS: f32 = 8.0;
/// Share of the linear classifier in the choice between intents.
const LINEAR_SHARE: f32 = 0.5;
/// So many words, or syllables, are told to be the beginning of an example.
const BEGINNING: usize = 3;
const HYPOTHESIS_DECAY: f32 = 0.9;

/// What a caller wants.
#[derive(Debug, Clone, PartialEq)]
pub struct IntentMatch {
    /// The intent's name.
    pub intent: String,
    /// How sure, `0.5..=1.0`; below 0.5 there is no match.
    pub score: f32,
}

/// Tells which of a dialplan's intents a caller means.
///
/// Nearest example and centroid by TF-IDF cosine, with a linear classifier on the same vectors to
/// choose between neighbours. Three examples an intent are enough to begin with; misheard words
/// count through their sound (pinyin) or letters. Training takes milliseconds for a dialplan and
/// is deterministic.
#[derive(Debug, Clone)]
pub struct IntentClassifier {
    lang: Lang,
    names: Vec<String>,
    examples: Vec<Example>,
    vectorizer: Vectorizer,
    index: Index,
    linear: Linear,
}

#[derive(Debug, Clone)]
struct Example {
    intent: usize,
    units: Vec<String>,
    sounds: Vec<String>,
    /// Whether the example says something beyond function words, so that it may be looked for
    /// inside longer utterances.
    telling: bool,
}

impl IntentClassifier {
    /// Learns `intents`, each a name and examples of what callers say for it. Intents without
    /// examples are never matched.
    #[must_use]
    pub fn train(lang: Lang, intents: &[(String, Vec<String>)]) -> Self {
        let texts = || {
            let labelled = intents.iter().enumerate();
            labelled
                .flat_map(|(intent, (_, texts))| texts.iter().map(move |t| (intent, t.as_str())))
        };
        let vectorizer = Vectorizer::fit(lang, texts().map(|(_, text)| text));
        let examples: Vec<Example> =
            texts().map(|(intent, text)| Example::new(lang, intent, text)).collect();
        let rows: Vec<Sparse> = texts().map(|(_, text)| vectorizer.vector(text)).collect();
        let labels: Vec<usize> = examples.iter().map(|example| example.intent).collect();
        let linear = Linear::train(&rows, &labels, intents.len(), vectorizer.columns());
        let index = Index::new(&rows, vectorizer.columns());
        let names = intents.iter().map(|(name, _)| name.clone()).collect();
        Self { lang, names, examples, vectorizer, index, linear }
    }

    /// The intent of what was heard; `None` when it is none of them.
    #[must_use]
    pub fn classify(&self, heard: &[Hypothesis]) -> Option<IntentMatch> {
        let (intent, nearness) = self.best(heard)?;
        let score = 1.0 / (1.0 + (-STEEPNESS * (nearness - REJECT)).exp());
        (score >= 0.5).then(|| IntentMatch { intent: self.names[intent].clone(), score })
    }

    /// Whether an utterance ends in the beginning of an example: "I have a question", where callers say "I
    /// have a question about my bill". An utterance that ends in a whole example is finished.
    #[must_use]
    pub fn is_beginning(&self, text: &str) -> bool {
        let said = Said::new(self.lang, text);
        let said = if self.lang == Lang::Zh { &said.sounds } else { &said.units };
        let examples = || {
            let forms = |e: &'_ Example| match self.lang {
                Lang::Zh => e.sounds.clone(),
                Lang::En => e.units.clone(),
            };
            self.examples.iter().map(forms).filter(|example| !example.is_empty())
        };
        // Fewer words than this begin many things, unless they are all that was said.
        let least = said.len().min(BEGINNING);
        let beginning = |example: Vec<String>| {
            let longest = said.len().min(example.len() - 1);
            (least.max(2)..=longest).any(|count| said.ends_with(&example[..count]))
        };
        !examples().any(|example| said.ends_with(&example)) && examples().any(beginning)
    }

    /// The likeliest intent and how near it is, `0.0..=1.0`, before any rejection.
    fn best(&self, heard: &[Hypothesis]) -> Option<(usize, f32)> {
        let mut weight = 1.0;
        let mut best: Option<(usize, f32)> = None;
        for hypothesis in heard {
            if let Some((intent, nearness)) = self.nearest(&hypothesis.text)
                && best.is_none_or(|(_, best)| nearness * weight > best)
            {
                best = Some((intent, nearness * weight));
            }
            weight *= HYPOTHESIS_DECAY;
        }
        best
    }

    fn nearest(&self, text: &str) -> Option<(usize, f32)> {
        let vector = self.vectorizer.vector(text);
        let mut nearness = self.nearness(&vector);
        let said = Said::new(self.lang, text);
        for example in &self.examples {
            nearness[example.intent] = nearness[example.intent].max(said.contains(example));
        }
        let linear = self.linear.decide(&vector);
        let choice = |at: usize| nearness[at] + LINEAR_SHARE * linear[at];
        let best =
            (0..self.names.len()).reduce(|a, b| if choice(b) > choice(a) { b } else { a })?;
        Some((best, nearness[best]))
    }

    /// By intent: the cosine with its nearest example, and a little of its three nearest.
    fn nearness(&self, vector: &Sparse) -> Vec<f32> {
        let mut nearest = vec![[0.0_f32; 3]; self.names.len()];
        for (example, mut cosine) in self.examples.iter().zip(self.index.products(vector)) {
            let top = &mut nearest[example.intent];
            for place in top {
                if cosine > *place {
                    std::mem::swap(place, &mut cosine);
                }
            }
        }
        nearest.into_iter().map(|top| 0.6 * top[0] + 0.25 * top[1] + 0.15 * top[2]).collect()
    }
}

impl Example {
    fn new(lang: Lang, intent: usize, text: &str) -> Self {
        let said = Said::new(lang, text);
        let content =
            function_mask(lang, &said.units).iter().filter(|function| !**function).count();
        let telling = content >= if lang == Lang::Zh { 2 } else { 1 };
        Self { intent, units: said.units, sounds: said.sounds, telling }
    }
}

/// An utterance, ready to look for examples in.
struct Said {
    units: Vec<String>,
    sounds: Vec<String>,
}

impl Said {
    fn new(lang: Lang, text: &str) -> Self {
        let units = units(lang, text);
        let sounds = match lang {
            Lang::Zh => units.iter().map(|unit| fuzzy(unit).concat()).collect(),
            Lang::En => Vec::new(),
        };
        Self { units, sounds }
    }

    /// How near an example is that was said whole: 1 when it is all that was said.
    fn contains(&self, example: &Example) -> f32 {
        if example.units.is_empty() {
            return 0.0;
        }
        if self.units == example.units {
            return 1.0;
        }
        let share = example.units.len() as f32 / self.units.len().max(1) as f32;
        if example.telling && occurs(&example.units, &self.units) {
            return 0.6 + 0.35 * share;
        }
        // A few syllables sound like many things; four in a row seldom do.
        if example.telling && example.sounds.len() >= 4 && occurs(&example.sounds, &self.sounds) {
            return 0.5 + 0.35 * share;
        }
        0.0
    }
}

fn occurs(needle: &[String], hay: &[String]) -> bool {
    !needle.is_empty() && hay.windows(needle.len()).any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(text: &str) -> Vec<Hypothesis> {
        vec![Hypothesis { text: text.into(), confidence: 1.0 }]
    }

    fn classifier(lang: Lang, intents: &[(&str, &[&str])]) -> IntentClassifier {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let intents: Vec<(String, Vec<String>)> =
            intents.iter().map(|(name, texts)| ((*name).to_owned(), owned(texts))).collect();
        IntentClassifier::train(lang, &intents)
    }

    #[test]
    fn a_request_in_two_breaths_is_known_by_its_first() {
        let bill = ["I have a question about my bill", "how much is my bill"];
        let en = classifier(Lang::En, &[("bill", &bill), ("hours", &["are you open"])]);
        for (text, expected) in [
            ("I have a question.", true),
            ("Hello, I have a question", true),
            ("How much", true),
            ("I have a question about my bill", false),
            ("What about my bill", false),
            ("Are you open?", false),
            ("much", false),
            ("", false),
        ] {
            assert_eq!(en.is_beginning(text), expected, "{text}");
        }
        let zh = classifier(Lang::Zh, &[("rent", &["租房子怎么提取公积金", "公积金"])]);
        assert!(zh.is_beginning("租房子怎么") && zh.is_beginning("组房子怎么"));
        assert!(!zh.is_beginning("公积金") && !zh.is_beginning("我的公积金"));
    }

    #[test]
    fn an_example_said_inside_a_sentence_is_surely_meant() {
        let classifier = classifier(Lang::Zh, &[("agent", &["转人工"]), ("hours", &["几点上班"])]);
        let found = classifier.classify(&heard("你直接给我转人工")).expect("a match");
        assert_eq!(found.intent, "agent");
        assert!(found.score > 0.9, "{}", found.score);
    }

    #[test]
    fn a_homophone_error_still_matches() {
        let classifier =
            classifier(Lang::Zh, &[("phone", &["修改手机号码"]), ("loan", &["申请贷款"])]);
        let found = classifier.classify(&heard("修改手机好嗎"));
        assert_eq!(found.map(|found| found.intent).as_deref(), Some("phone"));
    }

    #[test]
    fn nothing_heard_and_nothing_learnt_match_nothing() {
        let trained = classifier(Lang::En, &[("hours", &["when are you open"]), ("none", &[])]);
        assert_eq!(trained.classify(&[]), None);
        assert_eq!(trained.classify(&heard("")), None);
        assert_eq!(trained.classify(&heard("???")), None);
        assert_eq!(classifier(Lang::En, &[]).classify(&heard("when are you open")), None);
    }

    #[test]
    fn a_later_hypothesis_can_match() {
        let trained = classifier(Lang::En, &[("hours", &["when are you open"])]);
        let n_best = [heard("winner of a pen"), heard("when are you open")].concat();
        assert_eq!(trained.classify(&n_best).map(|m| m.intent).as_deref(), Some("hours"));
    }
}
