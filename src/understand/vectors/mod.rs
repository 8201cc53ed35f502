//! TF-IDF vectors whose vocabulary and weights come from the examples.

mod features;
mod function_words;

use std::collections::{BTreeMap, HashMap};

use self::features::{BLOCKS, Feature, features};
pub(in crate::understand) use self::{features::units, function_words::function_mask};
use crate::text::Lang;

/// How many examples it takes to believe their document frequencies as much as the prior.
const PRIOR_EXAMPLES: f32 = 300.0;

/// A sparse vector: column and value, columns ascending.
pub(in crate::understand) type Sparse = Vec<(u32, f32)>;

/// Turns utterances into vectors of length at most 1.
#[derive(Debug, Clone)]
pub(in crate::understand) struct Vectorizer {
    lang: Lang,
    /// Feature hash to column.
    columns: HashMap<u64, u32>,
    /// Inverse document frequency by column.
    idf: Vec<f32>,
    examples: usize,
}

impl Vectorizer {
    /// Learns columns and document frequencies from `texts`; returns their vectors, too.
    pub(in crate::understand) fn fit<'a>(
        lang: Lang,
        texts: impl Iterator<Item = &'a str>,
    ) -> (Self, Vec<Sparse>) {
        let mut columns: HashMap<u64, u32> = HashMap::new();
        let mut documents: Vec<u32> = Vec::new();
        let texts: Vec<Vec<Feature>> = texts.map(|text| features(lang, text)).collect();
        for features in &texts {
            let mut hashes: Vec<u64> = features.iter().map(|f| f.hash).collect();
            hashes.sort_unstable();
            hashes.dedup();
            for hash in hashes {
                let next = documents.len() as u32;
                let column = *columns.entry(hash).or_insert(next);
                if column == next {
                    documents.push(0);
                }
                documents[column as usize] += 1;
            }
        }
        let examples = texts.len();
        let idf = documents.iter().map(|count| inverse_frequency(examples, *count)).collect();
        let vectorizer = Self { lang, columns, idf, examples };
        let vectors = texts.iter().map(|features| vectorizer.weigh_all(features)).collect();
        (vectorizer, vectors)
    }

    /// How many columns vectors have.
    pub(in crate::understand) fn columns(&self) -> usize {
        self.idf.len()
    }

    /// The vector of `text`. Features no example has count towards its length but have no column,
    /// so that a sentence mostly about other things is near nothing.
    pub(in crate::understand) fn vector(&self, text: &str) -> Sparse {
        self.weigh_all(&features(self.lang, text))
    }

    fn weigh_all(&self, features: &[Feature]) -> Sparse {
        let mut blocks: [Block; BLOCKS] = Default::default();
        for feature in features {
            blocks[feature.block].add(self.columns.get(&feature.hash).copied(), feature);
        }
        let mut vector: Sparse = Vec::new();
        for block in blocks {
            let weighed: Vec<(Option<u32>, f32)> =
                block.counts.into_values().map(|count| self.weigh(count)).collect();
            let square: f32 = weighed.iter().map(|(_, value)| value * value).sum();
            let norm = (square * BLOCKS as f32).sqrt().max(f32::MIN_POSITIVE);
            let known = weighed.into_iter().filter_map(|(column, value)| Some((column?, value)));
            vector.extend(known.map(|(column, value)| (column, value / norm)));
        }
        vector.sort_unstable_by_key(|(column, _)| *column);
        vector
    }

    fn weigh(&self, count: Count) -> (Option<u32>, f32) {
        let unseen = inverse_frequency(self.examples, 0);
        let idf = count.column.map_or(unseen, |column| self.idf[column as usize]);
        let known = self.examples as f32;
        let trust = (known + PRIOR_EXAMPLES * count.worth) / (known + PRIOR_EXAMPLES);
        (count.column, (1.0 + (count.times as f32).ln()) * idf * trust)
    }
}

fn inverse_frequency(examples: usize, documents: u32) -> f32 {
    ((1.0 + examples as f32) / (1.0 + documents as f32)).ln() + 1.0
}

/// The features of one family in one utterance, by hash so that the sums come out in one order.
#[derive(Default)]
struct Block {
    counts: BTreeMap<u64, Count>,
}

struct Count {
    column: Option<u32>,
    times: u32,
    worth: f32,
}

impl Block {
    fn add(&mut self, column: Option<u32>, feature: &Feature) {
        let new = Count { column, times: 0, worth: feature.worth };
        self.counts.entry(feature.hash).or_insert(new).times += 1;
    }
}

/// The examples' vectors by column, to compare an utterance with all of them in one pass.
#[derive(Debug, Clone)]
pub(in crate::understand) struct Index {
    /// By column: the examples that have it, and their values.
    postings: Vec<Vec<(u32, f32)>>,
    examples: usize,
}

impl Index {
    /// Lists `rows`, whose columns are below `columns`.
    pub(in crate::understand) fn new(rows: &[Sparse], columns: usize) -> Self {
        let mut postings = vec![Vec::new(); columns];
        for (example, row) in rows.iter().enumerate() {
            for (column, value) in row {
                postings[*column as usize].push((example as u32, *value));
            }
        }
        Self { postings, examples: rows.len() }
    }

    /// The scalar product of `vector` with each example, in their order.
    pub(in crate::understand) fn products(&self, vector: &Sparse) -> Vec<f32> {
        let mut products = vec![0.0; self.examples];
        for (column, value) in vector {
            for (example, weight) in &self.postings[*column as usize] {
                products[*example as usize] += value * weight;
            }
        }
        products
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 3] = ["the power is out", "we have no power", "what do I owe"];

    #[test]
    fn an_example_is_its_own_nearest() {
        let (vectorizer, vectors) = Vectorizer::fit(Lang::En, TEXTS.into_iter());
        let products = Index::new(&vectors, vectorizer.columns()).products(&vectors[0]);
        assert!((products[0] - 1.0).abs() < 1e-5);
        assert!(products[1] > products[2]);
    }

    #[test]
    fn unknown_words_shorten_the_vector() {
        let (vectorizer, _) = Vectorizer::fit(Lang::En, TEXTS.into_iter());
        let long = vectorizer.vector("the power of medieval agricultural economics");
        assert!(long.iter().map(|(_, value)| value * value).sum::<f32>() < 0.5);
        assert!(vectorizer.vector("zzzzqq").is_empty());
    }

    #[test]
    fn vectors_are_the_same_in_every_run() {
        let vector = || Vectorizer::fit(Lang::En, TEXTS.into_iter()).0.vector("power is out again");
        assert_eq!(vector(), vector());
    }
}
