//! What a language model is told: its author's instructions, the rules of the telephone, what is known, and what the
//! knowledge base has.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{Machine, values::Values};
use crate::{
    dialplan::{
        Dialplan,
        model::{Reference, SlotKind, Talk},
    },
    text::{Hypothesis, Lang, normalize},
    understand,
};

/// What stands in place of words that the model must not see.
pub(super) const WITHHELD: &str = "[withheld]";
/// Entries of the knowledge base that have less to do with the question are not shown.
const LEAST_LIKE: f32 = 0.1;

const RULES_EN: &str = "\
Rules:
- You speak on the telephone. Answer in English, in one to three short sentences of plain words: no lists, no headings, no links.
- Say only what follows from these instructions, from what is known and from the knowledge below. Otherwise say that you do not know.
- After a sentence that an entry of the knowledge told you, write its id in square brackets, such as [id].
- To do anything, call one of the functions that you are given. Never say that you have done what no function did.";
const RULES_ZH: &str = "\
规则：
- 你在打电话。用中文口语回答，一到三个短句；不要列表、标题和链接。
- 只说这些说明、已知信息和下面的知识里有的内容；没有的就说不知道。
- 如果一句话来自某条知识，在句后用方括号写出它的编号，例如 [id]。
- 要办任何事情，只能调用给你的函数；没有函数办过的事，不要说已经办了。";

impl Machine {
    /// Everything that the model is told about this call; and the ids of the entries of the knowledge base in it.
    pub(super) fn instructions(&self, talk: &Talk) -> (String, Vec<String>) {
        let (known, knowledge, rules) = match self.lang {
            Lang::En => ("Known:", "Knowledge:", RULES_EN),
            Lang::Zh => ("已知信息：", "知识：", RULES_ZH),
        };
        let own = talk.instructions.texts.get(&self.lang).and_then(|ways| ways.first());
        let own = own.map(|template| self.values.fill(template, &self.plan, &self.facts));
        let mut text = own.unwrap_or_default().trim().to_owned();
        // Writing to a string cannot fail.
        let _ = write!(text, "\n\n{rules}\n\n{known}\n");
        let facts = &self.facts;
        let _ = writeln!(text, "- call: {} {} {}", facts.date, facts.weekday, facts.time);
        for (slot, value) in self.values.to_share(talk, &self.plan) {
            let _ = writeln!(text, "- {slot}: {value}");
        }
        let entries = self.entries(talk);
        if !entries.is_empty() {
            let _ = writeln!(text, "\n{knowledge}");
        }
        let mut ids = Vec::new();
        for (id, question, answer) in entries {
            let _ = writeln!(text, "[{id}] {question}: {answer}");
            ids.push(id);
        }
        (text, ids)
    }

    /// The entries of the knowledge base that come nearest to what the caller said last.
    fn entries(&self, talk: &Talk) -> Vec<(String, String, String)> {
        let Some(index) = self.plan.faq(self.lang).filter(|_| talk.knowledge > 0) else {
            return Vec::new();
        };
        let found = index.search(&self.heard_last, talk.knowledge).into_iter();
        let entries = found.filter(|entry| entry.score >= LEAST_LIKE).filter_map(|found| {
            let entry = self.plan.model().knowledge.get(&found.id)?;
            let question = entry.questions.get(&self.lang)?.first()?.clone();
            let answer = entry.answer.texts.get(&self.lang)?.first()?;
            let answer = self.values.fill(answer, &self.plan, &self.facts);
            Some((found.id, question, answer))
        });
        entries.collect()
    }

    /// What the caller said to a question for `slot`, as the model may see it.
    pub(super) fn as_shared(&self, talk: &Talk, slot: Option<&str>, text: &str) -> String {
        let private = |name: &str| {
            let slot = self.plan.model().slots.get(name);
            slot.is_some_and(|slot| slot.sensitive)
                && !talk.share.contains(&Reference::Slot(name.to_owned()))
        };
        if slot.is_some_and(private) {
            return WITHHELD.to_owned();
        }
        let heard = [Hypothesis { text: text.to_owned(), confidence: 1.0 }];
        let sounds_like = self.plan.model().slots.iter().any(|(name, slot)| match &slot.kind {
            SlotKind::Digits(spec) if private(name) => {
                understand::best_digits(self.lang, &heard, spec).is_some()
            }
            _ => false,
        });
        let said = normalize(self.lang, text);
        let holds = self.values.withheld(talk, &self.plan).iter().any(|value| {
            let value = normalize(self.lang, value);
            !value.is_empty() && said.contains(&value)
        });
        if sounds_like || holds { WITHHELD.to_owned() } else { text.to_owned() }
    }
}

impl Values {
    /// The slots that a model may be told of.
    fn to_share(&self, talk: &Talk, plan: &Dialplan) -> BTreeMap<String, String> {
        let slots = plan.model().slots.iter();
        let shared = slots.filter(|(name, slot)| {
            let allowed = || talk.share.contains(&Reference::Slot((*name).clone()));
            slot.kind != SlotKind::Counter && (!slot.sensitive || allowed())
        });
        let known =
            shared.filter_map(|(name, _)| Some((name.clone(), self.slot(name)?.to_owned())));
        known.collect()
    }

    /// The values that it must not be told.
    pub(super) fn withheld(&self, talk: &Talk, plan: &Dialplan) -> Vec<String> {
        let model = plan.model();
        let slots = model.slots.iter().filter(|(_, slot)| slot.sensitive);
        let slots =
            slots.filter(|(name, _)| !talk.share.contains(&Reference::Slot((*name).clone())));
        let slots = slots.filter_map(|(name, _)| self.slot(name));
        let fields = model.tools.iter().flat_map(|(tool, declared)| {
            let private = declared.sensitive.iter().filter(|field| {
                let given = Reference::Given { tool: tool.clone(), field: (*field).clone() };
                !talk.share.contains(&given)
            });
            private.map(|field| self.field(tool, field))
        });
        let values = slots.chain(fields).filter(|value| !value.is_empty());
        values.map(str::to_owned).collect()
    }
}
