//! What a server streams becomes sentences and at most one action.

use serde::Deserialize;

use crate::{
    dialog::Generated,
    text::{Lang, SentenceStream},
};

/// Longest answer with everything that is not spoken, in bytes; longest arguments of an action.
const LONGEST: usize = 64 * 1024;
const LONGEST_ARGUMENTS: usize = 8 * 1024;
/// What some models write around what they only think.
const THINKS: (&str, &str) = ("<think>", "</think>");

/// Reads the events of one answer.
#[derive(Debug)]
pub struct Parts {
    sentences: SentenceStream,
    thoughts: Thoughts,
    action: Option<Call>,
    /// Why the server says that the answer ends.
    reason: Option<String>,
    read: usize,
    /// Something that is spoken or done has come.
    begun: bool,
    over: bool,
}

#[derive(Debug, Default)]
struct Call {
    index: u32,
    name: String,
    arguments: String,
}

/// Whether a model thinks before it speaks.
#[derive(Debug)]
enum Thoughts {
    /// It may yet: this is how it begins.
    Perhaps(String),
    /// It does; the end of what it thinks.
    Now(String),
    /// It speaks.
    Over,
}

#[derive(Debug, Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    #[serde(default)]
    error: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Delta,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Delta {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<ToolCall>>,
}

#[derive(Debug, Deserialize)]
struct ToolCall {
    #[serde(default)]
    index: u32,
    #[serde(default)]
    function: Function,
}

#[derive(Debug, Default, Deserialize)]
struct Function {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    arguments: Option<String>,
}

impl Parts {
    /// An answer in `lang` of which nothing has come.
    #[must_use]
    pub fn new(lang: Lang) -> Self {
        Self {
            sentences: SentenceStream::new(lang),
            thoughts: Thoughts::Perhaps(String::new()),
            action: None,
            reason: None,
            read: 0,
            begun: false,
            over: false,
        }
    }

    /// Whether something that is spoken or done has come.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether its end has come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Takes the data of an event; gives the parts that are now whole. After one that is no sentence, there are no more.
    pub fn event(&mut self, data: &str) -> Vec<Generated> {
        if self.over {
            return Vec::new();
        }
        if data.trim() == "[DONE]" {
            return self.end();
        }
        self.read += data.len();
        let chunk = match serde_json::from_str::<Chunk>(data) {
            Ok(_) if self.read > LONGEST => return self.fail("its answer has no end".to_owned()),
            Ok(Chunk { error: Some(error), .. }) => {
                return self.fail(format!("the server says: {}", brief(&error.to_string())));
            }
            Ok(chunk) => chunk,
            Err(_) => return self.fail(format!("this is no part of an answer: {}", brief(data))),
        };
        let mut parts = Vec::new();
        let Some(choice) = chunk.choices.into_iter().next() else { return parts };
        if let Some(content) = choice.delta.content {
            let spoken = self.thoughts.leave_out(&content);
            self.begun |= !spoken.trim().is_empty();
            parts.extend(self.sentences.push(&spoken).into_iter().map(Generated::Sentence));
        }
        for call in choice.delta.tool_calls.into_iter().flatten() {
            if let Some(problem) = self.call(call) {
                parts.extend(self.fail(problem));
                return parts;
            }
        }
        self.reason = choice.finish_reason.or(self.reason.take());
        parts
    }

    /// The stream ended; gives what is left, and the end.
    pub fn end(&mut self) -> Vec<Generated> {
        if self.over {
            return Vec::new();
        }
        let Some(reason) = self.reason.take() else {
            return self.fail("the answer broke off".to_owned());
        };
        let rest = self.sentences.finish().map(Generated::Sentence);
        if let Some(call) = self.action.take() {
            self.over = true;
            let Call { name, arguments, .. } = call;
            return rest.into_iter().chain([Generated::Action { name, arguments }]).collect();
        }
        match reason.as_str() {
            "content_filter" => self.fail("the server held the answer back".to_owned()),
            // The last sentence is not whole.
            "length" => {
                self.over = true;
                vec![Generated::Finished]
            }
            _ => {
                self.over = true;
                rest.into_iter().chain([Generated::Finished]).collect()
            }
        }
    }

    /// Ends the answer for a reason.
    pub fn fail(&mut self, problem: String) -> Vec<Generated> {
        self.over = true;
        vec![Generated::Failed(problem)]
    }

    /// Takes a piece of a call of a function; says what is wrong with it.
    fn call(&mut self, piece: ToolCall) -> Option<String> {
        self.begun = true;
        let call =
            self.action.get_or_insert_with(|| Call { index: piece.index, ..Call::default() });
        if call.index != piece.index {
            return Some("it chose several actions at once".to_owned());
        }
        call.name.push_str(piece.function.name.as_deref().unwrap_or_default());
        call.arguments.push_str(piece.function.arguments.as_deref().unwrap_or_default());
        let too_long = call.arguments.len() > LONGEST_ARGUMENTS || call.name.len() > 256;
        too_long.then(|| "its arguments have no end".to_owned())
    }
}

