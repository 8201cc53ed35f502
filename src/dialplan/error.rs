use std::fmt;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The dialplan works, but its author probably meant something else.
    Warning,
    /// The dialplan cannot be used.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One finding in a dialplan, with its place and what to do about it.
///
/// Displays as `file:line:column: error: what`, then `  help: remedy` on a line of its own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {severity}: {what}\n  help: {remedy}")]
pub struct DialplanError {
    /// Whether the dialplan can be used all the same.
    pub severity: Severity,
    /// The file as it was named to the loader.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// How to put it right.
    pub remedy: String,
}

/// A place in a file, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct At {
    /// Which of the files that [`Findings`] knows: the dialplan is 0, files that it includes follow.
    pub(crate) file: u16,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl At {
    /// The beginning of a file, for what has no better place.
    pub(crate) const TOP: Self = Self { file: 0, line: 1, column: 1 };

    /// Whether it is in the dialplan itself, not in a file that it includes.
    pub(crate) fn is_in_main(self) -> bool {
        self.file == 0
    }
}

/// Collects findings in a file and those that it includes, so that an author sees all of them at once.
#[derive(Debug)]
pub(crate) struct Findings {
    files: Vec<String>,
    found: Vec<DialplanError>,
}

impl Findings {
    pub(crate) fn new(file: impl Into<String>) -> Self {
        Self { files: vec![file.into()], found: Vec::new() }
    }

    /// Takes in another file, and gives it its number for [`At`].
    pub(crate) fn add_file(&mut self, file: impl Into<String>) -> u16 {
        self.files.push(file.into());
        u16::try_from(self.files.len() - 1).unwrap_or(u16::MAX)
    }

    /// `file:line` of a place, for messages that name a second one.
    pub(crate) fn place(&self, at: At) -> String {
        format!("{}:{}", self.name(at), at.line)
    }

    fn name(&self, at: At) -> &str {
        self.files.get(usize::from(at.file)).map_or("", String::as_str)
    }

    pub(crate) fn error(&mut self, at: At, what: impl Into<String>, remedy: impl Into<String>) {
        self.push(Severity::Error, at, what.into(), remedy.into());
    }

    pub(crate) fn warn(&mut self, at: At, what: impl Into<String>, remedy: impl Into<String>) {
        self.push(Severity::Warning, at, what.into(), remedy.into());
    }

    /// Adds findings made in another file, such as a table.
    pub(crate) fn append(&mut self, other: Findings) {
        self.found.extend(other.found);
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.found.iter().any(|f| f.severity == Severity::Error)
    }

    /// All findings in reading order.
    pub(crate) fn into_sorted(self) -> Vec<DialplanError> {
        let mut found = self.found;
        found.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        found
    }

    fn push(&mut self, severity: Severity, at: At, what: String, remedy: String) {
        let file = self.name(at).to_owned();
        self.found.push(DialplanError {
            severity,
            file,
            line: at.line,
            column: at.column,
            what,
            remedy,
        });
    }
}

/// A remedy that names the closest of `known`, or lists them all.
pub(crate) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let closest = known
        .iter()
        .map(|k| (edits(word, k), *k))
        .filter(|(d, k)| *d <= 1 + k.chars().count() / 4)
        .min();
    match closest {
        Some((_, k)) => format!("did you mean `{k}`?"),
        None if known.is_empty() => "there is none yet: add one".into(),
        None => format!("known: {}", known.join(", ")),
    }
}

/// Levenshtein distance in characters.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_like_a_compiler_message() {
        let mut findings = Findings::new("a.yaml");
        findings.error(
            At { line: 3, column: 7, ..At::TOP },
            "no node `x.y`",
            "did you mean `x.z`?",
        );
        assert_eq!(
            findings.into_sorted()[0].to_string(),
            "a.yaml:3:7: error: no node `x.y`\n  help: did you mean `x.z`?"
        );
    }

    #[test]
    fn a_typo_is_met_with_the_closest_name() {
        assert_eq!(did_you_mean("balence", ["outage", "balance"]), "did you mean `balance`?");
        assert_eq!(did_you_mean("weather", ["outage", "balance"]), "known: outage, balance");
    }
}
