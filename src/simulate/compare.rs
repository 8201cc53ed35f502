//! Whether a call came out as its script says.

use super::{
    played::{Line, Played, Problem},
    script::{Expect, Script, ToolUse},
    tools::Asked,
};
use crate::dialog::Machine;

/// What is not as `script` says of the whole call; `here` is the node that it came to last.
pub(super) fn compare(
    script: &Script,
    machine: &Machine,
    played: &Played,
    here: &Option<String>,
) -> Vec<Problem> {
    let expect = &script.expect;
    let mut wrong = forbidden(script, played);
    wrong.extend(outcome(expect, played));
    wrong.extend(slots(expect, machine));
    wrong.extend(listed("intents", expect.intents.as_deref(), &played.intents));
    let made = machine.outcome("").offers.into_iter();
    let made: Vec<String> =
        made.map(|made| format!("{} {}", made.offer, made.answer.as_str())).collect();
    wrong.extend(listed("offers", expect.offers.as_deref(), &made));
    wrong.extend(listed("cited", expect.cited.as_deref(), &played.cited));
    wrong.extend(tools(expect.tools.as_deref(), &played.asked));
    wrong.extend(nodes(expect, played, here));
    wrong.extend(counts(expect, played));
    let language = machine.lang().to_string();
    if expect.language.as_ref().is_some_and(|wanted| *wanted != language) {
        wrong.push(format!("the language is `{language}`"));
    }
    let after = played.transcript.len();
    let line = if expect.line == 0 { script.line } else { expect.line };
    wrong.into_iter().map(|what| Problem { line, what, after }).collect()
}

fn forbidden(script: &Script, played: &Played) -> Vec<String> {
    let mut wrong = Vec::new();
    for pattern in &script.never {
        let said = played.transcript.iter().find_map(|line| match line {
            Line::Bot(text) if pattern.occurs_in(text) => Some(text),
            _ => None,
        });
        wrong.extend(
            said.map(|said| {
                format!("the bot must never say “{}”, and says “{said}”", pattern.text())
            }),
        );
    }
    wrong
}

fn outcome(expect: &Expect, played: &Played) -> Option<String> {
    let wanted = expect.outcome.as_ref()?;
    match &played.outcome {
        Some(outcome) if outcome.disposition == *wanted => None,
        Some(outcome) => {
            Some(format!("the call ends with `{}`, not with `{wanted}`", outcome.disposition))
        }
        None => Some(format!("the call goes on, and does not end with `{wanted}`")),
    }
}

fn slots(expect: &Expect, machine: &Machine) -> Vec<String> {
    let mut wrong = Vec::new();
    for (slot, wanted) in &expect.slots {
        let value = machine.slot(slot).filter(|value| !value.is_empty());
        match (wanted.as_deref(), value) {
            (wanted, value) if wanted == value => {}
            (_, None) => wrong.push(format!("slot `{slot}` has no value")),
            (_, Some(value)) => wrong.push(format!("slot `{slot}` is `{value}`")),
        }
    }
    wrong
}

fn listed(what: &str, wanted: Option<&[String]>, found: &[String]) -> Option<String> {
    let differs = wanted.is_some_and(|wanted| wanted != found);
    differs.then(|| format!("the {what} are [{}]", found.join(", ")))
}

fn tools(wanted: Option<&[ToolUse]>, asked: &[Asked]) -> Option<String> {
    let wanted = wanted?;
    let fits = |(wanted, asked): (&ToolUse, &Asked)| {
        let mut arguments = wanted.arguments.iter();
        wanted.tool == asked.tool && arguments.all(|(k, v)| asked.arguments.get(k) == Some(v))
    };
    if wanted.len() == asked.len() && wanted.iter().zip(asked).all(fits) {
        return None;
    }
    let asked: Vec<String> = asked
        .iter()
        .map(|asked| {
            let pairs = asked.arguments.iter().map(|(name, value)| format!("{name}: {value}"));
            format!("{}({})", asked.tool, pairs.collect::<Vec<_>>().join(", "))
        })
        .collect();
    Some(format!("the tools asked are [{}]", asked.join(", ")))
}

fn nodes(expect: &Expect, played: &Played, here: &Option<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut rest = played.nodes.iter();
    if let Some(missed) = expect.nodes.iter().find(|node| !rest.any(|entered| entered == *node)) {
        let path = played.nodes.join(", ");
        wrong.push(format!("the call does not come to `{missed}` then; its nodes are [{path}]"));
    }
    let avoided = expect.avoids.iter().find(|node| played.nodes.contains(node));
    wrong.extend(avoided.map(|node| format!("the call comes to `{node}`")));
    if let Some(at) = &expect.at
        && (here.as_ref() != Some(at) || played.outcome.is_some())
    {
        let here = here.as_deref().unwrap_or("nowhere");
        let over = if played.outcome.is_some() { ", and is over" } else { "" };
        wrong.push(format!("the call is at `{here}`, not at `{at}`{over}"));
    }
    wrong
}

fn counts(expect: &Expect, played: &Played) -> Vec<String> {
    let counted = |what: &str| played.counts.get(what).copied().unwrap_or(0);
    let wrong = expect.counts.iter().filter(|(what, wanted)| counted(what) != **wanted);
    wrong.map(|(what, _)| format!("`{what}` is {}", counted(what))).collect()
}
