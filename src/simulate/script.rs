//! What a file of scripted calls says.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use time::{PrimitiveDateTime, macros::format_description};

use super::{pattern::Pattern, read, tools::Tools};
use crate::{
    dialog::{CallFacts, Input, TransferResult},
    dialplan::{At, Dialplan, DialplanError, Findings, universal},
};

/// A file of scripted calls against one dialplan.
#[derive(Debug, Clone, PartialEq)]
pub struct Suite {
    /// The file, as it was named.
    pub file: String,
    /// The dialplan that the calls are for.
    pub dialplan: PathBuf,
    /// Who calls whom and when, where a script does not say otherwise.
    pub facts: CallFacts,
    /// What tools give, where a script does not say otherwise.
    pub tools: Tools,
    /// The calls, in written order.
    pub scripts: Vec<Script>,
}

impl Suite {
    /// Reads the file at `path`. The dialplan that it names stands beside it.
    ///
    /// # Errors
    /// Everything that is wrong with the file, with its places.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Vec<DialplanError>> {
        let path = path.as_ref();
        let file = path.display().to_string();
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&file, &text),
            Err(e) => {
                let mut findings = Findings::new(file.as_str());
                let remedy = "give the path of a file of scripted calls, a UTF-8 text file";
                findings.error(At::TOP, format!("cannot read the file: {e}"), remedy);
                Err(findings.into_sorted())
            }
        }
    }

    /// Reads `text`, which messages call `file`.
    ///
    /// # Errors
    /// As [`Suite::load`].
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<DialplanError>> {
        read::suite(file, text)
    }
}

/// One scripted call.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// What it is to show.
    pub name: String,
    /// Line where it begins, from 1.
    pub line: usize,
    pub(crate) facts: CallFacts,
    /// Time zone of their date and time; where there is none, they are those of every calendar.
    pub(crate) zone: Option<String>,
    pub(crate) tools: Tools,
    /// Words that the bot must not say.
    pub(crate) never: Vec<Pattern>,
    pub(crate) steps: Vec<Step>,
    pub(crate) expect: Expect,
}

impl Script {
    /// What is known of the call when it begins.
    pub(crate) fn facts_for(&self, plan: &Dialplan) -> CallFacts {
        let format = format_description!("[year]-[month]-[day] [hour]:[minute]");
        let now = format!("{} {}", self.facts.date, self.facts.time);
        let local = PrimitiveDateTime::parse(&now, format).ok();
        let zone = self.zone.as_deref();
        match zone.zip(local).and_then(|(zone, local)| universal(zone, local)) {
            Some(utc) => self.facts.clone().in_zones_of(plan, utc),
            None => self.facts.clone(),
        }
    }
}

/// One line of a script.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    pub(crate) line: usize,
    pub(crate) act: Act,
}

/// What happens in it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Act {
    /// The bot says this.
    Bot(Pattern),
    /// The caller says something, makes a noise, is silent, or hangs up.
    Caller(Input),
    /// The caller presses keys.
    Keys(String),
    /// The call is handed over, and this comes of it.
    Transfer { to: Option<String>, result: TransferResult },
}

/// What must be true in the end; what is `None` or empty may be as it likes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Expect {
    /// Where in the file it stands.
    pub(crate) line: usize,
    pub(crate) outcome: Option<String>,
    /// Slots and their values; `None` for a slot that must have none.
    pub(crate) slots: BTreeMap<String, Option<String>>,
    /// The intents, all of them, in order.
    pub(crate) intents: Option<Vec<String>>,
    /// What tools were asked, all of it, in order.
    pub(crate) tools: Option<Vec<ToolUse>>,
    /// Nodes passed in this order, with others between them.
    pub(crate) nodes: Vec<String>,
    /// Nodes that the call must not come to.
    pub(crate) avoids: Vec<String>,
    /// The node of the question that is open.
    pub(crate) at: Option<String>,
    pub(crate) language: Option<String>,
    /// What was recommended, all of it, in order: `NAME accepted`, `declined` or `unanswered`.
    pub(crate) offers: Option<Vec<String>>,
    /// The entries of the knowledge base that a model cited, all of them, in order.
    pub(crate) cited: Option<Vec<String>>,
    /// How often each kind of event happened.
    pub(crate) counts: BTreeMap<String, u32>,
}

/// A tool that must be asked, and the arguments that matter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ToolUse {
    pub(crate) tool: String,
    pub(crate) arguments: BTreeMap<String, String>,
}
