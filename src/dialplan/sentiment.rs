//! What a dialplan does about callers who are angry.

use super::model::{NodeId, Prompt};

/// How callers who turn negative are treated. A dialplan without it does not look at how callers feel.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sentiment {
    /// Said when a caller turns negative, before the answer.
    pub(crate) apologise: Option<Prompt>,
    /// Where the caller is offered something else, such as a person; once in a call.
    pub(crate) offer: Option<NodeId>,
}
