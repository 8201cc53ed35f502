use std::fmt;

/// What a finding means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Good to know.
    Note,
    /// May be a fault.
    Doubtful,
    /// A fault: calls will fail, or go wrong.
    Bad,
}

/// One line of a check: what was found and, when that is not good, the usual remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it means.
    pub verdict: Verdict,
    /// What was found.
    pub what: String,
}

impl Finding {
    pub(super) fn good(what: impl ToString) -> Self {
        Self { verdict: Verdict::Good, what: what.to_string() }
    }

    pub(super) fn note(what: impl ToString) -> Self {
        Self { verdict: Verdict::Note, what: what.to_string() }
    }

    pub(super) fn doubtful(what: impl ToString) -> Self {
        Self { verdict: Verdict::Doubtful, what: what.to_string() }
    }

    pub(super) fn bad(what: impl ToString) -> Self {
        Self { verdict: Verdict::Bad, what: what.to_string() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Good => "ok  ",
            Verdict::Note => "note",
            Verdict::Doubtful => "warn",
            Verdict::Bad => "FAIL",
        };
        write!(f, "{verdict}  {}", self.what)
    }
}
