//! From turns that came to nothing to proposals.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    dialplan::Dialplan,
    store::CallRecord,
    text::{Hypothesis, Lang, is_hanzi, normalize},
    understand::FaqIndex,
};

/// Questions whose likeness is at least this are one.
const ALIKE: f32 = 0.45;
/// Likeness from which an intent or an entry is proposed rather than a new entry.
const NEAR: f32 = 0.25;
/// Ways of saying it that a proposal shows.
const SHOWN: usize = 8;

/// A turn that came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missed {
    pub(super) call: String,
    pub(super) text: String,
    /// Where it belongs, when an agent has told.
    pub(super) wanted: Option<String>,
}

/// Ways of saying one thing, and where they may belong.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Proposal {
    /// How many turns it was in.
    pub(super) turns: usize,
    /// Different ways of saying it, the most frequent first.
    pub(super) texts: Vec<String>,
    /// `intent:NAME`, `knowledge:ID`, or `new` for an answer that has to be written.
    pub(super) target: String,
    /// A call in which it was said.
    pub(super) call: String,
}

/// The turns of a call that nothing in its dialplan answered: a no-match after words, and questions that the knowledge base
/// does not know.
pub(super) fn missed_in(record: &CallRecord) -> Vec<Missed> {
    let mut heard: Option<String> = None;
    let mut missed = Vec::new();
    let mut just_missed = false;
    for event in &record.events {
        match event.kind.as_str() {
            "heard" => {
                let text = event.data["hypotheses"][0]["text"].as_str();
                heard = text.map(|text| text.trim().to_owned());
                just_missed = false;
            }
            // The caller had not finished: it is heard again, whole.
            "turn_reopened" if std::mem::take(&mut just_missed) => drop(missed.pop()),
            "no_match" | "unanswered" => {
                // A question that is not answered is a no-match as well: it counts once.
                if let Some(text) = heard.take().filter(|text| !text.is_empty()) {
                    missed.push(Missed { call: record.summary.id.clone(), text, wanted: None });
                    just_missed = true;
                }
            }
            "feedback" => missed.extend(told_by_agent(record, &event.data)),
            _ => {}
        }
    }
    missed
}

/// What an agent who had the caller says was taken wrongly, and where it belongs if that is a place of the dialplan.
fn told_by_agent(record: &CallRecord, data: &Value) -> Option<Missed> {
    let text = data["utterance"].as_str()?.trim().to_owned();
    let should_be = data["should_be"].as_str().unwrap_or_default();
    let place = ["intent:", "knowledge:"].iter().any(|kind| should_be.starts_with(kind));
    let wanted = place.then(|| should_be.to_owned());
    (!text.is_empty()).then(|| Missed { call: record.summary.id.clone(), text, wanted })
}

/// Groups what is alike and finds where it may belong; the most frequent first.
pub(super) fn propose(plan: &Dialplan, missed: &[Missed]) -> Vec<Proposal> {
    let mut proposals = Vec::new();
    for lang in plan.languages() {
        let of_lang: Vec<&Missed> = missed.iter().filter(|m| language(&m.text) == *lang).collect();
        for group in groups(*lang, &of_lang) {
            proposals.push(proposal(plan, *lang, &group));
        }
    }
    proposals.sort_by(|a: &Proposal, b| b.turns.cmp(&a.turns).then(a.texts.cmp(&b.texts)));
    proposals
}

fn groups<'m>(lang: Lang, missed: &[&'m Missed]) -> Vec<Vec<&'m Missed>> {
    let entries: Vec<(String, Vec<String>)> =
        missed.iter().enumerate().map(|(at, m)| (at.to_string(), vec![m.text.clone()])).collect();
    let index = FaqIndex::new(lang, &entries);
    let mut taken = vec![false; missed.len()];
    let mut groups = Vec::new();
    for at in 0..missed.len() {
        if taken[at] {
            continue;
        }
        let near = index.search(&heard(&missed[at].text), missed.len());
        let alike = near.iter().filter(|found| found.score >= ALIKE);
        let mut members: Vec<usize> = alike.filter_map(|found| found.id.parse().ok()).collect();
        members.push(at);
        members.sort_unstable();
        members.dedup();
        members.retain(|member| !std::mem::replace(&mut taken[*member], true));
        groups.push(members.into_iter().map(|member| missed[member]).collect());
    }
    groups
}

