//! What callers ask of the bot itself.

/// What a caller may ask of the bot itself, at any question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Wish {
    /// To hear again what was said last.
    Repeat,
    /// To hear it again more slowly, from now on.
    Slower,
    /// To hear it again louder, from now on.
    Louder,
    /// Time, to look for something.
    Wait,
    /// Slow, loud and patient, from now on.
    Elderly,
}

impl Wish {
    /// The words that stand for a wish where a node's name might.
    pub(crate) const WORDS: [(&str, Self); 5] = [
        ("repeat", Self::Repeat),
        ("slower", Self::Slower),
        ("louder", Self::Louder),
        ("wait", Self::Wait),
        ("elderly", Self::Elderly),
    ];

    /// The wish that `word` stands for.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(name, _)| *name == word).map(|(_, wish)| *wish)
    }
}
