//! How a call ended.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::OfferMade;

/// How the call ended, from the dialog's point of view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The disposition as the dialplan names it, such as `resolved`.
    pub disposition: String,
    /// Slots collected; values of sensitive slots are masked.
    pub slots: BTreeMap<String, String>,
    /// How the caller felt, where the dialplan looks at that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentiment: Option<SentimentRange>,
    /// What was recommended, and what the caller said to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<OfferMade>,
}

/// How a caller felt in a call, from -100 for anger to 100 for delight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentimentRange {
    /// After the first turn.
    pub start: i16,
    /// In the end.
    pub end: i16,
    /// At the worst.
    pub min: i16,
}
