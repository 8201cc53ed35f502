//! A checked dialplan: every name resolved, so that a call cannot meet a dangling one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::{
    calendar::Calendar,
    expression::Expression,
    offer::Offer,
    required::Required,
    subflow::{Do, FlowHead},
};
pub(crate) use super::{
    outside::{Invocation, Tool, Transfer, TransferMode},
    recommend::{Grade, Offering, Recommendation},
    sentiment::Sentiment,
    slot::{ChoiceOption, Given, Slot, SlotKind},
    talk::{Action, Talk},
    wish::Wish,
};
use crate::text::{Lang, Piece, ReadAs};

/// Index of a node in [`Model::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(pub(crate) usize);

/// Where a caller goes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Target {
    /// To a node.
    Node(NodeId),
    /// Nowhere: the question stays open.
    Wish(Wish),
}

/// Everything an author wrote, checked.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) version: u32,
    pub(crate) language: Lang,
    pub(crate) languages: BTreeSet<Lang>,
    pub(crate) voices: BTreeMap<Lang, String>,
    pub(crate) hot_words: BTreeMap<Lang, Vec<String>>,
    pub(crate) start: NodeId,
    pub(crate) limits: Limits,
    /// The ladders of questions that have none of their own.
    pub(crate) defaults: Ladders,
    pub(crate) waiting: Waiting,
    /// Said before a question is asked again that the caller had left.
    pub(crate) resume: Prompt,
    /// Said while a tool takes its time.
    pub(crate) filler: Prompt,
    /// Said to a question that nothing in the dialplan answers.
    pub(crate) unknown: Option<Prompt>,
    pub(crate) slots: BTreeMap<String, Slot>,
    pub(crate) tables: BTreeMap<String, Table>,
    pub(crate) tools: BTreeMap<String, Tool>,
    /// Examples by intent.
    pub(crate) intents: BTreeMap<String, BTreeMap<Lang, Vec<String>>>,
    /// Answers to what is no intent, by id.
    pub(crate) knowledge: BTreeMap<String, KnowledgeEntry>,
    /// How two of them are offered that are equally near.
    pub(crate) offer: BTreeMap<Lang, Offer>,
    /// What is done about angry callers, where the dialplan looks at that.
    pub(crate) sentiment: Option<Sentiment>,
    /// What may be recommended, in written order.
    pub(crate) offers: Vec<Recommendation>,
    pub(crate) required: Required,
    /// Understood at every question.
    pub(crate) globals: Routes,
    /// Where a call goes when the caller reads out the number of a payment card.
    pub(crate) card_number: Option<NodeId>,
    pub(crate) flows: BTreeMap<String, FlowHead>,
    pub(crate) calendars: Arc<BTreeMap<String, Calendar>>,
    pub(crate) nodes: Vec<Node>,
}

/// A question that callers ask, and its answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct KnowledgeEntry {
    /// Ways of asking.
    pub(crate) questions: BTreeMap<Lang, Vec<String>>,
    pub(crate) answer: Prompt,
}

/// Bounds on a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Silence that counts as no input, where the question does not say.
    pub(crate) no_input: Duration,
    /// Caller turns before the call is brought to an end.
    pub(crate) max_turns: u32,
    /// Where it then goes; it ends there at the latest.
    pub(crate) too_long: Option<NodeId>,
}

/// What is said, rung by rung, when a question gets no usable answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Ladders {
    pub(crate) no_input: Vec<Prompt>,
    pub(crate) no_match: Vec<Prompt>,
    /// Where the call goes when a ladder has no rung left.
    pub(crate) give_up: Option<NodeId>,
}

/// What happens when a caller asks for time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Waiting {
    /// Said then.
    pub(crate) say: Prompt,
    /// Silence that counts as no input after it.
    pub(crate) no_input: Duration,
}

/// Where intents and keys lead.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Routes {
    pub(crate) on: BTreeMap<String, Target>,
    pub(crate) keys: BTreeMap<char, Target>,
}

/// One step of a flow.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    /// `flow.node`.
    pub(crate) name: String,
    pub(crate) kind: NodeKind,
}

/// What a node does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NodeKind {
    /// Speaks and goes on.
    Say { say: Prompt, barge_in: PromptBargeIn, then: Then },
    /// Asks and waits for the caller.
    Ask(Box<Ask>),
    /// The first case that holds.
    When { cases: Vec<Case>, otherwise: NodeId },
    /// Looks for a table row.
    Lookup {
        table: String,
        key: Template,
        /// Columns that must hold these values as well.
        matching: Vec<(String, Template)>,
        found: NodeId,
        missing: NodeId,
    },
    /// Gives slots values.
    Set { values: Vec<(String, SetTo)>, next: NodeId },
    /// Fills a slot with what the caller said of it in the last turn.
    Take { slot: String, found: NodeId, missing: NodeId },
    /// Adds one to a counter and branches when it reaches the limit.
    Count { counter: String, limit: u32, reached: NodeId, next: NodeId },
    /// Goes to what else the caller asked for in one breath, saying so first.
    NextRequest { say: Option<Prompt>, otherwise: NodeId },
    /// Changes how the bot speaks and waits: for the elderly, or as usual.
    Mode { elderly: bool, next: NodeId },
    /// Changes the language of the call.
    Language { lang: Lang, next: NodeId },
    /// Asks somebody else, such as a CRM, and goes on with what it gives.
    Tool(Box<Invocation>),
    /// Goes through another flow, and on from here.
    Do(Box<Do>),
    /// Hands the caller over to somebody else.
    Transfer(Box<Transfer>),
    /// Lets a language model speak.
    Llm(Box<Talk>),
    /// Recommends what suits the caller best.
    Offer(Box<Offering>),
    /// Only goes elsewhere, or ends the call without a word.
    Then(Then),
}

