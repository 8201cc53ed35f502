//! Marks in the text of prompts: pauses, ways of speaking, recordings.

use super::Scope;
use crate::{
    dialplan::{
        error::{At, did_you_mean},
        model::{Part, Template},
        yaml::Yaml,
    },
    text::{Piece, Style},
};

/// Longest pause, in milliseconds.
const LONGEST_MS: u32 = 5_000;
/// What may stand in square brackets.
const MARKS: [&str; 6] = ["pause", "slow", "/slow", "strong", "/strong", "recording"];
/// How slow is spoken, and what matters.
const SLOW: Style = Style { rate_percent: 80, gain_db: 0 };
const STRONG: Style = Style { rate_percent: 90, gain_db: 3 };

impl Scope<'_> {
    /// The template of a prompt: as [`Self::template`], with marks such as `[pause 300ms]` in it; `[[` is a
    /// bracket.
    pub(super) fn spoken(&self, yaml: &Yaml, what: &str) -> Option<Template> {
        let text = self.report.text(yaml, what)?;
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find('[') {
            if rest[at..].starts_with("[[") {
                self.add_words(&format!("{}[", &rest[..at]), yaml.at, &mut parts);
                rest = &rest[at + 2..];
                continue;
            }
            self.add_words(&rest[..at], yaml.at, &mut parts);
            let Some(end) = rest[at..].find(']') else {
                let remedy = "close it, or write `[[` for a bracket itself";
                self.report.error(yaml.at, "a square bracket without its partner", remedy);
                rest = "";
                break;
            };
            parts.extend(self.mark(rest[at + 1..at + end].trim(), yaml.at));
            rest = &rest[at + end + 1..];
        }
        self.add_words(rest, yaml.at, &mut parts);
        Some(Template { parts })
    }

    fn add_words(&self, text: &str, at: At, parts: &mut Vec<Part>) {
        let mut more = self.template(text, at).parts.into_iter();
        if let (Some(Part::Words(last)), Some(Part::Words(first))) =
            (parts.last_mut(), more.as_slice().first())
        {
            last.push_str(first);
            more.next();
        }
        parts.extend(more);
    }

    /// What stands in the brackets.
    fn mark(&self, inside: &str, at: At) -> Option<Part> {
        let (word, rest) = inside.split_once(' ').unwrap_or((inside, ""));
        let piece = match (word, rest.trim()) {
            ("pause", rest) => Piece::Pause(self.pause(rest, at)?),
            ("slow", "") => Piece::Style(SLOW),
            ("strong", "") => Piece::Style(STRONG),
            ("/slow" | "/strong", "") => Piece::Style(Style::USUAL),
            ("recording", rest) => self.recorded(rest, at)?,
            _ => {
                let what = format!("no mark `[{inside}]`");
                let remedy = format!("{}; a bracket itself is `[[`", did_you_mean(word, MARKS));
                self.report.error(at, what, remedy);
                return None;
            }
        };
        Some(Part::Mark(piece))
    }

    fn pause(&self, text: &str, at: At) -> Option<u32> {
        let ms = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
            (Some(ms), _) => ms.trim().parse::<f32>().ok(),
            (None, Some(s)) => s.trim().parse::<f32>().ok().map(|s| s * 1_000.0),
            (None, None) => None,
        };
        let ms = ms.filter(|ms| (1.0..=LONGEST_MS as f32).contains(ms)).map(|ms| ms as u32);
        if ms.is_none() {
            let remedy = "write it like `[pause 300ms]` or `[pause 1.5s]`, at most 5s";
            self.report.error(at, format!("`{text}` is no pause"), remedy);
        }
        ms
    }

    /// `FILE: WORDS`.
    fn recorded(&self, text: &str, at: At) -> Option<Piece> {
        let Some((file, words)) =
            text.split_once(':').filter(|(_, words)| !words.trim().is_empty())
        else {
            let remedy = "write `[recording hello.wav: Good day.]`: the words are for transcripts, and spoken where the file is missing";
            self.report.error(at, "a recording without its words", remedy);
            return None;
        };
        let (file, words) = (file.trim(), words.trim().to_owned());
        if let Some(problem) = self.source.unusable.get(file) {
            let remedy = "convert it: sox IN -r 8000 -c 1 -b 16 OUT.wav";
            self.report.error(at, format!("the recording `{file}` {problem}"), remedy);
            return None;
        }
        match self.source.recordings.get(file) {
            Some(recording) => Some(Piece::Recorded { recording: recording.clone(), words }),
            None => {
                let what = format!("the recording `{file}` is not there");
                self.report.warn(at, what, "put the file beside the dialplan; until then its words are spoken by the voice");
                Some(Piece::Words(words))
            }
        }
    }
}

/// The files of `[recording FILE: …]` in `text`, each with its place.
pub(in crate::dialplan) fn recordings(text: &str) -> Vec<std::ops::Range<usize>> {
    const BEGINS: &str = "[recording ";
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find(BEGINS) {
        let start = from + at + BEGINS.len();
        let length = text[start..].find([':', ']']).unwrap_or(text.len() - start);
        let name = &text[start..start + length];
        let begins = start + (name.len() - name.trim_start().len());
        found.push(begins..begins + name.trim().len());
        from = start + length;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_recordings_are_found_in_a_text() {
        let text =
            "[recording a.wav: Hello, ]{name}[pause 1s][recording  b c.wav : bye] [recording d";
        let names: Vec<&str> = recordings(text).into_iter().map(|at| &text[at]).collect();
        assert_eq!(names, ["a.wav", "b c.wav", "d"]);
        assert!(recordings("[[recording").is_empty());
    }
}
