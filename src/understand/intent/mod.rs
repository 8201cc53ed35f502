//! What a caller wants, learnt from a dialplan's few examples.

mod calibration;
mod linear;
mod model;
mod whole;

use self::{
    calibration::Calibration,
    model::{Evidence, Model},
    whole::Said,
};
use super::person::asks_for_person;
use crate::text::{Hypothesis, Lang};

/// How likely an utterance must be about one of the intents for a match.
pub const KNOWN: f32 = 0.5;
/// So many words, or syllables, are told to be the beginning of an example.
const BEGINNING: usize = 3;
const HYPOTHESIS_DECAY: f32 = 0.9;
/// Nearness of any request for a person to the intent whose examples ask for one.
const ASKED_FOR_PERSON: f32 = 0.7;
/// What is left of that nearness where words are alike that are no such request.
const NO_REQUEST: f32 = 0.25;

/// What a caller wants.
#[derive(Debug, Clone, PartialEq)]
pub struct IntentMatch {
    /// The intent's name.
    pub intent: String,
    /// How likely it is right, `0.0..=1.0`: of matches with 0.8 about four in five are.
    pub score: f32,
}

/// Every intent with how likely it is, before any rejection.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ranking {
    /// How likely the utterance is about any of the intents, `0.0..=1.0`.
    pub known: f32,
    /// The intents that have examples, likeliest first. Nothing when no word was heard.
    pub intents: Vec<IntentMatch>,
}

/// Tells which of a dialplan's intents a caller means.
///
/// Nearest examples by TF-IDF cosine, with a linear classifier on the same vectors to choose between
/// neighbours. Three examples an intent are enough to begin with; misheard words count through
/// their sound (pinyin) or letters. Scores are calibrated on examples held out of training. Training
/// takes milliseconds for a dialplan, seconds for ten thousand examples, and is deterministic.
#[derive(Debug, Clone)]
pub struct IntentClassifier {
    lang: Lang,
    names: Vec<String>,
    /// What is said in each example.
    examples: Vec<Said>,
    /// By intent: whether it has examples.
    learnt: Vec<bool>,
    /// The intent whose examples ask for a person.
    person: Option<usize>,
    model: Model,
    calibration: Calibration,
}

impl IntentClassifier {
    /// Learns `intents`, each a name and examples of what callers say for it. Intents without
    /// examples are never matched.
    #[must_use]
    pub fn train(lang: Lang, intents: &[(String, Vec<String>)]) -> Self {
        let examples: Vec<(usize, &str)> = intents
            .iter()
            .enumerate()
            .flat_map(|(at, (_, texts))| texts.iter().map(move |text| (at, text.as_str())))
            .collect();
        Self {
            lang,
            names: intents.iter().map(|(name, _)| name.clone()).collect(),
            examples: examples.iter().map(|(_, text)| Said::new(lang, text)).collect(),
            learnt: intents.iter().map(|(_, texts)| !texts.is_empty()).collect(),
            person: intents.iter().position(|(_, texts)| ask_for_person(lang, texts)),
            model: Model::train(lang, &examples, intents.len()),
            calibration: Calibration::learn(lang, &examples, intents.len()),
        }
    }

    /// The intent of what was heard; `None` when it is none of them.
    #[must_use]
    pub fn classify(&self, heard: &[Hypothesis]) -> Option<IntentMatch> {
        let ranking = self.rank(heard);
        ranking.intents.into_iter().next().filter(|_| ranking.known >= KNOWN)
    }

    /// How likely each intent is by what was heard.
    #[must_use]
    pub fn rank(&self, heard: &[Hypothesis]) -> Ranking {
        let Some((evidence, known)) = self.best(heard) else {
            return Ranking::default();
        };
        let scores = self.calibration.scores(&evidence.choice, known);
        let mut intents: Vec<IntentMatch> = scores
            .into_iter()
            .enumerate()
            .filter(|(at, _)| self.learnt[*at])
            .map(|(at, score)| IntentMatch { intent: self.names[at].clone(), score })
            .collect();
        intents.sort_by(|a, b| b.score.total_cmp(&a.score));
        Ranking { known, intents }
    }

    /// Whether an utterance ends in the beginning of an example: "I have a question", where callers say "I
    /// have a question about my bill". An utterance that ends in a whole example is finished.
    #[must_use]
    pub fn is_beginning(&self, text: &str) -> bool {
        let said = Said::new(self.lang, text);
        let said = said.forms(self.lang);
        let examples = || {
            let forms = self.examples.iter().map(|example| example.forms(self.lang));
            forms.filter(|example| !example.is_empty())
        };
        // Fewer words than this begin many things, unless they are all that was said.
        let least = said.len().min(BEGINNING);
        let beginning = |example: &[String]| {
            let longest = said.len().min(example.len() - 1);
            (least.max(2)..=longest).any(|count| said.ends_with(&example[..count]))
        };
        !examples().any(|example| said.ends_with(example)) && examples().any(beginning)
    }

    /// What speaks for each intent in the hypothesis that is nearest to one, and how likely it is
    /// about any.
    fn best(&self, heard: &[Hypothesis]) -> Option<(Evidence, f32)> {
        let mut weight = 1.0;
        let mut best: Option<(Evidence, f32)> = None;
        for hypothesis in heard {
            let mut evidence = self.model.judge(&hypothesis.text);
            if let Some(person) = self.person {
                if asks_for_person(self.lang, &hypothesis.text) {
                    evidence.prefer(person, ASKED_FOR_PERSON);
                } else {
                    evidence.doubt(person, NO_REQUEST);
                }
            }
            let known = self.calibration.known(&evidence, evidence.best()?, weight);
            if best.as_ref().is_none_or(|(_, best)| known > *best) {
                best = Some((evidence, known));
            }
            weight *= HYPOTHESIS_DECAY;
        }
        best
    }
}

/// Whether an intent with these examples is for callers who want a person.
fn ask_for_person(lang: Lang, examples: &[String]) -> bool {
    let asking = examples.iter().filter(|text| asks_for_person(lang, text)).count();
    asking >= 2 && 2 * asking >= examples.len()
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