fn proposal(plan: &Dialplan, lang: Lang, group: &[&Missed]) -> Proposal {
    let mut counts: BTreeMap<String, (usize, &str)> = BTreeMap::new();
    for missed in group {
        counts.entry(normalize(lang, &missed.text)).or_insert((0, &missed.text)).0 += 1;
    }
    let mut texts: Vec<(usize, &str)> = counts.into_values().collect();
    texts.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    let texts: Vec<String> =
        texts.into_iter().take(SHOWN).map(|(_, text)| text.to_owned()).collect();
    let wanted = group.iter().find_map(|missed| missed.wanted.clone());
    let likely = texts.first().map(|text| target(plan, lang, text));
    Proposal {
        turns: group.len(),
        target: wanted.or(likely).unwrap_or_else(|| "new".to_owned()),
        texts,
        call: group.first().map(|missed| missed.call.clone()).unwrap_or_default(),
    }
}

/// Where a text most likely belongs.
fn target(plan: &Dialplan, lang: Lang, text: &str) -> String {
    let heard = heard(text);
    let examples = plan.intents(lang);
    let intents = FaqIndex::new(lang, &examples);
    let intent = intents
        .search(&heard, 1)
        .into_iter()
        .next()
        .map(|found| (found.score, format!("intent:{}", found.id)));
    let entry = plan.faq(lang).and_then(|faq| faq.search(&heard, 1).into_iter().next());
    let entry = entry.map(|found| (found.score, format!("knowledge:{}", found.id)));
    let best = [intent, entry].into_iter().flatten().max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(score, _)| *score >= NEAR).map_or_else(|| "new".to_owned(), |(_, target)| target)
}

fn heard(text: &str) -> [Hypothesis; 1] {
    [Hypothesis { text: text.to_owned(), confidence: 1.0 }]
}

fn language(text: &str) -> Lang {
    if text.chars().any(is_hanzi) { Lang::Zh } else { Lang::En }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialplan::DialplanSource;

    fn plan() -> Dialplan {
        let text = "dialplan: desk
version: 1
language: en
voices: {en: en-hibari}
start: main.menu
defaults: {no_input: [Hello?], no_match: [Sorry?], give_up: main.bye}
intents:
  balance: [what do I owe, my balance, how much is my bill]
  goodbye: [goodbye, bye bye, that is all]
knowledge:
  parking: {questions: [where can I park, is there a car park, do you have parking], answer: \"Behind the shop.\"}
flows:
  main:
    menu: {ask: \"How can I help?\", on: {balance: bye, goodbye: bye}}
    bye: {hang_up: done}
";
        Dialplan::from_source(DialplanSource::inline("desk.yaml", text)).expect("right")
    }

    fn missed(texts: &[&str]) -> Vec<Missed> {
        let missed = |text: &&str| Missed { call: "c1".into(), text: (*text).into(), wanted: None };
        texts.iter().map(missed).collect()
    }

    #[test]
    fn what_is_alike_is_one_proposal_for_where_it_belongs() {
        let said = missed(&[
            "how much is the bill of mine",
            "do you sell gift cards",
            "can I get gift cards here, do you sell gift cards",
            "is there somewhere to park the car",
            "do you sell gift cards",
        ]);
        let proposals = propose(&plan(), &said);
        let brief: Vec<(usize, &str)> =
            proposals.iter().map(|p| (p.turns, p.target.as_str())).collect();
        assert_eq!(brief, [(3, "new"), (1, "intent:balance"), (1, "knowledge:parking")]);
        assert_eq!(proposals[0].texts[0], "do you sell gift cards");
    }

    #[test]
    fn an_agent_knows_better_where_it_belongs() {
        let mut said = missed(&["is there somewhere to park the car"]);
        said[0].wanted = Some("intent:goodbye".into());
        assert_eq!(propose(&plan(), &said)[0].target, "intent:goodbye");
    }
}
