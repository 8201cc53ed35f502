//! `Dialplans.Simulate`: a call in writing.

use std::sync::Arc;

use tonic::Status;

use super::ask::{self, wrong};
use crate::{
    call::local_now,
    dialog::{CallFacts, Input, InvokeResult, TransferResult},
    dialplan::Dialplan,
    proto::{
        DialplansSimulateRequest, DialplansSimulateResponse, SimulatedLine, SimulatedSpeaker,
        SimulatedTool,
    },
    simulate::{Line, Player, State, Tools},
    text::Hypothesis,
};

/// Turns of a caller.
const TURNS: usize = 200;
/// Tools that are asked between two turns before the call is taken to go round in circles.
const TOOLS_ASKED: usize = 50;

/// Plays the call that `request` describes against `plan`. Takes a while: it is for a thread that may block.
pub(super) fn simulated(
    plan: Arc<Dialplan>,
    request: &DialplansSimulateRequest,
) -> Result<DialplansSimulateResponse, Status> {
    if request.turns.len() > TURNS {
        return Err(wrong("turns", format_args!("has more than {TURNS}")));
    }
    for turn in &request.turns {
        ask::at_most("turns", turn, 1_000)?;
    }
    let caller = given(&request.caller, "4155550134");
    let facts = CallFacts::new(caller, given(&request.called, "1000"), local_now());
    let mut player = Player::new(plan, facts, Tools::default());
    settle(&mut player, &request.tools);
    for turn in &request.turns {
        if *player.state() == State::Over {
            break;
        }
        match turn.strip_prefix("keys:") {
            Some(keys) => player.keys(keys.trim()),
            None if turn.trim().is_empty() => player.caller(Input::NoInput),
            None => {
                let text = turn.trim().to_owned();
                player.caller(Input::Heard(vec![Hypothesis { text, confidence: 1.0 }]));
            }
        }
        settle(&mut player, &request.tools);
    }
    let played = player.played();
    let outcome = played.outcome.as_ref();
    Ok(DialplansSimulateResponse {
        lines: played.transcript.iter().map(line).collect(),
        disposition: outcome.map(|outcome| outcome.disposition.clone()).unwrap_or_default(),
        slots: outcome.map(|outcome| outcome.slots.clone()).unwrap_or_default(),
        node: played.nodes.last().cloned().unwrap_or_default(),
    })
}

/// Answers tools and hand-overs until the call waits for the caller, or is over.
fn settle(player: &mut Player, tools: &[SimulatedTool]) {
    for _ in 0..TOOLS_ASKED {
        match player.state() {
            State::Listening(_) | State::Over => return,
            State::Transferring(_) => player.transferred(TransferResult::Done),
            State::Generating(_) => player.model_failed("no model answers in a simulated call"),
            State::Invoking(invoke) => {
                let known = tools.iter().find(|tool| tool.tool == invoke.tool);
                let missing = || InvokeResult::Failed(format!("`tools` has no `{}`", invoke.tool));
                let result = known.map_or_else(missing, |t| InvokeResult::Done(t.fields.clone()));
                player.invoked(result);
            }
        }
    }
}

fn given<'a>(value: &'a str, otherwise: &'a str) -> &'a str {
    if value.is_empty() { otherwise } else { value }
}

fn line(line: &Line) -> SimulatedLine {
    let (speaker, text) = match line {
        Line::Bot(text) => (SimulatedSpeaker::Bot, text),
        Line::Caller(text) => (SimulatedSpeaker::Caller, text),
        Line::Done(text) => (SimulatedSpeaker::Tool, text),
    };
    SimulatedLine { speaker: speaker.into(), text: text.clone() }
}
