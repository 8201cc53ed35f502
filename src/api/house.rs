use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::{dialplan::Dialplan, sip::TrunkState};

/// What the service that serves the API tells of itself, and does.
#[tonic::async_trait]
pub trait House: Send + Sync + 'static {
    /// Numbers and what answers them, in the order of the configuration.
    fn answering(&self) -> Vec<Answering>;
    /// Dialplans of a tenant: those that answer its numbers, and those that calls may be placed with; each once, by their names.
    fn dialplans(&self, tenant: &str) -> Vec<Arc<Dialplan>>;
    /// How the trunks are doing.
    fn trunks(&self) -> Vec<TrunkState>;
    /// Tenants, in order of their names.
    fn tenants(&self) -> Vec<String>;
    /// Calls at once that a tenant may have.
    fn max_calls(&self, tenant: &str) -> usize;
    /// Places a call and gives its id at once.
    ///
    /// # Errors
    /// [`NotPlaced`]; there is no call then.
    async fn place(&self, call: Outgoing) -> Result<String, NotPlaced>;
}

/// A number and what answers it.
#[derive(Debug, Clone)]
pub struct Answering {
    /// The number, or a pattern of numbers.
    pub number: String,
    /// Whose number it is.
    pub tenant: String,
    /// The trunk that its calls must come by.
    pub trunk: Option<String>,
    /// Whether its calls are recorded.
    pub recorded: bool,
    /// What answers.
    pub dialplan: Arc<Dialplan>,
}

/// A call that is to be placed.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Whose call it is.
    pub tenant: String,
    /// A number, or a SIP URI.
    pub to: String,
    /// The trunk by which a number is called.
    pub trunk: Option<String>,
    /// Our number in it; that of the trunk when it is not given.
    pub caller_id: Option<String>,
    /// Name of the dialplan that talks.
    pub dialplan: String,
    /// Values that slots have from the beginning.
    pub variables: BTreeMap<String, String>,
    /// How long it may ring.
    pub ring: Duration,
}

/// Why a call was not placed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotPlaced {
    /// Something in the request.
    #[error("{field}: {problem}")]
    Wrong {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// There are too many calls.
    #[error("{0}")]
    Full(String),
    /// The service takes no calls.
    #[error("{0}")]
    Away(String),
}