/// What follows a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Then {
    Next(NodeId),
    /// Back to the question that the caller left for this subject; to the node when there is none.
    Return(NodeId),
    /// Out of the sub-flow, with this word.
    Finish(String),
    /// Ends the call with this disposition.
    HangUp(String),
}

/// Whether a prompt may be cut short; the dialog's contract has the same words one floor up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum PromptBargeIn {
    #[default]
    Any,
    Keys,
    None,
}

/// A question.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ask {
    pub(crate) ask: Prompt,
    pub(crate) barge_in: PromptBargeIn,
    pub(crate) wants: Wants,
    pub(crate) routes: Routes,
    pub(crate) no_input: Option<Duration>,
    /// The question's own rungs stand alone; rungs from the defaults are followed by the question.
    pub(crate) ladders: Ladders,
}

/// What a question is after.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wants {
    /// One of the intents in `on`, here or everywhere.
    Intent,
    /// Anything: a language model answers what leads nowhere.
    Talk,
    /// Yes or no, as a branch.
    YesNo {
        yes: NodeId,
        no: NodeId,
        /// What else means yes, or no, to this question: 满了 to 满三个月了吗.
        words: YesNoWords,
    },
    /// A value for a slot.
    Slot {
        slot: String,
        /// Reads the value back and asks whether it is right.
        confirm: Option<Prompt>,
        next: NodeId,
    },
}

/// Answers to one question that are a yes or a no only there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct YesNoWords {
    pub(crate) yes: BTreeMap<Lang, Vec<String>>,
    pub(crate) no: BTreeMap<Lang, Vec<String>>,
}

/// One branch of a condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Case {
    pub(crate) condition: Condition,
    pub(crate) next: NodeId,
}

/// When a case holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    Value { value: Reference, test: Test },
    Formula(Formula),
}

/// An expression, and the values that it makes use of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Formula {
    pub(crate) expression: Expression,
    pub(crate) uses: Vec<Reference>,
}

/// What a slot is set to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SetTo {
    /// It is emptied.
    Nothing,
    Text(Template),
    Computed(Formula),
}

/// What a condition asks of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Test {
    Exists(bool),
    OneOf(Vec<String>),
    /// From the first, inclusive, to the second, exclusive, by the order of their characters:
    /// fits times and dates.
    Between(String, String),
}

/// Local data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) columns: Vec<String>,
    /// Column that `lookup` searches.
    pub(crate) key: usize,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    /// Index of the column of that name.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c == name)
    }
}

/// A prompt in every language of the dialplan.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Prompt {
    /// Ways of saying it, of which one is chosen each time.
    pub(crate) texts: BTreeMap<Lang, Vec<Template>>,
    /// Said in their place to callers who are negative.
    pub(crate) short: BTreeMap<Lang, Vec<Template>>,
}

/// Words with gaps for values.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Template {
    pub(crate) parts: Vec<Part>,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    Words(String),
    Value {
        reference: Reference,
        read_as: ReadAs,
    },
    /// A pause, a way of speaking or a recording.
    Mark(Piece),
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reference {
    Slot(String),
    /// A column of the row that the last lookup in the table found.
    Column {
        table: String,
        column: usize,
    },
    /// What a tool gave last.
    Given {
        tool: String,
        field: String,
    },
    Call(CallFact),
}

/// What is known about the call itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum CallFact {
    Caller,
    Called,
    Date,
    Time,
    Weekday,
    /// `negative`, `neutral` or `positive`.
    Sentiment,
    /// The same from -100 to 100.
    SentimentPercent,
    /// `inbound` or `outbound`.
    Direction,
}

impl Node {
    /// The flow it belongs to.
    pub(crate) fn flow(&self) -> &str {
        self.name.split_once('.').map_or("", |(flow, _)| flow)
    }

    /// How the node listens to the caller; `None` for one that does not wait.
    pub(crate) fn question(&self) -> Option<&Ask> {
        match &self.kind {
            NodeKind::Ask(ask) => Some(ask),
            NodeKind::Llm(talk) => Some(&talk.ask),
            NodeKind::Offer(offering) => Some(&offering.ask),
            _ => None,
        }
    }

    /// Whether the node waits for the caller.
    pub(crate) fn is_question(&self) -> bool {
        self.question().is_some()
    }
}

impl Model {
    /// The node with this id.
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }
}
