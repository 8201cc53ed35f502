//! A real CRM in place of what scripts say of tools.

use std::time::Duration;

use anyhow::bail;
use tokio::runtime::Runtime;

use super::super::runtime;
use crate::{
    audio::Manner,
    crm::{Crm, CrmConfig},
    dialog::{BargeIn, Invoke, InvokeResult, Say},
    text::{Lang, Phrase},
};

/// How long the CRM may take to make itself ready for a call.
const READY: Duration = Duration::from_secs(10);

/// A CRM, asked by one scripted call after the other.
pub(super) struct Asked {
    runtime: Runtime,
    crm: Crm,
    /// A tool that is asked before each call.
    before: Option<String>,
    /// Tells the calls of this run from those of others, for keys that must not come twice.
    run: u64,
    call: String,
    asked: u32,
}

impl Asked {
    pub(super) fn new(url: &str, before: Option<String>) -> anyhow::Result<Self> {
        let runtime = runtime()?;
        let crm = {
            let _entered = runtime.enter();
            Crm::new(&CrmConfig { url: Some(url.to_owned()), ..CrmConfig::default() })?
        };
        Ok(Self { runtime, crm, before, run: rand::random(), call: String::new(), asked: 0 })
    }

    /// What is asked from now on is asked by the scripted call of this name.
    pub(super) fn next_call(&mut self, name: &str) -> anyhow::Result<()> {
        self.call = format!("{:016x}/{name}", self.run);
        self.asked = 0;
        let Some(tool) = self.before.clone() else { return Ok(()) };
        let phrase = Phrase { lang: Lang::En, pieces: Vec::new() };
        let filler =
            Say { phrase, barge_in: BargeIn::Any, node: String::new(), manner: Manner::USUAL };
        let arguments = std::collections::BTreeMap::new();
        let invoke =
            Invoke { tool: tool.clone(), arguments, deadline: READY, repeatable: true, filler };
        match self.ask(&invoke) {
            InvokeResult::Done(_) => Ok(()),
            InvokeResult::Failed(why) => bail!("the CRM does not do `{tool}`: {why}"),
        }
    }

    pub(super) fn ask(&mut self, invoke: &Invoke) -> InvokeResult {
        self.asked += 1;
        self.runtime.block_on(self.crm.invoke(&self.call, self.asked, invoke.clone()))
    }
}
