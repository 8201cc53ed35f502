//! A request as the protocol wants it.

use serde_json::{Value, json};

use super::LlmConfig;
use crate::dialog::{Generate, Speaker};

/// The body of a request.
pub(super) fn body(config: &LlmConfig, request: &Generate) -> Value {
    let mut body = json!({
        "model": config.model,
        "messages": messages(request),
        "stream": true,
        "max_tokens": config.max_tokens,
        "temperature": config.temperature,
    });
    let Some(fields) = body.as_object_mut() else { return body };
    if !request.actions.is_empty() {
        let tools = request.actions.iter().map(|action| {
            json!({
                "type": "function",
                "function": {
                    "name": action.name,
                    "description": action.description,
                    "parameters": action.parameters,
                },
            })
        });
        fields.insert("tools".to_owned(), tools.collect());
        fields.insert("parallel_tool_calls".to_owned(), Value::Bool(false));
    }
    fields.extend(config.extra.clone());
    body
}

/// The talk so far. Many models insist that user and assistant take turns and that the user begins and ends.
fn messages(request: &Generate) -> Vec<Value> {
    let mut turns: Vec<(&str, String)> = Vec::new();
    for said in &request.history {
        let role = match said.by {
            Speaker::Caller => "user",
            Speaker::Bot => "assistant",
        };
        match turns.last_mut() {
            Some((last, text)) if *last == role => {
                text.push(' ');
                text.push_str(&said.text);
            }
            _ => turns.push((role, said.text.clone())),
        }
    }
    if turns.first().is_none_or(|(role, _)| *role == "assistant") {
        turns.insert(0, ("user", "(calls)".to_owned()));
    }
    if turns.last().is_some_and(|(role, _)| *role == "assistant") {
        turns.push(("user", "(waits)".to_owned()));
    }
    let system = json!({"role": "system", "content": request.instructions});
    let turns = turns.into_iter().map(|(role, text)| json!({"role": role, "content": text}));
    std::iter::once(system).chain(turns).collect()
}
