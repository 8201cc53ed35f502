//! Whom a dialplan turns to: people to hand over to, tools to ask.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::model::{NodeId, Prompt, PromptBargeIn, Template};
use crate::text::ReadAs;

/// A hand-over, and where the call goes on when nobody takes it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Transfer {
    /// A number or a SIP URI.
    pub(crate) to: Template,
    /// Said before it.
    pub(crate) say: Option<Prompt>,
    pub(crate) barge_in: PromptBargeIn,
    pub(crate) mode: TransferMode,
    /// How long it may ring.
    pub(crate) ring: Duration,
    pub(crate) busy: NodeId,
    pub(crate) no_answer: NodeId,
    pub(crate) failed: NodeId,
}

/// How a caller is handed over; the dialog's contract has the same words one floor up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TransferMode {
    Bridge,
    Attended,
    Refer,
}

/// Something that can be asked or told: what it takes and gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tool {
    pub(crate) takes: Vec<String>,
    /// Fields that it gives, and how each is read.
    pub(crate) gives: BTreeMap<String, ReadAs>,
    /// Arguments and fields that records must not show in full.
    pub(crate) sensitive: BTreeSet<String>,
    /// How long it may take.
    pub(crate) deadline: Duration,
    /// Whether it may be asked again when no answer comes: asking twice changes no more than once.
    pub(crate) repeatable: bool,
}

/// One use of a tool.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Invocation {
    pub(crate) tool: String,
    pub(crate) arguments: BTreeMap<String, Template>,
    /// Said meanwhile.
    pub(crate) say: Option<Prompt>,
    pub(crate) barge_in: PromptBargeIn,
    /// Said when it takes long, in place of the dialplan's.
    pub(crate) filler: Option<Prompt>,
    pub(crate) done: NodeId,
    pub(crate) failed: NodeId,
}