impl Thoughts {
    /// What of `text`, which comes next, is not thought but spoken.
    fn leave_out(&mut self, text: &str) -> String {
        let (begin, end) = THINKS;
        match self {
            Self::Over => text.to_owned(),
            Self::Perhaps(so_far) => {
                so_far.push_str(text);
                let all = std::mem::take(so_far);
                let trimmed = all.trim_start();
                if let Some(thought) = trimmed.strip_prefix(begin) {
                    *self = Self::Now(String::new());
                    return self.leave_out(thought);
                }
                if begin.starts_with(trimmed) {
                    *self = Self::Perhaps(all);
                    return String::new();
                }
                *self = Self::Over;
                all
            }
            Self::Now(so_far) => {
                so_far.push_str(text);
                if let Some((_, spoken)) = so_far.split_once(end) {
                    let spoken = spoken.to_owned();
                    *self = Self::Over;
                    return spoken;
                }
                // Enough to see the end in it.
                let keep = so_far.len().saturating_sub(end.len());
                so_far.drain(..so_far.floor_char_boundary(keep));
                String::new()
            }
        }
    }
}

/// The beginning of what a server wrote, for a record.
pub(super) fn brief(text: &str) -> String {
    let line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(120).collect();
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn content(text: &str) -> String {
        serde_json::json!({"choices": [{"delta": {"content": text}}]}).to_string()
    }

    fn finish(reason: &str) -> String {
        serde_json::json!({"choices": [{"delta": {}, "finish_reason": reason}]}).to_string()
    }

    fn sentence(text: &str) -> Generated {
        Generated::Sentence(text.to_owned())
    }

    fn all(events: &[String]) -> Vec<Generated> {
        let mut parts = Parts::new(Lang::En);
        let found: Vec<_> = events.iter().flat_map(|event| parts.event(event)).collect();
        found.into_iter().chain(parts.end()).collect()
    }

    #[test]
    fn text_becomes_sentences_and_an_end() {
        let events =
            [content("Hello"), content(" there. How"), content(" are you?"), finish("stop")];
        assert_eq!(
            all(&events),
            [sentence("Hello there."), sentence("How are you?"), Generated::Finished]
        );
    }

    #[test]
    fn thoughts_are_not_spoken() {
        let events = ["<th", "ink>Hm. Let me", " see.</thi", "nk>\n\nYes. Of", " course."];
        let events: Vec<_> = events.into_iter().map(content).chain([finish("stop")]).collect();
        assert_eq!(all(&events), [sentence("Yes."), sentence("Of course."), Generated::Finished]);
        let mut parts = Parts::new(Lang::En);
        parts.event(&content("<think>Hm"));
        assert!(!parts.has_begun());
    }

    #[test]
    fn a_call_is_put_together_from_its_pieces() {
        let call = |index: u32, name: &str, arguments: &str| {
            let function = serde_json::json!({"name": name, "arguments": arguments});
            let calls = serde_json::json!([{"index": index, "function": function}]);
            serde_json::json!({"choices": [{"delta": {"tool_calls": calls}}]}).to_string()
        };
        let events = [
            content("One moment."),
            call(0, "move", "{\"zip"),
            call(0, "", "\": 1}"),
            finish("tool_calls"),
        ];
        let action = Generated::Action { name: "move".into(), arguments: "{\"zip\": 1}".into() };
        assert_eq!(all(&events), [sentence("One moment."), action]);
        let two = all(&[call(0, "a", "{}"), call(1, "b", "{}"), finish("tool_calls")]);
        assert_eq!(two, [Generated::Failed("it chose several actions at once".into())]);
    }

    #[test]
    fn an_answer_that_breaks_off_has_failed() {
        let failed = |problem: &str| Generated::Failed(problem.to_owned());
        assert_eq!(
            all(&[content("Hello there. How")]),
            [sentence("Hello there."), failed("the answer broke off")]
        );
        assert_eq!(
            all(&[content("Yes. No"), finish("length")]),
            [sentence("Yes."), Generated::Finished]
        );
        assert!(matches!(all(&["{".to_owned()])[..], [Generated::Failed(_)]));
        assert!(matches!(all(&[finish("content_filter")])[..], [Generated::Failed(_)]));
        let error = "{\"error\": {\"message\": \"overloaded\"}}".to_owned();
        assert!(
            matches!(&all(&[error])[..], [Generated::Failed(why)] if why.contains("overloaded"))
        );
    }

    proptest! {
        #[test]
        fn an_answer_ends_once_and_nothing_panics(events in prop::collection::vec(
            prop_oneof![
                any::<String>(),
                Just("[DONE]".to_owned()),
                "[a-z<>/. ]{0,12}".prop_map(|text| content(&text)),
                "[a-z_]{0,8}".prop_map(|reason| finish(&reason)),
            ],
            0..12,
        )) {
            let parts = all(&events);
            let ends = parts.iter().filter(|part| !matches!(part, Generated::Sentence(_))).count();
            prop_assert_eq!(ends, 1);
            prop_assert!(!matches!(parts.last(), Some(Generated::Sentence(_)) | None));
        }
    }
}
