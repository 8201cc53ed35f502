//! What was said in a call, from its record.

use super::redacted::redacted;
use crate::{
    proto::{Speaker, Utterance},
    store::CallRecord,
};

/// What was said, in the order in which it began; numbers are masked unless `unredacted`.
pub(super) fn transcript(record: &CallRecord, unredacted: bool) -> Vec<Utterance> {
    let mut utterances: Vec<Utterance> = record
        .events
        .iter()
        .filter_map(|event| {
            let (speaker, words) = match event.kind.as_str() {
                "said" => (Speaker::Bot, event.data["text"].as_str()?),
                "heard" => (Speaker::Caller, event.data["hypotheses"][0]["text"].as_str()?),
                _ => return None,
            };
            let at = event.data["from"].as_u64().map_or(event.at.as_ms(), |samples| samples / 8);
            let text = if unredacted { words.trim().to_owned() } else { redacted(words.trim()) };
            Some(Utterance { speaker: speaker.into(), at_ms: at, text })
        })
        .collect();
    utterances.sort_by_key(|utterance| utterance.at_ms);
    utterances
}
