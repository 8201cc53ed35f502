//! What is learnt from examples: nearest examples and a linear classifier on the same vectors.

use super::{
    linear::Linear,
    whole::{Said, Whole},
};
use crate::{
    text::Lang,
    understand::vectors::{Index, Sparse, Vectorizer},
};

/// Share of the linear classifier in the choice between intents.
const LINEAR_SHARE: f32 = 0.5;
/// Weights of an intent's three nearest examples in its nearness.
const NEAREST: [f32; 3] = [0.6, 0.25, 0.15];

/// Tells intents, by number, apart.
#[derive(Debug, Clone)]
pub(super) struct Model {
    lang: Lang,
    intents: usize,
    /// The intent of each example.
    owners: Vec<usize>,
    vectorizer: Vectorizer,
    index: Index,
    linear: Linear,
    whole: Whole,
}

/// What speaks for each intent.
#[derive(Debug, Clone)]
pub(super) struct Evidence {
    /// How near the intent's examples are, `0.0..=1.0`.
    pub(super) nearness: Vec<f32>,
    /// The linear classifier's distance from each intent's boundary, about -1 to 1.
    pub(super) linear: Vec<f32>,
    /// What decides between intents; only differences count.
    pub(super) choice: Vec<f32>,
}

impl Evidence {
    /// The intent that is chosen.
    pub(super) fn best(&self) -> Option<usize> {
        let better = |a: usize, b: usize| if self.choice[b] > self.choice[a] { b } else { a };
        (0..self.choice.len()).reduce(better)
    }

    /// Leaves an intent only a share of what speaks for it, unless one of its examples is all that was
    /// said.
    pub(super) fn doubt(&mut self, intent: usize, share: f32) {
        let near = self.nearness[intent];
        if near < 1.0 {
            self.nearness[intent] = share * near;
            self.linear[intent] = share * (self.linear[intent] + 1.0) - 1.0;
            self.choice[intent] -= (1.0 - share) * near;
        }
    }

    /// Puts an intent before all others, and at least that near.
    pub(super) fn prefer(&mut self, intent: usize, nearness: f32) {
        let most = self.choice.iter().copied().fold(0.0, f32::max);
        self.choice[intent] = most + nearness;
        self.nearness[intent] = self.nearness[intent].max(nearness);
        self.linear[intent] = self.linear[intent].max(nearness);
    }
}

impl Model {
    /// Learns `examples`, each with its intent, which is below `intents`. The same examples give
    /// the same model.
    pub(super) fn train(lang: Lang, examples: &[(usize, &str)], intents: usize) -> Self {
        let (vectorizer, rows) = Vectorizer::fit(lang, examples.iter().map(|(_, text)| *text));
        let owners: Vec<usize> = examples.iter().map(|(intent, _)| *intent).collect();
        let linear = Linear::train(&rows, &owners, intents, vectorizer.columns());
        let index = Index::new(&rows, vectorizer.columns());
        let mut whole = Whole::default();
        for (intent, text) in examples {
            whole.add(lang, *intent, text);
        }
        Self { lang, intents, owners, vectorizer, index, linear, whole }
    }

    /// What in `text` speaks for each intent.
    pub(super) fn judge(&self, text: &str) -> Evidence {
        let vector = self.vectorizer.vector(text);
        let mut nearness = self.nearness(&vector);
        self.whole.raise(&Said::new(self.lang, text), &mut nearness);
        let linear = self.linear.decide(&vector);
        let choice = nearness.iter().zip(&linear).map(|(near, far)| near + LINEAR_SHARE * far);
        Evidence { choice: choice.collect(), nearness, linear }
    }

    /// By intent: the cosine with its nearest example, and a little of its three nearest.
    fn nearness(&self, vector: &Sparse) -> Vec<f32> {
        let mut nearest = vec![[0.0_f32; NEAREST.len()]; self.intents];
        for (intent, mut cosine) in self.owners.iter().zip(self.index.products(vector)) {
            for place in &mut nearest[*intent] {
                if cosine > *place {
                    std::mem::swap(place, &mut cosine);
                }
            }
        }
        let weigh =
            |top: [f32; 3]| top.iter().zip(NEAREST).map(|(cosine, weight)| cosine * weight).sum();
        nearest.into_iter().map(weigh).collect()
    }
}
