use crate::text::{Hypothesis, Lang};

/// What a caller wants.
#[derive(Debug, Clone, PartialEq)]
pub struct IntentMatch {
    /// The intent's name.
    pub intent: String,
    /// How sure, `0.5..=1.0`.
    pub score: f32,
}

/// Tells which of a dialplan's intents a caller means.
#[derive(Debug, Clone)]
pub struct IntentClassifier {
    lang: Lang,
    intents: Vec<(String, Vec<String>)>,
}

impl IntentClassifier {
    /// Learns from a few examples per intent.
    #[must_use]
    pub fn train(lang: Lang, intents: &[(String, Vec<String>)]) -> Self {
        Self { lang, intents: intents.to_vec() }
    }

    /// The intent of what was heard; `None` when it is none of them.
    #[must_use]
    pub fn classify(&self, heard: &[Hypothesis]) -> Option<IntentMatch> {
        let options: Vec<super::ChoiceOption> = self
            .intents
            .iter()
            .map(|(name, phrases)| super::ChoiceOption {
                name: name.clone(),
                phrases: phrases.clone(),
            })
            .collect();
        let found = super::choice(self.lang, heard, &options)?;
        Some(IntentMatch { intent: found.name, score: found.score })
    }
}
