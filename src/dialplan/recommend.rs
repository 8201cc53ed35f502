//! What a dialplan may recommend to callers, and to whom.

use super::model::{Ask, Formula, NodeId, Prompt, Template};

/// Something that is recommended to callers whom it suits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Recommendation {
    pub(crate) name: String,
    /// The question by which it is offered.
    pub(crate) pitch: Prompt,
    /// For whom it is; for all without.
    pub(crate) when: Option<Formula>,
    /// How well it suits a caller; of several the highest is offered. 0 without.
    pub(crate) score: Option<Formula>,
    /// The least grade of risk that a caller must be allowed.
    pub(crate) grade: Option<Grade>,
}

/// A grade of risk, `R1` to `R5`: of a product, or up to which a caller may buy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Grade(u8);

impl Grade {
    /// The grade of that name, as products (`R2`) and customers (`C2`) have it.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let digit = name.trim().strip_prefix(['R', 'r', 'C', 'c'])?;
        digit.parse().ok().filter(|grade| (1..=5).contains(grade)).map(Self)
    }
}

/// A node that offers the one that suits a caller best.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Offering {
    /// Those to choose from, by their place among the dialplan's.
    pub(crate) among: Vec<usize>,
    /// Up to which grade the caller may buy.
    pub(crate) grade: Option<Template>,
    /// Nothing is offered to callers for whom this holds.
    pub(crate) unless: Formula,
    /// Holds the name of what is offered.
    pub(crate) slot: Option<String>,
    /// Where the call goes when nothing is offered.
    pub(crate) none: NodeId,
    /// A question for yes or no, whose words are those of what is offered.
    pub(crate) ask: Ask,
}
